"""What an answer of the BDNS says when it is not what was asked for: errors in all their shapes.

A 200 that is an error, an error object, an array of messages, a page (CONTRACT §1.5). Asking is ``client.py``'s.
"""

from __future__ import annotations

import email.utils
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import msgspec

from fisio_ayida.bdns.errors import (
    ApiOverloaded,
    PathUnknown,
    RateLimited,
    RequestFailed,
    RequestRefused,
    UnusableBody,
)

T = TypeVar("T")


def decoded(body: bytes, url: str, decode: Callable[[bytes, str], T]) -> T:
    """What ``decode`` makes of a body that is no error; raises :class:`UnusableBody` or the API's own error."""
    start = body[:200].lstrip()
    if start[:1] == b"<":
        raise UnusableBody(url, 200, f"{kind_of_page(start)} instead of JSON")
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


def failure(response: httpx.Response, body: bytes) -> RequestFailed:
    """The error that a status other than 200 and 204 stands for."""
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
        return kind_of_page(body[:200].lstrip()) if body.strip() else ""
    if isinstance(said, dict):
        return ": ".join(
            str(said[k]) if not isinstance(said[k], list) else "; ".join(map(str, said[k]))
            for k in ("codigo", "error", "errores")
            if said.get(k)
        )[:500]
    if isinstance(said, list):
        return "; ".join(map(str, said))[:500]
    return str(said)[:500]


def kind_of_page(start: bytes) -> str:
    """What a body that begins with ``<`` is, in words."""
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
