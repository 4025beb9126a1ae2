"""Reminders: once for each start, at their moment or not at all (CONTRACT clinic §5.6)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg.types.json import Jsonb

from fisio_ayida.clinic.reminders import TODAY
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, PHONE, ClinicLab

JOB = "appointment_reminders"
# The default rule: at ten on the day before, which is an hour after the lab's morning.
TEN = MORNING.replace(hour=10)
HOUR = dt.timedelta(hours=1)
SINGLE = "reminder:visit-1:2026-03-13t14:00:day-before:whatsapp"
TOGETHER = "reminder-day:patient-1:2026-03-13:day-before:whatsapp"


def at(hour: int, minute: int = 0, day: int = 12) -> dt.datetime:
    return MORNING.replace(day=day, hour=hour, minute=minute)


def hours_before(lab: ClinicLab, hours: int, **more: object) -> None:
    lab.rules(reminder_rules=Jsonb([{"id": "h", "kind": "hours_before", "hours": hours, **more}]))


def run_at(lab: ClinicLab, moment: dt.datetime) -> None:
    lab.moment = moment
    lab.run(JOB)


# Their moment


def test_a_reminder_is_planned_before_its_moment_and_sent_at_it(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")

    lab.run(JOB)

    (message,) = lab.messages()
    assert (message["key"], message["due_at"]) == (SINGLE, TEN)
    assert lab.send() == {}
    lab.moment = TEN
    said = lab.send()[SINGLE]
    # The civil date and hour as booked, whatever the server's zone and without seconds (D-29).
    assert "amanhã, 13/03/2026, às 14:00, com Dra. Helena Brandão" in said


def test_a_moment_more_than_an_hour_ahead_is_left_to_a_later_run(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    run_at(lab, at(8))
    assert lab.keys() == []


def test_every_hour_of_a_day_together_remind_once(lab: ClinicLab) -> None:
    """D-29: there is a schedule, and a guard."""
    lab.patient()
    lab.visit("2026-03-14T14:00")
    sent: list[str] = []
    for hour in range(48):
        lab.moment = at(0) + hour * HOUR
        lab.run(JOB)
        sent += lab.send()
    assert sent == ["reminder:visit-1:2026-03-14t14:00:day-before:whatsapp"]


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "America/Rio_Branco", "America/Noronha"])
@pytest.mark.parametrize("start", ["00:30", "23:45"])
def test_a_clinics_day_before_is_its_own(lab: ClinicLab, zone: str, start: str) -> None:
    """D-08: tomorrow is the clinic's, not the server's."""
    lab.clinic("far", zone)
    lab.patient("far-patient", "far")
    lab.visit(f"2026-03-13T{start}", "far-visit", "far-patient", "far")
    ten = dt.datetime(2026, 3, 12, 10, tzinfo=ZoneInfo(zone))

    run_at(lab, ten - 2 * HOUR)
    assert lab.keys() == []
    run_at(lab, ten)

    (message,) = lab.messages()
    assert message["due_at"] == ten and message["template"] == "appointment_reminder"
    assert f"13/03/2026, às {start}" in lab.send()[message["key"]]


def test_a_late_run_reminds_within_the_grace(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.moment = at(11, 30)
    lab.run(JOB, TEN)
    assert lab.keys() == [SINGLE]


def test_what_was_missed_by_more_is_told_once_as_stale(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.moment = at(12)

    first, second = lab.run(JOB), lab.run(JOB)

    assert (lab.keys(), lab.reasons()) == ([], {SINGLE: "stale"})
    assert (first.withheld["stale"], second.withheld["stale"]) == (1, 0)


def test_a_run_that_starts_hours_late_reminds_nobody(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.moment = at(15)
    lab.run(JOB, TEN)
    assert (lab.keys(), lab.reasons()) == ([], {SINGLE: "stale"})


def test_a_run_for_last_week_reminds_nobody(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-06T14:00")
    lab.visit("2026-03-13T14:00", "next")
    lab.run(JOB, TEN - dt.timedelta(days=7))
    assert lab.keys() == []


def test_a_visit_booked_after_its_moment_has_no_late_reminder(lab: ClinicLab) -> None:
    """The grace is for runs that are late."""
    lab.patient()
    lab.visit("2026-03-13T14:00", created_at=at(10, 30))
    run_at(lab, at(11))
    assert (lab.keys(), lab.reasons()) == ([], {SINGLE: "stale"})


def test_a_missed_moment_that_night_puts_off_is_kept(lab: ClinicLab) -> None:
    """What counts is when it would have gone, not when it would have without quiet hours."""
    lab.patient()
    hours_before(lab, 5)
    lab.visit("2026-03-12T10:30")
    run_at(lab, at(7, 45))
    assert [row["due_at"] for row in lab.messages()] == [at(8)]


def test_a_visit_that_began_is_not_spoken_of(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-12T09:00")
    lab.visit("2026-03-12T07:00", "earlier")
    lab.run(JOB)
    assert (lab.keys(), lab.reasons()) == ([], {})


def test_a_reminder_on_the_day_says_today(lab: ClinicLab) -> None:
    lab.patient()
    hours_before(lab, 5)
    lab.visit("2026-03-12T14:30")
    lab.run(JOB)
    lab.moment = at(9, 30)
    (said,) = lab.send().values()
    assert "sessão de hoje, 12/03/2026, às 14:30" in said


def test_what_quiet_hours_put_off_to_the_visits_day_says_today(lab: ClinicLab) -> None:
    lab.patient()
    hours_before(lab, 12)
    lab.visit("2026-03-13T10:30")
    run_at(lab, at(22))
    (message,) = lab.messages()
    assert (message["template"], message["due_at"]) == (TODAY, at(8, day=13))
    lab.moment = at(8, day=13)
    assert "hoje" in lab.send()[message["key"]]


def test_what_quiet_hours_would_put_off_for_too_long_says_so(lab: ClinicLab) -> None:
    lab.patient()
    hours_before(lab, 2)
    lab.visit("2026-03-13T08:15")
    run_at(lab, at(6, day=13))
    assert lab.reasons() == {"reminder:visit-1:2026-03-13t08:15:h:whatsapp": "quiet_hours"}


def test_tomorrow_is_not_said_after_midnight(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.run(JOB)
    lab.moment = at(8, day=13)
    assert lab.send() == {}
    assert lab.messages()[0]["state"] == "expired"


# Who


@pytest.mark.parametrize("status", ["cancelado", "faltou", "remarcar", "atendido", "nunca_visto"])
def test_only_visits_that_will_be_are_reminded_of(lab: ClinicLab, status: str) -> None:
    """D-30: by the class of the status word, not by two words."""
    lab.patient()
    lab.visit("2026-03-13T14:00", status=status)
    lab.run(JOB)
    assert lab.keys() == []


@pytest.mark.parametrize("status", ["agendado", "presenca_confirmada", " Scheduled "])
def test_confirmed_or_not(lab: ClinicLab, status: str) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00", status=status)
    lab.run(JOB)
    assert lab.keys() == [SINGLE]


def test_deleted_visits_and_patients_are_not_spoken_of(lab: ClinicLab) -> None:
    """D-30."""
    lab.patient()
    lab.patient("gone", deleted_at=MORNING)
    lab.visit("2026-03-13T14:00", deleted_at=MORNING)
    lab.visit("2026-03-13T14:00", "visit-2", "gone")
    lab.visit("2026-03-13T15:00", "visit-3", None)
    lab.run(JOB)
    assert lab.keys() == []


def test_a_visit_without_a_therapist_and_a_patient_without_a_name(lab: ClinicLab) -> None:
    lab.patient(full_name=" ")
    lab.patient("named")
    lab.visit("2026-03-13T14:00", therapist_id=None)
    lab.visit("2026-03-13T15:00", "visit-2", "named", therapist_id=None)

    outcome = lab.run(JOB)

    named = "reminder:visit-2:2026-03-13t15:00:day-before:whatsapp"
    assert (lab.keys(), lab.reasons()) == ([named], {SINGLE: "unusable"})
    assert outcome.failures == []
    lab.moment = TEN
    assert "com" not in lab.send()[named].split("às 15:00")[1].split(".")[0]


def test_a_patient_whom_only_another_channel_reaches_is_told_of_as_that(lab: ClinicLab) -> None:
    lab.patient(phone=None)
    hours_before(lab, 24, channels=["whatsapp"])
    lab.visit("2026-03-13T09:30")
    lab.run(JOB)
    (row,) = lab.rows("select reason, detail from jobs.decisions")
    assert row == {"reason": "no_address", "detail": "not on the channels of this message: whatsapp"}


def test_an_unreachable_patient_is_withheld_with_the_reason(lab: ClinicLab) -> None:
    lab.patient(phone=None, email="")
    lab.visit("2026-03-13T14:00")
    lab.run(JOB)
    assert lab.reasons() == {SINGLE: "no_address"}


def test_two_clinics_with_the_same_telephone_each_remind_their_own(lab: ClinicLab) -> None:
    lab.clinic("org-2", name="Clínica Norte")
    lab.patient()
    lab.patient("patient-2", "org-2", phone=PHONE)
    lab.visit("2026-03-13T14:00")
    lab.visit("2026-03-13T15:00", "visit-2", "patient-2", "org-2", therapist_id=None)
    lab.run(JOB)
    lab.moment = TEN
    said = lab.send()
    assert len(said) == 2
    assert "Clínica Norte" in said["reminder:visit-2:2026-03-13t15:00:day-before:whatsapp"]


def test_a_rule_may_be_for_one_channel_and_kind_of_visit(lab: ClinicLab) -> None:
    lab.patient()
    hours_before(lab, 24, types=["evaluation"], channels=["email"])
    lab.visit("2026-03-13T10:00", type="evaluation")
    lab.visit("2026-03-13T10:30", "visit-2", type="session")
    lab.run(JOB)
    assert lab.keys() == ["reminder:visit-1:2026-03-13t10:00:h:email"]


# Once


def test_three_runs_at_once_plan_it_once(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.visit("2026-03-13T16:00", "visit-2")
    outcomes = lab.run_at_once(JOB)
    assert lab.keys() == [TOGETHER]
    assert sum(sum(each.planned.values()) for each in outcomes) == 1


def test_a_visit_moved_after_its_reminder_is_announced_at_its_new_start(lab: ClinicLab) -> None:
    """D-31: the start is part of the key."""
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.run(JOB)
    lab.moment = TEN
    lab.send()
    lab.change("appointments", "visit-1", start_time="16:00")

    run_at(lab, at(11))
    run_at(lab, at(12))

    moved = "reminder:visit-1:2026-03-13t16:00:day-before:whatsapp"
    assert lab.keys() == [SINGLE, moved]
    assert "às 16:00" in lab.send()[moved]


def test_a_visit_moved_before_its_reminder_is_sent_is_announced_once(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.run(JOB)
    lab.change("appointments", "visit-1", start_time="16:00")
    lab.moment = TEN
    assert lab.send() == {}
    run_at(lab, at(11))
    assert list(lab.send()) == ["reminder:visit-1:2026-03-13t16:00:day-before:whatsapp"]


def test_a_visit_cancelled_between_planning_and_sending_is_not_announced(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.run(JOB)
    lab.change("appointments", "visit-1", status="cancelado")
    lab.moment = TEN
    assert lab.send() == {}
    (message,) = lab.messages()
    assert (message["state"], message["reason"]) == ("skipped", "stale: its state is cancelled")


def test_several_rules_remind_of_a_visit_each_at_its_moment(lab: ClinicLab) -> None:
    lab.patient()
    lab.rules(reminder_rules=Jsonb([
        {"id": "eve", "kind": "day_before", "at": "10:00"}, {"id": "h2", "kind": "hours_before", "hours": 2},
        {"id": "h24", "kind": "hours_before", "hours": 24},
    ]))  # fmt: skip
    lab.visit("2026-03-13T10:30")

    for moment in (TEN, at(11), at(8, day=13)):
        run_at(lab, moment)
        lab.send()

    # Two that are half an hour apart say it once.
    assert lab.keys() == [
        "reminder:visit-1:2026-03-13t10:30:eve:whatsapp", "reminder:visit-1:2026-03-13t10:30:h2:whatsapp",
    ]  # fmt: skip
    assert lab.reasons() == {"reminder:visit-1:2026-03-13t10:30:h24:whatsapp": "merged"}


# Together


def two_visits(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.visit("2026-03-13T09:00", "visit-2", therapist_id=None)


def test_several_visits_of_a_day_are_one_message(lab: ClinicLab) -> None:
    two_visits(lab)
    lab.run(JOB)
    (message,) = lab.messages()
    assert (message["key"], message["cause_kind"], message["cause_id"], message["cause_version"]) == (
        TOGETHER, "appointments", "visit-2,visit-1", "2026-03-13T09:00,2026-03-13T14:00",
    )  # fmt: skip
    lab.moment = TEN
    said = lab.send()[TOGETHER]
    assert "você tem 2 sessões" in said and "09:00\n14:00, com Dra. Helena Brandão" in said
    run_at(lab, at(11))
    assert lab.keys() == [TOGETHER]


def test_a_visit_that_comes_to_their_day_later_has_its_own(lab: ClinicLab) -> None:
    two_visits(lab)
    run_at(lab, TEN)
    lab.send()
    lab.visit("2026-03-13T17:00", "visit-3")
    lab.visit("2026-03-13T18:00", "visit-4")
    run_at(lab, at(11))
    assert list(lab.send()) == [
        "reminder:visit-3:2026-03-13t17:00:day-before:whatsapp",
        "reminder:visit-4:2026-03-13t18:00:day-before:whatsapp",
    ]


def test_one_of_them_moved_after_it_has_its_own(lab: ClinicLab) -> None:
    two_visits(lab)
    run_at(lab, TEN)
    lab.send()
    lab.change("appointments", "visit-2", start_time="11:00")
    run_at(lab, at(11))
    assert list(lab.send()) == ["reminder:visit-2:2026-03-13t11:00:day-before:whatsapp"]


def test_visits_added_after_a_single_one_are_not_called_all_of_the_day(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    run_at(lab, TEN)
    lab.send()
    lab.visit("2026-03-13T17:00", "visit-3")
    lab.visit("2026-03-13T18:00", "visit-4")
    run_at(lab, at(11))
    assert [key.split(":")[0] for key in lab.send()] == ["reminder", "reminder"]


def test_visits_that_were_all_moved_after_it_are_each_announced(lab: ClinicLab) -> None:
    two_visits(lab)
    run_at(lab, TEN)
    lab.send()
    lab.change("appointments", "visit-1", start_time="15:00")
    lab.change("appointments", "visit-2", start_time="10:00")
    run_at(lab, at(11))
    assert list(lab.send()) == [
        "reminder:visit-1:2026-03-13t15:00:day-before:whatsapp",
        "reminder:visit-2:2026-03-13t10:00:day-before:whatsapp",
    ]


@pytest.mark.parametrize("others", [0, 1])
def test_one_of_them_cancelled_before_it_is_sent_leaves_the_rest(lab: ClinicLab, others: int) -> None:
    two_visits(lab)
    for number in range(others):
        lab.visit(f"2026-03-13T1{7 + number}:00", f"more-{number}")
    lab.run(JOB)
    lab.change("appointments", "visit-2", status="cancelado")
    lab.moment = TEN
    assert lab.send() == {}

    run_at(lab, at(11))

    (said,) = lab.send().values()
    assert "14:00" in said and "09:00" not in said
    assert ("17:00" in said) == bool(others)


def test_visits_of_the_same_day_within_the_hour_are_one_message(lab: ClinicLab) -> None:
    lab.patient()
    hours_before(lab, 4)
    for number, start in enumerate(("13:30", "14:00", "14:20", "16:00")):
        lab.visit(f"2026-03-12T{start}", f"v{number}")
    said: dict[str, str] = {}

    for hour in (9, 10, 11, 12, 13, 14):
        run_at(lab, at(hour))
        lab.moment += HOUR / 2
        said |= lab.send()

    joint = "reminder-today:patient-1:2026-03-12t13:30:h:whatsapp"
    assert list(said) == [joint, "reminder:v3:2026-03-12t16:00:h:whatsapp"]
    assert "Hoje, 12/03/2026, você tem 3 sessões" in said[joint]
    assert all(start in said[joint] for start in ("13:30", "14:00", "14:20"))
    assert lab.messages()[0]["cause_id"] == "v0,v1,v2"
    assert lab.reasons() == {}


def test_fisioflows_own_bands_lose_no_visit_of_a_day(lab: ClinicLab) -> None:
    lab.change("organizations", CLINIC, settings=Jsonb({"crm_whatsapp": {"reminders": {"enabled": True}}}))
    lab.patient()
    for start in ("09", "11", "12"):
        lab.visit(f"2026-03-12T{start}:00", start)
    told: list[str] = []
    for hour in range(4, 12):
        run_at(lab, at(hour))
        if lab.send():
            told += lab.messages()[-1]["cause_id"].split(",")
    # The first is due at 7, the others at 8, which is when the clinic's night ends.
    assert (told, lab.reasons()) == (["09", "11", "12"], {})


def test_one_of_todays_visits_cancelled_before_it_is_sent_leaves_the_rest(lab: ClinicLab) -> None:
    lab.patient()
    hours_before(lab, 5)
    for minute in (30, 40, 50):
        lab.visit(f"2026-03-12T14:{minute}", f"v{minute}")
    lab.run(JOB)
    lab.change("appointments", "v30", status="cancelado")
    lab.moment = at(9, 30)
    assert lab.send() == {}
    run_at(lab, at(10))
    (said,) = lab.send().values()
    assert "14:40" in said and "14:50" in said and "14:30" not in said


def test_a_visit_that_joins_those_told_of_today_is_told_of_alone(lab: ClinicLab) -> None:
    lab.patient()
    hours_before(lab, 5)
    lab.visit("2026-03-12T14:00", "v1")
    lab.visit("2026-03-12T14:10", "v2")
    run_at(lab, at(9, 10))
    lab.send()
    # Moved here from another day.
    lab.visit("2026-03-12T14:20", "v3")
    run_at(lab, at(9, 20))
    assert list(lab.send()) == ["reminder:v3:2026-03-12t14:20:h:whatsapp"]


def test_a_rule_put_before_another_changes_no_key_of_it(lab: ClinicLab) -> None:
    two_visits(lab)
    lab.rules(reminder_rules=Jsonb([{"id": "a", "kind": "day_before", "at": "10:00"}]))
    run_at(lab, TEN)
    lab.send()
    lab.conn.execute("update jobs.policies set reminder_rules = %s", [Jsonb([
        {"id": "late", "kind": "day_before", "at": "18:00"}, {"id": "a", "kind": "day_before", "at": "10:00"},
    ])])  # fmt: skip
    for hour in (11, 17, 18):
        run_at(lab, at(hour))
    assert lab.keys() == [
        "reminder-day:patient-1:2026-03-13:a:whatsapp", "reminder-day:patient-1:2026-03-13:late:whatsapp",
    ]  # fmt: skip


# Clinics


def test_a_clinic_with_rules_that_cannot_be_followed_fails_alone(lab: ClinicLab) -> None:
    lab.clinic("broken")
    lab.rules("broken", reminder_rules=Jsonb([{"id": "a", "kind": "day_before", "at": "ten"}]))
    lab.patient()
    lab.visit("2026-03-13T14:00")

    outcome = lab.run(JOB)

    assert (lab.keys(), outcome.clinics) == ([SINGLE], 1)
    ((clinic, error),) = outcome.failures
    assert clinic == "broken" and "reminder_rules[0].at='ten'" in error
    assert [row["organization_id"] for row in lab.rows("select * from jobs.failures")] == ["broken"]


def test_shadow_mode_decides_what_a_live_run_would_and_sends_nothing(lab: ClinicLab) -> None:
    lab.patient()
    lab.patient("other")
    lab.visit("2026-03-13T14:00")
    lab.visit("2026-03-13T15:00", "o1", "other")
    lab.visit("2026-03-13T16:00", "o2", "other")
    # Also when its moments are long past: what was decided then is not stale.
    for hour in (9, 10, 13):
        lab.moment = at(hour)
        lab.run(JOB, is_shadow=True)
    assert lab.keys() == []
    assert lab.rows("select key, outcome from jobs.decisions order by key") == [
        {"key": "reminder-day:other:2026-03-13:day-before:whatsapp", "outcome": "shadow"},
        {"key": SINGLE, "outcome": "shadow"},
    ]


def test_a_moved_visit_is_another_one_in_shadow_mode_too(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.run(JOB, is_shadow=True)
    lab.change("appointments", "visit-1", start_time="16:00")
    lab.moment = at(11)
    lab.run(JOB, is_shadow=True)
    rows = lab.rows("select key from jobs.decisions where outcome = 'shadow' order by key")
    assert [row["key"] for row in rows] == [SINGLE, "reminder:visit-1:2026-03-13t16:00:day-before:whatsapp"]


# After FisioFlow


def sent_by_fisioflow(lab: ClinicLab, sent_at: dt.datetime, **columns: object) -> None:
    given = {"id": "1", "kind": JOB, "organization_id": CLINIC, "appointment_id": "visit-1", "sent_at": sent_at}
    lab.add("old_messages", **(given | columns))


def test_the_first_run_that_sends_does_not_repeat_what_fisioflow_sent(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    sent_by_fisioflow(lab, at(8))
    lab.run(JOB)
    assert lab.keys() == []
    assert lab.rows("select key, reason, detail from jobs.decisions") == [
        {"key": SINGLE, "reason": "duplicate", "detail": "FisioFlow sent it"}
    ]


@pytest.mark.parametrize("kind", ["long ago", "before it was booked", "of another job", "in shadow mode"])
def test_what_else_fisioflow_sent_stops_no_reminder(lab: ClinicLab, kind: str) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00", created_at=at(8))
    before = {"long ago": at(8, day=10), "before it was booked": at(7)}.get(kind, at(8, 30))
    sent_by_fisioflow(lab, before, kind="feedback_requests" if kind == "of another job" else JOB)
    outcome = lab.run(JOB, is_shadow=kind == "in shadow mode")
    assert (outcome.planned_keys, lab.reasons()) == ([SINGLE], {})


def test_there_may_be_no_such_messages_at_all(lab: ClinicLab) -> None:
    lab.patient()
    lab.visit("2026-03-13T14:00")
    lab.conn.execute("alter table clinic.old_messages rename to hidden")
    try:
        outcome = lab.run(JOB)
    finally:
        lab.conn.execute("alter table clinic.hidden rename to old_messages")
    assert (outcome.planned_keys, outcome.failures) == ([SINGLE], [])


def test_more_clinics_and_visits_take_no_more_queries(lab: ClinicLab, monkeypatch: pytest.MonkeyPatch) -> None:
    def more(first: int, last: int) -> None:
        for number in range(first, last):
            lab.clinic(f"more-{number}")
            lab.patient(f"p{number}", f"more-{number}")
            lab.visit("2026-03-13T14:00", f"v{number}", f"p{number}", f"more-{number}")

    def counted() -> tuple[int, int]:
        statements = 0
        whole = psycopg.Cursor.execute

        def execute(cursor: psycopg.Cursor[Any], *args: Any, **more: Any) -> Any:
            nonlocal statements
            statements += 1
            return whole(cursor, *args, **more)

        with monkeypatch.context() as patched:
            patched.setattr(psycopg.Cursor, "execute", execute)
            outcome = lab.run(JOB, is_dry=True)
        return sum(outcome.planned.values()), statements

    # The contract is looked at once for both.
    lab.desk.clinic.is_checked = True
    more(0, 2)
    few = counted()
    more(2, 12)
    many = counted()
    assert (few[0], many[0]) == (2, 12)
    assert few[1] == many[1] > 0
