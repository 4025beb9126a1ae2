"""Values over days, and how they go: a slope that one odd value does not turn, with its uncertainty.

Here: what pain, measurements and exercises have in common. Not here: where their values come from.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import NormalDist
from typing import Final

from fisio_ayida.insights.facts.limits import CONFIDENCE, CURRENT, LEAST_TREND_DAYS, LEAST_TREND_SPAN, PER
from fisio_ayida.insights.facts.usable import Usable, Window
from fisio_ayida.insights.model import Fact, Session, Verdict

#: Of the normal distribution.
Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


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
        steady: in ``unit`` a :data:`PER`; what surely changes less is steady.
        scale: between the least and the most that a value can be.
    """

    name: str
    unit: str
    none: str
    few: str
    steady: float = 0.0
    scale: float = math.inf
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
    slope (Theil–Sen), told for 30 days, or for the days that the series spans, if these are fewer; ``unit`` says
    for how many. Its interval is Sen's (1968). No change is told as more than the series' values differ by, and no
    end of an interval as more than the scale has. The verdict is ``rising`` or ``falling`` if that many more pairs
    rise than fall by chance in less than 5 % of cases (Mann–Kendall, with ties), ``steady`` if the interval lies
    within ``steady`` of zero, else ``unclear``.

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
    told = min(points[-1].day - points[0].day, PER)
    value, low, high = _slope(points, told, asked.scale)
    return replace(
        fact, value=value, low=low, high=high, unit=f"{asked.unit}/{told.days} d",
        verdict=_verdict(points, (value, low, high), asked.steady * (told / PER)),
    )  # fmt: skip


def is_current(trend: Fact, today: dt.date) -> bool:
    """Whether the newest value of a series is new enough to say that it goes on."""
    return trend.last is not None and today - trend.last <= CURRENT


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


def _slope(points: Sequence[Point], told: dt.timedelta, scale: float) -> tuple[float, float, float]:
    """The change in so many days, and its interval."""
    from scipy.stats import theilslopes

    values = [point.value for point in points]
    found = theilslopes(values, [(point.day - points[0].day) / told for point in points], CONFIDENCE)
    # Days side by side weigh as much as others: of them alone, pain could fall by more than there is.
    seen = max(values) - min(values)
    value = _within(float(found.slope), seen)
    # Of an interval, the end that is nearer to zero says how much at the least.
    low = _within(float(found.low_slope), seen if found.low_slope > 0 else scale)
    high = _within(float(found.high_slope), seen if found.high_slope < 0 else scale)
    return rounded(value), rounded(low), rounded(high)


def _within(value: float, most: float) -> float:
    return max(-most, min(value, most))


def _verdict(points: Sequence[Point], slope: tuple[float, float, float], steady: float) -> Verdict:
    value, low, high = slope
    balance, spread = _balance([point.value for point in points])
    # Of many equal values the middle slope is zero, however the others lie: that is no size to be told.
    if value and abs(balance) - 1 > Z * spread:
        return "rising" if balance > 0 else "falling"
    return "steady" if -steady <= low and high <= steady else "unclear"


def _balance(values: Sequence[float]) -> tuple[int, float]:
    """Pairs that rise less pairs that fall, and the standard deviation of that by chance, equal values minded."""
    balance = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    ties = sum(_squares(many) for many in Counter(values).values())
    return balance, math.sqrt((_squares(len(values)) - ties) / 18)


def _squares(many: int) -> int:
    return many * (many - 1) * (2 * many + 5)
