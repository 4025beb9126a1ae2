"""Writing together: shared transactions, neighbours that do not suffer, an end that loses nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from fisio_ayida.events.admission import Candidate, judge, read
from fisio_ayida.gateway.answers import Refused
from fisio_ayida.gateway.door import Door
from fisio_ayida.gateway.limits import Limits
from fisio_ayida.gateway.line import Line, Unavailable
from fisio_ayida.gateway.writer import Order, Refusal, Unstorable, Writer, store
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.gateway.running import LIMITS, Running, running, until, utc_now
from fisio_ayida_tests.gateway.test_database_trouble import holding, note

LOG = logging.getLogger("fisio_ayida.gateway")


def candidate(id_: str, **data: Any) -> Candidate:
    body = json.dumps({"name": "fisio_ayida/canary", "id": id_, "data": data}).encode()
    ((incoming, raw),) = read(body)
    return judge(incoming, raw, own_id="", seed=None, now=utc_now())


def unstorable(id_: str) -> Candidate:
    """What the database refuses though nobody has noticed."""
    return replace(candidate(id_), data='{"note": "\\u0000"}')


def order(*candidates: Candidate, source: str = "http", refusal: Refusal | None = None) -> Order:
    return Order(source, utc_now(), 100, candidates, refusal)


def ids(warehouse: Warehouse) -> list[str]:
    with warehouse.connect(autocommit=True) as connection:
        return [id_ for (id_,) in connection.execute("select id from events.inbox order by seq")]


def test_requests_that_wait_are_committed_together(gateway: Running) -> None:
    with ThreadPoolExecutor(30) as pool, holding(gateway, "held") as other:
        first = pool.submit(gateway.send, note("held"))
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        until(lambda: gateway.rows(waiting), "the first one waits")
        others = [pool.submit(gateway.send, note(f"n{number}")) for number in range(20)]
        until(lambda: len(gateway.door.writer._queue) == 20, "the others queue")
        other.rollback()
        assert {answer.result(30).status_code for answer in [first, *others]} == {200}
    ((transactions, rows),) = gateway.rows(
        "select count(distinct xmin::text), count(*) from events.inbox where starts_with(id, 'n')"
    )
    assert (transactions, rows) == (1, 20)


def test_an_order_that_cannot_be_stored_does_not_fail_its_neighbours(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        outcomes = store(connection, [order(candidate("a")), order(unstorable("b")), order(candidate("c"))])
    assert [type(outcome) for outcome in outcomes] == [list, Unstorable, list]
    assert ids(warehouse) == ["a", "c"]


def test_orders_of_all_kinds_are_written_together_and_each_gets_its_own_answers(warehouse: Warehouse) -> None:
    refusal = Refusal(b"hello", 400, "no event")
    orders = [
        order(candidate("a"), candidate("b")), order(candidate("c"), source="batch"), order(refusal=refusal),
        order(candidate("a"), candidate("d")),
    ]  # fmt: skip
    with warehouse.connect(autocommit=True) as connection:
        outcomes = store(connection, orders)
        rows = connection.execute("select id, source from events.inbox order by id").fetchall()
        refused = connection.execute("select body, source from events.refused").fetchall()
    assert [[answer.id for answer in outcome] for outcome in outcomes if isinstance(outcome, list)] == [
        ["a", "b"], ["c"], [], ["a", "d"],
    ]  # fmt: skip
    assert rows == [("a", "http"), ("b", "http"), ("c", "batch"), ("d", "http")]
    assert refused == [(b"hello", "http")]


def writing(warehouse: Warehouse, limits: Limits, work: Callable[[Writer], Awaitable[None]]) -> None:
    """Run something with a writer of its own."""

    async def run() -> None:
        line = Line(lambda: warehouse.connect(autocommit=True), "writer-under-test")
        await work(Writer(line, limits, LOG))

    asyncio.run(run())


@pytest.mark.parametrize("limits", [replace(LIMITS, queued_requests=2), replace(LIMITS, queued_bytes=250)])
def test_a_full_queue_takes_nothing_more(warehouse: Warehouse, limits: Limits) -> None:
    async def work(writer: Writer) -> None:
        waiting = [asyncio.ensure_future(writer.write(order(candidate(f"{n}")))) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="too much is waiting"):
            await writer.write(order(candidate("2")))
        writer.start()
        await asyncio.gather(*waiting)
        await writer.write(order(candidate("3")))
        await writer.close()

    writing(warehouse, limits, work)
    assert ids(warehouse) == ["0", "1", "3"]


def test_what_is_queued_at_the_end_is_written_and_nothing_is_taken_afterwards(warehouse: Warehouse) -> None:
    async def work(writer: Writer) -> None:
        waiting = [asyncio.ensure_future(writer.write(order(candidate(f"{n}")))) for n in range(5)]
        await asyncio.sleep(0)
        writer.start()
        await writer.close()
        assert len(await asyncio.gather(*waiting)) == 5
        with pytest.raises(Unavailable, match="ending"):
            await writer.write(order(candidate("late")))

    writing(warehouse, LIMITS, work)
    assert ids(warehouse) == ["0", "1", "2", "3", "4"]


def test_a_transaction_has_a_size(warehouse: Warehouse) -> None:
    async def work(writer: Writer) -> None:
        orders = [order(*(candidate(f"{n}-{m}") for m in range(3))) for n in range(4)]
        waiting = [asyncio.ensure_future(writer.write(each)) for each in orders]
        await asyncio.sleep(0)
        writer.start()
        await asyncio.gather(*waiting)
        await writer.close()

    writing(warehouse, replace(LIMITS, together_events=6), work)
    with warehouse.connect(autocommit=True) as connection:
        sizes = connection.execute("select count(*) from events.inbox group by xmin::text").fetchall()
    assert sizes == [(6,), (6,)]


def test_who_left_before_its_turn_was_promised_nothing_and_is_not_written(warehouse: Warehouse) -> None:
    async def work(writer: Writer) -> None:
        gone, stays = (asyncio.ensure_future(writer.write(order(candidate(id_)))) for id_ in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        writer.start()
        await stays
        await writer.close()

    writing(warehouse, LIMITS, work)
    assert ids(warehouse) == ["stays"]


@pytest.mark.parametrize("dead", [False, True])
def test_what_only_the_database_refuses_is_400_and_kept_whole(warehouse: Warehouse, dead: bool) -> None:
    door = Door(
        settings=Settings.load({}),
        connect=lambda: warehouse.connect(autocommit=True),
        now=utc_now,
        chance=os.urandom,
        log=LOG,
    )

    async def run() -> Refused:
        door.writer.start()
        try:
            bad = (unstorable("b"),)
            if dead:
                return await door.turn_away(bad, b"body", 400, "data: wrong", source="http", now=utc_now())
            with pytest.raises(Refused) as caught:
                await door.take(bad, body=b"body", source="http", now=utc_now())
            return caught.value
        finally:
            await door.writer.close()

    refused = asyncio.run(run())
    assert refused.status == 400
    assert ("data: wrong" if dead else "the database cannot hold this") in refused.detail
    with warehouse.connect(autocommit=True) as connection:
        assert connection.execute("select body, status from events.refused").fetchall() == [(b"body", 400)]
    assert ids(warehouse) == []


def test_a_gateway_whose_queue_is_full_says_503_in_both_shapes(warehouse: Warehouse) -> None:
    with running(warehouse, limits=replace(LIMITS, queued_requests=0)) as gateway:
        event, batch = gateway.send(note("a")), gateway.batch("sync-regiones")
    assert (event.status_code, event.json()["ids"]) == (503, [])
    assert (batch.status_code, batch.json()["title"]) == (503, "Service Unavailable")
    assert "retry-after" in event.headers and "retry-after" in batch.headers
