"""Adherence: done / (done + absent) of a window, and what is not in it."""

from __future__ import annotations

import pytest

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.facts.attendance import wilson
from fisio_ayida_tests.insights.facts.records import day, fact, record, session, visit

RATE, BEFORE = "attendance_rate_90d", "attendance_rate_90d_before"


def test_the_rate_is_done_of_done_and_absent() -> None:
    visits = [visit(1), visit(8), visit(15), visit(22, "absent"), visit(29, "cancelled"), visit(36, "to_rebook")]

    found = fact(record(visits=visits), RATE)

    assert (found.value, found.count, found.missing) == (0.75, 4, "")
    assert found.of == {"done": 3, "absent": 1, "cancelled": 1, "to_rebook": 1} | {
        "without_outcome": 0, "contradicting": 0,
    }  # fmt: skip
    assert sorted(found.inputs) == sorted(each.id for each in visits)


def test_three_visits_with_an_outcome_give_counts_and_no_rate() -> None:
    visits = [visit(1), visit(8), visit(15, "absent"), visit(22, "cancelled"), visit(29, "upcoming")]

    found = fact(record(visits=visits), RATE)

    assert (found.value, found.low, found.missing) == (None, None, "too_few_visits")
    assert (found.of["done"], found.of["absent"]) == (2, 1)


def test_the_window_is_ninety_days_with_today() -> None:
    visits = [
        visit(0),
        visit(89),
        *(visit(10, id=f"in-{place}") for place in range(3)),
        visit(90, "absent"),
        visit(179, "absent"),
    ]

    found = fact(record(visits=visits), RATE)

    assert (found.value, found.first, found.last) == (1.0, day(89), day(0))


def test_the_window_before_is_the_ninety_days_before() -> None:
    visits = [visit(89), visit(90), visit(120), visit(150, "absent"), visit(179), visit(180, "absent")]

    found = fact(record(visits=visits), BEFORE)

    assert (found.value, found.count, found.first, found.last) == (0.75, 4, day(179), day(90))


def test_what_nobody_has_classified_or_closed_is_told_apart_from_the_rate() -> None:
    visits = [visit(2, "upcoming"), visit(3, "confirmed"), visit(4, "other"), visit(5, "unknown")]
    today = [visit(0, "confirmed")]

    assert fact(record(visits=visits + today), RATE).of["without_outcome"] == 4


def test_a_miss_on_a_day_with_a_session_is_neither_kept_nor_missed() -> None:
    visits = [visit(1), visit(8), visit(15), visit(22, "absent"), visit(29, "absent")]
    of = record(visits=visits, sessions=[session(22), session(15)])

    found = fact(of, RATE)

    assert (found.value, found.count, found.of["absent"], found.of["contradicting"]) == (0.75, 4, 1, 1)
    assert "session-22" in found.inputs and "session-15" not in found.inputs
    assert "contradicting_visits" in compute(of).missing


def test_who_missed_the_morning_and_came_in_the_afternoon_contradicts_nothing() -> None:
    of = record(visits=[visit(1), visit(1, "absent"), visit(8), visit(15)], sessions=[session(1)])

    assert (fact(of, RATE).of["absent"], fact(of, RATE).of["contradicting"]) == (1, 0)


def test_visits_after_today_count_on_no_side() -> None:
    visits = [visit(-1, "done"), visit(-1, "absent"), *(visit(place) for place in range(4))]

    found = fact(record(visits=visits), RATE)

    assert (found.value, found.count) == (1.0, 4)


@pytest.mark.parametrize(
    ("done", "all", "low", "high"),
    # Of R's prop.test without correction.
    [(9, 11, 0.5230, 0.9486), (4, 4, 0.5101, 1.0), (0, 4, 0.0, 0.4899), (50, 100, 0.4038, 0.5962)],
)
def test_the_interval_is_wilsons(done: int, all: int, low: float, high: float) -> None:
    assert wilson(done, all) == pytest.approx((low, high), abs=1e-4)
