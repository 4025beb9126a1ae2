"""What the mapping's views show of FisioFlow's rows, and what its functions write."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.rows import dict_row

from fisio_ayida.clinic import mappings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.fisioflow import Conn

NOON = dt.datetime(2026, 3, 12, 12, tzinfo=dt.UTC)
NAIVE = NOON.replace(tzinfo=None)


@pytest.fixture(scope="module")
def laid(fisioflow_database: Warehouse) -> Iterator[Conn]:
    with fisioflow_database.connect(autocommit=True) as conn:
        fisioflow.create(conn)
        mappings.apply(conn, "fisioflow")
        yield conn


@pytest.fixture
def rows(laid: Conn) -> Iterator[Conn]:
    """FisioFlow's tables, empty, with the mapping over them; what a test writes is taken back."""
    with laid.transaction(force_rollback=True):
        yield laid


def one(conn: Conn, relation: str) -> dict[str, Any]:
    """The only row of a relation."""
    with conn.cursor(row_factory=dict_row) as cur:
        (row,) = cur.execute(f"select * from clinic.{relation}".encode()).fetchall()
    return row


def visit(conn: Conn, **columns: Any) -> str:
    given = {"therapist_id": uuid.uuid4(), "date": "2026-03-13", "start_time": "14:00"}
    return fisioflow.add(conn, "appointments", **(given | columns))


def confirm(conn: Conn, id: str) -> bool:
    row = conn.execute("select clinic.confirm_appointment(%s, %s, 'whatsapp')", [id, NOON]).fetchone()
    assert row is not None
    return bool(row[0])


# --- what the views show


def test_moments_without_a_zone_are_utc(rows: Conn) -> None:
    visit(rows, created_at=NAIVE)
    rows.execute("set time zone 'America/Sao_Paulo'")
    assert one(rows, "appointments")["created_at"] == NOON


def test_a_patient_has_the_first_professional_and_the_preferred_channel(rows: Conn) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    fisioflow.add(
        rows, "patients", full_name="Ana", primary_professional_id=first, professional_id=second,
        ai_preferences='{"preferredContactMethod": "WhatsApp"}',
    )  # fmt: skip
    row = one(rows, "patients")
    assert (row["professional_id"], row["preferred_channel"], row["is_active"]) == (str(first), "whatsapp", True)


def test_a_patient_in_the_archive_is_not_active(rows: Conn) -> None:
    fisioflow.add(rows, "patients", full_name="Ana", archived=True)
    assert one(rows, "patients")["is_active"] is False


@pytest.mark.parametrize(
    ("role", "roles", "merged"),
    [("admin", ["owner"], ["owner", "admin"]), ("admin", ["admin"], ["admin"]), ("admin", None, ["admin"]),
     (None, ["owner"], ["owner"]), (None, None, [])],
)  # fmt: skip
def test_both_columns_of_roles_count(
    rows: Conn, role: str | None, roles: list[str] | None, merged: list[str]
) -> None:
    fisioflow.add(rows, "profiles", user_id="u-1", role=role, roles=roles)
    assert one(rows, "staff")["roles"] == merged


def test_patients_with_a_login_are_no_staff(rows: Conn) -> None:
    fisioflow.add(rows, "profiles", user_id="u-1", role="paciente")
    assert rows.execute("select count(*) from clinic.staff").fetchone() == (0,)


def test_whoever_waits_to_be_let_in_is_not_active_staff(rows: Conn) -> None:
    fisioflow.add(rows, "profiles", user_id="u-1", role="pending")
    assert one(rows, "staff")["is_active"] is False


@pytest.mark.parametrize(
    ("preferences", "daily", "weekly"),
    [("{}", False, False), (None, False, False), ('{"receive_daily_reports": true}', True, False),
     ('{"notifications": {"dailyReports": true, "weeklySummary": "true"}}', True, True),
     ('{"receive_daily_reports": false, "weekly_summary": true}', False, True), ("[1]", False, False)],
)  # fmt: skip
def test_reports_are_for_those_whose_preferences_say_so(
    rows: Conn, preferences: str | None, daily: bool, weekly: bool
) -> None:
    fisioflow.add(rows, "profiles", user_id="u-1", preferences=preferences)
    row = one(rows, "staff")
    assert (row["wants_daily_report"], row["wants_weekly_summary"]) == (daily, weekly)


def test_a_package_that_expires_late_at_night_keeps_its_instant(rows: Conn) -> None:
    # 23:30 in São Paulo is the next day in UTC.
    at = dt.datetime.fromisoformat("2026-03-19T23:30:00-03:00")
    fisioflow.add(rows, "patient_packages", expires_at="2026-03-20T02:30:00Z", name="Dez sessões")
    row = one(rows, "packages")
    assert (row["kind"], row["expires_on"], row["expires_at"], row["is_active"]) == ("package", None, at, True)


def test_a_voucher_reaches_the_patient_of_its_login(rows: Conn) -> None:
    organization = fisioflow.add(rows, "organizations", name="São João")
    patient = fisioflow.add(rows, "patients", full_name="Ana", user_id="login-1", organization_id=organization)
    kind = fisioflow.add(rows, "vouchers", name="Pilates")
    id = fisioflow.add(
        rows, "user_vouchers", user_id="login-1", voucher_id=kind, total_sessions=10, remaining_sessions=4,
        expires_at=NOON,
    )  # fmt: skip
    assert one(rows, "packages") == {
        "id": f"{id}/{patient}", "kind": "voucher", "organization_id": organization, "patient_id": patient,
        "name": "Pilates",
        "total_sessions": 10, "used_sessions": 6, "remaining_sessions": 4, "expires_on": None, "expires_at": NOON,
        "is_active": True, "deleted_at": None,
    }  # fmt: skip


def test_a_voucher_of_a_login_that_is_a_patient_of_two_clinics_is_two_with_an_id_each(rows: Conn) -> None:
    patients = [
        fisioflow.add(
            rows, "patients", full_name="Ana", user_id="login-1",
            organization_id=fisioflow.add(rows, "organizations", name=name),
        )
        for name in "AB"
    ]  # fmt: skip
    id = fisioflow.add(rows, "user_vouchers", user_id="login-1", remaining_sessions=4)
    shown = rows.execute("select id, patient_id from clinic.packages").fetchall()
    assert sorted(shown) == sorted((f"{id}/{each}", each) for each in patients)


def test_what_the_old_crons_sent_is_shown_by_the_name_of_the_job(rows: Conn) -> None:
    patient = fisioflow.add(rows, "patients", full_name="Ana")
    id = visit(rows, patient_id=patient)
    fisioflow.add(rows, "appointment_reminder_log", appointment_id=id, kind="session", created_at=NOON)
    talk = fisioflow.add(rows, "wa_conversations", patient_id=patient)
    for template, status in [("feliz_aniversario", "sent"), ("lembrete_consulta_botoes", "sent"),
                             ("consulta_confirmada", "failed")]:  # fmt: skip
        fisioflow.add(
            rows, "wa_messages", conversation_id=talk, direction="outbound", template_name=template, status=status
        )
    shown = rows.execute("select kind, patient_id, appointment_id from clinic.old_messages order by 1").fetchall()
    assert shown == [("appointment_reminders", patient, id), ("birthday_messages", patient, None)]


# --- what the functions write


def test_a_visit_that_waits_is_confirmed(rows: Conn) -> None:
    id = visit(rows, status="aguardando_confirmacao", updated_at=NAIVE - dt.timedelta(days=1))

    assert confirm(rows, id) is True

    query = "select status, confirmed_at, confirmed_via, updated_at from appointments"
    assert rows.execute(query.encode()).fetchone() == ("presenca_confirmada", NAIVE, "whatsapp", NAIVE)


@pytest.mark.parametrize(
    "columns",
    [{"status": "presenca_confirmada"}, {"status": "cancelado"}, {"status": "encaixe"}, {"deleted_at": NAIVE}],
)
def test_another_visit_is_not_confirmed(rows: Conn, columns: dict[str, Any]) -> None:
    assert confirm(rows, visit(rows, **columns)) is False


def test_an_id_that_is_none_of_fisioflows_confirms_nothing(rows: Conn) -> None:
    assert confirm(rows, "visit-1") is False


def test_a_device_that_is_gone_takes_no_messages_any_more(rows: Conn) -> None:
    fisioflow.add(rows, "fcm_tokens", token="token-1", user_id="u-1")  # noqa: S106  a device
    rows.execute("select clinic.disable_push_token('token-1')")
    assert one(rows, "push_tokens") == {"token": "token-1", "user_id": "u-1", "active": False}
