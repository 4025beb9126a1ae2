"""Single values in a session's lists: names, numbers as people write them in Brazil, lengths of time.

What cannot be used is an error that says its place, its type and what is expected, and never its words, which may
be about somebody. Not here: the lists (``contents.py``).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

#: Characters of a name that are kept.
LONGEST_NAME: Final = 120
#: Characters of a unit or a side; what is longer is none.
LONGEST_WORD: Final = 20
#: Fields of an object that are looked at.
MOST_FIELDS: Final = 50
_DAY: Final = 86_400.0

# 12 · 12,5 · 12.5 kg · -3 °; not 10-12, not 3x10.
_NUMBER: Final = re.compile(r"([+-]?[0-9]{1,9}(?:[.,][0-9]{1,9})?)\s*((?:[^\W\d_]|[°º%'\"])[^\d\s]{0,14})?")
# A thousand, or one and no thousandths: both are written so.
_AMBIGUOUS: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_SECONDS: Final = {"": 1.0, "s": 1.0, "seg": 1.0, "segundo": 1.0, "segundos": 1.0, "sec": 1.0, "second": 1.0,
                   "seconds": 1.0, "min": 60.0, "minuto": 60.0, "minutos": 60.0, "minute": 60.0,
                   "minutes": 60.0}  # fmt: skip


class Unusable(ValueError):
    """A value cannot be used; the text says where it stands and what is expected there."""


def fields_of(element: Mapping[Any, Any]) -> dict[str, Any]:
    """An object's fields by their names without case, accents and punctuation; of equal ones, the first."""
    fields: dict[str, Any] = {}
    for name, value in list(element.items())[:MOST_FIELDS]:
        plain = unicodedata.normalize("NFKD", str(name)[:LONGEST_NAME]).casefold()
        fields.setdefault("".join(sign for sign in plain if sign.isalnum() and sign.isascii()), value)
    return fields


def text(place: str, value: Any) -> str:
    """A name on one line, not longer than :data:`LONGEST_NAME`."""
    if not isinstance(value, str):
        raise Unusable(f"{place}: {said(value)}, a text is expected")
    words = " ".join(value[: 4 * LONGEST_NAME].split())[:LONGEST_NAME].rstrip()
    if not words:
        raise Unusable(f"{place}: empty, a text is expected")
    return words


def word(place: str, value: Any) -> str:
    """A unit or a side."""
    found = text(place, value)
    if len(found) > LONGEST_WORD:
        raise Unusable(f"{place}: a long text, a word is expected")
    return found


def number(place: str, value: Any, least: float, most: float) -> tuple[float, str]:
    """A number, and the unit that is written behind it, if one is."""
    unit = ""
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value[:LONGEST_NAME].strip())
        if match is None or _AMBIGUOUS.fullmatch(match[1]):
            raise Unusable(f"{place}: text, a number is expected")
        value, unit = float(match[1].replace(",", ".")), (match[2] or "").strip()
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable(f"{place}: {said(value)}, a number is expected")
    if not math.isfinite(value) or not least <= value <= most:
        raise Unusable(f"{place}: {least:g} to {most:g} is expected")
    return float(value), unit


def seconds(place: str, value: Any) -> float:
    """A length of time in seconds; a number without a unit is one of seconds."""
    length, unit = number(place, value, 0, _DAY)
    factor = _SECONDS.get(unit.lower().rstrip("."))
    if factor is None:
        raise Unusable(f"{place}: another unit, seconds or minutes are expected")
    return length * factor


def said(value: Any) -> str:
    """What a value is, without saying it."""
    match value:
        case None:
            return "missing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
