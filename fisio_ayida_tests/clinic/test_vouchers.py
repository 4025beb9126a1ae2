"""Expiring packages: which are told of, on which day, how often, and what the message says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fisio_ayida.clinic.vouchers import JOB, find
from fisio_ayida.messaging import causes
from fisio_ayida_tests.clinic.lab import MORNING, SAO_PAULO, ClinicLab

DAY = dt.timedelta(days=1)
TODAY = MORNING.date()
IN_A_WEEK = TODAY + 7 * DAY
BY_MAIL, BY_WHATSAPP = (
    f"expiring:package:package-1:{IN_A_WEEK}:email",
    f"expiring:package:package-1:{IN_A_WEEK}:whatsapp",
)
BOTH = [BY_MAIL, BY_WHATSAPP]


@pytest.fixture
def ana(lab: ClinicLab) -> ClinicLab:
    """A clinic with a patient, at ten o'clock."""
    lab.patient()
    lab.moment = MORNING + dt.timedelta(hours=1)
    return lab


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


# --- the day


@pytest.mark.parametrize(
    "expiry",
    [
        {"expires_on": IN_A_WEEK},
        # Midnight with which the day begins, and the last second of it.
        {"expires_at": at("2026-03-19T00:00-03:00")},
        {"expires_at": at("2026-03-19T23:59:59-03:00")},
        # Half past eleven in the evening, which is the next day in UTC.
        {"expires_at": at("2026-03-20T02:30Z")},
    ],
    ids=["a day", "the day's first moment", "its last", "23:30, the next day in UTC"],
)
def test_a_package_that_expires_in_a_week_is_told_of_on_both_channels(
    ana: ClinicLab, expiry: dict[str, Any]
) -> None:
    ana.package(**expiry)

    ana.run(JOB)

    assert ana.keys() == BOTH


@pytest.mark.parametrize(
    "expiry",
    [
        {"expires_on": TODAY + 8 * DAY},
        {"expires_on": TODAY},
        {"expires_on": TODAY - DAY},
        {"expires_at": at("2026-03-20T03:00Z")},
        {"expires_at": at("2026-03-13T02:59Z")},
        {"expires_on": None},
        {"expires_at": None},
    ],
    ids=[
        "in eight days",
        "today",
        "yesterday",
        "midnight in eight days",
        "tonight",
        "never",
        "never, as a moment",
    ],
)
def test_a_package_that_expires_on_another_day_is_not(ana: ClinicLab, expiry: dict[str, Any]) -> None:
    ana.package(**expiry)

    ana.run(JOB)

    assert (ana.keys(), ana.reasons()) == ([], {})


def test_the_day_is_the_clinics_own(lab: ClinicLab) -> None:
    lab.clinic("far", "America/Rio_Branco")
    lab.patient("hers", "far", email=None)
    # 22:30 of the 19th in Rio Branco.
    lab.package(organization="far", patient_id="hers", expires_at=at("2026-03-20T03:30Z"))
    # 23:00 of the 12th there, when it is the 13th in São Paulo.
    lab.moment = dt.datetime(2026, 3, 13, 1, tzinfo=SAO_PAULO)

    lab.run(JOB)

    assert lab.keys() == [BY_WHATSAPP]


def test_a_clinic_may_want_to_tell_earlier_or_later(ana: ClinicLab) -> None:
    ana.rules(voucher_days=3)
    ana.package()
    ana.package("soon", expires_on=TODAY + 3 * DAY)

    ana.run(JOB)

    assert {row["cause_id"] for row in ana.messages()} == {"soon"}


# --- again


def test_it_is_told_once_though_the_job_runs_every_day(ana: ClinicLab) -> None:
    ana.package()
    for _ in range(7):
        ana.run(JOB)
        ana.moment += DAY

    assert ana.keys() == BOTH
    assert {row["planned_at"] for row in ana.messages()} == {MORNING + dt.timedelta(hours=1)}


@pytest.mark.parametrize("missed", [1, 3, 6])
def test_days_without_a_run_are_made_up_for(ana: ClinicLab, missed: int) -> None:
    ana.package()
    ana.moment += missed * DAY

    ana.run(JOB)

    assert ana.keys() == BOTH


def test_a_run_for_last_week_sends_nothing(ana: ClinicLab) -> None:
    ana.package(expires_on=TODAY)

    ana.run(JOB, ana.moment - 7 * DAY)

    assert ana.keys() == []
    assert set(ana.reasons().values()) == {"stale"}


def test_a_renewed_package_is_told_of_again(ana: ClinicLab) -> None:
    ana.package()
    ana.run(JOB)
    ana.change("packages", "package-1", expires_on=TODAY + 20 * DAY)
    ana.moment += 13 * DAY

    ana.run(JOB)

    assert {row["cause_version"] for row in ana.messages()} == {"2026-03-19 with 3", "2026-04-01 with 3"}


def test_an_address_that_is_new_is_no_reason_to_tell_again(ana: ClinicLab) -> None:
    ana.change("patients", "patient-1", email=None)
    ana.package()
    ana.run(JOB)
    ana.change("patients", "patient-1", email="ana@example.com")

    ana.run(JOB)

    assert ana.keys() == [BY_WHATSAPP]
    assert ana.reasons() == {BY_MAIL: "duplicate"}


def test_three_runs_at_once_tell_once(ana: ClinicLab) -> None:
    ana.package()

    outcomes = ana.run_at_once(JOB)

    assert ana.keys() == BOTH
    assert sum(sum(each.planned.values()) for each in outcomes) == 2


def test_a_balance_that_changes_before_the_message_goes_is_told_by_the_next_run(ana: ClinicLab) -> None:
    ana.package()
    ana.run(JOB)
    ana.change("packages", "package-1", remaining_sessions=1)

    assert ana.send() == {}
    ana.run(JOB)
    assert [("1 sess" in words, "3 sess" in words) for words in ana.send().values()] == [(True, False)] * 2


def test_a_balance_that_changes_after_the_message_went_is_no_news(ana: ClinicLab) -> None:
    ana.package()
    ana.run(JOB)
    ana.send()
    ana.change("packages", "package-1", remaining_sessions=1)

    ana.run(JOB)

    assert (ana.keys(), ana.send()) == (BOTH, {})


@pytest.mark.parametrize("was_sent", [False, True], ids=["before it goes", "after it went"])
def test_a_package_that_is_given_to_another_patient_is_told_to_them(ana: ClinicLab, was_sent: bool) -> None:
    ana.patient("patient-2", phone="+55 11 91111-2222", email=None)
    ana.package()
    ana.run(JOB)
    if was_sent:
        ana.send()
    ana.change("packages", "package-1", patient_id="patient-2")
    assert ana.send() == {}

    ana.run(JOB)

    [key] = ana.send()
    assert key == (f"expiring:package:package-1:{IN_A_WEEK}:patient-2:whatsapp" if was_sent else BY_WHATSAPP)
    assert {row["patient_id"] for row in ana.messages() if row["key"] == key} == {"patient-2"}


# --- which packages


@pytest.mark.parametrize(
    "columns",
    [{"remaining_sessions": 0}, {"remaining_sessions": None}, {"is_active": False}, {"deleted_at": MORNING}],
    ids=["used up", "of an unknown balance", "no longer active", "deleted"],
)
def test_a_package_is_not_told_of(ana: ClinicLab, columns: dict[str, Any]) -> None:
    ana.package(**columns)

    ana.run(JOB)

    assert (ana.keys(), ana.reasons()) == ([], {})


def test_a_package_that_is_used_up_before_the_message_goes_is_not_wanted_any_more(ana: ClinicLab) -> None:
    ana.package()
    ana.run(JOB)
    ana.change("packages", "package-1", remaining_sessions=0)

    cause = ("package", "package-1")
    assert not causes.read(ana.conn, {cause: "org-1"}, now=ana.moment, clinic=ana.desk.clinic)[cause].now.wanted


@pytest.mark.parametrize("patient", [None, "nobody", "stranger"])
def test_a_package_without_a_patient_of_its_clinic_is_an_orphan(ana: ClinicLab, patient: str | None) -> None:
    ana.clinic("org-2")
    ana.patient("stranger", "org-2")
    ana.package(patient_id=patient)

    outcome = ana.run(JOB)

    assert (ana.keys(), ana.reasons(), outcome.failures) == ([], {BY_WHATSAPP: "orphan"}, [])


@pytest.mark.parametrize("columns", [{"is_active": False}, {"deleted_at": MORNING}])
def test_a_patient_who_left_is_withheld(ana: ClinicLab, columns: dict[str, Any]) -> None:
    ana.change("patients", "patient-1", **columns)
    ana.package()

    ana.run(JOB)

    assert ana.reasons() == {BY_WHATSAPP: "patient_inactive_or_deleted"}


def test_a_patient_without_any_address_is_withheld(ana: ClinicLab) -> None:
    ana.change("patients", "patient-1", phone=None, email=None)
    ana.package()

    ana.run(JOB)

    assert ana.reasons() == {BY_WHATSAPP: "no_address"}


def test_a_voucher_has_a_key_of_its_own(ana: ClinicLab) -> None:
    ana.package(kind="voucher")

    ana.run(JOB)

    assert ana.keys() == [key.replace("package", "voucher", 1) for key in BOTH]


# --- the message


def test_the_message_says_what_its_cause_says_of_the_package(ana: ClinicLab) -> None:
    ana.conn.execute("update messaging.policies set phone = '(11) 3333-0000'")
    ana.package(name=" ")
    cause = ("package", "package-1")

    [first, second] = ana.find(find).drafts

    reading = causes.read(ana.conn, {cause: "org-1"}, now=ana.moment, clinic=ana.desk.clinic)[cause]
    assert {**first.variables, "data": str(first.variables["data"])} == reading.variables
    assert (second.variables, first.cause and first.cause.version) == (first.variables, reading.now.version)
    assert (first.variables["pacote"], first.variables["saldo"]) == ("Pacote de sessões", 3)


@pytest.mark.parametrize(
    ("days", "useless_from"),
    [(7, MORNING + dt.timedelta(days=3, hours=1)), (1, dt.datetime(2026, 3, 14, tzinfo=SAO_PAULO))],
    ids=["three days after it is due", "when it has expired"],
)
def test_a_message_is_useless(ana: ClinicLab, days: int, useless_from: dt.datetime) -> None:
    ana.package(expires_on=TODAY + days * DAY)

    ana.run(JOB)

    assert {row["not_after"] for row in ana.messages()} == {useless_from}
