"""``messaging.plan``: FisioFlow's own SQL asks for a message in its own transaction, or is told why not."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from fisio_ayida_tests.messaging.lab import CLINIC, MAIL, Lab

REQUEST: dict[str, Any] = {
    "userId": "user-1", "organizationId": CLINIC, "type": "email",
    "data": {"to": MAIL, "subject": "Sua senha", "body": "Abra o link."},
}  # fmt: skip


def plan(lab: Lab, request: Any, id: str | None = "r1") -> str:
    """Call it."""
    return str(lab.value("select messaging.plan(%s, %s)", None if request is None else Jsonb(request), id))


def events(lab: Lab) -> list[tuple[str, str, Any]]:
    """What the inbox has."""
    return lab.conn.execute("select id, name, data from events.inbox order by seq").fetchall()


def test_a_request_is_an_event_of_its_id(lab: Lab) -> None:
    assert plan(lab, REQUEST) == "r1"
    assert events(lab) == [("r1", "notification/send", REQUEST)]


def test_the_same_id_is_the_same_request(lab: Lab) -> None:
    plan(lab, REQUEST)
    plan(lab, REQUEST)
    assert len(events(lab)) == 1


def test_a_request_is_undone_with_its_cause(lab: Lab) -> None:
    with lab.conn.transaction(force_rollback=True):
        lab.visit()
        plan(lab, REQUEST)
        assert len(events(lab)) == 1
    assert events(lab) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "sms"}, 'type="sms" is not email, whatsapp or push'),
        ({"type": None}, "type=null is not email, whatsapp or push"),
        ({"priority": "urgent"}, 'priority="urgent" is not critical, high, normal or low'),
        ({"data": {"body": "Oi"}}, "data.to is missing"),
        ({"data": None}, "data.to is missing"),
    ],
)
def test_what_cannot_be_sent_is_refused_where_it_was_asked_for(
    lab: Lab, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as refused:
        plan(lab, REQUEST | changes)
    assert words in str(refused.value)
    assert events(lab) == []


@pytest.mark.parametrize("request_", [None, [], "a text"])
def test_a_request_is_an_object(lab: Lab, request_: Any) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="request must be a JSON object"):
        plan(lab, request_)


@pytest.mark.parametrize("id", [None, "", "x" * 201])
def test_an_id_is_needed(lab: Lab, id: str | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="id must have 1 to 200 characters"):
        plan(lab, REQUEST, id)


def test_nobody_may_ask_who_was_not_allowed_to(lab: Lab) -> None:
    lab.conn.execute("create role stranger")
    try:
        assert not lab.value("select has_function_privilege('stranger', 'messaging.plan(jsonb, text)', 'execute')")
    finally:
        lab.conn.execute("drop role stranger")


def test_an_app_that_may_ask_needs_no_right_on_the_inbox(lab: Lab) -> None:
    lab.conn.execute(
        "create role app; grant usage on schema messaging to app; "
        "grant execute on function messaging.plan(jsonb, text) to app"
    )
    try:
        lab.conn.execute("set role app")
        plan(lab, REQUEST)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            events(lab)
    finally:
        lab.conn.execute("reset role")
        lab.conn.execute("drop owned by app; drop role app")
    assert len(events(lab)) == 1
