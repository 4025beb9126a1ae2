"""From a value to the text that a person reads, in Brazilian Portuguese, never by the machine's locale.

Here: one function a kind; a native value and its JSON form (ISO text, decimal text) give the same text.
Not here: which template has which variable, and escaping for HTML.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from babel import Locale

#: Dates, times and amounts repeat in a batch, and Babel takes its time.
_REMEMBERED: Final = 4096
_CENTAVO: Final = Decimal("0.01")
#: Emoji are joined by the first two; every other invisible character only hides or turns text around.
_KEPT_INVISIBLE: Final = "\u200d\u200c"
# WhatsApp reads these at the edge of a word as bold, italic and struck; a backtick anywhere as code.
_WHATSAPP_MARKS: Final = re.compile(r"`+|(?<!\w)[*_~]+|[*_~]+(?!\w)")
_AS_TYPED_CAPITALS: Final = 3


class FormatError(ValueError):
    """A value is not of its kind; the text says what was expected, never the value."""


class Day(NamedTuple):
    """A civil day in words."""

    text: str
    weekday: str
    number: str
    month: str


def text(value: Any) -> str:
    """One line without control characters, bidirectional overrides and doubled spaces."""
    if not isinstance(value, str):
        raise FormatError("a text")
    if not value.isprintable():
        value = "".join(_visible(character) for character in value)
    return " ".join(value.split())


def person(value: Any) -> str:
    """The first word of a full or social name, as stored; a word wholly in capitals is not shouted."""
    words = text(value).split()
    word = next((word for word in words if any(map(str.isalpha, word))), words[0] if words else "")
    return word.title() if len(word) >= _AS_TYPED_CAPITALS and word.isupper() else word


def day(value: Any) -> str:
    """A date, dd/mm/yyyy."""
    return as_day(value).text


def as_day(value: Any) -> Day:
    """A date and its parts in words."""
    if isinstance(value, str) or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return _day(value)
    raise FormatError("a date or its ISO text")


def clock(value: Any) -> str:
    """A civil time, HH:MM."""
    if isinstance(value, str | dt.time):
        return _clock(value)
    raise FormatError("a time without zone or its ISO text")


def moment(value: Any) -> str:
    """A civil date and time."""
    if isinstance(value, str | dt.datetime):
        return _moment(value)
    raise FormatError("a date and time without zone or its ISO text")


def money(value: Any) -> str:
    """Reais with centavos; the space does not break at a line's end."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str | float):
        raise FormatError("an amount of reais")
    try:
        # A float's shortest text is what was meant: 149.9 is 149,90.
        amount = Decimal(str(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise FormatError("an amount of reais") from None
    if not amount.is_finite() or amount < 0 or amount >= 10**12:
        raise FormatError("an amount of reais, from 0 to a million million")
    return _money(amount.quantize(_CENTAVO))


def count(value: Any, noun: tuple[str, str] | None = None) -> str:
    """A whole number, with its noun in the singular or plural."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FormatError("a whole number from 0")
    return _count(value, noun)


def texts(value: Any) -> list[str]:
    """Several lines of :func:`text`."""
    return [text(item) for item in sequence(value)]


def joined(words: Sequence[str]) -> str:
    """Words as a Portuguese list: "09:00, 10:00 e 14:30"."""
    from babel.lists import format_list

    return str(format_list(list(words), locale=_locale())) if words else ""


def sequence(value: Any) -> Sequence[Any]:
    """The items of a list. Raises :class:`FormatError` for anything else."""
    if not isinstance(value, list | tuple):
        raise FormatError("a list")
    return value


def without_marks(value: str) -> str:
    """A text in which WhatsApp finds nothing to make bold, italic, struck or code."""
    if "*" in value or "_" in value or "~" in value or "`" in value:
        return " ".join(_WHATSAPP_MARKS.sub("", value).split())
    return value


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs" or character in "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return " "
    return "" if category in ("Cc", "Cf", "Cs") and character not in _KEPT_INVISIBLE else character


@cache
def _locale() -> Locale:
    from babel import Locale

    return Locale("pt", "BR")


@lru_cache(_REMEMBERED)
def _day(value: str | dt.date) -> Day:
    from babel.dates import format_date

    try:
        date = dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise FormatError("a date or its ISO text") from None
    return Day(
        format_date(date, "dd/MM/yyyy", locale=_locale()),
        format_date(date, "EEEE", locale=_locale()),
        format_date(date, "d", locale=_locale()),
        format_date(date, "MMMM", locale=_locale()),
    )


@lru_cache(_REMEMBERED)
def _clock(value: str | dt.time) -> str:
    try:
        time = dt.time.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        time = None
    if time is None or time.tzinfo is not None:
        raise FormatError("a time without zone or its ISO text")
    return f"{time:%H:%M}"


@lru_cache(_REMEMBERED)
def _moment(value: str | dt.datetime) -> str:
    try:
        at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise FormatError("a date and time without zone or its ISO text")
    return f"{_day(at.date()).text} às {at:%H:%M}"


@lru_cache(_REMEMBERED)
def _money(amount: Decimal) -> str:
    from babel.numbers import format_currency

    return str(format_currency(amount, "BRL", locale=_locale()))


@lru_cache(_REMEMBERED)
def _count(number: int, noun: tuple[str, str] | None) -> str:
    from babel.numbers import format_decimal

    shown = str(format_decimal(number, locale=_locale()))
    if noun is None:
        return shown
    one, other = noun
    return f"{shown} {one if _locale().plural_form(number) == 'one' else other}"
