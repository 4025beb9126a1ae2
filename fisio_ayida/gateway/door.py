"""What every route needs: the keys, the database's lines, the clock. Made once, when the app is built.

Not here: routes.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import psycopg
from starlette.requests import Request

from fisio_ayida.events.admission import Candidate
from fisio_ayida.events.inbox import Accepted
from fisio_ayida.events.outcomes import words
from fisio_ayida.gateway.access import Visit
from fisio_ayida.gateway.answers import Refused, not_now
from fisio_ayida.gateway.keys import Keys
from fisio_ayida.gateway.limits import Limits
from fisio_ayida.gateway.line import Connection, Line, Unavailable
from fisio_ayida.gateway.writer import Order, Refusal, Unstorable, Writer
from fisio_ayida.messaging.sealing import Hasher, Sealer, SealError
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import connect
from fisio_ayida.warehouse.urls import DatabaseUrl

T = TypeVar("T")

_DATABASE_AWAY = "the database is not available; nothing is known to be taken, send the same again"


@dataclass(slots=True)
class Door:
    """The gateway's parts.

    Args:
        connect: opens a connection to the warehouse in autocommit mode.
        now: the clock.
        chance: so many random bytes.
    """

    settings: Settings
    connect: Callable[[], Connection]
    now: Callable[[], dt.datetime]
    chance: Callable[[int], bytes]
    log: logging.Logger
    limits: Limits = field(default_factory=Limits)
    event_keys: Keys = field(init=False)
    cron_keys: Keys = field(init=False)
    reader: Line = field(init=False)
    keeper: Line = field(init=False)
    #: To the clinic's relations; FisioFlow's database may be away while ours is there.
    clinic: Line = field(init=False)
    writer: Writer = field(init=False)
    sealer: Sealer | None = field(init=False)
    _hasher: Hasher | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        s = self.settings
        self.event_keys = Keys.of("INNGEST_EVENT_KEY", s.inngest_event_key, s.inngest_event_key_previous)
        self.cron_keys = Keys.of("CRON_SECRET", s.cron_secret, s.cron_secret_previous)
        self.reader = Line(self.connect, "gateway-reader")
        self.keeper = Line(self.connect, "gateway-keeper")
        given = s.clinic_database()
        self.clinic = self.reader if given is None else Line(partial(_open_clinic, given), "gateway-clinic")
        self.sealer = Sealer.of(s.messaging_key)
        self.writer = Writer(Line(self.connect, "gateway-writer"), self.limits, self.log)

    async def take(
        self, candidates: Sequence[Candidate], *, body: bytes, source: str, now: dt.datetime
    ) -> list[Accepted]:
        """Store events; returns once they are committed.

        Raises:
            Refused: 503 if that is not known; 400, with the body kept, if the database cannot hold them.
        """
        try:
            return await self.writer.write(Order(source, now, len(body), candidates))
        except Unavailable:
            raise not_now(_DATABASE_AWAY) from None
        except Unstorable as error:
            reason = f"the database cannot hold this: {error}"
            raise await self.turn_away((), body, 400, reason, source=source, now=now) from None

    async def keep(self, work: Callable[[Connection], object]) -> None:
        """Write something that does no harm when it is written twice; returns once it is committed.

        Raises:
            Refused: 503 if that is not known.
        """
        try:
            await self.keeper.call(work, self.limits.database)
        except (Unavailable, psycopg.Error, SealError) as error:
            self.log.error("not kept", extra={"reason": words(error)})
            raise not_now(_DATABASE_AWAY) from None

    def hasher(self, conn: Connection) -> Hasher:
        """What addresses and links are hashed with.

        Raises:
            SealError: MESSAGING_HASH_KEY is another one than it was.
        """
        if self._hasher is None:
            self._hasher = Hasher.open(conn, self.settings.messaging_hash_key)
        return self._hasher

    async def look(self, work: Callable[[Connection], T]) -> T:
        """What is in the database.

        Raises:
            Refused: 503 if it does not say.
        """
        try:
            return await self.reader.call(work, self.limits.database)
        except (Unavailable, psycopg.Error, SealError) as error:
            self.log.error("not read", extra={"reason": words(error)})
            raise not_now("the database is not available; ask again") from None

    async def turn_away(
        self, dead: Sequence[Candidate], body: bytes, status: int, reason: str, *, source: str, now: dt.datetime
    ) -> Refused:
        """The refusal to raise, once the request is kept: whole, and its bad events of known names as dead ones.

        Raises:
            Refused: 503 if it cannot be kept now: its sender comes again.
        """
        refusal = Refusal(body, status, reason)
        try:
            try:
                await self.writer.write(Order(source, now, len(body), dead, refusal))
            except Unstorable:
                await self.writer.write(Order(source, now, len(body), (), refusal))
        except Unavailable:
            raise not_now(_DATABASE_AWAY) from None
        return Refused(status, reason)


def _open_clinic(url: DatabaseUrl) -> Connection:
    return connect(url, autocommit=True, application_name="fisio_ayida gateway")


def visit(request: Request) -> Visit:
    """What the log will say of this request."""
    found: Visit = request.state.visit
    return found
