"""The control calls of the Resend stand-in as methods, for one in a thread and for one in a process.

Speaks HTTP to a running stand-in and knows nothing of its insides.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from fisio_ayida.simulators.resend.app import ResendApp
from fisio_ayida.simulators.resend.world import ResendConfig
from fisio_ayida.simulators.serving import ControlClient, StandIn


class ResendControl(ControlClient):
    """Directs a running stand-in."""

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What has really gone out, in order: id, key, to, subject, html, text, tags, last_event and more."""
        found: list[dict[str, Any]] = self.control("sent")
        return found

    @property
    def count(self) -> int:
        """How many e-mails have gone out."""
        return int(self.state()["sent"])

    def state(self) -> dict[str, Any]:
        """now, requests, sent, refused_by_limit, keys and faults."""
        found: dict[str, Any] = self.control("state")
        return found

    def settings(self, **settings: Any) -> None:
        """Change api_key, latency_ms, requests_per_second, webhook_url or webhook_secret."""
        self.control("settings", settings)

    def fault(self, kind: str, **settings: Any) -> None:
        """Let the next call go wrong: see ``app.FAULTS`` and :class:`fisio_ayida.simulators.mishaps.Mishap`."""
        self.control("fault", {"kind": kind, **settings})

    def well(self) -> None:
        """Nothing goes wrong any more."""
        self.control("well", {})

    def advance(self, time: dt.timedelta) -> None:
        """Let time pass for the account: keys are forgotten after a day."""
        self.control("advance", {"seconds": time.total_seconds()})

    def receipts(self, **habits: Any) -> None:
        """How webhooks are called: see :class:`fisio_ayida.simulators.hooks.Habits`."""
        self.control("receipts", habits)

    def receipt(self, id: str, event: str) -> int:
        """Tell the webhook of an event of an e-mail, such as email.bounced; what it answered, 0 if nothing."""
        return int(self.control("receipt", {"id": id, "status": event})["answer"])

    def webhooks(self) -> list[dict[str, Any]]:
        """Every call of the webhook that is over: event, url, answers; first wait for those under way."""
        self.control("settle", {})
        found: list[dict[str, Any]] = self.control("webhooks")
        return found

    def forget(self) -> None:
        """As on the first day; settings stay."""
        self.control("forget", {})


class ResendSimulator(ResendControl, StandIn):
    """A stand-in on a daemon thread of this process; use it in a ``with`` block."""

    def __init__(self, config: ResendConfig | None = None, port: int = 0) -> None:
        StandIn.__init__(self, ResendApp(config or ResendConfig()), port)
