"""What the mapping gives to the insights: clinical text apart from the rest, and where insights are written."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from fisio_ayida.clinic import mappings
from fisio_ayida.clinic.checking import findings, require
from fisio_ayida.insights import finalized, reading
from fisio_ayida.warehouse.clinic import ClinicDoor, ClinicError
from fisio_ayida.warehouse.engine import Warehouse, connect
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.fisioflow import Conn

NOON = dt.datetime(2026, 3, 12, 12, tzinfo=dt.UTC)
NAIVE = NOON.replace(tzinfo=None)
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
HOUR, MONTH = dt.timedelta(hours=1), dt.timedelta(days=30)


@pytest.fixture(scope="module")
def laid(fisioflow_database: Warehouse) -> Iterator[Conn]:
    with fisioflow_database.connect(autocommit=True) as conn:
        fisioflow.create(conn)
        mappings.apply(conn, "fisioflow")
        yield conn


@pytest.fixture
def rows(laid: Conn) -> Iterator[Conn]:
    """FisioFlow's tables, empty, with the mapping over them; what a test does is taken back."""
    with laid.transaction(force_rollback=True):
        yield laid


def all_of(conn: Conn, relation: str) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"select * from {relation}".encode()).fetchall()


def somebody(conn: Conn, **columns: Any) -> tuple[str, str]:
    """A patient with her organisation: its id, and hers."""
    organization = fisioflow.add(conn, "organizations", name="Clínica São João")
    given = {"full_name": "Ana", "organization_id": organization}
    return organization, fisioflow.add(conn, "patients", **(given | columns))


def item(id: str, **more: Any) -> dict[str, Any]:
    given = {
        "id": id, "insight_type": "comparison", "insight_text": "A dor caiu.", "related_metric": "pain_last",
        "metric_value": 3, "comparison_value": 6.5, "expires_at": (NOON + MONTH).isoformat(),
    }  # fmt: skip
    return given | more


def store(
    conn: Conn, organization: str, patient: str, items: list[dict[str, Any]], withdrawn: list[str] | None = None,
    at: dt.datetime = NOON,
) -> int:  # fmt: skip
    query = "select clinic.store_insights(%s, %s, %s, %s, %s)"
    row = conn.execute(query, [organization, patient, Jsonb(items), withdrawn or [], at]).fetchone()
    assert row is not None
    return int(row[0])


# --- what the views show


def test_what_a_session_says_stands_apart(rows: Conn) -> None:
    organization, patient = somebody(rows)
    id = fisioflow.add(
        rows, "sessions", organization_id=organization, patient_id=patient, pain_scale=4, observacao="<p>Bem.</p>",
        procedures='["TENS"]', exercises="[]", measurements='[{"nome": "Flexão"}]', home_exercises=None,
    )  # fmt: skip
    assert all_of(rows, "clinic.session_contents") == [{
        "session_id": id, "organization_id": organization, "patient_id": patient, "pain_scale": 4,
        "note": "<p>Bem.</p>", "procedures": ["TENS"], "exercises": [], "measurements": [{"nome": "Flexão"}],
        "home_exercises": None,
    }]  # fmt: skip


def test_a_profile_says_by_what_else_a_patient_is_known(rows: Conn) -> None:
    organization, patient = somebody(
        rows, nickname="Aninha", cpf="123.456.789-09", phone_secondary="11 3333-4444", gender="F",
        main_condition="Lombalgia",
    )  # fmt: skip
    assert all_of(rows, "clinic.patient_profiles") == [{
        "patient_id": patient, "organization_id": organization, "sex": "F", "complaint": "Lombalgia",
        "allows_insights": True, "consents": True, "identifiers": ["Aninha", "123.456.789-09", "11 3333-4444"],
    }]  # fmt: skip


@pytest.mark.parametrize(
    ("preferences", "allows"),
    [(None, True), ("{}", True), ('{"aiSummaryEnabled": true}', True), ('{"aiSummaryEnabled": null}', True),
     ('{"aiSummaryEnabled": false}', False), ('{"aiSummaryEnabled": "False"}', False), ("[1]", True)],
)  # fmt: skip
def test_whoever_switched_ai_off_allows_no_insights(rows: Conn, preferences: str | None, allows: bool) -> None:
    somebody(rows, ai_preferences=preferences)
    assert [row["allows_insights"] for row in all_of(rows, "clinic.patient_profiles")] == [allows]


@pytest.mark.parametrize(("given", "consents"), [(True, True), (False, False), (None, False)])
def test_no_word_is_no_consent(rows: Conn, given: bool | None, consents: bool) -> None:
    somebody(rows, consent_data=given)
    assert [row["consents"] for row in all_of(rows, "clinic.patient_profiles")] == [consents]


# --- what is written


def test_insights_are_written_into_fisioflows_own_table(rows: Conn) -> None:
    organization, patient = somebody(rows)
    id = str(uuid.uuid4())
    rows.execute("set local time zone 'America/Sao_Paulo'")

    assert store(rows, organization, patient, [item(id)]) == 1

    [row] = all_of(rows, "public.patient_insights")
    assert (str(row["id"]), str(row["organization_id"]), str(row["patient_id"])) == (id, organization, patient)
    assert (row["insight_type"], row["insight_text"], row["related_metric"]) == (
        "comparison", "A dor caiu.", "pain_last",
    )  # fmt: skip
    assert (float(row["metric_value"]), float(row["comparison_value"])) == (3.0, 6.5)
    assert (row["expires_at"], row["created_at"], row["updated_at"]) == (NAIVE + MONTH, NAIVE, NAIVE)
    assert (row["confidence_score"], row["is_acknowledged"]) == (None, False)


def test_the_same_call_again_changes_nothing(rows: Conn) -> None:
    organization, patient = somebody(rows)
    old, new = str(uuid.uuid4()), str(uuid.uuid4())
    store(rows, organization, patient, [item(old)])
    assert store(rows, organization, patient, [item(new)], [old]) == 1
    before = all_of(rows, "public.patient_insights")

    assert store(rows, organization, patient, [item(new, insight_text="Outra coisa.")], [old], NOON + HOUR) == 1

    assert all_of(rows, "public.patient_insights") == before


def test_what_is_withdrawn_expires_and_stays(rows: Conn) -> None:
    organization, patient = somebody(rows)
    old = str(uuid.uuid4())
    store(rows, organization, patient, [item(old)])
    store(rows, organization, patient, [], [old], NOON + HOUR)
    [row] = all_of(rows, "public.patient_insights")
    assert (row["expires_at"], row["updated_at"], row["created_at"]) == (NAIVE + HOUR, NAIVE + HOUR, NAIVE)


def test_what_had_expired_before_is_left_as_it_was(rows: Conn) -> None:
    organization, patient = somebody(rows)
    old = str(uuid.uuid4())
    store(rows, organization, patient, [item(old, expires_at=(NOON + HOUR).isoformat())])
    store(rows, organization, patient, [], [old], NOON + MONTH)
    assert [row["expires_at"] for row in all_of(rows, "public.patient_insights")] == [NAIVE + HOUR]


def test_what_belongs_to_another_patient_is_not_withdrawn(rows: Conn) -> None:
    organization, patient = somebody(rows)
    other = fisioflow.add(rows, "patients", full_name="Bia", organization_id=organization)
    old = str(uuid.uuid4())
    store(rows, organization, other, [item(old)])
    store(rows, organization, patient, [], [old], NOON + HOUR)
    assert [row["expires_at"] for row in all_of(rows, "public.patient_insights")] == [NAIVE + MONTH]


@pytest.mark.parametrize("patient", ["theirs", "nobody", "no-uuid"])
def test_a_patient_of_another_organisation_is_refused(rows: Conn, patient: str) -> None:
    organization, _ = somebody(rows)
    ids = {"theirs": somebody(rows)[1], "nobody": str(uuid.uuid4()), "no-uuid": "patient-1"}
    with pytest.raises(psycopg.errors.CheckViolation, match="is none of organization"), rows.transaction():
        store(rows, organization, ids[patient], [item(str(uuid.uuid4()))])
    assert all_of(rows, "public.patient_insights") == []


def test_moments_with_a_zone_and_numbers_of_another_kind_are_written_as_they_are(rows: Conn) -> None:
    rows.execute(
        "alter table patient_insights alter created_at type timestamptz, alter expires_at type timestamptz, "
        "alter metric_value type real"
    )
    mappings_again(rows)
    organization, patient = somebody(rows)
    store(rows, organization, patient, [item(str(uuid.uuid4()))])
    [row] = all_of(rows, "public.patient_insights")
    assert (row["created_at"], row["expires_at"], row["updated_at"]) == (NOON, NOON + MONTH, NAIVE)
    assert row["metric_value"] == 3.0


def mappings_again(conn: Conn) -> list[str]:
    """The mapping within the test's transaction."""
    text = mappings.sql("fisioflow")
    begin, end = text.index("\nbegin;"), text.index("\ncommit;")
    conn.execute((text[begin + 7 : end] + "\ndrop table fisioflow_part, fisioflow_line, fisioflow_grant").encode())
    return [f"{each.where}: {each.what}" for each in findings(conn)]


# --- a database that lacks it


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("drop table patient_insights", "clinic.store_insights("),
        ("alter table patient_insights rename insight_text to text", "clinic.store_insights("),
        ("alter table sessions rename observacao to notas", "clinic.session_contents.note: missing"),
        ("alter table patients drop rg", "clinic.patient_profiles.identifiers: missing"),
    ],
)
def test_what_only_insights_need_stops_nothing_else(rows: Conn, change: str, finding: str) -> None:
    rows.execute("drop schema clinic cascade")
    rows.execute(change.encode())
    assert any(each.startswith(finding) for each in mappings_again(rows))
    require(rows)
    with pytest.raises(ClinicError):
        reading.require(rows)


def test_a_database_that_was_mapped_before_goes_on(rows: Conn) -> None:
    rows.execute("drop view clinic.session_contents, clinic.patient_profiles")
    rows.execute("drop function clinic.store_insights")
    require(rows)


# --- looking for what was finalized


def plan_of_page(conn: Conn, organization: str) -> str:
    values = {
        "ids": [organization], "since": [NOON], "after": NOON, "id": "", "until": NOON + HOUR, "page": 1000,
    }  # fmt: skip
    with conn.transaction():
        conn.execute("select set_config('app.org_id', %s, true)", [organization])
        conn.execute("set local enable_seqscan = off")
        rows = conn.execute(b"explain " + finalized.QUERY.encode(), values).fetchall()
    return "\n".join(line for (line,) in rows)


def test_the_proposed_indexes_serve_the_look_for_finalized_sessions(
    flow: Conn, fisioflow_database: Warehouse
) -> None:
    fisioflow.create(flow)
    mappings.apply(flow, "fisioflow")
    for index in fisioflow.proposed_indexes():
        flow.execute(index.encode())
    organization, _ = somebody(flow)
    flow.execute(
        "insert into public.organizations (name) select 'x' from generate_series(1, 20); "
        "insert into public.sessions (organization_id, status, finalized_at) "
        "select id, 'finalized', timestamp '2026-03-12 12:30' - n * interval '1 hour' "
        "from public.organizations, generate_series(1, 200) n; analyze public.sessions"
    )
    seen_by_all = plan_of_page(flow, organization)
    fisioflow.secure(flow)
    with fisioflow.reader(fisioflow_database, insights=True) as url, connect(url, autocommit=True) as conn:
        secured = plan_of_page(conn, organization)

    assert "using sessions_finalized_text" in seen_by_all
    assert "sessions_organization_text" in secured
    assert "Seq Scan on sessions" not in seen_by_all + secured


# --- rights and row security


def test_the_role_of_the_other_jobs_may_read_nothing_of_it(laid: Conn, fisioflow_database: Warehouse) -> None:
    with fisioflow.reader(fisioflow_database) as url, connect(url, autocommit=True) as conn:
        require(conn)
        message = r"clinic\.session_contents: may not be read; clinic\.patient_profiles: may not be read"
        with pytest.raises(ClinicError, match=message):
            reading.require(conn)


@pytest.mark.parametrize("style", ["text", "uuid"])
def test_under_row_security_each_clinic_reads_and_writes_its_own(
    flow: Conn, fisioflow_database: Warehouse, style: Any
) -> None:
    fisioflow.create(flow)
    assert mappings.apply(flow, "fisioflow") == []
    (ours, ana), (theirs, bia) = somebody(flow), somebody(flow)
    for organization, patient in ((ours, ana), (theirs, bia)):
        fisioflow.add(
            flow, "sessions", organization_id=organization, patient_id=patient, status="finalized",
            finalized_at=NAIVE, date=NAIVE, observacao="Bem.",
        )  # fmt: skip
    fisioflow.authenticated(flow)
    fisioflow.secure(flow, style)
    with fisioflow.reader(fisioflow_database, insights=True) as url:
        flow.execute(f"grant authenticated to {url.user}")
        with connect(url, autocommit=True) as conn:
            reading.require(conn)
            door = ClinicDoor(tenant="app.org_id")
            days, zones = dict.fromkeys((ours, theirs), NOON.date()), dict.fromkeys((ours, theirs), SAO_PAULO)
            wanted = [(ours, ana), (ours, bia), (theirs, bia)]
            [own, other] = door.each(
                conn, [ours, theirs], lambda there, _: reading.read(there, wanted, days, zones)
            )
            stored = door.within(conn, ours, lambda there: store(there, ours, ana, [item(str(uuid.uuid4()))]))
            with pytest.raises(psycopg.errors.CheckViolation):
                door.within(conn, ours, lambda there: store(there, theirs, bia, [item(str(uuid.uuid4()))]))

    assert (list(own.records), own.withheld) == (
        [(ours, ana)], {(ours, bia): "unknown_patient", (theirs, bia): "unknown_patient"},
    )  # fmt: skip
    assert list(other.records) == [(theirs, bia)]
    assert own.records[ours, ana].sessions[0].note == "Bem."
    assert stored == 1
