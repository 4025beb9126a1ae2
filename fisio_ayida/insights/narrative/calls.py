"""One call of the model's server, made once, and what is known of it when it fails: what it was, whether it costs.

Here: reading answers and errors. Not here: what leaves beside the body (``connecting.py``), the budget and the
tries (``client.py``). What a server says of an error is never repeated: it may quote the prompt.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

import httpx2
import msgspec
import openai

from fisio_ayida.insights.narrative.connecting import LARGEST_ANSWER_BYTES, TooLongError
from fisio_ayida.insights.narrative.ledger import Usage

#: More tokens than any model takes: a server that counts so is not believed.
_MOST_TOKENS: Final = 100_000_000
#: Nobody is left alone for longer, whatever a server says.
LONGEST_ASKED: Final = dt.timedelta(days=1)
_NO_QUOTA: Final = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
#: Not the model's server answers, but one in front of it, that gave up on an answer which may have been made.
_GAVE_UP: Final = (504, 524)
_OTHER_FORMAT: Final = re.compile(r"response[_ ]?format|json_schema|structured[_ ]output|grammar", re.IGNORECASE)
_OTHER_LIMIT: Final = re.compile(r"max_completion_tokens", re.IGNORECASE)
_NEVER_LEFT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
_WORD: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,60}")

Reason = Literal["unreachable", "rate_limited", "server_error", "rejected", "bad_json"]


@dataclass(frozen=True, slots=True)
class Said:
    """What the model said. ``usage``: None where the server does not count."""

    text: str = field(repr=False)
    refusal: str = field(repr=False)
    finish: str
    usage: Usage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No answer.

    Args:
        detail: for people; nothing of the prompt, nothing of the server's words.
        is_ours: of this one request; any other might succeed.
        may_cost: the request left, and nobody knows what became of it.
        is_repeatable: another try may succeed.
        after: not sooner than this, if the server said so.
        unfit: what of the request's form the server does not know.
    """

    reason: Reason
    detail: str
    is_ours: bool = False
    may_cost: bool = False
    is_repeatable: bool = False
    after: dt.timedelta | None = None
    unfit: Literal["", "format", "limit"] = ""


async def call(
    client: openai.AsyncOpenAI, body: Mapping[str, Any], *, timeout: dt.timedelta, now: dt.datetime
) -> Said | Failed:
    """Ask once.

    Args:
        timeout: for everything from the connection to the answer's last byte.
        now: to understand a date until which to wait.
    """
    try:
        # One deadline for all: a server that drips would pass any limit on a single read.
        async with asyncio.timeout(timeout.total_seconds()):
            response = await client.post("/chat/completions", body=body, cast_to=httpx2.Response)
    except openai.APIStatusError as error:
        return _of_status(error.response, now)
    except openai.APIConnectionError as error:
        return _unanswered(error.__cause__)
    except TimeoutError:
        return Failed(
            reason="unreachable",
            detail=f"no whole answer after {timeout.total_seconds():g} s",
            may_cost=True,
            is_repeatable=True,
        )
    return _read(response)


def _read(response: httpx2.Response) -> Said | Failed:
    try:
        found = msgspec.json.decode(response.content, type=_Completion)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Completion()
    if not found.choices:
        detail = f"status {response.status_code}, and no answer of a model's in it"
        return Failed(reason="server_error", detail=detail, may_cost=True, is_repeatable=True)
    choice = found.choices[0]
    message = choice.message
    return Said(message.content or "", message.refusal or "", choice.finish_reason or "", _usage(found.usage))


def _unanswered(cause: BaseException | None) -> Failed:
    if isinstance(cause, TooLongError):
        detail = f"the answer has more than {LARGEST_ANSWER_BYTES} bytes"
        return Failed(reason="bad_json", detail=detail, is_ours=True, may_cost=True)
    never_left = isinstance(cause, _NEVER_LEFT)
    detail = ("no connection: " if never_left else "no whole answer: ") + type(cause).__name__
    return Failed(reason="unreachable", detail=detail, may_cost=not never_left, is_repeatable=True)


def _of_status(response: httpx2.Response, now: dt.datetime) -> Failed:
    status, after = response.status_code, _asked_wait(response.headers, now)
    code, told = _error(response)
    detail = f"status {status}{told}"
    if status == 429:
        is_repeatable = code not in _NO_QUOTA
        return Failed(reason="rate_limited", detail=detail, is_repeatable=is_repeatable, after=after)
    if status >= 500 or status in (408, 409, 425):
        may_cost = status in _GAVE_UP
        return Failed(reason="server_error", detail=detail, may_cost=may_cost, is_repeatable=True, after=after)
    # A wrong key, address or model is wrong for everybody, and somebody will mend it.
    is_ours = status not in (401, 403, 404) and status >= 400
    unfit: Literal["", "format", "limit"] = ""
    if status in (400, 422):
        text = response.content.decode("utf-8", "replace")
        unfit = "limit" if _OTHER_LIMIT.search(text) else "format" if _OTHER_FORMAT.search(text) else ""
    return Failed(reason="rejected", detail=detail, is_ours=is_ours, unfit=unfit)


def _error(response: httpx2.Response) -> tuple[str, str]:
    """The error's code, and what may be told of it: words that are names, not sentences."""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    words = {
        name: value
        for name in ("type", "code", "param")
        if isinstance(value := error.get(name), str) and _WORD.fullmatch(value)
    }
    return words.get("code", ""), "".join(f", {name} {value}" for name, value in words.items())


def _asked_wait(headers: httpx2.Headers, now: dt.datetime) -> dt.timedelta | None:
    """How long the server wants to be left alone; None: it does not say."""
    for name, seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait = float(headers.get(name, "")) * seconds
        except ValueError:
            continue
        if math.isfinite(wait):
            return dt.timedelta(seconds=min(max(wait, 0.0), LONGEST_ASKED.total_seconds()))
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
    return min(max(until - now, dt.timedelta(0)), LONGEST_ASKED)


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] = []
    # Read apart: servers that count in their own way have answered all the same.
    usage: msgspec.Raw = msgspec.Raw(b"null")


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _Details | None = None


def _usage(raw: msgspec.Raw) -> Usage | None:
    try:
        found = msgspec.json.decode(raw, type=_Usage | None)
    except (msgspec.DecodeError, RecursionError):
        return None
    if found is None:
        return None
    details = found.prompt_tokens_details
    cached = (details.cached_tokens or 0) if details is not None else 0
    usage = Usage(found.prompt_tokens, min(max(cached, 0), found.prompt_tokens), found.completion_tokens)
    return usage if all(0 <= n <= _MOST_TOKENS for n in (usage.prompt, usage.completion)) else None
