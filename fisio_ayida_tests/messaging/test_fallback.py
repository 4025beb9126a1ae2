"""The other channel: an e-mail takes a lost WhatsApp message's place, in time and while it is useful."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import pytest

from fisio_ayida.messaging import fallback
from fisio_ayida.messaging.fallback import plan_fallbacks
from fisio_ayida.messaging.model import Ambiguous, EmailContent, Permanent, Result
from fisio_ayida_tests.messaging.lab import LOG, Lab
from fisio_ayida_tests.messaging.rows import pages_read, put
from fisio_ayida_tests.messaging.scripted import Scripted, always

FAILED, LOST = Permanent("400", "bad"), Ambiguous("timeout", "no answer")


@pytest.fixture
def sender(lab: Lab) -> Scripted:
    """WhatsApp says no; and a visit to be reminded of."""
    lab.visit("visit-1", "2026-03-14T14:00")
    lab.senders["email"] = Scripted("email", provider="mail")
    lab.senders["whatsapp"] = made = Scripted(answer=always(FAILED))
    return made


def lost(lab: Lab, **changes: Any) -> int:
    """A WhatsApp message that did not arrive."""
    planned = lab.remind(**changes)
    lab.call()
    return planned.id


def plan(lab: Lab) -> int:
    """Plan what takes its place."""
    return plan_fallbacks(lab.conn, lab.outbox, lab.door, now=lab.moment, log=LOG)


def mails(lab: Lab) -> list[Any]:
    """What was sent by e-mail."""
    sender = lab.senders["email"]
    assert isinstance(sender, Scripted)
    return sender.calls


@pytest.mark.parametrize("result", [FAILED, LOST])
def test_what_did_not_arrive_goes_by_email_when_patience_is_over(
    lab: Lab, sender: Scripted, result: Result
) -> None:
    sender.answer = always(result)
    id = lost(lab)
    assert plan(lab) == 1
    row = lab.row("select * from messaging.messages where fallback_of = %s", id)
    assert row["key"] == "reminder:visit-1:2026-03-14t14:00:d1:email"
    assert row["due_at"] - lab.moment == dt.timedelta(minutes=30)
    lab.pass_time(minutes=29)
    lab.dispatch()
    assert mails(lab) == []
    lab.pass_time(minutes=1)
    lab.dispatch()
    (mail,) = mails(lab)
    assert (mail.to, type(mail.content)) == ("ana@example.com", EmailContent)
    assert len(sender.calls) == 1


def test_the_clinic_says_how_long_it_is_patient(lab: Lab, sender: Scripted) -> None:
    lab.policy(fallback_after=dt.timedelta(hours=2))
    lost(lab)
    plan(lab)
    assert lab.value("select max(due_at) from messaging.messages") - lab.moment == dt.timedelta(hours=2)


def test_a_dispatcher_plans_it_before_it_ends(lab: Lab, sender: Scripted) -> None:
    lab.remind()
    assert lab.dispatch().fallbacks == 1


def test_it_is_planned_once(lab: Lab, sender: Scripted) -> None:
    lost(lab)
    assert [plan(lab) for _ in range(3)] == [1, 0, 0]


def test_a_first_message_that_does_arrive_makes_it_a_duplicate(lab: Lab, sender: Scripted) -> None:
    sender.answer = always(LOST)
    id = lost(lab)
    plan(lab)
    lab.conn.execute("update messaging.messages set state = 'delivered', reason = null where id = %s", [id])
    lab.pass_time(minutes=30)
    lab.dispatch()
    assert mails(lab) == []
    assert lab.value("select reason from messaging.messages where fallback_of = %s", id) == (
        "duplicate: the message that it stands in for is delivered"
    )


def test_a_visit_that_is_cancelled_meanwhile_needs_no_email(lab: Lab, sender: Scripted) -> None:
    lost(lab)
    plan(lab)
    lab.visit("visit-1", "2026-03-14T14:00", status="cancelado")
    lab.pass_time(minutes=30)
    lab.dispatch()
    assert mails(lab) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"template": "feedback_request", "variables": {"nome": "Ana", "clinica": "C"}, "category": "care"},
        {"template": None, "variables": {}, "content": EmailContent(subject="Oi", text="Oi"), "channel": "email"},
        {"cause": None},
        {"not_after": dt.datetime(2026, 3, 12, 13, 30, tzinfo=dt.UTC)},
    ],
    ids=["no other channel", "no template", "no cause", "useless by then"],
)
def test_what_has_no_other_channel_has_none(lab: Lab, sender: Scripted, changes: dict[str, Any]) -> None:
    lab.senders["email"] = Scripted("email", always(FAILED))
    planned = lab.remind(**changes)
    lab.call(lab.message(planned.id)["channel"])
    assert lab.message(planned.id)["state"] == "failed"
    assert plan(lab) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"status": "cancelado"},
        {"start": "2026-03-15T14:00"},
        {"start": "2026-03-12T10:20"},
    ],
    ids=["cancelled", "moved", "over by then"],
)
def test_what_is_not_useful_any_more_is_not_planned(lab: Lab, sender: Scripted, change: dict[str, str]) -> None:
    id = lost(lab)
    lab.visit(**{"id": "visit-1", "start": "2026-03-14T14:00"} | change)
    if change.get("start", "").startswith("2026-03-12"):
        version = "update messaging.messages set cause_version = '2026-03-12T10:20' where id = %s"
        lab.conn.execute(version, [id])
    assert plan(lab) == 0


@pytest.mark.parametrize("state", ["accepted", "skipped"])
def test_only_what_failed_or_is_unknown_needs_it(lab: Lab, sender: Scripted, state: str) -> None:
    planned = lab.remind()
    if state == "accepted":
        lab.senders["whatsapp"] = Scripted()
    else:
        lab.conn.execute("update clinic.organizations set is_active = false")
    lab.call()
    assert lab.message(planned.id)["state"] == state
    assert plan(lab) == 0


def test_what_was_lost_long_ago_stays_lost(lab: Lab, sender: Scripted) -> None:
    lab.visit("visit-1", "2026-04-14T14:00")
    lost(lab, not_after=lab.moment + dt.timedelta(days=9))
    lab.pass_time(days=2)
    assert plan(lab) == 0


def test_without_a_key_the_words_come_from_the_cause(lab: Lab, sender: Scripted) -> None:
    lab.sealer = None
    lost(lab)
    assert plan(lab) == 1
    lab.pass_time(minutes=30)
    lab.dispatch()
    assert "Ana" in str(mails(lab)[0].content.text)


def test_one_that_cannot_be_planned_stops_no_other(
    lab: Lab, sender: Scripted, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "_PAGE", 2)
    lab.visit("visit-2", "2026-03-14T15:00", status="agendado")
    strange = [lost(lab, key=f"reminder:{n}:whatsapp") for n in range(3)]
    lab.conn.execute("update messaging.messages set content = 'x' where id = any(%s)", [strange])
    lost(lab, visit="visit-2")
    with caplog.at_level(logging.WARNING):
        assert plan(lab) == 1
    assert len([line for line in caplog.messages if "gets no e-mail in its place" in line]) == 3


def test_only_what_may_need_another_channel_is_read(lab: Lab) -> None:
    lab.crowd("org-a", 10_000)
    lab.conn.execute(
        "update messaging.messages set state = 'skipped', reason = 'r', "
        "changed_at = changed_at - id * '1s'::interval"
    )
    lab.conn.execute("update messaging.messages set state = 'planned', channel = 'email' where id % 2 = 0")
    lab.conn.execute(
        "update messaging.messages set state = 'claimed', lease_until = now() where state = 'planned'"
    )
    lab.conn.execute(
        "update messaging.messages set state = 'failed', lease_until = null, reason = 'r' where state = 'claimed'"
    )
    put(lab, state="failed", reason="r")
    values = {
        "since": lab.moment - fallback.LOOK_BACK, "now": lab.moment, "templates": ["appointment_reminder"],
        "after": 0, "page": 500,
    }  # fmt: skip
    assert pages_read(lab, fallback._FIND, values) < 50
