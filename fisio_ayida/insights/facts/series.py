"""Values over days, and how they go: a slope that one odd value does not turn, with its uncertainty.

Here: what pain, measurements and exercises have in common. Not here: where their values come from.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fisio_ayida.insights.facts.limits import CONFIDENCE, LEAST_TREND_DAYS, LEAST_TREND_SPAN, PER
from fisio_ayida.insights.facts.usable import Usable, Window
from fisio_ayida.insights.model import Fact, Session, Verdict


@dataclass(frozen=True, slots=True)
class Point:
    """A day's value: the median of what its sessions say. ``sessions``: their ids."""

    day: dt.date
    value: float
    sessions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of what a trend is looked for.

    Args:
        unit: of its values.
        none, few: words for what is missing, if there is no value, and if there are too few days with one.
        steady: in ``unit`` a month; what surely changes less is steady.
    """

    name: str
    unit: str
    none: str
    few: str
    steady: float = 0.0
    place: int = 0
    subject: str = ""


def daily(values: Iterable[tuple[Session, float]]) -> tuple[Point, ...]:
    """One point a day, in order."""
    days: dict[dt.date, list[tuple[str, float]]] = {}
    for session, value in values:
        days.setdefault(session.day, []).append((session.id, value))
    return tuple(
        Point(day, statistics.median(value for _, value in said), tuple(dict.fromkeys(id for id, _ in said)))
        for day, said in sorted(days.items())
    )


def inputs(points: Iterable[Point]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for point in points for id in point.sessions))


def trend(usable: Usable, points: Sequence[Point], asked: Asked, window: Window) -> Fact:
    """How a series goes.

    Formula: of every two days, the difference of their values by the days between them; the median of these is the
    slope (Theil–Sen), times 30 days. Its interval is Sen's (1968), which counts how many pairs rise and fall. The
    verdict is ``rising`` or ``falling`` if the interval excludes zero, ``steady`` if it lies within ``steady`` of
    zero, else ``unclear``.

    Inputs: the sessions of the points. ``of``: the first and the newest value; first and last: their days.
    """
    ends = (points[0].day, points[-1].day) if points else (window.first, window.last)
    values = {"first": points[0].value} if len(points) > 1 else {}
    if points:
        values["newest"] = points[-1].value
    missing = _missing(usable, points, asked)
    fact = Fact(
        name=asked.name, place=asked.place, subject=asked.subject, unit=f"{asked.unit}/{PER.days} d",
        count=len(points), first=ends[0], last=ends[1], missing=missing, inputs=inputs(points),
        of={name: rounded(value) for name, value in values.items()},
    )  # fmt: skip
    if missing:
        return fact
    value, low, high = _slope(points)
    return replace(fact, value=value, low=low, high=high, verdict=_verdict(low, high, asked.steady))


def rounded(value: float) -> float:
    """As facts keep numbers: four decimals, and no zero with a sign."""
    return round(value, 4) + 0.0


def _missing(usable: Usable, points: Sequence[Point], asked: Asked) -> str:
    if not usable.has_sessions:
        return "too_few_sessions"
    if not points:
        return asked.none
    if len(points) < LEAST_TREND_DAYS:
        return asked.few
    return "too_short" if points[-1].day - points[0].day < LEAST_TREND_SPAN else ""


def _slope(points: Sequence[Point]) -> tuple[float, float, float]:
    """The slope a :data:`PER`, and its interval."""
    from scipy.stats import theilslopes

    found = theilslopes(
        [point.value for point in points], [(point.day - points[0].day) / PER for point in points], CONFIDENCE
    )
    value, low, high = (rounded(float(each)) for each in (found.slope, found.low_slope, found.high_slope))
    return value, low, high


def _verdict(low: float, high: float, steady: float) -> Verdict:
    if low > 0:
        return "rising"
    if high < 0:
        return "falling"
    return "steady" if -steady <= low and high <= steady else "unclear"
