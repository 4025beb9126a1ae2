"""Claims: every due event in one run's hands at a time, clinics by turns, and none lost when a run is."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.events import canary, claims
from fisio_ayida.events.claims import BATCH_LEASE, MOST_LOSSES, launch_config
from fisio_ayida.events.outcomes import Outcome, record
from fisio_ayida.events.payloads import civil_day
from fisio_ayida.events.registry import EVENTS, PROCESS, Launch, Option
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.events.lab import Lab

CANARY = EVENTS[canary.NAME]
ON_ONE_DATABASE = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# One clinic's waiting events, by priority.
clinics = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=6)


def fill(lab: Lab, waiting: Sequence[Sequence[int]]) -> None:
    """Canaries of clinics c0, c1, … with these priorities; ids tell clinic and place."""
    lab.conn.execute("delete from events.transitions; delete from events.inbox; delete from events.claims")
    events = [(f"c{c}", n, priority) for c, own in enumerate(waiting) for n, priority in enumerate(own)]
    lab.post([
        {"name": canary.NAME, "id": f"{clinic}.{n}", "data": {"organizationId": clinic}} for clinic, n, _ in events
    ])  # fmt: skip
    with lab.conn.cursor() as cur:
        change = "update events.inbox set priority = %s where id = %s"
        cur.executemany(change, [(priority, f"{clinic}.{n}") for clinic, n, priority in events])


def take(lab: Lab, size: int) -> list[str]:
    """The ids of a claim of so many."""
    claim = claims.claim_batch(lab.conn, PROCESS, [replace(CANARY, batch=size)], now=lab.moment)
    if claim is None:
        return []
    got = lab.conn.execute("select id from events.inbox where claim_id = %s", [claim.id]).fetchall()
    assert claim.size == len(got) <= size
    return [id_ for (id_,) in got]


# Fairness


@given(clinics, st.integers(1, 40))
@ON_ONE_DATABASE
def test_no_clinic_gets_a_second_share_before_each_waiting_one_had_its_first(
    lab: Lab, waiting: list[list[int]], size: int
) -> None:
    # One priority: between priorities, the higher one goes first.
    fill(lab, [[0] * len(own) for own in waiting])
    got = Counter(id_.partition(".")[0] for id_ in take(lab, size))
    assert got.total() == min(size, sum(map(len, waiting)))
    most = max(got.values())
    for clinic, own in enumerate(waiting):
        share = got[f"c{clinic}"]
        assert share == len(own) or share >= most - 1, "a clinic with more waiting got less than its share"
        assert share or size < len(waiting), "a clinic was left out though there was room"


@given(clinics, st.integers(1, 12))
@ON_ONE_DATABASE
def test_claims_take_everything_once_and_each_clinic_s_events_in_their_order(
    lab: Lab, waiting: list[list[int]], size: int
) -> None:
    fill(lab, waiting)
    taken: list[str] = []
    while got := take(lab, size):
        by_clinic: defaultdict[str, list[int]] = defaultdict(list)
        for id_ in got:
            clinic, _, n = id_.partition(".")
            by_clinic[clinic].append(waiting[int(clinic[1:])][int(n)])
        for clinic, priorities in by_clinic.items():
            left = [p for n, p in enumerate(waiting[int(clinic[1:])]) if f"{clinic}.{n}" not in {*taken, *got}]
            assert max(left, default=0) <= min(priorities), "a more urgent one of the same clinic was left"
        taken += got
    assert sorted(taken) == sorted(f"c{c}.{n}" for c, own in enumerate(waiting) for n in range(len(own)))


def test_urgent_events_go_first_where_there_is_not_room_for_all(lab: Lab) -> None:
    fill(lab, [[0], [2], [1], [2]])
    assert sorted(take(lab, 2)) == ["c1.0", "c3.0"]
    assert take(lab, 1) == ["c2.0"]


def test_a_few_clinics_with_a_long_backlog_do_not_keep_a_new_one_out(lab: Lab) -> None:
    fill(lab, [[0] * 40] * 4 + [[0]])
    turns = next(turn for turn in range(50) if "c4.0" in take(lab, 4))
    assert turns < 30, "it waited until the others were nearly through"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("due_at = due_at + interval '1 second'", "not due yet"),
        ("admitted = null", "nobody has looked at it"),
        ("state = 'dead'", "ended"),
        ("state = 'claimed', claim_id = gen_random_uuid()", "in other hands"),
    ],
)
def test_what_is_not_to_be_claimed_is_left(lab: Lab, change: str, why: str) -> None:
    fill(lab, [[0, 0]])
    lab.conn.execute(f"update events.inbox set {change} where id = 'c0.1'")
    assert take(lab, 5) == ["c0.0"], why
    assert take(lab, 5) == []
    lab.later(seconds=1)
    assert take(lab, 5) == (["c0.1"] if "due_at" in change else [])


# Claimers at once


def test_claimers_at_the_same_time_share_all_events_and_none_twice(lab: Lab, events_warehouse: Warehouse) -> None:
    fill(lab, [[0] * 60, [1] * 30, [0] * 5, [0]])
    start = threading.Barrier(4)
    sizes: list[int] = []

    def claimer() -> None:
        with events_warehouse.connect(autocommit=True) as conn:
            start.wait()
            misses = 0
            while misses < 5:  # what another one has locked for a moment may come back
                claim = claims.claim_batch(conn, PROCESS, [replace(CANARY, batch=7)], now=lab.moment)
                misses += claim is None
                sizes.append(claim.size if claim else 0)

    threads = [threading.Thread(target=claimer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lab.states() == {"claimed": 96}
    assert sum(sizes) == 96
    assert {steps for (steps,) in lab.conn.execute("select count(*) from events.transitions group by seq")} == {1}


# Leases, releases, ends


def claimed(lab: Lab, events: int, run_id: str | None = "run-1") -> uuid.UUID:
    lab.canaries(events)
    claim = lab.claim(run_id=run_id)
    assert claim is not None and claim.size == events
    return claim.id


def test_a_claim_is_one_run_s(lab: Lab) -> None:
    claim = claimed(lab, 1, None)
    assert claims.start(lab.conn, claim, "run-1", BATCH_LEASE, lab.moment)
    assert claims.start(lab.conn, claim, "run-1", BATCH_LEASE, lab.moment), "a run may ask again"
    assert not claims.start(lab.conn, claim, "run-2", BATCH_LEASE, lab.moment)
    claims.end(lab.conn, claim, "done", lab.moment)
    assert not claims.start(lab.conn, claim, "run-1", BATCH_LEASE, lab.moment)
    assert claims.extend(lab.conn, [claim], BATCH_LEASE) == 0


def test_a_lease_expires_unless_it_is_moved_on(lab: Lab) -> None:
    claim = claimed(lab, 1)
    [before] = claims.open_claims(lab.conn)
    lab.expire()
    [silent] = claims.open_claims(lab.conn)
    assert claims.extend(lab.conn, [claim], BATCH_LEASE) == 1
    [after] = claims.open_claims(lab.conn)
    assert [each.expired for each in (before, silent, after)] == [False, True, False]


def test_what_a_dead_run_had_in_its_hands_loses_once_and_the_rest_nothing(lab: Lab) -> None:
    claim = claimed(lab, 3)
    first = lab.value("select min(seq) from events.inbox")
    lab.conn.execute("update events.claims set working = %s", [[first]])
    assert claims.release(lab.conn, claim, now=lab.later(minutes=1), why="gone", lost=True) == 3
    rows = lab.conn.execute(
        "select losses, attempt, state, reason, run_id from events.inbox order by seq"
    ).fetchall()
    assert rows[0] == (1, 0, "received", f"gone, 1 of {MOST_LOSSES} times", "run-1")
    assert rows[1:] == [(0, 0, "received", None, "run-1")] * 2
    assert claims.open_claims(lab.conn) == []


def test_an_event_that_was_tried_before_waits_as_a_retry_again(lab: Lab) -> None:
    claim = claimed(lab, 1)
    seq = lab.value("select seq from events.inbox")
    record(lab.conn, claim, [Outcome(seq, "retry", "no luck", due_at=lab.moment)], run_id="run-1", now=lab.moment)
    again = lab.claim(run_id="run-2")
    assert again is not None
    claims.release(lab.conn, again.id, now=lab.moment, why="gone", lost=False)
    assert lab.conn.execute("select state, attempt, losses from events.inbox").fetchone() == ("retry", 1, 0)


def test_a_released_event_that_was_cancelled_is_not_tried_again(lab: Lab) -> None:
    claim = claimed(lab, 1)
    lab.conn.execute("update events.inbox set cancelled_by = 'event x (a/b)'")
    claims.release(lab.conn, claim, now=lab.moment, why="gone", lost=True)
    row = lab.conn.execute("select state, reason from events.inbox").fetchone()
    assert row == ("skipped", "cancelled by event x (a/b)")


def test_a_second_release_gives_back_nothing(lab: Lab) -> None:
    claim = claimed(lab, 2)
    assert claims.release(lab.conn, claim, now=lab.moment, why="gone", lost=True) == 2
    other = lab.claim(run_id="run-2")
    assert claims.release(lab.conn, claim, now=lab.moment, why="gone", lost=True) == 0
    assert other is not None and lab.states() == {"claimed": 2}


def test_only_who_holds_the_claim_says_how_an_event_ended(lab: Lab) -> None:
    old = claimed(lab, 1)
    seq = lab.value("select seq from events.inbox")
    claims.release(lab.conn, old, now=lab.moment, why="gone", lost=False)
    new = lab.claim(run_id="run-2")
    assert new is not None
    late = record(lab.conn, old, [Outcome(seq, "done")], run_id="run-1", now=lab.moment)
    assert (late, lab.states()) == ({}, {"claimed": 1})
    assert record(lab.conn, new.id, [Outcome(seq, "done")], run_id="run-2", now=lab.moment) == {seq: "done"}


def test_a_claim_whose_answer_was_lost_and_that_was_given_up_takes_nothing_more(lab: Lab) -> None:
    mine = uuid.uuid4()
    lab.canaries(2)
    first = claims.claim_batch(lab.conn, PROCESS, [CANARY], now=lab.moment, claim=mine)
    lab.canaries(3)
    again = claims.claim_batch(lab.conn, PROCESS, [CANARY], now=lab.moment, claim=mine)
    assert first is not None and again is not None and (first.size, again.size) == (2, 2)
    claims.release(lab.conn, mine, now=lab.moment, why="its lease was over", lost=True)
    assert claims.claim_batch(lab.conn, PROCESS, [CANARY], now=lab.moment, claim=mine) is None
    assert lab.states() == {"received": 5}, "nothing is in the hands of a claim that has ended"


steps = st.lists(st.sampled_from(["claim", "die", "work", "retry", "release", "expire"]), max_size=25)


@given(steps)
@ON_ONE_DATABASE
def test_whatever_happens_to_runs_no_event_is_lost_or_done_twice(lab: Lab, steps: list[str]) -> None:
    fill(lab, [[0] * 6, [1] * 3])
    done: Counter[int] = Counter()
    held: list[uuid.UUID] = []
    for step in steps:
        lab.later(minutes=1)
        if step == "claim":
            claim = claims.claim_batch(lab.conn, PROCESS, [replace(CANARY, batch=4)], now=lab.moment, run_id="r")
            held += [claim.id] if claim else []
        elif held and step in ("work", "retry"):
            mine = "select seq from events.inbox where claim_id = %s and state = 'claimed' order by seq limit 2"
            state = "done" if step == "work" else "retry"
            seqs = [seq for (seq,) in lab.conn.execute(mine, [held[0]])]
            ended = [Outcome(seq, state, due_at=lab.moment) for seq in seqs]
            done.update(
                s
                for s, st_ in record(lab.conn, held[0], ended, run_id="r", now=lab.moment).items()
                if st_ == "done"
            )
        elif held and step in ("die", "release"):
            claims.release(lab.conn, held.pop(0), now=lab.moment, why="x", lost=step == "die", most=100)
        elif step == "expire":
            lab.expire()
            for each in claims.open_claims(lab.conn):
                assert each.expired
                claims.release(lab.conn, each.id, now=lab.moment, why="silent", lost=True, most=100)
    states = lab.states()
    assert states.total() == 9
    assert states["done"] == done.total() and set(done.values()) <= {1}
    for last in held:
        claims.release(lab.conn, last, now=lab.moment, why="x", lost=False)
    left = 0
    while got := take(lab, 4):
        left += len(got)
    assert left == 9 - done.total()
    assert lab.value("select min(attempt) >= 1 from events.inbox")


# Runs of jobs


def test_what_an_event_says_is_the_run_s_config() -> None:
    work = Launch("sync_x", "bdns__x", (Option("dateFrom", "date_from"), Option("dateTo", "date_to")))
    assert launch_config(work, [None, None]) == {}
    both = launch_config(work, ["2026-01-01", "2026-01-02"])
    assert both == {"ops": {"bdns__x": {"config": {"date_from": "2026-01-01", "date_to": "2026-01-02"}}}}
    assert launch_config(work, [None, "2026-01-02"]) == {"ops": {"bdns__x": {"config": {"date_to": "2026-01-02"}}}}
    assert launch_config(Launch("sync_y"), []) == {}


def test_what_cannot_be_read_is_left_to_the_run_to_refuse() -> None:
    work = Launch("x", "x", (Option("scheduledDate", "day", civil_day),))
    assert launch_config(work, ["soon"]) == {"ops": {"x": {"config": {"day": "soon"}}}}


def test_an_event_for_a_run_that_is_not_due_waits(lab: Lab) -> None:
    row = EVENTS["convocatorias/sync.requested"]
    lab.post([{"name": row.name, "ts": int((lab.moment + dt.timedelta(hours=1)).timestamp() * 1000)}])
    assert claims.claim_launches(lab.conn, row, now=lab.moment) == []
    [claim] = claims.claim_launches(lab.conn, row, now=lab.later(hours=1))
    assert (claim.job, claim.size, claim.run_config) == ("sync_convocatorias", 1, {})
