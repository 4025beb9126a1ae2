"""The load of sessions: sets x repetitions x load, and repetitions of what has no load."""

from __future__ import annotations

from fisio_ayida.insights.model import Exercise, Session
from fisio_ayida_tests.insights.facts.records import fact, record, session


def trained(ago: int, *exercises: Exercise) -> Session:
    return session(ago, exercises=exercises)


def loaded(load: float, sets: float = 3, repetitions: float = 10) -> Exercise:
    return Exercise(name="Leg press", sets=sets, repetitions=repetitions, load=load)


def test_the_volume_is_the_sum_over_exercises_with_all_three_numbers() -> None:
    whole = trained(
        0,
        loaded(20),
        loaded(5, 2, 15),
        Exercise(name="Ponte", sets=3, repetitions=12),
        Exercise(name="Prancha", load=9),
    )

    found = fact(record(sessions=[trained(7, loaded(10)), whole]), "exercise_volume")

    assert (found.value, found.of) == (750, {"earlier": 300})


def test_earlier_is_the_median_of_the_days_before_in_sixty_days() -> None:
    sessions = [
        trained(60, loaded(99)),
        *(trained(ago, loaded(load)) for ago, load in ((59, 10), (20, 12), (10, 50), (0, 20))),
    ]

    found = fact(record(sessions=sessions), "exercise_volume")

    assert (found.value, found.of, found.count) == (600, {"earlier": 360}, 4)


def test_exercises_without_a_load_count_as_repetitions() -> None:
    sessions = [
        trained(7, Exercise(name="Ponte", sets=2, repetitions=10)),
        trained(0, Exercise(name="Ponte", sets=3, repetitions=12, load=0), loaded(5)),
    ]

    found = fact(record(sessions=sessions), "exercise_repetitions")

    assert (found.value, found.of) == (36, {"earlier": 20})


def test_what_is_done_at_home_is_not_counted() -> None:
    of = record(sessions=[session(7), session(0, home_exercises=(loaded(20),))])

    assert fact(of, "exercise_volume").missing == "no_load"
    assert fact(of, "exercise_repetitions").missing == "no_repetitions"


def test_negative_and_endless_numbers_are_not_used() -> None:
    odd = trained(0, loaded(20, sets=-3), loaded(float("inf")), loaded(20, repetitions=float("nan")))

    assert fact(record(sessions=[trained(7), odd]), "exercise_volume").missing == "no_load"


def test_the_load_has_a_trend_of_its_own() -> None:
    of = record(sessions=[trained(7 * week, loaded(20 - week)) for week in range(6)])

    found = fact(of, "exercise_volume_trend")

    assert (found.verdict, found.unit) == ("rising", "kg/30 d")
