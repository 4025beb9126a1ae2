"""Histories of everything that can happen to messages: nobody gets one twice, or one that must not be sent.

The same histories find a fault in code that was doctored: a checker that cannot fail proves nothing.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from fisio_ayida.messaging import claims, outcomes, unknowns
from fisio_ayida.messaging.model import Accepted
from fisio_ayida.messaging.quiet import DEFAULT
from fisio_ayida.messaging.rules import Facts, Organization, Verdict, decide
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.messaging import laws
from fisio_ayida_tests.messaging.lab import MORNING
from fisio_ayida_tests.messaging.process import Process, run_dispatcher
from fisio_ayida_tests.messaging.provider import KeyedProvider, Reached
from fisio_ayida_tests.messaging.telling import opened, told
from fisio_ayida_tests.messaging.world import World

# Ten thousand are run by `python -m bench messaging-histories`.
HISTORIES = 100
MOST_UNTIL_FOUND = 300
SEED_OF_DOCTORED = 5
MINUTE = dt.timedelta(minutes=1)
#: Civil time.
TOMORROW_AT_14 = dt.datetime.fromisoformat("2026-03-13T14:00")


@pytest.fixture(scope="module")
def world(messaging_warehouse: Warehouse) -> Iterator[World]:
    with opened(messaging_warehouse.url) as found:
        yield found


def test_whatever_happens_nobody_gets_a_message_twice_or_one_that_must_not_be_sent(world: World) -> None:
    seed = secrets.randbits(31)
    seen = told(world, HISTORIES, seed, shrink=False)
    # Without troubles it would prove nothing.
    kinds = (
        "ended accepted",
        "ended skipped",
        "ended expired",
        "ended unknown",
        "killed before the call",
        "moved",
    )
    assert all(seen[kind] for kind in kinds), (seed, seen)


def blind(**facts: Any) -> Any:
    """Rules that do not see something."""

    def decided(found: Facts, now: dt.datetime) -> Verdict:
        return decide(replace(found, **facts), now)

    return patch.object(claims, "decide", decided)


DOCTORED: dict[str, tuple[Any, str]] = {
    "the cause is not read again": (blind(cause=None), "is about to be sent: the visit"),
    "quiet hours are not heeded": (blind(heeds_quiet=False), "it is quiet"),
    "one record settles two messages": (
        patch.object(unknowns, "_TAKEN", "select 1 where %s || %s || %s = ''"),
        "is said to be the id of 2 messages",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DOCTORED)
def test_histories_find_code_that_was_doctored(world: World, what: str) -> None:
    doctored, words = DOCTORED[what]
    with doctored, pytest.raises(AssertionError, match=words):
        told(world, MOST_UNTIL_FOUND, SEED_OF_DOCTORED, shrink=False)


# --- one history each, written by hand: what chance finds too late


@pytest.fixture
def story(world: World) -> World:
    """A clinic with a visit tomorrow afternoon, and its reminder on both channels."""
    world.begin(sealed=True, consent=True)
    world.book(0, TOMORROW_AT_14)
    world.plan([("reminder", "whatsapp", 0), ("reminder", "email", 0)], 1, dt.timedelta())
    return world


def send(world: World) -> None:
    process = Process(world, "first")
    for channel in world.evolution.channel, world.resend.channel:
        process.claim(channel, 8)
    process.call(8)
    process.record()


def broken(world: World) -> list[str]:
    return laws.violations(laws.rows(world.conn, world.moment), world.reached, world.failed_by_report)


def opted_out(world: World) -> None:
    world.say("patient-1", "whatsapp", "all", False)
    send(world)


def stopped_by_a_reply(world: World) -> None:
    world.write(world.patients[0].phone, "PARAR")
    send(world)


def suppressed(world: World) -> None:
    world.suppress("email", world.patients[0].email, 30)
    send(world)


def moved(world: World) -> None:
    world.move(world.visits[0], TOMORROW_AT_14 + dt.timedelta(hours=1))
    send(world)


def closed(world: World) -> None:
    world.set_clinic(False)
    send(world)


STORIES: list[tuple[Callable[[World], None], dict[str, Any], str]] = [
    (opted_out, {"preferences": ()}, "the patient wants none"),
    (stopped_by_a_reply, {"preferences": ()}, "the patient wants none"),
    (suppressed, {"suppressed": None}, "its address is suppressed"),
    (moved, {"cause_version": None}, "the visit was moved"),
    (
        closed,
        {"organization": Organization(True, frozenset(), DEFAULT, "consent")},
        "the clinic or the patient is",
    ),
]


@pytest.mark.parametrize(("happens", "unseen", "words"), STORIES)
def test_what_must_not_be_sent_is_objected_to(
    story: World, happens: Callable[[World], None], unseen: dict[str, Any], words: str
) -> None:
    with blind(**unseen), pytest.raises(AssertionError, match=words):
        happens(story)


def test_a_slow_clock_is_found_out(story: World) -> None:
    def late(found: Facts, now: dt.datetime) -> Verdict:
        return decide(found, now - MINUTE)

    story.moment = story.visits[0].starts_at
    with patch.object(claims, "decide", late), pytest.raises(AssertionError, match="the visit has begun"):
        send(story)


def test_sending_again_what_a_dead_run_had_is_found_out(story: World) -> None:
    process = Process(story, "first")
    process.claim("whatsapp", 8)
    process.call(8)
    process.die()
    story.moment += 3 * MINUTE
    with (
        patch.object(unknowns, "_repeats", lambda *_: True),
        patch.object(claims, "_knows_repeat", lambda *_: True),
    ):
        run_dispatcher(story, "second")
    assert "reminder:visit-1:2026-03-13t14:00:d1:whatsapp reached somebody 2 times" in broken(story)


def test_a_dispatcher_that_leaves_what_dead_runs_had_is_found_out(story: World) -> None:
    Process(story, "first").claim("whatsapp", 8)
    story.moment += 3 * MINUTE
    with (
        patch.object(unknowns, "give_back", lambda *_, **__: (0, 0)),
        pytest.raises(AssertionError, match="cannot do"),
    ):
        run_dispatcher(story, "second")
    assert "reminder:visit-1:2026-03-13t14:00:d1:whatsapp is claimed for ever" in broken(story)


def test_a_provider_that_forgets_its_keys_is_found_out(story: World) -> None:
    story.resend.faults += ["answer_lost"]
    with patch.object(KeyedProvider, "_known", lambda *_: None):
        send(story)
        story.moment += MINUTE
        send(story)
    assert "reminder:visit-1:2026-03-13t14:00:d1:email reached somebody 2 times" in broken(story)


def test_an_outbox_that_says_more_than_it_knows_is_found_out(story: World) -> None:
    story.evolution.faults += ["call_lost"]
    change = outcomes._change

    def hopeful(ended: outcomes.Ended, *rest: Any) -> Any:
        return change(replace(ended, result=Accepted("evolution-7")), *rest)

    with patch.object(outcomes, "_change", hopeful):
        send(story)
    assert "reminder:visit-1:2026-03-13t14:00:d1:whatsapp is accepted and never reached the provider" in broken(
        story
    )


def test_a_visit_that_was_moved_and_moved_back_is_announced_after_all(story: World) -> None:
    visit = story.visits[0]
    story.move(visit, visit.start + dt.timedelta(hours=1))
    run_dispatcher(story, "first")
    assert not story.reached
    story.move(visit, visit.before)
    story.plan([("reminder", "whatsapp", 0)], 2, dt.timedelta())
    run_dispatcher(story, "second")
    assert [one.key for one in story.reached] == ["reminder:visit-1:2026-03-13t14:00:d1:whatsapp"]
    assert not broken(story)


def test_a_batch_that_was_lost_and_then_failed_is_never_sent_one_by_one(story: World) -> None:
    story.plan([("birthday", "email", 0), ("birthday", "email", 1)], 1, dt.timedelta())
    story.resend.faults += [None, "answer_lost", "failed_before"]
    run_dispatcher(story, "first")
    story.moment += MINUTE
    run_dispatcher(story, "second")
    assert sorted(one.key for one in story.resend.reached) == [
        "birthday:patient-1:2026:email", "birthday:patient-2:2026:email",
        "reminder:visit-1:2026-03-13t14:00:d1:email",
    ]  # fmt: skip
    assert not broken(story)


# --- the laws themselves


def row(**facts: Any) -> laws.Row:
    """A message that has arrived, or was doctored."""
    good: dict[str, Any] = {
        "id": 1, "key": "k", "channel": "email", "state": "accepted", "reason": None, "provider_id": "resend-1",
        "attempt": 1, "is_due": True, "claimed_at": MORNING, "fallback_of": None, "sibling_accepted_at": None,
        "path": ["planned", "claimed", "accepted"],
    }  # fmt: skip
    return laws.Row(**(good | facts))


ONE = Reached("k", 1, "email", "ana@example.com", "Olá", "resend-1", MORNING)
OTHER = replace(ONE, key="other", provider_id="resend-2")


UNKNOWN = ["planned", "claimed", "unknown", "failed"]
LAWS: list[tuple[list[laws.Row], list[Reached], list[str]]] = [
    ([row()], [ONE], []),
    ([row()], [ONE, ONE], ["k reached somebody 2 times"]),
    ([row(state="claimed")], [ONE], ["k is claimed for ever"]),
    ([row(provider_id="resend-9")], [ONE], ["k is accepted and never reached the provider"]),
    ([row(provider_id="resend-2"), row(key="other", state="unknown", provider_id=None)], [ONE, OTHER],
     ["k is accepted with the id of other"]),
    ([row(state="skipped", reason="stale: moved")], [ONE], ["k reached somebody and is skipped (stale: moved)"]),
    ([row(state="failed", reason="refused", path=UNKNOWN)], [ONE], []),
    ([row(sibling_accepted_at=MORNING - MINUTE)], [ONE],
     ["k was sent although the message that it stands in for had arrived"]),
    ([row(), row(key="l", state="unknown")], [ONE], ["resend-1 is said to be the id of 2 messages"]),
    ([], [ONE], ["k reached somebody and was never planned"]),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "reached", "words"), LAWS)
def test_each_law_can_be_broken(rows: list[laws.Row], reached: list[Reached], words: list[str]) -> None:
    assert laws.violations(rows, reached, set()) == words
