"""Once more, or not at all: what an operator does to events, and that no effect happens twice for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.events import canary, desk, registry
from fisio_ayida.events.desk import Which
from fisio_ayida.events.outcomes import GiveUp, Skip
from fisio_ayida.events.registry import EVENTS, Event
from fisio_ayida.events.replay import CANCELLABLE, REPLAYABLE, Outcome, cancel, replay
from fisio_ayida.events.work import Taken
from fisio_ayida_tests.events.lab import DETAIL, Conn, Lab, echoing


def ids(*given_: str) -> Which:
    return Which(ids=given_)


def again(lab: Lab, which: Which, **changes: Any) -> Outcome:
    return replay(lab.conn, which, now=lab.moment, **changes)


def whys(outcome: Outcome) -> dict[str, str]:
    return {left.id: left.why for left in outcome.left}


def failing(lab: Lab, error: Exception) -> None:
    """Handle what is due with a handler that raises."""

    def fail(conn: Conn, taken: Taken) -> None:
        raise error

    lab.drain(echoing(fail))


def bad(lab: Lab) -> str:
    return lab.send(DETAIL, {"bdns": "x"})


def unstorable(lab: Lab) -> str:
    return lab.send(canary.NAME, {"note": "\0"})


# Once more


@pytest.mark.parametrize("state", REPLAYABLE)
def test_what_did_not_end_well_is_due_again_as_if_it_had_just_come(lab: Lab, state: str) -> None:
    [id_] = lab.canaries(1)
    lab.conn.execute(
        "update events.inbox set state = %s, attempt = 4, losses = 2, run_id = 'run-1', reason = 'no luck',"
        " cancelled_by = 'event x', due_at = due_at + interval '1 day'",
        [state],
    )
    outcome = again(lab, ids(id_))
    assert outcome.taken == {(canary.NAME, "replayed"): 1} and outcome.left == []
    row = lab.row(id_)
    assert (row.state, row.attempt, row.losses, row.due_at, row.run_id, row.reason) == (
        "received", 0, 0, lab.moment, None, "replayed",
    )  # fmt: skip
    assert lab.history(id_)[-1] == "received"
    assert lab.value("select reason from events.transitions order by ctid desc limit 1") == "replayed"
    lab.drain()
    assert lab.row(id_).state == "done" and lab.echoes() == [id_]


def test_a_replay_repeats_no_effect_however_often_it_is_asked_for(lab: Lab) -> None:
    good, broken = lab.canaries(2)

    def fail(conn: Conn, taken: Taken) -> None:
        if taken.id == broken:
            raise GiveUp("never")

    lab.drain(echoing(fail))
    for _ in range(3):
        again(lab, Which(names=(canary.NAME,), states=REPLAYABLE))
        again(lab, ids(good, broken))
        lab.drain()
    assert sorted(lab.echoes()) == sorted([good, broken])
    assert whys(again(lab, ids(good))) == {good: "already done in run run-1: send a new event"}
    assert again(lab, Which(names=(canary.NAME,), states=REPLAYABLE)) == Outcome()


def test_what_is_under_way_is_left_and_says_so(lab: Lab) -> None:
    [taken] = lab.canaries(1)
    assert lab.claim(run_id="run-7") is not None
    [waits] = lab.canaries(1)
    assert whys(again(lab, ids(taken, waits, "nobody"))) == {
        taken: "in the hands of run run-7", waits: "waiting already", "nobody": "there is no such event",
    }  # fmt: skip
    assert lab.states() == {"claimed": 1, "received": 1}


def test_a_refused_payload_is_judged_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = bad(lab)
    outcome = again(lab, ids(id_))
    assert "its payload is refused: data.bdns: String should match" in whys(outcome)[id_]
    row = lab.row(id_)
    assert row.state == "dead" and "data.bdns" in (row.reason or "") and lab.history(id_) == []
    wider = Event(DETAIL, registry.EVENTS["patient/created"].payload, "", work=EVENTS[DETAIL].work)
    monkeypatch.setitem(registry._NAMES, DETAIL, wider)
    assert again(lab, ids(id_)).taken == {(DETAIL, "replayed"): 1}
    assert lab.value("select admitted and state = 'received' from events.inbox")


def test_a_payload_that_the_database_cannot_hold_stays_dead(lab: Lab) -> None:
    id_ = unstorable(lab)
    [left] = again(lab, ids(id_)).left
    assert left.why.startswith("its payload cannot be stored, send it again corrected: data.note holds")
    assert lab.row(id_).state == "dead"


def test_an_event_whose_body_was_cleaned_up_is_left_and_says_so(lab: Lab) -> None:
    [id_] = lab.dead(1)
    lab.conn.execute("update events.inbox set data = null, raw = null, user_data = null, meta = null")
    assert whys(again(lab, ids(id_)))[id_].startswith("its body was deleted by the clean-up")
    assert lab.row(id_).state == "dead"


def test_an_unknown_name_is_looked_up_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    good = lab.send("new/event", {"appointmentId": "a", "organizationId": "o"})
    refused = lab.send("new/event", {"appointmentId": 5})
    which = Which(names=("new/event",), states=("unmatched",))
    assert set(whys(again(lab, which)).values()) == {"the registry does not know this name"}
    assert lab.states() == {"unmatched": 2}
    monkeypatch.setitem(registry._NAMES, "new/event", EVENTS["appointment/created"])
    assert again(lab, which).taken == {("appointment/created", "replayed"): 1}
    row = lab.conn.execute(
        "select state, name, received_name, cancel_key, organization_id, priority from events.inbox where id = %s",
        [good],
    ).fetchone()
    assert row == ("received", "appointment/created", "new/event", "a", "o", 0)
    assert lab.row(refused).state == "dead" and "data.appointmentId" in (lab.row(refused).reason or "")


def test_a_replay_is_not_subject_to_the_rules_of_its_kind_a_second_time(lab: Lab) -> None:
    first, second = lab.post([{"name": "session/completed", "data": {"patientId": "p"}}] * 2)
    assert lab.row(first.id).reason == f"replaced by event {second.id}"
    again(lab, ids(first.id))
    assert (lab.row(first.id).state, lab.row(second.id).state) == ("received", "received")
    assert lab.row(first.id).due_at == lab.moment
    lab.later(minutes=20)
    third = lab.send("session/completed", {"patientId": "p"})
    assert lab.row(first.id).reason == f"replaced by event {third}", "one of the same kind that comes later counts"


def test_a_dry_run_says_the_same_and_changes_nothing(lab: Lab) -> None:
    some = [*lab.canaries(6), bad(lab), unstorable(lab), lab.send("nobody/knows")]
    for id_, state in zip(some, ("done", "dead", "skipped", "retry"), strict=False):
        lab.conn.execute("update events.inbox set state = %s where id = %s", [state, id_])
    lab.conn.execute("update events.inbox set due_at = due_at + interval '1 day' where id = any(%s)", [some[3:5]])
    assert lab.claim() is not None
    query = "select array_agg(i order by seq) from events.inbox i"
    before = lab.value(query)
    for act in (replay, cancel):
        planned = act(lab.conn, ids(*some), now=lab.moment, dry_run=True)
        assert lab.value(query) == before
        with lab.conn.transaction(force_rollback=True):
            assert act(lab.conn, ids(*some), now=lab.moment) == planned
    assert lab.value(query) == before


def test_many_are_replayed_in_one_transaction(lab: Lab) -> None:
    sent = lab.canaries(1201)
    failing(lab, GiveUp("never"))
    which = Which(names=(canary.NAME,), states=("dead",))
    with lab.warehouse.connect(autocommit=True) as other, lab.conn.transaction(force_rollback=True):
        assert again(lab, which).taken.total() == 1201
        assert other.execute("select count(*) from events.inbox where state = 'dead'").fetchone() == (1201,)
    assert again(lab, which).taken.total() == 1201
    lab.drain()
    assert sorted(lab.echoes()) == sorted(sent)


def test_two_who_replay_at_once_replay_once(lab: Lab) -> None:
    lab.canaries(3)
    failing(lab, Skip("not wanted"))
    which = Which(names=(canary.NAME,), states=REPLAYABLE)
    with lab.warehouse.connect() as other:
        other.execute("select 1")
        assert replay(other, which, now=lab.moment).taken.total() == 3
        lab.conn.execute("set lock_timeout = '5s'")
        other.commit()
        assert again(lab, which) == Outcome()
    assert lab.states() == {"received": 3}


# Not at all


@pytest.mark.parametrize("state", ["received", "retry", "unmatched"])
def test_a_waiting_event_that_is_cancelled_is_skipped(lab: Lab, state: str) -> None:
    [id_] = lab.canaries(1)
    lab.conn.execute("update events.inbox set state = %s", [state])
    assert cancel(lab.conn, ids(id_), now=lab.moment).taken == {(canary.NAME, "skipped"): 1}
    assert (lab.row(id_).state, lab.row(id_).reason) == ("skipped", "cancelled by an operator")
    assert lab.drain().total() == 0
    assert whys(cancel(lab.conn, ids(id_), now=lab.moment)) == {id_: "ended already: cancelled by an operator"}


def test_an_event_that_nobody_has_looked_at_yet_can_be_cancelled(lab: Lab) -> None:
    lab.conn.execute("select events.send(%s, '{}', 'a')", [canary.NAME])
    assert cancel(lab.conn, Which(names=(canary.NAME,), states=CANCELLABLE), now=lab.moment).taken.total() == 1
    lab.tick()
    assert lab.row("a").state == "skipped"


def test_an_event_in_a_run_s_hands_is_not_begun(lab: Lab) -> None:
    [id_] = lab.canaries(1)
    claim = lab.claim()
    assert claim is not None
    outcome = cancel(lab.conn, ids(id_), now=lab.moment)
    assert outcome.taken == {(canary.NAME, "its run is asked to stop"): 1}
    assert lab.row(id_).state == "claimed"
    assert "has been asked to stop already" in whys(cancel(lab.conn, ids(id_), now=lab.moment))[id_]
    lab.drain(claim=claim.id)
    assert (lab.row(id_).state, lab.row(id_).reason) == ("skipped", "cancelled by an operator")
    assert lab.echoes() == []


def test_what_was_cancelled_can_be_replayed(lab: Lab) -> None:
    [id_] = lab.canaries(1)
    cancel(lab.conn, ids(id_), now=lab.moment)
    again(lab, ids(id_))
    lab.drain()
    assert lab.echoes() == [id_]


def test_what_has_ended_is_left_and_says_how(lab: Lab) -> None:
    [done] = lab.canaries(1)
    lab.drain()
    [dead] = lab.canaries(1)
    failing(lab, GiveUp("never"))
    assert whys(cancel(lab.conn, ids(done, dead, "nobody"), now=lab.moment)) == {
        done: "already done in run run-1", dead: "ended already: never", "nobody": "there is no such event",
    }  # fmt: skip


def test_only_one_clinic_s_events_are_cancelled_where_only_its_are_meant(lab: Lab) -> None:
    lab.canaries(2, "north")
    south = lab.canaries(2, "south")
    which = Which(names=(canary.NAME,), states=CANCELLABLE, organization="north")
    assert cancel(lab.conn, which, now=lab.moment).taken.total() == 2
    lab.drain()
    assert sorted(lab.echoes()) == sorted(south)


orders = st.lists(st.sampled_from(["work", "fail", "give up", "skip", "replay", "cancel", "later"]), max_size=12)


@given(orders)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_an_operator_does_each_effect_happens_once_at_most(lab: Lab, orders: Sequence[str]) -> None:
    lab.conn.execute("delete from events.echoes; delete from events.transitions; delete from events.inbox")
    sent = lab.canaries(3)
    which = Which(names=(canary.NAME,), states=desk.STATES)
    for order in orders:
        if order == "work":
            lab.drain()
        elif order in ("replay", "cancel"):
            (replay if order == "replay" else cancel)(lab.conn, which, now=lab.moment)
        elif order == "later":
            lab.later(hours=1)
        else:
            failing(lab, {"fail": ValueError("x"), "give up": GiveUp("x"), "skip": Skip("x")}[order])
    again(lab, which)
    lab.drain()
    assert Counter(lab.echoes()) == Counter(sent)
    assert lab.states() == {"done": 3}
