"""The sensor that starts a run of ``dispatch_messages`` when a message is due and no run is there to send it.

It sends nothing itself. Not here: what is due (``messaging/due.py``).
"""

import datetime as dt

import dagster as dg

from fisio_ayida.defs.bdns.specs import OWNER
from fisio_ayida.defs.messaging.outbox import JOB, OP, dispatch_messages
from fisio_ayida.defs.resources import MirrorResource

#: A run that was asked for ends after so long: new code gets its turn, and the next tick starts another.
LONGEST = dt.timedelta(minutes=10)
#: What it may need beyond that: calls under way, and the report. Then Dagster ends it: its process is gone.
GRACE = dt.timedelta(minutes=5)
#: A run without work, so that the checks are asked although nothing is sent.
CHECKED_EVERY = dt.timedelta(minutes=15)
#: How far ahead a tick looks, only to say so.
AHEAD = dt.timedelta(hours=1)
UNDER_WAY = [
    dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.MANAGED, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING,
]  # fmt: skip


def messages_sensor() -> dg.SensorDefinition:
    """The sensor over the job."""

    @dg.sensor(
        name="messages_due",
        job=dispatch_messages(),
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Starts one run of `dispatch_messages` when something of messaging is due and none is queued or under "
            "way, and one every quarter of an hour for the checks; marks a run as failed whose process died with "
            "messages in its hands."
        ),
        owners=[OWNER],
    )
    def messages_due(
        context: dg.SensorEvaluationContext, mirror: dg.ResourceParam[MirrorResource]
    ) -> dg.RunRequest | dg.SkipReason:
        from fisio_ayida.messaging import due, service, watch

        now = mirror.now()
        with mirror.warehouse() as warehouse, warehouse.connect(autocommit=True) as conn:
            at = due.next_at(conn, service.providers(mirror.settings), now=now, horizon=now + AHEAD)
            if (at is None or at > now) and _checked_lately(context.instance, now):
                return dg.SkipReason(
                    f"the next is due at {at:%H:%M:%S} UTC" if at else "nothing is due within an hour"
                )
            lost = watch.lost_runs(conn, now)
        run = _under_way(context.instance, lost)
        return request() if run is None else dg.SkipReason(f"run {run.run_id} is {run.status.value.lower()}")

    return messages_due


def request() -> dg.RunRequest:
    """One run. Dagster's own repetition is off: what a dead run leaves is due again by itself."""
    return dg.RunRequest(
        job_name=JOB,
        run_config={"ops": {OP: {"config": {"most_seconds": LONGEST.total_seconds()}}}},
        tags={
            "dagster/max_retries": "0",
            # Before events' runs, and before loads that take hours.
            "dagster/priority": "20",
            "dagster/max_runtime": str(int((LONGEST + GRACE).total_seconds())),
        },
    )


def _checked_lately(instance: dg.DagsterInstance, now: dt.datetime) -> bool:
    since = dg.RunsFilter(job_name=JOB, created_after=now - CHECKED_EVERY)
    return bool(instance.get_run_records(since, limit=1))


def _under_way(instance: dg.DagsterInstance, lost: set[str]) -> dg.DagsterRun | None:
    """A run that sends or will; those whose processes are gone are marked as failed and do not count."""
    for run in instance.get_runs(dg.RunsFilter(job_name=JOB, statuses=UNDER_WAY)):
        if run.run_id not in lost:
            return run
        instance.report_run_failed(run, "Its process is gone: it did not give back the messages in its hands.")
    return None
