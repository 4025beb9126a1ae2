"""How a stand-in of a message service calls back: in order, twice, in the wrong order, again after an error.

Here: the calls and what became of them. Not here: what they say and how they are signed.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import httpx

from fisio_ayida.simulators.listening import SimulatorError

_NEVER_AGAIN: Final = frozenset({400, 401, 403, 404, 422})
_LONGEST_PAUSE_SECONDS: Final = 300.0
_TIMEOUT_SECONDS: Final = 30.0
_CALLERS: Final = 8
_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Habits:
    """How calls back are made.

    Args:
        statuses: what is reported of every message by itself, in order.
        before_answer: all of it reaches the webhook before the sender gets its answer.
        repeats: how often each call is made once more.
        backwards: the calls of one message go out in the wrong order.
        attempts: tries of one call that is not answered well.
        pause_seconds: before the second try; it doubles with each one.
    """

    statuses: tuple[str, ...] = ()
    before_answer: bool = False
    repeats: int = 0
    backwards: bool = False
    attempts: int = 10
    pause_seconds: float = 5.0

    def changed(self, body: dict[str, Any]) -> Habits:
        """These habits with some changed.

        Raises:
            SimulatorError: an unknown one.
        """
        known = {each.name for each in fields(Habits)}
        if set(body) - known:
            raise SimulatorError(f"receipts have {', '.join(sorted(known))}")
        if "statuses" in body:
            body = {**body, "statuses": tuple(body["statuses"])}
        return replace(self, **body)


@dataclass(slots=True)
class CallBack:
    """One call to the webhook, and what was answered to each try (0: nothing)."""

    what: str
    url: str
    body: bytes
    headers: Callable[[bytes], Mapping[str, str]]
    answers: list[int] = field(default_factory=list)


class CallBacks:
    """Makes the calls, on the event loop of the server."""

    def __init__(self) -> None:
        self.habits = Habits()
        self.made: deque[CallBack] = deque(maxlen=_REMEMBERED)
        self._client: httpx.AsyncClient | None = None
        # Few at once: with thousands waiting, the client would do nothing but look through them.
        self._waiting: asyncio.Queue[Sequence[CallBack]] = asyncio.Queue()
        self._callers: list[asyncio.Task[None]] = []

    async def after(self, calls: Sequence[CallBack]) -> None:
        """The calls that follow from one message; waits for them if they come before its answer."""
        ordered = list(reversed(calls)) if self.habits.backwards else list(calls)
        if not ordered:
            return
        if self.habits.before_answer:
            await self._all(ordered)
            return
        if not self._callers:
            self._callers = [asyncio.create_task(self._make()) for _ in range(_CALLERS)]
        self._waiting.put_nowait(ordered)

    async def now(self, call: CallBack) -> int:
        """Make one call, and again as the habits are; the last answer's status."""
        self.made.append(call)
        for _ in range(1 + self.habits.repeats):
            await self._one(call)
        return call.answers[-1]

    async def settle(self) -> None:
        """Wait until every call is made."""
        await self._waiting.join()

    def report(self) -> list[dict[str, Any]]:
        """Every call and its answers."""
        return [{"event": call.what, "url": call.url, "answers": call.answers} for call in self.made]

    async def _make(self) -> None:
        while True:
            calls = await self._waiting.get()
            try:
                await self._all(calls)
            finally:
                self._waiting.task_done()

    async def _all(self, calls: Sequence[CallBack]) -> None:
        for call in calls:
            await self.now(call)

    async def _one(self, call: CallBack) -> None:
        pause = self.habits.pause_seconds
        for attempt in range(self.habits.attempts):
            status = await self._post(call)
            call.answers.append(status)
            if 200 <= status < 300 or status in _NEVER_AGAIN or attempt == self.habits.attempts - 1:
                return
            await asyncio.sleep(min(pause, _LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2))  # noqa: S311
            pause *= 2

    async def _post(self, call: CallBack) -> int:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False)
        headers = {"content-type": "application/json", **call.headers(call.body)}
        try:
            return (await self._client.post(call.url, content=call.body, headers=headers)).status_code
        except httpx.HTTPError:
            return 0
