"""How many of the visits the patient kept: adherence is arithmetic, never an opinion.

Here: the two windows of it. Not here: days between visits (``visits.py``), what a rule makes of it (``flags.py``).
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter

from fisio_ayida.insights.facts.limits import ATTENDANCE, LEAST_VISITS
from fisio_ayida.insights.facts.series import Z, rounded
from fisio_ayida.insights.facts.usable import Usable, Window, expected_before, until
from fisio_ayida.insights.model import Fact


def rate(usable: Usable) -> Fact:
    """Adherence of the last 90 days.

    Formula: done / (done + absent), of visits up to and including today; below four of these, none. Interval:
    Wilson's for a share. ``of``: done, absent, cancelled, to_rebook, ``without_outcome``: visits of days before
    today that are still expected, or whose status nobody has classified, and ``contradicting``: visits that are
    said to be missed on a day with a session, which count as neither.

    Inputs: the visits of the window, and the sessions that contradict one.
    """
    return _rate("attendance_rate_90d", usable, until(usable.today, ATTENDANCE))


def rate_before(usable: Usable) -> Fact:
    """The same of the 90 days before those, by the same formula.

    Inputs: as there, of that window.
    """
    day = until(usable.today, ATTENDANCE).first
    last = dt.date.fromordinal(max(day.toordinal() - 1, 1))
    return _rate("attendance_rate_90d_before", usable, until(last, ATTENDANCE))


def _rate(name: str, usable: Usable, window: Window) -> Fact:
    visits = [each for each in usable.visits if each.day in window]
    counts = Counter(each.status for each in visits)
    expected = sum(each.day in window for each in expected_before(usable, usable.today))
    contradicting = [each for each in usable.contradicting if each.day in window]
    days = {each.day for each in contradicting}
    done, absent = counts["done"], counts["absent"] - len(contradicting)
    enough = done + absent >= LEAST_VISITS
    low, high = wilson(done, done + absent) if enough else (None, None)
    return Fact(
        name=name, unit="ratio", count=done + absent, first=window.first, last=window.last,
        value=rounded(done / (done + absent)) if enough else None, low=low, high=high,
        missing="" if enough else "too_few_visits",
        inputs=(*(each.id for each in visits), *(each.id for each in usable.sessions if each.day in days)),
        of={
            "done": done, "absent": absent, "cancelled": counts["cancelled"], "to_rebook": counts["to_rebook"],
            "without_outcome": expected + counts["other"] + counts["unknown"],
            "contradicting": len(contradicting),
        },
    )  # fmt: skip


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95 %; ``trials``: 1 or more."""
    share = successes / trials
    middle = share + Z**2 / (2 * trials)
    half = Z * math.sqrt(share * (1 - share) / trials + (Z / (2 * trials)) ** 2)
    whole = 1 + Z**2 / trials
    # At 0 and 1 an end is the share itself, but for the last binary digit.
    low, high = min((middle - half) / whole, share), max((middle + half) / whole, share)
    return rounded(max(low, 0.0)), rounded(min(high, 1.0))
