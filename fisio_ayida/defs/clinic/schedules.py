"""When the clinic's jobs run: the registry's hours in São Paulo, one schedule a job.

A run gets the tick's nominal time, so a late tick does the same. Not here: what has no hours (``sensor.py``).
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import dagster as dg

from fisio_ayida.clinic.registry import JOBS, ZONE, Job
from fisio_ayida.defs.clinic.asking import partition_of
from fisio_ayida.defs.clinic.external import OWNER
from fisio_ayida.defs.clinic.jobs import clinic_job
from fisio_ayida.defs.clinic.specs import op_name

#: A run whose process died ends after so long, and gives its place to another.
LONGEST = dt.timedelta(hours=2)
_STOPPED = "Stopped until someone starts it: FisioFlow switches over job by job."


def clinic_schedules() -> list[dg.ScheduleDefinition]:
    """The schedules of all jobs that have hours."""
    return [_schedule(job) for job in JOBS.values() if job.plain]


def _schedule(job: Job) -> dg.ScheduleDefinition:
    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        nominal = context.scheduled_execution_time.astimezone(ZoneInfo(ZONE))
        partition = partition_of(job, nominal)
        config = {"ops": {op_name(job): {"config": {"at": nominal.isoformat()}}}}
        return dg.RunRequest(
            # With its offset: where clocks change, an hour may come twice.
            run_key=f"{job.name} {nominal.isoformat()}",
            run_config={} if partition else config,
            partition_key=partition,
            tags={"dagster/max_runtime": str(int(LONGEST.total_seconds()))},
        )

    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=clinic_job(job.name),
        cron_schedule=job.when.cron,
        execution_timezone=ZONE,
        execution_fn=request,
        description=f"{job.description} {_STOPPED}",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        owners=[OWNER],
    )
