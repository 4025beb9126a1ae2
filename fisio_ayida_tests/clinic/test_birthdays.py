"""Birthday messages: who is greeted, when, where and by whom, and why others are not."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fisio_ayida.clinic.birthdays import JOB, born_on, find
from fisio_ayida_tests.clinic.lab import MORNING, SAO_PAULO, THERAPIST, ClinicLab

BORN = dt.date(1990, 3, 12)
LEAP = dt.date(1992, 2, 29)
KEY = "birthday:patient-1:2026:whatsapp"
DAY = dt.timedelta(days=1)


def greeted_on(lab: ClinicLab, *days: tuple[int, int, int]) -> list[str]:
    """The keys that runs at nine of these days plan."""
    for day in days:
        lab.moment = dt.datetime.combine(dt.date(*day), dt.time(9), SAO_PAULO)
        lab.run(JOB)
    return lab.keys()


def said(lab: ClinicLab) -> dict[str, Any]:
    [draft] = lab.find(find).drafts
    return dict(draft.variables)


def test_a_patient_is_greeted_on_the_civil_day_of_the_run(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)
    lab.patient("tomorrow", date_of_birth=BORN + DAY)

    lab.run(JOB)

    assert lab.keys() == [KEY]


def test_a_greeting_is_marketing_that_lasts_as_long_as_the_day(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)

    lab.run(JOB)

    [message] = lab.messages()
    assert message["category"] == "marketing"
    assert (message["due_at"], message["not_after"]) == (
        dt.datetime(2026, 3, 12, tzinfo=SAO_PAULO), dt.datetime(2026, 3, 13, tzinfo=SAO_PAULO),
    )  # fmt: skip


# --- the day


@given(
    st.dates(dt.date(1900, 1, 1), dt.date(2024, 12, 31)),
    st.integers(2025, 2400),
    st.sampled_from(["02-28", "03-01"]),
)
@settings(max_examples=30)
def test_every_birthday_is_kept_on_one_day_of_every_year(born: dt.date, year: int, leap_birthday: str) -> None:
    days = [dt.date(year, 1, 1) + n * DAY for n in range(366 if calendar.isleap(year) else 365)]

    kept = [day for day in days if f"{born:%m-%d}" in born_on(day, leap_birthday)]

    assert len(kept) == 1


def test_29_february_is_kept_on_the_28th_in_a_common_year(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=LEAP)

    assert greeted_on(lab, (2026, 2, 28), (2026, 3, 1)) == [KEY]
    assert [each["due_at"].astimezone(SAO_PAULO).day for each in lab.messages()] == [28]


def test_29_february_is_kept_on_1_march_where_a_clinic_wants_it(lab: ClinicLab) -> None:
    lab.rules(leap_birthday="03-01")
    lab.patient(date_of_birth=LEAP)

    assert greeted_on(lab, (2026, 2, 28)) == []
    assert greeted_on(lab, (2026, 3, 1)) == [KEY]


@pytest.mark.parametrize("leap_birthday", ["02-28", "03-01"])
def test_29_february_is_kept_on_its_day_in_a_leap_year(lab: ClinicLab, leap_birthday: str) -> None:
    lab.rules(leap_birthday=leap_birthday)
    lab.patient(date_of_birth=LEAP)

    assert greeted_on(lab, (2028, 2, 28), (2028, 3, 1)) == []
    assert greeted_on(lab, (2028, 2, 29)) == ["birthday:patient-1:2028:whatsapp"]


@pytest.mark.parametrize(
    ("zone", "nominal", "born"),
    [
        # 22:30 of the 12th in Rio Branco, when it is the 13th in São Paulo and in UTC.
        ("America/Rio_Branco", dt.datetime(2026, 3, 13, 3, 30, tzinfo=dt.UTC), BORN),
        # 21:00 in Rio Branco.
        ("America/Rio_Branco", dt.datetime(2026, 3, 13, 2, tzinfo=dt.UTC), BORN),
        # The last second of the day in São Paulo.
        ("America/Sao_Paulo", dt.datetime(2026, 3, 13, 2, 59, 59, tzinfo=dt.UTC), BORN),
        # Half past midnight of the 13th in Noronha, when it is still the 12th in São Paulo.
        ("America/Noronha", dt.datetime(2026, 3, 13, 2, 30, tzinfo=dt.UTC), BORN + DAY),
    ],
)
def test_the_day_is_the_clinics_own(lab: ClinicLab, zone: str, nominal: dt.datetime, born: dt.date) -> None:
    lab.clinic("far", zone)
    lab.patient("hers", "far", date_of_birth=born)
    for wrong in (born - DAY, born + DAY):
        lab.patient(f"born-{wrong}", "far", date_of_birth=wrong)
    lab.moment = nominal

    lab.run(JOB)

    assert lab.keys() == ["birthday:hers:2026:whatsapp"]


def test_the_year_is_the_clinics_own(lab: ClinicLab) -> None:
    lab.clinic("far", "America/Rio_Branco")
    lab.patient("hers", "far", date_of_birth=dt.date(1990, 12, 31))
    lab.moment = dt.datetime(2027, 1, 1, 1, tzinfo=SAO_PAULO)

    lab.run(JOB)

    assert lab.keys() == ["birthday:hers:2026:whatsapp"]


def test_a_run_that_is_late_still_greets(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)
    lab.moment = MORNING + dt.timedelta(hours=2, minutes=30)

    lab.run(JOB, MORNING)

    assert lab.keys() == [KEY]


@pytest.mark.parametrize("late", [DAY, 7 * DAY])
def test_a_greeting_of_a_day_that_is_over_is_stale(lab: ClinicLab, late: dt.timedelta) -> None:
    lab.patient(date_of_birth=BORN)
    lab.moment = MORNING + late

    lab.run(JOB, MORNING)

    assert (lab.keys(), lab.reasons()) == ([], {KEY: "stale"})


# --- who


@pytest.mark.parametrize(
    "born", [None, dt.date(1905, 3, 12), dt.date(2026, 3, 12), dt.date(2030, 3, 12)],
    ids=["unknown", "121 years old", "today", "in the future"],
)  # fmt: skip
def test_a_birth_that_cannot_be_is_not_greeted(lab: ClinicLab, born: dt.date | None) -> None:
    lab.patient(date_of_birth=born)

    lab.run(JOB)

    assert (lab.keys(), lab.reasons()) == ([], {})


def test_somebody_of_120_is_greeted(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=dt.date(1906, 3, 12))

    lab.run(JOB)

    assert lab.keys() == [KEY]


def test_an_inactive_patient_is_withheld(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, is_active=False)

    lab.run(JOB)

    assert (lab.keys(), lab.reasons()) == ([], {KEY: "patient_inactive_or_deleted"})


def test_nothing_is_kept_of_a_deleted_patient(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, deleted_at=MORNING)

    lab.run(JOB)

    assert (lab.keys(), lab.reasons()) == ([], {})


def test_a_patient_without_a_clinic_is_nobodys_to_greet(lab: ClinicLab) -> None:
    lab.patient(organization=None, date_of_birth=BORN)

    assert sum(lab.run(JOB).planned.values()) == 0


def test_an_inactive_clinic_greets_nobody(lab: ClinicLab) -> None:
    lab.clinic("closed", is_active=False)
    lab.patient(organization="closed", date_of_birth=BORN)

    lab.run(JOB)

    assert lab.keys() == []


def test_a_telephone_of_two_clinics_is_greeted_by_both(lab: ClinicLab) -> None:
    lab.clinic("org-2")
    lab.patient(date_of_birth=BORN)
    lab.patient("patient-2", "org-2", date_of_birth=BORN)

    lab.run(JOB)

    assert lab.keys() == [KEY, "birthday:patient-2:2026:whatsapp"]


def test_a_run_for_one_clinic_greets_no_other(lab: ClinicLab) -> None:
    lab.clinic("org-2")
    lab.patient(date_of_birth=BORN)
    lab.patient("patient-2", "org-2", date_of_birth=BORN)

    lab.run(JOB, organization="org-2")

    assert lab.keys() == ["birthday:patient-2:2026:whatsapp"]


# --- where


def test_whatsapp_comes_first(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, preferred_channel="push")

    lab.run(JOB)

    assert [each["channel"] for each in lab.messages()] == ["whatsapp"]


def test_the_preferred_channel_comes_before_it(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, preferred_channel="Email")

    lab.run(JOB)

    assert lab.keys() == ["birthday:patient-1:2026:email"]


def test_a_preference_that_cannot_be_met_does_not_count(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, preferred_channel="email", email=" ")

    lab.run(JOB)

    assert lab.keys() == [KEY]


def test_a_clinic_may_want_both_channels(lab: ClinicLab) -> None:
    lab.rules(birthday_channels="both")
    lab.patient(date_of_birth=BORN)

    lab.run(JOB)

    assert lab.keys() == ["birthday:patient-1:2026:email", KEY]


def test_a_patient_without_any_address_is_withheld(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, phone=None, email="")

    lab.run(JOB)

    assert lab.reasons() == {KEY: "no_address"}


def test_a_patient_whose_only_channel_is_off_is_withheld(lab: ClinicLab) -> None:
    lab.change("organizations", "org-1", settings='{"whatsapp_enabled": false}')
    lab.patient(date_of_birth=BORN, email=None)

    lab.run(JOB)

    assert lab.reasons() == {KEY: "channel_disabled_org"}


# --- the words


def test_the_greeting_names_the_clinic_and_the_patients_professional(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, professional_id=THERAPIST)

    assert said(lab) == {
        "nome": "Ana Beatriz Souza", "clinica": "Clínica São João", "profissional": "Dra. Helena Brandão",
    }  # fmt: skip


def test_the_social_name_is_used(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, social_name=" Clara Souza ")

    assert said(lab)["nome"] == "Clara Souza"


def test_an_empty_social_name_is_none(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN, social_name=" ")

    assert said(lab)["nome"] == "Ana Beatriz Souza"


@pytest.mark.parametrize(
    "columns", [{"organization": "org-2"}, {"is_active": False}, {"full_name": None}],
    ids=["of another clinic", "who left", "without a name"],
)  # fmt: skip
def test_a_professional_is_not_named(lab: ClinicLab, columns: dict[str, Any]) -> None:
    lab.clinic("org-2")
    lab.therapist("someone", **columns)
    lab.patient(date_of_birth=BORN, professional_id="someone")

    assert "profissional" not in said(lab)


def test_a_clinic_without_staff_greets(lab: ClinicLab) -> None:
    lab.clinic("org-2")
    lab.patient(organization="org-2", date_of_birth=BORN, professional_id="nobody")

    lab.run(JOB)

    assert lab.keys() == [KEY]


def test_a_clinic_without_a_name_fails_alone(lab: ClinicLab) -> None:
    lab.clinic("nameless", name=None)
    lab.patient("hers", "nameless", date_of_birth=BORN)
    lab.patient(date_of_birth=BORN)

    outcome = lab.run(JOB)

    assert lab.keys() == [KEY]
    assert [id for id, _ in outcome.failures] == ["nameless"]


# --- again


def test_a_second_run_greets_nobody_again(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)
    lab.run(JOB)

    again = lab.run(JOB)

    assert (again.known, sum(again.planned.values())) == (1, 0)


def test_three_runs_at_once_greet_once(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)

    outcomes = lab.run_at_once(JOB)

    assert lab.keys() == [KEY]
    assert sum(each.planned["whatsapp"] for each in outcomes) == 1


def test_a_dry_run_writes_nothing(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)
    lab.patient("nowhere", date_of_birth=BORN, phone=None, email=None)

    outcome = lab.run(JOB, is_dry=True)

    assert (outcome.planned["whatsapp"], outcome.withheld["no_address"]) == (1, 1)
    assert (lab.keys(), lab.rows("select * from jobs.decisions")) == ([], [])


def test_a_shadow_run_keeps_its_decisions_and_plans_nothing(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)

    lab.run(JOB, is_shadow=True)

    assert lab.keys() == []
    assert lab.rows("select key, outcome, patient_id from jobs.decisions") == [
        {"key": KEY, "outcome": "shadow", "patient_id": "patient-1"}
    ]
