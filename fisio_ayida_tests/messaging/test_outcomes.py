"""How calls end in the outbox: what each answer makes of a message, and who may still say so."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fisio_ayida.messaging import outbox, outcomes
from fisio_ayida.messaging.model import Accepted, Ambiguous, ChannelDown, Permanent, Result, Transient
from fisio_ayida.messaging.outcomes import Ended
from fisio_ayida_tests.messaging.lab import Lab
from fisio_ayida_tests.messaging.scripted import Scripted, always, in_turn

RATE = Transient("rate_limit_exceeded", "slow down", is_rate=True)
DOWN = Transient("503", "unavailable", channel=True)
OWN = Transient("500", "an error of this message")


def at(seconds: float) -> dt.timedelta:
    """So long after the call."""
    return dt.timedelta(seconds=seconds)


@pytest.fixture
def sender(lab: Lab) -> Scripted:
    """A sender that does not know repetitions; and a visit to be reminded of."""
    lab.visit("visit-1", "2026-03-14T14:00")
    lab.senders["whatsapp"] = made = Scripted()
    return made


@pytest.mark.parametrize(
    ("result", "repeats", "state", "error", "pause", "failures"),
    [
        (Accepted("wamid.1"), False, "accepted", None, None, 0),
        (Permanent("400", "bad"), False, "failed", ("permanent", "400", "bad"), None, 0),
        (RATE, False, "retry", ("transient", "rate_limit_exceeded", "slow down"), 2, 0),
        (Transient("429", "slow down", at(45)), False, "retry", ("transient", "429", "slow down"), 45, 0),
        (Transient("503", "later", at(70)), False, "retry", ("transient", "503", "later"), 70, 0),
        (DOWN, False, "retry", ("channel", "503", "unavailable"), 30, 0),
        (Transient("503", "later", at(90), channel=True), False, "retry", ("channel", "503", "later"), 90, 0),
        (OWN, False, "retry", ("transient", "500", "an error of this message"), 2, 1),
        (ChannelDown("401", "wrong key"), False, "retry", ("channel", "401", "wrong key"), 30, 0),
        (ChannelDown("quota", "used up", at(3600)), False, "retry", ("channel", "quota", "used up"), 3600, 0),
        (Ambiguous("timeout", "no answer"), False, "unknown", ("ambiguous", "timeout", "no answer"), 90, 0),
        (Ambiguous("timeout", "no answer"), True, "retry", ("ambiguous", "timeout", "no answer"), 2, 0),
        (Ambiguous("409", "known", may_repeat=False), True, "unknown", ("ambiguous", "409", "known"), 90, 0),
        (Transient("alone", "go alone", at(0)), False, "retry", ("transient", "alone", "go alone"), 0, 0),
    ],
)
def test_each_answer_has_its_state_its_words_and_its_time(
    lab: Lab, sender: Scripted, result: Result, repeats: bool, state: str, error: Any, pause: float | None,
    failures: int,
) -> None:  # fmt: skip
    sender.answer, sender.repeats_safely = always(result), repeats
    planned = lab.remind()
    lab.call()
    row = lab.message(planned.id)
    assert (row["state"], row["failures"], row["attempt"], row["lease_until"]) == (state, failures, 1, None)
    assert (row["error_class"], row["error_code"], row["reason"]) == (error or (None, None, None))
    assert row["due_at"] - lab.moment == at(pause or 0)
    assert row["provider_id"] == ("wamid.1" if state == "accepted" else None)
    assert row["accepted_at"] == (lab.moment if state == "accepted" else None)


def test_a_messages_own_failures_are_tried_three_times_more_after_doubling_pauses(
    lab: Lab, sender: Scripted
) -> None:
    sender.answer = always(OWN)
    planned, pauses = lab.remind(), []
    while lab.call():
        row = lab.message(planned.id)
        pauses.append((row["due_at"] - lab.moment).total_seconds())
        lab.moment = row["due_at"]
    assert len(sender.calls) == 4
    assert pauses[:3] == [2, 4, 8]
    row = lab.message(planned.id)
    assert (row["state"], row["reason"]) == ("failed", "an error of this message (failed 4 times)")


@pytest.mark.parametrize("result", [RATE, DOWN, ChannelDown("401", "wrong key")])
def test_what_is_not_the_messages_fault_uses_up_no_try(lab: Lab, sender: Scripted, result: Result) -> None:
    sender.answer = in_turn(*[result] * 20, None)
    planned = lab.remind()
    while lab.call():
        lab.pass_time(minutes=2)
    row = lab.message(planned.id)
    assert (row["state"], row["attempt"], row["failures"]) == ("accepted", 21, 0)


def test_who_is_told_to_slow_down_slows_down(lab: Lab, sender: Scripted) -> None:
    sender.answer, pauses = always(RATE), []
    planned = lab.remind()
    for _ in range(7):
        lab.call()
        due = lab.message(planned.id)["due_at"]
        pauses.append((due - lab.moment).total_seconds())
        lab.moment = due
    assert pauses == [2, 4, 8, 16, 32, 60, 60]


def test_what_is_put_off_is_put_off_no_longer_than_it_is_of_use(lab: Lab, sender: Scripted) -> None:
    sender.answer = always(DOWN)
    planned = lab.remind(not_after=lab.moment + at(3600))
    while lab.call():
        lab.pass_time(minutes=10)
    row = lab.message(planned.id)
    assert (row["state"], row["attempt"]) == ("expired", 6)


def test_chance_lengthens_a_pause_by_up_to_a_quarter(lab: Lab, sender: Scripted) -> None:
    planned = lab.remind()
    (envelope,) = lab.claim().envelopes
    outcomes.record(lab.conn, [Ended(envelope, OWN)], sender, lab.door, run_id="run-1", now=lab.moment, jitter=1.0)
    assert lab.message(planned.id)["due_at"] - lab.moment == at(2.5)


def test_no_pause_is_longer_than_a_minute(lab: Lab, sender: Scripted) -> None:
    sender.answer, sender.repeats_safely = always(Ambiguous("timeout", "no answer")), True
    planned = lab.remind()
    for _ in range(12):
        lab.call()
        lab.pass_time(minutes=1)
    assert lab.message(planned.id)["due_at"] - lab.moment == at(0)


def test_what_cannot_be_repeated_any_more_is_unknown(lab: Lab, sender: Scripted) -> None:
    sender.answer, sender.repeats_safely = always(Ambiguous("timeout", "no answer")), True
    sender.repeat_within = at(600)
    planned = lab.remind()
    while lab.call():
        lab.pass_time(minutes=3)
    row = lab.message(planned.id)
    assert (row["state"], row["attempt"]) == ("unknown", 4)


def test_a_doubt_outlives_the_failures_after_it(lab: Lab, sender: Scripted) -> None:
    sender.answer, sender.repeats_safely = in_turn(Ambiguous("timeout", "no answer"), OWN), True
    planned = lab.remind()
    while lab.call():
        lab.pass_time(minutes=1)
    row = lab.message(planned.id)
    assert (row["state"], row["attempt"], row["failures"]) == ("unknown", 5, 4)


@pytest.mark.parametrize(("result", "state"), [(None, "accepted"), (Permanent("422", "no"), "failed")])
def test_a_doubt_ends_with_an_answer(lab: Lab, sender: Scripted, result: Result | None, state: str) -> None:
    sender.answer, sender.repeats_safely = in_turn(Ambiguous("timeout", "no answer"), result), True
    planned = lab.remind()
    lab.call()
    lab.pass_time(minutes=1)
    lab.call()
    row = lab.message(planned.id)
    assert (row["state"], row["error_class"]) == (state, None if state == "accepted" else "permanent")


# --- what a person has tried again


def test_what_is_tried_again_is_another_message_to_the_provider(lab: Lab, sender: Scripted) -> None:
    sender.answer, sender.repeats_safely = in_turn(Permanent("422", "no"), None), True
    planned = lab.remind()
    lab.call()
    lab.pass_time(minutes=5)
    assert outbox.retry(lab.conn, [planned.id], now=lab.moment) == {planned.id: "planned"}
    lab.call()
    first, second = sender.calls
    assert (first.key, second.key) == (planned.key, f"{planned.key}:R1")
    assert second.first_called_at is None, "the time in which it may be repeated begins again"
    row = lab.message(planned.id)
    assert (row["state"], row["first_called_at"], row["key"]) == ("accepted", lab.moment, planned.key)


def test_what_is_in_doubt_keeps_its_key_whoever_wants_it_tried_again(lab: Lab, sender: Scripted) -> None:
    sender.answer, sender.repeats_safely = always(Ambiguous("timeout", "no answer")), True
    planned = lab.remind()
    lab.call()
    outbox.retry(lab.conn, [planned.id], now=lab.moment)
    lab.call()
    assert [each.key for each in sender.calls] == [planned.key] * 2


# --- who may say how a call ended


@pytest.mark.parametrize("now", ["run_id = 'run-2'", "attempt = 2", "state = 'unknown', lease_until = null"])
def test_a_run_that_has_lost_a_message_changes_nothing(lab: Lab, sender: Scripted, now: str) -> None:
    planned = lab.remind()
    (envelope,) = lab.claim(run_id="run-1").envelopes
    lab.conn.execute(f"update messaging.messages set {now}, reason = 'because'")
    before = lab.message(planned.id)
    assert lab.record(Ended(envelope, Permanent("400", "bad")), run_id="run-1") == {}
    assert lab.message(planned.id) == before


@pytest.mark.parametrize("result", [Permanent("400", "bad"), OWN, Ambiguous("timeout", "no answer")])
def test_nothing_takes_a_receipt_back(lab: Lab, sender: Scripted, result: Result) -> None:
    planned = lab.remind()
    (envelope,) = lab.claim().envelopes
    receipt(lab, planned.id)
    before = lab.message(planned.id)
    assert lab.record(Ended(envelope, result)) == {}
    assert lab.message(planned.id) == before


def test_a_receipt_that_was_faster_than_the_answer_keeps_its_state_and_learns_the_id(
    lab: Lab, sender: Scripted
) -> None:
    planned = lab.remind()
    (envelope,) = lab.claim().envelopes
    receipt(lab, planned.id)
    lab.record(Ended(envelope, Accepted("wamid.1")))
    row = lab.message(planned.id)
    assert (row["state"], row["provider_id"]) == ("delivered", "wamid.1")
    assert lab.path(planned.id) == ["planned", "claimed", "delivered"]


def receipt(lab: Lab, id: int) -> None:
    """As a report moves a message on."""
    lab.conn.execute(
        "update messaging.messages set state = 'delivered', lease_until = null, changed_at = %s where id = %s",
        [lab.moment, id],
    )


def test_many_ends_are_written_together(lab: Lab, sender: Scripted) -> None:
    sender.answer = in_turn(Accepted("a"), OWN, Permanent("400", "bad"), Accepted("b"))
    for number in range(4):
        lab.remind(key=f"reminder:{number}")
    lab.call()
    found = lab.conn.execute("select state, provider_id from messaging.messages order by id").fetchall()
    assert found == [("accepted", "a"), ("retry", None), ("failed", None), ("accepted", "b")]


# --- what an answer says of the address


def test_an_address_that_does_not_work_is_written_to_no_more(lab: Lab, sender: Scripted) -> None:
    sender.answer = always(Permanent("exists:false", "not on WhatsApp", "not_on_whatsapp", dt.timedelta(days=30)))
    first = lab.remind()
    lab.call()
    assert lab.message(first.id)["state"] == "failed"
    second = lab.remind(key="reminder:other")
    assert not lab.claim().envelopes
    assert lab.message(second.id)["reason"].startswith("suppressed: not_on_whatsapp")
    lab.moment += dt.timedelta(days=30)
    lab.visit("visit-9", "2026-05-01T10:00")
    lab.remind("visit-9")
    assert lab.claim().envelopes


def test_a_device_that_is_gone_is_given_up(lab: Lab) -> None:
    token = "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]"  # noqa: S105  a device's address
    lab.conn.execute("update clinic.patients set user_id = 'user-1'")
    lab.conn.execute("insert into clinic.push_tokens values (%s, 'user-1')", [token])
    lab.visit()
    lab.senders["push"] = Scripted("push", always(Permanent("gone", "gone", "device_not_registered")))
    lab.remind(channel="push")
    lab.call("push")
    assert lab.value("select active from clinic.push_tokens") is False


def test_a_clinic_that_will_not_give_a_device_up_loses_no_outcome(lab: Lab) -> None:
    lab.conn.execute(
        "create or replace function clinic.disable_push_token(gone text) returns void language plpgsql as "
        "$$ begin raise exception 'no'; end $$"
    )
    test_device = "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]"
    lab.conn.execute("update clinic.patients set user_id = 'user-1'")
    lab.conn.execute("insert into clinic.push_tokens values (%s, 'user-1')", [test_device])
    lab.visit()
    lab.senders["push"] = Scripted("push", always(Permanent("gone", "gone", "device_not_registered")))
    planned = lab.remind(channel="push")
    with lab.conn.transaction():
        lab.call("push")
    assert lab.message(planned.id)["state"] == "failed"
    assert lab.value("select count(*) from messaging.suppressions") == 1


def test_no_address_stands_in_a_reason(lab: Lab, sender: Scripted) -> None:
    sender.answer = always(Permanent("400", "5511987654321 and ana@example.com are not there"))
    planned = lab.remind()
    lab.call()
    reason = lab.message(planned.id)["reason"]
    assert "98765" not in reason
    assert "ana@" not in reason
