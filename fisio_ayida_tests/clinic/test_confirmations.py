"""Confirmations: a word on each booking, once, and not on what is no booking (CONTRACT clinic §5.6)."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest

from fisio_ayida.clinic import confirmations
from fisio_ayida.clinic.confirmations import BULK, OVERLAP, confirm, has_news
from fisio_ayida.clinic.service import open_desk
from fisio_ayida_tests.clinic.lab import CLINIC, LOG, MORNING, PHONE, ClinicLab

JOB = "appointment_confirmations"
MINUTE = dt.timedelta(minutes=1)
KEY = "confirmation:visit-1:2026-03-20t14:00:whatsapp"


def booked(lab: ClinicLab, start: str = "2026-03-20T14:00", id: str = "visit-1", **more: object) -> None:
    """A visit that is booked two minutes before now."""
    lab.visit(start, id, **({"created_at": lab.moment - 2 * MINUTE} | more))  # type: ignore[arg-type]


def news(lab: ClinicLab) -> bool:
    return has_news(lab.conn, lab.desk.clinic, now=lab.moment)


def test_a_booking_is_confirmed_in_words_that_do_not_say_confirmed(lab: ClinicLab) -> None:
    """D-32: the visit is booked; whether the patient comes is another question. D-33: civil time as booked."""
    lab.patient()
    booked(lab)
    lab.run(JOB)
    said = lab.send()[KEY]
    assert "ficou agendada para sexta-feira, 20/03/2026, às 14:00, com Dra. Helena Brandão" in said
    assert "confirmada" not in said


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "America/Rio_Branco", "America/Noronha"])
@pytest.mark.parametrize("start", ["00:30", "23:45"])
def test_the_start_is_the_clinics_own(lab: ClinicLab, zone: str, start: str) -> None:
    """D-33."""
    lab.conn.execute("update messaging.policies set zone = %s, quiet_from = quiet_to", [zone])
    lab.patient()
    booked(lab, f"2026-03-20T{start}")
    lab.run(JOB)
    (said,) = lab.send().values()
    assert f"20/03/2026, às {start}" in said


def test_a_minute_is_left_for_second_thoughts(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab, created_at=MORNING - MINUTE / 2)
    lab.run(JOB)
    assert lab.keys() == []
    lab.moment += MINUTE
    lab.run(JOB)
    assert lab.keys() == [KEY]


@pytest.mark.parametrize(
    "changes",
    [{"status": "presenca_confirmada"}, {"status": "cancelado"}, {"deleted_at": MORNING}, {"patient_id": None}],
)
def test_what_is_no_open_booking_any_more_is_not_confirmed(lab: ClinicLab, changes: dict[str, object]) -> None:
    """D-32: a patient who is missing is no error."""
    lab.patient()
    booked(lab)
    lab.change("appointments", "visit-1", **changes)
    outcome = lab.run(JOB)
    assert (lab.keys(), outcome.failures) == ([], [])


@pytest.mark.parametrize("start", ["2026-03-12T09:59", "2026-03-12T08:00", "2026-03-10T14:00"])
def test_a_visit_in_the_past_or_within_the_hour_is_not_confirmed(lab: ClinicLab, start: str) -> None:
    """D-32."""
    lab.patient()
    booked(lab, start)
    lab.run(JOB)
    assert lab.keys() == []
    assert list(lab.reasons().values()) == ["stale"]


def test_a_patient_who_prefers_e_mail_gets_one(lab: ClinicLab) -> None:
    """D-32."""
    lab.patient(preferred_channel="email")
    booked(lab)
    lab.run(JOB)
    assert lab.keys() == ["confirmation:visit-1:2026-03-20t14:00:email"]


def test_a_clinic_that_does_not_confirm_has_nothing_confirmed(lab: ClinicLab) -> None:
    lab.rules(confirms_bookings=False)
    lab.patient()
    booked(lab)
    lab.run(JOB)
    assert (lab.keys(), lab.reasons()) == ([], {})


def test_a_series_is_confirmed_by_its_first_visit(lab: ClinicLab) -> None:
    lab.patient()
    for week in range(3):
        start = dt.date(2026, 3, 27) - dt.timedelta(weeks=week)
        booked(lab, f"{start}T14:00", f"visit-{week}", created_at=MORNING - 3 * MINUTE + week * MINUTE / 30)

    lab.run(JOB)

    assert lab.keys() == ["confirmation:visit-2:2026-03-13t14:00:whatsapp"]
    assert list(lab.reasons().values()) == ["merged", "merged"]


def test_a_later_pass_does_not_confirm_the_rest_of_a_series(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab)
    booked(lab, "2026-03-27T14:00", "visit-2", created_at=MORNING - MINUTE)
    lab.run(JOB)
    lab.moment = MORNING + OVERLAP - MINUTE
    lab.run(JOB)
    assert lab.keys() == [KEY]


def test_an_earlier_visit_of_a_series_that_was_confirmed_is_not_confirmed_too(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab)
    lab.run(JOB)
    booked(lab, "2026-03-13T14:00", "visit-2", created_at=MORNING - MINUTE)
    lab.moment += MINUTE
    lab.run(JOB)
    assert lab.keys() == [KEY]
    assert lab.reasons() == {"confirmation:visit-2:2026-03-13t14:00:whatsapp": "merged"}


def test_another_booking_of_the_same_patient_later_on_is_confirmed(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab)
    lab.run(JOB)
    lab.moment += 10 * MINUTE
    booked(lab, "2026-03-27T14:00", "visit-2")
    lab.run(JOB)
    assert lab.keys() == [KEY, "confirmation:visit-2:2026-03-27t14:00:whatsapp"]


def test_an_import_is_not_confirmed(lab: ClinicLab) -> None:
    lab.clinic("org-2")
    lab.patient("other", "org-2")
    for number in range(BULK + 1):
        lab.patient(f"p{number}")
        booked(lab, "2026-03-20T14:00", f"v{number}", patient=f"p{number}")
    booked(lab, "2026-03-20T15:00", "by-hand", patient="other", organization="org-2")

    outcome = lab.run(JOB)

    assert lab.keys() == ["confirmation:by-hand:2026-03-20t15:00:whatsapp"]
    assert outcome.withheld == {"imported": BULK + 1}


def test_an_import_that_a_pass_sees_half_of_is_an_import(lab: ClinicLab) -> None:
    for number in range(BULK + 1):
        lab.patient(f"p{number}")
        created = MORNING - MINUTE - dt.timedelta(seconds=2 if number < 3 else -2)
        booked(lab, "2026-03-20T14:00", f"v{number}", patient=f"p{number}", created_at=created)
    lab.conn.execute("update clinic.appointments set created_at = created_at + interval '30 seconds'")
    lab.moment += dt.timedelta(seconds=30)
    lab.run(JOB)
    assert lab.keys() == []


def test_a_first_pass_looks_back_two_hours_and_the_next_ones_from_the_last(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab, id="old", created_at=MORNING - dt.timedelta(hours=3))
    booked(lab, created_at=MORNING - dt.timedelta(hours=1))
    lab.run(JOB)
    assert lab.keys() == [KEY]
    # A long transaction shows its row late.
    booked(lab, "2026-03-21T14:00", "late", created_at=MORNING - 20 * MINUTE)
    lab.moment += MINUTE
    lab.run(JOB)
    assert set(lab.keys()) == {KEY, "confirmation:late:2026-03-21t14:00:whatsapp"}


def test_after_a_day_without_a_pass_its_bookings_are_confirmed(lab: ClinicLab) -> None:
    lab.patient()
    lab.run(JOB)
    lab.moment += dt.timedelta(days=1)
    booked(lab, created_at=MORNING + dt.timedelta(hours=3))
    lab.run(JOB)
    assert lab.keys() == [KEY]


def test_a_pass_for_last_week_confirms_nothing(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab, created_at=MORNING - dt.timedelta(days=7))
    lab.run(JOB, MORNING - dt.timedelta(days=7) + 5 * MINUTE)
    assert (lab.keys(), lab.reasons()) == ([], {KEY: "stale"})


def test_neither_a_second_pass_nor_three_at_once_confirm_twice(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab)
    lab.run_at_once(JOB)
    lab.moment += MINUTE
    again = lab.run(JOB)
    assert (lab.keys(), sum(again.planned.values())) == ([KEY], 0)


def test_a_patient_whose_preference_changes_is_not_told_twice(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab)
    lab.run(JOB)
    lab.change("patients", "patient-1", preferred_channel="email")
    lab.moment += MINUTE
    lab.run(JOB)
    assert lab.keys() == [KEY]


def test_an_event_and_a_pass_at_once_confirm_once(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab)
    start = Barrier(2, timeout=60)

    def by_event() -> None:
        with open_desk(lab.settings, lab.warehouse, log=LOG) as desk:
            start.wait()
            confirm(desk, lab.order(), ["visit-1"])

    def by_pass() -> None:
        with open_desk(lab.settings, lab.warehouse, log=LOG) as desk:
            start.wait()
            confirmations.run(desk, lab.order())

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(by_event), pool.submit(by_pass)]:
            each.result()
    assert lab.keys() == [KEY]


def test_two_clinics_with_the_same_telephone_each_confirm_their_own(lab: ClinicLab) -> None:
    lab.clinic("org-2", name="Clínica Norte")
    lab.patient()
    lab.patient("patient-2", "org-2", phone=PHONE)
    booked(lab)
    booked(lab, "2026-03-20T15:00", "visit-2", patient="patient-2", organization="org-2")
    lab.run(JOB)
    said = lab.send()
    assert len(said) == 2
    assert "Clínica Norte" in said["confirmation:visit-2:2026-03-20t15:00:whatsapp"]


def test_what_is_booked_at_night_is_confirmed_in_the_morning(lab: ClinicLab) -> None:
    lab.patient()
    lab.moment = MORNING.replace(hour=23)
    booked(lab)
    lab.run(JOB)
    assert lab.send() == {}
    lab.moment = MORNING.replace(day=13, hour=8)
    assert list(lab.send()) == [KEY]


def test_a_date_that_no_clock_can_tell_stops_nobody(lab: ClinicLab) -> None:
    lab.clinic("bad")
    lab.patient("p2", "bad")
    for number, day in enumerate(("9999-12-31T23:00", "infinityT10:00")):
        booked(lab, day, f"bad-{number}", patient="p2", organization="bad")
    lab.patient()
    booked(lab)
    outcome = lab.run(JOB)
    assert (lab.keys(), outcome.failures) == ([KEY], [])


@pytest.mark.parametrize("rule", ["confirmation_lead", "reminder_lead", "feedback_after", "feedback_every"])
def test_rules_that_no_clock_can_follow_are_refused(lab: ClinicLab, rule: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        lab.rules(**{rule: "3000 years"})


def test_a_clinic_that_failed_has_its_bookings_confirmed_when_it_is_mended(lab: ClinicLab) -> None:
    # No message can be made of a clinic without a name.
    lab.clinic("bad", name="")
    lab.patient("p2", "bad")
    lab.patient()
    booked(lab, "2026-03-20T10:30", "b", patient="p2", organization="bad")
    assert [clinic for clinic, _ in lab.run(JOB).failures] == ["bad"]
    lab.moment += 40 * MINUTE
    booked(lab)
    lab.run(JOB)
    lab.change("organizations", "bad", name="Clínica Norte")
    assert not news(lab)
    lab.moment += 31 * MINUTE
    assert news(lab)
    lab.run(JOB)
    assert lab.keys() == ["confirmation:b:2026-03-20t10:30:whatsapp", KEY]
    lab.moment += 31 * MINUTE
    assert not news(lab)


@pytest.mark.parametrize("mode", ["live", "shadow"])
def test_a_visit_that_joins_a_series_later_is_merged_in_both_modes(lab: ClinicLab, mode: str) -> None:
    lab.patient()
    booked(lab)
    lab.run(JOB, is_shadow=mode == "shadow")
    booked(lab, "2026-03-13T14:00", "visit-2", created_at=MORNING - MINUTE)
    lab.moment += MINUTE
    lab.run(JOB, is_shadow=mode == "shadow")
    assert lab.reasons() == {"confirmation:visit-2:2026-03-13t14:00:whatsapp": "merged"}


def test_what_fisioflow_confirmed_is_not_confirmed_again(lab: ClinicLab) -> None:
    lab.patient()
    booked(lab)
    lab.add("old_messages", id="1", kind=JOB, organization_id=CLINIC, appointment_id="visit-1", sent_at=lab.moment)
    lab.run(JOB)
    assert (lab.keys(), lab.reasons()) == ([], {KEY: "duplicate"})


# The sensor's question


def test_a_booking_that_shows_late_is_news_within_half_an_hour(lab: ClinicLab) -> None:
    lab.patient()
    lab.run(JOB)
    # Committed after the pass that should have seen it.
    booked(lab, created_at=lab.moment - MINUTE - MINUTE / 6)
    lab.moment += OVERLAP
    assert news(lab)
    lab.run(JOB)
    assert lab.keys() == [KEY]
    # And then no more: nothing was booked since.
    for _ in range(3):
        lab.moment += OVERLAP
        if news(lab):
            lab.run(JOB)
    assert not news(lab)


def test_there_is_news_once_a_booking_is_a_minute_old_and_until_a_pass(lab: ClinicLab) -> None:
    lab.patient()
    assert not news(lab)
    booked(lab, created_at=MORNING - MINUTE / 2)
    assert not news(lab)
    lab.moment += MINUTE
    assert news(lab)
    lab.run(JOB)
    assert not news(lab)


@pytest.mark.parametrize("changes", [{"is_dry": True}, {"organization": "org-1"}])
def test_a_dry_run_and_one_for_a_clinic_are_no_pass(lab: ClinicLab, changes: dict[str, Any]) -> None:
    lab.patient()
    booked(lab)
    lab.run(JOB, **changes)
    assert news(lab)
