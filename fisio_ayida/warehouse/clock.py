"""The request clock: polite to an outside service, however many processes and hosts we are.

Here: waiting for a turn and giving it back. Starts are spaced and calls in flight counted in the database.
Not here: the rules themselves, which one SQL statement decides (migrations/versions/0001_ops.sql).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from types import TracebackType
from typing import Any, NamedTuple

import psycopg

from fisio_ayida.warehouse.engine import connection_arguments, unreachable
from fisio_ayida.warehouse.urls import DatabaseUrl

TAKE = """
SELECT granted, wait_seconds, decided_seconds, server_seconds FROM ops.take_turn(
    %(service)s, %(holder)s, %(spacing)s, %(max_in_flight)s, %(lease)s, %(transit)s, %(watch)s)
"""
END = "SELECT ops.end_turn(%(service)s, %(holder)s, %(spacing)s, %(sent_ago)s)"

# A start this much later than agreed is still no closer to the next one than it may be.
LATE_SECONDS = 0.003
RETIMES = 50
# Questions without work, to learn the way to the database before the first turn.
PINGS = 3
RECONNECTS = 5
RECONNECT_PAUSE_SECONDS = 0.2


class ClockError(RuntimeError):
    """No turn can be had because the database stays away; one line, no password."""


class Turn:
    """The right to start one request now."""

    def __init__(self, waited: timedelta) -> None:
        self.waited = waited
        self._sent_at: float | None = None

    def sent(self) -> None:
        """Say that the request has left; the last call counts.

        Call it when the bytes are out (httpx: the trace extension's `http11.send_request_headers.complete`):
        a first request spends 50 ms on connecting, and a busy machine may hold any of them up; what is not
        told here would be missing before the next start.
        """
        self._sent_at = time.monotonic()


class _Answer(NamedTuple):
    """What the database said, in local time: the agreed start lies between the two moments."""

    granted: bool
    wait_seconds: float
    earliest_start: float
    latest_start: float


class RequestClock:
    """Turns for one service. Use it in one event loop; it opens its own connection at the first turn.

    Args:
        url: the database that all processes share.
        service: the name under which they are counted together.
        spacing: least time between two starts (105 ms for 10 a second with some air); zero spaces nothing.
        max_in_flight: calls under way at the same time, over all processes.
        lease: after this a call counts as over even if its process still lives. Longer than any call may take.
    """

    def __init__(
        self, url: DatabaseUrl, service: str, *, spacing: timedelta, max_in_flight: int, lease: timedelta
    ) -> None:
        if spacing < timedelta(0) or max_in_flight < 1 or lease <= timedelta(0):
            raise ValueError("spacing >= 0, max_in_flight >= 1 and lease > 0 are needed")
        self._url = url
        self._max_in_flight = max_in_flight
        self._spacing = spacing
        # Behind a transaction pooler a server process belongs to nobody: only the lease tells.
        self._arguments = {
            "service": service,
            "spacing": spacing,
            "max_in_flight": max_in_flight,
            "lease": lease,
            "watch": not url.behind_transaction_pooler,
        }
        self._transit_seconds = 0.0
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._asking = asyncio.Lock()
        # Only the first of our own in line asks: dozens of them would keep the database busy with saying no.
        self._line = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait for a turn; it is given back when the block ends, however it ends.

        Raises:
            ClockError: the database was lost and did not come back.
        """
        holder = uuid.uuid4().hex
        asked = time.monotonic()
        turn: Turn | None = None
        try:
            async with self._line:
                await self._wait(holder)
            turn = Turn(timedelta(seconds=time.monotonic() - asked))
            # Who does not call sent() is taken to send at once.
            turn.sent()
            yield turn
        finally:
            # A cancelled task must still give its turn back, even one that it never got to know of.
            ending = asyncio.ensure_future(self._end(holder, turn))
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                await ending
                raise

    async def close(self) -> None:
        """Close the connection; a later turn opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def __aenter__(self) -> RequestClock:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _wait(self, holder: str) -> None:
        """Return at the agreed moment of a granted start."""
        for _ in range(RETIMES):
            answer = await self._take(holder)
            while not answer.granted:
                await asyncio.sleep(answer.wait_seconds)
                answer = await self._take(holder)
            if (pause := answer.latest_start - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            late = time.monotonic() - answer.earliest_start
            # Alone in flight, nobody can start before we have told how late we were. Otherwise agree anew.
            if late <= LATE_SECONDS or self._max_in_flight == 1 or not self._spacing:
                return

    async def _take(self, holder: str) -> _Answer:
        for attempt in range(RECONNECTS + 1):
            try:
                # Not shared while we measure: waiting for another task would look like distance.
                async with self._asking:
                    connection = await self._connected()
                    transit = timedelta(seconds=self._transit_seconds)
                    arguments = {**self._arguments, "holder": holder, "transit": transit}
                    asked = time.monotonic()
                    cursor = await connection.execute(TAKE, arguments)
                    received = time.monotonic()
                row = await cursor.fetchone()
            except psycopg.OperationalError as error:
                await self.close()
                problem = unreachable(self._url, error)
            except psycopg.Error as error:
                problem = unreachable(self._url, error)
                break
            else:
                assert row is not None  # noqa: S101  a function returns one row
                granted, wait, decided, total = row
                self._learn_transit(received - asked - total)
                earliest = asked + self._transit_seconds + decided + wait
                latest = received - self._transit_seconds - (total - decided) + wait
                return _Answer(granted, wait, earliest, latest)
            if attempt < RECONNECTS:
                await asyncio.sleep(RECONNECT_PAUSE_SECONDS * 2**attempt)
        raise ClockError(f"no turn for {self._arguments['service']}: {problem}")

    def _learn_transit(self, there_and_back: float) -> None:
        """The shortest way seen, slowly forgotten: a busy moment of ours is no distance."""
        one_way = max(0.0, there_and_back) / 2
        self._transit_seconds = min(one_way, self._transit_seconds * 1.05 or one_way)

    async def _end(self, holder: str, turn: Turn | None) -> None:
        """Give the turn back. What cannot be told ends by itself: with our connection, or with the lease."""
        arguments = {"service": self._arguments["service"], "holder": holder, "spacing": self._spacing}
        sent_at = turn._sent_at if turn is not None else None
        for _ in range(2):
            try:
                async with self._asking:
                    connection = await self._connected()
                    sent_ago = None if sent_at is None else timedelta(seconds=time.monotonic() - sent_at)
                    await connection.execute(END, {**arguments, "sent_ago": sent_ago})
            except psycopg.Error:
                await self.close()
            else:
                return

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        """Our connection, opened when needed. The caller holds `_asking`."""
        if self._connection is None or self._connection.closed:
            arguments = connection_arguments(self._url, "fisio_ayida clock")
            self._connection = await psycopg.AsyncConnection.connect(
                self._url.psycopg, **arguments, autocommit=True
            )
            for _ in range(PINGS):
                asked = time.monotonic()
                await self._connection.execute("SELECT 1")
                self._learn_transit(time.monotonic() - asked)
        return self._connection
