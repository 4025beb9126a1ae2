"""A patient who was told on one channel is not told the same on another one by a later run."""

from __future__ import annotations

import datetime as dt

import pytest

from fisio_ayida_tests.clinic.lab import ClinicLab

JOB = "birthday_messages"
BY_MAIL, BY_WHATSAPP = "birthday:patient-1:2026:email", "birthday:patient-1:2026:whatsapp"


@pytest.fixture
def told(lab: ClinicLab) -> ClinicLab:
    """A patient who was told by WhatsApp and prefers e-mail from now on."""
    lab.patient(date_of_birth=dt.date(1990, 3, 12))
    lab.run(JOB)
    lab.change("patients", "patient-1", preferred_channel="email")
    return lab


def test_a_new_preference_tells_nobody_again(told: ClinicLab) -> None:
    told.run(JOB)

    assert told.keys() == [BY_WHATSAPP]
    assert told.reasons() == {BY_MAIL: "duplicate"}


@pytest.mark.parametrize("state", ["failed", "skipped", "expired"])
def test_the_other_channel_may_try_where_the_first_told_nothing(told: ClinicLab, state: str) -> None:
    path = ["claimed", "failed"] if state == "failed" else [state]
    for step in path:
        told.conn.execute(
            "update messaging.messages set state = %(state)s, reason = 'so', "
            "lease_until = case when %(state)s = 'claimed' then now() end",
            {"state": step},
        )

    told.run(JOB)

    assert told.keys() == [BY_MAIL, BY_WHATSAPP]


def test_two_channels_that_were_planned_together_are_both_known(lab: ClinicLab) -> None:
    lab.rules(birthday_channels="both")
    lab.patient(date_of_birth=dt.date(1990, 3, 12))
    lab.run(JOB)

    again = lab.run(JOB)

    assert (again.known, again.withheld) == (2, {})
