"""What a stand-in of a message service is made of: requests read whole, answers, control calls.

Here: HTTP and nothing of any service. Not here: the socket and its thread (``listening.py``), how things go wrong
(``mishaps.py``), what a service answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

from fisio_ayida.simulators.listening import Application, Receive, Scope, Send, ServerThread, SimulatorError

CONTROL: Final = "/_control/"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The decoded body; an empty one is an empty object.

        Raises:
            SimulatorError: the body is no JSON.
        """
        try:
            return msgspec.json.decode(self.body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SimulatorError(f"the body is no JSON: {error}") from None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``cut``: the connection ends before the body does."""

    status: int
    body: bytes
    media: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    cut: bool = False


def json_reply(value: Any, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(status, msgspec.json.encode(value))


def html_reply(text: str, status: int = 200) -> Reply:
    """A page."""
    return Reply(status, text.encode(), "text/html; charset=utf-8")


async def read_request(scope: Scope, receive: Receive) -> Request:
    """The whole request."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], scope["path"], query, headers, b"".join(parts))


async def send_reply(reply: Reply, send: Send) -> None:
    """Send an answer.

    A cut answer announces more bytes than it sends; raising then makes the server drop the connection.
    """
    headers = [(b"content-type", reply.media.encode()), (b"content-length", b"%d" % len(reply.body))]
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
    await send({"type": "http.response.body", "body": body, "more_body": reply.cut})
    if reply.cut:
        raise ConnectionAbortedError("cut on purpose")


async def left_within(receive: Receive, seconds: float) -> bool:
    """Wait; true when the client hung up meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


class ControlClient:
    """Control calls of a running stand-in, in this process or in another."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=60.0, trust_env=False)

    def control(self, name: str, body: Any = None) -> Any:
        """POST a control call, or GET it when there is no body.

        Raises:
            SimulatorError: what the stand-in says against it.
        """
        if body is None:
            answer = self._http.get(CONTROL + name)
        else:
            answer = self._http.post(CONTROL + name, content=msgspec.json.encode(body))
        value = answer.json()
        if answer.status_code != 200:
            raise SimulatorError(value["error"])
        return value

    def close(self) -> None:
        """Close the connection for control calls."""
        self._http.close()


class StandIn(ControlClient):
    """A stand-in on a daemon thread of this process; use it in a ``with`` block.

    Args:
        app: the application.
        port: where to listen on loopback; 0 takes a free port. A stopped stand-in's port may be given again.
    """

    def __init__(self, app: Application, port: int = 0) -> None:
        self._thread = ServerThread(app, port)
        super().__init__(self._thread.url)

    def __enter__(self) -> Self:
        self._thread.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._thread.__exit__(kind, error, trace)
