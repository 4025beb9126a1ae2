"""FisioFlow's row security: whether it binds us, work organisation by organisation, and never a silent nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from fisio_ayida.clinic import mappings
from fisio_ayida.messaging import inbound, replies
from fisio_ayida.messaging.reports.reading import Inbound
from fisio_ayida.messaging.sealing import new_key
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.clinic import ClinicError, row_secured, row_security_faults
from fisio_ayida.warehouse.engine import Warehouse, connect
from fisio_ayida.warehouse.urls import DatabaseUrl
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.conftest import emptied
from fisio_ayida_tests.clinic.fisioflow import Conn
from fisio_ayida_tests.clinic.lab import SAO_PAULO, ClinicLab

Opened = Callable[..., ClinicLab]
JOB = "birthday_messages"
#: Already Friday in São Paulo, still Thursday in Rio Branco.
MIDNIGHT = dt.datetime(2026, 3, 13, 0, 30, tzinfo=SAO_PAULO)
THURSDAYS, FRIDAYS = dt.date(1990, 3, 12), dt.date(1990, 3, 13)


@pytest.fixture
def mapped(flow: Conn) -> Conn:
    """FisioFlow's tables with the mapping over them, as their owner."""
    fisioflow.create(flow)
    mappings.apply(flow, "fisioflow")
    return flow


@pytest.fixture
def jobs(mapped: Conn, fisioflow_database: Warehouse) -> Iterator[DatabaseUrl]:
    """FisioFlow's database as the role of the jobs."""
    with fisioflow.reader(fisioflow_database) as url:
        yield url


@pytest.fixture
def opened(jobs: DatabaseUrl, clinic_warehouse: Warehouse, settings: Settings) -> Iterator[Opened]:
    """Opens the jobs' desk: our tables in one database, FisioFlow's in another, as the role of the jobs."""
    with ExitStack() as stack:

        def open_lab(**variables: str) -> ClinicLab:
            given = {"FISIO_AYIDA_HOME": str(settings.home), "CLINIC_DATABASE_URL": jobs.psycopg}
            lab = ClinicLab(clinic_warehouse, Settings.load(given | variables), MIDNIGHT)
            stack.callback(lab.close)
            emptied(lab.conn)
            return lab

        yield open_lab


def clinic(flow: Conn, lab: ClinicLab, zone: str = "America/Sao_Paulo", **columns: Any) -> str:
    """A clinic of FisioFlow's, in a zone."""
    id = fisioflow.add(flow, "organizations", **({"name": "Clínica São João"} | columns))
    lab.policy(id, zone)
    return id


def patient(flow: Conn, organization: str, born: dt.date = FRIDAYS) -> str:
    given = {"full_name": "Ana Beatriz", "phone": "+55 11 98765-4321", "date_of_birth": born}
    return fisioflow.add(flow, "patients", organization_id=organization, **given)


def greeted(lab: ClinicLab) -> list[str]:
    return sorted(row["patient_id"] for row in lab.messages())


@contextmanager
def asked(*connections: psycopg.Connection[Any]) -> Iterator[list[Any]]:
    """The statements that go over these connections."""
    statements: list[Any] = []

    class Counted(psycopg.Cursor[Any]):
        def execute(self, query: Any, *words: Any, **more: Any) -> Any:
            statements.append(query)
            return super().execute(query, *words, **more)

    before = [each.cursor_factory for each in connections]
    for each in connections:
        each.cursor_factory = Counted
    yield statements
    for each, factory in zip(connections, before, strict=True):
        each.cursor_factory = factory


# --- bound


@pytest.mark.parametrize("style", ["text", "uuid"])
def test_clinics_in_two_zones_are_greeted_one_by_one(
    mapped: Conn, jobs: DatabaseUrl, opened: Opened, style: Any
) -> None:
    fisioflow.authenticated(mapped)
    fisioflow.secure(mapped, style)
    mapped.execute(f"grant authenticated to {jobs.user}")
    lab = opened()
    east, west = clinic(mapped, lab), clinic(mapped, lab, "America/Rio_Branco")
    wanted = [patient(mapped, east, FRIDAYS), patient(mapped, west, THURSDAYS)]
    patient(mapped, east, THURSDAYS)
    patient(mapped, west, FRIDAYS)

    outcome = lab.run(JOB)

    assert lab.desk.clinic.tenant == "app.org_id"
    assert (greeted(lab), outcome.failures) == (sorted(wanted), [])


def test_a_no_of_a_stranger_is_heard_and_answered_where_policies_cast_the_setting(
    mapped: Conn, jobs: DatabaseUrl, opened: Opened
) -> None:
    fisioflow.authenticated(mapped)
    fisioflow.secure(mapped, "uuid")
    mapped.execute(f"grant authenticated to {jobs.user}")
    lab = opened(MESSAGING_KEY=new_key())
    conn, desk = lab.desk.conn, lab.desk
    # As a clinic's run leaves the connection.
    desk.clinic.within(conn, clinic(mapped, lab), lambda there: None)
    said = Inbound(provider="file", account="", provider_id="1", sender="5511987654321", text="PARAR")
    with conn.transaction():
        inbound.store(conn, [said], inbound.Desk(desk.outbox.letters.hasher, desk.outbox.letters.sealer, {}),
                      now=MIDNIGHT)  # fmt: skip

    assert replies.act(conn, outbox=desk.outbox, clinic=desk.clinic, now=MIDNIGHT) == 1

    assert lab.rows("select allowed from messaging.preferences") == [{"allowed": False}]
    assert len(lab.send()) == 1


def test_an_organisation_that_is_hidden_is_a_failure_and_the_others_are_done(mapped: Conn, opened: Opened) -> None:
    fisioflow.secure(mapped)
    mapped.execute(
        "alter table organizations enable row level security; create policy p on organizations "
        "using (slug is null or coalesce(current_setting('app.org_id', true), '') = '')"
    )
    lab = opened()
    here, hidden = clinic(mapped, lab), clinic(mapped, lab, slug="hidden")
    wanted = patient(mapped, here)
    patient(mapped, hidden)

    outcome = lab.run(JOB)

    assert greeted(lab) == [wanted]
    (failure,) = outcome.failures
    assert failure[0] == hidden and "is not visible with app.org_id set to it" in failure[1]
    assert [row["organization_id"] for row in lab.rows("select * from jobs.failures")] == [hidden]


def test_rows_of_other_organisations_stay_hidden_behind_the_mapping(mapped: Conn, jobs: DatabaseUrl) -> None:
    fisioflow.secure(mapped)
    ours, theirs = (fisioflow.add(mapped, "organizations", name=name) for name in "AB")
    mine = patient(mapped, ours)
    patient(mapped, theirs)
    with connect(jobs) as conn:
        conn.execute("select set_config('app.org_id', %s, true)", [ours])
        assert conn.execute("select id from clinic.patients").fetchall() == [(mine,)]


def test_the_role_of_the_jobs_may_confirm_a_visit_of_the_organisation_that_is_named(
    mapped: Conn, opened: Opened
) -> None:
    fisioflow.secure(mapped)
    lab = opened()
    ours, theirs = clinic(mapped, lab), clinic(mapped, lab)
    visit = fisioflow.add(mapped, "appointments", organization_id=ours, therapist_id=ours)
    query = "select clinic.confirm_appointment(%s, now(), 'whatsapp')"

    done = [
        lab.desk.clinic.within(lab.desk.conn, each, lambda conn: conn.execute(query, [visit]).fetchone())
        for each in (theirs, ours)
    ]

    assert done == [(False,), (True,)]


def test_the_role_of_the_jobs_may_read_no_clinical_text(jobs: DatabaseUrl) -> None:
    with connect(jobs) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select observacao from sessions")


# --- never a silent nothing


def test_a_setting_that_no_policy_reads_stops_the_jobs(mapped: Conn, opened: Opened) -> None:
    fisioflow.secure(mapped)
    with pytest.raises(ClinicError, match=r"appointments: its policies do not read app\.tenant"):
        opened(CLINIC_TENANT_SETTING="app.tenant")


def test_policies_for_a_role_that_is_not_ours_stop_the_jobs(mapped: Conn, opened: Opened) -> None:
    fisioflow.authenticated(mapped)
    fisioflow.secure(mapped, "uuid", tables=("patients",))
    with pytest.raises(ClinicError, match=r"patients: no policy lets the role jobs_[0-9a-f]+ see rows"):
        opened()


def test_a_policy_that_asks_a_function_is_trusted(mapped: Conn, jobs: DatabaseUrl) -> None:
    mapped.execute(
        "create function current_clinic() returns text stable language sql "
        "as $$select current_setting('app.org_id', true)$$; alter table patients enable row level security; "
        "create policy p on patients using (organization_id::text = current_clinic())"
    )
    with connect(jobs) as conn:
        assert (row_secured(conn), row_security_faults(conn, "app.org_id")) == (["patients"], [])


def test_a_right_that_is_missing_is_a_failure_of_every_organisation(
    mapped: Conn, jobs: DatabaseUrl, opened: Opened
) -> None:
    lab = opened()
    clinics = {clinic(mapped, lab), clinic(mapped, lab)}
    mapped.execute(f"revoke select (phone) on patients from {jobs.user}")

    outcome = lab.run(JOB)

    assert {id for id, _ in outcome.failures} == clinics
    assert "permission denied for table patients" in outcome.failures[0][1]


def test_a_role_that_sees_no_organisation_at_all_fails(mapped: Conn, opened: Opened) -> None:
    mapped.execute("alter table organizations enable row level security")
    lab = opened()
    clinic(mapped, lab)
    with pytest.raises(ClinicError, match=r"clinic\.organizations shows no row"):
        lab.run(JOB)


# --- not bound


def test_a_role_that_bypasses_row_security_asks_as_often_for_thirty_organisations_as_for_three(
    mapped: Conn, jobs: DatabaseUrl, opened: Opened
) -> None:
    fisioflow.secure(mapped)
    mapped.execute(f"alter role {jobs.user} bypassrls")
    lab = opened()
    # The contract is looked at once for both.
    lab.desk.clinic.is_checked = True
    counts = []
    for more in (3, 27):
        for _ in range(more):
            patient(mapped, clinic(mapped, lab))
        lab.conn.execute("delete from messaging.messages")
        with asked(lab.desk.conn, lab.desk.clinic.on(lab.desk.conn)) as statements:
            lab.run(JOB)
        counts.append((len(greeted(lab)), len(statements)))

    assert lab.desk.clinic.tenant is None
    assert [patients for patients, _ in counts] == [3, 30]
    assert counts[0][1] == counts[1][1]


@pytest.mark.parametrize("force", [False, True])
def test_views_that_read_as_their_owner_are_bound_if_the_owner_is(
    mapped: Conn, jobs: DatabaseUrl, force: bool
) -> None:
    owner = f"{jobs.user}_owner"
    fisioflow.secure(mapped, tables=("patients",))
    mapped.execute(f"create role {owner}; alter table patients owner to {owner}")
    mapped.execute(f"alter table patients {'force' if force else 'no force'} row level security")
    for view in ("patients", "packages", "patient_profiles"):
        mapped.execute(
            f"alter view clinic.{view} set (security_invoker = false); alter view clinic.{view} owner to {owner}"
        )
    try:
        with connect(jobs) as conn:
            assert row_secured(conn) == (["patients"] if force else [])
    finally:
        mapped.execute(f"reassign owned by {owner} to current_user; drop owned by {owner}; drop role {owner}")
