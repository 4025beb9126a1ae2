"""Receipts: stored once, applied once, in whatever order they come, and never backwards."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.messaging import preferences, receipts, tickets, unknowns
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.model import Accepted, Channel, Envelope, Healthy, Result, Status
from fisio_ayida.messaging.receipts import Applied, next_state
from fisio_ayida.messaging.reports import evolution, meta, resend
from fisio_ayida.messaging.reports.reading import Report
from fisio_ayida_tests.messaging import said
from fisio_ayida_tests.messaging.lab import MAIL, PATIENT, Conn, Lab
from fisio_ayida_tests.messaging.scripted import Scripted

STATUSES: tuple[Status, ...] = ("accepted", "delivered", "read", "failed")
SAYS = {"accepted": "SERVER_ACK", "delivered": "DELIVERY_ACK", "read": "READ", "failed": "ERROR"}
RANK = {"claimed": 0, "unknown": 0, "retry": 0, "accepted": 1, "delivered": 2, "read": 3}


def handed_over(
    lab: Lab, *, provider: str = "evolution", provider_id: str | None = "KEY-1", state: str = "accepted",
    channel: Channel = "whatsapp", key: str = "k-1",
) -> int:  # fmt: skip
    """A message that was sent, or is being sent: everything but the receipts."""
    lab.visit()
    (planned,) = lab.plan(lab.reminder(channel=channel, key=key))
    address = lab.hasher.address(channel, "5511987654321" if channel == "whatsapp" else MAIL)
    lab.conn.execute(
        "update messaging.messages set state = 'claimed', lease_until = %(now)s + interval '2 min', "
        "claimed_at = %(now)s, changed_at = %(now)s, attempt = 1, provider = %(provider)s, "
        "address_hash = %(address)s where id = %(id)s",
        {"now": lab.moment, "provider": provider, "address": address, "id": planned.id},
    )
    if state != "claimed":
        lab.conn.execute(
            "update messaging.messages set state = %s, lease_until = null, reason = 'test', provider_id = %s "
            "where id = %s",
            [state, provider_id, planned.id],
        )
    return planned.id


def arrive(lab: Lab, *reports: Report) -> None:
    """Webhooks come in."""
    with lab.conn.transaction():
        receipts.store(lab.conn, reports, hasher=lab.hasher, now=lab.moment)


def updates(*statuses: Status) -> list[Report]:
    return [report for each in statuses for report in evolution.read(said.update(SAYS[each])).reports]


def apply(lab: Lab, **limit: int) -> Applied:
    return receipts.apply(lab.conn, hasher=lab.hasher, clinic=lab.door, now=lab.moment, **limit)


def outcomes(lab: Lab) -> list[str | None]:
    return [each for (each,) in lab.conn.execute("select outcome from messaging.deliveries order by id")]


def test_each_receipt_moves_the_message_on_with_its_time(lab: Lab) -> None:
    id = handed_over(lab, provider="meta", provider_id="wamid.1")
    lab.pass_time(minutes=2)
    arrive(lab, *meta.read(said.meta(statuses=[said.status("delivered"), said.status("read")])).reports)
    assert apply(lab) == Applied(applied=2)
    row = lab.message(id)
    assert (row["state"], row["delivered_at"], row["read_at"]) == ("read", said.AT, said.AT)
    assert (row["changed_at"], row["lease_until"]) == (lab.moment, None)
    assert lab.value("select array_agg(message_id) from messaging.deliveries") == [id, id]


def test_a_time_that_cannot_be_is_replaced_by_ours(lab: Lab) -> None:
    id = handed_over(lab, provider="meta", provider_id="wamid.1")
    late = said.status("delivered") | {"timestamp": str(int((lab.moment + dt.timedelta(hours=3)).timestamp()))}
    early = said.status("read") | {"timestamp": str(int((lab.moment - dt.timedelta(hours=3)).timestamp()))}
    arrive(lab, *meta.read(said.meta(statuses=[late, early])).reports)
    apply(lab)
    row = lab.message(id)
    assert (row["delivered_at"], row["read_at"]) == (lab.moment, lab.moment)


def test_the_same_report_twice_is_one(lab: Lab) -> None:
    handed_over(lab)
    for _ in range(3):
        arrive(lab, *updates("delivered", "delivered"))
        apply(lab)
    assert outcomes(lab) == ["applied"]


@pytest.mark.parametrize("state", ["claimed", "unknown", "retry"])
def test_a_report_with_our_key_finds_a_message_without_its_answer(lab: Lab, state: str) -> None:
    id = handed_over(lab, provider="meta", provider_id=None, state=state)
    arrive(lab, *meta.read(said.meta(statuses=[said.status("sent", key="k-1")])).reports)
    assert apply(lab) == Applied(applied=1)
    row = lab.message(id)
    assert (row["state"], row["provider_id"], row["error_class"]) == ("accepted", "wamid.1", None)
    assert row["accepted_at"] is not None and row["lease_until"] is None


def test_a_report_with_our_tag_finds_an_email_without_its_answer(lab: Lab) -> None:
    id = handed_over(lab, provider="resend", provider_id=None, state="claimed", channel="email")
    arrive(lab, *resend.read(said.resend("email.delivered", to=MAIL, tag=str(id)), "msg_1").reports)
    assert apply(lab) == Applied(applied=1)
    assert (lab.message(id)["state"], lab.message(id)["provider_id"]) == ("delivered", "e-1")


def test_a_tag_of_somebody_elses_email_finds_nothing(lab: Lab) -> None:
    id = handed_over(lab, provider="resend", provider_id=None, state="claimed", channel="email")
    arrive(lab, *resend.read(said.resend("email.bounced", to="other@example.com", tag=str(id)), "msg_1").reports)
    lab.pass_time(minutes=11)
    assert apply(lab) == Applied(unmatched=1)
    assert lab.message(id)["state"] == "claimed"


@pytest.mark.parametrize(("key", "state"), [("k-1:R1", "delivered"), ("k-1", "claimed")])
def test_a_message_that_was_tried_again_heeds_reports_of_its_own_call_only(lab: Lab, key: str, state: str) -> None:
    id = handed_over(lab, provider="meta", provider_id=None, state="claimed")
    lab.conn.execute("update messaging.messages set generation = 1")
    arrive(lab, *meta.read(said.meta(statuses=[said.status("delivered", key=key)])).reports)
    apply(lab)
    assert lab.message(id)["state"] == state


@pytest.mark.parametrize(("generation", "state"), [("-1", "delivered"), ("", "claimed"), ("-x", "claimed")])
def test_a_tag_tells_which_of_two_calls_is_meant(lab: Lab, generation: str, state: str) -> None:
    id = handed_over(lab, provider="resend", provider_id=None, state="claimed", channel="email")
    lab.conn.execute("update messaging.messages set generation = 1")
    body = said.resend("email.delivered", to=MAIL, tag=f"{id}{generation}")
    arrive(lab, *resend.read(body, "msg_1").reports)
    apply(lab)
    assert lab.message(id)["state"] == state


def test_a_device_that_a_receipt_calls_gone_is_given_up_and_the_others_are_not(lab: Lab) -> None:
    gone, kept = "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]", "ExponentPushToken[bbbbbbbbbbbbbbbbbbbbbb]"
    lab.conn.execute("update clinic.patients set user_id = 'user-1'")
    for token in (kept, gone):
        lab.conn.execute("insert into clinic.push_tokens values (%s, 'user-1')", [token])
    handed_over(lab, provider="expo", provider_id="ticket-1", channel="push")
    lab.conn.execute("update messaging.messages set address_hash = %s", [lab.hasher.address("push", gone)])
    expo = Scripted("push", provider="expo")
    arrive(lab, *tickets.reports(expo, {"ticket-1": tickets.DEVICE_GONE}))
    apply(lab)
    assert lab.conn.execute("select token from clinic.push_tokens where active").fetchall() == [(kept,)]


def test_receipts_that_came_before_the_message_was_found_are_applied_after_it(lab: Lab) -> None:
    id = handed_over(lab, provider_id=None, state="unknown")
    arrive(lab, *updates("delivered"))
    lab.pass_time(minutes=11)
    assert apply(lab) == Applied(unmatched=1)
    assert unknowns.settle(lab.conn, id, "evolution", "KEY-1", now=lab.moment)
    assert apply(lab) == Applied(applied=1)
    assert lab.message(id)["state"] == "delivered"


def test_news_of_something_sent_there_is_asked_about_at_once(lab: Lab) -> None:
    id = handed_over(lab, provider_id=None, state="unknown")
    lab.conn.execute("update messaging.messages set due_at = 'infinity'")
    arrive(lab, *evolution.read(said.sent("5511900000000", "OTHER")).reports)
    assert lab.value("select due_at = 'infinity' from messaging.messages where id = %s", id)
    arrive(lab, *evolution.read(said.sent(said.NUMBER)).reports)
    assert lab.message(id)["due_at"] == lab.moment


@dataclass
class Hasty:
    """A provider whose receipt is there before its answer."""

    lab: Lab
    provider: str = "meta"
    channel: Channel = "whatsapp"
    repeats_safely: bool = False
    repeat_within: dt.timedelta = dt.timedelta(0)
    can_look_up: bool = False

    async def send(self, envelope: Envelope) -> Result:
        reports = meta.read(said.meta(statuses=[said.status("delivered", key=envelope.key)])).reports
        with self.lab.warehouse.connect(autocommit=True) as conn:
            receipts.store(conn, reports, hasher=self.lab.hasher, now=self.lab.moment)
            done = receipts.apply(conn, hasher=self.lab.hasher, clinic=self.lab.door, now=self.lab.moment)
            assert done.applied == 1
        return Accepted("wamid.1")

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        raise AssertionError(envelope.id)

    async def health(self, account: str) -> Healthy:
        return Healthy()


def test_a_receipt_before_the_answer_has_the_last_word(lab: Lab) -> None:
    lab.visit()
    planned = lab.remind()
    lab.senders["whatsapp"] = Hasty(lab)
    asyncio.run(dispatch(lab.dispatcher()))
    row = lab.message(planned.id)
    assert (row["state"], row["provider_id"]) == ("delivered", "wamid.1")
    assert lab.path(planned.id) == ["planned", "claimed", "delivered"]


def test_a_report_waits_for_its_message_and_is_given_up_after_ten_minutes(lab: Lab) -> None:
    arrive(lab, *updates("delivered"))
    assert apply(lab) == Applied()
    lab.pass_time(minutes=9)
    assert apply(lab) == Applied()
    handed_over(lab)
    assert apply(lab) == Applied(applied=1)
    arrive(lab, *evolution.read(said.update("READ", "OTHER")).reports)
    lab.pass_time(minutes=10)
    assert apply(lab) == Applied(unmatched=1)
    assert outcomes(lab) == ["applied", "unmatched"]


def test_reports_that_wait_do_not_hold_up_others(lab: Lab) -> None:
    for number in range(5):
        arrive(lab, *evolution.read(said.update("READ", f"BY-HAND-{number}")).reports)
    handed_over(lab)
    arrive(lab, *updates("read"))
    assert apply(lab, limit=2) == Applied(applied=1)


def test_more_than_a_batch_is_applied_at_once(lab: Lab) -> None:
    handed_over(lab)
    arrive(lab, *updates("accepted", "delivered", "read"))
    assert apply(lab, limit=1).total == 3


def test_what_says_nothing_is_kept_and_done(lab: Lab) -> None:
    arrive(lab, *evolution.read(said.update("PENDING")).reports)
    arrive(lab, *resend.read(said.resend("contact.created"), "msg_1").reports)
    arrive(lab, *evolution.read(b"hello").reports)
    assert outcomes(lab) == ["informative"] * 3
    assert apply(lab) == Applied()


@pytest.mark.parametrize("state", ["planned", "deferred", "skipped", "expired", "failed"])
@pytest.mark.parametrize("status", STATUSES)
def test_no_report_touches_a_message_that_is_not_out(state: Any, status: Status) -> None:
    assert next_state(state, status) is None


@given(st.sampled_from(sorted(RANK)), st.lists(st.sampled_from(STATUSES)))
def test_reports_never_lead_backwards(state: Any, statuses: list[Status]) -> None:
    for status in statuses:
        after = next_state(state, status)
        if after is None:
            continue
        assert state in RANK
        assert after == "failed" if status == "failed" else RANK[after] > RANK[state]
        assert not (after == "failed" and RANK[state] > 1)
        state = after


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.sampled_from(["claimed", "unknown", "retry", "accepted", "delivered"]),
    st.lists(st.tuples(st.sampled_from(STATUSES), st.booleans()), min_size=1, max_size=7),
    st.randoms(use_true_random=False),
)
def test_any_order_and_repetition_ends_in_the_same_state(
    lab: Lab, first: str, sent: list[tuple[Status, bool]], chance: random.Random
) -> None:
    """Twice over: as they were sent, and shuffled, each applied with others or alone."""
    finals = []
    for turn, order in enumerate((sent, chance.sample(sent, len(sent)))):
        lab.conn.execute("delete from messaging.deliveries; delete from messaging.messages")
        id = handed_over(lab, state=first, provider_id=None, key=f"k-{turn}")
        seen = [str(lab.message(id)["state"])]
        for status, alone in order:
            body = said.meta(statuses=[said.status({"accepted": "sent"}.get(status, status), key=f"k-{turn}")])
            lab.conn.execute("update messaging.messages set provider = 'meta' where id = %s", [id])
            arrive(lab, *meta.read(body).reports)
            if alone:
                apply(lab)
                seen.append(str(lab.message(id)["state"]))
        apply(lab)
        seen.append(str(lab.message(id)["state"]))
        ranks = [RANK.get(state, 9) for state in seen]
        assert ranks == sorted(ranks)
        finals.append(seen[-1])
    if all(status != "failed" for status, _ in sent):
        best = max((RANK[status] for status, _ in sent))
        assert {RANK[state] for state in finals} == {max(best, RANK[first])}
    assert not lab.value("select count(*) from messaging.deliveries where applied_at is null")


def test_what_arrived_together_has_not_failed_if_it_was_delivered(lab: Lab) -> None:
    id = handed_over(lab)
    arrive(lab, *updates("failed", "delivered"))
    assert apply(lab) == Applied(applied=1, late=1)
    assert lab.message(id)["state"] == "delivered"


def test_a_failure_says_why(lab: Lab) -> None:
    id = handed_over(lab, provider="meta", provider_id="wamid.1")
    arrive(lab, *meta.read(said.meta(statuses=[said.status("failed", code=131047)])).reports)
    apply(lab)
    row = lab.message(id)
    assert (row["state"], row["error_class"], row["error_code"]) == ("failed", "permanent", "meta_131047")
    assert row["reason"] == "meta reports status.failed: meta_131047"


# --- addresses


def suppressed(lab: Lab) -> Sequence[Any]:
    return lab.conn.execute("select channel, reason, evidence, expires_at from messaging.suppressions").fetchall()


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("email.bounced", {"bounce": {"type": "Permanent"}}, "bounce"),
        ("email.complained", {}, "complaint"),
        ("email.suppressed", {}, "suppressed"),
    ],
)
def test_nothing_more_goes_to_a_dead_or_unwilling_address(
    lab: Lab, kind: str, data: dict[str, Any], reason: str
) -> None:
    handed_over(lab, provider="resend", provider_id="e-1", channel="email")
    arrive(lab, *resend.read(said.resend(kind, **data), "msg_1").reports)
    apply(lab)
    assert suppressed(lab) == [("email", reason, "resend:msg_1", None)]
    lab.visit("visit-2", "2026-03-14T09:00")
    second = lab.remind("visit-2", "email")
    lab.dispatch()
    assert lab.message(second.id)["reason"] == f"suppressed: {reason}"


def test_a_full_mailbox_fails_one_message_only(lab: Lab) -> None:
    id = handed_over(lab, provider="resend", provider_id="e-1", channel="email")
    arrive(lab, *resend.read(said.resend("email.bounced", bounce={"type": "Transient"}), "msg_1").reports)
    apply(lab)
    assert lab.message(id)["state"] == "failed"
    assert not suppressed(lab)


def test_a_complaint_about_what_was_delivered_still_counts(lab: Lab) -> None:
    id = handed_over(lab, provider="resend", provider_id="e-1", channel="email")
    arrive(lab, *resend.read(said.resend("email.opened"), "msg_1").reports)
    arrive(lab, *resend.read(said.resend("email.complained"), "msg_2").reports)
    assert apply(lab).total == 2
    assert lab.message(id)["state"] == "read"
    assert len(suppressed(lab)) == 1


def test_a_number_without_whatsapp_rests_for_a_while(lab: Lab) -> None:
    handed_over(lab, provider="meta", provider_id="wamid.1")
    arrive(lab, *meta.read(said.meta(statuses=[said.status("failed", code=131026)])).reports)
    lab.pass_time(minutes=5)
    apply(lab)
    assert suppressed(lab) == [
        ("whatsapp", "not_on_whatsapp", "meta:wamid.1:failed", said.AT + dt.timedelta(days=7))
    ]


def test_who_stops_marketing_at_meta_still_gets_reminders(lab: Lab) -> None:
    handed_over(lab, provider="meta", provider_id="wamid.1")
    arrive(lab, *meta.read(said.meta(statuses=[said.status("failed", code=131050)])).reports)
    apply(lab)
    assert not suppressed(lab)
    row = lab.row("select * from messaging.preferences")
    assert (row["category"], row["allowed"], row["organization_id"]) == ("marketing", False, "org-1")
    assert (row["source"], row["evidence"]) == ("meta", "meta:wamid.1:failed")


# --- many at once


def test_many_appliers_apply_each_report_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    real = preferences.suppress

    def counting(*args: Any, **named: Any) -> None:
        told.append(named["evidence"])
        real(*args, **named)

    monkeypatch.setattr(preferences, "suppress", counting)
    lab.visit()
    for number in range(40):
        handed_over(lab, provider="resend", provider_id=f"e-{number}", channel="email", key=f"k-{number}")
        for event in ("email.sent", "email.complained"):
            arrive(lab, *resend.read(said.resend(event, f"e-{number}"), f"{event}-{number}").reports)

    def applier() -> None:
        with lab.warehouse.connect(autocommit=True) as conn:
            for _ in range(50):
                receipts.apply(conn, hasher=lab.hasher, clinic=lab.door, now=lab.moment, limit=7)

    threads = [threading.Thread(target=applier) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    apply(lab)
    assert sorted(told) == sorted(f"resend:email.complained-{number}" for number in range(40))
    assert lab.states() == {"delivered": 40}
    assert lab.value("select count(*) from messaging.deliveries where applied_at is null") == 0


def test_a_message_that_somebody_writes_keeps_its_report_for_the_next_time(lab: Lab) -> None:
    id = handed_over(lab)
    arrive(lab, *updates("read"))
    with lab.warehouse.connect() as other:
        locked: Conn = other
        locked.execute("select 1 from messaging.messages where id = %s for update", [id])
        assert apply(lab) == Applied()
    assert apply(lab) == Applied(applied=1)


def test_a_patients_address_is_nowhere_in_what_is_kept(lab: Lab) -> None:
    arrive(lab, *resend.read(said.resend("email.bounced", tag="1"), "msg_1").reports)
    arrive(lab, *updates("read"))
    arrive(lab, *meta.read(said.meta(statuses=[said.status("failed", code=131026)])).reports)
    kept = lab.value("select string_agg(d::text, '') from messaging.deliveries d")
    assert not [canary for canary in (*said.CANARIES, PATIENT) if canary in kept]
