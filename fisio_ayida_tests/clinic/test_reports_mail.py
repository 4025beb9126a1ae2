"""Reports' mails: who gets one, what it says to whom, when there is none, and that it arrives once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from fisio_ayida.clinic.reports import trend, wording
from fisio_ayida.clinic.reports.frames import Line
from fisio_ayida.clinic.reports.readers import Reader
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, SAO_PAULO, THERAPIST, ClinicLab
from fisio_ayida_tests.messaging.lab import Lab

YESTERDAY = "2026-03-11"
MONDAY = dt.datetime(2026, 3, 16, 9, tzinfo=SAO_PAULO)


def key(user: str, day: str = YESTERDAY, kind: str = "daily") -> str:
    return f"report:{kind}:{CLINIC}:{day}:{user}:email"


@pytest.fixture
def clinic(lab: ClinicLab) -> ClinicLab:
    """A visit yesterday, an administrator and a therapist who want both reports."""
    wants: dict[str, Any] = {"wants_daily_report": True, "wants_weekly_summary": True}
    lab.conn.execute("update clinic.staff set wants_daily_report = true, wants_weekly_summary = true")
    lab.therapist("boss", full_name=None, roles=["Admin", "fisioterapeuta"], **wants)
    lab.visit(f"{YESTERDAY}T10:00", patient=None, status="atendido")
    return lab


@pytest.fixture
def outbox(clinic: ClinicLab, tmp_path: Path) -> Iterator[Lab]:
    """Sends what is planned, as files."""
    opened = Lab(clinic.warehouse, tmp_path, moment=clinic.moment)
    # As in a project that has set up nothing: bodies are made again.
    opened.sealer = None
    yield opened
    opened.close()


def notices(lab: ClinicLab) -> dict[str, dict[str, Any]]:
    return {row["id"]: row["variables"] for row in lab.rows("select id, variables from messaging.notices")}


def arrived(outbox: Lab) -> dict[str, EmailMessage]:
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in outbox.files("email")]
    return {str(mail["To"]): mail for mail in mails if isinstance(mail, EmailMessage)}


def test_those_who_asked_are_written_to(clinic: ClinicLab) -> None:
    clinic.therapist("somebody")
    clinic.therapist("gone", wants_daily_report=True, is_active=False)
    clinic.run("daily_reports")
    assert clinic.keys() == [key("boss"), key(THERAPIST)]
    assert {row["not_after"] - MORNING for row in clinic.messages()} == {dt.timedelta(hours=24)}


def test_an_administrator_sees_everybody_and_a_therapist_only_himself(clinic: ClinicLab) -> None:
    clinic.visit(f"{YESTERDAY}T11:00", "other", patient=None, therapist_id="boss")
    clinic.visit(f"{YESTERDAY}T12:00", "nobodys", patient=None, therapist_id=None)
    clinic.run("daily_reports")
    told = notices(clinic)
    everybody = [(each["profissional"], each["agendadas"]) for each in told[key("boss")]["profissionais"]]
    assert everybody == [("Dra. Helena Brandão", 1), (wording.UNNAMED, 1), (wording.NOT_GIVEN, 1)]
    own = told[key(THERAPIST)]
    assert [(each["profissional"], each["realizadas"]) for each in own["seus_numeros"]] == [
        ("Dra. Helena Brandão", 1)
    ]
    assert own["agendadas"] == 3
    assert own.keys().isdisjoint({"profissionais", "mensagens", "falhas"})


def test_administrators_are_told_how_messages_fared(clinic: ClinicLab) -> None:
    def message(
        id: str, state: str, accepted: dt.datetime | None, changed: dt.datetime, patient: str | None
    ) -> None:
        clinic.conn.execute(
            "insert into messaging.messages (key, organization_id, patient_id, job, category, channel, "
            "heeds_quiet, state, reason, due_at, planned_at, changed_at, accepted_at) "
            "values (%s, %s, %s, 'test', 'care', 'email', false, %s, '', now(), now(), %s, %s)",
            [id, CLINIC, patient, state, changed, accepted],
        )

    day = MORNING - dt.timedelta(days=1)
    message("sent", "accepted", day, day, "p")
    message("read since", "read", day, MORNING, "p")
    message("sent today", "accepted", MORNING, MORNING, "p")
    message("failed", "failed", None, day, "p")
    message("failed today", "failed", None, MORNING, "p")
    message("failed after it was accepted", "failed", day, day, "p")
    message("to the staff", "accepted", day, day, None)

    clinic.run("daily_reports")

    told = notices(clinic)[key("boss")]
    assert (told["mensagens"], told["falhas"]) == (2, 2)


def test_a_mail_arrives_once_with_its_sheet(clinic: ClinicLab, outbox: Lab) -> None:
    for run in ("run-1", "run-2"):
        clinic.run("daily_reports", run_id=run)
        outbox.dispatch()
    assert set(outbox.states()) == {"accepted"}
    mails = arrived(outbox)
    assert set(mails) == {"boss@example.com", f"{THERAPIST}@example.com"}
    assert len(outbox.files("email")) == 2
    mail = mails["boss@example.com"]
    assert mail["Subject"] == "Relatório de 11/03/2026 – Clínica São João"
    [sheet] = mail.iter_attachments()
    assert sheet.get_filename() == "relatorio-2026-03-11.csv"
    assert sheet.get_content_type() == "text/csv"
    assert sheet.get_content().splitlines()[1] == "11/03/2026;Dra. Helena Brandão;1;1;0;0;0;0;0"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("wants_daily_report = false", "this person does not want it any more"),
        ("roles = '{fisioterapeuta}'", "this person is no administrator any more"),
        ("is_active = false", "this person does not work there any more"),
    ],
)
def test_a_mail_is_for_who_still_wants_it_and_still_is_who_it_was_made_for(
    clinic: ClinicLab, change: str, why: str
) -> None:
    clinic.run("daily_reports")
    clinic.conn.execute(f"update clinic.staff set {change} where user_id = 'boss'")

    assert list(clinic.send()) == [key(THERAPIST)]
    assert {row["key"]: row["reason"] for row in clinic.messages()} == {
        key("boss"): f"stale: {why}", key(THERAPIST): None,
    }  # fmt: skip


def test_a_week_is_not_told_to_who_wants_only_the_days(clinic: ClinicLab) -> None:
    clinic.run("weekly_summary", MONDAY)
    clinic.moment = MONDAY
    clinic.conn.execute("update clinic.staff set wants_weekly_summary = false where user_id = 'boss'")

    assert list(clinic.send()) == [key(THERAPIST, "2026-03-09", "weekly")]


def test_a_week_is_told_with_the_weeks_before(clinic: ClinicLab, outbox: Lab) -> None:
    for place, day in enumerate(("2026-03-09", "2026-03-02", "2026-03-03", "2026-02-23", "2026-02-01")):
        clinic.visit(f"{day}T10:00", f"earlier-{place}", patient=None, status="atendido")
    clinic.moment = outbox.moment = MONDAY
    clinic.run("weekly_summary")
    told = notices(clinic)[key("boss", "2026-03-09", "weekly")]
    weeks = [(each["inicio"], each["realizadas"]) for each in told["semanas"]]
    assert weeks == [
        ("2026-03-09", 2), ("2026-03-02", 2), ("2026-02-23", 1), ("2026-02-16", 0), ("2026-02-09", 0),
    ]  # fmt: skip
    assert told["tendencia"][1] == {"rotulo": "Realizadas", "valor": 2, "media": "0,8", "texto": "167% acima"}
    outbox.dispatch()
    body = arrived(outbox)["boss@example.com"].get_body(("plain",))
    assert body is not None and "Realizadas: 2, média 0,8 (167% acima)" in body.get_content()


@pytest.mark.parametrize(
    ("job", "nominal", "late"),
    [
        ("daily_reports", MORNING, dt.timedelta(hours=24)),
        ("daily_reports", MORNING, dt.timedelta(days=7)),
        ("weekly_summary", MONDAY, dt.timedelta(days=3)),
    ],
)
def test_a_past_day_replayed_sends_nothing(
    clinic: ClinicLab, job: str, nominal: dt.datetime, late: dt.timedelta
) -> None:
    clinic.moment = nominal + late
    clinic.run(job, nominal)
    assert (clinic.keys(), notices(clinic)) == ([], {})
    assert set(clinic.reasons().values()) == {"stale"}
    assert len(clinic.reasons()) == 2


def test_a_run_that_is_late_by_hours_still_tells(clinic: ClinicLab) -> None:
    clinic.moment += dt.timedelta(hours=23)
    clinic.run("daily_reports", MORNING)
    assert len(clinic.keys()) == 2


def test_shadow_and_dry_runs_leave_no_notice(clinic: ClinicLab) -> None:
    clinic.run("daily_reports", is_dry=True)
    clinic.run("daily_reports", is_shadow=True)
    assert (clinic.keys(), notices(clinic)) == ([], {})
    assert {row["key"] for row in clinic.rows("select key from jobs.decisions")} == {key("boss"), key(THERAPIST)}


def test_three_runs_at_once_write_to_each_once(clinic: ClinicLab) -> None:
    outcomes = clinic.run_at_once("daily_reports")
    assert sum(outcome.planned["email"] for outcome in outcomes) == 2
    assert clinic.keys() == sorted(notices(clinic)) == [key("boss"), key(THERAPIST)]


def test_an_empty_day_is_no_mail_unless_the_clinic_wants_one(clinic: ClinicLab) -> None:
    clinic.conn.execute("delete from clinic.appointments")
    clinic.run("daily_reports")
    assert clinic.reasons() == {key("boss"): "nothing_happened", key(THERAPIST): "nothing_happened"}
    clinic.rules(reports_empty_days=True)
    clinic.run("daily_reports")
    assert len(clinic.keys()) == 2


def test_who_cannot_be_written_to_is_told_apart(clinic: ClinicLab) -> None:
    clinic.conn.execute("update clinic.staff set email = ' ' where user_id = 'boss'")
    clinic.run("daily_reports")
    assert clinic.reasons() == {key("boss"): "no_address"}
    clinic.change("organizations", CLINIC, settings='{"email_enabled": false}')
    clinic.run("daily_reports", MORNING + dt.timedelta(hours=1))
    assert clinic.reasons()[key(THERAPIST)] == "channel_disabled_org"


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (12, [10, 10, 10, 10], ("10", "20% acima")), (8, [10, 10, 10, 10], ("10", "20% abaixo")),
        (20, [19, 19, 20, 19], ("19,3", "perto da média")), (0, [1, 0, 0, 0], ("0,3", "100% abaixo")),
        (3, [0, 0, 0, 0], ("0", "antes nenhuma")), (0, [0, 0, 0, 0], ("0", "como antes")),
    ],
)  # fmt: skip
def test_a_trend_is_told_in_words(now: int, before: list[int], said: tuple[str, str]) -> None:
    assert (trend.mean(before), trend.words(now, before)) == said


def test_a_clinic_without_weeks_before_is_compared_with_nothing() -> None:
    week = dt.date(2026, 3, 9)
    told = wording.weekly("", Line(CLINIC, week, "", scheduled=3), [Line(CLINIC, week, "")] * 4)
    assert told["tendencia"] == []
    assert told["clinica"] == wording.UNNAMED_CLINIC


def test_bars_are_shares_of_the_longest_and_what_there_is_can_be_seen() -> None:
    line = Line(CLINIC, dt.date(2026, 3, 9), "", scheduled=1011, done=1000, absent=1, cancelled=10)
    bars = {bar["rotulo"]: bar["largura"] for bar in wording.daily("C", line, [])["grafico"]}
    assert bars == {"Realizadas": 100, "Faltas": 1, "Canceladas": 1, "A remarcar": 0, "Sem desfecho": 0}


def test_who_had_no_visits_is_told_the_clinics_totals_only() -> None:
    line = Line(CLINIC, dt.date(2026, 3, 9), "", scheduled=3)
    told = wording.addressed(wording.daily("C", line, []), Reader("reception", CLINIC, True, False), [], {}, None)
    assert (told["seus_numeros"], told["agendadas"]) == ([], 3)
