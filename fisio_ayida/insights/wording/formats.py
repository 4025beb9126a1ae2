"""Numbers, days and lists as a Brazilian reads them: ``1,4``, ``12/03``, ``há 5 dias``, ``a, b e c``.

Not here: sentences (the modules beside).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from fisio_ayida.insights.facts.limits import LOW_ADHERENCE, SURELY_LOW

if TYPE_CHECKING:
    from babel import Locale

#: Shares at which a rule begins to hold: what is less is never rounded to them.
_THRESHOLDS: Final = (LOW_ADHERENCE, SURELY_LOW)
#: Within it a day is said without its year.
_SAME_YEAR: Final = dt.timedelta(days=270)


def number(value: float, decimals: int | None = None) -> str:
    """With a comma. ``decimals``: at the most; None: two below 10, one below 100, else none."""
    from babel.numbers import format_decimal

    return str(format_decimal(_shown(value, decimals), format="#,##0.##", locale=_locale()))


def percent(share: float) -> str:
    """A share as whole percents; what is not all is never told as all, nor what is not nothing as nothing.

    What is less than a rule's threshold is not told as that: it has as many decimals as that needs.
    """
    whole = min(max(round(share * 100), 1), 99) if 0 < share < 1 else round(share * 100)
    for threshold in _THRESHOLDS:
        if share < threshold <= whole / 100:
            decimals = 1 if round(share * 100, 1) < threshold * 100 else 2
            return f"{number(share * 100, decimals)}%"
    return f"{whole}%"


def count(value: float, one: str, other: str, decimals: int | None = None) -> str:
    """A number with its noun, as Portuguese has it: what is less than two is singular, but for nothing."""
    shown = _shown(value, decimals)
    singular = shown != 0 and _locale().plural_form(abs(shown)) == "one"
    return f"{number(value, decimals)} {one if singular else other}"


def day(value: dt.date, today: dt.date) -> str:
    """``12/03``; with its year if it lies far from today."""
    return f"{value:%d/%m}" if abs(value - today) <= _SAME_YEAR else f"{value:%d/%m}/{value.year:04}"


def ago(days: float) -> str:
    """A moment of the past, by whole days."""
    return {0: "hoje", 1: "ontem"}.get(int(days)) or f"há {count(days, 'dia', 'dias')}"


def ahead(days: float) -> str:
    """A moment to come, by whole days."""
    return {0: "hoje", 1: "amanhã"}.get(int(days)) or f"em {count(days, 'dia', 'dias')}"


def joined(words: Sequence[str]) -> str:
    """``a, b e c``."""
    from babel.lists import format_list

    return str(format_list(list(words), locale=_locale())) if words else ""


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def _shown(value: float, decimals: int | None) -> float:
    if decimals is None:
        decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return round(value, decimals) + 0.0


@cache
def _locale() -> Locale:
    from babel import Locale

    return Locale("pt", "BR")
