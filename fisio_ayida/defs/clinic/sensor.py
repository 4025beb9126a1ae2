"""The sensor that starts a run of ``appointment_confirmations`` when a visit was booked and no run is under way.

It plans nothing itself. Not here: what is news (``clinic/confirmations.py``).
"""

import datetime as dt

import dagster as dg

from fisio_ayida.clinic.registry import JOBS
from fisio_ayida.defs.bdns.specs import OWNER
from fisio_ayida.defs.clinic.jobs import clinic_job
from fisio_ayida.defs.clinic.specs import op_name
from fisio_ayida.defs.messaging.sensor import UNDER_WAY
from fisio_ayida.defs.resources import MirrorResource

JOB = "appointment_confirmations"
#: A confirmation waits a minute for second thoughts anyway.
EVERY = dt.timedelta(seconds=20)
#: A run takes seconds. One whose process died ends after so long, and bookings get another.
LONGEST = dt.timedelta(minutes=10)


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
        # Dagster's own repetition is off: what a dead run leaves is news again.
        longest = str(int(LONGEST.total_seconds()))
        return dg.RunRequest(
            # What was seen here is what the run looks at, however long it waits.
            run_config={"ops": {op_name(JOBS[JOB]): {"config": {"at": now.isoformat()}}}},
            tags={"dagster/max_retries": "0", "dagster/max_runtime": longest},
        )

    return bookings_made
