"""Days between visits, since the last one, until the next one; the milestone of sessions."""

from __future__ import annotations

import pytest

from fisio_ayida_tests.insights.facts.records import day, fact, record, session, visit


def test_the_usual_interval_is_the_median_and_a_day_counts_once() -> None:
    visits = [visit(40), visit(33), visit(33, id="again"), visit(26), visit(6)]

    found = fact(record(visits=visits), "visit_interval")

    assert (found.value, found.of, found.count) == (7.0, {"longest": 20}, 4)
    assert "again" in found.inputs


def test_two_days_are_no_usual_interval() -> None:
    found = fact(record(visits=[visit(7), visit(0)]), "visit_interval")

    assert (found.value, found.missing) == (None, "too_few_days")


def test_who_has_a_finalized_session_was_there_whatever_the_visit_says() -> None:
    found = fact(record(visits=[visit(20), visit(3, "confirmed")], sessions=[session(3)]), "days_since_visit")

    assert (found.value, found.inputs) == (3, ("session-3",))


def test_missed_and_cancelled_visits_are_no_presence() -> None:
    found = fact(record(visits=[visit(3, "absent"), visit(2, "cancelled")]), "days_since_visit")

    assert (found.value, found.missing) == (None, "no_visit")


@pytest.mark.parametrize("status", ["upcoming", "confirmed"])
def test_the_next_visit_may_be_today(status: str) -> None:
    visits = [visit(0, status), visit(-5, "upcoming")]  # type: ignore[arg-type]

    assert fact(record(visits=visits), "days_to_next_visit").value == 0


def test_a_visit_of_today_whose_session_is_finalized_is_not_ahead() -> None:
    of = record(visits=[visit(0, "confirmed"), visit(-5, "upcoming")], sessions=[session(0)])

    assert fact(of, "days_to_next_visit").value == 5


def test_a_cancelled_visit_is_not_booked() -> None:
    found = fact(record(visits=[visit(-2, "cancelled"), visit(-3, "to_rebook")]), "days_to_next_visit")

    assert (found.value, found.missing) == (None, "nothing_booked")


def test_the_tenth_session_is_a_milestone_on_its_day() -> None:
    sessions = [session(ago) for ago in range(60, 0, -5)]

    found = fact(record(sessions=sessions), "milestone_sessions")

    assert (found.value, found.count, found.last, found.of) == (10, 12, day(15), {"days_since": 15})


def test_sessions_that_were_not_read_count() -> None:
    found = fact(record(sessions=[session(9), session(2)], earlier=8), "milestone_sessions")

    assert (found.value, found.last, len(found.inputs)) == (10, day(2), 2)


def test_a_milestone_before_what_was_read_has_no_day() -> None:
    found = fact(record(sessions=[session(9), session(2)], earlier=12), "milestone_sessions")

    assert (found.value, found.last, found.of) == (10, None, {})


def test_nine_sessions_are_no_milestone() -> None:
    found = fact(record(sessions=[session(ago) for ago in range(9)]), "milestone_sessions")

    assert (found.value, found.missing) == (None, "not_reached")
