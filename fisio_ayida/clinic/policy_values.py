"""The values of a clinic's rules as text: what an operator may write, and how it is shown.

Each ``as_…`` reads one kind of value, or raises ValueError with what is expected, to be said after "is not". Not
here: which rule has which kind (``policies.py``).
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zoneinfo
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from fisio_ayida.clinic import reminder_rules
from fisio_ayida.messaging.addresses import AddressError, canonical

_NONE: Final = dt.timedelta(0)
_UNITS: Final[Mapping[str, dt.timedelta]] = {
    "day": dt.timedelta(days=1), "hour": dt.timedelta(hours=1), "minute": dt.timedelta(minutes=1),
    "second": dt.timedelta(seconds=1),
}  # fmt: skip
_LENGTH: Final = re.compile(r"([0-9]{1,6})\s*(day|hour|minute|second)s?\s*")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def shown(value: Any) -> str:
    """A rule's value as text that could be given again."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dt.timedelta():
            return _length_of(value)
        case dt.time():
            return f"{value:%H:%M}"
        case str() | int():
            return str(value)
        case Decimal():
            return f"{value.normalize():f}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def as_zone(text: str) -> str:
    """An IANA name."""
    if text not in zoneinfo.available_timezones():
        raise ValueError("an IANA time zone, such as America/Sao_Paulo")
    return text


def as_clock(text: str) -> dt.time:
    """A civil time, HH:MM."""
    if not _CLOCK.fullmatch(text):
        raise ValueError("a time of the day, such as 21:00")
    return dt.time.fromisoformat(text)


def as_flag(text: str) -> bool:
    """Yes or no."""
    if text.lower() not in _FLAGS:
        raise ValueError("true or false")
    return _FLAGS[text.lower()]


def as_one_of(*known: str) -> Callable[[str], str]:
    """One of these words."""

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return text

    return read


def as_number(first: int, last: int) -> Callable[[str], int]:
    """A whole number from ``first`` to ``last``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not first <= int(text) <= last:
            raise ValueError(f"a whole number from {first} to {last}")
        return int(text)

    return read


def as_money(text: str) -> Decimal:
    """An amount, to the hundredth of a cent."""
    if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,4})?", text):
        raise ValueError("an amount of money, such as 2.50")
    return Decimal(text)


def as_length(longest: dt.timedelta) -> Callable[[str], dt.timedelta]:
    """A length of time, from none to ``longest``, which is of whole days."""

    def read(text: str) -> dt.timedelta:
        parts = _LENGTH.findall(text)
        length = sum((int(many) * _UNITS[unit] for many, unit in parts), _NONE)
        if not parts or _LENGTH.sub("", text) or length > longest:
            raise ValueError(f"a length of time up to {longest.days} days, such as 2 hours or 1 day 12 hours")
        return length

    return read


def as_line(longest: int) -> Callable[[str], str]:
    """Free text on one line."""

    def read(text: str) -> str:
        if len(text) > longest or not text.isprintable():
            raise ValueError(f"one line of at most {longest} characters")
        return text

    return read


def as_mail(text: str) -> str:
    """An e-mail address in its canonical form, or nothing."""
    try:
        return canonical("email", text) if text else ""
    except AddressError:
        raise ValueError("an e-mail address") from None


def as_reminder_rules(text: str) -> list[Any]:
    """A list of reminder rules in JSON. Raises RuleError, too, which names the rule's field."""
    try:
        rules = json.loads(text)
        # What JSON can escape, but no text can hold.
        json.dumps(rules, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("a list of rules in JSON (docs/clinic.md)") from None
    reminder_rules.parse(rules)
    return list(rules)


def _length_of(length: dt.timedelta) -> str:
    words, rest = [], length
    for name, unit in _UNITS.items():
        many, rest = divmod(rest, unit)
        if many:
            words.append(f"{many} {name}{'' if many == 1 else 's'}")
    return " ".join(words) or "0 minutes"
