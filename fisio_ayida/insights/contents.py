"""What the lists of a session say: exercises, measurements and procedures, from JSON of no agreed shape.

Here: reading what clinics write under Portuguese and English names, and naming what cannot be used by its place,
never by its words. Not here: which sessions are read (``reading.py``), and what follows from them (``facts/``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from fisio_ayida.insights.elements import Unusable, fields_of, number, said, seconds, text, word
from fisio_ayida.insights.model import Exercise, Measurement

T = TypeVar("T")

#: Elements of one list that are read.
LONGEST_LIST: Final = 100
#: What cannot be used is named so many times in a session.
MOST_UNUSABLE: Final = 20
#: Of the scale.
MOST_PAIN: Final = 10

_NAME: Final = (
    "name", "nome", "label", "titulo", "title", "exercise", "exercicio", "procedure", "procedimento",
    "measurement", "medida", "medicao", "description", "descricao",
)  # fmt: skip
_VALUE: Final = ("value", "valor", "resultado", "result")
_UNIT: Final = ("unit", "unidade")
_SIDE: Final = ("side", "lado", "lateralidade")
_SETS: Final = ("sets", "series", "serie")
_REPETITIONS: Final = ("repetitions", "reps", "repeticoes", "repeticao", "rep")
_LOAD: Final = ("load", "carga", "weight", "peso", "kg", "loadkg", "cargakg", "weightkg", "pesokg")
_SECONDS: Final = (
    "seconds", "segundos", "duration", "duracao", "tempo", "time", "durationseconds", "duracaosegundos",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a session's content says; ``unusable``: what of it could not be read, each with place and reason."""

    pain: int | None = None
    procedures: tuple[str, ...] = field(default=(), repr=False)
    exercises: tuple[Exercise, ...] = field(default=(), repr=False)
    home_exercises: tuple[Exercise, ...] = field(default=(), repr=False)
    measurements: tuple[Measurement, ...] = field(default=(), repr=False)
    unusable: tuple[str, ...] = ()


def read(
    *, pain: int | None = None, procedures: str | None = None, exercises: str | None = None,
    home_exercises: str | None = None, measurements: str | None = None,
) -> Contents:  # fmt: skip
    """Read a session's content.

    Args:
        pain: as stored.
        procedures, exercises, home_exercises, measurements: JSON text; None: the column is empty. As text,
            because some JSON that PostgreSQL stores has no value in Python.
    """
    faults: list[str] = []
    if pain is not None and not 0 <= pain <= MOST_PAIN:
        faults.append(f"pain_scale: 0 to {MOST_PAIN} is expected")
        pain = None
    said_of = (
        _list("procedures", procedures, _procedure, faults),
        _list("exercises", exercises, _exercise, faults),
        _list("home_exercises", home_exercises, _exercise, faults),
        _list("measurements", measurements, _measurement, faults),
    )
    more = [f"and {len(faults) - MOST_UNUSABLE} more"] if len(faults) > MOST_UNUSABLE else []
    return Contents(
        pain=pain, procedures=said_of[0], exercises=said_of[1], home_exercises=said_of[2],
        measurements=said_of[3], unusable=(*faults[:MOST_UNUSABLE], *more),
    )  # fmt: skip


def _list(
    place: str, words: str | None, one: Callable[[str, Any, list[str]], T], faults: list[str]
) -> tuple[T, ...]:
    """The elements of a list that can be read."""
    return tuple(_each(place, words, one, faults))


def _each(
    place: str, words: str | None, one: Callable[[str, Any, list[str]], T], faults: list[str]
) -> Iterator[T]:
    try:
        # A number with thousands of digits is one for PostgreSQL, and infinite here.
        value = None if words is None else json.loads(words, parse_int=float, parse_constant=float)
    except (ValueError, RecursionError):
        faults.append(f"{place}: cannot be read, a list is expected")
        return
    if value is None:
        return
    if not isinstance(value, list):
        faults.append(f"{place}: {said(value)}, a list is expected")
        return
    if len(value) > LONGEST_LIST:
        faults.append(f"{place}: {len(value)} elements, at most {LONGEST_LIST} are read")
    for position, element in enumerate(value[:LONGEST_LIST]):
        try:
            yield one(f"{place}[{position}]", element, faults)
        except Unusable as error:
            faults.append(str(error))


def _procedure(place: str, element: Any, faults: list[str]) -> str:
    if not isinstance(element, Mapping):
        return text(place, element)
    return _named(place, fields_of(element))


def _exercise(place: str, element: Any, faults: list[str]) -> Exercise:
    if not isinstance(element, Mapping):
        return Exercise(name=text(place, element))
    fields = fields_of(element)
    return Exercise(
        name=_named(place, fields),
        sets=_optional(fields, _SETS, faults, lambda value: number(f"{place}.sets", value, 0, 100)[0]),
        repetitions=_optional(
            fields, _REPETITIONS, faults, lambda value: number(f"{place}.repetitions", value, 0, 10_000)[0]
        ),
        load=_optional(fields, _LOAD, faults, lambda value: _kilograms(f"{place}.load", value, fields)),
        seconds=_optional(fields, _SECONDS, faults, lambda value: seconds(f"{place}.seconds", value)),
    )


def _measurement(place: str, element: Any, faults: list[str]) -> Measurement:
    if not isinstance(element, Mapping):
        raise Unusable(f"{place}: {said(element)}, an object with name and value is expected")
    fields = fields_of(element)
    name = _named(place, fields)
    # Without its side, left and right would be one series.
    side = _first(fields, _SIDE)
    if side is not None:
        name = f"{name} ({word(f'{place}.side', side)})"
    value, unit = number(f"{place}.value", _first(fields, _VALUE), -1e6, 1e6)
    given = _first(fields, _UNIT)
    return Measurement(name=name, value=value, unit=unit if given is None else word(f"{place}.unit", given))


def _named(place: str, fields: Mapping[str, Any]) -> str:
    """A name; of an exercise of a catalogue, its own."""
    value = _first(fields, _NAME)
    if isinstance(value, Mapping):
        value = _first(fields_of(value), _NAME)
    return text(f"{place}.name", value)


def _kilograms(place: str, value: Any, fields: Mapping[str, Any]) -> float:
    load, unit = number(place, value, 0, 1000)
    given = _first(fields, _UNIT)
    if given is not None:
        unit = word(f"{place}.unit", given)
    if unit.lower().rstrip(".") not in ("", "kg", "kgs", "quilo", "quilos", "kilo", "kilos"):
        raise Unusable(f"{place}: another unit, kg is expected")
    return load


def _optional(
    fields: Mapping[str, Any], names: tuple[str, ...], faults: list[str], get: Callable[[Any], float]
) -> float | None:
    """A number that need not be there, and does without being what it should."""
    value = _first(fields, names)
    if value is None:
        return None
    try:
        return get(value)
    except Unusable as error:
        faults.append(str(error))
        return None


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The value of the first of these names that has one; what was left empty has none."""
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)
