"""The model, asked within a budget: reserve, call, settle, and try again what may succeed.

Here: the order of these and the policy of tries (CONTRACT clinic §14.6, api). Not here: one call (``calls.py``),
the budget (``ledger.py``), what is asked and whether the answer is any good. Nothing of either is ever logged.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final, Literal, Self

import msgspec

from fisio_ayida.insights.model import Commission, NotWritten
from fisio_ayida.insights.narrative.calls import Failed, Said, call
from fisio_ayida.insights.narrative.connecting import open_client
from fisio_ayida.insights.narrative.holding import Hold, Holding
from fisio_ayida.insights.narrative.ledger import Ledger, Purpose, Reservation, Usage
from fisio_ayida.settings import Settings

#: After the first try.
RETRIES: Final = 3
FIRST_WAIT: Final = dt.timedelta(seconds=1)
LONGEST_WAIT: Final = dt.timedelta(seconds=30)
#: A server that wants more patience than this gets none: the narrative waits for a later run.
LONGEST_PATIENCE: Final = dt.timedelta(seconds=60)
# Tokenizers make no more tokens of a text than it has bytes; of Portuguese and JSON they make one of three or
# four. Half the bytes of the whole request, with its schema and its quotes, is nearly always more than they count,
# and not much more than twice as much: an estimate, which the answer corrects either way.
BYTES_A_TOKEN: Final = 2
#: How the answer's form is asked for, the strictest first.
FORMATS: Final = ("json_schema", "json_object", "")

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answered, whole. ``call``: its row in the ledger."""

    text: str = field(repr=False)
    usage: Usage | None
    call: int


@dataclass(frozen=True, slots=True)
class Form:
    """What of the protocol a server knows, as far as it has told.

    Args:
        format: place in :data:`FORMATS`.
        limit: the name of the answer's limit.
    """

    format: int = 0
    limit: str = "max_tokens"

    def without(self, unfit: str) -> Form | None:
        """The next one to try; None: there is none."""
        if unfit == "limit" and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if unfit == "format" and self.format + 1 < len(FORMATS):
            return replace(self, format=self.format + 1)
        return None


class Model:
    """One model of one server, for one process.

    Args:
        timeout: of one try; a question takes no longer than ``(timeout + LONGEST_PATIENCE) * (RETRIES + 1)``, once
            it has its turn and the server's form is known.
        in_flight: calls under way at once.
        answer_tokens: the longest answer.
        now: with a zone; the other three are for waiting.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        *,
        now: Callable[[], dt.datetime],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.name = settings.insights_model
        self._timeout = dt.timedelta(seconds=settings.insights_timeout_seconds)
        self._answer_tokens = settings.insights_answer_tokens
        self._client = open_client(
            settings.openai_base_url,
            settings.openai_api_key,
            timeout=self._timeout,
            connections=settings.insights_in_flight,
        )
        self._room = asyncio.Semaphore(settings.insights_in_flight)
        self._ledger = ledger
        self._holding = Holding(monotonic)
        self._form = Form()
        self._now, self._monotonic, self._sleep, self._dice = now, monotonic, sleep, dice

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def ask(
        self, messages: Messages, schema: Mapping[str, Any], commission: Commission, purpose: Purpose
    ) -> Answer | NotWritten:
        """The model's answer, or why there is none. Every try is in the ledger; one that is cancelled stays open.

        Args:
            messages: each with its role and content.
            schema: strict; where the server knows none, the words alone must say what is wanted, with "JSON" in
                them.
            purpose: ``repair`` of an answer that was no good.
        """
        question = _Question(messages, schema, commission, purpose)
        retries = 0
        for attempt in count(1):
            form = self._form
            result = await self._try(question, attempt, form)
            if not isinstance(result, Failed):
                return result
            if result.unfit and (other := form.without(result.unfit)) is not None:
                # Unless another question has found out meanwhile.
                self._form = other if self._form == form else self._form
                continue
            wait = self._wait(result, retries)
            if not result.is_repeatable or retries == RETRIES or wait > LONGEST_PATIENCE:
                return self._given_up(result)
            retries += 1
            await self._sleep(wait.total_seconds())
        raise AssertionError("counted to the end")

    async def refuses(self, commission: Commission) -> NotWritten | None:
        """Why no question would be asked now, whatever it is; None: perhaps one would. Cheap, and asks nothing."""
        held = self._holding.now()
        if held is not None and not _is_worth_waiting(held, LONGEST_PATIENCE):
            return _held_back(held)
        return await asyncio.to_thread(
            self._ledger.refuses, commission, model=self.name, completion=self._answer_tokens
        )

    async def judge(self, answer: Answer, outcome: str) -> None:
        """Put into the ledger what reading an answer found, a word of ``REASONS``."""
        await asyncio.to_thread(self._ledger.judge, answer.call, outcome)

    async def _try(self, question: _Question, attempt: int, form: Form) -> Answer | NotWritten | Failed:
        if (held := await self._turn()) is not None:
            return held
        try:
            body = question.body(self.name, form, self._answer_tokens)
            reserved = await asyncio.to_thread(
                self._ledger.reserve,
                question.commission,
                model=self.name,
                purpose=question.purpose,
                attempt=attempt,
                prompt=-(-len(msgspec.json.encode(body)) // BYTES_A_TOKEN),
                completion=self._answer_tokens,
            )
            if isinstance(reserved, NotWritten):
                return reserved
            began = self._monotonic()
            result = await call(self._client, body, timeout=self._timeout, now=self._now())
            if isinstance(result, Failed) and result.after is not None:
                self._holding.asked_to_wait(result.after)
            latency = dt.timedelta(seconds=self._monotonic() - began)
            return await self._settled(reserved, result, latency)
        finally:
            self._room.release()

    async def _turn(self) -> NotWritten | None:
        """Wait until a call may start, and take a place; or say why not to wait, and take none."""
        patience = LONGEST_PATIENCE
        while True:
            await self._room.acquire()
            held = self._holding.now()
            if held is None:
                return None
            self._room.release()
            if not _is_worth_waiting(held, patience):
                return _held_back(held)
            patience -= held.left
            await self._sleep(held.left.total_seconds())

    async def _settled(
        self, reserved: Reservation, result: Said | Failed, latency: dt.timedelta
    ) -> Answer | NotWritten | Failed:
        if isinstance(result, Failed):
            ending: Literal["lost", "failed"] = "lost" if result.may_cost else "failed"
            await asyncio.to_thread(self._ledger.settle, reserved, ending, result.reason, latency=latency)
            return result
        self._holding.succeeded()
        verdict = _verdict(result)
        outcome = "ok" if verdict is None else verdict.reason
        await asyncio.to_thread(
            self._ledger.settle, reserved, "answered", outcome, usage=result.usage, latency=latency
        )
        return Answer(result.text, result.usage, reserved.id) if verdict is None else verdict

    def _wait(self, failed: Failed, retries: int) -> dt.timedelta:
        """As long as the server said; or twice as long as before, less up to half of it by chance."""
        if failed.after is not None:
            return failed.after
        return min(FIRST_WAIT * (1 << retries), LONGEST_WAIT) * (1 - self._dice() / 2)

    def _given_up(self, failed: Failed) -> NotWritten:
        if not failed.is_ours:
            self._holding.failed(failed.reason)
        wants_patience = failed.after is not None and failed.after > LONGEST_PATIENCE
        reason = "rate_limited" if wants_patience else failed.reason
        return NotWritten(reason, failed.detail, is_transient=not failed.is_ours, after=failed.after)


def _is_worth_waiting(held: Hold, patience: dt.timedelta) -> bool:
    return held.is_worth_waiting and held.left <= patience


def _held_back(held: Hold) -> NotWritten:
    detail = f"no call for {held.left.total_seconds():.0f} s, because of what others came to"
    return NotWritten(held.reason, detail, is_transient=True, after=held.left, concerns="server")


@dataclass(frozen=True, slots=True)
class _Question:
    messages: Messages = field(repr=False)
    schema: Mapping[str, Any] = field(repr=False)
    commission: Commission
    purpose: Purpose

    def body(self, model: str, form: Form, answer_tokens: int) -> dict[str, Any]:
        """The request."""
        body: dict[str, Any] = {
            "model": model,
            "messages": self.messages,
            form.limit: answer_tokens,
        }
        format = FORMATS[form.format]
        if format == "json_schema":
            named = {"name": str(self.schema.get("title", "answer")), "strict": True, "schema": self.schema}
            body["response_format"] = {"type": format, "json_schema": named}
        elif format:
            body["response_format"] = {"type": format}
        return body


def _verdict(said: Said) -> NotWritten | None:
    """What its ending says against an answer."""
    if said.refusal:
        return NotWritten("refused", "the model refused")
    if said.finish == "content_filter":
        return NotWritten("refused", "the server's filter withheld the answer")
    if said.finish == "length":
        return NotWritten("truncated", "the answer is longer than INSIGHTS_ANSWER_TOKENS")
    return None
