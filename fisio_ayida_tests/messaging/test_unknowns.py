"""Outcomes that nobody knows: what dead runs leave behind, and asking the provider, who may never tell."""

from __future__ import annotations

import datetime as dt

import pytest

from fisio_ayida.messaging import unknowns
from fisio_ayida.messaging.claims import rebuilt
from fisio_ayida.messaging.model import Ambiguous, Permanent
from fisio_ayida.messaging.outcomes import FIRST_LOOK, Ended
from fisio_ayida_tests.messaging.lab import Lab
from fisio_ayida_tests.messaging.scripted import Scripted, always

LEASE = dt.timedelta(minutes=2)
NEVER = "select due_at = 'infinity' from messaging.messages where id = %s"


@pytest.fixture
def sender(lab: Lab) -> Scripted:
    """A provider that knows no repetition, but has records; and a visit to be reminded of."""
    lab.visit("visit-1", "2026-03-14T14:00")
    lab.senders["whatsapp"] = made = Scripted(can_look_up=True)
    return made


def give_back(lab: Lab) -> tuple[int, int]:
    """What the lab's senders make of dead runs: messages to be repeated, and unknown ones."""
    return unknowns.give_back(lab.conn, lab.senders, now=lab.moment)


def take(lab: Lab) -> list[int]:
    """Messages to be asked about now."""
    return list(unknowns.take(lab.conn, lab.senders["whatsapp"], now=lab.moment, most=20))


def unknown(lab: Lab, **changes: str) -> int:
    """A message whose call was not answered."""
    sender = lab.senders["whatsapp"]
    assert isinstance(sender, Scripted)
    sender.answer = always(Ambiguous("timeout", "no answer"))
    planned = lab.remind(**changes)
    lab.call()
    return planned.id


# --- runs that died between claim and answer


def test_a_run_that_lives_keeps_its_messages(lab: Lab, sender: Scripted) -> None:
    planned = lab.remind()
    lab.claim()
    lab.moment += LEASE - dt.timedelta(seconds=1)
    assert give_back(lab) == (0, 0)
    assert lab.message(planned.id)["state"] == "claimed"


def test_what_the_provider_knows_again_is_repeated_with_the_same_bytes(lab: Lab, sender: Scripted) -> None:
    sender.repeats_safely = True
    planned = lab.remind()
    (first,) = lab.claim(run_id="run-1").envelopes
    lab.moment += LEASE
    assert give_back(lab) == (1, 0)
    lab.call(run_id="run-2")
    (second,) = sender.calls
    assert (second.key, second.to, second.content, second.attempt) == (first.key, first.to, first.content, 2)
    assert lab.path(planned.id) == ["planned", "claimed", "retry", "claimed", "accepted"]


def test_a_file_is_written_again(lab: Lab) -> None:
    lab.visit()
    lab.remind()
    lab.claim()
    lab.moment += LEASE
    assert give_back(lab) == (1, 0)
    lab.call()
    assert len(lab.files("whatsapp")) == 1


def test_what_the_provider_does_not_know_again_is_never_sent_again(lab: Lab, sender: Scripted) -> None:
    planned = lab.remind()
    lab.claim()
    lab.moment += LEASE
    assert give_back(lab) == (0, 1)
    row = lab.message(planned.id)
    assert (row["state"], row["error_class"], row["error_code"]) == ("unknown", "ambiguous", "run_lost")
    assert row["due_at"] == lab.moment + FIRST_LOOK
    for _ in range(20):
        lab.dispatch()
        lab.pass_time(minutes=30)
    assert sender.calls == []


@pytest.mark.parametrize("change", ["another provider", "its window is over", "no such channel"])
def test_what_nobody_would_know_again_is_not_repeated(lab: Lab, sender: Scripted, change: str) -> None:
    sender.repeats_safely, sender.repeat_within = True, dt.timedelta(minutes=10)
    lab.remind()
    lab.claim()
    lab.moment += LEASE
    if change == "another provider":
        lab.senders["whatsapp"] = Scripted(provider="other", repeats_safely=True)
    elif change == "no such channel":
        del lab.senders["whatsapp"]
    else:
        lab.pass_time(minutes=10)
    assert give_back(lab) == (0, 1)


def test_a_run_that_was_only_slow_does_not_undo_what_was_decided(lab: Lab, sender: Scripted) -> None:
    planned = lab.remind()
    (envelope,) = lab.claim(run_id="run-1").envelopes
    lab.moment += LEASE
    give_back(lab)
    lab.record(Ended(envelope, Permanent("400", "bad")), run_id="run-1")
    assert lab.message(planned.id)["state"] == "unknown"


# --- asking the provider


def test_the_provider_is_asked_after_growing_pauses_and_then_no_more(lab: Lab, sender: Scripted) -> None:
    id, start, moments = unknown(lab), lab.moment, []
    for _ in range(12 * 60):
        lab.pass_time(seconds=30)
        if take(lab):
            moments.append((lab.moment - start).total_seconds())
    assert moments == [90, 270, 630, 1350, 2790, 5670]
    assert lab.value(NEVER, id)
    assert lab.path(id)[-1] == "unknown"


def test_one_process_asks(lab: Lab, sender: Scripted) -> None:
    id = unknown(lab)
    lab.moment += FIRST_LOOK
    lab.conn.execute("set lock_timeout = '10s'")
    with lab.warehouse.connect() as other:
        assert unknowns.take(other, lab.senders["whatsapp"], now=lab.moment, most=20) == [id]
        assert take(lab) == []
    assert take(lab) == []


def test_what_is_asked_is_what_was_sent(lab: Lab, sender: Scripted) -> None:
    id = unknown(lab)
    (again,) = rebuilt(lab.conn, [id], lab.claimant(), now=lab.moment)
    (first,) = sender.calls
    assert (again.to, again.content, again.account) == (first.to, first.content, first.account)
    assert (again.first_called_at, again.attempt, again.taken) == (lab.moment, first.attempt, ())


def test_what_is_known_to_be_another_message_is_not_looked_for(lab: Lab, sender: Scripted) -> None:
    first, second = unknown(lab, key="reminder:1"), unknown(lab, key="reminder:2")
    assert unknowns.settle(lab.conn, first, "scripted", "wamid.7", now=lab.moment)
    (again,) = rebuilt(lab.conn, [second], lab.claimant(), now=lab.moment)
    assert again.taken == ("wamid.7",)


def test_what_cannot_be_told_any_more_is_not_asked(lab: Lab, sender: Scripted) -> None:
    id = unknown(lab)
    lab.conn.execute("update clinic.patients set phone = '(21) 99999-8888'")
    assert rebuilt(lab.conn, [id], lab.claimant(), now=lab.moment) == []


def test_what_the_provider_has_is_accepted(lab: Lab, sender: Scripted) -> None:
    id = unknown(lab)
    sender.records[id] = "wamid.7"
    lab.moment += FIRST_LOOK
    assert lab.dispatch().looked_up == 1
    row = lab.message(id)
    assert (row["state"], row["provider_id"], row["accepted_at"]) == ("accepted", "wamid.7", lab.moment)
    assert (row["error_class"], row["error_code"]) == (None, None)
    assert len(sender.calls) == 1


def test_what_the_provider_does_not_find_stays_unknown(lab: Lab, sender: Scripted) -> None:
    id = unknown(lab, template="feedback_request", variables={"nome": "Ana", "clinica": "C"}, category="care")
    for _ in range(10):
        lab.pass_time(hours=1)
        lab.dispatch()
    assert (len(sender.looks), len(sender.calls), lab.path(id)[-1]) == (6, 1, "unknown")


def test_a_record_settles_one_message(lab: Lab, sender: Scripted) -> None:
    first, second = unknown(lab, key="reminder:1"), unknown(lab, key="reminder:2")
    sender.records |= {first: "wamid.7", second: "wamid.7"}
    lab.moment += FIRST_LOOK
    lab.dispatch()
    found = lab.conn.execute(
        "select state, provider_id from messaging.messages where channel = 'whatsapp' order by id"
    )
    assert found.fetchall() == [("accepted", "wamid.7"), ("unknown", None)]


def test_a_receipt_that_was_faster_than_the_look_has_the_last_word(lab: Lab, sender: Scripted) -> None:
    id = unknown(lab)
    lab.conn.execute("update messaging.messages set state = 'read' where id = %s", [id])
    assert not unknowns.settle(lab.conn, id, "scripted", "wamid.7", now=lab.moment)
    assert lab.message(id)["state"] == "read"


@pytest.mark.parametrize("change", ["no records", "another provider"])
def test_where_nobody_can_be_asked_nobody_is(lab: Lab, sender: Scripted, change: str) -> None:
    id = unknown(lab)
    lab.senders["whatsapp"] = Scripted(can_look_up=False) if change == "no records" else Scripted(
        provider="other", can_look_up=True
    )  # fmt: skip
    lab.moment += FIRST_LOOK
    lab.dispatch()
    assert lab.value(NEVER, id)
