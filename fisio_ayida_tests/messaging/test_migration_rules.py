"""What the database itself keeps, whoever writes: no step back, every state with its time, no empty word."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest

from fisio_ayida.messaging.model import PRIORITIES, STATES
from fisio_ayida_tests.messaging.lab import Lab

# CONTRACT clinic §14.2, what a person may do included.
FORWARD = {
    "planned": {"claimed", "skipped", "deferred", "expired"},
    "deferred": {"claimed", "skipped", "expired", "unknown"},
    "retry": {"claimed", "skipped", "deferred", "expired", "unknown", "accepted", "delivered", "read", "failed"},
    "claimed": {"accepted", "delivered", "read", "retry", "failed", "unknown"},
    "unknown": {"accepted", "delivered", "read", "failed", "retry"},
    "accepted": {"delivered", "read", "failed"},
    "delivered": {"read"},
    "read": set[str](),
    "failed": {"planned"},
    "skipped": {"planned"},
    "expired": {"planned"},
}
WAY_TO = {
    "planned": (), "claimed": ("claimed",), "deferred": ("deferred",), "skipped": ("skipped",),
    "expired": ("expired",), "retry": ("claimed", "retry"), "failed": ("claimed", "failed"),
    "unknown": ("claimed", "unknown"), "accepted": ("claimed", "accepted"),
    "delivered": ("claimed", "accepted", "delivered"), "read": ("claimed", "accepted", "delivered", "read"),
}  # fmt: skip


def move(lab: Lab, id: int, state: str, at: dt.datetime | None = None) -> None:
    """As any statement might."""
    lab.conn.execute(
        "update messaging.messages set state = %s, changed_at = %s, reason = 'because', "
        "lease_until = case when %s = 'claimed' then now() end where id = %s",
        [state, at or lab.moment, state, id],
    )


@pytest.mark.parametrize("old", STATES)
def test_only_steps_forward_are_possible(lab: Lab, old: str) -> None:
    possible = set()
    id = lab.plan(lab.direct())[0].id
    for state in WAY_TO[old]:
        move(lab, id, state)
    for new in set(STATES) - {old}:
        try:
            with lab.conn.transaction(force_rollback=True):
                move(lab, id, new)
                possible.add(new)
        except psycopg.errors.CheckViolation as refused:
            assert f"{new} does not follow {old}" in str(refused)
    assert possible == FORWARD[old]


def test_every_state_is_kept_with_its_time(lab: Lab) -> None:
    id, start = lab.plan(lab.direct())[0].id, lab.moment
    for minutes, state in enumerate(WAY_TO["read"], 1):
        move(lab, id, state, start + dt.timedelta(minutes=minutes))
    found = lab.conn.execute("select state, at from messaging.transitions where message_id = %s order by at", [id])
    states = ("planned", *WAY_TO["read"])
    assert found.fetchall() == [(state, start + dt.timedelta(minutes=n)) for n, state in enumerate(states)]


def test_a_statement_for_many_messages_keeps_a_state_of_each(lab: Lab) -> None:
    ids = [each.id for each in lab.plan(*(lab.direct(f"many:{n}") for n in range(20)))]
    lab.conn.execute(
        "update messaging.messages set state = 'skipped', reason = 'because' where id = any(%s)", [ids]
    )
    assert {id: lab.path(id) for id in ids} == {id: ["planned", "skipped"] for id in ids}


def test_a_change_within_a_state_is_no_new_state(lab: Lab) -> None:
    id = lab.plan(lab.direct())[0].id
    lab.conn.execute("update messaging.messages set due_at = due_at + interval '1 hour'")
    assert lab.path(id) == ["planned"]


@pytest.mark.parametrize(
    "change",
    [
        "state = 'skipped'",
        "state = 'claimed'",
        "lease_until = now()",
        "cause_kind = 'appointment'",
        "priority = 15",
        "channel = 'sms'",
        "category = 'urgent'",
        "key = ''",
    ],
)
def test_a_row_that_says_nothing_is_refused(lab: Lab, change: str) -> None:
    lab.plan(lab.direct())
    with pytest.raises(psycopg.errors.CheckViolation):
        lab.conn.execute(f"update messaging.messages set {change}")


def test_the_tables_priorities_and_states_are_those_of_the_code(lab: Lab) -> None:
    checks = lab.value(
        "select string_agg(pg_get_constraintdef(oid), ' ') from pg_constraint "
        "where conrelid = 'messaging.messages'::regclass and contype = 'c'"
    )
    assert all(f"'{state}'" in checks for state in STATES)
    assert all(str(priority) in checks for priority in PRIORITIES.values())
