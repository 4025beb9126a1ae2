"""What all jobs share: runs at once, clinics and messages that cannot be, shadow mode, a decision's day."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from fisio_ayida.clinic import birthdays, planning
from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Outcome, Proposal
from fisio_ayida.clinic.organizations import load
from fisio_ayida.clinic.service import open_desk
from fisio_ayida.messaging.model import Draft
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida_tests.clinic.lab import CLINIC, LOG, ClinicLab

JOB = birthdays.JOB
BORN = dt.date(1990, 3, 12)
BY_MAIL, BY_WHATSAPP = "birthday:patient-1:2026:email", "birthday:patient-1:2026:whatsapp"


def born_today(lab: ClinicLab, many: int, organization: str = CLINIC) -> None:
    for n in range(many):
        lab.patient(f"{organization}-{n:02}", organization, date_of_birth=BORN)


def failures(lab: ClinicLab) -> list[tuple[str, str]]:
    found = lab.rows("select organization_id, error from jobs.failures order by organization_id")
    return [(row["organization_id"], row["error"]) for row in found]


# --- at once


def in_orders(lab: ClinicLab, *orders: Sequence[Draft]) -> list[Outcome]:
    """Runs at the same moment, each at a desk of its own, that ask for these drafts in these orders."""

    def alone(drafts: Sequence[Draft]) -> Outcome:
        def find(desk: Desk, there: Connection, clinics: Sequence[Clinic], order: Order) -> Proposal:
            start.wait()
            return Proposal(list(drafts))

        with open_desk(lab.settings, lab.warehouse, log=LOG) as desk:
            return planning.plan(JOB, find, desk, lab.order())

    start = threading.Barrier(len(orders), timeout=60)
    with ThreadPoolExecutor(len(orders)) as pool:
        return [each.result() for each in [pool.submit(alone, drafts) for drafts in orders]]


def test_runs_at_once_in_any_order_do_not_stop_each_other(lab: ClinicLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "CHUNK", 2)
    born_today(lab, 40)
    drafts = lab.find(birthdays.find).drafts

    outcomes = in_orders(lab, drafts, drafts[::-1], [*drafts[20:], *drafts[:20]])

    assert sum(each.planned["whatsapp"] for each in outcomes) == len(lab.keys()) == 40


def test_of_many_clinics_the_one_with_a_fault_is_found_by_halves(lab: ClinicLab) -> None:
    for n in range(63):
        lab.add("organizations", id=f"c{n:02}", name="Clínica")
    tries: list[int] = []

    def work(there: Connection, members: Sequence[Clinic], part: Outcome) -> None:
        tries.append(len(members))
        if any(clinic.id == "c40" for clinic in members):
            there.execute("select 1 / 0")

    outcome = Outcome(JOB)
    planning.for_each_group(lab.desk, load(lab.conn, lab.desk.clinic).clinics, work, outcome)

    assert [id for id, _ in outcome.failures] == ["c40"]
    assert (outcome.clinics, len(tries)) == (63, 13)


def test_a_deadlock_is_nobodys_fault(lab: ClinicLab) -> None:
    def work(there: Connection, members: Sequence[Clinic], part: Outcome) -> None:
        raise psycopg.errors.DeadlockDetected

    with pytest.raises(psycopg.OperationalError):
        planning.for_each_group(lab.desk, load(lab.conn, lab.desk.clinic).clinics, work, Outcome(JOB))


# --- what cannot be


def test_a_patient_without_a_name_is_withheld_and_no_failure(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, full_name=" ")

    outcome = lab.run(JOB)

    assert (lab.reasons(), failures(lab)) == ({BY_WHATSAPP: "unusable"}, [])
    assert outcome.facts["unusable messages"] == 1


def test_a_clinic_without_a_name_is_one_failure_of_a_run(lab: ClinicLab) -> None:
    lab.clinic("nameless", name=None)
    born_today(lab, 3, "nameless")
    born_today(lab, 1)

    lab.run(JOB)

    [(organization, error)] = failures(lab)
    assert (organization, list(lab.reasons().values())) == ("nameless", ["unusable"] * 3)
    assert error.startswith("all 3 messages are unusable, the first: birthday:nameless-00:2026:whatsapp: ")


def test_a_message_that_cannot_be_is_told_by_one_of_the_runs_of_a_day(lab: ClinicLab) -> None:
    lab.patient(full_name="")
    lab.visit("2026-03-12T09:00", status="atendido", updated_at=lab.moment)
    lab.moment += dt.timedelta(hours=3)

    first = lab.run("feedback_requests")
    lab.moment += dt.timedelta(minutes=15)
    again = lab.run("feedback_requests")

    assert (first.withheld, again.withheld) == ({"unusable": 1}, {})


# --- shadow mode


def test_what_a_shadow_run_decided_is_not_new_to_the_next(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)

    first, again, dry = (lab.run(JOB, is_shadow=True, is_dry=dry) for dry in (False, False, True))

    assert [each.planned.total() for each in (first, again, dry)] == [1, 0, 0]
    assert (again.known, dry.known) == (1, 1)


def test_a_dry_shadow_run_keeps_no_decision(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)

    outcome = lab.run(JOB, is_shadow=True, is_dry=True)

    assert (outcome.planned["whatsapp"], lab.rows("select * from jobs.decisions")) == (1, [])


@pytest.mark.parametrize("is_shadow", [False, True])
def test_shadow_mode_tells_nobody_again_on_another_channel_either(lab: ClinicLab, is_shadow: bool) -> None:
    lab.patient(date_of_birth=BORN)
    lab.run(JOB, is_shadow=is_shadow)
    lab.change("patients", "patient-1", preferred_channel="email")

    outcome = lab.run(JOB, is_shadow=is_shadow)

    assert (outcome.planned, lab.reasons()) == ({}, {BY_MAIL: "duplicate"})


def test_a_job_that_sends_does_not_heed_what_its_shadow_decided(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)
    lab.run(JOB, is_shadow=True)
    lab.change("patients", "patient-1", preferred_channel="email")

    lab.run(JOB)

    assert lab.keys() == [BY_MAIL]


def test_in_shadow_mode_a_patient_is_asked_once_a_month_too(lab: ClinicLab) -> None:
    lab.patient()
    for day, id in ((12, "visit-1"), (13, "visit-2")):
        lab.moment = lab.moment.replace(day=day, hour=9)
        lab.visit(f"2026-03-{day}T09:00", id, status="atendido", updated_at=lab.moment)
        lab.moment += dt.timedelta(hours=3)
        lab.run("feedback_requests", is_shadow=True)

    assert lab.reasons() == {"feedback:visit-2:whatsapp": "too_often"}


# --- the day of a decision


@pytest.mark.parametrize(
    ("zone", "nominal", "day"),
    [
        # 22:00 of the 12th in São Paulo.
        ("America/Sao_Paulo", dt.datetime(2026, 3, 13, 1, tzinfo=dt.UTC), dt.date(2026, 3, 12)),
        # A minute before and after midnight in Rio Branco.
        ("America/Rio_Branco", dt.datetime(2026, 3, 13, 4, 59, tzinfo=dt.UTC), dt.date(2026, 3, 12)),
        ("America/Rio_Branco", dt.datetime(2026, 3, 13, 5, 1, tzinfo=dt.UTC), dt.date(2026, 3, 13)),
    ],
)
def test_a_decision_is_of_the_clinics_own_day(
    lab: ClinicLab, zone: str, nominal: dt.datetime, day: dt.date
) -> None:
    lab.conn.execute("update messaging.policies set zone = %s", [zone])
    lab.patient(date_of_birth=dt.date(1990, day.month, day.day), phone=None, email=None)
    lab.moment = nominal

    lab.run(JOB)

    assert [row["day"] for row in lab.rows("select day from jobs.decisions")] == [day]


def test_a_message_withheld_for_another_reason_is_decided_on_that_day(lab: ClinicLab) -> None:
    lab.patient(phone=None, email=None)
    lab.package()
    lab.run("expiring_vouchers")
    lab.change("patients", "patient-1", is_active=False)
    lab.moment += dt.timedelta(days=1)

    lab.run("expiring_vouchers")

    [row] = lab.rows("select day, reason from jobs.decisions")
    assert (row["day"], row["reason"]) == (lab.moment.date(), "patient_inactive_or_deleted")


# --- the contract


def test_the_contract_is_looked_at_once_at_each_desk(lab: ClinicLab, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Connection] = []
    monkeypatch.setattr(planning.checking, "require", looks.append)
    for _ in range(2):
        with open_desk(lab.settings, lab.warehouse, log=LOG) as desk:
            for _ in range(3):
                planning.begin(JOB, desk, lab.order())
    assert len(looks) == 2


def test_what_stops_a_job_stops_the_next_one_at_the_same_desk(lab: ClinicLab) -> None:
    lab.conn.execute("alter table clinic.patients rename column date_of_birth to born")
    try:
        for _ in range(2):
            with pytest.raises(ClinicError, match=r"clinic\.patients\.date_of_birth"):
                lab.run(JOB)
    finally:
        lab.conn.execute("alter table clinic.patients rename column born to date_of_birth")
