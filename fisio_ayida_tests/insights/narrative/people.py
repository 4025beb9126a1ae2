"""One patient's record for the tests of narratives: nine sessions, of which something can be said.

Here: the record, and the same with canaries in every text. Not here: expectations.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Final

from fisio_ayida.insights.model import (
    Commission,
    Exercise,
    Identity,
    Measurement,
    Record,
    Session,
    Visit,
)

TODAY: Final = dt.date(2026, 3, 12)
IDENTITY: Final = Identity(
    names=("Rosângela Pereira Quintanilha", "Clínica Movimento Vivo", "Helena Brandão"),
    numbers=("529.982.247-25", "(11) 98765-4321"),
    addresses=("rosangela.q@example.com",),
)
#: What no request may have in it, in any of these spellings.
CANARIES: Final = (
    "Rosângela", "rosangela", "Quintanilha", "Movimento Vivo", "Brandão", "52998224725", "529.982.247-25",
    "98765-4321", "987654321", "rosangela.q", "14/05/1971", "1971-05-14", "01310-100",
)  # fmt: skip
#: A text with all of them.
PLANTED: Final = (
    "Rosângela Quintanilha (CPF 529.982.247-25, nasc. 14/05/1971) da Clínica Movimento Vivo, com Dra. Brandão, "
    "CEP 01310-100, fone (11) 98765-4321 ou rosangela.q@example.com"
)


def session(number: int, **changes: Any) -> Session:
    """The session of a week; pain falls from 8 by a point in each."""
    day = TODAY - dt.timedelta(days=7 * (9 - number) + 1)
    given: dict[str, Any] = {
        "id": f"5e551010-0000-4000-8000-{number:012}", "day": day, "pain": 8 - min(number, 6),
        "finalized_at": dt.datetime.combine(day, dt.time(15), dt.UTC),
        "note": f"<p>Refere melhora ao subir escadas. Ponte com {number + 11} repetições &amp; alongamento.</p>",
        "procedures": ("Mobilização articular",),
        "exercises": (Exercise(name="Ponte", sets=3.0, repetitions=12.0, load=2.5),),
        "home_exercises": (Exercise(name="Alongamento de isquiotibiais", seconds=30.0),),
        "measurements": (Measurement(name="Flexão do joelho direito", value=90.0 + 4 * number, unit="graus"),),
    }  # fmt: skip
    return Session(**(given | changes))


def record(**changes: Any) -> Record:
    """A patient with nine sessions, one a week, and a missed visit."""
    sessions = tuple(session(number) for number in range(1, 10))
    visits = tuple(Visit(id=f"visit-{each.id}", day=each.day, status="done") for each in sessions)
    missed = Visit(id="visit-missed", day=TODAY - dt.timedelta(days=12), status="absent")
    given: dict[str, Any] = {
        "organization_id": "0a6b1c2d-0000-4000-8000-00000000c11c", "today": TODAY, "sessions": sessions,
        "patient_id": "9d1f2e3c-0000-4000-8000-00000000ba7e", "identity": IDENTITY, "age": 54, "sex": "F",
        "visits": tuple(sorted((*visits, missed), key=lambda each: each.day)),
        "complaint": "Dor lombar há 6 meses",
    }  # fmt: skip
    return Record(**(given | changes))


def planted() -> Record:
    """The same with canaries in every field that somebody can write in."""
    exercises = (Exercise(name=PLANTED, sets=3.0, repetitions=10.0),)
    sessions = tuple(
        replace(
            each, note=f"<p>{each.note}</p><p>{PLANTED}</p>", procedures=(PLANTED,), exercises=exercises,
            home_exercises=exercises, measurements=(Measurement(name=PLANTED, value=110.0, unit=PLANTED),),
            unusable=(PLANTED,),
        )
        for each in record().sessions
    )  # fmt: skip
    return record(sessions=sessions, complaint=PLANTED)


def commission(**changes: Any) -> Commission:
    """With more budget than anything here needs."""
    given: dict[str, Any] = {
        "key": "insight:9d1f2e3c:5e551010:p1:m", "organization_id": record().organization_id,
        "patient_id": record().patient_id, "day": TODAY, "tokens_per_day": 10**9, "cost_per_day": None,
        "run_id": "r",
    }  # fmt: skip
    return Commission(**(given | changes))
