"""Feedback: how was it? Once a visit, seldom enough, and true when it is read (CONTRACT clinic §5.7)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from pydantic import SecretStr

from fisio_ayida.messaging.sealing import Sealer, new_key
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, PATIENT, SAO_PAULO, ClinicLab

JOB = "feedback_requests"
KEY = "feedback:visit-1:whatsapp"


def at(hour: int, minute: int = 0, day: int = 12) -> dt.datetime:
    return MORNING.replace(day=day, hour=hour, minute=minute)


def done(
    lab: ClinicLab, start: str = "2026-03-12T09:00", id: str = "visit-1", *, clicked: dt.datetime | None = None,
    **more: object,
) -> None:  # fmt: skip
    """A visit that is done; its status was set then, or at its start."""
    day = dt.datetime.fromisoformat(start).replace(tzinfo=SAO_PAULO)
    lab.visit(start, id, **({"status": "atendido", "updated_at": clicked or day} | more))  # type: ignore[arg-type]


def run_at(lab: ClinicLab, moment: dt.datetime) -> None:
    lab.moment = moment
    lab.run(JOB)


def test_a_visit_is_asked_about_two_hours_after_its_end(lab: ClinicLab) -> None:
    """D-40: from the end of the visit, not from a click."""
    lab.patient()
    done(lab, end_time="09:50")
    run_at(lab, at(11, 30))
    assert lab.keys() == []
    run_at(lab, at(11, 45))
    (message,) = lab.messages()
    assert (message["key"], message["due_at"]) == (KEY, at(11, 50))


def test_a_question_on_the_day_of_the_visit_says_today_where_its_words_are_kept(lab: ClinicLab) -> None:
    letters = replace(lab.desk.outbox.letters, sealer=Sealer.of(SecretStr(new_key())))
    lab.desk = replace(lab.desk, outbox=replace(lab.desk.outbox, letters=letters))
    lab.patient()
    done(lab)
    run_at(lab, at(12))
    assert "atendimento de hoje na Clínica São João" in lab.send()[KEY]


def test_a_question_whose_words_are_made_again_names_the_day(lab: ClinicLab) -> None:
    lab.patient()
    done(lab)
    run_at(lab, at(12))
    assert "atendimento de 12/03/2026 na Clínica São João" in lab.send()[KEY]


@pytest.mark.parametrize(("end", "due"), [(None, (12, 0)), ("08:00", (12, 0)), ("09:30", (11, 30))])
def test_a_visit_without_an_end_lasts_an_hour(lab: ClinicLab, end: str | None, due: tuple[int, int]) -> None:
    lab.patient()
    done(lab, end_time=end)
    run_at(lab, at(12))
    assert lab.messages()[0]["due_at"] == at(*due)


def test_a_status_that_is_set_later_counts_from_then(lab: ClinicLab) -> None:
    lab.patient()
    done(lab, clicked=at(15))
    run_at(lab, at(16, 30))
    assert lab.keys() == []
    run_at(lab, at(17))
    assert lab.messages()[0]["due_at"] == at(17)


def test_saving_a_visit_again_asks_nothing_more(lab: ClinicLab) -> None:
    """D-40."""
    lab.patient()
    done(lab)
    run_at(lab, at(12))
    lab.send()
    lab.change("appointments", "visit-1", updated_at=at(14))
    run_at(lab, at(16))
    lab.change("appointments", "visit-1", updated_at=at(9, day=13))
    run_at(lab, at(11, day=13))
    assert (lab.keys(), lab.reasons()) == ([KEY], {})


def test_saving_a_visit_every_hour_does_not_put_the_question_off(lab: ClinicLab) -> None:
    """D-40: what counts is when it was done."""
    lab.patient()
    done(lab, end_time="10:00", clicked=at(10))
    for hour in (10, 11, 12):
        lab.change("appointments", "visit-1", updated_at=at(hour, 5 if hour > 10 else 0))
        run_at(lab, at(hour, 15))
    assert [row["due_at"] for row in lab.messages()] == [at(12)]


def test_a_dry_run_keeps_no_first_look(lab: ClinicLab) -> None:
    lab.patient()
    done(lab)
    lab.moment = at(9, 45)
    lab.run(JOB, is_dry=True)
    assert lab.rows("select * from jobs.done_visits") == []
    lab.run(JOB)
    assert [row["appointment_id"] for row in lab.rows("select * from jobs.done_visits")] == ["visit-1"]


def test_a_visit_that_is_done_too_late_to_be_asked_about_says_so_once(lab: ClinicLab) -> None:
    lab.patient()
    done(lab, clicked=at(23, day=13))
    first, second = (lab.run(JOB, at(23, minute, day=13), now=at(23, minute, day=13)) for minute in (15, 30))
    assert (lab.keys(), lab.reasons()) == ([], {KEY: "stale"})
    assert (first.withheld["stale"], second.withheld["stale"]) == (1, 0)


@pytest.mark.parametrize(("days", "is_asked"), [(29, False), (30, True)])
def test_whom_fisioflow_asked_is_not_asked_again_so_soon(lab: ClinicLab, days: int, is_asked: bool) -> None:
    lab.patient()
    done(lab)
    sent = at(12) - dt.timedelta(days=days)
    lab.add(
        "old_messages", id="1", kind=JOB, organization_id=CLINIC, patient_id=PATIENT, appointment_id="old",
        sent_at=sent,
    )  # fmt: skip
    run_at(lab, at(12))
    assert (lab.keys(), lab.reasons()) == (([KEY], {}) if is_asked else ([], {KEY: "duplicate"}))


def test_a_visit_of_long_ago_whose_record_is_edited_is_not_asked_about(lab: ClinicLab) -> None:
    lab.patient()
    done(lab, "2026-03-10T09:00", clicked=at(9))
    run_at(lab, at(12))
    assert (lab.keys(), lab.reasons()) == ([], {})


@pytest.mark.parametrize("status", ["agendado", "faltou", "cancelado", "remarcar", "nunca_visto"])
def test_only_what_was_done_is_asked_about(lab: ClinicLab, status: str) -> None:
    lab.patient()
    done(lab, status=status)
    run_at(lab, at(12))
    assert lab.keys() == []


def test_a_status_that_was_a_mistake_asks_nothing(lab: ClinicLab) -> None:
    lab.patient()
    done(lab)
    run_at(lab, at(11, 45))
    lab.change("appointments", "visit-1", status="faltou")
    lab.moment = at(12)
    assert lab.send() == {}
    lab.change("appointments", "visit-1", status="atendido")
    lab.run(JOB)
    assert list(lab.send()) == [KEY]


def test_a_question_that_quiet_hours_put_off_names_the_day(lab: ClinicLab) -> None:
    lab.patient()
    done(lab, "2026-03-12T19:00")
    run_at(lab, at(22))
    assert lab.send() == {}
    lab.moment = at(8, day=13)
    assert "atendimento de 12/03/2026 na Clínica São João" in lab.send()[KEY]


def test_a_visit_that_ends_after_midnight(lab: ClinicLab) -> None:
    lab.conn.execute("update messaging.policies set quiet_from = quiet_to")
    lab.patient()
    done(lab, "2026-03-12T23:45", end_time="00:30")
    run_at(lab, at(2, 45, day=13))
    assert lab.messages()[0]["due_at"] == at(2, 45, day=13)
    assert "12/03/2026" in lab.send()[KEY]


@pytest.mark.parametrize(("zone", "hour"), [("America/Rio_Branco", 14), ("America/Noronha", 11)])
def test_two_hours_after_are_the_clinics(lab: ClinicLab, zone: str, hour: int) -> None:
    lab.conn.execute("update messaging.policies set zone = %s", [zone])
    lab.patient()
    done(lab, clicked=at(1))
    run_at(lab, at(hour))
    assert lab.messages()[0]["due_at"] == at(hour)


def test_what_was_not_asked_on_its_day_is_stale(lab: ClinicLab) -> None:
    lab.patient()
    done(lab)
    run_at(lab, at(9, day=13))
    assert (lab.keys(), lab.reasons()) == ([], {KEY: "stale"})


def test_a_run_for_last_week_asks_nothing(lab: ClinicLab) -> None:
    lab.patient()
    done(lab, "2026-03-05T09:00")
    lab.run(JOB, at(12, day=5))
    assert (lab.keys(), lab.reasons()) == ([], {KEY: "stale"})


def test_a_patient_is_asked_once_a_month(lab: ClinicLab) -> None:
    lab.patient()
    done(lab)
    run_at(lab, at(12))
    lab.send()
    done(lab, "2026-04-10T09:00", "visit-2")
    done(lab, "2026-04-11T09:00", "visit-3")
    run_at(lab, at(12) + dt.timedelta(days=29))
    assert lab.reasons() == {"feedback:visit-2:whatsapp": "too_often"}
    run_at(lab, at(12) + dt.timedelta(days=30))
    assert lab.keys() == [KEY, "feedback:visit-3:whatsapp"]


def test_what_nobody_got_does_not_count_as_asked(lab: ClinicLab) -> None:
    lab.patient()
    done(lab)
    run_at(lab, at(12))
    lab.conn.execute("update messaging.messages set state = 'skipped', reason = 'suppressed: bounce'")
    done(lab, "2026-03-12T11:00", "visit-2")
    run_at(lab, at(14))
    assert lab.keys() == [KEY, "feedback:visit-2:whatsapp"]


def test_of_several_visits_the_last_one_is_asked_about(lab: ClinicLab) -> None:
    lab.patient()
    done(lab)
    done(lab, "2026-03-12T10:00", "visit-2")
    run_at(lab, at(13))
    assert lab.keys() == ["feedback:visit-2:whatsapp"]
    assert lab.reasons() == {KEY: "too_often"}


def test_three_runs_at_once_ask_once(lab: ClinicLab) -> None:
    lab.patient()
    done(lab)
    lab.moment = at(12)
    lab.run_at_once(JOB)
    assert lab.keys() == [KEY]


def test_a_clinic_that_does_not_ask_asks_nothing(lab: ClinicLab) -> None:
    lab.rules(asks_feedback=False)
    lab.patient()
    done(lab)
    run_at(lab, at(12))
    assert (lab.keys(), lab.reasons()) == ([], {})


def test_a_patient_without_a_telephone_cannot_be_asked(lab: ClinicLab) -> None:
    lab.patient(phone=None)
    done(lab)
    run_at(lab, at(12))
    (row,) = lab.rows("select key, reason, detail from jobs.decisions")
    assert (row["key"], row["reason"]) == (KEY, "no_address")
    assert row["detail"] == "not on the channels of this message: whatsapp"


def test_whoever_opted_out_is_not_asked(lab: ClinicLab) -> None:
    """D-40."""
    lab.patient()
    done(lab)
    lab.conn.execute(
        "insert into messaging.preferences (organization_id, patient_id, channel, category, allowed, source, "
        "evidence, at) values ('org-1', 'patient-1', 'whatsapp', 'care', false, 'staff', 'test', %s)",
        [MORNING],
    )
    run_at(lab, at(12))
    assert lab.send() == {}
    assert lab.messages()[0]["reason"].startswith("opted_out_category")
