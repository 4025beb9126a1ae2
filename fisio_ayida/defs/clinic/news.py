"""The shape of the sensors that start a run of a clinic's job when there is something to do.

One run at a time, and none for a while after runs that failed. Such a sensor does nothing itself. Not here: what
is news (``clinic/confirmations.py``, ``insights/asking.py``).
"""

import datetime as dt
from collections.abc import Callable
from itertools import takewhile
from typing import TYPE_CHECKING

import dagster as dg

from fisio_ayida.clinic.registry import JOBS
from fisio_ayida.defs.clinic.external import OWNER
from fisio_ayida.defs.clinic.jobs import clinic_job
from fisio_ayida.defs.clinic.specs import op_name
from fisio_ayida.defs.messaging.sensor import UNDER_WAY
from fisio_ayida.defs.resources import MirrorResource

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Connection
    from fisio_ayida.warehouse.clinic import ClinicDoor

#: Whether there is news at a moment, as a connection to our own tables and the clinic's door tell it.
News = Callable[["Connection", "ClinicDoor", dt.datetime], bool]

#: After two runs in a row that failed, and twice as long after each further one, up to an hour.
PAUSE, LONGEST_PAUSE = dt.timedelta(minutes=15), dt.timedelta(hours=1)
#: The same if they were done for some clinics, which shall not wait long because of another one.
PAUSE_OF_SOME = dt.timedelta(minutes=5)
#: So many failed runs lead to the longest pause.
_COUNTED = 4


def news_sensor(
    name: str, job: str, has_news: News, *, every: dt.timedelta, longest: dt.timedelta, description: str,
    nothing: str, cursor: Callable[["Connection"], str | None] | None = None,
) -> dg.SensorDefinition:  # fmt: skip
    """A sensor over one job of the registry.

    Args:
        longest: a run whose process died ends after so long, and what it left gets another.
        nothing: what is said where there is no news.
        cursor: how far runs have looked, for people; what a run looks at is never taken from it.
    """

    @dg.sensor(
        name=name,
        job=clinic_job(job),
        minimum_interval_seconds=int(every.total_seconds()),
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"{description} Stopped until someone starts it: FisioFlow switches over job by job.",
        owners=[OWNER],
    )
    def news(
        context: dg.SensorEvaluationContext, mirror: dg.ResourceParam[MirrorResource]
    ) -> dg.RunRequest | dg.SkipReason:
        import psycopg

        from fisio_ayida.warehouse.clinic import open_clinic
        from fisio_ayida.warehouse.errors import said

        now = mirror.now()
        # First what is cheap: the clinics' tables are only looked at where a run could be started.
        runs = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNDER_WAY), limit=1)
        if runs:
            return dg.SkipReason(f"run {runs[0].run_id} is {runs[0].status.value.lower()}")
        if (until := paused_until(context.instance, job)) is not None and now < until:
            return dg.SkipReason(f"the last runs of {job} failed: the next one is at {until:%H:%M:%S} UTC")
        try:
            with (
                mirror.warehouse() as warehouse,
                warehouse.connect(autocommit=True) as conn,
                open_clinic(mirror.settings, warehouse) as door,
            ):
                if cursor is not None:
                    context.update_cursor(cursor(conn))
                if not has_news(conn, door, now):
                    return dg.SkipReason(nothing)
        except psycopg.OperationalError as error:
            # A lock, a time limit, a connection that was lost: the next tick looks again.
            return dg.SkipReason(f"a database did not answer: {said(error)}")
        # Dagster's own repetition is off: what a dead run leaves is news again.
        return dg.RunRequest(
            # What was seen here is what the run looks at, however long it waits.
            run_config={"ops": {op_name(JOBS[job]): {"config": {"at": now.isoformat()}}}},
            tags={"dagster/max_retries": "0", "dagster/max_runtime": str(int(longest.total_seconds()))},
        )

    return news


def paused_until(instance: dg.DagsterInstance, job: str) -> dt.datetime | None:
    """When to try again after runs that failed; None: at once, because the last one or the one before did not."""
    failed = list(takewhile(
        lambda record: record.dagster_run.status is dg.DagsterRunStatus.FAILURE,
        instance.get_run_records(dg.RunsFilter(job_name=job), limit=_COUNTED),
    ))  # fmt: skip
    if len(failed) < 2:
        return None
    run, ended = failed[0].dagster_run.run_id, failed[0].end_time
    recorded = instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    pause = PAUSE_OF_SOME if recorded else min(PAUSE * 2 ** (len(failed) - 2), LONGEST_PAUSE)
    return dt.datetime.fromtimestamp(ended or failed[0].update_timestamp.timestamp(), dt.UTC) + pause
