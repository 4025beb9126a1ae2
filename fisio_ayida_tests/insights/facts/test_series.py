"""How a series goes: what a trend needs, and what may not change it."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.model import Fact, Measurement, Session
from fisio_ayida_tests.insights.facts.records import day, fact, record, session, weekly

#: Days before today, each with a value.
series = st.dictionaries(st.integers(0, 170), st.integers(-200, 200), min_size=5, max_size=14).filter(
    lambda values: max(values) - min(values) >= 14
)
quickly = settings(max_examples=20, deadline=None, derandomize=True)


def measured(values: dict[int, float]) -> list[Session]:
    return [
        session(ago, measurements=(Measurement(name="Flexão", value=value, unit="°"),))
        for ago, value in values.items()
    ]


def trend(values: dict[int, float]) -> Fact:
    return fact(record(sessions=measured(values)), "measurement_trend.1")


def numbers(found: Fact) -> tuple[float, float, float]:
    assert found.value is not None and found.low is not None and found.high is not None
    return found.value, found.low, found.high


def test_a_line_is_its_own_slope_in_points_a_month() -> None:
    found = fact(record(sessions=weekly([8, 7, 6, 5, 4, 3])), "pain_trend")

    assert numbers(found) == pytest.approx((-30 / 7,) * 3, abs=1e-4)
    assert (found.verdict, found.of, found.unit) == ("falling", {"first": 8, "newest": 3}, "points/30 d")
    assert (found.first, found.last, found.count) == (day(35), day(0), 6)


def test_the_interval_is_that_of_the_page_by_hand() -> None:
    # The 21 slopes of docs/insights.md: number 5 and number 17 of them.
    found = fact(record(sessions=weekly([8, 7, 8, 6, 5, 5, 3])), "pain_trend")

    assert numbers(found) == pytest.approx((-24 / 7, -37.5 / 7, -15 / 7), abs=1e-4)


@pytest.mark.parametrize("many", range(5))
def test_fewer_than_five_days_have_no_slope_and_no_verdict(many: int) -> None:
    found = fact(record(sessions=weekly(list(range(many))), earlier=9), "pain_trend")

    assert (found.value, found.low, found.verdict) == (None, None, None)
    assert found.missing == ("too_few_pain_days" if many else "no_pain")


@given(st.integers(0, 10), st.integers(0, 10), st.integers(1, 170))
@quickly
def test_two_points_never_have_a_verdict(first: int, newest: int, apart: int) -> None:
    found = fact(record(sessions=[session(apart, first), session(0, newest)]), "pain_trend")

    assert (found.value, found.verdict) == (None, None)


def test_five_days_of_two_weeks_less_one_are_too_short() -> None:
    sessions = [session(ago, ago // 3) for ago in (13, 9, 6, 3, 0)]

    assert fact(record(sessions=sessions), "pain_trend").missing == "too_short"


def test_one_session_has_no_trend() -> None:
    assert fact(record(sessions=[session(3, 5)]), "pain_trend").missing == "too_few_sessions"


def test_sessions_of_a_day_are_one_day_with_their_median() -> None:
    sessions = [*weekly([8, 7, 6, 5, 4]), session(0, 10, id="second"), session(0, 4, id="third")]

    found = fact(record(sessions=sessions), "pain_trend")

    assert (found.count, found.of["newest"]) == (5, 4)


@pytest.mark.parametrize(
    ("pains", "verdict"),
    [
        ([5, 5, 5, 5, 5], "steady"),
        ([5, 5, 5, 5, 5, 5, 5, 2], "steady"),
        ([2, 8, 3, 7, 4, 6, 5], "unclear"),
        ([8, 5, 2, 2, 5, 8], "unclear"),
        ([2, 3, 4, 4, 6, 7, 8], "rising"),
        # An end of the interval is zero, and no pair rises.
        ([5, 5, 4, 4, 3, 3], "falling"),
        # The middle slope is zero: there is no size to tell.
        ([5, 5, 5, 5, 5, 5, 5, 3, 3, 3], "unclear"),
    ],
)
def test_a_verdict_is_what_the_interval_allows(pains: list[int], verdict: str) -> None:
    assert fact(record(sessions=weekly(pains)), "pain_trend").verdict == verdict


@given(series, st.integers(-500, 500))
@quickly
def test_adding_a_constant_changes_no_slope(values: dict[int, float], constant: int) -> None:
    moved = trend({ago: value + constant for ago, value in values.items()})

    assert (*numbers(moved), moved.verdict) == (*numbers(trend(values)), trend(values).verdict)


@given(series)
@quickly
def test_reversing_time_reverses_the_sign(values: dict[int, float]) -> None:
    value, low, high = numbers(trend(values))

    assert numbers(trend({170 - ago: each for ago, each in values.items()})) == (-value, -high, -low)


@given(series)
@quickly
def test_the_slope_lies_in_its_interval(values: dict[int, float]) -> None:
    value, low, high = numbers(trend(values))

    assert low <= value <= high


@given(series, st.randoms(use_true_random=False))
@quickly
def test_the_order_of_sessions_means_nothing(values: dict[int, float], chance: random.Random) -> None:
    sessions = measured(values)
    shuffled = sessions.copy()
    chance.shuffle(shuffled)

    assert compute(record(sessions=shuffled)) == compute(record(sessions=sessions))


@given(st.integers(0, 11), st.integers(0, 10))
@quickly
def test_one_odd_value_does_not_turn_a_long_clear_trend(place: int, odd: int) -> None:
    pains = [10, 9, 9, 8, 7, 7, 6, 5, 4, 3, 2, 1]
    pains[place] = odd

    assert fact(record(sessions=weekly(pains)), "pain_trend").verdict == "falling"


@pytest.mark.parametrize("pains", [(1, 2, 3, 4, 5), (1, 1, 2, 3, 4), (1, 1, 2, 2, 3), (1, 1, 1, 2, 3)])
def test_of_all_orders_of_five_values_at_most_one_in_twenty_has_a_direction(pains: tuple[int, ...]) -> None:
    orders = set(permutations(pains))
    verdicts = [fact(record(sessions=weekly(each)), "pain_trend").verdict for each in orders]

    assert sum(each in ("rising", "falling") for each in verdicts) <= len(orders) / 20


@pytest.mark.parametrize(("span", "unit"), [(14, "points/14 d"), (29, "points/29 d"), (30, "points/30 d")])
def test_a_series_of_less_than_a_month_is_told_for_its_days(span: int, unit: str) -> None:
    days = [span - place * span // 4 for place in range(5)]
    found = fact(record(sessions=[session(ago, 8 - place) for place, ago in enumerate(days)]), "pain_trend")

    assert found.unit == unit
    assert found.value == pytest.approx(-4, abs=0.3)


def test_days_side_by_side_tell_no_change_that_nobody_saw() -> None:
    sessions = [session(ago, pain) for ago, pain in ((14, 5), (3, 4), (2, 3), (1, 2), (0, 1))]

    found = fact(record(sessions=sessions), "pain_trend")

    assert numbers(found) == pytest.approx((-4, -10, -14 / 11), abs=1e-4)


@given(series)
@quickly
def test_no_change_is_told_that_is_more_than_the_values_differ_by(values: dict[int, float]) -> None:
    value, *_ = numbers(trend(values))

    assert abs(value) <= max(values.values()) - min(values.values())


@given(series)
@quickly
def test_an_interval_never_contradicts_a_direction(values: dict[int, float]) -> None:
    found = trend(values)
    _, low, high = numbers(found)

    assert found.verdict != "rising" or low >= 0
    assert found.verdict != "falling" or high <= 0


def test_chance_alone_is_seldom_taken_for_a_trend() -> None:
    chance = random.Random(6)
    pains = [[chance.randint(0, 10) for _ in range(6)] for _ in range(200)]
    verdicts = [fact(record(sessions=weekly(each)), "pain_trend").verdict for each in pains]

    assert sum(each in ("rising", "falling") for each in verdicts) <= 10  # 5 % of 200
