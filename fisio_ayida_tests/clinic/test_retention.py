"""Retention: every table has a rule or a reason, a rule takes what is old and nothing else, progress is kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from fisio_ayida.clinic import cleanup, sweeping
from fisio_ayida.clinic.model import BadOrder
from fisio_ayida.clinic.retention import FILES, FILES_AGE, KEPT, RULES, Rule
from fisio_ayida.clinic.sweeping import RetentionError, absent
from fisio_ayida.events import inbox
from fisio_ayida.events.admission import judge, read
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, PATIENT, ClinicLab

JOB = "daily_cleanup"
BY_NAME = {rule.name: rule for rule in RULES}
HOUR = dt.timedelta(hours=1)
_TABLES = """
select schemaname || '.' || tablename as name from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') order by 1
"""
OLD = (
    "events.refused", "events.claims", "events.echoes", "messaging.suppressions", "insights.generations",
    "insights.calls", "insights.seen", "insights.queue",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _empty(lab: ClinicLab) -> None:
    lab.conn.execute("; ".join(f"delete from {table}" for table in OLD))


def put(lab: ClinicLab, table: str, **columns: Any) -> None:
    names, holes = ", ".join(columns), ", ".join(["%s"] * len(columns))
    lab.conn.execute(
        f"insert into {table} ({names}) overriding system value values ({holes})", list(columns.values())
    )  # fmt: skip


def event(lab: ClinicLab, n: int, at: dt.datetime, state: str = "done", **columns: Any) -> None:
    given = {
        "seq": n, "id": f"event-{n}", "name": "x", "received_name": "x", "source": "http", "data": '{"a": 1}',
        "admitted": True, "state": state, "due_at": at, "received_at": at, "changed_at": at,
    }  # fmt: skip
    put(lab, "events.inbox", **(given | columns))


def message(lab: ClinicLab, n: int, at: dt.datetime, state: str = "delivered", **columns: Any) -> None:
    given = {
        "id": n, "key": f"key-{n}", "job": "x", "category": "direct", "channel": "email", "heeds_quiet": False,
        "state": state, "due_at": at, "planned_at": at, "changed_at": at, "content": b"x", "reason": "x",
        "address_masked": "a***@example.com",
    }  # fmt: skip
    put(lab, "messaging.messages", **(given | columns))


def report(lab: ClinicLab, n: int, at: dt.datetime, **columns: Any) -> None:
    given = {"provider": "resend", "event_id": f"e-{n}", "kind": "x", "received_at": at, "applied_at": at}
    put(lab, "messaging.deliveries", **(given | {"id": n, "body": '{"a": 1}'} | columns))


def reply(lab: ClinicLab, n: int, at: dt.datetime, **columns: Any) -> None:
    given: dict[str, Any] = {
        "provider": "meta",
        "provider_id": f"r-{n}",
        "address_masked": "",
        "address_hash": b"",
        "intent": "x",
    }
    given |= {"id": n, "body": b"x", "received_at": at, "handled_at": at}
    put(lab, "messaging.replies", **(given | columns))


def decision(lab: ClinicLab, n: int, at: dt.datetime) -> None:
    given = {"job": "x", "key": f"k-{n}", "outcome": "withheld", "day": at.date(), "organization_id": CLINIC}
    put(lab, "jobs.decisions", id=n, run_id="r", at=at, **given)


def generation(lab: ClinicLab, n: int, at: dt.datetime) -> None:
    put(lab, "insights.generations", key=f"key-{n}", organization_id=CLINIC, patient_id=PATIENT, session_id="s",
        finalized_at=at, prompt_version="x", model="", day=at.date(), today=at.date(), facts='{"a": 1}',
        facts_version="1", sessions=1, narrative="none", reason="no_model", created_at=at, run_id="r")  # fmt: skip


def one(lab: ClinicLab, name: str, n: int, at: dt.datetime) -> None:
    """A row that the rule applies to at ``at``; ``n`` tells it apart."""
    match name:
        case "notification_history" | "password_reset_tokens" | "system_health_logs":
            lab.add(name, id=f"row-{n}", created_at=at)
        case "message_bodies" | "messages":
            message(lab, n, at)
        case "report_bodies" | "reports":
            report(lab, n, at)
        case "reply_bodies" | "replies":
            reply(lab, n, at)
        case "notices":
            put(lab, "messaging.notices", id=f"n-{n}", organization_id=CLINIC, user_id="u", template="t",
                variables="{}", created_at=at)  # fmt: skip
        case "suppressions":
            put(lab, "messaging.suppressions", channel="email", address_hash=bytes([n]), reason="x", evidence="x",
                at=at, expires_at=at)  # fmt: skip
        case "tasks":
            reply(lab, n, at)
            put(lab, "messaging.tasks", organization_id=CLINIC, kind="reply", reply_id=n, created_at=at,
                done_at=at)  # fmt: skip
        case "event_bodies" | "events":
            event(lab, n, at)
        case "dead_event_bodies":
            event(lab, n, at, "dead")
        case "events_never_handled":
            event(lab, n, at, "received")
        case "event_conflicts":
            event(lab, n, at)
            put(
                lab,
                "events.conflicts",
                event_id=f"event-{n}",
                digest=b"x",
                received_at=at,
                source="http",
                name="x",
            )
        case "refused_requests":
            put(lab, "events.refused", digest=bytes([n]), received_at=at, last_at=at, source="http", status=400,
                reason="x", body=b"x")  # fmt: skip
        case "claims":
            put(lab, "events.claims", id=uuid4(), kind="batch", job="x", run_config="{}", requested_at=at,
                lease_until=at, ended_at=at)  # fmt: skip
        case "echoes":
            put(lab, "events.echoes", event_id=f"event-{n}", at=at)
        case "decisions":
            decision(lab, n, at)
        case "done_visits":
            put(lab, "jobs.done_visits", appointment_id=f"v-{n}", organization_id=CLINIC, done_at=at, seen_at=at)
        case "failures":
            put(lab, "jobs.failures", job="x", nominal=at, organization_id=CLINIC, error="x", run_id="r", at=at)
        case "insight_texts":
            generation(lab, n, MORNING)
            put(lab, "insights.items", id=uuid4(), key=f"key-{n}", organization_id=CLINIC, patient_id=PATIENT,
                source="facts", insight_type="x", insight_text="x", citations=[], created_at=at,
                expires_at=at)  # fmt: skip
        case "insight_facts" | "insights":
            generation(lab, n, at)
        case "insight_calls":
            put(lab, "insights.calls", id=n, key="x", organization_id=CLINIC, patient_id=PATIENT, day=at.date(),
                model="x", prompt_version="x", purpose="first", attempt=1, state="answered", reserved_tokens=1,
                run_id="r", started_at=at)  # fmt: skip
        case "insight_sessions":
            put(lab, "insights.seen", session_id=f"s-{n}", finalized_at=at, organization_id=CLINIC,
                patient_id=PATIENT)  # fmt: skip
        case "insight_failures":
            put(lab, "insights.queue", organization_id=CLINIC, patient_id=f"p-{n}", cause="hand",
                first_asked_at=at, asked_at=at, due_at=at, dead_at=at)  # fmt: skip


def left(lab: ClinicLab, rule: Rule) -> int:
    """Rows that are there, or that still have what the rule empties."""
    full = " or ".join(f"{column} is distinct from {value}" for column, value in rule.empties.items()) or "true"
    return int(lab.rows(f"select count(*) as n from {rule.table} where {full}")[0]["n"])


# --- the registry


def test_every_table_has_a_rule_or_a_reason_to_be_kept(lab: ClinicLab) -> None:
    ruled = {table for rule in RULES for table in rule.columns}
    tables = {row["name"] for row in lab.rows(_TABLES)}
    kept = {name for name in tables if name in KEPT or name.partition(".")[0] + ".*" in KEPT}
    assert tables - ruled - kept == set()
    assert {name for name in KEPT if not name.endswith(".*")} <= tables - ruled


def test_no_clinical_row_is_in_a_rule() -> None:
    assert {rule.table for rule in RULES if rule.in_clinic} == {
        "clinic.notification_history", "clinic.password_reset_tokens", "clinic.system_health_logs",
    }  # fmt: skip


def test_a_rule_about_what_is_not_there_stops_everything(lab: ClinicLab) -> None:
    lost = dataclasses.replace(BY_NAME["decisions"], table="jobs.nothing")
    wrong = dataclasses.replace(BY_NAME["failures"], column="when")
    with pytest.raises(RetentionError, match=r"jobs\.nothing, jobs\.failures\.when"):
        absent(lab.conn, [lost, wrong])


def test_a_log_that_fisioflow_does_not_have_is_counted(lab: ClinicLab) -> None:
    lab.conn.execute("alter table clinic.system_health_logs rename to elsewhere")
    try:
        outcome = lab.run(JOB)
    finally:
        lab.conn.execute("alter table clinic.elsewhere rename to system_health_logs")
    assert outcome.facts["absent relations"] == 1
    assert outcome.failures == []


# --- each rule


@pytest.mark.parametrize("name", BY_NAME)
def test_a_rule_takes_what_is_older_than_its_age_and_nothing_else(lab: ClinicLab, name: str) -> None:
    rule = BY_NAME[name]
    one(lab, name, 1, MORNING - rule.age - HOUR)
    one(lab, name, 2, MORNING - rule.age + HOUR)
    outcome = lab.run(JOB)
    assert (outcome.facts[name], left(lab, rule), outcome.failures) == (1, 1, [])


def test_a_second_run_finds_nothing(lab: ClinicLab) -> None:
    for n, rule in enumerate(RULES):
        one(lab, rule.name, n, MORNING - rule.age - HOUR)
    lab.run(JOB)
    assert {name: many for name, many in lab.run(JOB).facts.items() if many} == {}


def test_a_dry_run_counts_and_takes_nothing(lab: ClinicLab) -> None:
    for n in range(3):
        decision(lab, n, MORNING - dt.timedelta(days=800))
    assert lab.run(JOB, is_dry=True).facts["decisions"] == 3
    assert left(lab, BY_NAME["decisions"]) == 3


def test_a_run_for_the_future_takes_nothing_young(lab: ClinicLab) -> None:
    decision(lab, 1, MORNING)
    assert lab.run(JOB, MORNING + dt.timedelta(days=4000)).facts["decisions"] == 0


@pytest.mark.parametrize(
    ("parts", "taken"),
    [((), {"notification_history", "password_reset_tokens", "decisions"}),
     (("all",), {"notification_history", "password_reset_tokens", "decisions"}),
     (("notifications",), {"notification_history"}), (("tokens",), {"password_reset_tokens"}),
     (("sessions",), set()), (("own",), {"decisions"})],
)  # fmt: skip
def test_a_part_can_be_asked_for_alone(lab: ClinicLab, parts: tuple[str, ...], taken: set[str]) -> None:
    for name in ("notification_history", "password_reset_tokens", "decisions"):
        one(lab, name, 1, MORNING - dt.timedelta(days=3000))
    assert {name for name, many in lab.run(JOB, parts=parts).facts.items() if many} == taken


def test_a_part_that_there_is_not_is_refused(lab: ClinicLab) -> None:
    with pytest.raises(BadOrder, match="logins"):
        lab.run(JOB, parts=("logins",))


def test_a_run_for_one_organisation_deletes_nothing(lab: ClinicLab) -> None:
    decision(lab, 1, MORNING - dt.timedelta(days=3000))
    lab.run(JOB, organization=CLINIC)
    assert left(lab, BY_NAME["decisions"]) == 1


# --- batches


def test_many_rows_go_in_batches(lab: ClinicLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "RULES", [dataclasses.replace(BY_NAME["message_bodies"], batch=3)])
    for n in range(10):
        message(lab, n, MORNING - dt.timedelta(days=100 + n % 4))
    assert lab.run(JOB).facts["message_bodies"] == 10
    assert left(lab, BY_NAME["message_bodies"]) == 0


def test_an_error_between_batches_keeps_what_is_done_and_the_other_rules(
    lab: ClinicLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = dataclasses.replace(BY_NAME["decisions"], batch=3)
    monkeypatch.setattr(cleanup, "RULES", [small, BY_NAME["failures"]])
    for n in range(9):
        decision(lab, n, MORNING - dt.timedelta(days=800))
    one(lab, "failures", 1, MORNING - dt.timedelta(days=800))
    batch, calls = sweeping._batch, []

    def fails_at_the_third(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise psycopg.errors.QueryCanceled("too slow")
        return batch(*arguments)

    monkeypatch.setattr(sweeping, "_batch", fails_at_the_third)
    outcome = lab.run(JOB)
    assert [(organization, error.partition(":")[0]) for organization, error in outcome.failures] == [
        ("", "decisions")
    ]
    assert (left(lab, small), left(lab, BY_NAME["failures"])) == (3, 1)
    monkeypatch.undo()
    lab.run(JOB)
    assert left(lab, small) == 0


def test_a_row_that_somebody_is_writing_is_left(lab: ClinicLab) -> None:
    message(lab, 1, MORNING - dt.timedelta(days=100))
    with lab.conn.transaction():
        lab.conn.execute("select from messaging.messages for update")
        assert lab.run(JOB).facts["message_bodies"] == 0


# --- what a rule must not touch


def test_the_proof_of_a_message_stays_without_its_body(lab: ClinicLab) -> None:
    message(lab, 1, MORNING - dt.timedelta(days=91), address_hash=b"hash")
    before = lab.messages()[0]
    lab.run(JOB)
    assert lab.messages()[0] == before | {"content": None}


def test_what_waits_keeps_its_body(lab: ClinicLab) -> None:
    for n, state in enumerate(("planned", "deferred", "retry")):
        message(lab, n, MORNING - dt.timedelta(days=4000), state)
    lab.run(JOB)
    assert left(lab, BY_NAME["message_bodies"]) == 3


def test_the_states_of_a_message_go_with_it(lab: ClinicLab) -> None:
    message(lab, 1, MORNING - dt.timedelta(days=2000))
    message(lab, 2, MORNING)
    lab.run(JOB)
    assert [row["message_id"] for row in lab.rows("select distinct message_id from messaging.transitions")] == [2]


def test_a_message_stays_as_long_as_anything_refers_to_it(lab: ClinicLab) -> None:
    old = MORNING - dt.timedelta(days=2000)
    message(lab, 1, old)
    message(lab, 2, old)
    message(lab, 3, MORNING, fallback_of=1)
    report(lab, 1, MORNING, message_id=2)
    outcome = lab.run(JOB)
    assert (outcome.failures, [row["id"] for row in lab.messages()]) == ([], [1, 2, 3])


def test_what_refers_to_an_event_goes_with_it(lab: ClinicLab) -> None:
    event(lab, 1, MORNING - dt.timedelta(days=2000), "dead")
    lab.conn.execute("update events.inbox set state = 'skipped'")
    put(lab, "events.conflicts", event_id="event-1", digest=b"x", received_at=MORNING, source="http", name="x")
    outcome = lab.run(JOB)
    assert outcome.failures == []
    assert [lab.rows(f"select * from events.{t}") for t in ("inbox", "conflicts", "transitions")] == [[], [], []]


def test_consent_is_kept_however_old(lab: ClinicLab) -> None:
    put(lab, "messaging.preferences", organization_id=CLINIC, patient_id=PATIENT, channel="email", category="all",
        allowed=False, source="x", evidence="x", at=MORNING - dt.timedelta(days=9000))  # fmt: skip
    lab.run(JOB)
    assert len(lab.rows("select * from messaging.preferences")) == 1


def test_an_event_that_comes_again_after_its_body_went_is_no_work(lab: ClinicLab) -> None:
    def send(at: dt.datetime) -> Any:
        body = b'{"id": "again", "name": "patient/created", "data": {"patientId": "p", "organizationId": "o"}}'
        [(incoming, raw)] = read(body)
        [answer] = inbox.accept(
            lab.conn, [judge(incoming, raw, own_id="x", seed=None, now=at)], source="http", now=at
        )  # fmt: skip
        return answer

    long_ago = MORNING - dt.timedelta(days=120)
    assert send(long_ago).new
    lab.conn.execute("update events.inbox set state = 'done'")
    lab.run(JOB)
    assert lab.rows("select data from events.inbox") == [{"data": None}]
    assert (send(MORNING).new, lab.rows("select * from events.conflicts")) == (False, [])


# --- files


def test_old_files_of_messages_go_and_nothing_beside_them(lab: ClinicLab) -> None:
    assert lab.desk.files is not None
    names = {"email/old.eml": 1, "whatsapp/old.json": 1, "email/young.eml": -1, "elsewhere/old.txt": 1}
    for name, hours in names.items():
        path: Path = lab.desk.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        changed = (MORNING - FILES_AGE - hours * HOUR).timestamp()
        os.utime(path, (changed, changed))
    (lab.desk.files / "email" / "link.eml").symlink_to(lab.desk.files / "elsewhere" / "old.txt")
    assert lab.run(JOB, is_dry=True).facts[FILES] == 2
    assert lab.run(JOB).facts[FILES] == 2
    there = {path.relative_to(lab.desk.files).as_posix() for path in lab.desk.files.rglob("*") if path.is_file()}
    assert there == {"email/young.eml", "email/link.eml", "elsewhere/old.txt"}
