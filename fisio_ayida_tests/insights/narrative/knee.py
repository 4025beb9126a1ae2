"""A patient whose pain falls from 8 to 3 while flexion and load rise, with seven visits kept and two missed.

Here: the record, and what a passage about it comes to. Not here: the passages.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from functools import cache
from typing import Final

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.model import Exercise, Identity, Measurement, Record, Session, Visit
from fisio_ayida.insights.narrative import subject
from fisio_ayida.insights.narrative.validation import Fault, check
from fisio_ayida.insights.privacy import Scrubber

TODAY: Final = dt.date(2026, 6, 30)
IDENTITY: Final = Identity(names=("Rosângela Quintanilha",), numbers=("529.982.247-25",))
FALLING: Final = (8, 7, 7, 6, 5, 5, 3)
NOTE: Final = "Refere dor ao descer escadas, sono ruim. Lesão do menisco em investigação. Fez 3x10 com 5 kg."
PAIN: Final = ("pain_trend", "pain_newest")
VISITS: Final = ("attendance_rate_90d",)
ANGLE: Final = ("measurement_trend.1",)
LOAD: Final = ("exercise_volume", "exercise_volume_trend")
LAST: Final = ("sessao.7",)
TWO: Final = ("sessao.6", "sessao.7")


def record(pains: tuple[int, ...] = FALLING, note: str = NOTE) -> Record:
    """Seven weekly sessions with these pains."""
    sessions = tuple(_session(place, pain, note) for place, pain in enumerate(pains))
    return Record(
        organization_id="o", patient_id="p", today=TODAY, age=47, sex="F", complaint="dor no joelho há 3 meses",
        identity=IDENTITY, visits=_visits(), sessions=sessions,
    )  # fmt: skip


def reason(text: str, refs: tuple[str, ...], *, pains: tuple[int, ...] = FALLING, note: str = NOTE) -> str:
    """Of an answer with this as its only trend; empty if it may be shown."""
    passage = {"texto": text, "citacoes": list(refs)}
    summary = {"texto": "O acompanhamento segue em andamento.", "citacoes": ["attendance_rate_90d"]}
    answer = {"resumo": summary, "tendencias": [passage], "recomendacoes": [], "riscos": []}
    found = check(json.dumps(answer), _given(pains, note), IDENTITY)
    return found.reason if isinstance(found, Fault) else ""


@cache
def _given(pains: tuple[int, ...], note: str) -> subject.Subject:
    of = record(pains, note)
    return subject.of(of, compute(of), Scrubber(IDENTITY))


def _visits() -> tuple[Visit, ...]:
    kept = [Visit(id=f"v{week}", day=TODAY - dt.timedelta(days=44 - 7 * week), status="done") for week in range(7)]
    missed = [Visit(id=f"a{ago}", day=TODAY - dt.timedelta(days=ago), status="absent") for ago in (12, 26)]
    booked = replace(kept[0], id="next", day=TODAY + dt.timedelta(days=5), status="upcoming")
    return tuple(sorted((*kept, *missed, booked), key=lambda each: each.day))


def _session(place: int, pain: int, note: str) -> Session:
    day = TODAY - dt.timedelta(days=44 - 7 * place)
    return Session(
        id=f"s{place}", day=day, finalized_at=dt.datetime.combine(day, dt.time(18), dt.UTC), pain=pain, note=note,
        measurements=(Measurement(name="Flexão do joelho direito", value=90 + 5 * place, unit="°"),),
        exercises=(Exercise(name="Agachamento", sets=3, repetitions=10, load=5.0 + place),),
        procedures=("Mobilização articular",),
    )  # fmt: skip
