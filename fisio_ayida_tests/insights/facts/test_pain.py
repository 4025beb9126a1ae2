"""Pain as it is recorded: the newest, how old it is, how often, and when it has gone."""

from __future__ import annotations

import pytest

from fisio_ayida_tests.insights.facts.records import day, fact, record, session, weekly


def test_the_newest_pain_is_that_of_the_last_day_with_a_record() -> None:
    of = record(sessions=[session(20, 7), session(9, 4), session(2)])

    newest, since = fact(of, "pain_newest"), fact(of, "days_since_pain")

    assert (newest.value, newest.last, newest.inputs) == (4, day(9), ("session-9",))
    assert (since.value, since.inputs) == (9, ("session-9",))


def test_without_a_record_there_is_no_pain_and_not_zero() -> None:
    of = record(sessions=[session(9), session(2)])

    assert [fact(of, name).value for name in ("pain_newest", "days_since_pain", "pain_trend")] == [None] * 3
    assert fact(of, "pain_newest").missing == "no_pain"


@pytest.mark.parametrize("pain", [-1, 11, 200])
def test_pain_outside_of_the_scale_is_no_record(pain: int) -> None:
    assert fact(record(sessions=[session(9), session(2, pain)]), "pain_newest").missing == "no_pain"


def test_the_share_counts_sessions_with_a_record() -> None:
    of = record(sessions=[session(30, 5), session(20, 0), session(10), session(181, 9)])

    found = fact(of, "pain_record_share")

    assert (found.value, found.count, found.of) == (0.6667, 3, {"recorded": 2})


def test_pain_of_a_session_to_come_is_not_known_yet() -> None:
    assert fact(record(sessions=[session(5, 3), session(-1, 9)]), "pain_newest").value == 3


def test_two_zeros_after_a_four_are_a_milestone() -> None:
    found = fact(record(sessions=weekly([3, 4, 2, 0, 0, 0])), "milestone_pain_free")

    assert (found.value, found.first, found.last) == (4, day(28), day(7))
    assert found.of == {"days_since": 7}


@pytest.mark.parametrize("pains", [[4, 0], [3, 0, 0], [6, 0, 0, 1], [0, 0], [6, 0, None]])
def test_less_than_that_is_none(pains: list[int | None]) -> None:
    found = fact(record(sessions=weekly(pains)), "milestone_pain_free")

    assert (found.value, found.missing) == (None, "not_reached")
