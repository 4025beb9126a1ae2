"""The runner: takes the events of a claim through their handlers and writes down how each one ended.

Every event is on its own: one that fails never fails its neighbours. A run that is killed leaves nothing half done
inside our database, and gives back what it had not finished. Not here: the handlers, and what starts a run.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import class_row

from fisio_ayida.events import claims
from fisio_ayida.events.lease import kept
from fisio_ayida.events.outcomes import Outcome, of_error, record
from fisio_ayida.events.registry import EVENTS, Batch, Event
from fisio_ayida.telemetry import Log
from fisio_ayida.warehouse.session import Session

Connection = psycopg.Connection[Any]
Result = Mapping[str, Any] | None

# Events of one transaction, or under way at once and marked as such.
CHUNK = 100
# Read at a time: what keeps memory flat.
PAGE = 1000

PAGE_OF_CLAIM = """
select seq, id, name, data, organization_id, attempt, losses, received_at
from events.inbox where claim_id = %s and state = 'claimed'
order by losses, priority desc, seq limit %s
"""
# The marks of what a dead run had in its hands; committed before the work begins.
MARK = "update events.claims set working = %s where id = %s and ended_at is null returning id"
# Holds off whoever takes this run for dead until the transaction is over.
FENCE = """
select seq, cancelled_by from events.inbox
where seq = any(%s) and claim_id = %s and state = 'claimed' order by seq for update
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """An event in the hands of a run."""

    seq: int
    id: str
    name: str
    data: dict[str, Any]
    organization_id: str
    attempt: int
    losses: int
    received_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Inside:
    """A handler whose effect is in our database: it commits together with the event's outcome, or not at all.

    It may be called again in the same transaction, after what it did was rolled back.
    """

    handle: Callable[[Connection, Taken, dt.datetime, str | None], Result]


@dataclass(frozen=True, slots=True)
class Outside:
    """A handler whose effect is elsewhere, or in transactions of its own: it must bear being called again."""

    handle: Callable[[Taken], Awaitable[Result]]


Handlers = Mapping[str, Inside | Outside]


@dataclass(slots=True)
class Tally:
    """What a run did: events by name and state."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    claims: int = 0
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)

    def total(self, state: str | None = None) -> int:
        return sum(n for (_, ended), n in self.ended.items() if state in (None, ended))


@dataclass(frozen=True, slots=True)
class Worker:
    """What a run works with.

    Args:
        connect: opens a connection in autocommit; the worker keeps one and opens another if it is lost.
        jitter: chance in [0, 1) for the pauses between tries.
        monotonic: seconds of a clock that never goes back, for how long a run goes on claiming.
        pause: waits; called between tries to reach the database.
    """

    connect: Callable[[], Connection]
    handlers: Handlers
    now: Callable[[], dt.datetime]
    jitter: Callable[[], float]
    monotonic: Callable[[], float]
    pause: Callable[[dt.timedelta], None]
    log: Log
    run_id: str | None
    lease: dt.timedelta = claims.BATCH_LEASE

    @property
    def run(self) -> str:
        """Who has the claims: the run, or a person."""
        return self.run_id or "by hand"


async def drain(
    worker: Worker, works: Sequence[Batch], claim: uuid.UUID | None, *, most: dt.timedelta | None
) -> Tally:
    """Handle ``claim`` if there is one, then whatever else of these works is due.

    Args:
        most: how long to go on claiming; None: until nothing is due.
    """
    tally = Tally()
    until = None if most is None else worker.monotonic() + most.total_seconds()
    session = Session(worker.connect, worker.pause, worker.log)
    try:
        if claim is not None:
            await _handle(session, worker, claim, tally)
        for work in works:
            events = [row for row in EVENTS.values() if row.work == work and row.name in worker.handlers]
            while until is None or worker.monotonic() < until:
                mine = uuid.uuid4()
                if not session.do(
                    claims.claim_batch, work, events,
                    now=worker.now(), run_id=worker.run, claim=mine, lease=worker.lease,
                ):  # fmt: skip
                    break
                await _handle(session, worker, mine, tally)
    finally:
        session.close()
    return tally


async def _handle(session: Session, worker: Worker, claim: uuid.UUID, tally: Tally) -> None:
    if not session.do(claims.start, claim, worker.run, worker.lease, worker.now()):
        worker.log.warning("the claim %s has ended or belongs to another run: nothing to do", claim)
        return
    tally.claims += 1
    try:
        with kept(worker.connect, claim, worker.lease, worker.log):
            while page := session.do(_page, claim):
                for chunk in _chunks(page):
                    if not session.do(_mark, claim, chunk):
                        worker.log.warning("the claim %s was taken from this run", claim)
                        return
                    await _run_chunk(session, worker, claim, chunk, tally)
    except BaseException as error:
        # The rest goes back at once; a process that is killed leaves that to the lease. Who stopped the run on
        # purpose (an interrupt is no Exception) did not mean its events.
        why, broken = f"its run failed ({type(error).__name__})", isinstance(error, Exception)
        session.last(claims.release, claim, now=worker.now(), why=why, lost=broken)
        raise
    session.do(claims.end, claim, "done", worker.now())


async def _run_chunk(
    session: Session, worker: Worker, claim: uuid.UUID, chunk: Sequence[Taken], tally: Tally
) -> None:
    event = EVENTS[chunk[0].name]
    handler = worker.handlers.get(event.name, _MISSING)
    if isinstance(handler, Inside):
        _count(tally, chunk, session.do(_inside, worker, claim, chunk, event, handler))
        return
    slots = asyncio.Semaphore(event.concurrency)

    async def one(taken: Taken) -> None:
        async with slots:
            outcome = await _outside(session, worker, claim, taken, event, handler)
        if outcome is not None:
            _count(tally, [taken], {taken.seq: outcome})

    async with asyncio.TaskGroup() as group:
        for taken in chunk:
            group.create_task(one(taken))


def _inside(
    conn: Connection, worker: Worker, claim: uuid.UUID, chunk: Sequence[Taken], event: Event, handler: Inside
) -> dict[int, Outcome]:
    """All effects of the chunk and all its outcomes in one transaction."""
    with conn.transaction():
        held = dict(conn.execute(FENCE, [[taken.seq for taken in chunk], claim]).fetchall())
        outcomes = {taken.seq: _cancelled(taken, by) for taken in chunk if (by := held.get(taken.seq))}
        wanted = [taken for taken in chunk if taken.seq in held and taken.seq not in outcomes]
        outcomes |= _effects(conn, worker, wanted, event, handler)
        record(conn, claim, list(outcomes.values()), run_id=worker.run_id, now=worker.now())
    return outcomes


def _effects(
    conn: Connection, worker: Worker, wanted: Sequence[Taken], event: Event, handler: Inside
) -> dict[int, Outcome]:
    """Under one savepoint, which is three times as fast; if an event fails, each under one of its own."""
    outcomes: dict[int, Outcome] = {}
    try:
        with conn.transaction():
            for taken in wanted:
                result = handler.handle(conn, taken, worker.now(), worker.run_id)
                outcomes[taken.seq] = Outcome(taken.seq, "done", result=result)
    except Exception as error:
        if conn.closed:
            # The connection, not an event: the whole chunk is done again.
            raise psycopg.OperationalError("the connection was lost") from error
        if len(wanted) == 1:
            return {wanted[0].seq: _failed(worker, wanted[0], event, error)}
        for taken in wanted:
            outcomes |= _effects(conn, worker, [taken], event, handler)
    return outcomes


async def _outside(
    session: Session, worker: Worker, claim: uuid.UUID, taken: Taken, event: Event, handler: Outside
) -> Outcome | None:
    """One event; None if it was taken from this run meanwhile."""
    held = session.do(_held, claim, taken)
    if held is None:
        return None
    if held[1]:
        outcome = _cancelled(taken, held[1])
    else:
        try:
            outcome = Outcome(taken.seq, "done", result=await handler.handle(taken))
        except Exception as error:
            outcome = _failed(worker, taken, event, error)
    written = session.do(record, claim, [outcome], run_id=worker.run_id, now=worker.now())
    return outcome if taken.seq in written else None


async def _no_handler(taken: Taken) -> Result:
    raise LookupError(f"this release has no handler for {taken.name}")


# Two releases may share a database while one replaces the other.
_MISSING = Outside(_no_handler)


def _cancelled(taken: Taken, by: str) -> Outcome:
    return Outcome(taken.seq, "skipped", f"cancelled by {by}")


def _failed(worker: Worker, taken: Taken, event: Event, error: Exception) -> Outcome:
    outcome = of_error(
        taken.seq, error, attempt=taken.attempt, policy=event.retry, now=worker.now(), jitter=worker.jitter()
    )
    worker.log.log(
        logging.WARNING if outcome.state != "skipped" else logging.INFO,
        "event %s (%s): %s: %s", taken.id, taken.name, outcome.state, outcome.reason,
    )  # fmt: skip
    return outcome


def _count(tally: Tally, chunk: Sequence[Taken], outcomes: Mapping[int, Outcome]) -> None:
    for taken in chunk:
        if outcome := outcomes.get(taken.seq):
            tally.ended[taken.name, outcome.state] += 1
            if outcome.reason:
                tally.reasons[taken.name, outcome.state] = outcome.reason


def _page(conn: Connection, claim: uuid.UUID) -> list[Taken]:
    with conn.cursor(row_factory=class_row(Taken)) as cur:
        return cur.execute(PAGE_OF_CLAIM, [claim, PAGE]).fetchall()


def _chunks(page: Sequence[Taken]) -> Iterator[list[Taken]]:
    """Neighbours of one name together; an event that was in the hands of a run that died, alone."""
    chunk: list[Taken] = []
    for taken in page:
        if chunk and (taken.losses or chunk[-1].losses or chunk[0].name != taken.name or len(chunk) == CHUNK):
            yield chunk
            chunk = []
        chunk.append(taken)
    if chunk:
        yield chunk


def _held(conn: Connection, claim: uuid.UUID, taken: Taken) -> tuple[int, str | None] | None:
    return conn.execute(FENCE, [[taken.seq], claim]).fetchone()


def _mark(conn: Connection, claim: uuid.UUID, chunk: Sequence[Taken]) -> bool:
    return conn.execute(MARK, [[taken.seq for taken in chunk], claim]).fetchone() is not None
