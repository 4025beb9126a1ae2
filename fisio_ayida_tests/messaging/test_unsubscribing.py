"""The link of an e-mail that was really sent, from the outbox to the next message's reason."""

from __future__ import annotations

from email import policy
from email.parser import BytesParser

from fisio_ayida.messaging import preferences, unsubscribing
from fisio_ayida.messaging.model import Category, Draft
from fisio_ayida_tests.messaging.lab import CLINIC, PATIENT, Lab


def birthday(year: int, category: Category = "marketing") -> Draft:
    return Draft(
        key=f"birthday:{PATIENT}:{year}:email", job="test", channel="email", category=category,
        organization_id=CLINIC, patient_id=PATIENT, template="birthday",
        variables={"nome": "Ana", "clinica": "Clínica São João"},
    )  # fmt: skip


def test_the_link_of_an_email_stops_its_category_and_nothing_else(lab: Lab) -> None:
    preferences.record(
        lab.conn, organization_id=CLINIC, channel="email", category="marketing", allowed=True, source="form",
        evidence="form-1", at=lab.moment, patient_id=PATIENT,
    )  # fmt: skip
    lab.plan(birthday(2026))
    lab.dispatch()
    (file,) = lab.files("email")
    mail = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    token = str(mail["List-Unsubscribe"]).strip("<>").rpartition("/unsubscribe/")[2]
    link = unsubscribing.read(lab.hasher, token)
    assert link is not None and (link.key, link.category) == ("birthday:patient-1:2026:email", "marketing")
    lab.pass_time(minutes=1)
    assert unsubscribing.stop(lab.conn, link, everything=False, now=lab.moment)
    assert not unsubscribing.stop(lab.conn, link, everything=False, now=lab.moment)
    lab.visit()
    (next_year,), reminder = lab.plan(birthday(2027)), lab.remind(channel="email")
    lab.dispatch()
    assert lab.message(next_year.id)["reason"].startswith("opted_out_category")
    assert lab.message(reminder.id)["state"] == "accepted"


def test_everything_is_everything(lab: Lab) -> None:
    link = unsubscribing.Link("key", CLINIC, "marketing", PATIENT, None)
    unsubscribing.stop(lab.conn, link, everything=True, now=lab.moment)
    lab.visit()
    reminder = lab.remind(channel="email")
    lab.dispatch()
    assert lab.message(reminder.id)["reason"].startswith("opted_out_channel")
