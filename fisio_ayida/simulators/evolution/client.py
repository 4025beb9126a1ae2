"""The control calls of the Evolution stand-in as methods, for one in a thread and for one in a process.

Speaks HTTP to a running stand-in and knows nothing of its insides.
"""

from __future__ import annotations

from typing import Any

from fisio_ayida.simulators.evolution.app import EvolutionApp
from fisio_ayida.simulators.evolution.world import EvolutionConfig
from fisio_ayida.simulators.messenger import MessengerControl
from fisio_ayida.simulators.serving import StandIn


class EvolutionControl(MessengerControl):
    """Directs a running stand-in; ``sent`` has instance, number, jid, kind, text, message, template, id and at."""

    def settings(self, **settings: Any) -> None:
        """Change api_key or stores (whether what was sent can be found again)."""
        self.control("settings", settings)

    def instance(self, name: str, **settings: Any) -> None:
        """Make or change an instance: token, kind, state, dead, loaded."""
        self.control("instance", {"name": name, **settings})

    def account(self, number: str, **addresses: str) -> None:
        """WhatsApp knows this number by another ``jid``, or by an alias ``lid``."""
        self.control("account", {"number": number, **addresses})


class EvolutionSimulator(EvolutionControl, StandIn):
    """A stand-in on a daemon thread of this process; use it in a ``with`` block."""

    def __init__(self, config: EvolutionConfig | None = None, port: int = 0) -> None:
        StandIn.__init__(self, EvolutionApp(config or EvolutionConfig()), port)
