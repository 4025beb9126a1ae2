"""What the model server keeps: how it was told to answer, and every request as it came.

Here: state and how it changes. Not here: HTTP (``app.py``), what is answered (``modes.py``).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fisio_ayida.simulators.limits import RateLimit
from fisio_ayida.simulators.listening import SimulatorError
from fisio_ayida.simulators.llm.asked import Asked
from fisio_ayida.simulators.llm.modes import ANSWERS, Orders
from fisio_ayida.simulators.serving import Request

#: Older requests are forgotten: a hundred thousand of them would fill the memory.
KEPT_REQUESTS: Final = 20_000
#: In a model's name: what is wrong only with the first answer about a subject, so that a second try succeeds.
_ONCE: Final = "once"


@dataclass(frozen=True, slots=True)
class LlmConfig:
    """How the server starts.

    Args:
        api_key: the only one that is known; None: nobody needs one.
        models: the ones that there are, each also with ``:MODE`` behind its name; empty: any.
        rates: which part of the requests gets which mode of :data:`modes.ANSWERS`; the rest is valid.
        requests_per_second: more get 429; 0: as many as come.
        seed: of the rates' dice.
    """

    api_key: str | None = None
    models: tuple[str, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    latency_ms: float = 0.0
    requests_per_second: float = 0.0
    seed: int = 7

    def __post_init__(self) -> None:
        """Raises SimulatorError for rates that cannot be."""
        _check(self.rates)


@dataclass(slots=True)
class World:
    """The server."""

    api_key: str | None
    models: tuple[str, ...]
    rates: Mapping[str, float]
    latency_ms: float
    limit: RateLimit
    dice: random.Random
    requests: int = 0
    under_way: int = 0
    most_at_once: int = 0
    received: deque[Request] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    waiting: deque[Orders] = field(default_factory=deque)
    #: How many requests got which mode.
    given: dict[str, int] = field(default_factory=dict)
    _subjects: set[bytes] = field(default_factory=set)

    @classmethod
    def of(cls, config: LlmConfig) -> World:
        """A new server."""
        dice = random.Random(config.seed)  # noqa: S311  dice, not secrets
        limit = RateLimit(config.requests_per_second)
        return cls(config.api_key, config.models, config.rates, config.latency_ms, limit, dice)

    def knows(self, model: str) -> bool:
        """Whether there is such a model."""
        return not self.models or model in self.models or model.rpartition(":")[0] in self.models

    def order(self, body: Mapping[str, Any]) -> None:
        """The next requests, ``times`` of them (one if it is not said), are answered so.

        Raises:
            SimulatorError: no such mode or setting.
        """
        fields = dict(body)
        times = fields.pop("times", 1)
        try:
            orders = Orders(**fields)
        except TypeError:
            raise SimulatorError(f"an answer has {', '.join(Orders.__slots__)} and times") from None
        if orders.mode not in ANSWERS:
            raise SimulatorError(f"modes are {', '.join(ANSWERS)}")
        self.waiting.extend([orders] * times)

    def decide(self, asked: Asked) -> Orders:
        """How a request is answered: as was ordered, as the model's name says, or by the dice."""
        orders = self._decided(asked)
        self.given[orders.mode] = self.given.get(orders.mode, 0) + 1
        return orders

    def change(self, settings: Mapping[str, Any]) -> None:
        """Change settings of :class:`LlmConfig`, all but the seed.

        Raises:
            SimulatorError: no such setting.
        """
        names = ("api_key", "models", "rates", "latency_ms", "requests_per_second")
        if set(settings) - set(names):
            raise SimulatorError(f"settings are {', '.join(names)}")
        _check(settings.get("rates", {}))
        for name, value in settings.items():
            if name == "requests_per_second":
                self.limit = RateLimit(value)
            else:
                setattr(self, name, tuple(value) if name == "models" else value)

    def forget(self) -> None:
        """As on the first day; settings stay."""
        for kept in (self.received, self.waiting, self.given, self._subjects):
            kept.clear()
        self.requests = self.most_at_once = self.limit.refused = 0

    def _decided(self, asked: Asked) -> Orders:
        if self.waiting:
            return self.waiting.popleft()
        mode, _, habit = asked.model.rpartition(":")[2].partition(",")
        if mode in ANSWERS and mode != asked.model:
            if habit == _ONCE and asked.digest in self._subjects:
                return Orders("valid")
            self._subjects.add(asked.digest)
            return Orders(mode)
        number = self.dice.random()
        for mode, share in self.rates.items():
            number -= share
            if number < 0:
                return Orders(mode)
        return Orders("valid")


def _check(rates: Mapping[str, float]) -> None:
    if set(rates) - set(ANSWERS) or any(share < 0 for share in rates.values()) or sum(rates.values()) > 1 + 1e-9:
        raise SimulatorError(f"rates are shares of at most 1 together, by mode of {', '.join(ANSWERS)}")
