"""Integrity checks: each finds its one wrong row and no good one, exactly, for each clinic by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fisio_ayida.clinic.contract import RELATIONS
from fisio_ayida.clinic.integrity.checks import CHECKS
from fisio_ayida.clinic.integrity.examine import Result, examine
from fisio_ayida.messaging.model import Cause, Draft
from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT, THERAPIST, ClinicLab

OTHER = "org-2"


def world(lab: ClinicLab) -> None:
    """Two clinics without a flaw; in the first a visit of each kind."""
    for clinic, patient, therapist in ((CLINIC, PATIENT, THERAPIST), (OTHER, "patient-2", "therapist-2")):
        if clinic == OTHER:
            lab.clinic(OTHER)
            lab.therapist(therapist, OTHER)
        lab.patient(patient, clinic)
        done = lab.visit(
            "2026-03-10T10:00", f"done-{clinic}", patient, clinic, therapist_id=therapist, status="atendido"
        )
        lab.visit("2026-03-20T10:00", f"next-{clinic}", patient, clinic, therapist_id=therapist)
        session(lab, f"session-{clinic}", organization_id=clinic, patient_id=patient, appointment_id=done)
        package(lab, f"package-{clinic}", organization_id=clinic, patient_id=patient)
        payment(lab, f"payment-{clinic}", organization_id=clinic, patient_id=patient, appointment_id=done)


def session(lab: ClinicLab, id: str = "bad", **columns: object) -> str:
    return lab.add("sessions", id=id, **({"organization_id": CLINIC, "patient_id": PATIENT} | columns))


def package(lab: ClinicLab, id: str = "bad", **columns: object) -> None:
    given = {"organization_id": CLINIC, "patient_id": PATIENT, "total_sessions": 10, "used_sessions": 4}
    lab.add("packages", id=id, **(given | {"remaining_sessions": 6} | columns))


def payment(lab: ClinicLab, id: str = "bad", **columns: object) -> None:
    lab.add("payments", id=id, **({"organization_id": CLINIC, "patient_id": PATIENT} | columns))


def reminded(lab: ClinicLab, id: str = "bad", *, before: dt.timedelta) -> None:
    """The clinic's first reminder is of so long before now; then a visit is marked by somebody else."""
    draft = Draft(
        key="reminder:other:email", job="appointment_reminders", channel="email", category="transactional",
        organization_id=CLINIC, patient_id=PATIENT, template="appointment_reminder",
        variables={"nome": "Ana", "clinica": "X", "data": "2026-03-20", "hora": "10:00"},
        cause=Cause("appointment", f"next-{CLINIC}"),
    )  # fmt: skip
    lab.desk.outbox.plan(lab.conn, [draft], now=lab.moment - before)
    lab.change("appointments", f"next-{CLINIC}", reminder_sent_at=lab.moment - dt.timedelta(hours=1))
    lab.visit("2026-03-21T10:00", id, reminder_sent_at=lab.moment - dt.timedelta(hours=1))


#: One wrong row for each check, under the check's own name.
SEEDS: dict[str, Callable[[ClinicLab, str], object]] = {
    "appointments_without_patient": lambda lab, id: lab.visit("2026-03-20T11:00", id, None),
    "sessions_without_appointment": lambda lab, id: session(lab, id, appointment_id="nowhere"),
    "sessions_with_other_patient": lambda lab, id: (
        lab.patient("sister"), session(lab, id, appointment_id=f"done-{CLINIC}", patient_id="sister")
    ),
    "payments_without_appointment": lambda lab, id: payment(lab, id, appointment_id="nowhere"),
    "payments_without_patient": lambda lab, id: payment(lab, id, patient_id="nobody"),
    "patients_without_organization": lambda lab, id: lab.patient(id, "org-gone"),
    "appointments_of_other_organization": lambda lab, id: lab.visit("2026-03-20T11:00", id, "patient-2"),
    "sessions_of_other_organization": lambda lab, id: (
        session(lab, id, appointment_id=f"done-{OTHER}", patient_id="patient-2")
    ),
    "packages_of_other_organization": lambda lab, id: package(lab, id, patient_id="patient-2"),
    "payments_of_other_organization": lambda lab, id: payment(lab, id, appointment_id=f"done-{OTHER}"),
    "appointments_of_others_staff": lambda lab, id: lab.visit("2026-03-20T11:00", id, therapist_id="therapist-2"),
    "done_without_session": lambda lab, id: lab.visit("2026-03-11T07:30", id, status="atendido"),
    "packages_with_impossible_balance": lambda lab, id: package(lab, id, used_sessions=11, remaining_sessions=-1),
    "appointments_with_unknown_status": lambda lab, id: lab.visit("2026-03-20T11:00", id, status="inventado"),
    "reminders_not_in_outbox": lambda lab, id: reminded(lab, id, before=dt.timedelta(days=2)),
}  # fmt: skip


def look(lab: ClinicLab, **order: object) -> dict[str, Result]:
    examination = examine(lab.desk, lab.order(**order))  # type: ignore[arg-type]
    return {result.check: result for result in examination.results}


@contextmanager
def broken_packages(lab: ClinicLab) -> Iterator[None]:
    """A view over what FisioFlow keeps as text, in which somebody has typed no number."""
    columns = [each.name for each in RELATIONS["packages"].columns]
    shown = ["(name || 'x')::integer as total_sessions" if c == "total_sessions" else c for c in columns]
    lab.conn.execute("alter table clinic.packages rename to real_packages")
    lab.conn.execute(f"create view clinic.packages as select {', '.join(shown)} from clinic.real_packages")
    lab.conn.execute("insert into clinic.real_packages (id, organization_id, name) values ('g', %s, '')", [CLINIC])
    try:
        yield
    finally:
        lab.conn.execute("drop view clinic.packages; alter table clinic.real_packages rename to packages")


def found(lab: ClinicLab) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {name: (each.problems, each.sample_ids) for name, each in look(lab).items() if not each.passed}


def test_good_rows_are_no_problem(lab: ClinicLab) -> None:
    world(lab)
    assert found(lab) == {}


def test_each_check_finds_its_own_wrong_row_and_no_other(lab: ClinicLab) -> None:
    world(lab)
    for check in CHECKS:
        SEEDS[check](lab, check)
    assert found(lab) == {check: (1, (check,)) for check in CHECKS}


def test_the_count_is_exact_and_twenty_are_named(lab: ClinicLab) -> None:
    for n in range(120):
        lab.visit("2026-03-20T11:00", f"visit-{n:03}", None)
    many, ids = found(lab)["appointments_without_patient"]
    assert (many, ids) == (120, tuple(f"visit-{n:03}" for n in range(20)))


def test_deleted_rows_are_no_problem(lab: ClinicLab) -> None:
    lab.visit("2026-03-20T11:00", "gone", None, deleted_at=lab.moment)
    session(lab, appointment_id="nowhere", deleted_at=lab.moment)
    assert found(lab) == {}


@pytest.mark.parametrize(
    ("zone", "end", "is_late"),
    # 24 hours before nine in São Paulo: 07:00 in Rio Branco, 10:00 in Noronha.
    [("America/Sao_Paulo", "09:00", True), ("America/Sao_Paulo", "09:01", False),
     ("America/Rio_Branco", "07:00", True), ("America/Rio_Branco", "07:01", False),
     ("America/Noronha", "10:00", True), ("America/Noronha", "10:01", False)],
)  # fmt: skip
def test_a_session_is_due_24_hours_after_the_end_in_the_clinics_zone(
    lab: ClinicLab, zone: str, end: str, is_late: bool
) -> None:
    lab.patient()
    lab.conn.execute("update messaging.policies set zone = %s", [zone])
    lab.visit("2026-03-11T06:00", end_time=end, status="concluido")
    assert ("done_without_session" in found(lab)) == is_late


def test_a_visit_of_long_ago_needs_no_session(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2025-12-11T06:00", status="atendido")
    lab.visit("2025-12-12T06:00", "in-time", status="atendido")
    assert found(lab)["done_without_session"] == (1, ("in-time",))


def test_a_cancelled_session_is_none(lab: ClinicLab) -> None:
    world(lab)
    lab.change("sessions", f"session-{CLINIC}", status="cancelled")
    assert found(lab) == {"done_without_session": (1, (f"done-{CLINIC}",))}


def test_a_clinics_own_word_is_known_there_and_nowhere_else(lab: ClinicLab) -> None:
    lab.clinic(OTHER)
    lab.patient()
    lab.patient("patient-2", OTHER)
    lab.add("appointment_statuses", organization_id=CLINIC, key="em_sala", **{"class": None})
    lab.visit("2026-03-20T11:00", "here", status="em_sala")
    lab.visit("2026-03-20T11:00", "there", "patient-2", OTHER, status="em_sala", therapist_id=None)
    assert found(lab) == {"appointments_with_unknown_status": (1, ("there",))}


def test_a_balance_that_nobody_knows_is_not_wrong(lab: ClinicLab) -> None:
    lab.patient()
    package(lab, "half-known", used_sessions=None, remaining_sessions=3)
    package(lab, "unknown", total_sessions=None, used_sessions=None, remaining_sessions=None)
    assert found(lab) == {}


def test_what_was_reminded_before_our_first_reminder_is_not_compared(lab: ClinicLab) -> None:
    world(lab)
    reminded(lab, before=dt.timedelta(minutes=30))
    assert found(lab) == {}


def test_a_reminder_of_several_visits_counts_for_each(lab: ClinicLab) -> None:
    world(lab)
    reminded(lab, before=dt.timedelta(days=2))
    lab.conn.execute(
        "update messaging.messages set cause_kind = 'appointments', cause_id = cause_id || ',bad'"
    )  # fmt: skip
    assert found(lab) == {}


def test_rows_of_an_inactive_clinic_are_nobodys_business(lab: ClinicLab) -> None:
    lab.clinic("closed", is_active=False)
    lab.visit("2026-03-20T11:00", "old", None, "closed", therapist_id=None)
    assert found(lab) == {}


def test_one_organisation_can_be_asked_for_alone(lab: ClinicLab) -> None:
    lab.clinic(OTHER)
    lab.visit("2026-03-20T11:00", "here", None)
    lab.visit("2026-03-20T11:00", "there", None, OTHER, therapist_id=None)
    lab.patient("stray", None)
    bad = {name: each.sample_ids for name, each in look(lab, organization=OTHER).items() if not each.passed}
    assert bad == {"appointments_without_patient": ("there",)}


def test_a_check_that_cannot_run_is_an_error_and_never_zero(lab: ClinicLab) -> None:
    lab.visit("2026-03-20T11:00", "bad", None)
    with broken_packages(lab):
        examination = examine(lab.desk, lab.order())
    results = {result.check: result for result in examination.results}
    broken = results["packages_with_impossible_balance"]
    assert broken.error is not None
    assert broken.error.startswith("InvalidTextRepresentation")
    assert not broken.passed
    assert results["appointments_without_patient"].problems == 1
    assert [id for id, _ in examination.outcome.failures] == [""]


def test_a_dry_run_writes_nothing(lab: ClinicLab) -> None:
    lab.therapist("boss", roles=["admin"])
    lab.visit("2026-03-20T11:00", "bad", None)
    assert look(lab, is_dry=True)["appointments_without_patient"].problems == 1
    assert (lab.keys(), lab.rows("select * from jobs.integrity")) == ([], [])
