"""Events that stand for runs, when no sensor is there to start them: each run is executed here, one after another.

For ``process_events`` run by hand. With a daemon the sensor asks for such runs (``sensor.py``).
"""

from __future__ import annotations

import uuid

import dagster as dg

from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events.registry import EVENTS, Launch


def run_launches(context: dg.AssetExecutionContext, mirror: MirrorResource) -> int:
    """Execute the runs that due events stand for, and end the events with them; gives how many runs there were."""
    from fisio_ayida.defs.events.runs import request
    from fisio_ayida.events import claims

    done = 0
    with mirror.warehouse() as warehouse, warehouse.connect(autocommit=True) as conn:
        for row in (row for row in EVENTS.values() if isinstance(row.work, Launch)):
            for claim in claims.claim_launches(conn, row, now=mirror.now()):
                run_id = str(uuid.uuid4())
                if not claims.start(conn, claim.id, run_id, claims.LAUNCH_LEASE, mirror.now()):
                    continue
                context.log.info(f"{row.name}: run {run_id} of {claim.job} for {claim.size} events")
                result = context.repository_def.get_job(claim.job).execute_in_process(
                    run_config=claim.run_config,
                    instance=context.instance,
                    tags=dict(request(claim).tags),
                    raise_on_error=False,
                    run_id=run_id,
                )
                state, why = ("done", None) if result.success else ("dead", _failure(result))
                claims.end_launch(conn, claim.id, state, why, run_id=run_id, now=mirror.now())
                done += 1
    return done


def _failure(result: dg.ExecuteInProcessResult) -> str:
    from fisio_ayida.defs.events.runs import failure_words

    failed = [event for event in result.all_events if event.is_step_failure]
    return failure_words(failed[0]) if failed else "the run failed"
