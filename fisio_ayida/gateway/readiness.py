"""Is the gateway ready: does the database take events, and does somebody work on them.

The database is asked once a second at most, however many ask. Not here: the route (``looking_api.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any

import psycopg

from fisio_ayida.events.desk import LATE
from fisio_ayida.events.outcomes import words
from fisio_ayida.events.pulse import Pulse, pulse
from fisio_ayida.gateway.door import Door
from fisio_ayida.gateway.line import Connection, Unavailable
from fisio_ayida.messaging import due, watch
from fisio_ayida.messaging.model import Channel
from fisio_ayida.messaging.service import providers
from fisio_ayida.warehouse.revisions import applied_revision, head

#: Two missed ticks of the sensor.
DAEMON_SILENT = dt.timedelta(seconds=60)
_GOOD_FOR = dt.timedelta(seconds=1)


class Readiness:
    """The last answer, and how to get the next one."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._known: dict[str, Any] = {}
        self._until: dt.datetime | None = None
        self._asking = asyncio.Lock()

    async def now(self) -> dict[str, Any]:
        """The state in the shape of the route's answer."""
        async with self._asking:
            now = self._door.now()
            if self._until is None or now >= self._until:
                self._known = await self._ask(now)
                self._until = now + _GOOD_FOR
            return self._known

    async def _ask(self, now: dt.datetime) -> dict[str, Any]:
        try:
            served = providers(self._door.settings)
            applied, beat, unsent = await self._door.reader.call(
                lambda conn: _look(conn, served, now), self._door.limits.database
            )
        except (Unavailable, psycopg.Error) as error:
            self._door.log.warning("not ready", extra={"reason": words(error)})
            return _state(["the database does not answer"], database=False, migrations=False)
        if beat is None:
            expected = f"the tables are of {applied or 'no release'}, this program needs {head()}"
            return _state([f"{expected}: run `fisio-ayida db migrate`"], database=True, migrations=False)
        silent = None if beat.beat_at is None else now - beat.beat_at
        waiting = None if beat.oldest_due_at is None else now - beat.oldest_due_at
        problems = []
        if silent is None or silent > DAEMON_SILENT:
            seen = "was never seen" if silent is None else f"was last seen {silent.total_seconds():.0f} s ago"
            problems.append(f"the sensor events_inbox {seen}: is the Dagster daemon running?")
        if waiting is not None and waiting > LATE:
            problems.append(f"an event has been due for {waiting.total_seconds():.0f} s")
        if unsent is not None:
            problems.append(f"a message has been due for {(now - unsent).total_seconds():.0f} s")
        return _state(problems, database=True, migrations=True, silent=silent, waiting=waiting)


def _look(
    conn: Connection, served: Mapping[Channel, str], now: dt.datetime
) -> tuple[str | None, Pulse | None, dt.datetime | None]:
    """The revision, the pulse of the inbox, and since when a message is due too long, if one is."""
    applied = applied_revision(conn)
    if applied != head():
        return applied, None, None
    return applied, pulse(conn, now), due.next_at(conn, served, now=now, horizon=now - watch.LATE)


def _state(
    problems: list[str],
    *,
    database: bool,
    migrations: bool,
    silent: dt.timedelta | None = None,
    waiting: dt.timedelta | None = None,
) -> dict[str, Any]:
    accepts = database and migrations
    return {
        "status": ("degraded" if problems else "ready") if accepts else "unavailable",
        "problems": problems,
        "database": database,
        "migrations": migrations,
        "daemonSeenSecondsAgo": None if silent is None else round(silent.total_seconds(), 1),
        "oldestWaitingSeconds": None if waiting is None else round(waiting.total_seconds(), 1),
    }
