"""Days between visits, since the last one and until the next one.

Here: facts of days. Not here: how many visits were kept (``attendance.py``), what a rule makes of it
(``flags.py``).
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from itertools import pairwise

from fisio_ayida.insights.facts.limits import INTERVALS, LEAST_INTERVAL_DAYS, SESSION_MILESTONES
from fisio_ayida.insights.facts.series import rounded
from fisio_ayida.insights.facts.usable import Usable, until
from fisio_ayida.insights.model import Fact


def interval(usable: Usable) -> Fact:
    """The usual time between visits.

    Formula: the median of the days between one day on which the patient was there and the next such day, within
    180 days; several visits of a day count once. ``of``: the longest.

    Inputs: the visits and sessions of these days.
    """
    window = until(usable.today, INTERVALS)
    days = {day: ids for day, ids in usable.present.items() if day in window}
    enough = len(days) >= LEAST_INTERVAL_DAYS
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    return Fact(
        name="visit_interval", unit="days", count=len(days), first=window.first, last=window.last,
        value=rounded(statistics.median(gaps)) if enough else None, of={"longest": max(gaps)} if enough else {},
        missing="" if enough else "too_few_days", inputs=tuple(id for ids in days.values() for id in ids),
    )  # fmt: skip


def since(usable: Usable) -> Fact:
    """Days since the patient was there last.

    Formula: today minus the last day with a visit that is done, or a finalized session.

    Inputs: the visits and sessions of that day.
    """
    present = usable.present
    if not present:
        return Fact(name="days_since_visit", unit="days", missing="no_visit")
    day = max(present)
    return Fact(
        name="days_since_visit", unit="days", value=(usable.today - day).days, count=len(present), first=day,
        last=day,
        inputs=present[day],
    )  # fmt: skip


def ahead(usable: Usable) -> Fact:
    """Days until the next visit.

    Formula: the first day from today on with a visit that is upcoming or confirmed, minus today; from tomorrow on,
    if the patient was there today.

    Inputs: the visits of that day.
    """
    if not usable.booked:
        return Fact(name="days_to_next_visit", unit="days", missing="nothing_booked")
    day = usable.booked[0].day
    return Fact(
        name="days_to_next_visit", unit="days", value=(day - usable.today).days, count=len(usable.booked),
        first=day, last=day, inputs=tuple(each.id for each in usable.booked if each.day == day),
    )  # fmt: skip


def milestone(usable: Usable) -> Fact:
    """The last round number of sessions.

    Formula: the largest of 10, 25 and 50 that is not more than the number of finalized sessions. ``of``: days
    since the session that was that one; first and last: its day; both only if that session is among those that
    were read.

    Inputs: the sessions up to it that were read.
    """
    reached = max((each for each in SESSION_MILESTONES if each <= usable.total), default=0)
    if not reached:
        return Fact(name="milestone_sessions", unit="sessions", count=usable.total, missing="not_reached")
    fact = Fact(name="milestone_sessions", unit="sessions", value=reached, count=usable.total)
    upto = usable.sessions[: max(reached - usable.earlier, 0)]
    if not upto:
        return fact
    day = upto[-1].day
    return replace(
        fact, first=day, last=day, of={"days_since": (usable.today - day).days},
        inputs=tuple(each.id for each in upto),
    )  # fmt: skip
