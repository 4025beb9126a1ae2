"""A dispatcher that goes step by step, so that anything can happen between, and dies where it is told to.

Its steps are the real ones: claiming and recording in a lane, tidying, asking. Here: what one process has in its
memory, and a whole run. Not here: when which does what (``histories.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Coroutine
from typing import Any, Final, TypeVar
from unittest.mock import patch

from fisio_ayida.messaging import tidying
from fisio_ayida.messaging.batches import Batch
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.dispatcher import Dispatcher, Run
from fisio_ayida.messaging.lane import LaneRun, send, send_batch
from fisio_ayida.messaging.model import Channel, Envelope
from fisio_ayida.messaging.outcomes import Ended
from fisio_ayida.messaging.picking import Lane
from fisio_ayida.warehouse.clinic import ClinicDoor
from fisio_ayida_tests.messaging.world import INSTANCE, OPERATORS, World

T = TypeVar("T")
LEASE: Final = dt.timedelta(minutes=2)
LOG: Final = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())
LOG.propagate = False


def dispatcher(world: World, run_id: str) -> Dispatcher:
    """A dispatcher whose time is the world's."""
    return Dispatcher(
        connect=lambda: world.conn, senders={"whatsapp": world.evolution, "email": world.resend},
        outbox=world.outbox, clinic=ClinicDoor(), rates={}, accounts={"whatsapp": INSTANCE}, in_flight=8,
        lease=LEASE, run_id=run_id, alerts_to=OPERATORS, now=world.now, jitter=lambda: 0.0,
        monotonic=lambda: world.moment.timestamp(), pause=lambda length: None, log=LOG,
    )  # fmt: skip


def run_dispatcher(world: World, run_id: str) -> None:
    """A whole run of the real one, until nothing is due; while it sleeps, the world's time goes by."""
    world.sleeps = 0
    with patch.object(asyncio, "sleep", world.sleep):
        tally = world.loop.run_until_complete(dispatch(dispatcher(world, run_id)))
    world.look_around()
    # What breaks in a part of a run does not stop it.
    assert not tally.faults, tally.faults


class Process:
    """One process: what it has claimed, and what it was answered."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name
        self._lives = 0
        self._start()

    def _start(self) -> None:
        self._lives += 1
        self._run = Run(dispatcher(self._world, f"{self._name}.{self._lives}"), None)
        self._lanes = {
            lane.channel: LaneRun(self._run, lane) for lane in (Lane("whatsapp", ""), Lane("email", ""))
        }
        self.claimed: list[tuple[LaneRun, Envelope | Batch]] = []
        self.answered: list[tuple[LaneRun, list[Ended]]] = []

    def tidy(self) -> None:
        """Reports, replies, dead runs, other channels, look-ups."""
        self._do(tidying.tidy(self._run))
        self._do(tidying.ask(self._run))
        assert not self._run.tally.faults, self._run.tally.faults

    def claim(self, channel: Channel, most: int) -> None:
        """Up to so many messages, which must be right at this moment."""
        lane = self._lanes[channel]
        claimed, batch = self._do(lane.claim(most, ""))
        together = [] if batch is None else batch.claimed.envelopes
        for envelope in claimed.envelopes + together:
            self._world.claimed(envelope)
        self.claimed += [(lane, envelope) for envelope in claimed.envelopes]
        self.claimed += [(lane, batch)] if batch is not None and together else []

    def call(self, most: int) -> None:
        """The provider, so many times."""
        now, self.claimed = self.claimed[:most], self.claimed[most:]
        for lane, asked in now:
            call = send_batch(self._world.resend, asked) if isinstance(asked, Batch) else send(lane.sender, asked)
            self.answered.append((lane, self._do(call)))

    def record(self) -> None:
        """All answers."""
        answered, self.answered = self.answered, []
        for lane in dict.fromkeys(lane for lane, _ in answered):
            self._do(lane.record([each for where, ended in answered if where is lane for each in ended]))

    def die(self) -> None:
        """Everything that it knew is gone; another one starts."""
        self._start()

    def _do(self, step: Coroutine[Any, Any, T]) -> T:
        done = self._world.loop.run_until_complete(step)
        self._world.look_around()
        return done
