"""Measurements: which values make one series, and which series are told."""

from __future__ import annotations

import pytest

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.facts.measurements import unit_of
from fisio_ayida.insights.model import Fact, Measurement, Session
from fisio_ayida_tests.insights.facts.records import record, session


def measured(ago: int, *values: tuple[str, float, str]) -> Session:
    return session(
        ago, measurements=tuple(Measurement(name=name, value=value, unit=unit) for name, value, unit in values)
    )


def trends(*sessions: Session) -> list[Fact]:
    return [each for each in compute(record(sessions=sessions)).facts if each.name == "measurement_trend"]


def test_case_accents_and_blanks_make_no_other_name() -> None:
    found = trends(
        measured(20, ("Flexão de joelho D", 90, "°")), measured(10, ("flexao  de joelho d", 100, "graus")),
        measured(0, ("FLEXÃO DE JOELHO D ", 110, "º")),
    )  # fmt: skip

    assert [(each.subject, each.count, each.of) for each in found] == [
        ("FLEXÃO DE JOELHO D", 3, {"first": 90, "newest": 110})
    ]


def test_another_unit_is_another_series() -> None:
    found = trends(
        measured(9, ("Força", 20, "kgf")), measured(5, ("Força", 22, "kgf")), measured(0, ("Força", 210, "N"))
    )

    assert [(each.ref, each.unit, each.of.get("newest")) for each in found] == [
        ("measurement_trend.1", "kgf/30 d", 22),
        ("measurement_trend.2", "N/30 d", 210),
    ]


def test_a_unit_that_nobody_knows_is_told_with_the_name() -> None:
    (found,) = trends(measured(9, ("Dedo ao chão", 12, "dedos")), measured(0, ("Dedo ao chão", 9, "dedos")))

    assert (found.subject, found.unit) == ("Dedo ao chão (dedos)", "/30 d")


def test_six_series_are_told_those_with_the_most_days_first() -> None:
    names = "ABCDEFGH"
    sessions = [measured(ago, *((name, 1.0, "") for name in names[: 8 - ago])) for ago in range(8)]

    found = trends(*sessions)

    assert [(each.place, each.subject, each.count) for each in found] == [
        (place, name, 9 - place) for place, name in enumerate("ABCDEF", 1)
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e12])
def test_a_value_that_is_none_is_not_used(value: float) -> None:
    (found,) = trends(measured(9, ("Flexão", 90, "°")), measured(0, ("Flexão", value, "°")))

    assert (found.of, found.count) == ({"newest": 90}, 1)


def test_without_measurements_one_fact_says_so() -> None:
    (found,) = trends(session(9), session(0))

    assert (found.ref, found.missing) == ("measurement_trend", "no_measurement")


@pytest.mark.parametrize(
    ("written", "shown"), [("Graus", "°"), ("º", "°"), (" CM ", "cm"), ("segundos", "s"), ("kgf/cm2", "")]
)
def test_units_are_known_however_they_are_written(written: str, shown: str) -> None:
    assert unit_of(written) == shown
