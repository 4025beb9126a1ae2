"""The sensor that turns due events into runs: a few runs for however many events.

What a tick does is in ``events/dispatch.py``; here it is only asked to, and its claims become run requests.
"""

import logging
import time
from collections.abc import Sequence

import dagster as dg

from fisio_ayida.defs.bdns.jobs import Job
from fisio_ayida.defs.bdns.specs import OWNER
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events.registry import EVENTS

LOG = logging.getLogger("fisio_ayida.events")

# The daemon looks at its sensors every five seconds. A tick that waits almost as long sees an event at once.
_LOOKS, _SECONDS_BETWEEN = 16, 0.25


def events_sensor(jobs: Sequence[Job]) -> dg.SensorDefinition:
    """The sensor over those of the jobs that events lead to."""

    @dg.sensor(
        name="events_inbox",
        jobs=_targets(jobs),
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Claims due events of `events.inbox` in batches and starts one run a batch; looks after the runs of "
            "claims, and gives back the events of a run that died."
        ),
        owners=[OWNER],
    )
    def events_inbox(
        context: dg.SensorEvaluationContext, mirror: dg.ResourceParam[MirrorResource]
    ) -> dg.SensorResult | dg.SkipReason:
        from fisio_ayida.defs.events.runs import InstanceRuns, request
        from fisio_ayida.events import dispatch

        runs = InstanceRuns(context.instance)
        with mirror.warehouse() as warehouse, warehouse.connect(autocommit=True) as conn:
            claims = dispatch.tick(conn, runs, now=mirror.now(), log=LOG)
            waited = claims or dispatch.wait(conn, mirror.now, time.sleep, rounds=_LOOKS, seconds=_SECONDS_BETWEEN)
            if waited and not claims:
                claims = dispatch.tick(conn, runs, now=mirror.now(), log=LOG)
        if not claims:
            return dg.SkipReason("no event is due that no run has in its hands")
        return dg.SensorResult(run_requests=[request(claim) for claim in claims])

    return events_inbox


def _targets(jobs: Sequence[Job]) -> list[Job]:
    """Those of the jobs that the registry's events lead to."""
    names = {row.work.job for row in EVENTS.values() if row.work is not None}
    return [job for job in jobs if job.name in names]
