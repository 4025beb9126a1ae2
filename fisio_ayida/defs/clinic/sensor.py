"""The sensor that starts a run of ``appointment_confirmations`` when a visit was booked and no run is under way.

It plans nothing itself, and waits after runs that failed. Not here: what is news (``clinic/confirmations.py``).
"""

import datetime as dt
from itertools import takewhile

import dagster as dg

from fisio_ayida.clinic.registry import JOBS
from fisio_ayida.defs.clinic.external import OWNER
from fisio_ayida.defs.clinic.jobs import clinic_job
from fisio_ayida.defs.clinic.specs import op_name
from fisio_ayida.defs.messaging.sensor import UNDER_WAY
from fisio_ayida.defs.resources import MirrorResource

JOB = "appointment_confirmations"
#: A confirmation waits a minute for second thoughts anyway.
EVERY = dt.timedelta(seconds=20)
#: A run takes seconds. One whose process died ends after so long, and bookings get another.
LONGEST = dt.timedelta(minutes=10)
#: After two runs in a row that failed, and twice as long after each further one, up to an hour.
PAUSE, LONGEST_PAUSE = dt.timedelta(minutes=15), dt.timedelta(hours=1)
#: The same if they were done for some clinics, which shall not wait long because of another one.
PAUSE_OF_SOME = dt.timedelta(minutes=5)
#: So many failed runs lead to the longest pause.
_COUNTED = 4


def bookings_sensor() -> dg.SensorDefinition:
    """The sensor over the job."""

    @dg.sensor(
        name="bookings_made",
        job=clinic_job(JOB),
        minimum_interval_seconds=int(EVERY.total_seconds()),
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=(
            f"Starts one run of `{JOB}` when visits were booked that no run has looked at, and none is queued or "
            "under way. Stopped until someone starts it: FisioFlow switches over job by job."
        ),
        owners=[OWNER],
    )
    def bookings_made(
        context: dg.SensorEvaluationContext, mirror: dg.ResourceParam[MirrorResource]
    ) -> dg.RunRequest | dg.SkipReason:
        from fisio_ayida.clinic.confirmations import has_news
        from fisio_ayida.warehouse.clinic import open_clinic

        now = mirror.now()
        with (
            mirror.warehouse() as warehouse,
            warehouse.connect(autocommit=True) as conn,
            open_clinic(mirror.settings, warehouse) as door,
        ):
            if not has_news(conn, door, now=now):
                return dg.SkipReason("no visit was booked that no run has looked at")
        runs = context.instance.get_runs(dg.RunsFilter(job_name=JOB, statuses=UNDER_WAY), limit=1)
        if runs:
            return dg.SkipReason(f"run {runs[0].run_id} is {runs[0].status.value.lower()}")
        if (until := paused_until(context.instance)) is not None and now < until:
            return dg.SkipReason(f"the last runs of {JOB} failed: the next one is at {until:%H:%M:%S} UTC")
        # Dagster's own repetition is off: what a dead run leaves is news again.
        longest = str(int(LONGEST.total_seconds()))
        return dg.RunRequest(
            # What was seen here is what the run looks at, however long it waits.
            run_config={"ops": {op_name(JOBS[JOB]): {"config": {"at": now.isoformat()}}}},
            tags={"dagster/max_retries": "0", "dagster/max_runtime": longest},
        )

    return bookings_made


def paused_until(instance: dg.DagsterInstance) -> dt.datetime | None:
    """When to try again after runs that failed; None: at once, because the last one or the one before did not."""
    failed = list(takewhile(
        lambda record: record.dagster_run.status is dg.DagsterRunStatus.FAILURE,
        instance.get_run_records(dg.RunsFilter(job_name=JOB), limit=_COUNTED),
    ))  # fmt: skip
    if len(failed) < 2:
        return None
    run, ended = failed[0].dagster_run.run_id, failed[0].end_time
    recorded = instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    pause = PAUSE_OF_SOME if recorded else min(PAUSE * 2 ** (len(failed) - 2), LONGEST_PAUSE)
    return dt.datetime.fromtimestamp(ended or failed[0].update_timestamp.timestamp(), dt.UTC) + pause
