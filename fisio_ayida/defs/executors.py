"""How Dagster runs the steps of one run: one setting, four answers.

The libraries of the two remote executors are optional and imported only when they are chosen.
"""

from __future__ import annotations

import importlib

import dagster as dg

from fisio_ayida.settings import Settings, SettingsError

# Setting to module and attribute; connections of these two come from the run's config or its defaults.
_REMOTE = {"celery": ("dagster_celery", "celery_executor"), "k8s": ("dagster_k8s", "k8s_job_executor")}


def executor(settings: Settings) -> dg.ExecutorDefinition:
    """The executor of FISIO_AYIDA_EXECUTOR.

    Raises:
        SettingsError: the chosen one's library is not installed.
    """
    if settings.executor == "in_process":
        return dg.in_process_executor
    if settings.executor == "multiprocess":
        return dg.multiprocess_executor
    module, name = _REMOTE[settings.executor]
    try:
        found: dg.ExecutorDefinition = getattr(importlib.import_module(module), name)
    except ImportError:
        raise SettingsError(
            f"FISIO_AYIDA_EXECUTOR: {settings.executor!r} needs the library {module.replace('_', '-')}, "
            "which is not installed; allowed without it: in_process, multiprocess"
        ) from None
    return found
