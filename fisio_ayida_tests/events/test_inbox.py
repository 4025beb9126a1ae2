"""Putting events into the inbox: one row for each id, whatever comes how often, in whatever company."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.events.admission import BadEvent, Candidate, judge, read
from fisio_ayida.events.inbox import Accepted, accept, refuse
from fisio_ayida_tests.events.lab import MORNING, Lab

CANARY, DETAIL = "fisio_ayida/canary", "convocatorias/detail.requested"
ON_ONE_DATABASE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

ids = st.sampled_from(["a", "b", "c", "d"])
# The same number in two spellings is the same body, and so is another order of the fields.
bodies = st.sampled_from(['{"bdns": "1"}', '{"bdns": "2"}', '{"bdns": "2", "n": 1.0}', '{"n": 1.00, "bdns": "2"}'])
refused_bodies = st.sampled_from(['{"bdns": "x"}', "{}", r'{"bdns": "\u0000"}'])


def candidates(*events: tuple[str, str], name: str = DETAIL) -> list[Candidate]:
    """Events given as id and payload."""
    made = []
    for id_, data in events:
        body = f'{{"name": "{name}", "id": "{id_}", "data": {data}}}'.encode()
        made += [judge(incoming, raw, own_id="", seed=None, now=MORNING) for incoming, raw in read(body)]
    return made


def put(lab: Lab, *events: tuple[str, str], source: str = "http", name: str = DETAIL) -> list[Accepted]:
    return accept(lab.conn, candidates(*events, name=name), source=source, now=lab.moment)


def canonical(data: str) -> str:
    return json.dumps(json.loads(data), sort_keys=True)


def empty(lab: Lab) -> None:
    lab.conn.execute("delete from events.conflicts; delete from events.transitions; delete from events.inbox")


@st.composite
def batches(draw: st.DrawFn, data: st.SearchStrategy[str]) -> list[list[tuple[str, str]]]:
    """Arrivals of ids and payloads, in requests of any size."""
    arrivals = draw(st.lists(st.tuples(ids, data), max_size=14))
    cuts = sorted(draw(st.sets(st.integers(0, len(arrivals)), max_size=5)))
    return [arrivals[a:b] for a, b in zip([0, *cuts], [*cuts, len(arrivals)], strict=True)]


@given(batches(bodies))
@ON_ONE_DATABASE
def test_each_id_is_stored_once_with_its_first_body(lab: Lab, requests: list[list[tuple[str, str]]]) -> None:
    empty(lab)
    first: dict[str, str] = {}
    others: Counter[tuple[str, str]] = Counter()
    for request in requests:
        answers = put(lab, *request)
        assert [answer.id for answer in answers] == [id_ for id_, _ in request]
        for (id_, data), answer in zip(request, answers, strict=True):
            new = id_ not in first
            kept = first.setdefault(id_, canonical(data))
            other = canonical(data) != kept
            others[id_, canonical(data)] += other
            assert (answer.new, answer.conflict) == (new, other)
    rows = lab.conn.execute("select id, data, state from events.inbox").fetchall()
    assert {id_: json.dumps(data, sort_keys=True) for id_, data, _ in rows} == first
    assert len(rows) == len(first) and {state for *_, state in rows} <= {"received"}
    found: Counter[tuple[str, str]] = Counter()
    for id_, data, times in lab.conn.execute("select event_id, data, times from events.conflicts"):
        found[id_, json.dumps(data, sort_keys=True)] += times
    assert found == +others


@given(batches(bodies | refused_bodies))
@ON_ONE_DATABASE
def test_a_refused_event_gives_way_to_the_first_good_one_of_its_id(
    lab: Lab, requests: list[list[tuple[str, str]]]
) -> None:
    empty(lab)
    good: dict[str, str] = {}
    seen: dict[str, set[str]] = {}
    for request in requests:
        for (id_, data), answer in zip(request, put(lab, *request), strict=True):
            is_good = answer.problem is None
            seen.setdefault(id_, set()).add(canonical(data))
            if is_good and id_ not in good:
                good[id_] = canonical(data)
                assert answer.new
            elif id_ in good:
                assert not answer.new
                assert answer.conflict == (canonical(data) != good[id_])
    rows = {
        id_: (state, data) for id_, state, data in lab.conn.execute("select id, state, data from events.inbox")
    }
    assert set(rows) == set(seen)
    for id_, (state, data) in rows.items():
        if id_ in good:
            assert (state, json.dumps(data, sort_keys=True)) == ("received", good[id_])
        else:
            assert state == "dead"


def test_the_order_of_a_request_is_the_order_of_arrival(lab: Lab) -> None:
    put(lab, *[(f"e{n:02}", '{"bdns": "1"}') for n in (5, 3, 9, 1)])
    assert [i for (i,) in lab.conn.execute("select id from events.inbox order by seq")] == [
        "e05",
        "e03",
        "e09",
        "e01",
    ]


def test_the_order_of_a_request_is_kept_when_it_is_large(lab: Lab) -> None:
    sent = [f"e{(n * 7919) % 3000:04}" for n in range(3000)]
    put(lab, *[(id_, "{}") for id_ in sent], name=CANARY)
    assert [i for (i,) in lab.conn.execute("select id from events.inbox order by seq")] == sent


def test_a_retry_of_ours_differs_in_what_we_made_up_and_is_the_same(lab: Lab) -> None:
    put(lab, ("a", '{"bdns": "1", "runId": "r1", "timestamp": "t1"}'), source="batch")
    [again] = put(lab, ("a", '{"bdns": "1", "runId": "r2", "timestamp": "t2"}'), source="batch")
    [other] = put(lab, ("a", '{"bdns": "2", "runId": "r3", "timestamp": "t3"}'), source="batch")
    assert (again.new, again.conflict, other.conflict) == (False, False, True)
    [sdk] = put(lab, ("a", '{"bdns": "1", "runId": "r2", "timestamp": "t2"}'))
    assert sdk.conflict, "what an app made up is its payload"


def test_another_event_under_the_same_id_is_a_conflict(lab: Lab) -> None:
    put(lab, ("a", "{}"), name=CANARY)
    [other] = put(lab, ("a", "{}"), name="patient/updated")
    assert other.conflict
    assert lab.row("a").state == "received"
    assert lab.value("select name from events.inbox where id = 'a'") == CANARY


def test_an_alias_and_its_name_are_the_same_event(lab: Lab) -> None:
    put(lab, ("a", '{"bdns": "1"}'), name=f"app/{DETAIL.replace('/', '.')}")
    [again] = put(lab, ("a", '{"bdns": "1"}'))
    assert (again.new, again.conflict) == (False, False)


def test_an_event_through_sql_and_the_same_by_http_are_one_before_anybody_looked_at_it(lab: Lab) -> None:
    name = f"app/{DETAIL.replace('/', '.')}"
    lab.conn.execute("select events.send(%s, %s, 'a')", [name, '{"bdns": "1"}'])
    [again] = put(lab, ("a", '{"bdns": "1"}'), name=name)
    assert (again.new, again.conflict) == (False, False)


def test_a_correction_is_work_and_what_it_corrects_is_kept(lab: Lab) -> None:
    put(lab, ("a", '{"bdns": "wrong"}'))
    [again] = put(lab, ("a", '{"bdns": "wrong"}'))
    assert (again.new, again.conflict) == (False, False) and "data.bdns" in (again.problem or "")
    lab.later(minutes=1)
    [better] = put(lab, ("a", '{"bdns": "12"}'))
    assert (better.new, better.problem) == (True, None)
    assert lab.row("a").state == "received" and lab.history("a") == ["dead", "received"]
    assert "data.bdns" in lab.value("select reason from events.transitions where state = 'dead'")
    kept = lab.value("select data from events.conflicts where event_id = 'a'")
    assert kept == {"bdns": "wrong"}


def test_an_event_of_another_name_corrects_nothing(lab: Lab) -> None:
    put(lab, ("a", '{"bdns": "wrong"}'))
    [other] = put(lab, ("a", "{}"), name=CANARY)
    assert other.conflict and lab.row("a").state == "dead"


def test_an_event_that_died_at_work_is_not_replaced_by_a_repeat(lab: Lab) -> None:
    put(lab, ("a", '{"bdns": "1"}'))
    lab.conn.execute("update events.inbox set state = 'dead', reason = 'no luck' where id = 'a'")
    [again], [other] = put(lab, ("a", '{"bdns": "1"}')), put(lab, ("a", '{"bdns": "2"}'))
    assert (again.new, other.new, other.conflict) == (False, False, True)
    assert lab.row("a").reason == "no luck"


def test_a_request_is_stored_whole_or_not_at_all(lab: Lab) -> None:
    broken = candidates(("a", "{}"), ("b", "{}"), name=CANARY)
    object.__setattr__(broken[1], "data", "not json")
    with pytest.raises(psycopg.DataError):
        accept(lab.conn, broken, source="http", now=MORNING)
    assert lab.states() == {}


def test_a_refused_request_is_kept_once_and_counted(lab: Lab) -> None:
    for _ in range(3):
        refuse(lab.conn, b"\0\xffnonsense", source="http", status=400, reason="not JSON", now=lab.later(minutes=1))
    row = lab.conn.execute("select times, body, received_at, last_at from events.refused").fetchone()
    assert row == (3, b"\0\xffnonsense", MORNING + dt.timedelta(minutes=1), MORNING + dt.timedelta(minutes=3))


# Nothing that JSON can say reaches the database as an error.
numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,6})?", fullmatch=True)
escapes = st.sampled_from(
    [r"\u0000", r"\ud83d", r"\ude00", r"\\", r"\"", r"\n", r"\uffff", "é", "x", "\x7f", r"\/"]
)
texts = st.lists(escapes, max_size=5).map(lambda parts: '"' + "".join(parts) + '"')
json_texts = st.recursive(
    numbers | texts | st.sampled_from(["true", "false", "null"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: "[" + ", ".join(each) + "]")
        | st.lists(st.tuples(texts, inner), max_size=3).map(
            lambda each: "{" + ", ".join(f"{k}: {v}" for k, v in each) + "}"
        )
    ),
    max_leaves=10,
)
names = st.sampled_from([CANARY, "session/completed", "appointment/reminder", "nobody/knows"])


@given(names, st.lists(st.tuples(texts, json_texts), max_size=4), json_texts)
@ON_ONE_DATABASE
def test_whatever_is_judged_an_event_can_be_stored_and_read(
    lab: Lab, name: str, fields: Sequence[tuple[str, str]], user: str
) -> None:
    empty(lab)
    data = "{" + ", ".join(f"{key}: {value}" for key, value in fields) + "}"
    body = f'{{"name": "{name}", "id": "a", "data": {data}, "user": {user}}}'.encode()
    try:
        ((incoming, raw),) = read(body)
        candidate = judge(incoming, raw, own_id="own", seed=None, now=MORNING)
    except BadEvent:
        return
    neighbour, *_ = candidates(("neighbour", "{}"), name=CANARY)
    accept(lab.conn, [candidate, neighbour], source="http", now=MORNING)
    stored, kept = lab.conn.execute("select data, raw from events.inbox where id = 'a'").fetchone() or (None, None)
    assert isinstance(stored, dict) != isinstance(kept, bytes)


@pytest.mark.parametrize("name", ["appointment/reminder", "session/completed", "nobody/knows"])
def test_a_key_longer_than_an_index_can_hold_is_no_accident(lab: Lab, name: str) -> None:
    # Random, so that compression does not save it.
    key = "".join(chr(0x4E00 + (n * 48_271) % 20_000) for n in range(20_000))
    fields = dict.fromkeys(("appointmentId", "patientId", "organizationId"), key)
    put(lab, ("a", json.dumps(fields)), name=name)
    assert lab.states().total() == 1
