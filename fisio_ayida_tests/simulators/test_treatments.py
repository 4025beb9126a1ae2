"""The made-up treatments: the same every time, of nobody real, with records as clinics write them."""

from __future__ import annotations

import datetime as dt

import pytest

from fisio_ayida.insights import reading
from fisio_ayida.messaging.addresses import canonical
from fisio_ayida.simulators.fisioflow.clinics import world
from fisio_ayida.simulators.fisioflow.tables import TABLES, remove, write
from fisio_ayida.simulators.fisioflow.treatments import treatments
from fisio_ayida.simulators.fisioflow.world import Patient, Profile, Session, SessionContent, Visit, World
from fisio_ayida.warehouse.engine import Warehouse

DAY = dt.date(2026, 3, 12)


@pytest.fixture(scope="module")
def made() -> World:
    """A world."""
    return treatments("mark", DAY)


def test_the_same_seed_makes_the_same_world(made: World) -> None:
    assert treatments("mark", DAY) == made


def test_every_session_has_its_content_and_every_patient_a_profile(made: World) -> None:
    assert [row.id for row in made.of(Session)] == [row.session_id for row in made.of(SessionContent)]
    assert [row.id for row in made.patients] == [row.patient_id for row in made.of(Profile)]


def test_no_session_is_younger_than_the_day_before(made: World) -> None:
    sessions = [row.finalized_at for row in made.of(Session) if row.finalized_at is not None]
    assert max(sessions).date() < DAY
    assert all(row.date < DAY for row in made.of(Visit) if row.status != "agendado")


def test_pain_mostly_falls(made: World) -> None:
    pains = [row.pain_scale for row in made.of(SessionContent) if row.patient_id == "melhora-aroeira-mark"]
    told = [pain for pain in pains if pain is not None]
    assert len(told) == 13
    assert sum(told[:3]) > 2 * sum(told[-3:])


def test_no_telephone_is_shared_with_the_scripted_day(made: World) -> None:
    def numbers(people: list[Patient]) -> set[str]:
        return {canonical("whatsapp", each.phone) for each in people if each.phone not in (None, "3265-43")}

    assert not numbers(made.patients) & numbers(world("mark").patients)


def test_notes_name_people_who_are_made_up(made: World) -> None:
    names = {patient.id: patient.full_name.split()[0] for patient in made.patients}
    named = [row for row in made.of(SessionContent) if row.note and names[row.patient_id] in row.note]
    assert named


def test_the_clinics_want_three_things(made: World) -> None:
    assert {manners.insights for manners in made.manners.values()} == {"off", "facts", "narrative"}


def test_a_world_is_read_as_records_and_goes_whole(warehouse: Warehouse, made: World) -> None:
    pairs = [(patient.organization_id or "", patient.id) for patient in made.patients]
    zones = {id: manners.at(DAY, "12:00").tzinfo for id, manners in made.manners.items()}
    with warehouse.connect(autocommit=True) as conn:
        write(conn, made)
        read = reading.read(conn, pairs, dict.fromkeys(made.manners, DAY), zones)  # type: ignore[arg-type]
        remove(conn, "mark")
        left = [conn.execute(f"select * from clinic.{table}").fetchall() for table in TABLES]

    withheld = {id.partition("-aroeira")[0]: reason for (_, id), reason in read.withheld.items()}
    assert withheld == {
        "sem-ia": "ai_off_patient", "sem-consentimento": "no_consent", "faltou-sempre": "no_session",
    }  # fmt: skip
    sessions = [session for record in read.records.values() for session in record.sessions]
    assert [each.unusable for each in sessions if each.unusable] == []
    assert {len(each.exercises) > 0 for each in sessions} == {True}
    longest = read.records["clinica-aroeira-mark", "longa-aroeira-mark"]
    assert (len(longest.sessions), longest.earlier) == (40, 17)
    assert left == [[]] * len(TABLES)
