"""Alerts of the integrity checks: on change and once a day, to that clinic's administrators and nobody else."""

from __future__ import annotations

import dataclasses
import datetime as dt
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.clinic.integrity.looking import SAMPLE
from fisio_ayida.clinic.integrity.states import State, is_news
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, ClinicLab
from fisio_ayida_tests.clinic.test_integrity import broken_packages

JOB = "data_integrity"


def wrong(lab: ClinicLab, *ids: str, organization: str = CLINIC) -> None:
    for id in ids:
        lab.visit("2026-03-20T11:00", id, None, organization, therapist_id=None)


def run(lab: ClinicLab, hours: int = 0, **order: Any) -> list[dict[str, Any]]:
    """Run so many hours after the morning; gives the mails that are new."""
    before = set(lab.keys())
    lab.moment = MORNING + dt.timedelta(hours=hours)
    lab.run(JOB, **order)
    told = lab.rows("select id, variables from messaging.notices order by id")
    return [row["variables"] for row in told if row["id"] not in before]


@pytest.fixture
def boss(lab: ClinicLab) -> str:
    return lab.therapist("boss", roles=["fisioterapeuta", "Admin"])


@pytest.fixture
def operators(lab: ClinicLab) -> None:
    """MESSAGING_ALERTS_TO is set."""
    letters = dataclasses.replace(lab.desk.outbox.letters, alerts_to="operators@example.com")
    lab.desk = dataclasses.replace(lab.desk, outbox=dataclasses.replace(lab.desk.outbox, letters=letters))


@pytest.mark.usefixtures("boss")
def test_an_administrator_is_told_what_is_wrong_with_ids_and_no_names(lab: ClinicLab) -> None:
    wrong(lab, "a", "b")
    [mail] = run(lab)
    assert mail["verificacoes"] == [
        {"verificacao": "Agendamentos sem paciente", "contagem": 2, "exemplos": ["a", "b"]}
    ]
    [message] = lab.messages()
    assert (message["user_id"], message["template"], message["category"]) == (
        "boss", "integrity_alert", "transactional",
    )  # fmt: skip


@pytest.mark.usefixtures("boss")
def test_the_same_result_is_told_once_a_day(lab: ClinicLab) -> None:
    wrong(lab, "a")
    assert [len(run(lab, hours)) for hours in (0, 3, 9, 15, 21, 27)] == [1, 0, 0, 1, 0, 0]


@pytest.mark.usefixtures("boss")
@pytest.mark.parametrize(
    ("now", "mails"), [(["a", "b", "c"], 1), (["a", "c"], 1), (["a"], 0), (["c"], 1)],
    ids=["more", "other", "fewer", "fewer and other"],
)  # fmt: skip
def test_a_change_for_the_worse_is_told_at_once(lab: ClinicLab, now: list[str], mails: int) -> None:
    wrong(lab, "a", "b")
    run(lab)
    lab.conn.execute("delete from clinic.appointments")
    wrong(lab, *now)
    assert len(run(lab, 3)) == mails


@pytest.mark.usefixtures("boss")
def test_what_is_good_again_is_mentioned_once_in_the_next_mail(lab: ClinicLab) -> None:
    wrong(lab, "a")
    lab.add("packages", id="p", organization_id=CLINIC, total_sessions=-1)
    run(lab)
    lab.conn.execute("delete from clinic.packages")
    assert run(lab, 3) == []
    assert [run(lab, hours)[0]["resolvidas"] for hours in (24, 48)] == [["Pacotes com saldo impossível"], []]


@pytest.mark.usefixtures("boss")
def test_nothing_is_said_when_all_is_good_again(lab: ClinicLab) -> None:
    wrong(lab, "a")
    run(lab)
    lab.conn.execute("delete from clinic.appointments")
    assert run(lab, 24) == []
    [row] = lab.rows("select problems, bad_since, alerted_at from jobs.integrity")
    assert row == {"problems": 0, "bad_since": None, "alerted_at": None}


@pytest.mark.usefixtures("boss")
def test_since_when_it_is_bad_is_remembered(lab: ClinicLab) -> None:
    wrong(lab, "a")
    run(lab)
    wrong(lab, "b")
    run(lab, 24)
    assert lab.rows("select problems, bad_since from jobs.integrity") == [{"problems": 2, "bad_since": MORNING}]


def test_each_clinic_is_told_of_its_own_rows_only(lab: ClinicLab) -> None:
    lab.clinic("org-2")
    lab.therapist("boss-1", roles=["owner"])
    lab.therapist("boss-2", "org-2", roles=["admin"])
    wrong(lab, "mine")
    wrong(lab, "theirs", organization="org-2")
    run(lab)
    told = {
        row["user_id"]: [line["exemplos"] for line in row["variables"]["verificacoes"]]
        for row in lab.rows("select user_id, variables from messaging.notices")
    }
    assert told == {"boss-1": [["mine"]], "boss-2": [["theirs"]]}


@pytest.mark.parametrize(
    "columns",
    [{"roles": ["fisioterapeuta"]}, {"roles": ["admin"], "is_active": False}, {"roles": ["admin"], "email": " "}],
)
def test_without_an_administrator_it_is_kept_that_nobody_was_told(lab: ClinicLab, columns: Any) -> None:
    lab.therapist("boss", **columns)
    wrong(lab, "a")
    assert run(lab) == []
    assert list(lab.reasons().values()) == ["no_address"]


@pytest.mark.usefixtures("boss", "operators")
def test_rows_of_nobody_are_the_operators(lab: ClinicLab) -> None:
    lab.patient("stray", None)
    [mail] = run(lab)
    assert [line["exemplos"] for line in mail["verificacoes"]] == [["stray"]]
    [message] = lab.messages()
    assert (message["category"], message["organization_id"], message["cause_kind"]) == ("direct", "", "operators")


@pytest.mark.usefixtures("boss", "operators")
def test_the_operators_mail_can_be_made_again_without_a_key(lab: ClinicLab) -> None:
    from fisio_ayida.messaging import causes

    lab.patient("stray", None)
    run(lab)
    [message] = lab.messages()
    cause = (message["cause_kind"], message["cause_id"])
    read = causes.read(lab.conn, {cause: ""}, now=lab.moment, clinic=lab.desk.clinic)[cause]
    letter = lab.desk.outbox.letters.again(*cause, message["template"], read.variables)
    assert (read.now.wanted, letter.to) == (True, "operators@example.com")


@pytest.mark.usefixtures("boss", "operators")
def test_a_check_that_cannot_run_is_told_once_a_day_and_by_the_kind_of_its_error(lab: ClinicLab) -> None:
    with broken_packages(lab):
        mails = [run(lab, hours) for hours in (0, 6, 24)]
    assert [len(each) for each in mails] == [1, 0, 1]
    assert mails[0][0]["impedidas"] == [
        {"verificacao": "Pacotes com saldo impossível", "motivo": "InvalidTextRepresentation", "organizacao": ""}
    ]
    [row] = lab.rows("select organization_id, problems from jobs.integrity where error is not null")
    assert row == {"organization_id": "", "problems": None}


@pytest.mark.usefixtures("boss")
def test_a_check_that_cannot_run_forgets_nothing(lab: ClinicLab) -> None:
    lab.add("packages", id="p", organization_id=CLINIC, total_sessions=-1)
    run(lab)
    with broken_packages(lab):
        run(lab, 3)
    [row] = lab.rows("select problems, checked_at from jobs.integrity where organization_id = %s", CLINIC)
    assert row == {"problems": 1, "checked_at": MORNING}


@pytest.mark.usefixtures("boss")
def test_a_shadow_run_decides_and_sends_nothing(lab: ClinicLab) -> None:
    wrong(lab, "a")
    assert run(lab, is_shadow=True) == []
    assert [row["outcome"] for row in lab.rows("select outcome from jobs.decisions")] == ["shadow"]
    assert len(run(lab, 3)) == 1


@pytest.mark.usefixtures("boss")
def test_a_run_for_last_week_tells_nobody(lab: ClinicLab) -> None:
    wrong(lab, "a")
    assert run(lab, nominal=MORNING - dt.timedelta(days=7)) == []
    assert list(lab.reasons().values()) == ["stale"]
    assert len(run(lab, 3)) == 1


@pytest.mark.usefixtures("boss")
def test_a_run_for_a_past_moment_leaves_what_is_known_of_a_later_one(lab: ClinicLab) -> None:
    wrong(lab, "a")
    run(lab)
    lab.conn.execute("delete from clinic.appointments")
    lab.add("packages", id="p", organization_id=CLINIC, total_sessions=-1)
    known = lab.rows("select * from jobs.integrity")
    assert run(lab, 3, nominal=MORNING - dt.timedelta(days=2)) == []
    assert lab.rows("select * from jobs.integrity") == known

    [mail] = run(lab, 6)

    assert [each["verificacao"] for each in mail["verificacoes"]] == ["Pacotes com saldo impossível"]
    assert mail["resolvidas"] == ["Agendamentos sem paciente"]


@pytest.mark.usefixtures("boss")
def test_what_was_only_decided_was_not_told(lab: ClinicLab) -> None:
    wrong(lab, "a")
    lab.add("packages", id="p", organization_id=CLINIC, total_sessions=-1)
    run(lab)
    lab.conn.execute("delete from clinic.packages")
    run(lab, 24, is_shadow=True)
    assert [mail["resolvidas"] for mail in run(lab, 25)] == [["Pacotes com saldo impossível"]]


@pytest.mark.usefixtures("boss")
def test_three_runs_at_once_tell_once(lab: ClinicLab) -> None:
    wrong(lab, "a")
    outcomes = lab.run_at_once(JOB)
    assert sum(sum(each.planned.values()) for each in outcomes) == len(lab.keys()) == 1
    assert [each.failures for each in outcomes] == [[], [], []]


@pytest.mark.usefixtures("boss", "operators")
def test_both_mails_go_out_without_a_key(lab: ClinicLab) -> None:
    wrong(lab, "a")
    lab.patient("stray", None)
    run(lab)
    operators, clinic = (words for _, words in sorted(lab.send().items()))
    assert ("stray" in operators, "Clínica São João" in operators) == (True, False)
    assert ("stray" in clinic, "Clínica São João" in clinic) == (False, True)


@pytest.mark.usefixtures("boss")
def test_who_administrates_no_longer_is_not_told(lab: ClinicLab) -> None:
    wrong(lab, "a")
    run(lab)
    lab.conn.execute("update clinic.staff set roles = '{fisioterapeuta}'")
    assert lab.send() == {}
    assert [row["reason"] for row in lab.messages()] == ["stale: this person is no administrator any more"]


IDS = st.sets(st.text(string.ascii_lowercase, min_size=1, max_size=2), min_size=1, max_size=60)


def state(ids: set[str]) -> State:
    return State(CLINIC, "check", len(ids), sorted(ids)[:SAMPLE], repr(sorted(ids)), MORNING, MORNING)


@given(IDS, IDS)
def test_fewer_of_the_same_rows_are_never_news_and_more_always_are(before: set[str], now: set[str]) -> None:
    if now <= before:
        assert not is_news(state(before), state(now))
    elif len(now) >= len(before) or len(before) <= SAMPLE >= len(now):
        assert is_news(state(before), state(now))
