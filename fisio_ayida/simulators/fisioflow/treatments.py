"""Three more made-up clinics, whose patients are in treatment for weeks: what insights are made from.

Here: who is treated, how it goes, and who does not want it looked at. Not here: the words of a session
(``records.py``), and the clinics of the scripted day (``clinics.py``), which have no session contents.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fisio_ayida.simulators.fisioflow import records
from fisio_ayida.simulators.fisioflow.builder import Builder
from fisio_ayida.simulators.fisioflow.people import People
from fisio_ayida.simulators.fisioflow.records import CONDITIONS, Condition, Style
from fisio_ayida.simulators.fisioflow.world import World

#: The same people every time; not those of the scripted day.
SEED: Final = 34
#: Tuesdays and Thursdays.
_WEEKDAYS: Final = (1, 3)
#: Of their telephones, apart from those of the scripted day: replies find people by them.
_FIRST_NUMBER: Final = 5001
_CLOCKS: Final = ("08:00", "09:00", "10:30", "14:00", "16:00", "17:30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a treatment goes.

    Args:
        visits: that were booked until now.
        pain: at the beginning and at the end; None: it is not asked for.
        missed: places of visits to which the patient did not come, counted from the newest.
        returns: a visit to come is booked.
        ended: days ago.
        measured: every third session has a measurement.
        profile: what differs from a profile that allows everything.
    """

    role: str
    visits: int
    pain: tuple[int, int] | None = (8, 2)
    missed: Sequence[int] = ()
    returns: bool = True
    ended: int = 0
    measured: bool = True
    profile: dict[str, Any] | None = None


_ALL: Final = (
    Course(role="melhora", visits=14, missed=(5,)),
    Course(role="piora", visits=10, pain=(3, 8)),
    Course(role="igual", visits=12, pain=(5, 5)),
    Course(role="falta", visits=12, pain=(7, 5), missed=(0, 1, 3, 6), returns=False),
    Course(role="sumiu", visits=9, pain=(6, 4), returns=False, ended=45),
    Course(role="sem-dor", visits=8, pain=None),
    Course(role="sem-medida", visits=8, measured=False),
    Course(role="duas", visits=2),
    Course(role="nova", visits=1),
    Course(role="faltou-sempre", visits=3, missed=(0, 1, 2)),
    Course(role="longa", visits=60, pain=(9, 1), missed=(8, 20, 33)),
    Course(role="sem-ia", visits=8, profile={"allows_insights": False}),
    Course(role="sem-consentimento", visits=8, profile={"consents": False}),
)
_FEW: Final = (Course(role="melhora", visits=10), Course(role="falta", visits=10, missed=(0, 1, 2), returns=False))


def treatments(mark: str, day: dt.date, seed: int = SEED) -> World:
    """The three clinics: with narratives, with facts alone, and without insights.

    Args:
        mark: as of ``clinics.world``.
        day: no session is younger than the day before it.
    """
    people = People(seed, _FIRST_NUMBER)
    clinics = [
        _clinic(
            people, mark, day, "aroeira", "27", "Clínica Aroeira", _ALL, "portuguese", zone="America/Sao_Paulo",
        ),
        _clinic(
            people, mark, day, "umbu", "27", "Espaço Umbu", _FEW, "english", zone="America/Noronha",
            insights="facts",
        ),
        _clinic(
            people, mark, day, "jatoba", "68", "Fisio Jatobá", _FEW, "english", zone="America/Rio_Branco",
            insights="off",
        ),
    ]  # fmt: skip
    return World(
        day=day, mark=mark, rows=[row for clinic in clinics for row in clinic.rows],
        manners={clinic.id: clinic.manners for clinic in clinics}, words=[], script=[],
    )  # fmt: skip


def _clinic(
    people: People, mark: str, day: dt.date, short: str, area: str, name: str, courses: Sequence[Course],
    style: Style, **manners: Any,
) -> Builder:  # fmt: skip
    clinic = Builder(people, short, mark, day, area, name, marketing_basis="legitimate_interest", **manners)
    clinic.staff("direcao", "admin")
    clinic.staff("fisio-1", "fisioterapeuta")
    for number, course in enumerate(courses):
        _treat(clinic, course, CONDITIONS[number % len(CONDITIONS)], style)
    return clinic


def _treat(clinic: Builder, course: Course, condition: Condition, style: Style) -> None:
    people, chance, role = clinic.people, clinic.people.chance, course.role
    clinic.patient(role, date_of_birth=_born(chance))
    first, *_ = clinic.name_of(role).split()
    given: dict[str, Any] = {
        "sex": people.one_of(("F", "M")), "complaint": f"{condition.complaint} ({first})",
        "identifiers": (people.document(), people.phone(clinic.area)),
    }  # fmt: skip
    clinic.profile(role, **(given | (course.profile or {})))
    persons = _persons(clinic, role)
    days, before = _days(clinic.day, course), 11
    clock = chance.choice(_CLOCKS)
    for place, offset in enumerate(days):
        visit_role = f"{role}-{place}"
        is_missed = course.visits - 1 - place in course.missed
        visit = clinic.visit(visit_role, role, offset, clock, status="faltou" if is_missed else "atendido")
        if is_missed:
            continue
        done = place / max(course.visits - 1, 1)
        pain = None if course.pain is None else _pain(clinic, course.pain, done)
        session_role = f"sessao-{visit_role}"
        clinic.session(session_role, visit)
        mentioned = persons if place % 4 == 1 else None
        clinic.content(
            session_role, role, pain_scale=pain,
            note=records.note(chance, condition, 5 if pain is None else pain, (pain or 5) - before, mentioned),
            procedures=records.procedures(chance), exercises=records.exercises(chance, condition, done, style),
            measurements=records.measurements(chance, condition, done, style)
            if course.measured and place % 3 == 0 else [],
            home_exercises=list(condition.at_home),
        )  # fmt: skip
        before = pain or 5
    if course.returns:
        clinic.visit(f"{role}-volta", role, 7, clock)


def _born(chance: random.Random) -> dt.date:
    """Not at the end of February, which is the scripted day of the other clinics: nobody is greeted there."""
    return dt.date(chance.randrange(1945, 2005), chance.randrange(4, 13), chance.randrange(1, 28))


def _persons(clinic: Builder, role: str) -> dict[str, str]:
    """Who is mentioned in notes, and how they can be reached; all of them made up."""
    name, people = clinic.name_of(role), clinic.people
    return {
        "name": name, "first": name.split()[0], "phone": people.phone(clinic.area), "email": people.email(name),
        "therapist": people.name(),
    }  # fmt: skip


def _pain(clinic: Builder, course: tuple[int, int], done: float) -> int:
    begin, end = course
    return min(max(round(begin + (end - begin) * done) + clinic.people.chance.choice((-1, 0, 0, 0, 1)), 0), 10)


def _days(day: dt.date, course: Course) -> list[int]:
    """The days of a treatment as distances from a day, the oldest first."""
    found: list[int] = []
    distance = -1 - course.ended
    while len(found) < course.visits:
        if (day + dt.timedelta(days=distance)).weekday() in _WEEKDAYS:
            found.append(distance)
        distance -= 1
    return found[::-1]
