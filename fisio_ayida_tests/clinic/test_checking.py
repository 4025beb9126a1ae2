"""The contract compared with a database, status words, and ``fisio-ayida clinic check|mapping``."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import Result

from fisio_ayida.clinic import mappings
from fisio_ayida.clinic.checking import Finding, findings
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.fisioflow import Conn
from fisio_ayida_tests.clinic.lab import CLINIC, ClinicLab

Run = Callable[..., Result]


@pytest.fixture
def run(clinic_command: Run) -> Run:
    """Runs ``fisio-ayida clinic`` on the lab's database."""
    return clinic_command


@pytest.fixture
def elsewhere(run: Run, flow: Conn, fisioflow_database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Run:
    """As ``run``, with FisioFlow's tables in a database of their own."""
    monkeypatch.setenv("CLINIC_DATABASE_URL", fisioflow_database.url.psycopg)
    fisioflow.create(flow)
    return run


# --- the contract


def test_our_own_tables_keep_the_contract(lab: ClinicLab) -> None:
    assert findings(lab.conn) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("alter table clinic.patients rename date_of_birth to birth_date",
         Finding("clinic.patients.date_of_birth", "missing; date is due", True)),
        ("alter table clinic.patients alter date_of_birth type text",
         Finding("clinic.patients.date_of_birth", "is text; date is due", True)),
        ("alter table clinic.appointments alter created_at type timestamp",
         Finding("clinic.appointments.created_at",
                 "is timestamp without time zone; timestamp with time zone is due", True)),
        ("drop table clinic.sessions", Finding("clinic.sessions", "the relation is missing", True)),
        ("drop table clinic.old_messages", Finding("clinic.old_messages", "the relation is missing", False)),
        ("drop function clinic.disable_push_token(text)",
         Finding("clinic.disable_push_token(text)", "the function is missing", True)),
        ("drop table clinic.session_contents",
         Finding("clinic.session_contents", "the relation is missing", False)),
        ("drop function clinic.store_insights",
         Finding("clinic.store_insights(text, text, jsonb, text[], timestamp with time zone)",
                 "the function is missing", False)),
    ],
)  # fmt: skip
def test_what_differs_is_named(lab: ClinicLab, change: str, finding: Finding) -> None:
    with lab.conn.transaction(force_rollback=True):
        lab.conn.execute(change.encode())
        assert findings(lab.conn) == [finding]


@pytest.mark.parametrize("type", ["varchar(150)", "char(3)"])
def test_a_text_of_a_limited_length_is_as_good(lab: ClinicLab, type: str) -> None:
    with lab.conn.transaction(force_rollback=True):
        lab.conn.execute(f"alter table clinic.patients alter full_name type {type}")
        assert findings(lab.conn) == []


def test_a_job_fails_with_the_name_of_what_is_missing(lab: ClinicLab) -> None:
    conn = lab.desk.conn
    with (
        conn.transaction(force_rollback=True),
        pytest.raises(ClinicError, match=r"clinic\.patients\.date_of_birth"),
    ):
        conn.execute("alter table clinic.patients rename date_of_birth to birth_date")
        lab.run("birthday_messages")


# --- status words


@pytest.mark.parametrize(
    ("word", "classified"),
    [("agendado", "upcoming"), ("aguardando_confirmacao", "upcoming"), ("confirmed", "confirmed"),
     ("avaliacao", "done"), ("in_progress", "done"), ("realizada", "done"), ("faltou_com_aviso", "absent"),
     ("cancelled", "cancelled"), ("reagendado", "to_rebook"), (" Agendado ", "upcoming"), ("NO_SHOW", "absent"),
     ("encaixe", "other"), ("Encaixe ", "other"), ("espera", "upcoming"), ("atendido_fora", "unknown"),
     ("", "unknown"), (None, "unknown")],
)  # fmt: skip
def test_a_status_word_has_its_class_in_a_clinic(lab: ClinicLab, word: str | None, classified: str) -> None:
    lab.add("appointment_statuses", organization_id=CLINIC, key="encaixe")
    lab.add("appointment_statuses", organization_id=CLINIC, key="espera", **{"class": "upcoming"})
    lab.add("appointment_statuses", organization_id="org-2", key="atendido_fora")
    query = "select clinic.status_class(%s, %s) as class"
    assert lab.rows(query, word, CLINIC) == [{"class": classified}]


def test_a_clinic_cannot_give_a_known_word_another_class(lab: ClinicLab) -> None:
    lab.add("appointment_statuses", organization_id=CLINIC, key="cancelado", **{"class": "done"})
    assert lab.rows("select clinic.status_class('cancelado', %s) as class", CLINIC) == [{"class": "cancelled"}]


# --- clinic check


def test_check_says_that_all_is_well(run: Run, lab: ClinicLab) -> None:
    lab.clinic("org-2", is_active=False)

    result = run("check")

    assert result.exit_code == 0, result.output
    assert "2 visible, 1 of them inactive" in result.output
    assert "the contract is kept" in result.output and "all of them are known" in result.output


def test_check_counts_words_that_nobody_knows(run: Run, lab: ClinicLab) -> None:
    lab.patient()
    for id, word in [("v-1", "talvez"), ("v-2", "talvez"), ("v-3", "encaixe"), ("v-4", "agendado")]:
        lab.visit("2026-03-13T14:00", id, status=word)
    lab.add("appointment_statuses", organization_id=CLINIC, key="encaixe")

    result = run("check")

    cells = [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in result.output.splitlines() if "org-1" in line
    ]
    assert cells == [
        ["org-1", "encaixe", "the clinic's own, of no class", "1"], ["org-1", "talvez", "unknown", "2"]
    ]  # fmt: skip


def test_check_names_the_database_without_its_password(
    run: Run, lab: ClinicLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIC_DATABASE_URL", lab.warehouse.url.psycopg.replace("postgres@", "postgres:segredo@"))
    result = run("check")
    assert lab.warehouse.url.database in result.output and "segredo" not in result.output


def test_check_names_the_jobs_in_shadow(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_SHADOW", "birthday_messages")
    assert "birthday_messages" in run("check").output


def test_check_refuses_a_shadow_of_no_job(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_SHADOW", "birthdays")
    result = run("check")
    assert result.exit_code == 2
    assert "job='birthdays' is not a job of the clinic" in result.stderr


def test_check_ends_with_a_code_and_names_a_renamed_column(elsewhere: Run, flow: Conn) -> None:
    flow.execute("alter table patients rename date_of_birth to birth_date")
    mappings.apply(flow, "fisioflow")

    result = elsewhere("check")

    assert result.exit_code == 1
    assert "clinic.patients.date_of_birth" in result.output and "missing; date is due" in result.output


def test_check_says_whom_row_security_binds(
    elsewhere: Run, flow: Conn, fisioflow_database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    mappings.apply(flow, "fisioflow")
    fisioflow.secure(flow, tables=("patients",))
    fisioflow.add(flow, "organizations", name="São João")
    with fisioflow.reader(fisioflow_database) as url:
        monkeypatch.setenv("CLINIC_DATABASE_URL", url.psycopg)
        result = elsewhere("check")
    assert result.exit_code == 0, result.output
    assert "binds us (patients)" in result.output and "1 visible" in result.output


def test_check_names_what_our_role_may_not_read(
    elsewhere: Run, flow: Conn, fisioflow_database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    mappings.apply(flow, "fisioflow")
    with fisioflow.reader(fisioflow_database) as url:
        flow.execute(f"revoke select (phone) on patients from {url.user}")
        monkeypatch.setenv("CLINIC_DATABASE_URL", url.psycopg)
        result = elsewhere("check")
    assert result.exit_code == 1
    assert "may not be read: permission denied for table patients" in result.output


def test_check_stops_where_row_security_would_hide_everything(
    elsewhere: Run, flow: Conn, fisioflow_database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    mappings.apply(flow, "fisioflow")
    fisioflow.secure(flow, tables=("patients",))
    with fisioflow.reader(fisioflow_database) as url:
        monkeypatch.setenv("CLINIC_DATABASE_URL", url.psycopg)
        monkeypatch.setenv("CLINIC_TENANT_SETTING", "app.tenant")
        result = elsewhere("check")
    assert result.exit_code == 1
    assert "its policies do not read app.tenant" in result.output


def test_check_stops_where_no_organisation_is_visible(elsewhere: Run, flow: Conn) -> None:
    mappings.apply(flow, "fisioflow")
    result = elsewhere("check")
    assert result.exit_code == 1
    assert "clinic.organizations shows no row" in result.output


# --- clinic mapping


def test_mapping_is_printed_whole(run: Run) -> None:
    result = run("mapping")
    assert (result.exit_code, result.output) == (0, mappings.sql("fisioflow"))


def test_mapping_of_nobody_is_refused_in_one_line(run: Run) -> None:
    result = run("mapping", "klinik")
    assert result.exit_code == 2
    assert result.stderr == "error: mapping='klinik' does not exist; known: fisioflow\n"


def test_mapping_is_laid_over_fisioflows_tables(elsewhere: Run, flow: Conn) -> None:
    result = elsewhere("mapping", "--apply", "--yes")
    assert result.exit_code == 0, result.output
    assert not any(each.stops for each in findings(flow))


def test_mapping_that_leaves_something_out_says_so(elsewhere: Run, flow: Conn) -> None:
    flow.execute("alter table patients rename date_of_birth to birth_date")
    result = elsewhere("mapping", "--apply", "--yes")
    assert result.exit_code == 1
    assert "warning: public.patients.date_of_birth is not there" in result.stderr


def test_mapping_asks_before_it_is_laid(elsewhere: Run, flow: Conn) -> None:
    result = elsewhere("mapping", "--apply")
    assert result.exit_code == 2 and "add --yes" in result.stderr
    assert flow.execute("select to_regnamespace('clinic')").fetchone() == (None,)


def test_mapping_over_somebody_elses_database_is_refused_in_one_line(run: Run) -> None:
    result = run("mapping", "--apply", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: database: this is not FisioFlow's database: "
        "public.organizations, patients or appointments is missing\n"
    )


def test_mapping_needs_a_database_that_was_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    result = run("mapping", "--apply", "--yes")
    assert result.exit_code == 2 and "set CLINIC_DATABASE_URL" in result.stderr
