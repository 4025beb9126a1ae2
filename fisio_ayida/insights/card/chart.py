"""Where things stand in the picture of a patient's page: pain over time, and below it each visit.

Across, places are percents of a width that is the reader's, so that letters keep their size on a telephone; down,
they are pixels. Not here: drawing them (``page.html.j2``), and computing a trend (``facts/``).
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fisio_ayida.insights.facts.limits import PAIN
from fisio_ayida.insights.facts.usable import pain_of
from fisio_ayida.insights.model import Fact, Record, Session, StatusClass, Visit
from fisio_ayida.insights.wording.units import told_for

#: What is drawn at the least, so that two sessions are not at the two ends of the paper.
LEAST: Final = dt.timedelta(days=28)
#: Where pain 10 and pain 0 are, in pixels from the top.
TOP, BOTTOM = 24, 184
#: The first lane of visits, and how far the next one is below it.
LANES, LANE = 220, 18
#: Left of it stand the numbers of the scale.
LEFT, RIGHT = 8.0, 98.0
_WORST: Final = 10
_TICKS: Final = 4
#: Days with a pain record that can have a line.
_LEAST_DAYS: Final = 2
_A_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of visit in the picture. ``name``: of its shape and colour; ``word``: for people."""

    name: str
    word: str


_DONE, _ABSENT = Kind("done", "compareceu"), Kind("absent", "faltou")
_CANCELLED, _UNTOLD = Kind("cancelled", "cancelou ou remarcou"), Kind("untold", "sem registro do que houve")
#: In the order of their lanes.
KINDS: Final = (_DONE, _ABSENT, _CANCELLED, _UNTOLD)
#: Of a visit whose day has passed.
_KINDS: Final[Mapping[StatusClass, Kind]] = {
    "done": _DONE, "absent": _ABSENT, "cancelled": _CANCELLED, "to_rebook": _CANCELLED, "upcoming": _UNTOLD,
    "confirmed": _UNTOLD, "other": _UNTOLD, "unknown": _UNTOLD,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dot:
    """The pain of a session. ``anchor``: by which citations lead to it; ``x``: percent; ``y``: pixels."""

    anchor: str
    x: float
    y: float
    pain: int
    day: dt.date


@dataclass(frozen=True, slots=True)
class Mark:
    """A visit on a day that has come; ``y``: its lane."""

    x: float
    y: float
    kind: Kind
    day: dt.date


@dataclass(frozen=True, slots=True)
class Tick:
    """A day under the picture. ``anchor``: at which of its letters ``x`` is."""

    x: float
    day: dt.date
    anchor: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The picture.

    Args:
        line: the trend's ends, as points of an SVG of 100 by (BOTTOM - TOP); empty: there is none.
        band: within which it lies with 95 % certainty, in the same manner.
        kinds: the lanes that there are, each with its place.
        height: in pixels.
    """

    first: dt.date
    last: dt.date
    dots: tuple[Dot, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    line: str
    band: str
    kinds: tuple[tuple[Kind, float], ...]
    height: float


@dataclass(frozen=True, slots=True)
class _Axis:
    first: dt.date
    last: dt.date

    def x(self, day: dt.date) -> float:
        share = (day - self.first) / (self.last - self.first)
        return round(LEFT + share * (RIGHT - LEFT), 2)


def draw(record: Record, trend: Fact | None, anchors: Mapping[str, str]) -> Chart | None:
    """The picture of a record; None if there is nothing to be seen.

    Args:
        trend: of pain.
        anchors: of sessions, by id.
    """
    since = record.today - PAIN + _A_DAY
    visits = [visit for visit in record.visits if since <= visit.day <= record.today]
    rated = [
        (each, pain) for each in record.sessions
        if since <= each.day <= record.today and (pain := pain_of(each)) is not None
    ]  # fmt: skip
    if not visits and not rated:
        return None
    earliest = min([each.day for each in visits] + [each.day for each, _ in rated])
    axis = _Axis(min(earliest, record.today - LEAST), record.today)
    kinds = tuple(kind for kind in KINDS if any(_KINDS[visit.status] is kind for visit in visits))
    lanes = {kind.name: float(LANES + LANE * place) for place, kind in enumerate(kinds)}
    line, band = _trend(trend, rated, axis)
    return Chart(
        first=axis.first, last=axis.last,
        dots=tuple(
            Dot(anchors[each.id], axis.x(each.day), _y(pain), int(pain), each.day) for each, pain in rated
        ),
        marks=tuple(_mark(visit, axis, lanes) for visit in visits),
        ticks=tuple(_ticks(axis)), line=line, band=band,
        kinds=tuple((kind, lanes[kind.name]) for kind in kinds), height=LANES + LANE * len(kinds) + 12,
    )  # fmt: skip


def _mark(visit: Visit, axis: _Axis, lanes: Mapping[str, float]) -> Mark:
    kind = _KINDS[visit.status]
    return Mark(axis.x(visit.day), lanes[kind.name], kind, visit.day)


def _ticks(axis: _Axis) -> list[Tick]:
    length = (axis.last - axis.first).days
    days = [axis.first + round(length * place / (_TICKS - 1)) * _A_DAY for place in range(_TICKS)]
    anchors = ["start", *["middle"] * (_TICKS - 2), "end"]
    return [Tick(axis.x(day), day, anchor) for day, anchor in zip(days, anchors, strict=True)]


def _trend(trend: Fact | None, rated: Sequence[tuple[Session, float]], axis: _Axis) -> tuple[str, str]:
    """The ends of the line, and of the fan of slopes within which it lies; both turn on the middle of the days.

    Only where there is a verdict: a line through fewer points would show what nobody knows.
    """
    if trend is None or trend.value is None or trend.low is None or trend.high is None or trend.verdict is None:
        return "", ""
    per, days = told_for(trend.unit), dict[dt.date, list[float]]()
    for each, pain in rated:
        if each.id in trend.inputs:
            days.setdefault(each.day, []).append(pain)
    if len(days) < _LEAST_DAYS:
        return "", ""
    first, last = min(days), max(days)
    middle = statistics.median([(day - first) / per for day in days])
    above = [statistics.median(said) - trend.value * (day - first) / per for day, said in days.items()]
    level = statistics.median(above) + trend.value * middle
    ends = (first, 0.0 - middle), (last, (last - first) / per - middle)
    low, line, high = (
        [f"{axis.x(day)},{_y(level + slope * away) - TOP:.1f}" for day, away in ends]
        for slope in (trend.low, trend.value, trend.high)
    )
    centre = f"{axis.x(first + middle * per)},{_y(level) - TOP:.1f}"
    return " ".join(line), " ".join([low[0], centre, low[1], high[1], centre, high[0]])


def _y(pain: float) -> float:
    return round(BOTTOM - pain / _WORST * (BOTTOM - TOP), 1)
