"""Measurements over time: each name and unit is a series of its own.

Here: which series there are. Not here: how they go (``series.py``); what a value means for a joint or a muscle is
the professional's to say.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from fisio_ayida.insights.facts.limits import MEASUREMENTS, MOST_MEASUREMENTS
from fisio_ayida.insights.facts.series import Asked, daily, trend
from fisio_ayida.insights.facts.usable import Usable, is_usable, until
from fisio_ayida.insights.model import Fact, Measurement, Session

#: Units as they are shown, and how else they are written. Any other is free text, and told with the name.
_WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "°": ("°", "º", "grau", "graus", "deg"), "cm": ("cm", "cms", "centímetro", "centímetros"),
    "mm": ("mm", "milímetro", "milímetros"), "m": ("m", "metro", "metros"),
    "kg": ("kg", "kgs", "quilo", "quilos"), "kgf": ("kgf",), "N": ("n", "newton", "newtons"), "Nm": ("nm", "n.m"),
    "s": ("s", "seg", "segundo", "segundos"), "min": ("min", "minuto", "minutos"), "%": ("%",),
    "mmHg": ("mmhg",), "bpm": ("bpm",), "pontos": ("ponto", "pontos", "pts"),
    "repetições": ("rep", "reps", "repetição", "repetições"),
}  # fmt: skip


def trends(usable: Usable) -> tuple[Fact, ...]:
    """How the series with the most days go, in their unit a month.

    Formula: :func:`fisio_ayida.insights.facts.series.trend` of the last 180 days, for each name and unit; case,
    accents and blanks make no other name. Their subject is the name as it was written last, their place that of
    the order by days with a value, then by name and unit.

    Inputs: the sessions of the window that have a value of the series.
    """
    window = until(usable.today, MEASUREMENTS)
    series: dict[tuple[str, str], list[tuple[Session, Measurement]]] = {}
    for session in usable.within(window):
        for each in session.measurements:
            if key(each.name) and is_usable(each.value):
                series.setdefault((key(each.name), unit_of(each.unit) or key(each.unit)), []).append(
                    (session, each)
                )
    points = {of: daily((session, each.value) for session, each in said) for of, said in series.items()}
    chosen = sorted(points, key=lambda of: (-len(points[of]), of))[:MOST_MEASUREMENTS]
    return tuple(
        trend(usable, points[of], _asked(place, series[of][-1][1]), window) for place, of in enumerate(chosen, 1)
    ) or (trend(usable, (), _NONE, window),)


def key(written: str) -> str:
    """A name or unit without case, accents and needless blanks."""
    apart = unicodedata.normalize("NFKD", written.casefold())
    return " ".join("".join(each for each in apart if not unicodedata.combining(each)).split())


def unit_of(written: str) -> str:
    """A unit that is known, as it is shown; else empty."""
    return _UNITS.get(key(written), "")


_UNITS: Final = {key(each): shown for shown, written in _WRITTEN.items() for each in written}
_NONE: Final = Asked(name="measurement_trend", unit="", none="no_measurement", few="too_few_measurements")


def _asked(place: int, last: Measurement) -> Asked:
    unit, name = unit_of(last.unit), " ".join(last.name.split())
    subject = name if unit or not key(last.unit) else f"{name} ({' '.join(last.unit.split())})"
    return Asked(name=_NONE.name, unit=unit, none=_NONE.none, few=_NONE.few, place=place, subject=subject)
