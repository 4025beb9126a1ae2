"""Requests at the same time: nobody waits in a circle for long, and an event that many send is stored once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from fisio_ayida.events import canary
from fisio_ayida.events.admission import Candidate, judge, read
from fisio_ayida.events.inbox import Accepted, accept
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.events.lab import MORNING, Lab


def candidates(*events: tuple[str, str]) -> list[Candidate]:
    """Events given as id and payload."""
    made = []
    for id_, data in events:
        body = f'{{"name": "{canary.NAME}", "id": "{id_}", "data": {data}}}'.encode()
        made += [judge(incoming, raw, own_id="", seed=None, now=MORNING) for incoming, raw in read(body)]
    return made


@pytest.fixture
def slow_inserts(lab: Lab) -> Iterator[None]:
    """Each row takes a moment to insert, and who waits in a circle is told soon."""
    lab.conn.execute(
        """
        create function public.slow() returns trigger language plpgsql
          as $$ begin perform pg_sleep(0.05); return new; end $$;
        create trigger slow before insert on events.inbox for each row execute function public.slow()
        """
    )
    yield
    lab.conn.execute("drop trigger slow on events.inbox; drop function public.slow")


def at_once(warehouse: Warehouse, orders: Sequence[list[Candidate]]) -> list[list[Accepted] | BaseException]:
    """Accept each list from a connection of its own, at the same time."""
    start = threading.Barrier(len(orders))
    results: list[list[Accepted] | BaseException] = [[] for _ in orders]

    def one(place: int) -> None:
        with warehouse.connect(autocommit=True) as conn:
            conn.execute("set deadlock_timeout = '100ms'")
            start.wait()
            try:
                results[place] = accept(conn, orders[place], source="http", now=MORNING)
            except BaseException as error:
                results[place] = error

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(orders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.usefixtures("slow_inserts")
def test_requests_that_share_ids_in_opposite_orders_both_succeed(lab: Lab, events_warehouse: Warehouse) -> None:
    forth = [(f"e{n}", f'{{"n": {n}}}') for n in range(4)]
    results = at_once(events_warehouse, [candidates(*forth), candidates(*reversed(forth))])
    assert all(isinstance(result, list) for result in results), results
    answers = [answer for result in results if isinstance(result, list) for answer in result]
    assert sum(answer.new for answer in answers) == 4 and not any(answer.conflict for answer in answers)
    assert lab.states() == {"received": 4}


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_a_request_that_the_database_ends_to_break_a_circle_begins_again(lab: Lab, code: str) -> None:
    lab.conn.execute(
        f"""
        create sequence public.tries;
        create function public.circle() returns trigger language plpgsql as $$ begin
          if nextval('public.tries') <= 3 then raise exception 'in a circle' using errcode = '{code}'; end if;
          return new; end $$;
        create trigger circle before insert on events.inbox for each row execute function public.circle()
        """
    )
    try:
        answers = accept(lab.conn, candidates(("a", "{}"), ("b", "{}")), source="http", now=MORNING)
    finally:
        lab.conn.execute("drop function public.circle() cascade; drop sequence public.tries")
    assert [answer.new for answer in answers] == [True, True]
    assert lab.states() == {"received": 2}


def test_the_same_events_from_many_at_once_are_stored_once(lab: Lab, events_warehouse: Warehouse) -> None:
    def shuffled(step: int) -> list[Candidate]:
        return candidates(*[(f"e{(n * step) % 101}", f'{{"n": {n % 2}}}') for n in range(101)])

    results = at_once(events_warehouse, [shuffled(step) for step in (1, 3, 7, 11)])
    assert all(isinstance(result, list) for result in results), results
    assert lab.states() == {"received": 101}
    answers = [answer for result in results if isinstance(result, list) for answer in result]
    assert sum(answer.new for answer in answers) == 101
    conflicts = lab.value("select coalesce(sum(times), 0) from events.conflicts")
    assert conflicts == sum(answer.conflict for answer in answers) > 0


def test_a_sender_s_repetition_waits_for_the_first_to_commit_and_adds_nothing(
    lab: Lab, events_warehouse: Warehouse
) -> None:
    answered: list[Any] = []
    with events_warehouse.connect() as first, events_warehouse.connect(autocommit=True) as second:
        first.execute("select 1")  # begins what the commit below ends
        accept(first, candidates(("a", "{}")), source="http", now=MORNING)
        again = threading.Thread(
            target=lambda: answered.extend(accept(second, candidates(("a", "{}")), source="http", now=MORNING))
        )
        again.start()
        again.join(0.2)
        assert again.is_alive(), "it must not be told that the event is stored before it is"
        first.commit()
        again.join()
    assert [(answer.new, answer.conflict) for answer in answered] == [(False, False)]
    assert lab.states() == {"received": 1}
