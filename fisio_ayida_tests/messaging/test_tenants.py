"""Messages under FisioFlow's row security: a clinic's rows are read as that clinic, beside our tables or not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from fisio_ayida.messaging import replies
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.clinic import ClinicDoor, open_clinic
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.messaging import said
from fisio_ayida_tests.messaging.lab import CLINIC, Lab
from fisio_ayida_tests.messaging.test_replies import store

OTHER = "org-2"
SCHEMAS = "clinic, messaging, events, ops"
TABLES = ("patients", "appointments", "staff", "sessions", "packages", "payments", "appointment_statuses")
TENANT = "organization_id = current_setting('app.org_id', true)"


@pytest.fixture(scope="module")
def role(warehouse_server: EmbeddedServer) -> Iterator[str]:
    """A role of the server that row security binds."""
    name = f"app_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(warehouse_server.url.psycopg, autocommit=True) as conn:
        conn.execute(f"create role {name} nosuperuser nobypassrls")
        yield name
        conn.execute(f"drop role {name}")


@pytest.fixture(scope="module")
def secured(warehouse_server: EmbeddedServer, role: str) -> Iterator[Warehouse]:
    """A database whose clinics are hidden from each other, opened as its owner; nothing binds the owner."""
    with cloned(warehouse_server) as opened, opened.connect(autocommit=True) as conn:
        conn.execute(f"grant usage on schema {SCHEMAS} to {role}")
        conn.execute(f"grant select, insert, update, delete on all tables in schema {SCHEMAS} to {role}")
        for table in TABLES:
            conn.execute(f"alter table clinic.{table} enable row level security, force row level security")
            conn.execute(f"create policy tenant on clinic.{table} using ({TENANT}) with check ({TENANT})")
        for clinic in (CLINIC, OTHER):
            seed = Lab(opened, Path())
            seed.clinic(clinic)
            seed.patient(f"patient of {clinic}", organization=clinic)
            seed.visit(f"visit of {clinic}", patient=f"patient of {clinic}", organization=clinic)
            seed.close()
        yield opened


def bound(warehouse: Warehouse, role: str) -> Warehouse:
    """The same database for a role that row security binds."""
    return Warehouse(replace(warehouse.url, parameters=(("options", f"-c role={role}"),)))


@dataclass
class Tenants:
    """``owner`` sees everything; ``lab`` plans and sends as a role that sees one clinic at a time."""

    owner: Lab
    lab: Lab

    def remind(self, clinic: str) -> int:
        return self.lab.plan(self.owner.reminder(f"visit of {clinic}"))[0].id


@pytest.fixture(params=["beside", "in its own database"])
def tenants(
    request: pytest.FixtureRequest, secured: Warehouse, role: str, warehouse_server: EmbeddedServer, tmp_path: Path
) -> Iterator[Tenants]:
    """Two clinics with a visit each, and no message yet."""
    theirs, owner = bound(secured, role), Lab(secured, tmp_path)
    owner.conn.execute("delete from messaging.replies; delete from messaging.messages")
    if request.param == "beside":
        yield from _opened(owner, theirs, Settings.load({}), tmp_path)
    else:
        settings = Settings.load({"CLINIC_DATABASE_URL": theirs.url.psycopg})
        with cloned(warehouse_server) as ours:
            yield from _opened(owner, ours, settings, tmp_path)
    owner.close()


def _opened(owner: Lab, ours: Warehouse, settings: Settings, folder: Path) -> Iterator[Tenants]:
    with open_clinic(settings, ours) as door:
        lab = Lab(ours, folder, door=door)
        yield Tenants(owner, lab)
        lab.close()


def test_one_claim_serves_two_clinics_each_read_as_itself(tenants: Tenants) -> None:
    for clinic in (CLINIC, OTHER):
        tenants.remind(clinic)
    assert {each.organization_id for each in tenants.lab.claim().envelopes} == {CLINIC, OTHER}


def test_nothing_of_a_clinic_is_visible_before_and_after(tenants: Tenants) -> None:
    tenants.remind(CLINIC)
    there = tenants.lab.door.on(tenants.lab.conn)
    with tenants.lab.conn.transaction():
        tenants.lab.claim()
        assert there.execute("select count(*) from clinic.patients").fetchone() == (0,)


def test_who_names_no_clinic_would_take_every_message_for_stale(tenants: Tenants) -> None:
    id = tenants.remind(CLINIC)
    tenants.lab.door = ClinicDoor(tenants.lab.door.open, tenant=None)
    tenants.lab.claim()
    assert tenants.lab.message(id)["reason"].startswith("patient_inactive_or_deleted")
    tenants.lab.door.close()


def test_a_clinic_cannot_announce_another_ones_visit(tenants: Tenants) -> None:
    (planned,) = tenants.lab.plan(tenants.owner.reminder(f"visit of {CLINIC}", organization_id=OTHER))
    assert not tenants.lab.claim().envelopes
    assert tenants.lab.message(planned.id)["state"] == "skipped"


def test_an_answer_confirms_the_visit_of_its_clinic(tenants: Tenants) -> None:
    lab = tenants.lab
    tenants.remind(CLINIC)
    lab.dispatch()
    lab.pass_time(minutes=1)
    store(lab, said.upsert("1", at=lab.moment))
    replies.act(lab.conn, outbox=lab.outbox, clinic=lab.door, now=lab.moment)
    status = "select status from clinic.appointments where id = %s"
    assert tenants.owner.value(status, f"visit of {CLINIC}") == "presenca_confirmada"
    tenants.owner.visit(f"visit of {CLINIC}", patient=f"patient of {CLINIC}")
