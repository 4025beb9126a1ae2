"""A fact's value with its unit, in Portuguese.

Not here: numbers by themselves (``formats.py``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final

from fisio_ayida.insights.facts.limits import PER
from fisio_ayida.insights.model import Verdict
from fisio_ayida.insights.wording.formats import count, number, percent

#: Units of facts that are words, in singular and plural; all others are said as they are.
_NOUNS: Final[Mapping[str, tuple[str, str]]] = {
    "days": ("dia", "dias"),
    "points": ("ponto", "pontos"),
    "repetitions": ("repetição", "repetições"),
    "sessions": ("sessão", "sessões"),
    "pontos": ("ponto", "pontos"),
    "repetições": ("repetição", "repetições"),
}
#: Visits whose status and session contradict each other.
CONTRADICTING: Final = (
    "visita marcada como falta em dia com sessão finalizada",
    "visitas marcadas como falta em dias com sessão finalizada",
)
#: How a series goes.
VERDICTS: Final[Mapping[Verdict, str]] = {
    "rising": "subindo", "falling": "caindo", "steady": "estável", "unclear": "sem direção clara",
}  # fmt: skip
#: The same of a series that has ended.
PAST: Final[Mapping[Verdict, str]] = {
    "rising": "subiu", "falling": "caiu", "steady": "ficou estável", "unclear": "sem direção clara",
}  # fmt: skip
#: Written without a blank.
_CLOSE: Final = frozenset({"°", "%"})
#: From here on decimals are noise.
_WHOLE: Final = 100
#: Of a slope: for how many days it is told.
_SLOPE: Final = re.compile(r"/(\d+) d$")


def base(unit: str) -> str:
    """The unit of a slope's values."""
    return _SLOPE.sub("", unit)


def told_for(unit: str) -> dt.timedelta:
    """For how long a slope is told: a month, or all of a series that is shorter."""
    found = _SLOPE.search(unit)
    return dt.timedelta(days=int(found[1])) if found else PER


def with_unit(value: float, unit: str) -> str:
    """``83%``, ``3 pontos``, ``110°``, ``630 kg``; a slope: ``-2,1 pontos a cada 30 dias``."""
    if _SLOPE.search(unit):
        return f"{rate(value, base(unit))} {every(unit)}"
    return percent(value) if unit == "ratio" else _said(value, unit)


def rate(value: float, unit: str = "") -> str:
    """A slope's number: an estimate, which more decimals would make no better."""
    return _said(value, unit, 2 if abs(value) < 1 else 1 if abs(value) < _WHOLE else 0)


def every(unit: str) -> str:
    """In what a slope changes so much: ``a cada 30 dias``, or, of a shorter series, ``em 14 dias``."""
    days = told_for(unit)
    return f"a cada {days.days} dias" if days >= PER else f"em {days.days} dias"


def _said(value: float, unit: str, decimals: int | None = None) -> str:
    if unit in _NOUNS:
        return count(value, *_NOUNS[unit], decimals)
    shown = number(value, decimals)
    return f"{shown}{unit}" if unit in _CLOSE or not unit else f"{shown} {unit}"
