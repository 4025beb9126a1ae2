"""Where things stand in the chart."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fisio_ayida.insights import facts
from fisio_ayida.insights.card.chart import BOTTOM, LEFT, RIGHT, TOP, Chart, draw
from fisio_ayida.insights.model import Record
from fisio_ayida_tests.insights.card.examples import TODAY, record, session

PAINS = st.lists(st.tuples(st.integers(0, 179), st.integers(0, 10)), min_size=1, max_size=40)


def drawn(of: Record) -> Chart:
    [trend] = [fact for fact in facts.compute(of).facts if fact.name == "pain_trend"]
    chart = draw(of, trend, {each.id: each.id for each in of.sessions})
    assert chart is not None
    return chart


def rated(pains: list[tuple[int, int]]) -> Record:
    """Sessions so many days ago, with their pain; no visit."""
    days = [(TODAY - dt.timedelta(days=ago), pain) for ago, pain in pains]
    return record(visits=(), sessions=tuple(session(f"s{n}", day, pain) for n, (day, pain) in enumerate(days)))


def points(text: str) -> list[tuple[float, float]]:
    """Of an SVG, with heights as dots have them."""
    pairs = [each.split(",") for each in text.split()]
    return [(float(x), float(y) + TOP) for x, y in pairs]


def test_the_line_goes_through_pain_that_falls_evenly() -> None:
    chart = drawn(rated([(40, 9), (30, 7), (20, 5), (10, 3), (0, 1)]))

    [first, *_, last] = chart.dots
    assert points(chart.line) == [
        (first.x, pytest.approx(first.y, abs=0.2)),
        (last.x, pytest.approx(last.y, abs=0.2)),
    ]


def test_a_session_of_today_is_at_the_right_end_and_worse_pain_is_higher() -> None:
    chart = drawn(rated([(28, 10), (0, 0)]))

    assert [(dot.x, dot.y) for dot in chart.dots] == [(LEFT, TOP), (RIGHT, BOTTOM)]


def test_what_is_older_than_the_window_of_pain_is_not_drawn() -> None:
    assert [dot.pain for dot in drawn(rated([(180, 1), (179, 2)])).dots] == [2]


def test_pain_outside_of_the_scale_is_not_drawn() -> None:
    assert [dot.pain for dot in drawn(rated([(9, 15), (5, 4), (1, -1)])).dots] == [4]


def test_the_line_of_a_short_series_goes_through_it() -> None:
    chart = drawn(rated([(16, 9), (12, 7), (8, 5), (4, 3), (0, 1)]))

    [first, *_, last] = chart.dots
    assert [y for _, y in points(chart.line)] == pytest.approx([first.y, last.y], abs=0.2)


@settings(max_examples=30)
@given(PAINS)
def test_every_dot_and_tick_is_on_the_paper(pains: list[tuple[int, int]]) -> None:
    chart = drawn(rated(pains))

    assert all(LEFT <= dot.x <= RIGHT and TOP <= dot.y <= BOTTOM for dot in chart.dots)
    assert len(chart.dots) == len(pains)
    assert [tick.x for tick in chart.ticks] == sorted({tick.x for tick in chart.ticks})


@settings(max_examples=30)
@given(PAINS)
def test_the_line_lies_within_its_band(pains: list[tuple[int, int]]) -> None:
    chart = drawn(rated(pains))
    if not chart.line:
        return

    line, band = points(chart.line), points(chart.band)
    for x, y in line:
        heights = [height for place, height in band if place == x]
        assert min(heights) - 0.2 <= y <= max(heights) + 0.2
