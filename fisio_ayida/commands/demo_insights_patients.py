"""The demo's made-up patients in treatment on the embedded database: their rows, and what hides in their notes.

Here: making room, writing, and canaries: names and numbers that must never be seen where a model could be. Not
here: who the patients are (``simulators/fisioflow/treatments.py``), and the runs (``demo_insights.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from fisio_ayida.commands.demo_day_clinics import SAO_PAULO
from fisio_ayida.simulators.fisioflow.tables import TABLES, remove, write
from fisio_ayida.simulators.fisioflow.world import (
    Patient,
    Profile,
    Row,
    Session,
    SessionContent,
    Visit,
    World,
)  # fmt: skip

Connection = psycopg.Connection[Any]

#: Whose pages are kept, and whose narratives are spoilt.
_CHOSEN, _SPOILT = "melhora-", "igual-"
#: The record is taken to be quiet by then (``insights/wishes.py``).
_AGO: Final = dt.timedelta(minutes=6)
#: Somebody of whom the clinic's tables know nothing.
_MOTHER: Final = "Creusa Quintanilha"
_STREET, _POSTCODE = "Rua das Acácias, 120", "29055-450"
#: Digits that can be nothing else but what was hidden.
_A_NUMBER: Final = 7
_EARLIER: Final = """
select substring(id from '^clinica-aroeira-(.+)$') from clinic.organizations where id like 'clinica-aroeira-%'
"""
_OURS: Final = (
    "insights.items", "insights.generations", "insights.calls", "insights.spending", "insights.queue",
    "clinic.patient_insights", "messaging.policies", "jobs.policies",
)  # fmt: skip
_HIDE: Final = """
update clinic.session_contents set
  note = coalesce(note, '') || %(note)s, procedures = coalesce(procedures, '[]') || %(procedures)s,
  exercises = coalesce(exercises, '[]') || %(exercises)s,
  measurements = coalesce(measurements, '[]') || %(measurements)s,
  home_exercises = coalesce(home_exercises, '[]') || %(home)s
where patient_id = %(patient)s
"""
_COMPLAIN: Final = """
update clinic.patient_profiles set complaint = coalesce(complaint, '') || %s where patient_id = %s
"""


@dataclass(frozen=True, slots=True)
class Canary:
    """What was hidden. ``texts``: as it was written, or parts of it by which somebody is known."""

    kind: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Searched:
    """A text in which canaries are looked for, however they are spelled there."""

    folded: str
    digits: str

    @classmethod
    def of(cls, text: str) -> Searched:
        return cls(_folded(text), _digits(text))

    def has(self, canary: Canary) -> bool:
        """Whether any of it stands there."""
        for each in canary.texts:
            number, words = _digits(each), re.escape(_folded(each))
            if (len(number) >= _A_NUMBER and number in self.digits) or re.search(rf"\b{words}\b", self.folded):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Narrated:
    """The clinic that wants narratives. ``spoilt``: the patient whose narratives are answered badly."""

    id: str
    patients: tuple[Patient, ...]
    spoilt: str


def set_up(conn: Connection, world: World) -> None:
    """The clinics with what they want; those of an earlier demo make room."""
    with conn.transaction():
        for (mark,) in conn.execute(_EARLIER).fetchall():
            remove(conn, mark)
            for table in _OURS:
                conn.execute(f"delete from {table} where organization_id like %s", [f"clinica-%-{mark}"])
        write(conn, world)
        for manners in world.manners.values():
            conn.execute(
                "insert into messaging.policies (organization_id, zone, marketing_basis) values (%s, %s, %s)",
                [manners.organization_id, manners.zone, manners.marketing_basis],
            )
            conn.execute(
                "insert into jobs.policies (organization_id, insights) values (%s, %s)",
                [manners.organization_id, manners.insights],
            )
    # A table without statistics is planned for as if it were large.
    conn.execute(f"analyze {', '.join(f'clinic.{table}' for table in TABLES)}")


def narrated_of(world: World) -> Narrated:
    """The clinic that wants narratives."""
    id = next(each.organization_id for each in world.manners.values() if each.insights == "narrative")
    patients = tuple(each for each in world.patients if each.organization_id == id)
    return Narrated(id, patients, next(each.id for each in patients if each.id.startswith(_SPOILT)))


def chosen_of(world: World) -> Patient:
    """The patient whose pages are kept."""
    return next(each for each in narrated_of(world).patients if each.id.startswith(_CHOSEN))


def last_day(world: World) -> dt.date:
    """The newest day in São Paulo on which a session was finalized."""
    return max(row.finalized_at for row in world.of(Session) if row.finalized_at).astimezone(SAO_PAULO).date()


def hide(conn: Connection, world: World, patient: Patient) -> tuple[Canary, ...]:
    """Write who the patient is, and who belongs to them, into every free text that there is of them."""
    document = next(row.identifiers[0] for row in world.of(Profile) if row.patient_id == patient.id)
    name, phone, email = patient.full_name, patient.phone or "", patient.email or ""
    conn.execute(_COMPLAIN, [f"; {name}, tel. {phone}", patient.id])
    conn.execute(_HIDE, {
        "patient": patient.id,
        "note": f"<p>{name}, CPF {document}, pede retorno pelo {phone} ou {email}. Veio com a mãe, {_MOTHER}, que "
                f"mora na {_STREET}, CEP {_POSTCODE}.</p>",
        "procedures": Jsonb([f"Orientação à mãe {_MOTHER}"]),
        "exercises": Jsonb([{"nome": f"Caminhada com {name.split()[0]}", "séries": "3", "repetições": 10}]),
        "measurements": Jsonb([{"nome": f"Flexão do joelho de {name}", "lado": "", "valor": "110,0 graus"}]),
        "home": Jsonb([f"Ligar para {phone} se doer"]),
    })  # fmt: skip
    return (
        Canary("the patient's name", (name, *name.split())),
        Canary("the mother's name", (_MOTHER, *_MOTHER.split())),
        Canary("telephone", (phone,)),
        Canary("CPF", (document,)),
        Canary("e-mail", (email,)),
        Canary("street", (_STREET, "Acácias")),
        Canary("CEP", (_POSTCODE,)),
    )  # fmt: skip


def finalize_another(conn: Connection, world: World, patient: str, now: dt.datetime) -> None:
    """One more session, like the newest one, finalized some minutes ago."""
    session = [row for row in world.of(Session) if row.patient_id == patient][-1]
    visit = next(row for row in world.of(Visit) if row.id == session.appointment_id)
    content = next(row for row in world.of(SessionContent) if row.session_id == session.id)
    ended, id = now - _AGO, f"hoje-{patient}"
    day = ended.astimezone(SAO_PAULO).date()
    rows: list[Row] = [
        dataclasses.replace(visit, id=id, date=day, status="atendido"),
        dataclasses.replace(session, id=id, appointment_id=id, date=ended, finalized_at=ended, updated_at=ended),
        dataclasses.replace(content, session_id=id, pain_scale=1),
    ]
    with conn.transaction():
        write(conn, dataclasses.replace(world, rows=rows))


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdecimal())


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
