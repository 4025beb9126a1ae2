"""The database dies, hangs or is away: nobody is told that an event was taken when it was not."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg

from fisio_ayida.warehouse.embedded import attach
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.migrate import migrate
from fisio_ayida_tests.conftest import TEST_TUNING
from fisio_ayida_tests.gateway.running import BEARER, LIMITS, Running, running, seconds, until

OURS = "application_name = 'gateway under test' and datname = current_database()"
TERMINATE = f"select pg_terminate_backend(pid) from pg_stat_activity where {OURS}"


def note(id_: str) -> dict[str, Any]:
    return {"name": "fisio_ayida/canary", "id": id_}


@contextmanager
def holding(gateway: Running, id_: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else writes an event of this id and does not commit: whoever writes it too must wait."""
    assert gateway.send(note("before")).status_code == 200  # its connection lives
    with gateway.warehouse.connect() as connection:
        connection.execute(
            "insert into events.inbox (id, name, received_name, source, state, due_at, received_at, changed_at) "
            "values (%s, 'fisio_ayida/canary', 'fisio_ayida/canary', 'cli', 'received', now(), now(), now())",
            [id_],
        )
        yield connection
        connection.rollback()


def kill_the_writer(gateway: Running) -> None:
    """End the gateway's connection once it waits for somebody's lock."""
    query = f"select pid from pg_stat_activity where {OURS} and wait_event_type = 'Lock'"
    ((pid,),) = until(lambda: gateway.rows(query), "the gateway waits for the lock")
    gateway.rows("select pg_terminate_backend(%s)", pid)
    until(lambda: not gateway.rows(f"{query} and pid = %s", pid), "its backend is gone")


def test_a_connection_that_died_between_requests_is_nobodys_problem(gateway: Running) -> None:
    for number in range(3):
        assert gateway.send(note(f"{number}")).status_code == 200
        assert gateway.client.get(f"/api/events/{number}", headers=BEARER).status_code == 200
        gateway.rows(TERMINATE)
    assert gateway.count() == 3


def test_a_connection_that_dies_while_it_writes_is_replaced_and_the_request_written(gateway: Running) -> None:
    with ThreadPoolExecutor(1) as pool, holding(gateway, "held") as other:
        answer = pool.submit(gateway.send, [note("a"), note("held")])
        kill_the_writer(gateway)
        other.rollback()
        assert answer.result(30).json() == {"ids": ["a", "held"], "status": 200}
    rows = gateway.rows("select id, source from events.inbox where id <> 'before' order by id")
    assert rows == [("a", "http"), ("held", "http")]


def test_a_connection_that_dies_twice_is_503_and_the_next_try_is_taken(gateway: Running) -> None:
    with ThreadPoolExecutor(1) as pool, holding(gateway, "held"):
        answer = pool.submit(gateway.send, note("held"))
        kill_the_writer(gateway)
        kill_the_writer(gateway)
        refused = answer.result(30)
    assert refused.status_code == 503
    assert refused.json()["ids"] == [] and refused.json()["status"] == 503
    assert int(refused.headers["retry-after"]) > 0
    assert gateway.send(note("held")).status_code == 200
    assert gateway.rows("select id from events.inbox order by seq") == [("before",), ("held",)]


def test_a_database_that_hangs_is_503_in_time_and_the_gateway_recovers(warehouse: Warehouse) -> None:
    with running(warehouse, limits=replace(LIMITS, database=seconds(1))) as gateway:
        with holding(gateway, "held"):
            assert gateway.send(note("held")).status_code == 503
            batch = gateway.batch("sync-regiones", key="held")
            assert (batch.status_code, batch.headers["content-type"]) == (503, "application/problem+json")
        answer = until(lambda: (sent := gateway.send(note("held"))).status_code == 200 and sent, "it recovers")
        assert answer.json()["ids"] == ["held"]
        assert gateway.rows("select id from events.inbox order by seq") == [("before",), ("held",)]


def test_a_request_has_an_end_of_its_own(warehouse: Warehouse) -> None:
    with running(warehouse, limits=replace(LIMITS, request=seconds(0.5))) as gateway:
        with holding(gateway, "held"):
            answer = gateway.send(note("held"))
        assert (answer.status_code, answer.json()["error"]) == (503, "the request took too long")
        assert gateway.lines()[-1]["status"] == 503


def test_a_refusal_that_cannot_be_kept_is_503_so_that_its_sender_comes_again(warehouse: Warehouse) -> None:
    with running(warehouse, limits=replace(LIMITS, database=seconds(1))) as gateway:
        with warehouse.connect() as other:
            other.execute("lock table events.refused in exclusive mode")
            assert gateway.send(b"hello").status_code == 503
            other.rollback()
        until(lambda: gateway.send(b"hello").status_code == 400, "it recovers")


def test_while_the_database_is_stopped_nothing_is_answered_200(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with attach(home, tuning=TEST_TUNING) as first:
        migrate(first.url)
        with Warehouse(first.url) as warehouse, running(warehouse) as gateway:
            ids, stop = Posts(gateway), threading.Event()
            poster = threading.Thread(target=ids.post_until, args=(stop,))
            poster.start()
            until(lambda: ids.taken, "events are taken")
            (pid_file,) = home.rglob("postmaster.pid")
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
            until(lambda: len(ids.refused) >= 3, "the gateway says that it cannot")
            assert gateway.client.get("/readyz").status_code == 503
            assert gateway.client.get("/healthz").status_code == 200
            taken = len(ids.taken)
            with attach(home, tuning=TEST_TUNING):
                until(lambda: len(ids.taken) > taken, "events are taken again")
                stop.set()
                poster.join(30)
                kept = {id_ for (id_,) in gateway.rows("select id from events.inbox")}
            assert set(ids.taken) <= kept
            assert {answer.status_code for answer in ids.refused} == {503}


class Posts:
    """One sender that goes on and on; what it was told."""

    def __init__(self, gateway: Running) -> None:
        self._gateway = gateway
        self.taken: list[str] = []
        self.refused: list[httpx.Response] = []

    def post_until(self, stop: threading.Event) -> None:
        """Send events one by one until told to stop."""
        with httpx.Client(base_url=self._gateway.url, timeout=30, trust_env=False) as client:
            number = 0
            while not stop.wait(0.01):
                number += 1
                answer = client.post("/e/key-of-the-tests", json=note(f"n{number}"))
                if answer.status_code == 200:
                    self.taken += answer.json()["ids"]
                else:
                    self.refused.append(answer)


def test_many_at_once_are_all_written_whatever_dies(gateway: Running) -> None:
    """Requests share transactions; the connection dies again and again under them."""
    stop = threading.Event()

    def nemesis() -> None:
        while not stop.wait(0.05):
            gateway.rows(TERMINATE)

    killer = threading.Thread(target=nemesis)
    killer.start()
    try:
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda n: gateway.send([note(f"{n}-a"), note(f"{n}-b")]), range(400)))
    finally:
        stop.set()
        killer.join()
    assert {answer.status_code for answer in answers} <= {200, 503}
    taken = {id_ for answer in answers for id_ in answer.json()["ids"]}
    kept = {id_ for (id_,) in gateway.rows("select id from events.inbox")}
    assert taken and taken <= kept
