"""A model to ask in tests: the real client and ledger, with time that passes only when it is waited for.

Here: opening and asking. Not here: the stand-in (``conftest.py``) and what is expected.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fisio_ayida.insights.model import Commission, NotWritten
from fisio_ayida.insights.narrative.client import Answer, Model
from fisio_ayida.settings import Settings
from fisio_ayida_tests.insights.narrative.conftest import NOW, Books

T = TypeVar("T")
NOTE = "a-nota-do-paciente"
MESSAGES = [
    {"role": "system", "content": "Responda em JSON."},
    {"role": "user", "content": 'Dados: {"fatos": [{"ref": "pain", "titulo": "Dor", "valor": "4"}]} ' + NOTE},
]
SCHEMA: dict[str, Any] = {"title": "Narrative", "type": "object", "properties": {}, "additionalProperties": False}


@dataclass(slots=True)
class Time:
    """Waiting takes no time here. ``naps``: seconds, as they were waited."""

    moment: float = 0.0
    naps: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Seconds."""
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        self.naps.append(seconds)
        self.moment += seconds
        await asyncio.sleep(0)


@dataclass(slots=True)
class Desk:
    """Asks a server through models of its own.

    Args:
        environ: settings beside the address and the model.
    """

    url: str
    books: Books
    time: Time = field(default_factory=Time)
    model: str = "stand-in"
    environ: dict[str, str] = field(default_factory=dict)
    prices: str = ""
    commission: Commission | None = None

    def ask(self) -> Answer | NotWritten:
        """One question of a model that was just opened."""
        return self.use(self.once)

    def ask_often(self, times: int) -> list[Answer | NotWritten]:
        """One after the other, of one model."""

        async def often(model: Model) -> list[Answer | NotWritten]:
            return [await self.once(model) for _ in range(times)]

        return self.use(often)

    async def once(self, model: Model) -> Answer | NotWritten:
        """One question."""
        return await model.ask(MESSAGES, SCHEMA, self.commission or self.books.commission(), "first")

    def use(self, action: Callable[[Model], Awaitable[T]]) -> T:
        """Open a model, do something with it, close it."""
        environ = {"OPENAI_BASE_URL": self.url, "INSIGHTS_MODEL": self.model, **self.environ}
        ledger = self.books.ledger(self.prices)

        async def used() -> T:
            async with Model(
                Settings.load(environ),
                ledger,
                now=lambda: dt.datetime.now(dt.UTC) if self.books.moment == NOW else self.books.moment,
                monotonic=self.time.monotonic,
                sleep=self.time.sleep,
                dice=lambda: 0.0,
            ) as model:
                return await action(model)

        try:
            return asyncio.run(used())
        finally:
            ledger.close()
