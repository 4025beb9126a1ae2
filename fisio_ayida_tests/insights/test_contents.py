"""What a session's lists say: Portuguese and English names, Brazilian numbers, and what cannot be used."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.insights.contents import LONGEST_LIST, MOST_UNUSABLE, Contents, read
from fisio_ayida.insights.model import Exercise, Measurement

#: Nothing that anybody wrote is in what is said about it.
SAID = "Maria"
FLEXION = Measurement(name="Flexão", value=90.5, unit="graus")
_NAMES = ("nome", "valor", "unidade", "lado", "séries", "reps", "carga", "duração")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.text() | st.sampled_from(_NAMES), inner
    ),
    max_leaves=20,
)  # fmt: skip


def measured(*elements: Any) -> Contents:
    return read(measurements=json.dumps(elements))


def exercised(*elements: Any) -> Contents:
    return read(exercises=json.dumps(elements))


# --- names and values


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ({"name": "Flexão", "value": 90}, Measurement(name="Flexão", value=90.0)),
        ({"nome": "Flexão", "valor": "90,5", "unidade": "graus"}, FLEXION),
        ({"label": "Flexão", "resultado": "90.5°"}, Measurement(name="Flexão", value=90.5, unit="°")),
        ({"Título": "Flexão", "Valor": " -3 cm ", "Lado": "E"},
         Measurement(name="Flexão (E)", value=-3.0, unit="cm")),
        ({"medida": "Flexão", "value": "90 graus", "unit": "", "side": ""},
         Measurement(name="Flexão", value=90.0, unit="graus")),
    ],
)  # fmt: skip
def test_a_measurement_has_a_name_a_value_and_what_belongs_to_it(element: Any, found: Measurement) -> None:
    contents = measured(element)
    assert (contents.measurements, contents.unusable) == ((found,), ())


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ("Ponte", Exercise(name="Ponte")),
        ({"nome": " Ponte \n unilateral "}, Exercise(name="Ponte unilateral")),
        ({"exercise": {"id": 7, "name": "Ponte"}, "sets": 3}, Exercise(name="Ponte", sets=3.0)),
        ({"nome": "Ponte", "séries": "3", "repetições": 12, "carga": "12,5 kg", "duração": "30 s"},
         Exercise(name="Ponte", sets=3.0, repetitions=12.0, load=12.5, seconds=30.0)),
        ({"name": "Ponte", "series": 2, "reps": 8, "weight": 5, "unit": "KG", "time": "2 min"},
         Exercise(name="Ponte", sets=2.0, repetitions=8.0, load=5.0, seconds=120.0)),
        ({"name": "Ponte", "carga": "", "reps": None}, Exercise(name="Ponte")),
    ],
)  # fmt: skip
def test_an_exercise_has_a_name_and_what_was_recorded_of_it(element: Any, found: Exercise) -> None:
    contents = exercised(element)
    assert (contents.exercises, contents.unusable) == ((found,), ())


def test_home_exercises_are_read_as_exercises() -> None:
    assert read(home_exercises='["Ponte"]').home_exercises == (Exercise(name="Ponte"),)


def test_procedures_are_names() -> None:
    found = read(procedures='["Ultrassom", {"nome": "TENS"}, 3]')
    assert (found.procedures, found.unusable) == (
        ("Ultrassom", "TENS"), ("procedures[2]: a number, a text is expected",),
    )  # fmt: skip


def test_a_long_name_is_cut() -> None:
    [found] = exercised("ponte " * 1000).exercises
    assert len(found.name) <= 120


# --- what cannot be used


@pytest.mark.parametrize(
    ("element", "fault"),
    [
        ({"nome": SAID, "valor": SAID}, "measurements[0].value: text, a number is expected"),
        ({"nome": SAID, "valor": "10-12"}, "measurements[0].value: text, a number is expected"),
        ({"nome": SAID, "valor": "1.250 g"}, "measurements[0].value: text, a number is expected"),
        ({"nome": SAID, "valor": f"5 {SAID} melhorou"}, "measurements[0].value: text, a number is expected"),
        ({"nome": SAID}, "measurements[0].value: missing, a number is expected"),
        ({"nome": SAID, "valor": True}, "measurements[0].value: true or false, a number is expected"),
        ({"nome": SAID, "valor": [90]}, "measurements[0].value: a list, a number is expected"),
        ({"nome": SAID, "valor": 1e30}, "measurements[0].value: -1e+06 to 1e+06 is expected"),
        ({"nome": SAID, "valor": 90, "lado": 1}, "measurements[0].side: a number, a text is expected"),
        ({"nome": SAID, "valor": 9, "unidade": SAID * 9}, "measurements[0].unit: a long text, a word is expected"),
        ({"nome": {}, "valor": 90}, "measurements[0].name: missing, a text is expected"),
        ({"valor": 90}, "measurements[0].name: missing, a text is expected"),
        (SAID, "measurements[0]: text, an object with name and value is expected"),
        (None, "measurements[0]: missing, an object with name and value is expected"),
    ],
)  # fmt: skip
def test_a_measurement_that_cannot_be_used_is_named_by_its_place(element: Any, fault: str) -> None:
    contents = measured(element)
    assert (contents.measurements, contents.unusable) == ((), (fault,))


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("carga", "10 lb", "exercises[0].load: another unit, kg is expected"),
        ("carga", -1, "exercises[0].load: 0 to 1000 is expected"),
        ("reps", "muitas", "exercises[0].repetitions: text, a number is expected"),
        ("séries", {"n": 3}, "exercises[0].sets: an object, a number is expected"),
        ("tempo", "2 horas", "exercises[0].seconds: another unit, seconds or minutes are expected"),
    ],
)
def test_an_exercise_does_without_what_cannot_be_used(field: str, value: Any, fault: str) -> None:
    contents = exercised({"nome": "Ponte", field: value})
    assert (contents.exercises, contents.unusable) == ((Exercise(name="Ponte"),), (fault,))


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (None, ()), ("null", ()), ("[]", ()),
        ('{"nome": "Maria"}', ("exercises: an object, a list is expected",)),
        ('"Maria"', ("exercises: text, a list is expected",)),
        ("[1e400]", ("exercises[0]: a number, a text is expected",)),
        ("[" + "9" * 10_000 + "]", ("exercises[0]: a number, a text is expected",)),
        ("[" * 100_000 + "]" * 100_000, ("exercises: cannot be read, a list is expected",)),
    ],
)  # fmt: skip
def test_what_is_no_list_of_exercises_is_named(words: str | None, faults: tuple[str, ...]) -> None:
    contents = read(exercises=words)
    assert (contents.exercises, contents.unusable) == ((), faults)


@pytest.mark.parametrize("value", ["1e400", "9" * 10_000])
def test_a_number_without_end_is_none(value: str) -> None:
    contents = read(measurements=f'[{{"nome": "Flexão", "valor": {value}}}]')
    assert contents.unusable == ("measurements[0].value: -1e+06 to 1e+06 is expected",)


def test_a_long_list_is_read_as_far_as_it_is_sensible() -> None:
    contents = exercised(*["Ponte"] * (LONGEST_LIST + 1))
    assert len(contents.exercises) == LONGEST_LIST
    assert contents.unusable == ("exercises: 101 elements, at most 100 are read",)


def test_what_cannot_be_used_is_not_said_without_end() -> None:
    assert measured(*[None] * 50).unusable[MOST_UNUSABLE:] == ("and 30 more",)


@pytest.mark.parametrize(("pain", "read_as"), [(0, 0), (10, 10), (11, None), (-1, None), (None, None)])
def test_pain_is_from_none_to_ten(pain: int | None, read_as: int | None) -> None:
    contents = read(pain=pain)
    assert (contents.pain, bool(contents.unusable)) == (read_as, pain not in (read_as, None))


@given(_JSON)
def test_no_json_is_an_exception_and_no_number_is_without_end(value: Any) -> None:
    words = json.dumps(value)
    found = read(procedures=words, exercises=words, home_exercises=words, measurements=words)
    numbers = [each.value for each in found.measurements]
    for exercise in found.exercises:
        numbers += [
            n for n in (exercise.sets, exercise.repetitions, exercise.load, exercise.seconds) if n is not None
        ]
    assert all(math.isfinite(n) for n in numbers)
    names = [each.name for each in found.exercises] + [each.name for each in found.measurements]
    assert all(names) and all(found.procedures)
