"""One HTTP call of a provider, and what is known of it when it fails: never left, or nobody knows.

Here: pace, deadline, the size of an answer, the verdict. Not here: what an answer means, which is each channel's.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpx
import msgspec

from fisio_ayida.messaging.channels.connections import Connections
from fisio_ayida.messaging.model import Ambiguous, Transient
from fisio_ayida.warehouse.clock import ClockError

LARGEST_ANSWER_BYTES: Final = 1_000_000
_CONNECT: Final = dt.timedelta(seconds=10)
# Node closes idle connections after 5 s; a request on a connection that is just being closed is lost for nothing.
_KEEP_IDLE: Final = dt.timedelta(seconds=3)
# Nobody can mean more than this by "try again later"; a clock that is wrong can.
_LONGEST_WISH: Final = dt.timedelta(hours=1)


class Turn(Protocol):
    """The right to start one request now."""

    def sent(self) -> None:
        """The request has left."""
        ...


class Pacer(Protocol):
    """The shared request clock; ``warehouse.clock.RequestClock`` is one."""

    def turn(self) -> AbstractAsyncContextManager[Turn]:
        """Wait for a turn."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said. ``json``: the decoded body, None if it is none. A body that is too long is cut."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    json: Any = field(repr=False)

    def field(self, *path: str | int) -> Any:
        """What stands at this path of the JSON body; None if there is nothing."""
        value = self.json
        for step in path:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            else:
                value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
        return value

    def text(self, *path: str | int) -> str:
        """The text at this path; empty if there is none."""
        value = self.field(*path)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The provider certainly got nothing: no name, no connection, no TLS, or not even a request."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request left, at least in part, and no whole answer came back. ``status``: if that much was read."""

    code: str
    reason: str
    status: int | None = None


def http_client(connections: int) -> httpx.AsyncClient:
    """A client for :func:`call`, for up to so many calls at once; the caller closes it."""
    return httpx.AsyncClient(
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "fisio-ayida"},
        transport=Connections(connections, _KEEP_IDLE.total_seconds()),
        # One address, one account: an environment's proxy would be somebody else's eyes.
        trust_env=False,
        follow_redirects=False,
    )


def paced(pacer: Pacer | None) -> AbstractAsyncContextManager[Turn] | None:
    """A turn of this pacer for :func:`call`; None where nothing is paced."""
    return None if pacer is None else pacer.turn()


async def call(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    timeout: dt.timedelta,
    turn: AbstractAsyncContextManager[Turn] | None = None,
) -> Answer | NotSent | Lost:
    """Make one request, once, without following a redirect.

    Args:
        client: from :func:`http_client`.
        timeout: for everything from the connection to the answer's last byte; waiting for the turn is not counted.
        turn: entered before the request, given back as soon as it has left: answers are awaited side by side.
    """
    left = False
    async with contextlib.AsyncExitStack() as holding:

        async def trace(event: str, _: Mapping[str, Any]) -> None:
            nonlocal left
            if event.endswith("send_request_headers.started"):
                left = True
            elif event.endswith("send_request_headers.complete"):
                if granted is not None:
                    granted.sent()
            elif event.endswith("send_request_body.complete"):
                await holding.aclose()

        seconds = timeout.total_seconds()
        try:
            request = client.build_request(
                method,
                url,
                content=body or None,
                headers={**headers},
                timeout=httpx.Timeout(None, connect=min(seconds, _CONNECT.total_seconds())),
                extensions={"trace": trace},
            )
        except (ValueError, httpx.InvalidURL) as error:
            # Its words would repeat the header, which may be a secret.
            return NotSent("unfit_request", f"no request can be made of this: {type(error).__name__}")
        try:
            granted = None if turn is None else await holding.enter_async_context(turn)
        except ClockError as error:
            # The database stays away: nobody knows whose turn it is.
            return NotSent("no_turn", str(error))
        status: int | None = None
        try:
            # One deadline for all: a server that drips would pass any limit on a single read.
            async with asyncio.timeout(seconds):
                response = await client.send(request, stream=True)
                status = response.status_code
                try:
                    content = await _read(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            if left:
                return Lost("timeout", f"no whole answer after {seconds:g} s", status)
            return NotSent("connect_timeout", f"no connection after {seconds:g} s")
        except httpx.HTTPError as error:
            return _verdict(error, left, status)
    return Answer(status, response.headers, content, _decoded(content))


def unanswered(outcome: NotSent | Lost) -> Transient | Ambiguous:
    """The result of a message whose call had no answer."""
    if isinstance(outcome, NotSent):
        return Transient(outcome.code, outcome.reason, channel=True)
    return Ambiguous(outcome.code, outcome.reason)


def wished_pause(answer: Answer) -> dt.timedelta | None:
    """How long the provider wants to be left alone; None: it does not say."""
    for name in ("retry-after", "ratelimit-reset"):
        text = answer.headers.get(name, "")
        if text.isascii() and text.replace(".", "", 1).isdigit():
            return dt.timedelta(seconds=min(float(text), _LONGEST_WISH.total_seconds()))
    return None


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LARGEST_ANSWER_BYTES:
            break
    return bytes(content[:LARGEST_ANSWER_BYTES])


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _verdict(error: httpx.HTTPError, left: bool, status: int | None) -> NotSent | Lost:
    if isinstance(error, httpx.ConnectTimeout):
        return NotSent("connect_timeout", "no connection in time")
    if isinstance(error, httpx.ConnectError):
        return NotSent("connect_failed", f"no connection: {error}")
    # The words of the others may repeat a header or what the server sent.
    name = type(error).__name__
    if isinstance(error, httpx.LocalProtocolError) or not left:
        return NotSent("unfit_request", f"no request can be made of this: {name}")
    return Lost("cut", f"the connection broke before the answer was whole: {name}", status)
