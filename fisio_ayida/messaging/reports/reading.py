"""What a provider's webhook says, as values: reports about our messages, and messages from people.

Here: the types, and reading fields of JSON that nobody has checked. Nothing here raises for what a body holds.
Not here: any provider's field names (``resend.py``, ``evolution.py``, ``meta.py``), storing, acting.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from fisio_ayida.messaging.model import Status

#: The kind of a body that is authentic and no JSON object.
UNREADABLE: Final = "unreadable"
#: Not a closed address: the person told the provider that marketing must stop.
MARKETING_STOPPED: Final = "marketing_stopped"
# Ids, types and codes; no blank and no @, so that a name or an address in their place is left out.
_WORD: Final = re.compile(r"[A-Za-z0-9_.:+/=#-]{1,256}")
# A telephone in the place of an id or a code is left out, too.
_PHONE: Final = re.compile(r"\+?55\d{10,11}")
_EARLIEST: Final = dt.datetime(2009, 1, 1, tzinfo=dt.UTC)
_LATEST: Final = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
_LONGEST_TEXT: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a provider says of one message, or anything else that it tells.

    Args:
        event_id: the same whenever the provider says the same again.
        status: None where it says nothing of the message's way.
        message_id: our number of the message, where the provider hands it back; ``message_key``: our key.
        generation: which of the calls that a person asked for it speaks of, with either of the two.
        recipients: whom the provider sent it to, digits on WhatsApp. Proves that ``message_id`` is one of ours, or
            tells which unknown outcomes it may settle; never stored.
        suppress: why nothing more should go to its address.
        body: what may be stored of the report.
    """

    provider: str
    event_id: str
    kind: str
    body: Mapping[str, Any]
    status: Status | None = None
    provider_id: str | None = None
    message_id: int | None = None
    message_key: str | None = None
    generation: int = 0
    recipients: tuple[str, ...] = field(default=(), repr=False)
    error_code: str | None = None
    suppress: str | None = None
    provider_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What a person wrote, or the button that was pressed.

    Args:
        account: the instance or number that it was written to.
        sender: digits with country code; empty where the provider hides them. ``alias``: what it gives instead.
        quoted_id: the provider's id of the message that it answers.
        button: the pressed button's own id.
    """

    provider: str
    account: str
    provider_id: str
    sender: str = field(repr=False)
    alias: str = field(default="", repr=False)
    quoted_id: str | None = None
    text: str = field(default="", repr=False)
    button: str | None = None
    sent_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """All that one request of a provider says."""

    reports: tuple[Report, ...] = ()
    inbound: tuple[Inbound, ...] = ()


def decoded(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; None if it is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def unreadable(provider: str, body: bytes, event_id: str | None = None) -> Delivery:
    """The record of a body that says nothing, so that it is not lost without a trace."""
    return Delivery(
        (
            Report(
                provider=provider,
                event_id=event_id or f"{UNREADABLE}:{digest(body)}",
                kind=UNREADABLE,
                body={"bytes": len(body)},
            ),
        )
    )


def digest(body: bytes) -> str:
    """Tells bodies apart that have no id."""
    return hashlib.sha256(body).hexdigest()[:32]


def part(value: Any, *path: str) -> dict[str, Any]:
    """The object at a path of objects; empty if something else is there."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def each(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or the one that stands in its place."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def word(value: Any) -> str | None:
    """An id, a type or a code; None if it is missing or could be something else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _WORD.fullmatch(value) or _PHONE.fullmatch(value):
        return None
    return value


def words_of(source: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Those of the named fields that are ids, types or codes: what may be stored."""
    return {name: found for name in names if (found := word(source.get(name))) is not None}


def said(value: Any) -> str:
    """Somebody's words; empty if there are none."""
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""


def seconds(value: Any) -> dt.datetime | None:
    """An instant given in seconds since 1970, as number, digits, or the halves that JavaScript makes of it."""
    if isinstance(value, dict):
        value = value.get("low")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 40:
        return None
    return _plausible(dt.datetime.fromtimestamp(value, dt.UTC))


def instant(value: Any) -> dt.datetime | None:
    """An instant in ISO 8601; None without a zone."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = dt.datetime.fromisoformat(value)
        return None if found.tzinfo is None else _plausible(found.astimezone(dt.UTC))
    except (ValueError, OverflowError):
        return None


def _plausible(at: dt.datetime) -> dt.datetime | None:
    return at if _EARLIEST <= at < _LATEST else None
