"""Handling a claim: each event on its own, effect and outcome together, tries by the policy."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import pytest

from fisio_ayida.events import canary, claims
from fisio_ayida.events.outcomes import GiveUp, Skip
from fisio_ayida.events.registry import EVENTS, PROCESS, SYNC_CALLS
from fisio_ayida.events.work import CHUNK, Outside, Result, Taken
from fisio_ayida_tests.events.lab import DETAIL, Conn, Lab, echoing


def test_an_event_ends_with_its_run_its_result_and_its_effect(lab: Lab) -> None:
    [id_] = lab.canaries(1)
    lab.later(seconds=3)
    tally = lab.drain()
    row = lab.row(id_)
    assert (row.state, row.run_id, row.attempt, row.result) == ("done", "run-1", 1, {"seconds": 3.0})
    assert lab.history(id_) == ["claimed", "done"]
    assert lab.echoes() == [id_]
    assert (tally.total(), tally.claims) == (1, 1)


def test_a_bad_event_leaves_nothing_and_its_neighbours_alone(lab: Lab) -> None:
    ids = lab.canaries(5)

    def fail(conn: Conn, taken: Taken) -> None:
        if taken.id == ids[2]:
            raise RuntimeError("no good")

    lab.drain(echoing(fail))
    assert lab.echoes() == [*ids[:2], *ids[3:]]
    assert lab.row(ids[2]).reason == "RuntimeError: no good"
    assert lab.states() == {"done": 4, "retry": 1}


def test_a_statement_that_fails_is_its_event_s_own_affair(lab: Lab) -> None:
    first, second = lab.canaries(2)

    def fail(conn: Conn, taken: Taken) -> None:
        if taken.id == first:
            conn.execute("select 1 / 0")

    lab.drain(echoing(fail))
    assert lab.echoes() == [second]
    assert lab.row(first).reason == "DivisionByZero: division by zero"


def test_tries_follow_the_policy_until_the_event_is_dead(lab: Lab) -> None:
    policy = EVENTS[canary.NAME].retry
    [id_] = lab.canaries(1)

    def fail(conn: Conn, taken: Taken) -> None:
        raise RuntimeError("no good")

    pauses = []
    while lab.row(id_).state != "dead":
        lab.drain(echoing(fail))
        row = lab.row(id_)
        pauses.append((row.due_at - lab.moment).total_seconds())
        if row.state == "retry":
            assert lab.drain(echoing(fail)).total() == 0, "not before it is due"
            lab.moment = row.due_at
    assert pauses[:-1] == [policy.pause(n, 0.0).total_seconds() for n in range(1, policy.most + 1)]
    assert pauses[:-1] == [0.5, 1, 2, 4, 8]
    assert lab.row(id_).reason == "RuntimeError: no good (try 6 of 6)"
    assert lab.echoes() == []


@pytest.mark.parametrize(("error", "state"), [(Skip("not wanted"), "skipped"), (GiveUp("no such thing"), "dead")])
def test_a_handler_may_end_its_event_at_once(lab: Lab, error: Exception, state: str) -> None:
    [id_] = lab.canaries(1)

    def stop(conn: Conn, taken: Taken) -> None:
        raise error

    lab.drain(echoing(stop))
    assert (lab.row(id_).state, lab.row(id_).reason) == (state, str(error))
    assert lab.echoes() == []


def test_a_reason_holds_no_secret(lab: Lab) -> None:
    [id_] = lab.canaries(1)

    def fail(conn: Conn, taken: Taken) -> None:
        raise GiveUp("postgresql://me:s3cret@host refused ana@example.com")

    lab.drain(echoing(fail))
    reason = lab.row(id_).reason or ""
    assert "refused" in reason and "s3cret" not in reason and "example.com" not in reason


@pytest.mark.parametrize("fails", [False, True])
def test_an_event_that_is_cancelled_while_a_run_has_it_is_not_begun_or_not_tried_again(
    lab: Lab, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "appointment/created"
    monkeypatch.setitem(EVENTS, name, replace(EVENTS[name], work=PROCESS, batch=2))
    under_way = lab.send(name, {"appointmentId": "a-1"})
    waiting = lab.send(name, {"appointmentId": "a-2"})
    lab.later(minutes=2)

    async def handle(taken: Taken) -> Result:
        if fails:
            for appointment in ("a-1", "a-2"):
                lab.send("appointment/cancelled", {"appointmentId": appointment})
            raise RuntimeError("no good")
        lab.send("appointment/cancelled", {"appointmentId": "a-2"})
        return None

    lab.drain({name: Outside(handle)})
    assert lab.row(under_way).state == ("skipped" if fails else "done")
    assert lab.row(waiting).state == "skipped"
    assert "appointment/cancelled" in (lab.row(waiting).reason or "")


def test_an_event_that_is_cancelled_in_time_leaves_no_effect(lab: Lab) -> None:
    ids = lab.canaries(CHUNK + 2)

    def cancel_the_last(conn: Conn, taken: Taken) -> None:
        if taken.id == ids[0]:
            lab.conn.execute("update events.inbox set cancelled_by = 'an operator' where id = %s", [ids[-1]])

    lab.drain(echoing(cancel_the_last))
    assert lab.echoes() == ids[:-1]
    assert (lab.row(ids[-1]).state, lab.row(ids[-1]).reason) == ("skipped", "cancelled by an operator")


def test_handlers_that_work_outside_run_as_many_at_once_as_the_registry_says(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EVENTS, DETAIL, replace(EVENTS[DETAIL], concurrency=3))
    for number in range(8):
        lab.send(DETAIL, {"bdns": str(number)})
    under_way, most = 0, 0

    async def handle(taken: Taken) -> Result:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        if taken.data["bdns"] == "5":
            raise RuntimeError("no good")
        return {"bdns": taken.data["bdns"]}

    lab.drain({DETAIL: Outside(handle)}, works=(SYNC_CALLS,))
    assert most == 3
    assert lab.states() == {"done": 7, "retry": 1}


def test_a_run_by_hand_takes_all_there_is_and_one_with_a_claim_stops_claiming_after_a_while(lab: Lab) -> None:
    first = lab.canaries(2)
    claim = lab.claim()
    assert claim is not None
    second = lab.canaries(2)
    lab.drain(claim=claim.id, most=dt.timedelta(0))
    assert lab.echoes() == first
    lab.drain(run_id=None)
    assert lab.echoes() == [*first, *second]
    assert lab.value("select array_agg(distinct run_id) from events.claims where run_id <> 'run-1'") == ["by hand"]


def test_a_claim_that_has_ended_is_nothing_to_do(lab: Lab) -> None:
    lab.canaries(1)
    claim = lab.claim()
    assert claim is not None
    claims.release(lab.conn, claim.id, now=lab.moment, why="nobody came", lost=False)
    assert lab.drain(claim=claim.id, most=dt.timedelta(0)).claims == 0
    assert lab.states() == {"received": 1}
