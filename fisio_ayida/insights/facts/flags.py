"""Rules about risks: each holds or does not, by thresholds that anybody can check. Together they are no score.

Here: the rules. Not here: their words (``registry.py``), and what the professional reads (``wording/risks.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

from fisio_ayida.insights.facts.limits import (
    ATTENDANCE,
    EARLY_DAYS,
    EARLY_GAP,
    ENOUGH_VISITS,
    GAP_ENDS,
    GAP_INTERVALS,
    LEAST_GAP,
    LOW_ADHERENCE,
    MISSED_IN_A_ROW,
    NO_PAIN,
    NO_PAIN_SESSIONS,
    SURELY_LOW,
)
from fisio_ayida.insights.facts.series import is_current
from fisio_ayida.insights.facts.usable import Usable, pain_of, until
from fisio_ayida.insights.model import Fact, Flag

#: Facts by how they are cited.
By = Mapping[str, Fact]


def missed_last_two(usable: Usable, by: By) -> Flag | None:
    """The two newest days with an outcome, within 90 days, were missed."""
    window, present = until(usable.today, ATTENDANCE), usable.present
    missed: dict[str, str] = {}
    days = {each.day for each in usable.visits if each.status == "absent"} | set(present)
    newest = sorted(day for day in days if day in window)[-MISSED_IN_A_ROW:]
    for each in usable.visits:
        if each.day in newest and each.day not in present and each.status == "absent":
            missed.setdefault(str(each.day), each.id)
    if len(missed) < MISSED_IN_A_ROW:
        return None
    return Flag(
        name="missed_last_two", facts=("attendance_rate_90d",), of={"missed": MISSED_IN_A_ROW},
        inputs=tuple(missed.values()),
    )  # fmt: skip


def long_gap(usable: Usable, by: By) -> Flag | None:
    """Nothing is booked, and the patient was not there for more than 14 days and twice the usual interval.

    An early dropout says the same, and more.
    """
    since, usual = by["days_since_visit"], by["visit_interval"]
    limit = max(float(LEAST_GAP.days), GAP_INTERVALS * (usual.value or 0.0))
    if usable.booked or since.value is None or not limit < since.value <= GAP_ENDS.days:
        return None
    if early_dropout(usable, by) is not None:
        return None
    return Flag(
        name="long_gap", facts=("days_since_visit", "days_to_next_visit", "visit_interval"),
        of={"days": since.value, "limit": limit}, inputs=since.inputs,
    )  # fmt: skip


def early_dropout(usable: Usable, by: By) -> Flag | None:
    """Two to five days of treatment, the last one 7 to 21 days ago, and nothing is booked."""
    since, present = by["days_since_visit"], usable.present
    few, many = EARLY_DAYS
    if usable.booked or usable.earlier or since.value is None or not few <= len(present) <= many:
        return None
    if not EARLY_GAP[0].days <= since.value <= EARLY_GAP[1].days:
        return None
    return Flag(
        name="early_dropout", facts=("days_since_visit", "days_to_next_visit"),
        of={"days": since.value, "visits": len(present)},
        inputs=tuple(id for ids in present.values() for id in ids),
    )  # fmt: skip


def low_adherence(usable: Usable, by: By) -> Flag | None:
    """Adherence is stated, is less than 60 %, and that is hardly chance: of 8 visits, or by its interval."""
    rate = by["attendance_rate_90d"]
    if rate.value is None or rate.high is None or rate.value >= LOW_ADHERENCE:
        return None
    if rate.count < ENOUGH_VISITS and rate.high >= SURELY_LOW:
        return None
    return Flag(name="low_adherence", facts=(rate.name,), of={"rate": rate.value}, inputs=rate.inputs)


def pain_rising(usable: Usable, by: By) -> Flag | None:
    """The pain trend's verdict is ``rising``, and its newest record is of the last 30 days."""
    trend = by["pain_trend"]
    if trend.verdict != "rising" or trend.value is None or not is_current(trend, usable.today):
        return None
    return Flag(
        name="pain_rising", facts=(trend.name, "days_since_pain"), of={"slope": trend.value}, inputs=trend.inputs
    )  # fmt: skip


def no_pain_record(usable: Usable, by: By) -> Flag | None:
    """Three or more sessions in 30 days, and none has a pain record."""
    sessions = usable.within(until(usable.today, NO_PAIN))
    if len(sessions) < NO_PAIN_SESSIONS or any(pain_of(each) is not None for each in sessions):
        return None
    return Flag(
        name="no_pain_record", facts=("pain_record_share", "days_since_pain"), of={"sessions": len(sessions)},
        inputs=tuple(each.id for each in sessions),
    )  # fmt: skip
