"""The HTTP client of the BDNS: paced by the shared clock, strict about what counts as an answer.

Rules are CONTRACT §1.2–§1.5. It knows nothing of datasets: what to ask is decided in ``sweep.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, TypeVar

import httpx

from fisio_ayida.bdns.answers import decoded, failure
from fisio_ayida.bdns.errors import AnswerBrokeOff, ApiUnreachable, RateLimited, RequestFailed, UnusableBody
from fisio_ayida.telemetry import Log

T = TypeVar("T")

# Documents are application/octet-stream whatever they are; what goes wrong is told in JSON (CONTRACT §1.2, §3.4).
_ACCEPT_FILE = "application/octet-stream, application/json, */*;q=0.5"


class Turn(Protocol):
    def sent(self) -> None: ...


class Pacer(Protocol):
    """The shared request clock; ``warehouse.clock.RequestClock`` is one."""

    def turn(self) -> AbstractAsyncContextManager[Turn]: ...


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how long to wait: doubling from ``base`` to ``longest`` seconds, with jitter."""

    most: int = 5
    base: float = 10.0
    longest: float = 60.0

    def delay(self, attempt: int, jitter: float) -> float:
        """Seconds before try ``attempt`` + 1; ``jitter`` in [0, 1) adds up to a quarter."""
        return float(min(self.longest, self.base * 2**attempt) * (1 + jitter / 4))


@dataclass(slots=True)
class Traffic:
    """What the client has done, for the evidence of a load."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0

    def __sub__(self, other: Traffic) -> Traffic:
        return Traffic(self.requests - other.requests, self.retries - other.retries, self.bytes - other.bytes)

    def copy(self) -> Traffic:
        return Traffic(self.requests, self.retries, self.bytes)


class BdnsClient:
    """GET and nothing else; one instance for one load, closed by ``async with``."""

    def __init__(
        self,
        base_url: str,
        *,
        user_agent: str,
        pacer: Pacer,
        retries: Retries,
        jitter: Callable[[], float],
        log: Log,
        page_timeout: float = 300.0,
        detail_timeout: float = 60.0,
        max_in_flight: int = 1,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.page_timeout = page_timeout
        self.detail_timeout = detail_timeout
        self.max_in_flight = max_in_flight
        self.traffic = Traffic()
        self._pacer = pacer
        self._retries = retries
        self._jitter = jitter
        self._log = log
        self._http = httpx.AsyncClient(
            headers={"Accept": "application/json", "User-Agent": user_agent},
            limits=httpx.Limits(max_connections=max_in_flight + 1),
            # One address, one budget: an environment's proxy would be somebody else's address.
            trust_env=False,
        )

    async def __aenter__(self) -> BdnsClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(
        self,
        path: str,
        parameters: Mapping[str, str],
        *,
        allowed: Collection[str],
        decode: Callable[[bytes, str], T],
        timeout: float,
        retry_html: bool = True,
        sent: asyncio.Event | None = None,
    ) -> T:
        """The decoded answer to one GET.

        ``decode`` gets the body (UTF-8 bytes, empty for 204) and the URL; what it raises as
        :class:`UnusableBody` or ``msgspec.DecodeError`` counts as a transient failure, for a truncated
        body looks just like that. ``sent`` is set once the request has left, so that a caller may work
        while the source does. Raises a subclass of :class:`RequestFailed`.
        """
        url = self._url(path, parameters, allowed)

        async def once() -> T:
            return decoded(await self._once(url, timeout, self._whole, sent=sent), str(url), decode)

        return await self._persist(url, once, retry_html=retry_html)

    async def download(
        self,
        path: str,
        parameters: Mapping[str, str],
        *,
        allowed: Collection[str],
        receive: Callable[[AsyncIterator[bytes], str], Awaitable[T]],
        timeout: float,
    ) -> T:
        """What ``receive`` makes of the bytes of one GET, which it gets in pieces, with the URL.

        Every try calls it anew; what it raises as a transient :class:`RequestFailed` is tried again, unless it is
        :class:`UnusableBody`. ``timeout`` is for the whole body. Raises a subclass of :class:`RequestFailed`.
        """
        url = self._url(path, parameters, allowed)

        async def once() -> T:
            async def read(response: httpx.Response) -> T:
                async with asyncio.timeout(timeout):
                    return await receive(self._counted(response), str(url))

            return await self._once(url, timeout, read, accept=_ACCEPT_FILE)

        return await self._persist(url, once, retry_html=False)

    def _url(self, path: str, parameters: Mapping[str, str], allowed: Collection[str]) -> httpx.URL:
        unknown = set(parameters) - set(allowed)
        if unknown:
            # The API ignores what it does not know and answers with everything it has.
            raise ValueError(f"{path} has no parameter {', '.join(sorted(unknown))}")
        return httpx.URL(self.base_url + path, params={**parameters})

    async def _persist(self, url: httpx.URL, once: Callable[[], Awaitable[T]], *, retry_html: bool) -> T:
        """The first try that succeeds, of as many as are allowed."""
        attempt = 0
        while True:
            try:
                return await once()
            except RequestFailed as error:
                html = isinstance(error, UnusableBody) and not retry_html
                if not error.transient or html or attempt >= self._retries.most:
                    raise
                delay = self._retries.delay(attempt, self._jitter())
                if isinstance(error, RateLimited) and error.retry_after is not None:
                    delay = max(error.retry_after, 0.0)
                attempt += 1
                self.traffic.retries += 1
                self._log.warning(
                    "retry %d of %d in %.1f s: %s", attempt, self._retries.most, delay, error,
                    extra={"url": str(url), "status": error.status},
                )  # fmt: skip
                await asyncio.sleep(delay)

    async def _once(
        self,
        url: httpx.URL,
        timeout: float,
        read: Callable[[httpx.Response], Awaitable[T]],
        *,
        sent: asyncio.Event | None = None,
        accept: str | None = None,
    ) -> T:
        """One request in its turn: what ``read`` gives for its body; a 204 has an empty one."""
        async with self._pacer.turn() as turn:
            self.traffic.requests += 1

            async def trace(event: str, _: Mapping[str, Any]) -> None:
                if event.endswith("send_request_headers.complete"):
                    turn.sent()  # it has left: from here the source counts
                elif sent is not None and event.endswith("send_request_body.complete"):
                    sent.set()

            request = self._http.build_request(
                "GET",
                url,
                headers={"Accept": accept} if accept else None,
                timeout=httpx.Timeout(timeout, connect=min(timeout, 20.0)),
                extensions={"trace": trace},
            )
            kind: type[ApiUnreachable] = ApiUnreachable
            try:
                response = await self._http.send(request, stream=True)
                kind = AnswerBrokeOff
                try:
                    if response.status_code in (200, 204):
                        return await read(response)
                    body = await self._whole(response)
                finally:
                    await response.aclose()
            except httpx.HTTPError as error:
                words = f"{type(error).__name__} {error}".strip()
                raise kind(str(url), None, words) from error
            except TimeoutError:
                raise kind(str(url), None, f"not complete after {timeout:g} s") from None
        raise failure(response, body)

    async def _whole(self, response: httpx.Response) -> bytes:
        """The body apart from its response, which lives in a cycle until the collector comes: eight megabytes
        a page must not wait for that."""
        return b"".join([chunk async for chunk in self._counted(response)])

    async def _counted(self, response: httpx.Response) -> AsyncIterator[bytes]:
        async for chunk in response.aiter_bytes():
            self.traffic.bytes += len(chunk)
            yield chunk
