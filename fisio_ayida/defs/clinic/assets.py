"""The factory: one asset for each row of the clinic's registry; the integrity checks are ``integrity.py``'s.

A declaration and a call; the words are in ``specs.py`` and the work in ``work.py``.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from fisio_ayida.clinic.registry import JOBS, Job
from fisio_ayida.defs.clinic.asking import CleanupConfig, JobConfig
from fisio_ayida.defs.clinic.specs import asset_spec, op_name
from fisio_ayida.defs.clinic.work import Recorded, carry_out
from fisio_ayida.defs.resources import MirrorResource

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Order

CLEANUP = "daily_cleanup"


def clinic_assets() -> list[dg.AssetsDefinition]:
    """The assets of all jobs that have one."""
    plain = [job_asset(job) for job in JOBS.values() if job.makes == "asset" and job.name != CLEANUP]
    return [cleanup_asset(), *plain]


def job_asset(job: Job) -> dg.AssetsDefinition:
    """The asset of one job. Its result is optional: the step reports each partition itself when it commits."""

    @dg.multi_asset(
        name=op_name(job),
        specs=[asset_spec(job)],
        backfill_policy=dg.BackfillPolicy.single_run() if job.period else None,
    )
    def work(
        context: dg.AssetExecutionContext, config: JobConfig, mirror: dg.ResourceParam[MirrorResource]
    ) -> Iterator[Recorded]:
        yield from carry_out(context, job, config, mirror)

    return work


def cleanup_asset() -> dg.AssetsDefinition:
    """The asset of the clean-up, which also deletes old runs from Dagster's storage."""
    job = JOBS[CLEANUP]

    @dg.multi_asset(name=op_name(job), specs=[asset_spec(job)])
    def cleanup(
        context: dg.AssetExecutionContext, config: CleanupConfig, mirror: dg.ResourceParam[MirrorResource]
    ) -> Iterator[Recorded]:
        yield from carry_out(context, job, config, mirror, also=lambda order: _old_runs(context.instance, order))

    return cleanup


def _old_runs(instance: dg.DagsterInstance, order: "Order") -> Mapping[str, int]:
    """Old runs are our own rows, of no organisation."""
    from fisio_ayida.defs.clinic.old_runs import delete_old_runs

    if order.organization is not None or (order.parts and "own" not in order.parts):
        return {}
    return {"old runs": delete_old_runs(instance, order.now, is_dry=order.is_dry or order.is_shadow)}
