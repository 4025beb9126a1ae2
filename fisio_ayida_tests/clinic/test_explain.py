"""Explaining a patient or a visit: all that was decided, in order of time, and nobody's name or address."""

from __future__ import annotations

import datetime as dt

import pytest

from fisio_ayida.clinic.explain import Explanation, Unknown, explain
from fisio_ayida.messaging import keys, preferences
from fisio_ayida.messaging.addresses import canonical
from fisio_ayida.messaging.model import Cause, Draft
from fisio_ayida.warehouse.clinic import ClinicDoor
from fisio_ayida_tests.clinic.lab import CLINIC, MAIL, PATIENT, PHONE, ClinicLab

HOUR = dt.timedelta(hours=1)
TENANT = "app.org_id"


def told(lab: ClinicLab, id: str = PATIENT, door: ClinicDoor | None = None) -> Explanation:
    return explain(lab.conn, door or lab.desk.clinic, lab.desk.outbox.letters.hasher, id, now=lab.moment)


def told_of(lab: ClinicLab, id: str = PATIENT) -> list[tuple[str, str | None, str | None]]:
    """What, about what, and state or reason."""
    return [(each.what, each.about, each.state or each.reason) for each in told(lab, id).entries]


def hashed(lab: ClinicLab) -> bytes:
    return lab.desk.outbox.letters.hasher.address("whatsapp", canonical("whatsapp", PHONE))


def remind(lab: ClinicLab, *visits: str, patient: str = PATIENT) -> str:
    """Plan a reminder of one visit or several; gives its key."""
    start = dt.datetime.fromisoformat("2026-03-13T14:00")
    common = {"nome": "Ana", "clinica": "Clínica São João", "data": start.date()}
    if len(visits) == 1:
        key, kind, template = (
            keys.reminder(visits[0], start, "d1", "whatsapp"),
            "appointment",
            "appointment_reminder",
        )
        variables = common | {"hora": start.time()}
    else:
        key, kind = keys.reminder_day(patient, start.date(), "day-before", "whatsapp"), "appointments"
        template, variables = "appointment_reminder_multi", common | {"visitas": [{"hora": start.time()}] * 2}
    draft = Draft(
        key=key, job="appointment_reminders", channel="whatsapp", category="transactional",
        organization_id=CLINIC, patient_id=patient, template=template, variables=variables,
        cause=Cause(kind, ",".join(visits), None),
    )  # fmt: skip
    lab.desk.outbox.plan(lab.conn, [draft], now=lab.moment)
    return key


@pytest.fixture
def ana(lab: ClinicLab) -> ClinicLab:
    """A patient with two visits tomorrow, and another patient."""
    lab.patient(date_of_birth=dt.date(1990, 3, 12))
    lab.patient("other")
    lab.visit("2026-03-13T14:00")
    lab.visit("2026-03-13T16:00", "visit-2")
    return lab


def test_a_patient_is_told_of_with_messages_and_decisions_in_order_of_time(ana: ClinicLab) -> None:
    ana.run("birthday_messages", is_shadow=True)
    ana.moment += HOUR
    ana.run("birthday_messages")
    ana.moment += HOUR
    ana.change("patients", PATIENT, preferred_channel="email")
    ana.run("birthday_messages")

    assert told_of(ana) == [
        ("shadow", "birthday", None),
        ("message", "birthday", "planned"),
        ("withheld", "birthday", "duplicate: told by whatsapp"),
    ]


def test_a_message_has_its_key_channel_address_and_id(ana: ClinicLab) -> None:
    ana.run("birthday_messages")
    ana.conn.execute("update messaging.messages set address_masked = '5511…4321'")

    [entry] = told(ana).entries

    [row] = ana.messages()
    assert (entry.key, entry.channel, entry.address_masked, entry.message_id) == (
        "birthday:patient-1:2026:whatsapp", "whatsapp", "5511…4321", row["id"],
    )  # fmt: skip


def test_a_patient_is_not_told_of_with_what_is_of_others(ana: ClinicLab) -> None:
    remind(ana, "visit-1")

    assert told_of(ana, "other") == []


def test_a_visit_is_told_of_with_its_own_messages_and_those_of_the_whole_day(ana: ClinicLab) -> None:
    own, day = remind(ana, "visit-1"), remind(ana, "visit-1", "visit-2")
    ana.run("birthday_messages")

    assert [each.key for each in told(ana, "visit-1").entries] == sorted([own, day])
    assert [each.key for each in told(ana, "visit-2").entries] == [day]


def test_a_visit_tells_whose_it_is_and_how_it_stands(ana: ClinicLab) -> None:
    subject = told(ana, "visit-1").subject

    assert (subject.kind, subject.patient_id, subject.state) == (
        "appointment", PATIENT, "upcoming, 2026-03-13 14:00",
    )  # fmt: skip


@pytest.mark.parametrize("id", [PATIENT, "visit-1"])
def test_what_the_patient_said_is_told(ana: ClinicLab, id: str) -> None:
    preferences.record(
        ana.conn, organization_id=CLINIC, channel="whatsapp", category="all", allowed=False, source="form",
        evidence="7", at=ana.moment, patient_id=PATIENT,
    )  # fmt: skip
    preferences.record(
        ana.conn, organization_id="", channel="whatsapp", category="care", allowed=True, source="form",
        evidence="8", at=ana.moment + HOUR, address_hash=hashed(ana),
    )  # fmt: skip
    preferences.suppress(
        ana.conn, channel="whatsapp", address_hash=hashed(ana), reason="not_on_whatsapp", evidence="lookup",
        at=ana.moment + 2 * HOUR,
    )  # fmt: skip

    assert told_of(ana, id) == [
        ("preference", "all", "forbidden"),
        ("preference", "care", "allowed"),
        ("suppression", "address", "suppressed"),
    ]


def test_a_reply_is_told_as_an_intention(ana: ClinicLab) -> None:
    remind(ana, "visit-1")
    ana.conn.execute(
        "insert into messaging.replies (provider, provider_id, address_masked, address_hash, intent, received_at, "
        "outcome, message_id) select 'evolution', 'r1', '5511…4321', %s, 'confirm', %s, 'confirmed', id "
        "from messaging.messages",
        [hashed(ana), ana.moment + HOUR],
    )

    [_, reply] = told(ana, "visit-1").entries

    assert (reply.what, reply.state, reply.reason) == ("reply", "confirm", "confirmed")


def test_the_rules_are_asked_as_of_today(ana: ClinicLab) -> None:
    ana.change("patients", PATIENT, email="nobody at all")
    preferences.record(
        ana.conn, organization_id=CLINIC, channel="whatsapp", category="marketing", allowed=False, source="reply",
        evidence="1", at=ana.moment, patient_id=PATIENT,
    )  # fmt: skip

    verdicts = {(each.channel, each.category): each.verdict for each in told(ana).today}

    assert verdicts["whatsapp", "transactional"] == "send"
    assert verdicts["whatsapp", "marketing"] == "opted_out_category"
    assert verdicts["email", "care"] == "address_invalid"
    assert verdicts["push", "care"] == "no_address"


def test_at_night_the_rules_say_until_when(ana: ClinicLab) -> None:
    ana.moment += 13 * HOUR

    [first, *_] = told(ana).today

    assert (first.verdict, first.detail) == ("quiet_hours", "until 2026-03-13 08:00")


def test_a_patient_who_is_gone_is_still_explained(ana: ClinicLab) -> None:
    ana.run("birthday_messages")
    ana.conn.execute("delete from clinic.patients where id = %s", [PATIENT])

    found = told(ana)

    assert (found.subject.state, [each.what for each in found.entries], found.today) == ("gone", ["message"], [])


def test_a_visit_that_is_gone_is_still_explained(ana: ClinicLab) -> None:
    remind(ana, "visit-1", "visit-2")
    ana.conn.execute("delete from clinic.appointments where id = 'visit-2'")

    assert [each.what for each in told(ana, "visit-2").entries] == ["message"]


def test_a_patient_without_a_clinic_is_explained(ana: ClinicLab) -> None:
    ana.patient("lost", organization=None)

    assert told(ana, "lost").subject.organization_id is None


def test_nobody_is_not_explained(ana: ClinicLab) -> None:
    with pytest.raises(Unknown, match="'nobody' is neither a patient nor an appointment"):
        told(ana, "nobody")


def test_each_clinic_is_asked_in_its_own_name_under_row_security(ana: ClinicLab) -> None:
    ana.clinic("a-clinic-before")
    ana.run("birthday_messages")

    found = told(ana, door=ClinicDoor(None, TENANT))

    assert (found.subject.organization_id, len(found.entries)) == (CLINIC, 1)


def test_an_address_that_an_app_put_into_its_key_is_masked(ana: ClinicLab) -> None:
    draft = Draft(
        key=keys.request("notification", MAIL), job="test", channel="whatsapp", category="care",
        organization_id=CLINIC, patient_id=PATIENT, template="feedback_request",
        variables={"nome": "Ana", "clinica": "Clínica"}, cause=Cause("patient", PATIENT),
    )  # fmt: skip
    ana.desk.outbox.plan(ana.conn, [draft], now=ana.moment)

    [entry] = told(ana).entries

    assert entry.key is not None and entry.key.startswith("notification:") and MAIL not in entry.key


def test_nothing_in_it_is_a_name_or_an_address(ana: ClinicLab) -> None:
    ana.run("birthday_messages")

    assert not any(word in repr(told(ana)) for word in ("Ana", "Souza", "98765", MAIL))
