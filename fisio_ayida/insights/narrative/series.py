"""What has a direction in a patient's record: first and newest values, and what the facts say of them.

Here: from facts and sessions as they are sent to values that an answer is compared with. Not here: comparing
(``directions.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from fisio_ayida.insights.model import Fact, Facts, Verdict
from fisio_ayida.insights.narrative.lines import bare
from fisio_ayida.insights.narrative.outgoing import Exercicio, Fato, Sessao

#: What a series is about, as sentences speak of it.
Topic = Literal["pain", "load", "repetitions", "attendance", "measurement"]
_TOPICS: Final[Mapping[str, Topic]] = {
    "pain_trend": "pain", "measurement_trend": "measurement", "exercise_volume_trend": "load",
    "exercise_volume": "load", "exercise_repetitions_trend": "repetitions", "exercise_repetitions": "repetitions",
    "attendance_rate_90d": "attendance",
}  # fmt: skip
_WORDS: Final[Mapping[Topic, frozenset[str]]] = {
    "pain": frozenset({"dor", "dores", "eva"}),
    "load": frozenset({"carga", "cargas", "volume"}),
    "repetitions": frozenset({"repeticao", "repeticoes"}),
    "attendance": frozenset({"comparecimento", "adesao", "frequencia", "assiduidade", "presenca"}),
    "measurement": frozenset(),
}
_ANGLES: Final = frozenset({"amplitude", "adm", "mobilidade"})


@dataclass(frozen=True, slots=True)
class Series:
    """One of them.

    Args:
        words: by which sentences speak of it, without accents.
        verdict: of the facts; None: they only have two values.
        first, newest: as they were sent; percent where the fact is a share.
    """

    ref: str
    topic: Topic
    words: frozenset[str] = field(repr=False)
    verdict: Verdict | None
    first: Decimal
    newest: Decimal


@dataclass(frozen=True, slots=True)
class Moment:
    """A session's numbers, by what they are numbers of. ``day``: as it was sent."""

    ref: str
    day: int
    values: Mapping[str, Decimal] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits of the attendance's window."""

    done: int
    absent: int


def series(facts: Facts, sent: Sequence[Fato]) -> tuple[Series, ...]:
    """Of the facts that were sent, those that have two values to be compared."""
    named = {each.ref: each for each in sent}
    known = {each.ref: each for each in facts.facts}
    found = (_series(each, named[each.ref], known) for each in facts.facts if each.ref in named)
    return tuple(each for each in found if each)


def moments(sessions: Sequence[Sessao]) -> tuple[Moment, ...]:
    """Of the sessions that were sent, in their order."""
    return tuple(Moment(each.ref, each.dia, dict(_values(each))) for each in sessions)


def visits(facts: Facts) -> Visits | None:
    """None: no fact counts them."""
    rate = next((each for each in facts.facts if each.name == "attendance_rate_90d"), None)
    return Visits(int(rate.of["done"]), int(rate.of["absent"])) if rate and "done" in rate.of else None


def topic_words(topic: Topic) -> frozenset[str]:
    """The words of a topic by which sentences speak of it."""
    return _WORDS[topic]


def _series(fact: Fact, sent: Fato, known: Mapping[str, Fact]) -> Series | None:
    topic = _TOPICS.get(fact.name)
    if topic is None:
        return None
    first, newest = _ends(fact, known)
    if first is None or newest is None:
        return None
    return Series(fact.ref, topic, _words(topic, fact, sent), fact.verdict, _decimal(first), _decimal(newest))


def _ends(fact: Fact, known: Mapping[str, Fact]) -> tuple[float | None, float | None]:
    if "first" in fact.of:
        return fact.of["first"], fact.of.get("newest")
    if fact.name == "attendance_rate_90d":
        before = known.get("attendance_rate_90d_before")
        ends = (before.value if before else None, fact.value)
        return tuple(None if each is None else 100 * each for each in ends)  # type: ignore[return-value]
    return fact.of.get("earlier"), fact.value


def _words(topic: Topic, fact: Fact, sent: Fato) -> frozenset[str]:
    if topic != "measurement":
        return _WORDS[topic]
    # The first word says what is measured, the others where: "flexão do joelho direito".
    head = re.findall(r"[^\W\d_]{3,}", bare(sent.assunto))[:1]
    return frozenset(head) | (_ANGLES if fact.unit.startswith("°") else frozenset())


def _values(session: Sessao) -> list[tuple[str, Decimal]]:
    found: list[tuple[str, Decimal]] = []
    if session.dor is not None:
        found.append(("pain", Decimal(session.dor)))
    for place, exercises in enumerate((session.exercicios, session.exercicios_em_casa)):
        for each in exercises:
            found += [(f"{place} {bare(each.nome)} {what}", value) for what, value in _numbers(each)]
    found += [(f"measured {bare(each.nome)}", _decimal(each.valor)) for each in session.medidas]
    return found


def _numbers(exercise: Exercicio) -> list[tuple[str, Decimal]]:
    named = (
        ("sets", exercise.series), ("repetitions", exercise.repeticoes), ("load", exercise.carga_kg),
        ("seconds", exercise.segundos),
    )  # fmt: skip
    return [(name, _decimal(value)) for name, value in named if value is not None]


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))
