"""The body of every step that handles events: opens what the handlers need, drains, and says what became of them.

Used by ``process_events`` and by the jobs that take a claim of their own events. The work: ``events/work.py``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING

import dagster as dg

from fisio_ayida.defs.bdns.failures import reported
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events.registry import Batch
from fisio_ayida.telemetry import BoundLogger, bind

if TYPE_CHECKING:
    from fisio_ayida.events.work import Tally
    from fisio_ayida.warehouse.engine import Warehouse

LOG = logging.getLogger("fisio_ayida.events")
#: A run that was asked for goes on claiming so long: new events need no new process, and the queue moves.
DRAINS_FOR = dt.timedelta(seconds=120)


def handle_events(
    context: dg.OpExecutionContext, mirror: MirrorResource, works: Collection[Batch], claim: str | None
) -> Tally:
    """Handle a claim and what else is due; without a claim, everything that is due.

    Raises:
        dg.Failure: ``claim`` is no id, or the database stayed away.
    """
    claim_id = _claim_id(claim)
    log = bind(LOG, jobName=context.job_name, runId=context.run_id)
    with reported(context, mirror), mirror.warehouse() as warehouse:
        most = DRAINS_FOR if claim_id else None
        tally = asyncio.run(_drain(context, mirror, works, claim_id, most, warehouse, log))
    for (name, state), events in sorted(tally.ended.items()):
        reason = tally.reasons.get((name, state))
        context.log.info(f"{name}: {events} {state}" + (f", the last one: {reason}" if reason else ""))
    return tally


async def _drain(
    context: dg.OpExecutionContext,
    mirror: MirrorResource,
    works: Collection[Batch],
    claim: uuid.UUID | None,
    most: dt.timedelta | None,
    warehouse: Warehouse,
    log: BoundLogger,
) -> Tally:
    from fisio_ayida.bdns.service import Caller
    from fisio_ayida.defs.events.handlers import opened
    from fisio_ayida.events.inbox import admit
    from fisio_ayida.events.work import Worker, drain

    if claim is None:
        with warehouse.connect(autocommit=True) as conn:
            while admit(conn, now=mirror.now()):
                pass
    async with opened(works, mirror, warehouse, Caller(context.run_id, context.job_name), log) as handlers:
        worker = Worker(
            connect=lambda: warehouse.connect(autocommit=True),
            handlers=handlers,
            now=mirror.now,
            jitter=mirror.jitter,
            monotonic=time.monotonic,
            pause=lambda length: time.sleep(length.total_seconds()),
            log=log,
            run_id=context.run_id,
        )
        return await drain(worker, tuple(works), claim, most=most)


def _claim_id(claim: str | None) -> uuid.UUID | None:
    if not claim:
        return None
    try:
        return uuid.UUID(claim)
    except ValueError:
        raise dg.Failure(f"claim={claim!r} is not the id of a claim", allow_retries=False) from None
