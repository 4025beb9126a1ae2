"""Pain as sessions record it, 0 to 10: how it goes, what it is, and how often anybody asked.

Here: facts of pain. Not here: the slope itself (``series.py``), rules about it (``flags.py``).
"""

from __future__ import annotations

from itertools import takewhile

from fisio_ayida.insights.facts.limits import PAIN, PAIN_BEFORE, PAIN_FREE_DAYS, STEADY_PAIN, WORST_PAIN
from fisio_ayida.insights.facts.series import Asked, Point, daily, inputs, rounded, trend
from fisio_ayida.insights.facts.usable import Usable, pain_of, until
from fisio_ayida.insights.model import Fact, Session


def pain_trend(usable: Usable) -> Fact:
    """How pain goes, in points a month, or in the days that there are.

    Formula: :func:`fisio_ayida.insights.facts.series.trend` of the last 180 days.

    Inputs: the sessions of the window that have a pain record.
    """
    window = until(usable.today, PAIN)
    asked = Asked(
        name="pain_trend", unit="points", none="no_pain", few="too_few_pain_days", steady=STEADY_PAIN,
        scale=WORST_PAIN,
    )  # fmt: skip
    return trend(usable, _points(usable.within(window)), asked, window)


def newest(usable: Usable) -> Fact:
    """The newest pain.

    Formula: the median of the records of the last day that has one; whenever that was.

    Inputs: that day's sessions with a record.
    """
    points = _points(usable.sessions)
    if not points:
        return Fact(name="pain_newest", unit="points", missing="no_pain")
    point = points[-1]
    return Fact(
        name="pain_newest", unit="points", value=rounded(point.value), count=len(point.sessions), first=point.day,
        last=point.day, inputs=point.sessions,
    )  # fmt: skip


def since(usable: Usable) -> Fact:
    """Days since pain was recorded last.

    Formula: today minus the last day with a record.

    Inputs: that day's sessions with a record.
    """
    points = _points(usable.sessions)
    if not points:
        return Fact(name="days_since_pain", unit="days", missing="no_pain")
    point = points[-1]
    return Fact(
        name="days_since_pain", unit="days", value=(usable.today - point.day).days, count=len(points),
        first=point.day, last=point.day, inputs=point.sessions,
    )  # fmt: skip


def share(usable: Usable) -> Fact:
    """How many of the sessions have a pain record.

    Formula: sessions with a record / sessions, of the last 180 days. ``of``: recorded.

    Inputs: the sessions of the window.
    """
    window = until(usable.today, PAIN)
    sessions = usable.within(window)
    recorded = sum(pain_of(each) is not None for each in sessions)
    enough = usable.has_sessions and bool(sessions)
    missing = "no_recent_session" if usable.has_sessions else "too_few_sessions"
    return Fact(
        name="pain_record_share", unit="ratio", count=len(sessions), first=window.first, last=window.last,
        value=rounded(recorded / len(sessions)) if enough else None, missing="" if enough else missing,
        of={"recorded": recorded}, inputs=tuple(each.id for each in sessions),
    )  # fmt: skip


def milestone(usable: Usable) -> Fact:
    """Pain has gone, as far as it is recorded.

    Formula: the two newest days with a record, of the last 180 days, have pain 0, and one before had 4 or more.
    The value is the highest of those before; first: its day; last: the day of the second 0. ``of``: days since
    that.

    Inputs: the sessions of these days.
    """
    window = until(usable.today, PAIN)
    points = _points(usable.within(window))
    free = list(takewhile(lambda point: point.value == 0, reversed(points)))[::-1]
    before = points[: len(points) - len(free)]
    worst = max(before, key=lambda point: (point.value, point.day), default=None)
    if len(free) < PAIN_FREE_DAYS or worst is None or worst.value < PAIN_BEFORE:
        return Fact(
            name="milestone_pain_free", unit="points", count=len(points), first=window.first, last=window.last,
            missing="not_reached",
        )  # fmt: skip
    day = free[PAIN_FREE_DAYS - 1].day
    return Fact(
        name="milestone_pain_free", unit="points", value=rounded(worst.value), count=len(points), first=worst.day,
        last=day, of={"days_since": (usable.today - day).days}, inputs=inputs([worst, *free]),
    )  # fmt: skip


def _points(sessions: tuple[Session, ...]) -> tuple[Point, ...]:
    return daily((each, pain) for each in sessions if (pain := pain_of(each)) is not None)
