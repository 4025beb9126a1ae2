"""``events.send``: an app's own write and its event commit together, with no right to anything else."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fisio_ayida.events.inbox import admit
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.events.lab import MORNING, Lab

Conn = psycopg.Connection[Any]


@pytest.fixture
def app(lab: Lab, events_warehouse: Warehouse) -> Iterator[Conn]:
    """An app's connection, with the rights that the documentation tells it to ask for and a table of its own."""
    role = f"app_{uuid.uuid4().hex[:8]}"
    lab.conn.execute(
        f"""
        create role {role}; create schema {role} authorization {role};
        create table {role}.orders (n integer); alter table {role}.orders owner to {role};
        grant usage on schema events to {role};
        grant execute on function events.send(text, jsonb, text) to {role};
        """
    )
    with events_warehouse.connect() as conn:
        conn.execute(f"set role {role}")
        conn.execute(f"set search_path = {role}")
        conn.commit()
        yield conn
    lab.conn.execute(f"drop owned by {role} cascade; drop role {role}")


def send(conn: Conn, *values: Any) -> str:
    row = conn.execute(f"select events.send({', '.join(['%s'] * len(values))})", values).fetchone()
    assert row is not None
    return str(row[0])


def test_the_event_is_there_when_the_app_s_own_write_is(lab: Lab, app: Conn) -> None:
    app.execute("insert into orders values (1)")
    id_ = send(app, "fisio_ayida/canary", '{"note": "é"}', "order-1")
    assert id_ == "order-1"
    assert lab.states() == {}, "not before the app commits"
    app.commit()
    row = lab.conn.execute("select name, source, data, state, admitted from events.inbox").fetchone()
    assert row == ("fisio_ayida/canary", "sql", {"note": "é"}, "received", None)
    assert admit(lab.conn, now=MORNING) == 1
    assert lab.value("select admitted from events.inbox") is True


def test_an_app_that_rolls_back_has_sent_nothing(lab: Lab, app: Conn) -> None:
    send(app, "fisio_ayida/canary", "{}", "order-1")
    app.rollback()
    assert lab.states() == {}
    send(app, "fisio_ayida/canary", "{}", "order-1")
    app.commit()
    assert lab.states() == {"received": 1}


def test_without_an_id_each_event_gets_one(lab: Lab, app: Conn) -> None:
    one, other = send(app, "fisio_ayida/canary", "{}"), send(app, "fisio_ayida/canary", "{}", None)
    app.commit()
    assert one != other and one.startswith("sql-")
    assert lab.states() == {"received": 2}


def test_the_same_id_again_does_nothing_and_another_body_is_kept_aside(lab: Lab, app: Conn) -> None:
    for data in ('{"note": "a", "n": 1.0}', '{"n": 1.00, "note": "a"}', '{"note": "b"}', '{"note": "b"}'):
        assert send(app, "fisio_ayida/canary", data, "x") == "x"
    send(app, "patient/updated", '{"note": "a", "n": 1.0}', "x")
    app.commit()
    assert lab.states() == {"received": 1}
    assert lab.value("select data from events.inbox") == {"note": "a", "n": 1.0}
    conflicts = lab.conn.execute("select name, data, times from events.conflicts order by name").fetchall()
    assert conflicts == [
        ("fisio_ayida/canary", {"note": "b"}, 2), ("patient/updated", {"note": "a", "n": 1.0}, 1),
    ]  # fmt: skip


def test_an_event_is_the_same_under_its_alias_after_it_was_looked_at(lab: Lab, app: Conn) -> None:
    alias = "app/convocatorias.detail.requested"
    send(app, alias, '{"bdns": "1"}', "x")
    app.commit()
    admit(lab.conn, now=MORNING)
    send(app, alias, '{"bdns": "1"}', "x")
    send(app, "convocatorias/detail.requested", '{"bdns": "1"}', "x")
    app.commit()
    assert lab.value("select count(*) from events.conflicts") == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((None, "{}"), "name must have 1 to 256 characters"),
        (("", "{}"), "name must have 1 to 256 characters"),
        (("x" * 257, "{}"), "name must have 1 to 256 characters"),
        (("a/b", None), "data must be a JSON object, not null"),
        (("a/b", "null"), "data must be a JSON object, not null"),
        (("a/b", "[1]"), "data must be a JSON object, not array"),
        (("a/b", '"text"'), "data must be a JSON object, not string"),
        (("a/b", '{"x": "' + "y" * 524_288 + '"}'), "data has 524297 bytes, 524288 are allowed"),
        (("a/b", '{"x":' * 101 + "1" + "}" * 101), "data is nested more than 100 levels deep"),
        (("a/b", '{"x": ' + "[" * 100 + "]" * 100 + "}"), "data is nested more than 100 levels deep"),
        (("a/b", "{}", ""), "id must have 1 to 256 characters"),
        (("a/b", "{}", "x" * 257), "id must have 1 to 256 characters"),
    ],
)
def test_bad_arguments_are_said_and_stop_the_app_s_transaction(
    lab: Lab, app: Conn, values: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=f"events.send: {said}"):
        send(app, *values)
    app.rollback()
    assert lab.states() == {}


def test_as_deep_as_is_allowed_through_this_door_is_allowed_inside(lab: Lab, app: Conn) -> None:
    id_ = send(app, "fisio_ayida/canary", '{"x": ' + "[" * 99 + "]" * 99 + "}")
    app.commit()
    admit(lab.conn, now=MORNING)
    assert lab.row(id_).state == "received"


@pytest.mark.parametrize(
    "statement",
    [
        "select * from events.inbox",
        "insert into events.inbox (id) values ('x')",
        "delete from events.transitions",
        "select * from events.refused",
        "create table events.mine (n integer)",
    ],
)
def test_an_app_may_do_nothing_else(app: Conn, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)


def test_an_app_cannot_put_its_own_functions_into_the_way(lab: Lab, app: Conn) -> None:
    app.execute("create function length(text) returns integer language sql as 'select 1 / 0'")
    app.execute("create temp table inbox (id text)")
    id_ = send(app, "fisio_ayida/canary", "{}")
    app.commit()
    assert lab.row(id_).state == "received"


def test_nobody_may_send_who_was_not_let_in(lab: Lab, app: Conn) -> None:
    (role,) = app.execute("select current_user").fetchone() or ("",)
    app.commit()
    lab.conn.execute(f"revoke execute on function events.send(text, jsonb, text) from {role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        send(app, "fisio_ayida/canary", "{}")


def test_a_bad_or_unknown_event_through_this_door_is_kept_with_the_reason(lab: Lab, app: Conn) -> None:
    bad = send(app, "convocatorias/detail.requested", '{"bdns": "x"}')
    unknown = send(app, "nobody/knows", '{"organizationId": "o"}')
    unreadable = send(app, "fisio_ayida/canary", '{"n": ' + "9" * 5000 + "}")
    after = send(app, "fisio_ayida/canary", '{"organizationId": "o"}')
    app.commit()
    assert admit(lab.conn, now=MORNING) == 4
    assert lab.row(bad).state == "dead" and "data.bdns" in (lab.row(bad).reason or "")
    assert lab.row(unknown).state == "unmatched"
    assert (lab.row(unreadable).reason or "").startswith("data cannot be read: Integer value out of range")
    assert lab.row(after).state == "received"
    assert lab.value("select organization_id from events.inbox where id = %s", after) == "o"


def test_those_who_look_share_the_events_and_each_is_looked_at_once(lab: Lab, events_warehouse: Warehouse) -> None:
    for n in range(5):
        lab.conn.execute("select events.send('appointment/created', %s)", [f'{{"appointmentId": "{n}"}}'])
    due = dict(lab.conn.execute("select id, due_at from events.inbox").fetchall())
    with events_warehouse.connect() as one:
        one.execute("select 1")
        assert admit(one, now=MORNING, limit=3) == 3
        assert admit(lab.conn, now=MORNING) == 2, "those that are being looked at are skipped, not waited for"
        one.commit()
    assert admit(lab.conn, now=MORNING) == 0
    delayed = dict(lab.conn.execute("select id, due_at - interval '1 minute' from events.inbox").fetchall())
    assert delayed == due
