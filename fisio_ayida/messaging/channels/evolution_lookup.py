"""Finding a message again in what Evolution has stored (CONTRACT clinic §6.3, §6.4, §14.3).

Here: pure functions: by which addresses a number may be stored, and which record is ours. Not here: the calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any, Final

from fisio_ayida.messaging.channels.whatsapp_parts import media_of
from fisio_ayida.messaging.model import WhatsappContent

PAGE: Final = 50
_SUFFIX: Final = "@s.whatsapp.net"
_CLOCKS_DIFFER: Final = dt.timedelta(minutes=1)
_LONGEST_CALL: Final = dt.timedelta(minutes=15)
_FIRST_REGION_WITHOUT_NINTH_DIGIT: Final = 31
_FIRST_MOBILE_DIGIT: Final = "7"


def ninth_digit_variants(digits: str) -> tuple[str, ...]:
    """A Brazilian number with and without its ninth digit, the one that Evolution tries first in front."""
    if not digits.startswith("55") or len(digits) not in (12, 13):
        return (digits,)
    region, subscriber = digits[2:4], digits[4:]
    if len(subscriber) == 8:
        return digits, f"55{region}9{subscriber}"
    without = f"55{region}{subscriber[1:]}"
    keeps = int(region) < _FIRST_REGION_WITHOUT_NINTH_DIGIT or subscriber[1] < _FIRST_MOBILE_DIGIT
    return (digits, without) if keeps else (without, digits)


def jids(digits: str) -> tuple[str, ...]:
    """The addresses under which messages to this number may be stored, the likeliest first."""
    return tuple(variant + _SUFFIX for variant in ninth_digit_variants(digits))


class Ours:
    """Which record is our message: sent by us, in the time of its calls, with exactly its words.

    Args:
        first_called_at: the first call.
        until: the end of the time to look at, where a later call than the first may be the one; else None.
    """

    def __init__(self, content: WhatsappContent, first_called_at: dt.datetime, until: dt.datetime | None) -> None:
        media = media_of(content)
        self._part = None if media is None else f"{media.kind}Message"
        #: Without words one picture cannot be told from another, nor a template from itself with other variables.
        self.words = content.text or ""
        self.since = first_called_at - _CLOCKS_DIFFER
        self.until = max(first_called_at + _LONGEST_CALL, until or first_called_at)

    def where(self, jid: str) -> dict[str, Any]:
        """The question for one address."""
        return {
            "key": {"remoteJid": jid, "fromMe": True},
            "messageTimestamp": {"gte": _iso(self.since), "lte": _iso(self.until)},
        }

    def earliest(self, records: Iterable[Any], taken: Collection[str] = ()) -> str | None:
        """The id of the earliest record that is ours. ``taken``: other messages, with the same words perhaps."""
        stamped = [(_stamp(record), self._id(record)) for record in records]
        found = [(stamp, id) for stamp, id in stamped if stamp and id and id not in taken]
        inside = [each for each in found if self.since.timestamp() <= each[0] <= self.until.timestamp()]
        return min(inside)[1] if inside else None

    def _id(self, record: Any) -> str | None:
        if not isinstance(record, dict):
            return None
        key, message = record.get("key"), record.get("message")
        if not isinstance(key, dict) or key.get("fromMe") is not True or not isinstance(message, dict):
            return None
        id = key.get("id")
        return id if isinstance(id, str) and id and self.words and self._said(message) == self.words else None

    def _said(self, message: dict[str, Any]) -> Any:
        if self._part is None:
            extended = message.get("extendedTextMessage")
            return message.get("conversation") or (extended.get("text") if isinstance(extended, dict) else None)
        # A document with words is wrapped once more.
        wrapped = message.get("documentWithCaptionMessage")
        inner = wrapped.get("message") if isinstance(wrapped, dict) else None
        part = (inner if isinstance(inner, dict) else message).get(self._part)
        return part.get("caption") if isinstance(part, dict) else None


def _stamp(record: dict[str, Any]) -> float | None:
    """Seconds since 1970, which some stores write as text."""
    value = record.get("messageTimestamp")
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _iso(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
