"""Birthday messages: who is greeted, when, and why others are not."""

from __future__ import annotations

import datetime as dt

from fisio_ayida_tests.clinic.lab import MORNING, ClinicLab

BORN = dt.date(1990, 3, 12)


def test_a_patient_is_greeted_on_the_civil_day_of_the_run(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)
    lab.patient("tomorrow", date_of_birth=dt.date(1990, 3, 13))

    lab.run("birthday_messages")

    assert lab.keys() == ["birthday:patient-1:2026:whatsapp"]


def test_a_second_run_greets_nobody_again(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=BORN)
    lab.run("birthday_messages")

    again = lab.run("birthday_messages")

    assert (again.known, sum(again.planned.values())) == (1, 0)


def test_a_run_for_last_week_sends_nothing(lab: ClinicLab) -> None:
    lab.patient(date_of_birth=dt.date(1990, 3, 5))

    lab.run("birthday_messages", MORNING - dt.timedelta(days=7))

    assert lab.keys() == []
    assert lab.reasons() == {"birthday:patient-1:2026:whatsapp": "stale"}
