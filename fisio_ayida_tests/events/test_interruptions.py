"""A run that is stopped, forgotten or without its database: no event is lost, and none is done twice."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
import uuid

import pytest

from fisio_ayida.events import canary, claims
from fisio_ayida.events.registry import EVENTS, PROCESS, SYNC_CALLS
from fisio_ayida.events.work import CHUNK, Outside, Result, Taken
from fisio_ayida.warehouse.engine import Warehouse, WarehouseError
from fisio_ayida_tests.events.lab import DETAIL, Conn, Lab, echoing


def test_an_event_that_a_run_lost_meanwhile_is_not_ended_by_it(lab: Lab) -> None:
    id_ = lab.send(DETAIL, {"bdns": "1"})

    async def handle(taken: Taken) -> Result:
        [claim] = claims.open_claims(lab.conn)
        claims.release(lab.conn, claim.id, now=lab.moment, why="silent", lost=True)
        # It is in the hands of another run by now.
        assert lab.claim(SYNC_CALLS, run_id="run-2")
        return {"too": "late"}

    tally = lab.drain({DETAIL: Outside(handle)}, works=(SYNC_CALLS,))
    row = lab.row(id_)
    assert (row.state, row.losses, row.result, row.run_id) == ("claimed", 1, None, "run-1")
    assert tally.total() == 0


def test_a_run_that_is_taken_for_dead_in_mid_claim_writes_no_effect_afterwards(lab: Lab) -> None:
    ids = lab.canaries(2 * CHUNK)
    claim = lab.claim(run_id="run-1")
    assert claim is not None
    taker = lab.warehouse.connect(autocommit=True)
    give_back = threading.Thread(
        target=claims.release, args=(taker, claim.id), kwargs={"now": lab.moment, "why": "silent", "lost": True}
    )

    def waits_for_a_lock() -> bool:
        query = "select exists (select from pg_locks where pid = %s and not granted)"
        return bool(lab.value(query, taker.info.backend_pid))

    def meanwhile(conn: Conn, taken: Taken) -> None:
        if taken.id == ids[0]:
            give_back.start()
            limit = time.monotonic() + 30
            while not waits_for_a_lock():
                assert time.monotonic() < limit
                time.sleep(0.01)

    # The chunk under way is fenced: who gives the rest back waits for it.
    lab.drain(echoing(meanwhile), claim=claim.id, most=dt.timedelta(0))
    give_back.join()
    taker.close()
    assert lab.echoes() == ids[:CHUNK]
    assert lab.states() == {"done": CHUNK, "received": CHUNK}
    assert lab.drain().total("done") == CHUNK
    assert sorted(lab.echoes()) == sorted(ids)


def test_suspects_are_handled_alone(lab: Lab) -> None:
    ids = lab.canaries(4)
    lab.conn.execute("update events.inbox set losses = 1 where id = any(%s)", [ids[1:3]])
    together: list[int] = []

    def look(conn: Conn, taken: Taken) -> None:
        together.append(lab.value("select cardinality(working) from events.claims where ended_at is null"))

    lab.drain(echoing(look))
    # Those that nobody suspects come first, so that they do not die with the others.
    assert together == [2, 2, 1, 1]
    assert lab.echoes() == [ids[0], ids[3], ids[1], ids[2]]


class Interrupted(BaseException):
    """What Dagster raises in a step that is cancelled."""


def test_a_run_that_is_cancelled_gives_its_events_back_without_a_mark(lab: Lab) -> None:
    ids = lab.canaries(CHUNK + 1)

    def stop(conn: Conn, taken: Taken) -> None:
        if taken.id == ids[-1]:
            raise Interrupted

    with pytest.raises(Interrupted):
        lab.drain(echoing(stop))
    row = lab.row(ids[-1])
    assert (row.state, row.losses, row.attempt, row.claim_id) == ("received", 0, 0, None)
    assert claims.open_claims(lab.conn) == []
    assert lab.echoes() == ids[:-1]


def test_a_run_that_loses_the_database_for_good_fails_and_marks_what_it_had_in_its_hands(lab: Lab) -> None:
    first, second = lab.send(DETAIL, {"bdns": "1"}), lab.send(DETAIL, {"bdns": "2"})
    away = Away(lab)

    async def handle(taken: Taken) -> Result:
        away.go(times=5)
        return None

    with pytest.raises(ExceptionGroup) as caught:
        lab.drain({DETAIL: Outside(handle)}, works=(SYNC_CALLS,), connect=away.connect, pause=away.pauses.append)
    assert caught.group_contains(WarehouseError)
    assert [pause.total_seconds() for pause in away.pauses[:5]] == [0.5, 1, 2, 4, 8]
    assert {lab.row(id_).losses for id_ in (first, second)} == {1}
    assert claims.open_claims(lab.conn) == [], "given back as soon as the database was there"


class Away:
    """A database that goes away and comes back."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._refused = 0
        self._opened: list[Conn] = []
        self.pauses: list[dt.timedelta] = []

    def go(self, times: int) -> None:
        """End all connections made here, and refuse so many."""
        self._refused = times
        for conn in self._opened:
            self._lab.conn.execute("select pg_terminate_backend(%s)", [conn.info.backend_pid])

    def connect(self) -> Conn:
        if self._refused:
            self._refused -= 1
            return Warehouse(self._lab.warehouse.url.with_database("no_such_one")).connect(autocommit=True)
        self._opened.append(self._lab.warehouse.connect(autocommit=True))
        return self._opened[-1]


def test_a_connection_that_dies_in_mid_chunk_costs_nothing_but_time(lab: Lab) -> None:
    ids = lab.canaries(3)
    killed: list[str] = []

    def die(conn: Conn, taken: Taken) -> None:
        if taken.id == ids[1] and not killed:
            killed.append(taken.id)
            conn.execute("select pg_terminate_backend(pg_backend_pid())")

    tally = lab.drain(echoing(die))
    assert killed and lab.echoes() == ids
    assert lab.states() == {"done": 3} and tally.total("done") == 3
    assert lab.row(ids[1]).attempt == 1


def test_a_server_that_cannot_be_reached_is_asked_again(lab: Lab) -> None:
    ids = lab.canaries(1)
    away = Away(lab)
    away.go(times=2)
    lab.drain(connect=away.connect, pause=away.pauses.append)
    assert lab.echoes() == ids
    assert away.pauses == [dt.timedelta(seconds=0.5), dt.timedelta(seconds=1)]


def test_the_lease_is_moved_on_while_a_handler_works_even_over_a_lost_connection(lab: Lab) -> None:
    lab.send(DETAIL, {"bdns": "1"})

    async def moved(since: dt.datetime) -> dt.datetime:
        limit = time.monotonic() + 30
        while (now := lab.value("select lease_until from events.claims")) <= since:
            assert time.monotonic() < limit
            await asyncio.sleep(0.02)
        return now  # type: ignore[no-any-return]

    async def handle(taken: Taken) -> Result:
        first = await moved(lab.value("select lease_until from events.claims"))
        lab.conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> "
            "pg_backend_pid()"
        )
        await moved(first)
        return None

    lab.drain({DETAIL: Outside(handle)}, works=(SYNC_CALLS,), lease=dt.timedelta(seconds=0.4))
    assert lab.states() == {"done": 1}


def test_a_claim_whose_answer_was_lost_is_found_again(lab: Lab) -> None:
    ids = lab.canaries(2)
    mine = uuid.uuid4()
    for _ in range(2):
        found = claims.claim_batch(
            lab.conn, PROCESS, [EVENTS[canary.NAME]], now=lab.moment, run_id="run-1", claim=mine
        )
        assert found is not None and found.id == mine
    lab.drain(claim=mine)
    assert lab.echoes() == ids
    assert lab.value("select count(*) from events.claims") == 1
