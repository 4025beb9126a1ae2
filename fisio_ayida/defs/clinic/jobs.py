"""The jobs of the clinic, under the names that others call: one for each row of the registry.

Each runs without configuration and without a partition, and then does what was due last.
"""

from __future__ import annotations

from functools import cache

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from fisio_ayida.clinic.registry import JOBS, Job
from fisio_ayida.defs.clinic.external import OWNER
from fisio_ayida.defs.clinic.integrity import integrity_checks
from fisio_ayida.defs.clinic.specs import asset_key, op_name

#: After what sends messages, before events' runs and loads that take hours.
PRIORITY = "15"


@cache
def clinic_jobs() -> tuple[UnresolvedAssetJobDefinition, ...]:
    """All jobs of the clinic, the same objects at each call: schedules and the sensor point at them."""
    return tuple(_job(job) for job in JOBS.values())


def clinic_job(name: str) -> UnresolvedAssetJobDefinition:
    """The job of this name."""
    return next(job for job in clinic_jobs() if job.name == name)


def _job(job: Job) -> UnresolvedAssetJobDefinition:
    is_checks = job.makes == "checks"
    return dg.define_asset_job(
        job.name,
        selection=dg.AssetSelection.checks(integrity_checks()) if is_checks else [asset_key(job)],
        description=_words(job),
        tags={"source": "clinic", "dagster/priority": PRIORITY},
        owners=[OWNER],
    )


def _words(job: Job) -> str:
    what = "the moment it was due last"
    if job.period is not None:
        what = f"the latest {job.period} that is over, or for each partition of a range, in one run"
    example = "{day: '2026-03-12', organization: 'some id', dry_run: true}"
    if job.makes == "insights":
        what = "whoever is due; for days, whoever has no insight of a session finalized on them, too"
        example = "{organization: 'some id', patients: ['some id'], dry_run: true}"
    return (
        f"{job.description} Without configuration for {what}. "
        f"Config: `ops: {{{op_name(job)}: {{config: {example}}}}}`. "
        "With CLINIC_SHADOW it plans and sends nothing."
    )
