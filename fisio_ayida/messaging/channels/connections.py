"""Many connections to one service, each found at once.

Here: a transport for httpx. Its own pool looks at all connections for each request: of 64, 10 ms a call.
Not here: the calls.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import httpx


class Connections(httpx.AsyncBaseTransport):
    """Up to ``most`` connections, opened when needed; the one that was used last is used first.

    Args:
        keep_idle_seconds: an idle connection is not used again after this.
    """

    def __init__(self, most: int, keep_idle_seconds: float) -> None:
        self._verify: ssl.SSLContext = httpx.create_ssl_context(trust_env=False)
        self._limits = httpx.Limits(max_connections=1, keepalive_expiry=keep_idle_seconds)
        self._free: list[httpx.AsyncHTTPTransport] = []
        self._all: list[httpx.AsyncHTTPTransport] = []
        self._room = asyncio.Semaphore(most)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its connection is free again once the response is closed."""
        await self._room.acquire()
        if self._free:
            one = self._free.pop()
        else:
            one = httpx.AsyncHTTPTransport(verify=self._verify, limits=self._limits, trust_env=False)
            self._all.append(one)

        def release() -> None:
            self._free.append(one)
            self._room.release()

        try:
            response = await one.handle_async_request(request)
        except BaseException:
            release()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  an asynchronous transport's
        response.stream = _Released(response.stream, release)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for one in self._all:
            await one.aclose()


class _Released(httpx.AsyncByteStream):
    """A body whose connection is given back when it is closed."""

    def __init__(self, body: httpx.AsyncByteStream, release: Callable[[], None]) -> None:
        self._body = body
        self._release: Callable[[], None] | None = release

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            yield chunk

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            release, self._release = self._release, None
            if release is not None:
                release()
