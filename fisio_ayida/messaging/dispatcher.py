"""What a dispatcher works with, and one run of it: its connection, its time, what it did and what went wrong.

Here: what the parts of a run share. Not here: the loop (``dispatch.py``), one lane (``lane.py``), and what belongs
to no lane (``tidying.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import psycopg

from fisio_ayida.messaging.claims import Claimant
from fisio_ayida.messaging.model import Channel, Sender
from fisio_ayida.messaging.outbox import Outbox
from fisio_ayida.telemetry import Log
from fisio_ayida.warehouse.clinic import ClinicDoor
from fisio_ayida.warehouse.engine import WarehouseError
from fisio_ayida.warehouse.session import Connection, Session

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(slots=True)
class Tally:
    """What a dispatcher did: calls by channel and how they ended, and messages that the rules stopped.

    ``faults``: what broke by our own fault, and how often. The run went on with the rest, and has failed.
    """

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    stopped: Counter[tuple[str, str]] = field(default_factory=Counter)
    receipts: int = 0
    replies: int = 0
    given_back: int = 0
    looked_up: int = 0
    fallbacks: int = 0
    alerts: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def total(self, outcome: str | None = None) -> int:
        """Calls, or those that ended so."""
        return sum(n for (_, ended), n in self.sent.items() if outcome in (None, ended))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """What a dispatcher works with.

    Args:
        connect: opens a connection in autocommit.
        senders: one for each channel.
        clinic: used by one thread at a time, as the connection is.
        rates: messages a second of one account, by channel; 0 or missing: no pace. What is claimed at a time
            follows from it; the pace itself is the sender's clock.
        accounts: of messages that name none.
        lease: how long a claimed message counts as being sent; longer than a call with its waiting can take.
        monotonic, pause: time for waiting; ``now`` is the time for everything that is written.
    """

    connect: Callable[[], Connection]
    senders: Mapping[Channel, Sender]
    outbox: Outbox
    clinic: ClinicDoor
    rates: Mapping[Channel, float]
    accounts: Mapping[Channel, str]
    in_flight: int
    lease: dt.timedelta
    run_id: str
    alerts_to: str | None
    now: Callable[[], dt.datetime]
    jitter: Callable[[], float]
    monotonic: Callable[[], float]
    pause: Callable[[dt.timedelta], None]
    log: Log

    @property
    def providers(self) -> dict[Channel, str]:
        """Who serves each channel."""
        return {channel: sender.provider for channel, sender in self.senders.items()}


class Run:
    """One run of a dispatcher.

    Args:
        most: it claims nothing after so long; None: as long as something is due.
    """

    def __init__(self, dispatcher: Dispatcher, most: dt.timedelta | None) -> None:
        self.d = dispatcher
        self.tally = Tally()
        #: Calls have ended since it was last tidied: one of them may need another channel, or be asked about.
        self.is_untidy = False
        self.is_ending = False
        self._session = Session(dispatcher.connect, dispatcher.pause, dispatcher.log)
        self._database = asyncio.Lock()
        self._until = None if most is None else dispatcher.monotonic() + most.total_seconds()

    def over(self) -> bool:
        """Whether nothing more is to be claimed."""
        return self.is_ending or (self._until is not None and self.d.monotonic() >= self._until)

    async def do(self, action: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One thing at a time on the run's connection, off the event loop."""
        async with self._database:
            return await asyncio.to_thread(lambda: self._session.do(action, *args, **kwargs))

    async def asked(self, question: Awaitable[T], otherwise: T, within: dt.timedelta | None = None) -> T:
        """A channel's answer; a fault of ours in it, or too long a wait, costs only this answer."""
        try:
            async with asyncio.timeout(None if within is None else within.total_seconds()):
                return await question
        except Exception as error:
            # Its text may quote whom it was about.
            self.d.log.error("a channel was asked and failed: %s", type(error).__name__)
            return otherwise

    @contextmanager
    def apart(self, what: str) -> Iterator[None]:
        """What breaks in this block is written down, and holds up nothing else.

        Raises:
            psycopg.OperationalError, WarehouseError: there is no database, for anybody.
        """
        try:
            yield
        except (psycopg.OperationalError, WarehouseError):
            raise
        except Exception as error:
            # The words of the database may quote a row.
            fault = f"{what}: {type(error).__name__} at {_place(error)}"
            self.d.log.error("a part of the run broke: %s", fault)
            self.tally.faults[fault] += 1

    def alert(self, lines: list[str]) -> None:
        """Tell of ways out that were closed."""
        for line in lines:
            self.d.log.error(line)
        self.tally.alerts += lines

    def who(self, sender: Sender) -> Claimant:
        """Who claims for this sender."""
        return Claimant(
            self.d.run_id, sender.provider, self.d.lease, self.d.outbox.letters, self.d.clinic,
            account=self.d.accounts.get(sender.channel, ""),
            repeat_within=sender.repeat_within if sender.repeats_safely else dt.timedelta(0),
        )  # fmt: skip

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _place(error: BaseException) -> str:
    """Where in our own code it broke."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
