"""How much was done in a session, as far as its exercises have numbers. Exercises for home are not counted.

Here: load and repetitions of sessions. Not here: how a series goes (``series.py``).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from fisio_ayida.insights.facts.limits import EXERCISES
from fisio_ayida.insights.facts.series import Asked, Point, daily, inputs, rounded, trend
from fisio_ayida.insights.facts.usable import Usable, is_usable, until
from fisio_ayida.insights.model import Exercise, Fact, Session


def volume(usable: Usable) -> Fact:
    """What was moved in the newest session, in kg.

    Formula: the sum of sets x repetitions x load over the exercises that have all three. ``of``: ``earlier``, the
    median of the days before it, within 60 days.

    Inputs: the sessions of the window that have such an exercise.
    """
    return _newest("exercise_volume", "kg", "no_load", usable, _volume)


def volume_trend(usable: Usable) -> Fact:
    """How that goes, in kg a month.

    Formula: :func:`fisio_ayida.insights.facts.series.trend` of the last 60 days.

    Inputs: the sessions of the window that have such an exercise.
    """
    asked = Asked(name="exercise_volume_trend", unit="kg", none="no_load", few="too_few_exercise_days")
    return _trend(asked, usable, _volume)


def repetitions(usable: Usable) -> Fact:
    """Repetitions without a load in the newest session.

    Formula: the sum of sets x repetitions over the exercises that have both, and no load. ``of``: ``earlier``, the
    median of the days before it, within 60 days.

    Inputs: the sessions of the window that have such an exercise.
    """
    return _newest("exercise_repetitions", "repetitions", "no_repetitions", usable, _repetitions)


def repetitions_trend(usable: Usable) -> Fact:
    """How that goes, in repetitions a month.

    Formula: :func:`fisio_ayida.insights.facts.series.trend` of the last 60 days.

    Inputs: the sessions of the window that have such an exercise.
    """
    asked = Asked(
        name="exercise_repetitions_trend", unit="repetitions", none="no_repetitions", few="too_few_exercise_days"
    )
    return _trend(asked, usable, _repetitions)


def _newest(name: str, unit: str, none: str, usable: Usable, amount: Callable[[Session], float]) -> Fact:
    window = until(usable.today, EXERCISES)
    points = _points(usable, amount)
    if not usable.has_sessions or not points:
        missing = none if usable.has_sessions else "too_few_sessions"
        return Fact(name=name, unit=unit, first=window.first, last=window.last, missing=missing)
    earlier = [point.value for point in points[:-1]]
    return Fact(
        name=name, unit=unit, value=rounded(points[-1].value), count=len(points), first=points[0].day,
        last=points[-1].day, of={"earlier": rounded(statistics.median(earlier))} if earlier else {},
        inputs=inputs(points),
    )  # fmt: skip


def _trend(asked: Asked, usable: Usable, amount: Callable[[Session], float]) -> Fact:
    return trend(usable, _points(usable, amount), asked, until(usable.today, EXERCISES))


def _points(usable: Usable, amount: Callable[[Session], float]) -> tuple[Point, ...]:
    sessions = usable.within(until(usable.today, EXERCISES))
    return daily((each, found) for each in sessions if (found := amount(each)))


def _volume(session: Session) -> float:
    return sum(_repeated(each) * (each.load or 0) for each in session.exercises if _has_load(each))


def _repetitions(session: Session) -> float:
    return sum(_repeated(each) for each in session.exercises if not _has_load(each))


def _has_load(exercise: Exercise) -> bool:
    return is_usable(exercise.load) and (exercise.load or 0) > 0


def _repeated(exercise: Exercise) -> float:
    """Sets x repetitions; 0 if either is not there."""
    if not (is_usable(exercise.sets) and is_usable(exercise.repetitions)):
        return 0.0
    return max(exercise.sets or 0, 0) * max(exercise.repetitions or 0, 0)
