"""What Dagster says about the clinic's jobs before anything runs: names, words, owners, partitions.

All of it follows from the registry. What a run measures is in ``report.py``, what it does in ``work.py``.
"""

from __future__ import annotations

import datetime as dt

import dagster as dg

from fisio_ayida.clinic.registry import MONDAY, ZONE, Job
from fisio_ayida.defs.clinic.external import OWNER, table_key

CODE_VERSION = "1"
GROUP = "clinic"
#: FisioFlow began in January 2026; clinics bring visits from before, which can be reported on from here. A Monday,
#: so that the first week is whole.
FIRST_DAY = dt.date(2024, 1, 1)

#: Civil days that are reported on. Days of São Paulo stand for the same days in the other clinics' zones.
DAYS = dg.DailyPartitionsDefinition(FIRST_DAY.isoformat(), timezone=ZONE)
#: ISO weeks that are reported on, by their Mondays; Dagster counts days of the week from Sunday.
WEEKS = dg.WeeklyPartitionsDefinition(FIRST_DAY.isoformat(), timezone=ZONE, day_offset=MONDAY + 1)

#: What a partition's day or week is before the day on which it is reported.
PERIODS = {"day": dt.timedelta(days=1), "week": dt.timedelta(weeks=1)}


def asset_key(job: Job) -> dg.AssetKey:
    return dg.AssetKey(["clinic", job.asset])


def op_name(job: Job) -> str:
    """The name under which a run's config addresses the job: ``ops: {clinic__cleanup: {config: …}}``."""
    return f"clinic__{job.asset}"


def asset_spec(job: Job) -> dg.AssetSpec:
    """The asset of ``job``; ``skippable`` because each partition is reported as it commits."""
    return dg.AssetSpec(
        asset_key(job),
        deps=[table_key(relation) for relation in ("organizations", *job.reads)],
        description=f"{job.description}\n\nDue {_hours(job)}.",
        skippable=True,
        group_name=GROUP,
        code_version=CODE_VERSION,
        owners=[OWNER],
        kinds={"python", "postgres"},
        tags={"source": "clinic"},
        partitions_def=partitions_of(job),
    )


def partitions_of(job: Job) -> dg.TimeWindowPartitionsDefinition | None:
    """The days or weeks that a job reports on; None for one that does what is due."""
    return None if job.period is None else DAYS if job.period == "day" else WEEKS


def _hours(job: Job) -> str:
    if not job.plain:
        return "when there is something to do: its sensor asks for runs"
    return f"at `{job.when.cron}` ({ZONE})"
