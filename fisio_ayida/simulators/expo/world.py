"""What Expo's push service keeps: messages that went out, their receipts, devices, and its own time.

Here: state and how a message changes it. Not here: HTTP.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from fisio_ayida.simulators.limits import RateLimit

_TOKENS: Final = ("ExponentPushToken[", "ExpoPushToken[")
_LARGEST_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ExpoConfig:
    """How the service starts.

    Args:
        access_token: what a sender must know; None: nothing.
        requests_per_second: more get 429; 0: as many as come.
        receipts_after_seconds: a ticket has no receipt before.
    """

    access_token: str | None = None
    requests_per_second: float = 0.0
    latency_ms: float = 0.0
    receipts_after_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class Push:
    """One message that was accepted. ``id``: its ticket."""

    id: str
    to: str
    title: str
    body: str
    data: Mapping[str, Any]
    at: dt.datetime


@dataclass(slots=True)
class World:
    """The service and the devices behind it."""

    access_token: str | None
    limit: RateLimit
    latency_ms: float
    receipts_after: dt.timedelta
    ahead: dt.timedelta = dt.timedelta(0)
    requests: int = 0
    #: Accepted messages by ticket.
    sent: dict[str, Push] = field(default_factory=dict)
    #: Token to the error that its tickets get, and to the one that its receipts get.
    refused: dict[str, str] = field(default_factory=dict)
    undelivered: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: ExpoConfig) -> World:
        """A new service."""
        after = dt.timedelta(seconds=config.receipts_after_seconds)
        return cls(config.access_token, RateLimit(config.requests_per_second), config.latency_ms, after)

    def now(self) -> dt.datetime:
        """The service's time: this machine's, and what was added by a control call."""
        return dt.datetime.now(dt.UTC) + self.ahead

    def take(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The ticket of one message."""
        token = str(message.get("to"))
        if not token.startswith(_TOKENS):
            return {"status": "error", "message": f'"{token}" is not a valid Expo push token'}
        if len(msgspec.json.encode(message)) > _LARGEST_BYTES:
            return failed("MessageTooBig", token)
        if token in self.refused:
            return failed(self.refused[token], token)
        id = str(uuid.uuid4())
        title, body, data = str(message.get("title", "")), str(message.get("body", "")), message.get("data") or {}
        self.sent[id] = Push(id, token, title, body, data, self.now())
        return {"status": "ok", "id": id}

    def receipt(self, id: str) -> dict[str, Any] | None:
        """What became of a ticket; None as long as nobody knows."""
        push = self.sent.get(id)
        if push is None or self.now() - push.at < self.receipts_after:
            return None
        error = self.undelivered.get(push.to)
        return {"status": "ok"} if error is None else failed(error, push.to)

    def forget(self) -> None:
        """As on the first day; settings stay."""
        for kept in (self.sent, self.refused, self.undelivered):
            kept.clear()
        self.ahead = dt.timedelta(0)
        self.requests = self.limit.refused = 0


def failed(error: str, token: str) -> dict[str, Any]:
    """A ticket or a receipt that tells of an error; like the service, it repeats the token."""
    return {"status": "error", "message": f'"{token}": {error}', "details": {"error": error}}
