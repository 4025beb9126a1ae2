"""What was sent as a line of words, in which each number stands beside what it is a number of.

With these lines answers are compared; they never leave. Not here: what the words mean (``roles.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fisio_ayida.insights.narrative.outgoing import Exercicio, Fato, Sessao
from fisio_ayida.insights.narrative.roles import INTERVAL

_UNIT = re.compile(r"^-?[\d.,]+")
_BREAK = re.compile(r"\s*;\s*")


def fact_shown(fact: Fato) -> str:
    """All of a fact but its ref. The title speaks of a value; without one it says nothing."""
    return " ; ".join(_of_fact(fact))


def session_shown(session: Sessao) -> str:
    """All of a session but its ref."""
    return " ; ".join(_of_session(session))


def _of_fact(fact: Fato) -> Iterator[str]:
    title = _BREAK.sub(", ", f"{fact.titulo} ({fact.assunto})" if fact.assunto else fact.titulo)
    if fact.valor:
        yield f"{title}: {fact.valor}"
    if fact.intervalo:
        # A slope's ends are said without the slope's unit.
        unit = "" if "%" in fact.intervalo else _UNIT.sub("", fact.valor)
        yield f"{INTERVAL} {fact.intervalo}{unit}"
    if fact.janela:
        yield fact.janela
    yield f"{fact.registros} registros"
    for part in _BREAK.split(fact.detalhe):
        if part:
            yield f"{title}: {part}" if fact.valor or not re.search(r"\d", fact.titulo) else part
    if fact.motivo:
        yield fact.motivo


def _of_session(session: Sessao) -> Iterator[str]:
    yield f"dia {abs(session.dia)} dias"
    if session.dor is not None:
        yield f"dor {session.dor}"
    yield from session.procedimentos
    for each in (*session.exercicios, *session.exercicios_em_casa):
        yield from _of_exercise(each)
    for measured in session.medidas:
        yield f"{measured.nome}: {measured.valor:g} {measured.unidade}"
    yield session.nota


def _of_exercise(exercise: Exercicio) -> Iterator[str]:
    yield exercise.nome
    named = (
        (exercise.series, "séries"), (exercise.repeticoes, "repetições"), (exercise.carga_kg, "kg"),
        (exercise.segundos, "segundos"),
    )  # fmt: skip
    yield from (f"{value:g} {unit}" for value, unit in named if value is not None)
