"""The writer: what arrives at the same time is committed together, and nobody is answered before that.

One transaction is under way at a time; what comes meanwhile waits and goes into the next. Not here: the
connection (``line.py``) and what storing means (``events/inbox.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import psycopg

from fisio_ayida.events.admission import Candidate
from fisio_ayida.events.inbox import Accepted, accept, refuse
from fisio_ayida.events.outcomes import words
from fisio_ayida.gateway.limits import Limits
from fisio_ayida.gateway.line import Connection, Line, Unavailable


class Unstorable(Exception):
    """The database cannot hold what this one request says; it never will."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not taken, to be kept whole."""

    body: bytes
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Order:
    """What one request wants written: its candidates, itself if it was refused, or both. Weighed in bytes."""

    source: str
    now: dt.datetime
    weight: int
    candidates: Sequence[Candidate] = ()
    refusal: Refusal | None = None


#: What became of one order: an answer for each candidate, or why it was not written.
Outcome = list[Accepted] | Exception


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    order: Order
    future: asyncio.Future[Outcome]


class Writer:
    """Takes orders and writes them, many at a time. Start it and close it in one event loop."""

    def __init__(self, line: Line, limits: Limits, log: logging.Logger) -> None:
        self._line = line
        self._limits = limits
        self._log = log
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def close(self) -> None:
        """Take nothing more, write what is queued, end."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await asyncio.to_thread(self._line.close)

    async def write(self, order: Order) -> list[Accepted]:
        """Returns once the order is committed.

        Raises:
            Unavailable: it is not known to be written; the same order again does no harm.
            Unstorable: nothing of it is written.
        """
        if self._closing:
            raise Unavailable("the gateway is ending")
        limits = self._limits
        if len(self._queue) >= limits.queued_requests or self._bytes + order.weight > limits.queued_bytes:
            raise Unavailable("too much is waiting to be written")
        waiting = _Waiting(order, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._bytes += order.weight
        self._wake.set()
        try:
            async with asyncio.timeout(limits.database.total_seconds()):
                outcome = await waiting.future
        except TimeoutError:
            raise Unavailable(f"not written within {limits.database.total_seconds():g} s") from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _write_all(self) -> None:
        while True:
            group = self._take()
            if not group:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            outcomes: Sequence[Outcome]
            orders = [each.order for each in group]
            try:
                outcomes = await self._line.call(partial(store, orders=orders), self._limits.database)
            except Unavailable as error:
                self._log.error("not written", extra={"reason": str(error), "requests": len(group)})
                outcomes = [error] * len(group)
            except Exception as error:  # whatever happens to one group, the next one is written
                outcomes = [error] * len(group)
            for waiting, outcome in zip(group, outcomes, strict=True):
                if not waiting.future.done():
                    waiting.future.set_result(outcome)

    def _take(self) -> list[_Waiting]:
        """The next group, in order of arrival; who has gone meanwhile is left out: nothing was promised."""
        group: list[_Waiting] = []
        events = 0
        while self._queue and len(group) < self._limits.together_requests:
            waiting = self._queue[0]
            size = len(waiting.order.candidates)
            if group and events + size > self._limits.together_events:
                break
            self._queue.popleft()
            self._bytes -= waiting.order.weight
            if not waiting.future.done():
                group.append(waiting)
                events += size
        return group


def store(conn: Connection, orders: Sequence[Order]) -> list[Outcome]:
    """Write all orders in one transaction; if that fails, each in its own, so that none suffers for another.

    Raises:
        psycopg.Error: the connection died.
    """
    try:
        return list(_together(conn, orders))
    except psycopg.Error:
        if conn.closed:
            raise
    except Exception:  # noqa: S110  it is looked for in the next lines, order by order
        pass
    return [_alone(conn, order) for order in orders]


def _alone(conn: Connection, order: Order) -> Outcome:
    try:
        return _together(conn, [order])[0]
    except (psycopg.DataError, UnicodeError) as error:
        return Unstorable(type(error).__name__)
    except psycopg.Error as error:
        if conn.closed:
            raise
        return Unavailable(words(error))
    except Exception as error:  # a fault of ours is the answer of the one request that shows it
        return error


def _together(conn: Connection, orders: Sequence[Order]) -> list[list[Accepted]]:
    sources = dict.fromkeys(order.source for order in orders)
    now = max(order.now for order in orders)
    # ``accept`` is a transaction by itself; around several there is a need of one.
    single = len(sources) == 1 and all(order.refusal is None for order in orders)
    answers: dict[int, list[Accepted]] = {}
    with contextlib.nullcontext() if single else conn.transaction():
        for source in sources:
            places = [place for place, order in enumerate(orders) if order.source == source]
            candidates = [each for place in places for each in orders[place].candidates]
            accepted = iter(accept(conn, candidates, source=source, now=now) if candidates else ())
            for place in places:
                answers[place] = list(islice(accepted, len(orders[place].candidates)))
        for order in orders:
            if order.refusal is not None:
                kept = order.refusal
                refuse(conn, kept.body, source=order.source, status=kept.status, reason=kept.reason, now=now)
    return [answers[place] for place in range(len(orders))]
