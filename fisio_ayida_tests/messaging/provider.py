"""Two providers without a network, each remembering exactly what really reached somebody.

One knows a repeated key for a day and takes batches (as Resend), one does not and can only be asked what it has
stored (as Evolution). Here: calls, faults, memory. Not here: what may be sent (``judge.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    Channel,
    ChannelDown,
    EmailContent,
    Envelope,
    Healthy,
    Permanent,
    PushContent,
    Result,
    Transient,
    Unhealthy,
    WhatsappContent,
)

#: ``answer_lost`` reaches the person and nobody hears of it, ``call_lost`` does not; nobody can tell them apart.
Fault = Literal[
    "answer_lost", "call_lost", "refused", "nobody_there", "too_many", "too_many_wait", "failed_before",
    "unreachable", "account_closed",
]  # fmt: skip
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
KEYS_KEPT: Final = dt.timedelta(hours=24)
_LOOKED_BACK: Final = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Reached:
    """One message that reached a person."""

    key: str
    message_id: int
    channel: Channel
    to: str
    words: str
    provider_id: str
    at: dt.datetime


@dataclass(slots=True)
class Provider:
    """A :class:`model.Sender` in memory, which takes a repeated call for a new one.

    Args:
        now: the world's clock.
        called: told of every message of every call before anything else happens.
    """

    provider: str
    channel: Channel
    now: Callable[[], dt.datetime]
    called: Callable[[Envelope], None]
    reached: list[Reached] = field(default_factory=list)
    #: What goes wrong with the next calls; None: nothing.
    faults: list[Fault | None] = field(default_factory=list)
    is_well: bool = True
    calls: int = 0

    repeats_safely = False
    repeat_within = dt.timedelta(0)
    can_look_up = True

    async def send(self, envelope: Envelope) -> Result:
        """One call."""
        return self._call(envelope.key, [envelope])[0]

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """The earliest record of these words to this address since the first call."""
        if envelope.first_called_at is None:
            return None
        since = envelope.first_called_at - _LOOKED_BACK
        found = (
            one.provider_id
            for one in self.reached
            if one.at >= since and one.to == envelope.to and one.words == words_of(envelope)
        )
        return next(map(Accepted, found), None)

    async def health(self, account: str) -> Healthy | Unhealthy:
        """As it was set."""
        return Healthy() if self.is_well else Unhealthy("not connected")

    def _call(self, key: str, envelopes: Sequence[Envelope]) -> list[Result]:
        for envelope in envelopes:
            self.called(envelope)
        self.calls += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault is None:
            return self._take(key, envelopes)
        if fault == "answer_lost":
            self._take(key, envelopes)
        elif fault in ("refused", "nobody_there") and (known := self._known(key, envelopes)) is not None:
            # Whoever knows keys answers a repeat as it did the first time, before it looks at anything else.
            return known
        return [_failed(fault)] * len(envelopes)

    def _take(self, key: str, envelopes: Sequence[Envelope]) -> list[Result]:
        if (known := self._known(key, envelopes)) is not None:
            return known
        results: list[Result] = []
        for envelope in envelopes:
            id = f"{self.provider}-{len(self.reached) + 1}"
            words = words_of(envelope)
            self.reached.append(
                Reached(envelope.key, envelope.id, self.channel, envelope.to, words, id, self.now())
            )
            results.append(Accepted(id))
        return results

    def _known(self, key: str, envelopes: Sequence[Envelope]) -> list[Result] | None:
        """What a repeated call is answered; None if this is a new one."""
        return None


@dataclass(slots=True)
class KeyedProvider(Provider):
    """A :class:`model.BatchSender` that knows a call's key for a day, and refuses it with another content."""

    _keys: dict[str, tuple[object, list[Result], dt.datetime]] = field(default_factory=dict)

    repeats_safely = True
    repeat_within = KEYS_KEPT - dt.timedelta(hours=1)
    batch_size = 3

    async def send_batch(self, key: str, envelopes: Sequence[Envelope]) -> list[Result]:
        """One call, all or nothing."""
        return self._call(key, envelopes)

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """By our number of the message, which it gives back."""
        found = (one.provider_id for one in self.reached if one.message_id == envelope.id)
        return next(map(Accepted, found), None)

    def _take(self, key: str, envelopes: Sequence[Envelope]) -> list[Result]:
        results = super(KeyedProvider, self)._take(key, envelopes)
        if all(isinstance(result, Accepted) for result in results):
            self._keys.setdefault(key, (_body(envelopes), results, self.now()))
        return results

    def _known(self, key: str, envelopes: Sequence[Envelope]) -> list[Result] | None:
        body, results, at = self._keys.get(key, (None, [], self.now()))
        if self.now() - at >= KEYS_KEPT:
            del self._keys[key]
            return None
        if not results:
            return None
        other = Permanent("invalid_idempotent_request", "the same key with another body")
        return results if body == _body(envelopes) else [other] * len(envelopes)


def _body(envelopes: Sequence[Envelope]) -> object:
    return [(each.to, each.content) for each in envelopes]


def _failed(fault: Fault) -> Result:
    match fault:
        case "answer_lost":
            return Ambiguous("timeout", "no answer")
        case "call_lost":
            return Ambiguous("http_502", "a proxy's page")
        case "refused":
            return Permanent("invalid", "refused")
        case "nobody_there":
            return Permanent("absent", "nobody there", "not_on_whatsapp", dt.timedelta(days=7))
        case "too_many":
            return Transient("429", "too many calls")
        case "too_many_wait":
            return Transient("429", "too many calls", dt.timedelta(seconds=40))
        case "failed_before":
            return Transient("http_500", "failed before sending")
        case "unreachable":
            return Transient("connect_failed", "no connection", channel=True)
        case "account_closed":
            return ChannelDown("http_401", "the key is not accepted")


def words_of(envelope: Envelope) -> str:
    """What a person reads."""
    match envelope.content:
        case WhatsappContent() as content:
            return content.text or ""
        case EmailContent() as content:
            return f"{content.subject}\n{content.text}"
        case PushContent() as content:
            return f"{content.title}\n{content.body}"
