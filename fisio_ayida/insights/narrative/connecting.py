"""The library's client, bounded, and told to send nothing of its own.

Here: what leaves beside a request's body, and how much may come back. Not here: calls and their answers
(``calls.py``).
"""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Final

import httpx2
import openai
from pydantic import SecretStr

LARGEST_ANSWER_BYTES: Final = 1_000_000
_CONNECT: Final = dt.timedelta(seconds=10)
# Node closes idle connections after 5 s; a request on one that is just being closed is lost, and may be billed.
_KEEP_IDLE: Final = dt.timedelta(seconds=3)
#: All that a request says beside its body: the library would tell of the machine and of the environment.
_HEADERS: Final = ("host", "content-type", "content-length", "accept", "connection")


class TooLongError(httpx2.ReadError):
    """An answer that nobody should read."""


def open_client(
    base_url: str, key: SecretStr | None, *, timeout: dt.timedelta, connections: int
) -> openai.AsyncOpenAI:
    """A client for :func:`call`, for up to so many calls at once; the caller closes it."""
    # Half of the time at most, so that a connection that was never made is told apart from an answer that is late.
    connect = min(_CONNECT, timeout / 2).total_seconds()
    http = httpx2.AsyncClient(
        transport=_Guarded(None if key is None else key.get_secret_value(), connections),
        timeout=httpx2.Timeout(None, connect=connect),
        # One address and nobody else: no proxy of the environment, no redirect.
        trust_env=False,
        follow_redirects=False,
    )
    return openai.AsyncOpenAI(
        base_url=base_url, api_key="-", organization="", project="", max_retries=0, http_client=http
    )


class _Guarded(httpx2.AsyncBaseTransport):
    """Lets only what we mean to say leave, and only so much come in."""

    def __init__(self, key: str | None, connections: int) -> None:
        limits = httpx2.Limits(max_connections=connections, keepalive_expiry=_KEEP_IDLE.total_seconds())
        self._inner = httpx2.AsyncHTTPTransport(verify=_authorities(), limits=limits, trust_env=False)
        own = {"accept-encoding": "identity", "user-agent": "fisio-ayida"}
        if key is not None:
            own["authorization"] = f"Bearer {key}"
        # In bytes: the error for a key that is no header would quote it.
        self._own = {name.encode(): value.encode() for name, value in own.items()}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request with our headers, and read a bounded answer."""
        said = {name.encode(): value.encode() for name, value in request.headers.items() if name in _HEADERS}
        request.headers = httpx2.Headers({**said, **self._own})
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            # Asked for plain: what is packed might be of any size.
            await response.aclose()
            raise TooLongError("a packed answer", request=request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101  an asynchronous transport's
        response.stream = _Bounded(response.stream)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates are believed. Reading them takes longer than a call."""
    return httpx2.create_ssl_context(trust_env=False)


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends with an error where it is too long."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LARGEST_ANSWER_BYTES
        async for chunk in self._inner:
            left -= len(chunk)
            if left < 0:
                raise TooLongError("too long")
            yield chunk

    async def aclose(self) -> None:
        """Close the connection's part."""
        await self._inner.aclose()
