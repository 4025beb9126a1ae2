"""The control calls of the Meta stand-in as methods, for one in a thread and for one in a process.

Speaks HTTP to a running stand-in and knows nothing of its insides.
"""

from __future__ import annotations

from fisio_ayida.simulators.messenger import MessengerControl
from fisio_ayida.simulators.meta.app import MetaApp
from fisio_ayida.simulators.meta.world import MetaConfig
from fisio_ayida.simulators.serving import StandIn


class MetaControl(MessengerControl):
    """Directs a running stand-in; ``sent`` has account, number, kind, text, id, at, key and body."""

    @property
    def base_url(self) -> str:
        """What a client takes as the API's address."""
        return f"{self.url}/v25.0"

    def webhook(self, url: str | None) -> None:
        """Where everything is reported to."""
        self.control("webhook", {"url": url})

    def verify(self) -> bool:
        """Ask the webhook for the challenge, as when it is set up; whether it gave it back."""
        return bool(self.control("verify", {})["verified"])


class MetaSimulator(MetaControl, StandIn):
    """A stand-in on a daemon thread of this process; use it in a ``with`` block."""

    def __init__(self, config: MetaConfig | None = None, port: int = 0) -> None:
        StandIn.__init__(self, MetaApp(config or MetaConfig()), port)
