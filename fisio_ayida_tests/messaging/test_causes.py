"""What a message follows from is read again as it is now: many at once, and never guessed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from fisio_ayida.messaging import causes
from fisio_ayida.messaging.causes import KINDS, Reading
from fisio_ayida.messaging.model import Cause, MessagingError
from fisio_ayida_tests.messaging.lab import CLINIC, PATIENT, VISIT, Counted, Lab
from fisio_ayida_tests.messaging.rows import pages_read

UPCOMING, DONE = (
    ("agendado", "scheduled", "presenca_confirmada", "confirmado"),
    ("atendido", "completed", "realizada"),
)
NEITHER = ("cancelado", "faltou", "remarcado", "something new")


def read(lab: Lab, kind: str, id: str) -> Reading:
    """One cause."""
    return causes.read(lab.conn, {(kind, id): CLINIC}, now=lab.moment, clinic=lab.door)[kind, id]


def test_an_appointment_tells_all_that_its_messages_say(lab: Lab) -> None:
    lab.conn.execute("insert into clinic.staff values ('staff-1', %s, 'Dra. Carla Dias')", [CLINIC])
    lab.visit()
    lab.conn.execute("update clinic.appointments set therapist_id = 'staff-1'")
    found = read(lab, "appointment", VISIT)
    assert found.variables == {
        "nome": "Ana Beatriz Souza", "clinica": "Clínica São João", "profissional": "Dra. Carla Dias",
        "data": "2026-03-13", "hora": "14:00",
    }  # fmt: skip
    assert (found.now.exists, found.now.wanted, found.now.version) == (True, True, "2026-03-13T14:00")


@pytest.mark.parametrize(("zone", "hour"), [("America/Sao_Paulo", 17), ("America/Rio_Branco", 19)])
def test_an_appointment_is_useless_from_its_start_by_the_clinics_clock(lab: Lab, zone: str, hour: int) -> None:
    lab.policy(zone=zone)
    lab.visit()
    assert read(lab, "appointment", VISIT).now.useless_from == dt.datetime(2026, 3, 13, hour, tzinfo=dt.UTC)


@pytest.mark.parametrize("kind", ["appointment", "visit"])
@pytest.mark.parametrize("status", [*UPCOMING, *DONE, *NEITHER])
def test_a_visit_wants_its_messages_before_and_its_question_after(lab: Lab, kind: str, status: str) -> None:
    lab.visit(status=status)
    found = read(lab, kind, VISIT).now
    assert found.wanted == (status in (UPCOMING if kind == "appointment" else DONE))
    assert found.why.startswith("its state is ")


@pytest.mark.parametrize("kind", ["appointment", "visit"])
@pytest.mark.parametrize("table", ["appointments", "patients"])
def test_what_was_deleted_wants_nothing(lab: Lab, kind: str, table: str) -> None:
    lab.visit(status="agendado" if kind == "appointment" else "atendido")
    assert read(lab, kind, VISIT).now.wanted
    lab.conn.execute(f"update clinic.{table} set deleted_at = now()")
    found = read(lab, kind, VISIT).now
    assert (found.wanted, found.why) == (False, "it was deleted")


def test_the_visits_of_a_day_are_one_cause(lab: Lab) -> None:
    lab.visit("v1", "2026-03-13T14:00")
    lab.visit("v2", "2026-03-13T09:30")
    found = read(lab, "appointments", "v1,v2")
    assert found.now.version == "2026-03-13T09:30,2026-03-13T14:00"
    assert found.now.useless_from == dt.datetime(2026, 3, 13, 12, 30, tzinfo=dt.UTC)
    assert found.variables == {
        "nome": "Ana Beatriz Souza", "clinica": "Clínica São João", "data": "2026-03-13",
        "visitas": [{"hora": "09:30"}, {"hora": "14:00"}],
    }  # fmt: skip


@pytest.mark.parametrize("status", ["cancelado", None])
def test_a_day_with_one_visit_off_is_another_day(lab: Lab, status: str | None) -> None:
    lab.visit("v1", "2026-03-13T14:00")
    if status:
        lab.visit("v2", "2026-03-13T09:30", status=status)
    assert not read(lab, "appointments", "v1,v2").now.wanted


def test_a_social_name_is_the_name(lab: Lab) -> None:
    lab.conn.execute("update clinic.patients set social_name = 'Bia'")
    assert read(lab, "patient", PATIENT).variables == {"nome": "Bia", "clinica": "Clínica São João"}


def test_a_clinic_that_has_told_its_address_and_telephone_tells_them(lab: Lab) -> None:
    lab.visit()
    lab.policy(address=" Rua das Acácias, 120 ", phone="(27) 3333-0000")
    where = {"endereco": "Rua das Acácias, 120", "telefone": "(27) 3333-0000"}
    for kind in ("appointment", "appointments"):
        assert where.items() <= read(lab, kind, VISIT).variables.items()
    assert read(lab, "patient", PATIENT).variables["telefone"] == "(27) 3333-0000"


@pytest.mark.parametrize("kind", ["appointment", "appointments", "visit", "patient"])
def test_a_cause_gives_the_variables_that_it_says(lab: Lab, kind: str) -> None:
    lab.conn.execute("insert into clinic.staff values ('staff-1', %s, 'Dra. Carla Dias')", [CLINIC])
    lab.visit()
    lab.conn.execute("update clinic.appointments set therapist_id = 'staff-1'")
    lab.policy(address="Rua das Acácias, 120", phone="(27) 3333-0000")
    assert read(lab, kind, PATIENT if kind == "patient" else VISIT).variables.keys() == KINDS[kind].gives


def test_a_deleted_patient_wants_nothing(lab: Lab) -> None:
    lab.conn.execute("update clinic.patients set deleted_at = now()")
    assert not read(lab, "patient", PATIENT).now.wanted


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_is_gone(lab: Lab, kind: str) -> None:
    found = read(lab, kind, "1|2").now
    assert not found.wanted
    if kind != "appointments":
        assert not found.exists


def event(lab: Lab, id: str, data: dict[str, Any]) -> None:
    """An event in the inbox."""
    lab.conn.execute("select events.send('email/send', %s, %s)", [Jsonb(data), id])


@pytest.mark.parametrize("id", ["e1", "e1|2", "e|1.0"])
def test_an_event_is_found_whatever_its_id_looks_like(lab: Lab, id: str) -> None:
    event(lab, "e1", {"to": "wrong"})
    event(lab, "e", {"to": "wrong"})
    lab.conn.execute("delete from events.inbox where id = %s", [id])
    event(lab, id, {"to": "right"})
    for place in ("", "0", "12.3"):
        assert read(lab, "event", f"{id}|{place}").variables == {"name": "email/send", "data": {"to": "right"}}


def test_a_reply_is_found_without_reading_the_others(lab: Lab) -> None:
    lab.conn.execute(
        "insert into messaging.replies (provider, provider_id, address_masked, address_hash, intent, received_at) "
        "select 'scripted', n, 'x', '', 'confirm', %s from generate_series(1, 5000) n",
        [lab.moment],
    )
    id = lab.value("select max(id) from messaging.replies")
    assert pages_read(lab, KINDS["reply"].links or "", {"ids": [str(id), "no number"]}) < 20


def test_many_causes_are_one_query_a_kind_and_one_for_all_policies(lab: Lab) -> None:
    for number in range(20):
        lab.visit(f"v{number}")
    wanted = {(kind, f"v{number}"): CLINIC for number in range(20) for kind in ("appointment", "visit")}
    counted = Counted(lab.conn)
    found = causes.read(counted, wanted, now=lab.moment, clinic=lab.door)  # type: ignore[arg-type]  # stands in for it
    assert (counted.statements, len(found)) == (3, 40)


@pytest.mark.parametrize("kind", ["appointment", "appointments", "visit"])
def test_a_visit_that_is_another_patients_by_now_is_nothing_to_the_first_one(lab: Lab, kind: str) -> None:
    lab.visit(status="atendido" if kind == "visit" else "agendado")
    before = read(lab, kind, VISIT).towards(CLINIC, PATIENT)
    lab.patient("patient-2")
    lab.conn.execute("update clinic.appointments set patient_id = 'patient-2'")
    found = read(lab, kind, VISIT)
    first = found.towards(CLINIC, PATIENT)
    assert (before.wanted, found.towards(CLINIC, "patient-2").wanted) == (True, True)
    assert (first.exists, first.wanted, first.why) == (True, False, "it is another patient's now")


def test_a_day_of_which_one_visit_is_another_patients_is_nobodys(lab: Lab) -> None:
    lab.patient("patient-2")
    lab.visit("v1")
    lab.visit("v2", patient="patient-2")
    found = read(lab, "appointments", "v1,v2")
    assert not found.towards(CLINIC, PATIENT).wanted and not found.towards(CLINIC, "patient-2").wanted


def test_a_visit_of_another_clinic_by_now_is_nothing_to_the_first_one(lab: Lab) -> None:
    lab.visit()
    lab.conn.execute("update clinic.appointments set organization_id = 'org-2'")
    assert read(lab, "appointment", VISIT).towards(CLINIC, None).why == "it is another organisation's now"


def test_of_two_rows_with_one_id_neither_is_meant(lab: Lab) -> None:
    with lab.conn.transaction(force_rollback=True):
        lab.conn.execute("alter table clinic.packages drop constraint packages_pkey")
        lab.conn.execute(
            "insert into clinic.packages (id, organization_id, patient_id, remaining_sessions, expires_on) "
            "select 'p', %s, %s, n, '2026-03-20' from generate_series(1, 2) n",
            [CLINIC, PATIENT],
        )
        found = read(lab, "package", "p").now
    assert (found.exists, found.why) == (False, "several rows have this id")


def test_a_therapist_with_two_profiles_makes_no_two_visits(lab: Lab) -> None:
    lab.visit()
    lab.conn.execute("update clinic.appointments set therapist_id = 'staff-1'")
    with lab.conn.transaction(force_rollback=True):
        lab.conn.execute("alter table clinic.staff drop constraint staff_pkey")
        lab.conn.execute(
            "insert into clinic.staff select 'staff-1', %s, 'Dra. Carla' from generate_series(1, 2)", [CLINIC]
        )
        found = read(lab, "appointment", VISIT)
    assert (found.now.wanted, found.variables["profissional"]) == (True, "Dra. Carla")


def test_a_kind_that_cannot_be_read_again_is_refused(lab: Lab) -> None:
    with pytest.raises(MessagingError, match=r"cause\.kind='visits' is not known"):
        causes.check(Cause("visits", "v1"))
