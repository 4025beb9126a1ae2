"""A bad network between an SDK and the gateway: requests arrive, answers do not.

Each request is passed on and its answer awaited, so that whatever the gateway does is done; then the planned fault
happens instead of the answer.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

Fault = Literal["cut", "503"]
_AWAY = b'{"ids": [], "status": 503, "error": "somebody between us is away"}'


class Proxy(ThreadingHTTPServer):
    """Passes requests on to ``upstream``; the first answers are replaced by ``faults``, one for each."""

    daemon_threads = True

    def __init__(self, upstream: str, faults: list[Fault]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = httpx.Client(base_url=upstream, timeout=30, trust_env=False)
        self.faults = faults
        #: What the gateway answered, whether it was passed back or not.
        self.answered: list[int] = []

    @property
    def url(self) -> str:
        """What the SDK is pointed at."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        dropped = ("host", "connection", "transfer-encoding", "content-length")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        answer = self.server.upstream.post(self.path, content=body, headers=headers)
        self.server.answered.append(answer.status_code)
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "cut":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, content = (503, _AWAY) if fault == "503" else (answer.status_code, answer.content)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if "content-length" in self.headers:
            return self.rfile.read(int(self.headers["content-length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test looks at what was answered."""


@contextmanager
def bad_network(upstream: str, *faults: Fault) -> Iterator[Proxy]:
    """A proxy that does these faults, one after the other, and then none."""
    with Proxy(upstream, list(faults)) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
            proxy.upstream.close()
