"""A provider whose answers are a test's input: for what follows from an answer, never for what a provider does.

Here: the sender and ways to say what it answers. Not here: expectations, and the real channels' stand-ins.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fisio_ayida.messaging.model import Accepted, Channel, Envelope, Healthy, Result, Unhealthy

Answer = Callable[[Envelope], Result]


def accepted(envelope: Envelope) -> Result:
    """The provider has it."""
    return Accepted(f"wamid.{envelope.id}")


def always(result: Result) -> Answer:
    """The same for every call."""
    return lambda envelope: replace(result)


def in_turn(*results: Result | None) -> Answer:
    """One after the other, the last one for ever; None: accepted."""
    left = list(results)

    def answer(envelope: Envelope) -> Result:
        result = left.pop(0) if len(left) > 1 else left[0]
        return accepted(envelope) if result is None else replace(result)

    return answer


@dataclass(slots=True)
class Scripted:
    """A sender without a provider.

    Args:
        answer: to each call; may raise, as only a fault of ours does.
        records: what it finds when it is asked, by message.
        seconds: how long a call takes.
    """

    channel: Channel = "whatsapp"
    answer: Answer = accepted
    provider: str = "scripted"
    repeats_safely: bool = False
    repeat_within: dt.timedelta = dt.timedelta(hours=24)
    can_look_up: bool = False
    records: dict[int, str] = field(default_factory=dict)
    state: Healthy | Unhealthy = field(default_factory=Healthy)
    seconds: float = 0.0
    calls: list[Envelope] = field(default_factory=list)
    looks: list[Envelope] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    most_at_once: int = 0
    under_way: int = 0

    async def send(self, envelope: Envelope) -> Result:
        """Take it down and answer."""
        self.calls.append(envelope)
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
            return self.answer(envelope)
        finally:
            self.under_way -= 1

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Look into the records."""
        self.looks.append(envelope)
        found = self.records.get(envelope.id)
        return None if found is None else Accepted(found)

    async def health(self, account: str) -> Healthy | Unhealthy:
        """As the test says."""
        self.asked.append(account)
        return self.state
