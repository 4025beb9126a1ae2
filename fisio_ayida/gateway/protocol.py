"""HTTP on the wire: uvicorn's protocol, which waits for a request's head as long as it takes, taught not to.

A thousand senders that dribble bytes cost a thousand sockets for some seconds, and nobody else is kept waiting.
Not here: the body (``bodies.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from fisio_ayida.gateway.limits import Limits


def protocol(limits: Limits) -> type[HttpToolsProtocol]:
    """The protocol with these limits, as uvicorn wants it: a class."""

    class Patient(HttpToolsProtocol):
        """Closes a connection whose request's head takes too long or is too long."""

        _timer: asyncio.TimerHandle | None = None
        # Between the end of a head and the end of its body, bytes belong to the body.
        _in_body = False
        _head_bytes = 0
        _ended = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._expect_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_is_here()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._ended:
                return
            if not self._in_body:
                self._expect_head()
                self._head_bytes += len(data)
            super().data_received(data)
            if not self._in_body and self._head_bytes > limits.head_bytes:
                self._end(431, f"the head has more than {limits.head_bytes} bytes")

        def on_headers_complete(self) -> None:
            self._in_body = True
            self._head_is_here()
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._in_body = False
            super().on_message_complete()

        def send_400_response(self, msg: str) -> None:
            self._end(400, "this is not HTTP")

        def _expect_head(self) -> None:
            if self._timer is None:
                self._timer = self.loop.call_later(limits.head.total_seconds(), self._too_late)

        def _head_is_here(self) -> None:
            self._head_bytes = 0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _too_late(self) -> None:
            if self._head_bytes:
                self._end(408, f"the head has not arrived within {limits.head.total_seconds():g} s")
            else:
                self.transport.close()

        def _end(self, status: int, detail: str) -> None:
            """Answer, without any of what came; hear the sender out for a moment, and close."""
            if self._ended or self.transport.is_closing():
                return
            self._ended = True
            if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
                self.transport.close()  # the answer that was begun is the only one
                return
            content: dict[str, Any] = {"ids": [], "status": status, "error": detail}
            body = msgspec.json.encode(content)
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + head + body)
            self.transport.write_eof()
            self.loop.call_later(limits.linger.total_seconds(), self.transport.close)

    return Patient


def raise_file_limit() -> None:
    """Allow this process as many sockets as the system lets it have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems call a limit infinite and refuse it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
