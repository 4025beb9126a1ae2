"""The mapping laid over FisioFlow's tables: both shapes, what is missing, what it refuses.

Not here: what its views show of rows (``test_mapping_rows.py``).
"""

from __future__ import annotations

import psycopg
import pytest

from fisio_ayida.clinic import mappings
from fisio_ayida.clinic.checking import findings
from fisio_ayida.clinic.contract import RELATIONS
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.fisioflow import Conn, Shape
from fisio_ayida_tests.clinic.lab import PHONE, ClinicLab

ABSENT = ("notification_history", "password_reset_tokens", "system_health_logs")


def laid(conn: Conn, shape: Shape = 2, before: str = "") -> list[str]:
    """FisioFlow's tables, changed, with the mapping over them; gives its warnings."""
    fisioflow.create(conn, shape)
    conn.execute(before.encode())
    return mappings.apply(conn, "fisioflow")


def stopping(conn: Conn) -> list[str]:
    return [f"{each.where}: {each.what}" for each in findings(conn) if each.stops]


# --- the contract


@pytest.mark.parametrize("shape", [1, 2])
def test_a_shape_of_todays_tables_keeps_the_contract(flow: Conn, shape: Shape) -> None:
    assert laid(flow, shape) == []
    assert stopping(flow) == []


def test_the_views_show_nothing_beside_the_contract(flow: Conn) -> None:
    laid(flow)
    query = "select attrelid::regclass::text, attname from pg_attribute where attrelid = any(%s::regclass[])"
    views = [f"clinic.{name}" for name in RELATIONS if name not in ABSENT]
    shown = set(flow.execute(query + " and attnum > 0", [views]).fetchall())
    due = {(f"clinic.{row.name}", column.name) for row in RELATIONS.values() for column in row.columns}
    assert shown == {(view, column) for view, column in due if view in views}


def test_the_functions_classify_as_those_of_our_own_tables(flow: Conn, clinic_warehouse: Warehouse) -> None:
    laid(flow)
    query = "select pg_get_functiondef(f::regprocedure) from unnest(%s::text[]) f"
    names = ["clinic.status_class(text)", "clinic.status_class(text, text)"]
    with clinic_warehouse.connect() as ours:
        assert flow.execute(query, [names]).fetchall() == ours.execute(query, [names]).fetchall()


def test_the_mapping_can_be_laid_again_and_keeps_grants(flow: Conn) -> None:
    laid(flow)
    flow.execute("grant select on clinic.patients to pg_monitor")

    assert mappings.apply(flow, "fisioflow") == []
    allowed = flow.execute("select has_table_privilege('pg_monitor', 'clinic.patients', 'select')").fetchone()
    assert allowed == (True,)


def test_a_column_that_comes_later_counts_when_the_mapping_is_laid_again(flow: Conn) -> None:
    laid(flow, before="alter table patients drop archived")
    flow.execute("alter table patients add archived boolean default true")
    fisioflow.add(flow, "patients", full_name="Ana")

    mappings.apply(flow, "fisioflow")

    assert flow.execute("select is_active from clinic.patients").fetchone() == (False,)


# --- what is not there


def test_a_renamed_column_is_named(flow: Conn) -> None:
    warnings = laid(flow, before="alter table patients rename date_of_birth to birth_date")

    assert warnings == [
        "public.patients.date_of_birth is not there: clinic.patients is made without date_of_birth"
    ]
    assert stopping(flow) == ["clinic.patients.date_of_birth: missing; date is due"]


def test_a_text_where_a_date_is_due_is_named(flow: Conn) -> None:
    laid(flow, before="alter table patients alter date_of_birth type text")
    assert stopping(flow) == ["clinic.patients.date_of_birth: is text; date is due"]


def test_a_column_of_one_of_two_tables_is_named(flow: Conn) -> None:
    warnings = laid(flow, before="alter table user_vouchers rename expires_at to ends_at")

    assert (
        warnings[0] == "public.user_vouchers.expires_at is not there: clinic.packages is made without expires_at"
    )
    assert stopping(flow) == ["clinic.packages: the relation is missing"]


def test_a_missing_table_that_is_needed_is_named(flow: Conn) -> None:
    warnings = laid(flow, before="drop table payments")

    assert warnings == ["public.payments is not there: there will be no clinic.payments"]
    assert stopping(flow) == ["clinic.payments: the relation is missing"]


def test_tables_that_may_be_absent_give_empty_relations(flow: Conn) -> None:
    laid(flow, before="drop table fcm_tokens, appointment_status_settings, user_vouchers")

    assert stopping(flow) == []
    flow.execute("select clinic.disable_push_token('token')")
    assert flow.execute("select count(*) from clinic.push_tokens").fetchone() == (0,)


def test_no_table_of_packages_at_all_is_named(flow: Conn) -> None:
    laid(flow, before="drop table patient_packages, user_vouchers")
    assert stopping(flow) == ["clinic.packages: the relation is missing"]


def test_a_log_that_is_there_is_shown_and_can_be_emptied(flow: Conn) -> None:
    laid(flow, before="create table notification_history (id uuid default gen_random_uuid(), sent_at timestamp)")
    fisioflow.add(flow, "notification_history", sent_at="2026-03-12T12:00")

    gone = flow.execute("delete from clinic.notification_history where created_at <= '2026-03-12T12:00Z'")

    assert gone.rowcount == 1


def test_the_older_column_of_the_professional_serves_alone(flow: Conn) -> None:
    laid(flow, before="alter table patients drop primary_professional_id")
    assert stopping(flow) == []


def test_moments_that_have_a_zone_already_stay(flow: Conn) -> None:
    laid(flow, before="alter table appointments alter created_at type timestamptz")
    assert stopping(flow) == []


def test_a_confirmation_counts_as_a_new_version_where_there_are_versions(flow: Conn) -> None:
    laid(flow, before="alter table appointments add version integer default 1")
    id = fisioflow.add(flow, "appointments", therapist_id="00000000-0000-0000-0000-000000000001")

    flow.execute("select clinic.confirm_appointment(%s, now(), 'whatsapp')", [id])

    assert flow.execute("select version from appointments").fetchone() == (2,)


def test_a_package_of_the_older_shape_keeps_its_civil_day(flow: Conn) -> None:
    laid(flow, 1)
    fisioflow.add(flow, "patient_packages", expiry_date="2026-03-19", total_sessions=10, used_sessions=7)
    shown = flow.execute("select expires_on::text, expires_at, remaining_sessions from clinic.packages").fetchone()
    assert shown == ("2026-03-19", None, 3)


def test_a_voucher_of_the_older_shape_has_what_is_left_of_it(flow: Conn) -> None:
    laid(flow, 1)
    fisioflow.add(flow, "patients", full_name="Ana", user_id="login-1")
    fisioflow.add(flow, "user_vouchers", user_id="login-1", sessoes_totais=10, sessoes_restantes=4)
    shown = flow.execute("select kind, used_sessions, remaining_sessions from clinic.packages").fetchone()
    assert shown == ("voucher", 6, 4)


# --- what stands in the way


def test_a_database_of_somebody_else_is_refused(flow: Conn) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=r"not FisioFlow's database: public\.organizations"):
        mappings.apply(flow, "fisioflow")
    assert flow.execute("select to_regnamespace('clinic')").fetchone() == (None,)


def test_our_own_empty_tables_give_way(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as conn:
        laid(conn)
        assert conn.execute("select relkind from pg_class where oid = 'clinic.patients'::regclass").fetchone() == (
            "v",
        )
        assert stopping(conn) == []


def test_jobs_run_on_views_beside_our_own_tables(warehouse: Warehouse, settings: Settings) -> None:
    with warehouse.connect(autocommit=True) as conn:
        laid(conn)
        clinic = fisioflow.add(conn, "organizations", name="Clínica São João")
        patient = fisioflow.add(
            conn, "patients", full_name="Ana", phone=PHONE, organization_id=clinic, date_of_birth="1990-03-12"
        )
    lab = ClinicLab(warehouse, settings)
    lab.policy(clinic, "America/Sao_Paulo")

    lab.run("birthday_messages")

    assert [row["patient_id"] for row in lab.messages()] == [patient]
    lab.close()


def test_our_own_tables_with_rows_stay(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as conn:
        conn.execute("insert into clinic.organizations (id) values ('org-1')")
        with pytest.raises(psycopg.errors.RaiseException, match=r"clinic\.organizations is a table with rows"):
            laid(conn)
        assert conn.execute("select id from clinic.organizations").fetchall() == [("org-1",)]


def test_a_view_that_somebody_made_is_not_replaced(flow: Conn) -> None:
    view = "create schema clinic; create view clinic.payments as select 'p-1' as id"
    with pytest.raises(psycopg.errors.RaiseException, match=r"clinic\.payments was not made by this mapping"):
        laid(flow, before=view)
    assert flow.execute("select id from clinic.payments").fetchone() == ("p-1",)
