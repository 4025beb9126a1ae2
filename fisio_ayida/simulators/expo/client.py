"""The control calls of the Expo stand-in as methods, for one in a thread and for one in a process.

Speaks HTTP to a running stand-in and knows nothing of its insides.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from fisio_ayida.simulators.expo.app import ExpoApp
from fisio_ayida.simulators.expo.world import ExpoConfig
from fisio_ayida.simulators.serving import ControlClient, StandIn


class ExpoControl(ControlClient):
    """Directs a running stand-in."""

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What was accepted, in order: id (the ticket), to, title, body, data, at."""
        found: list[dict[str, Any]] = self.control("sent")
        return found

    def state(self) -> dict[str, Any]:
        """sent, requests, refused_by_limit and faults."""
        found: dict[str, Any] = self.control("state")
        return found

    def fault(self, kind: str, **settings: Any) -> None:
        """Let the next call go wrong: see ``app.FAULTS`` and :class:`fisio_ayida.simulators.mishaps.Mishap`."""
        self.control("fault", {"kind": kind, **settings})

    def well(self) -> None:
        """Nothing goes wrong any more."""
        self.control("well", {})

    def advance(self, time: dt.timedelta) -> None:
        """Let time pass for the service: receipts come some time after their tickets."""
        self.control("advance", {"seconds": time.total_seconds()})

    def refuse(self, token: str, error: str = "DeviceNotRegistered") -> None:
        """From now on, tickets of this device are errors."""
        self.control("refused", {"token": token, "error": error})

    def lose(self, token: str, error: str = "DeviceNotRegistered") -> None:
        """From now on, receipts of this device are errors, although its tickets are not."""
        self.control("undelivered", {"token": token, "error": error})

    def forget(self) -> None:
        """As on the first day; settings stay."""
        self.control("forget", {})


class ExpoSimulator(ExpoControl, StandIn):
    """A stand-in on a daemon thread of this process; use it in a ``with`` block."""

    def __init__(self, config: ExpoConfig | None = None, port: int = 0) -> None:
        StandIn.__init__(self, ExpoApp(config or ExpoConfig()), port)
