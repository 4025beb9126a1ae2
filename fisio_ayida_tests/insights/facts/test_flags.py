"""Each rule at its thresholds: the last case in which it holds, and the first in which it does not."""

from __future__ import annotations

import pytest

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.model import Record, Visit
from fisio_ayida_tests.insights.facts.records import fact, flag, record, session, visit, weekly

BOOKED = visit(-3, "confirmed")


def test_two_missed_days_in_a_row_are_told_with_their_visits() -> None:
    found = flag(record(visits=[visit(30), visit(20, "absent"), visit(10, "absent")]), "missed_last_two")

    assert found is not None
    assert found.inputs == ("visit-20-absent", "visit-10-absent")


@pytest.mark.parametrize(
    "visits",
    [
        [visit(20, "absent"), visit(10)],
        [visit(20), visit(10, "absent")],
        # Two of one day are one miss.
        [visit(20), visit(10, "absent"), visit(10, "absent", id="same day")],
        # Who came in the afternoon did not miss the day.
        [visit(20, "absent"), visit(10, "absent"), visit(10)],
        [visit(100, "absent"), visit(10, "absent")],
    ],
)
def test_less_than_two_missed_days_are_not(visits: list[Visit]) -> None:
    assert flag(record(visits=visits), "missed_last_two") is None


def gap(ago: int, *more: Visit) -> Record:
    return record(visits=[visit(ago), *more])


def test_a_gap_is_long_after_two_weeks_without_anything_booked() -> None:
    assert flag(gap(14), "long_gap") is None
    assert flag(gap(15), "long_gap") is not None
    assert flag(gap(15, BOOKED), "long_gap") is None


def test_who_comes_seldom_has_a_longer_gap() -> None:
    visits = [visit(ago) for ago in (100, 80, 60, 40)]

    assert flag(record(visits=visits), "long_gap") is None
    assert flag(record(visits=[visit(ago + 1) for ago in (100, 80, 60, 40)]), "long_gap") is not None


def test_after_half_a_year_the_treatment_has_ended() -> None:
    assert flag(gap(180), "long_gap") is not None
    assert flag(gap(181), "long_gap") is None


@pytest.mark.parametrize(
    ("days", "holds"),
    [([7], False), ([14, 7], True), ([14, 6], False), ([28, 21], True), ([29, 22], False), ([47, 37, 27, 17, 7],
    True),
     ([57, 47, 37, 27, 17, 7], False)],
)  # fmt: skip
def test_an_early_dropout_is_two_to_five_days_and_a_gap(days: list[int], holds: bool) -> None:
    found = flag(record(visits=[visit(ago) for ago in days]), "early_dropout")

    assert (found is not None) == holds


def test_an_early_dropout_is_not_told_twice() -> None:
    names = [each.name for each in compute(record(visits=[visit(27), visit(20)])).flags]

    assert names == ["early_dropout"]


def test_who_has_a_visit_or_older_sessions_has_not_dropped_out_early() -> None:
    visits = [visit(14), visit(7)]

    assert flag(record(visits=[*visits, BOOKED]), "early_dropout") is None
    assert flag(record(visits=visits, sessions=[session(7)], earlier=1), "early_dropout") is None


def test_adherence_is_low_below_sixty_percent_and_only_where_it_is_stated() -> None:
    six = [visit(ago, "done" if ago < 6 else "absent") for ago in range(10)]
    five = [visit(ago, "done" if ago < 5 else "absent") for ago in range(10)]
    three = [visit(ago, "absent") for ago in range(3)]

    assert fact(record(visits=six), "attendance_rate_90d").value == 0.6
    assert flag(record(visits=six), "low_adherence") is None
    assert flag(record(visits=five), "low_adherence") is not None
    assert flag(record(visits=three), "low_adherence") is None


def test_of_few_visits_adherence_is_low_only_if_its_interval_says_so() -> None:
    half = [visit(ago, "done" if ago % 2 else "absent") for ago in range(8)]
    quarter = [visit(ago, "done" if ago == 1 else "absent") for ago in range(4)]

    assert flag(record(visits=half[:6]), "low_adherence") is None
    assert flag(record(visits=half), "low_adherence") is not None
    assert flag(record(visits=quarter), "low_adherence") is not None


def test_pain_that_rose_until_a_month_ago_is_no_flag() -> None:
    assert flag(record(sessions=weekly([2, 3, 4, 5, 6, 7], last=30)), "pain_rising") is not None
    assert flag(record(sessions=weekly([2, 3, 4, 5, 6, 7], last=31)), "pain_rising") is None


def test_rising_pain_is_a_flag_and_falling_pain_is_none() -> None:
    assert flag(record(sessions=weekly([2, 3, 4, 5, 6, 7])), "pain_rising") is not None
    assert flag(record(sessions=weekly([7, 6, 5, 4, 3, 2])), "pain_rising") is None


@pytest.mark.parametrize(
    ("days", "pain", "holds"), [([29, 20, 10], None, True), ([30, 20, 10], None, False), ([29, 20, 10], 0, False)]
)
def test_three_sessions_of_a_month_without_pain_records_are_a_flag(
    days: list[int], pain: int | None, holds: bool
) -> None:
    of = record(sessions=[session(ago, pain if ago == days[-1] else None) for ago in days])

    assert (flag(of, "no_pain_record") is not None) == holds
