"""The rules that look at other events: only the first, only the last, not if it was called off."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.events import registry
from fisio_ayida.events.admission import judge, read
from fisio_ayida.events.inbox import accept, admit
from fisio_ayida.events.registry import CancelOn, Debounce, Event, Idempotency
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.events.lab import MORNING, Lab

SECOND = dt.timedelta(seconds=1)
ONCE, LAST, BOTH = "test/once", "test/last", "test/both"
CALLED_OFF, CALLS_OFF = "test/called.off", "test/calls.off"
PERIOD, QUIET, LONGEST = 60 * SECOND, 20 * SECOND, 50 * SECOND
PAYLOAD = registry.EVENTS["patient/updated"].payload
ROWS = (
    Event(ONCE, PAYLOAD, "", idempotency=Idempotency("key", PERIOD)),
    Event(LAST, PAYLOAD, "", debounce=Debounce("key", QUIET, LONGEST)),
    Event(BOTH, PAYLOAD, "", idempotency=Idempotency("once", PERIOD), debounce=Debounce("key", QUIET, LONGEST)),
    Event(CALLED_OFF, PAYLOAD, "", cancel_on=(CancelOn(CALLS_OFF, "appointment.id", "id"),)),
    Event(CALLS_OFF, PAYLOAD, ""),
)
ON_ONE_DATABASE = settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
keys = st.sampled_from(["p", "q", None])
# Seconds between arrivals, and whether an arrival joins the request before it.
arrivals = st.lists(st.tuples(keys, st.sampled_from([0, 1, 15, 25, 61]), st.booleans()), max_size=12)


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that has an event for each rule too."""
    monkeypatch.setattr(registry, "ROWS", (*registry.ROWS, *ROWS))
    for row in ROWS:
        monkeypatch.setitem(registry._NAMES, row.name, row)


def put(lab: Lab, *events: tuple[str, dict[str, Any]], conn: psycopg.Connection[Any] | None = None) -> list[str]:
    """Events in one request, ids as they come."""
    body = json.dumps([{"name": name, "data": data} for name, data in events]).encode()
    start = lab.value("select coalesce(max(seq), 0) from events.inbox")
    made = [
        judge(incoming, raw, own_id=f"e{start + n + 1}", seed=None, now=lab.moment)
        for n, (incoming, raw) in enumerate(read(body))
    ]
    return [each.id for each in accept(conn or lab.conn, made, source="http", now=lab.moment)]


def through_sql(lab: Lab, name: str, data: dict[str, Any], id_: str) -> str:
    lab.conn.execute("select events.send(%s, %s, %s)", [name, json.dumps(data), id_])
    return id_


def reasons(lab: Lab) -> dict[str, str | None]:
    """Those that were skipped, and why."""
    return dict(lab.conn.execute("select id, reason from events.inbox where state = 'skipped'").fetchall())


def empty(lab: Lab) -> None:
    lab.conn.execute("delete from events.transitions; delete from events.inbox")


def requests(
    lab: Lab, name: str, given_: Sequence[tuple[str | None, int, bool]]
) -> list[tuple[str, str | None, dt.datetime]]:
    """Send the arrivals; gives id, key and moment of each."""
    sent: list[tuple[str, str | None, dt.datetime]] = []
    request: list[str | None] = []

    def flush() -> None:
        if request:
            ids = put(lab, *[(name, {"key": key} if key else {}) for key in request])
            sent.extend((id_, key, lab.moment) for id_, key in zip(ids, request, strict=True))
            request.clear()

    for key, seconds, joins in given_:
        if not joins:
            flush()
            lab.later(seconds=seconds)
        request.append(key)
    flush()
    return sent


# Only the first within a period


@given(arrivals)
@ON_ONE_DATABASE
def test_of_a_key_exactly_the_first_within_the_period_is_work(
    lab: Lab, given_: list[tuple[str | None, int, bool]]
) -> None:
    empty(lab)
    last: dict[str, tuple[dt.datetime, str]] = {}
    expected: dict[str, str | None] = {}
    for id_, key, at in requests(lab, ONCE, given_):
        if key and key in last and at - last[key][0] <= PERIOD:
            expected[id_] = f"the same as event {last[key][1]}"
        elif key:
            last[key] = (at, id_)
    assert reasons(lab) == expected


def test_a_repetition_through_sql_that_is_looked_at_late_is_still_one(lab: Lab) -> None:
    late = through_sql(lab, ONCE, {"key": "p"}, "sql")
    [first] = put(lab, (ONCE, {"key": "p"}))
    admit(lab.conn, now=MORNING)
    assert reasons(lab) == {late: f"the same as event {first}"}


def test_a_repetition_of_what_was_skipped_is_work(lab: Lab) -> None:
    [first] = put(lab, (ONCE, {"key": "p"}))
    lab.conn.execute("update events.inbox set state = 'skipped', reason = 'not wanted'")
    [second] = put(lab, (ONCE, {"key": "p"}))
    assert (lab.row(first).state, lab.row(second).state) == ("skipped", "received")


# Only the last, once it is quiet


@given(arrivals)
@ON_ONE_DATABASE
def test_of_a_key_exactly_the_last_survives_and_never_waits_for_ever(
    lab: Lab, given_: list[tuple[str | None, int, bool]]
) -> None:
    empty(lab)
    sent = requests(lab, LAST, given_)
    newest = {key: id_ for id_, key, _ in sent if key}
    oldest: dict[str, dt.datetime] = {}
    for _, key, at in sent:
        if key:
            oldest.setdefault(key, at)
    replaced = reasons(lab)
    assert set(replaced) == {id_ for id_, key, _ in sent if key and id_ != newest[key]}
    place = {f"replaced by event {id_}": n for n, (id_, _, _) in enumerate(sent)}
    assert all(place[replaced[id_] or ""] > n for n, (id_, _, _) in enumerate(sent) if id_ in replaced)
    for id_, key, at in sent:
        due = lab.row(id_).due_at
        if key and id_ == newest[key]:
            assert due == min(at + QUIET, oldest[key] + LONGEST)
        if not key:
            assert due == at


def test_what_is_in_a_run_s_hands_is_not_replaced_and_the_count_begins_anew(lab: Lab) -> None:
    [first] = put(lab, (LAST, {"key": "p"}))
    claim = "update events.inbox set state = 'claimed', claim_id = gen_random_uuid() where id = %s"
    lab.conn.execute(claim, [first])
    lab.later(seconds=45)
    [second] = put(lab, (LAST, {"key": "p"}))
    assert lab.row(first).state == "claimed"
    assert lab.row(second).due_at == lab.moment + QUIET


def test_an_event_through_sql_that_is_looked_at_late_gives_way_to_a_later_one(lab: Lab) -> None:
    late = through_sql(lab, LAST, {"key": "p"}, "sql")
    [newer] = put(lab, (LAST, {"key": "p"}))
    admit(lab.conn, now=MORNING)
    assert reasons(lab) == {late: f"replaced by event {newer}"}
    assert lab.row(newer).state == "received"


def test_both_rules_of_an_event_hold(lab: Lab) -> None:
    one, two, three = put(lab, *[(BOTH, {"once": o, "key": "p"}) for o in ("a", "a", "b")])
    assert reasons(lab) == {two: f"the same as event {one}", one: f"replaced by event {three}"}


def test_events_of_one_key_that_come_at_once_see_one_another(lab: Lab, events_warehouse: Warehouse) -> None:
    start = threading.Barrier(6)

    def one(place: int, name: str) -> None:
        ((incoming, raw),) = read(json.dumps({"name": name, "data": {"key": "p"}}).encode())
        with events_warehouse.connect(autocommit=True) as conn:
            start.wait()
            for step in range(5):
                each = judge(incoming, raw, own_id=f"{place}.{step}", seed=None, now=MORNING)
                accept(conn, [each], source="http", now=MORNING)

    threads = [threading.Thread(target=one, args=(n, (ONCE, LAST)[n % 2])) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    query = "select name, count(*) from events.inbox where state = 'received' group by name"
    assert dict(lab.conn.execute(query).fetchall()) == {ONCE: 1, LAST: 1}
    assert lab.states() == {"received": 2, "skipped": 28}
    last = lab.value(
        "select max(seq) = max(seq) filter (where state = 'received') from events.inbox where name = %s", LAST
    )
    assert last


# Not if it was called off


def off(id_: Any) -> tuple[str, dict[str, Any]]:
    return (CALLS_OFF, {"id": id_})


def on(id_: Any) -> tuple[str, dict[str, Any]]:
    return (CALLED_OFF, {"appointment": {"id": id_}})


def test_a_waiting_event_is_skipped_and_says_by_which_event(lab: Lab) -> None:
    first, other, number = put(lab, on("a"), on("b"), on(7))
    [by] = put(lab, off("a"))
    assert reasons(lab) == {first: f"cancelled by event {by} ({CALLS_OFF})"}
    put(lab, off(7))
    assert lab.row(number).state == "skipped"
    [later] = put(lab, on("a"))
    assert (lab.row(other).state, lab.row(later).state, lab.row(by).state) == ("received",) * 3


def test_the_order_within_a_request_counts(lab: Lab) -> None:
    before, _, after = put(lab, on("a"), off("a"), on("a"))
    assert (lab.row(before).state, lab.row(after).state) == ("skipped", "received")


def test_an_event_that_waits_for_its_next_try_is_skipped_too(lab: Lab) -> None:
    [id_] = put(lab, on("a"))
    lab.conn.execute("update events.inbox set state = 'retry', attempt = 2")
    put(lab, off("a"))
    assert lab.row(id_).state == "skipped"


@pytest.mark.parametrize("state", ["done", "dead", "unmatched", "skipped"])
def test_what_has_ended_stays_as_it_is(lab: Lab, state: str) -> None:
    [id_] = put(lab, on("a"))
    lab.conn.execute("update events.inbox set state = %s, reason = 'so'", [state])
    put(lab, off("a"))
    assert (lab.row(id_).state, lab.row(id_).reason) == (state, "so")


def test_a_cancelling_event_with_a_bad_payload_cancels_nothing(lab: Lab) -> None:
    lab.post([{"name": "appointment/created", "data": {"appointmentId": "a"}}])
    lab.post([{"name": "appointment/cancelled", "data": {"appointmentId": "a", "patientId": 5}}])
    assert lab.states() == {"received": 1, "dead": 1}
    lab.post([{"name": "appointment/cancelled", "data": {"appointmentId": "a"}}])
    assert lab.states() == {"received": 1, "dead": 1, "skipped": 1}


def test_what_was_cancelled_before_anybody_looked_at_it_is_skipped(lab: Lab) -> None:
    through_sql(lab, *on("a"), "made")
    [by] = put(lab, off("a"))
    through_sql(lab, *on("a"), "made again")
    admit(lab.conn, now=MORNING)
    assert reasons(lab) == {"made": f"cancelled by event {by} ({CALLS_OFF})"}


def test_a_delayed_event_can_be_called_off_for_as_long_as_it_waits(lab: Lab) -> None:
    row = registry.EVENTS["appointment/created"]
    id_ = lab.send(row.name, {"appointmentId": "a"})
    assert lab.row(id_).due_at == lab.moment + row.delay
    lab.later(seconds=row.delay.total_seconds() - 1)
    lab.send("appointment/cancelled", {"appointmentId": "a"})
    assert lab.row(id_).state == "skipped"
