"""Dagster's own records of short runs that follow each other by minutes: the old ones are deleted.

Dagster purges ticks by itself (``retention`` in dagster.yaml) and runs never. Which partitions there are follows
from the runs' events: those with the last word on one stay. Not here: retention of the project's tables.
"""

from __future__ import annotations

import datetime as dt

import dagster as dg

from fisio_ayida.clinic import registry as clinic_registry
from fisio_ayida.defs.clinic.specs import asset_key

INSIGHTS = clinic_registry.JOBS["patient_insights"]
#: Jobs whose runs are many and short.
JOBS = (
    "dispatch_messages", "process_events", "appointment_reminders", "appointment_confirmations",
    "feedback_requests", INSIGHTS.name,
)  # fmt: skip
KEPT_FOR = dt.timedelta(days=30)
#: The newest of each job stay, however old: an asset's last materialization is in one of them.
KEPT = 100
#: A clean-up deletes at most so many of a job, some 30 ms each; the rest is the next one's.
MOST = 5000
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def delete_old_runs(
    instance: dg.DagsterInstance, now: dt.datetime, *, kept: int = KEPT, is_dry: bool = False
) -> int:
    """Delete what is old, with its events and its output; gives how many runs there were.

    Args:
        kept: so many of each job stay anyway.
        is_dry: only count.
    """
    deleted = 0
    lasting = _with_last_words(instance, asset_key(INSIGHTS))
    for job in JOBS:
        newest = instance.get_run_ids(dg.RunsFilter(job_name=job), limit=kept)
        if len(newest) < kept:
            continue
        old = dg.RunsFilter(job_name=job, statuses=_FINISHED, created_before=now - KEPT_FOR)
        ids = [id for id in instance.get_run_ids(old, cursor=newest[-1], limit=MOST) if id not in lasting]
        deleted += len(ids)
        for run_id in () if is_dry else ids:
            instance.delete_run(run_id)
            instance.compute_log_manager.delete_logs(prefix=[run_id])
    return deleted


def _with_last_words(instance: dg.DagsterInstance, key: dg.AssetKey) -> set[str]:
    """The runs in which the partitions of an asset were materialized last."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    last = instance.event_log_storage.get_latest_storage_id_by_partition(key, kind)
    if not last:
        return set()
    wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(last.values()))
    return {record.run_id for record in instance.fetch_materializations(wanted, limit=len(last)).records}
