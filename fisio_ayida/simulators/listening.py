"""Listening on a loopback port: what every simulator does alike.

Here: the socket, the quiet server, its thread. Not here: what is answered.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, Final

import uvicorn

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

START_SECONDS: Final = 20.0


class SimulatorError(Exception):
    """A setting or a control call that the simulator cannot accept; the message says what is allowed."""


def make_server(app: Application, host: str) -> uvicorn.Server:
    """A quiet uvicorn server for the application."""
    config = uvicorn.Config(
        app,
        host=host,
        log_config=None,
        log_level="critical",  # a cut answer is made by an error that nobody needs to read about
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=0,
    )
    return uvicorn.Server(config)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    # With its protocol named, or asyncio would not switch off Nagle's delay: 40 ms for every chunked answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SimulatorError(f"port {port} on {host} cannot be used: {error.strerror}") from None
    listener.listen(128)
    return listener


class ServerThread:
    """An application served on a daemon thread of this process; use it in a `with` block."""

    def __init__(self, app: Application, port: int = 0) -> None:
        self._listener = bind("127.0.0.1", port)
        self._server = make_server(app, "127.0.0.1")
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True, name="simulator"
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> ServerThread:
        """Start serving and wait until it answers."""
        self._thread.start()
        limit = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > limit or not self._thread.is_alive():
                raise SimulatorError("the simulator did not start")
            time.sleep(0.002)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving, dropping what is in flight."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=2.0)
        self._listener.close()
