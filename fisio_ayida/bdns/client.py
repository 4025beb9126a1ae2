"""The HTTP client of the BDNS: paced by the shared clock, strict about what counts as an answer.

Rules are CONTRACT §1.2–§1.5. It knows nothing of datasets: what to ask is decided in ``sweep.py``.
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, TypeVar

import httpx
import msgspec

from fisio_ayida.bdns.errors import (
    ApiOverloaded,
    ApiUnreachable,
    PathUnknown,
    RateLimited,
    RequestFailed,
    RequestRefused,
    UnusableBody,
)

T = TypeVar("T")


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
        log: logging.Logger | logging.LoggerAdapter[Any],
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
        unknown = set(parameters) - set(allowed)
        if unknown:
            # The API ignores what it does not know and answers with everything it has.
            raise ValueError(f"{path} has no parameter {', '.join(sorted(unknown))}")
        url = httpx.URL(self.base_url + path, params={**parameters})
        attempt = 0
        while True:
            try:
                body = await self._once(url, timeout, sent)
                return _decoded(body, str(url), decode)
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

    async def _once(self, url: httpx.URL, timeout: float, sent: asyncio.Event | None) -> bytes:
        async with self._pacer.turn() as turn:
            self.traffic.requests += 1

            async def trace(event: str, _: Mapping[str, Any]) -> None:
                if event.endswith("send_request_headers.complete"):
                    turn.sent()  # it has left: from here the source counts
                elif sent is not None and event.endswith("send_request_body.complete"):
                    sent.set()

            request = self._http.build_request(
                "GET", url, timeout=httpx.Timeout(timeout, connect=min(timeout, 20.0)), extensions={"trace": trace}
            )
            try:
                response, body = await self._read(request)
            except httpx.HTTPError as error:
                words = f"{type(error).__name__} {error}".strip()
                raise ApiUnreachable(str(url), None, words) from error
        self.traffic.bytes += len(body)
        if response.status_code == 204:
            return b""
        if response.status_code != 200:
            raise _failure(response, body)
        return body

    async def _read(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """The answer, its body apart: a response lives in a cycle until the collector comes, and eight
        megabytes a page must not wait for that."""
        response = await self._http.send(request, stream=True)
        try:
            return response, b"".join([chunk async for chunk in response.aiter_bytes()])
        finally:
            await response.aclose()


def _decoded(body: bytes, url: str, decode: Callable[[bytes, str], T]) -> T:
    start = body[:200].lstrip()
    if start[:1] == b"<":
        raise UnusableBody(url, 200, f"{_kind(start)} instead of JSON")
    if start.startswith(b'{"codigo"') or start.startswith(b'{"error"'):
        raise_api_error(body, url)
    try:
        return decode(body, url)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnusableBody(url, 200, f"broken JSON of {len(body)} bytes ({error})") from None


class _ApiError(msgspec.Struct):
    codigo: str | None = None
    error: str | None = None
    errores: Any = None


def raise_api_error(body: bytes, url: str) -> None:
    """Raise if the body is one of the API's error objects; an error in a 200 is an error."""
    try:
        said = msgspec.json.decode(body, type=_ApiError)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return
    if said.codigo is None and said.error is None:
        return
    words = f"{said.codigo or 'error'}: {said.error or said.errores or 'no words'}"
    if said.codigo == "ERR_VALIDACION":
        raise RequestRefused(url, 200, words)
    raise ApiOverloaded(url, 200, words)


def _failure(response: httpx.Response, body: bytes) -> RequestFailed:
    url, status = str(response.url), response.status_code
    words = _words(body)
    if status == 429:
        return RateLimited(url, status, words or "too many requests", _retry_after(response))
    if status == 404:
        return PathUnknown(url, status, words or "not found")
    if status in (408, 500, 502, 503, 504):
        if b"ERR_VALIDACION" in body[:200]:
            return RequestRefused(url, status, words)
        return ApiOverloaded(url, status, words or "no words")
    if b"ERR_MANTENIMIENTO" in body[:200]:
        return ApiOverloaded(url, status, words)
    return RequestRefused(url, status, words or "no words")


def _words(body: bytes) -> str:
    """The API's own words: an error object, an array of messages, or the kind of page that came."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _kind(body[:200].lstrip()) if body.strip() else ""
    if isinstance(said, dict):
        return ": ".join(
            str(said[k]) if not isinstance(said[k], list) else "; ".join(map(str, said[k]))
            for k in ("codigo", "error", "errores")
            if said.get(k)
        )[:500]
    if isinstance(said, list):
        return "; ".join(map(str, said))[:500]
    return str(said)[:500]


def _kind(start: bytes) -> str:
    head = start[:15].lower()
    if head.startswith(b"<?xml") or head.startswith(b"<objectnode"):
        return "an XML document"
    return "an HTML page" if head.startswith((b"<!doctype", b"<html", b"<head", b"<body")) else "markup"


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    if not value:
        return None
    try:
        when = email.utils.parsedate_to_datetime(value)
        sent = email.utils.parsedate_to_datetime(response.headers["Date"])
    except (ValueError, KeyError):
        return None
    return (_aware(when) - _aware(sent)).total_seconds()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
