"""Integrity checks and clean-up over FisioFlow's own tables, in another database and under its row security."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from fisio_ayida.clinic import mappings
from fisio_ayida.clinic.integrity.examine import Result, examine
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.conftest import emptied
from fisio_ayida_tests.clinic.fisioflow import Conn
from fisio_ayida_tests.clinic.lab import MORNING, ClinicLab

WEEKS_AGO = "2026-01-10"


@dataclass(frozen=True, slots=True)
class Flow:
    """Two clinics of FisioFlow's with an administrator each, and the jobs' desk."""

    conn: Conn
    lab: ClinicLab
    clinics: tuple[str, str]

    def add(self, table: str, organization: str, **columns: Any) -> str:
        return fisioflow.add(self.conn, table, organization_id=organization, **columns)

    def look(self, **order: Any) -> dict[str, Result]:
        """What is wrong, by check."""
        results = examine(self.lab.desk, self.lab.order(**order)).results
        return {result.check: result for result in results if not result.passed}


@pytest.fixture
def flowing(
    flow: Conn, fisioflow_database: Warehouse, clinic_warehouse: Warehouse, settings: Settings
) -> Iterator[Flow]:
    fisioflow.create(flow)
    flow.execute(
        "create table public.notification_history (id uuid default gen_random_uuid(), created_at timestamp)"
    )
    mappings.apply(flow, "fisioflow")
    fisioflow.secure(flow)
    with fisioflow.reader(fisioflow_database) as url:
        flow.execute(
            f"grant select, delete on public.notification_history, clinic.notification_history to {url.user}"
        )
        given = {"FISIO_AYIDA_HOME": str(settings.home), "CLINIC_DATABASE_URL": url.psycopg}
        lab = ClinicLab(clinic_warehouse, Settings.load(given))
        emptied(lab.conn)
        clinics = [fisioflow.add(flow, "organizations", name=f"Clínica {n}") for n in range(2)]
        for id in clinics:
            lab.policy(id, "America/Sao_Paulo")
            boss = {"user_id": f"boss-{id}", "email": "boss@example.com", "roles": ["admin"]}
            fisioflow.add(flow, "profiles", organization_id=id, full_name="Dra. Helena", **boss)
        yield Flow(flow, lab, (clinics[0], clinics[1]))
        lab.close()


def orphan(flowing: Flow, organization: str) -> str:
    """A visit of a patient who does not exist."""
    visit = {"patient_id": uuid4(), "therapist_id": uuid4(), "date": "2026-03-20", "start_time": "10:00"}
    return flowing.add("appointments", organization, **visit)


def test_each_organisation_is_examined_under_its_own_name_and_told_of_its_own(flowing: Flow) -> None:
    visits = {id: orphan(flowing, id) for id in flowing.clinics}
    found = flowing.look()
    assert flowing.lab.desk.clinic.tenant is not None
    assert {name: (each.problems, each.organizations, each.error) for name, each in found.items()} == {
        "appointments_without_patient": (2, 2, None)
    }
    notices = flowing.lab.rows("select user_id, variables from messaging.notices")
    told = {row["user_id"]: row["variables"]["verificacoes"][0]["exemplos"] for row in notices}
    assert told == {f"boss-{id}": [visit] for id, visit in visits.items()}


def test_a_check_that_cannot_run_is_an_error_of_each_organisation(flowing: Flow) -> None:
    role = flowing.lab.desk.clinic.on(flowing.lab.conn).info.user
    flowing.conn.execute(f"revoke select on public.patient_packages from {role}")
    orphan(flowing, flowing.clinics[0])
    found = flowing.look()
    assert {name for name, each in found.items() if each.error} == {
        "packages_of_other_organization", "packages_with_impossible_balance",
    }  # fmt: skip
    assert found["appointments_without_patient"].problems == 1


def test_an_author_is_told_and_old_logs_go(flowing: Flow) -> None:
    clinic = flowing.clinics[0]
    author = uuid4()
    flowing.add("profiles", clinic, user_id=str(author), full_name="Dr. João", email="joao@example.com")
    session = flowing.add("sessions", clinic, therapist_id=author, date=WEEKS_AGO, updated_at=WEEKS_AGO)
    for day in ("2025-11-01", str(MORNING.date())):
        flowing.conn.execute("insert into public.notification_history (created_at) values (%s)", [day])
    outcome = flowing.lab.run("daily_cleanup")
    [notice] = flowing.lab.rows("select user_id, variables from messaging.notices")
    assert (notice["user_id"], notice["variables"]["sessoes"][0]["sessao"]) == (str(author), session)
    assert (outcome.facts["notification_history"], outcome.facts["absent relations"], outcome.failures) == (
        1,
        2,
        [],
    )
    assert flowing.conn.execute("select count(*) from public.sessions").fetchone() == (1,)
