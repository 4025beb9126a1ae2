"""Around every request: its id, its line in the log, its end when something broke.

The line names the route's template, because paths carry keys and ids; it never has a query, a header or a body.
Not here: what a route does with a request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fisio_ayida.gateway.answers import Refused, not_now, refusal
from fisio_ayida.gateway.limits import Limits

#: What the log says of a sender that left before it was answered (nginx's number).
GONE = 499
_PACKAGE = Path(__file__).parent.parent


@dataclass(slots=True)
class Visit:
    """One request, as the log knows it. A route fills in ``events``."""

    id: str
    events: int = 0
    status: int = GONE
    bytes: int = 0
    read: bool = False
    began: bool = False


class Access:
    """The outermost layer of the app.

    Args:
        chance: so many random bytes, for the requests' ids.
    """

    def __init__(
        self, app: ASGIApp, *, log: logging.Logger, limits: Limits, chance: Callable[[int], bytes]
    ) -> None:
        self.app = app
        self._log = log
        self._limits = limits
        # Of this process, and of one request in it.
        self._family, self._numbers = chance(4).hex(), count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and write its line when it has ended, however it did."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = Visit(f"{self._family}{next(self._numbers):08x}", read=not _has_body(scope))
        scope.setdefault("state", {})["visit"] = visit
        wire = _Wire(visit, self._limits, receive, send)
        started = time.perf_counter()
        try:
            await self._answer(scope, wire)
        finally:
            line = {
                "method": scope["method"],
                "route": _template(scope),
                "status": visit.status,
                "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                "bytes": visit.bytes,
                "events": visit.events,
                "requestId": visit.id,
            }
            self._log.info("request", extra=line)

    async def _answer(self, scope: Scope, wire: _Wire) -> None:
        visit = wire.visit
        try:
            async with asyncio.timeout(self._limits.request.total_seconds()):
                await self.app(scope, wire.receive, wire.send)
            return
        except ClientDisconnect:
            return
        except TimeoutError:
            refused = not_now("the request took too long")
        except Exception as error:
            self._log.error(
                "a fault of the gateway",
                extra={"error": type(error).__name__, "place": place(error), "requestId": visit.id},
            )
            refused = Refused(500, "a fault of the gateway; its log knows this request by its id")
        # An answer that was begun cannot be taken back; the server ends the connection.
        if not visit.began:
            response = refusal(scope["path"], refused, visit.id)
            await response(scope, wire.receive, wire.send)


class _Wire:
    """The request's two ends, counted; and the end of a connection whose request nobody will read to its end."""

    def __init__(self, visit: Visit, limits: Limits, receive: Receive, send: Send) -> None:
        self.visit = visit
        self._linger = limits.linger
        self._most = 4 * limits.request_bytes
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        message = await self._receive()
        self.visit.bytes += len(message.get("body", b""))
        if not message.get("more_body", False):
            self.visit.read = True
        return message

    async def send(self, message: Message) -> None:
        visit = self.visit
        if message["type"] == "http.response.start":
            visit.began, visit.status = True, message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", visit.id.encode())]
            if not visit.read:
                headers.append((b"connection", b"close"))
            await self._send({**message, "headers": headers})
        elif visit.read or message.get("more_body", False):
            await self._send(message)
        else:
            # Closing on a sender that still sends would destroy the answer on its way: hear it out, for a moment.
            await self._send({**message, "more_body": True})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._linger.total_seconds()):
                    while not visit.read and visit.bytes < self._most:
                        await self.receive()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def place(error: BaseException) -> str:
    """Where an error was raised: the innermost line of ours. Its words may quote what was sent; this cannot."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)] or frames[-1:]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "unknown"


def _has_body(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
            return True
    return False


def _template(scope: Scope) -> str:
    """The route as it was declared. What no route knows has no name here."""
    return getattr(scope.get("route"), "path", None) or "unknown"
