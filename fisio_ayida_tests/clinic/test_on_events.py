"""FisioFlow's events about visits, and messages in our words: handled as the inbox handles them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from fisio_ayida.bdns.service import Caller
from fisio_ayida.clinic.on_events import Event
from fisio_ayida.defs.events.handlers import opened
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events.registry import EVENTS, PROCESS
from fisio_ayida.events.work import drain
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import bind
from fisio_ayida.warehouse.engine import WarehouseError
from fisio_ayida_tests.clinic.lab import CLINIC, LOG, MORNING, PATIENT, ClinicLab
from fisio_ayida_tests.events.lab import Lab as Inbox
from fisio_ayida_tests.events.lab import Row

Handle = Callable[..., Row]
MINUTE = dt.timedelta(minutes=1)
APPOINTMENT = {"appointmentId": "visit-1"}
CONFIRMATION = "confirmation:visit-1:2026-03-20t14:00:whatsapp"


@pytest.fixture
def handle(lab: ClinicLab) -> Iterator[Handle]:
    """Sends an event, has everything that is due handled, and gives the event's row."""
    inbox = Inbox(lab.warehouse)

    def handled(name: str, data: Mapping[str, Any], **changes: Any) -> Row:
        inbox.moment = lab.moment
        id = inbox.send(name, data)
        lab.moment += EVENTS[name].delay
        inbox.moment = lab.moment
        settings = lab.settings.model_copy(update=changes)
        log = bind(LOG, runId="run-1")
        mirror = MirrorResource(settings, now=lambda: lab.moment, jitter=lambda: 0.0)

        async def work() -> None:
            async with opened((PROCESS,), mirror, lab.warehouse, Caller("run-1", "process_events"), log) as found:
                await drain(inbox.worker(found), (PROCESS,), None, most=None)

        asyncio.run(work())
        return inbox.row(id)

    yield handled
    inbox.conn.close()


def booked(lab: ClinicLab, start: str = "2026-03-20T14:00", id: str = "visit-1", **more: Any) -> None:
    lab.patient()
    lab.visit(start, id, **({"created_at": lab.moment} | more))


def result(row: Row) -> dict[str, Any]:
    assert (row.state, row.reason) == ("done", None)
    assert row.result is not None
    return row.result


# appointment/created


def test_a_visit_that_is_booked_is_confirmed_a_minute_later(lab: ClinicLab, handle: Handle) -> None:
    booked(lab)
    said = result(handle("appointment/created", APPOINTMENT))
    (message,) = lab.messages()
    assert message["key"] == CONFIRMATION
    assert said == {"messages": [message["id"]], "new": 1, "known": 0}
    lab.run("appointment_confirmations")
    assert lab.keys() == [CONFIRMATION]


def test_a_visit_that_is_too_soon_is_not_confirmed_and_the_result_says_why(lab: ClinicLab, handle: Handle) -> None:
    """D-32."""
    booked(lab, "2026-03-12T09:30")
    said = result(handle("appointment/created", APPOINTMENT))
    assert said["messages"] == []
    assert said["withheld"][0].startswith("confirmation:visit-1:2026-03-12t09:30:whatsapp: stale: useless since ")


@pytest.mark.parametrize("data", [{"appointmentId": "nobody"}, {**APPOINTMENT, "organizationId": "org-2"}])
def test_a_visit_that_is_not_there_or_another_clinics_ends_the_event(
    lab: ClinicLab, handle: Handle, data: dict[str, str]
) -> None:
    """D-39: what an event says of rows is checked."""
    lab.clinic("org-2")
    booked(lab)
    row = handle("appointment/created", data)
    assert row.state == "dead"
    assert f"appointmentId={data['appointmentId']!r} is no appointment of" in (row.reason or "")


def test_an_inactive_clinic_confirms_nothing(lab: ClinicLab, handle: Handle) -> None:
    booked(lab)
    lab.change("organizations", CLINIC, is_active=False)
    assert result(handle("appointment/created", APPOINTMENT))["ignored"] == "the organisation is inactive"


def test_in_shadow_mode_an_event_sends_nothing_either(lab: ClinicLab, handle: Handle) -> None:
    booked(lab)
    said = result(handle("appointment/created", APPOINTMENT, clinic_shadow="appointment_confirmations"))
    assert (lab.keys(), said["messages"]) == ([], [])
    assert [row["key"] for row in lab.rows("select key from jobs.decisions where outcome = 'shadow'")] == [
        CONFIRMATION
    ]


# appointment/updated


def change(lab: ClinicLab, **columns: Any) -> dict[str, Any]:
    """Change the visit, and the event that tells of it."""
    query = "select to_jsonb(a) as row from clinic.appointments a where id = 'visit-1'"
    old = lab.rows(query)[0]["row"]
    lab.change("appointments", "visit-1", updated_at=lab.moment, **columns)
    return {"record": lab.rows(query)[0]["row"], "old_record": old}


def test_a_visit_that_is_done_now_is_asked_about_later(lab: ClinicLab, handle: Handle) -> None:
    booked(lab, "2026-03-12T08:00")
    said = result(handle("appointment/updated", change(lab, status="atendido")))
    (message,) = lab.messages()
    assert said["messages"] == [message["id"]]
    assert (message["key"], message["due_at"]) == ("feedback:visit-1:whatsapp", MORNING.replace(hour=11))


def test_a_visit_that_was_done_before_is_nobodys_business(lab: ClinicLab, handle: Handle) -> None:
    """D-40: the transition, not the save."""
    booked(lab, "2026-03-12T08:00", status="atendido")
    said = result(handle("appointment/updated", change(lab, status="concluido")))
    assert said == {"ignored": "neither done now nor moved: done"}
    assert lab.keys() == []


def test_a_visit_that_is_moved_when_its_moment_was_just_over_is_announced_at_once(
    lab: ClinicLab, handle: Handle
) -> None:
    booked(lab, "2026-03-13T14:00")
    lab.moment = MORNING.replace(hour=11)
    said = result(handle("appointment/updated", change(lab, start_time="16:00")))
    assert said["new"] == 1
    assert list(lab.send()) == ["reminder:visit-1:2026-03-13t16:00:day-before:whatsapp"]


def test_a_visit_that_is_moved_to_next_week_is_left_to_the_hourly_run(lab: ClinicLab, handle: Handle) -> None:
    booked(lab, "2026-03-13T14:00")
    said = result(handle("appointment/updated", change(lab, date="2026-03-20")))
    assert (said["new"], lab.keys()) == (0, [])


def test_a_change_without_an_appointment_ends_the_event(lab: ClinicLab, handle: Handle) -> None:
    row = handle("appointment/updated", {"record": {"status": "atendido"}})
    assert row.state == "dead" and "record.id=None" in (row.reason or "")


# appointment/cancelled


def test_a_cancelled_visit_says_what_it_stops(lab: ClinicLab, handle: Handle) -> None:
    booked(lab, "2026-03-13T14:00")
    lab.visit("2026-03-13T16:00", "visit-2")
    lab.run("appointment_reminders")
    (message,) = lab.messages()
    lab.change("appointments", "visit-1", status="cancelado")

    assert result(handle("appointment/cancelled", APPOINTMENT)) == {"stops": [message["id"]]}

    lab.moment = MORNING.replace(hour=10)
    assert lab.send() == {}


# appointment/reminder


def test_a_reminder_by_hand_is_sent_at_once(lab: ClinicLab, handle: Handle) -> None:
    booked(lab, "2026-03-13T14:00")
    lab.moment += 30 * MINUTE
    assert result(handle("appointment/reminder", APPOINTMENT))["new"] == 1
    said = lab.send()["reminder:visit-1:2026-03-13t14:00:manual:whatsapp"]
    assert "amanhã, 13/03/2026, às 14:00, com Dra. Helena Brandão" in said
    # The one by rule would follow within the hour.
    lab.run("appointment_reminders")
    assert lab.reasons() == {"reminder:visit-1:2026-03-13t14:00:day-before:whatsapp": "merged"}


def test_a_reminder_by_hand_of_a_far_visit_would_not_be_true(lab: ClinicLab, handle: Handle) -> None:
    booked(lab)
    said = result(handle("appointment/reminder", APPOINTMENT))
    assert said["ignored"] == "the visit is on 2026-03-20: a reminder says today or tomorrow"


def test_a_reminder_of_a_cancelled_visit_is_withheld(lab: ClinicLab, handle: Handle) -> None:
    booked(lab, "2026-03-13T14:00", status="cancelado")
    said = result(handle("appointment/reminder", APPOINTMENT))
    assert said["withheld"] == ["reminder:visit-1:2026-03-13t14:00:manual:whatsapp: stale: its state is cancelled"]


def test_without_an_appointment_all_reminders_that_are_due_are_planned(lab: ClinicLab, handle: Handle) -> None:
    booked(lab, "2026-03-13T14:00")
    said = result(handle("appointment/reminder", {}))
    assert (said["clinics"], said["new"], len(lab.keys())) == (1, 1, 1)


def test_a_clinic_that_does_not_exist_ends_the_event(lab: ClinicLab, handle: Handle) -> None:
    row = handle("appointment/reminder", {"organizationId": "org-9"})
    assert row.state == "dead" and "organization='org-9'" in (row.reason or "")


# Messages in our words


def test_a_ready_made_message_goes_on_the_channel_of_its_name(lab: ClinicLab, handle: Handle) -> None:
    booked(lab, "2026-03-13T14:00")
    lab.change("patients", PATIENT, date_of_birth="1990-03-12")
    lab.visit("2026-02-10T14:00", "last", status="atendido")
    lab.change("appointments", "visit-1", patient_id="patient-2")
    lab.patient("patient-2")
    patient = {"patientId": PATIENT}

    for channel in ("email", "whatsapp"):
        for kind, data in (
            ("appointment.confirmation", APPOINTMENT), ("appointment.reminder", APPOINTMENT),
            ("birthday.greeting", patient), ("reactivation", patient),
        ):  # fmt: skip
            assert result(handle(f"{channel}/{kind}", data))["new"] == 1, (channel, kind)

    stems = [
        "birthday:patient-1:2026", "confirmation:visit-1:2026-03-13t14:00", "reactivation:patient-1:2026-02-10",
        "reminder:visit-1:2026-03-13t14:00:manual",
    ]  # fmt: skip
    assert lab.keys() == [f"{stem}:{channel}" for stem in stems for channel in ("email", "whatsapp")]
    assert set(lab.send()) == set(lab.keys())


def test_the_same_message_asked_for_twice_is_sent_once(lab: ClinicLab, handle: Handle) -> None:
    booked(lab)
    handle("email/appointment.confirmation", APPOINTMENT)
    again = result(handle("email/appointment.confirmation", APPOINTMENT))
    assert (again["new"], again["known"], len(lab.keys())) == (0, 1, 1)


@pytest.mark.parametrize(
    ("name", "field"),
    [("email/appointment.confirmation", "appointmentId"), ("whatsapp/reactivation", "patientId")],
)
def test_a_ready_made_message_about_nobody_ends_its_event(
    lab: ClinicLab, handle: Handle, name: str, field: str
) -> None:
    row = handle(name, {"to": "someone@example.org", "name": "Ana"})
    assert row.state == "dead" and f"{field}=None" in (row.reason or "")


def test_no_birthday_is_no_reason_to_write(lab: ClinicLab, handle: Handle) -> None:
    lab.patient(date_of_birth="1990-03-13")
    said = result(handle("email/birthday.greeting", {"patientId": PATIENT}))
    assert (said["ignored"], lab.keys()) == ("patient 'patient-1' has no birthday on 2026-03-12", [])


def test_whoever_has_a_visit_booked_is_not_invited(lab: ClinicLab, handle: Handle) -> None:
    booked(lab)
    lab.visit("2026-02-10T14:00", "last", status="atendido")
    said = result(handle("whatsapp/reactivation", {"patientId": PATIENT}))
    assert said["withheld"] == ["reactivation:patient-1:2026-02-10:whatsapp: stale: a visit is booked"]


# push/send.multicast


def test_a_push_message_goes_to_devices_and_to_users(lab: ClinicLab, handle: Handle) -> None:
    lab.patient(user_id="user-1")
    lab.add("push_tokens", **{"token": "ExponentPushToken[of-user-1]", "user_id": "user-1"})
    data = {
        "userIds": ["user-1", "user-2"], "tokens": ["ExponentPushToken[abc]"], "title": "Olá",
        "body": "Temos novidades",
    }  # fmt: skip

    row = handle("push/send.multicast", data)

    assert row.state == "done" and row.result is not None
    assert row.result["refused"] == ["userIds[1]: userId='user-2' is no patient's"]
    assert row.result["messages"] == [message["id"] for message in lab.rows("select id from messaging.messages")]
    assert list(lab.send().values()) == ["Temos novidades"] * 2
    masked = lab.rows("select address_masked from messaging.messages order by id")
    assert len({each["address_masked"] for each in masked}) == 2


def test_a_push_message_to_a_patient_of_two_clinics_has_to_say_whose(lab: ClinicLab, handle: Handle) -> None:
    lab.clinic("org-2")
    for id, clinic in (("patient-1", CLINIC), ("patient-2", "org-2")):
        lab.patient(id, clinic, user_id="user-1")
    words = {"userIds": ["user-1"], "title": "Olá", "body": "Temos novidades"}
    row = handle("push/send.multicast", words)
    assert (row.state, row.reason) == (
        "dead",
        "userIds[0]: userId='user-1' is a patient of several organisations: organizationId is needed",
    )

    assert handle("push/send.multicast", {**words, "organizationId": "org-2"}).state == "done"
    assert [row["patient_id"] for row in lab.messages()] == ["patient-2"]


def test_who_left_one_clinic_for_another_is_the_other_ones_patient(lab: ClinicLab, handle: Handle) -> None:
    lab.clinic("org-2")
    lab.patient("patient-1", CLINIC, user_id="user-1")
    lab.patient("patient-2", "org-2", user_id="user-1", is_active=False)
    handle("push/send.multicast", {"userIds": ["user-1"], "title": "Olá", "body": "Temos novidades"})
    assert [row["patient_id"] for row in lab.messages()] == ["patient-1"]


def test_the_day_of_an_event_is_sao_paulos() -> None:
    late = MORNING.replace(hour=22).astimezone(dt.UTC)
    order = Event(name="appointment/created", data={}, now=late, run_id="").order("job", None)
    assert (late.day, order.nominal.day, order.nominal) == (13, 12, late)


def test_a_wrong_word_in_clinic_shadow_ends_only_what_it_is_about(lab: ClinicLab, handle: Handle) -> None:
    booked(lab)
    assert handle("fisio_ayida/canary", {"note": "x"}, clinic_shadow="apointments").state == "done"
    row = handle("appointment/created", APPOINTMENT, clinic_shadow="apointments")
    assert row.state == "dead"
    assert (row.reason or "").startswith("CLINIC_SHADOW: job='apointments' is not a job of the clinic")


# The clinic's database


def test_a_push_message_to_devices_needs_no_clinics_database(lab: ClinicLab, handle: Handle) -> None:
    away = Settings.load({"CLINIC_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}).clinic_database_url
    data = {"tokens": ["ExponentPushToken[abc]"], "title": "Olá", "body": "Temos novidades"}
    assert handle("push/send.multicast", data, clinic_database_url=away).state == "done"


def test_a_clinics_database_that_is_away_is_asked_once_for_many_events(
    lab: ClinicLab, handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def open_clinic(*_: object) -> None:
        asked.append("")
        raise WarehouseError("the database does not answer")

    monkeypatch.setattr("fisio_ayida.warehouse.clinic.open_clinic", open_clinic)
    inbox = Inbox(lab.warehouse)
    inbox.moment = lab.moment
    for id in ("visit-2", "visit-3"):
        inbox.send("appointment/cancelled", {"appointmentId": id})
    inbox.conn.close()

    assert handle("appointment/cancelled", APPOINTMENT).state == "retry"
    assert asked == [""]


def test_a_clinics_database_that_is_away_is_tried_again_and_keeps_nobody_else(
    lab: ClinicLab, handle: Handle
) -> None:
    booked(lab)
    away = Settings.load({"CLINIC_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}).clinic_database_url
    other = handle("notification/send", {
        "userId": "u", "organizationId": CLINIC, "type": "email",
        "data": {"to": "a@example.com", "subject": "s", "body": "b"},
    }, clinic_database_url=away)  # fmt: skip
    assert other.state == "done"
    assert handle("appointment/created", APPOINTMENT, clinic_database_url=away).state == "retry"


# email/daily.report


def test_a_report_is_of_the_day_that_is_asked_for_and_of_one_long_over_nobody_is_told(
    lab: ClinicLab, handle: Handle
) -> None:
    lab.therapist("boss", wants_daily_report=True, roles=["admin"])
    booked(lab, "2026-03-09T14:00", status="atendido")

    said = result(handle("email/daily.report", {"organizationId": CLINIC, "date": "2026-03-09"}))

    stored = lab.rows("select done from jobs.reports where therapist_id = '' and first_day = '2026-03-09'")
    assert (stored, said["new"]) == ([{"done": 1}], 0)


def test_the_report_of_yesterday_goes_to_those_who_asked(lab: ClinicLab, handle: Handle) -> None:
    lab.therapist("boss", wants_daily_report=True, roles=["admin"])
    booked(lab, "2026-03-11T14:00", status="atendido")

    said = result(handle("email/daily.report", {"organizationId": CLINIC}))

    assert lab.keys() == [f"report:daily:{CLINIC}:2026-03-11:boss:email"]
    assert said["new"] == 1


@pytest.mark.parametrize("day", ["2026-02-30", "2026-03-12", "0001-01-01"])
def test_a_report_of_no_day_that_is_over_is_refused(lab: ClinicLab, handle: Handle, day: str) -> None:
    row = handle("email/daily.report", {"organizationId": CLINIC, "date": day})

    assert row.state == "dead"
    assert f"date={day!r}" in (row.reason or "")
