"""Dagster's own records of short runs that follow each other by minutes: the old ones are deleted.

Dagster purges ticks by itself (``retention`` in dagster.yaml) and runs never. Runs of partitioned assets stay:
which partitions there are follows from their events. Not here: retention of the project's tables.
"""

from __future__ import annotations

import datetime as dt

import dagster as dg

#: Jobs without partitions whose runs are many and short.
JOBS = (
    "dispatch_messages", "process_events", "appointment_reminders", "appointment_confirmations",
    "feedback_requests",
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
    for job in JOBS:
        newest = instance.get_run_ids(dg.RunsFilter(job_name=job), limit=kept)
        if len(newest) < kept:
            continue
        old = dg.RunsFilter(job_name=job, statuses=_FINISHED, created_before=now - KEPT_FOR)
        ids = instance.get_run_ids(old, cursor=newest[-1], limit=MOST)
        deleted += len(ids)
        for run_id in () if is_dry else ids:
            instance.delete_run(run_id)
            instance.compute_log_manager.delete_logs(prefix=[run_id])
    return deleted
