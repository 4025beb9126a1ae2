"""The operator's desk: what is there, what needs a person, and one event more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fisio_ayida.events import canary, claims, desk, sending, unaccepted
from fisio_ayida.events.admission import BadEvent
from fisio_ayida.events.desk import BadQuestion, Which
from fisio_ayida.events.inbox import refuse
from fisio_ayida.events.registry import UnknownEvent
from fisio_ayida_tests.events.lab import DETAIL, MORNING, Lab

HOUR = dt.timedelta(hours=1)
ALL = Which()


def bad(lab: Lab) -> str:
    return lab.send(DETAIL, {"bdns": "x"})


# Lists and counts


def mixed(lab: Lab) -> dict[str, str]:
    """One event in each state."""
    found = {}
    found["done"], found["dead"], found["skipped"], found["retry"] = lab.canaries(4, "north")
    claim = lab.claim()
    assert claim is not None
    change = "update events.inbox set claim_id = null, run_id = 'run-9', state = %s, reason = %s where id = %s"
    for state, id_ in found.items():
        lab.conn.execute(change, [state, f"so {state}", id_])
    lab.conn.execute("update events.inbox set due_at = due_at + interval '1 day' where state = 'retry'")
    claims.end(lab.conn, claim.id, "done", lab.moment)
    [found["claimed"]] = lab.canaries(1, "south")
    assert lab.claim(run_id="run-10") is not None
    lab.later(hours=1)
    [found["received"]] = lab.canaries(1, "south")
    found["unmatched"] = lab.send("nobody/knows", {"organizationId": "south"})
    return found


def listed(lab: Lab, **parts: Any) -> list[str]:
    return [each.id for each in desk.events(lab.conn, Which(**parts), limit=100)]


def test_a_list_is_narrowed_by_each_part_and_newest_first(lab: Lab) -> None:
    found = mixed(lab)
    everything = listed(lab)
    assert everything == list(found.values())[::-1]
    assert desk.events(lab.conn, ALL, limit=2) == desk.events(lab.conn, ALL, limit=100)[:2]
    assert listed(lab, states=("dead", "claimed")) == [found["claimed"], found["dead"]]
    assert listed(lab, names=("nobody/knows",)) == [found["unmatched"]]
    assert listed(lab, organization="south") == everything[:3]
    assert listed(lab, organization="") == []
    assert listed(lab, since=MORNING + HOUR) == everything[:2]
    assert listed(lab, until=MORNING + HOUR) == everything[2:]
    assert listed(lab, ids=(found["done"], "no such")) == [found["done"]]
    assert listed(lab, states=("dead",), organization="south") == []


def test_a_line_of_a_list_says_where_the_event_stands(lab: Lab) -> None:
    found = mixed(lab)
    lines = {each.id: each for each in desk.events(lab.conn, ALL, limit=100)}
    assert lines[found["claimed"]].run_id == "run-10", "the run that has it in its hands"
    dead = lines[found["dead"]]
    assert (dead.state, dead.attempt, dead.run_id, dead.reason, dead.organization_id) == (
        "dead", 1, "run-9", "so dead", "north",
    )  # fmt: skip


def test_counts_add_up(lab: Lab) -> None:
    mixed(lab)
    counts = {(c.name, c.state): c for c in desk.counts(lab.conn)}
    assert {key[1]: c.events for key, c in counts.items()} == dict(lab.states())
    assert counts[canary.NAME, "received"].oldest_due == MORNING + HOUR
    assert counts[canary.NAME, "retry"].oldest_due == MORNING + 24 * HOUR
    assert counts[canary.NAME, "done"].oldest_due is None
    assert [(c.name, c.state) for c in desk.counts(lab.conn, Which(since=MORNING + HOUR))] == [
        (canary.NAME, "received"), ("nobody/knows", "unmatched"),
    ]  # fmt: skip


def test_a_name_is_found_by_its_alias_and_where_only_the_inbox_has_it(lab: Lab) -> None:
    names = desk.names_of(lab.conn, "app/convocatorias.detail.requested")
    assert names == (DETAIL, "app/convocatorias.detail.requested")
    lab.send("nobody/knows")
    assert desk.names_of(lab.conn, "nobody/knows") == ("nobody/knows",)
    with pytest.raises(BadQuestion, match=r"name='no/such' is not an event, .* known: convocatorias/sync"):
        desk.names_of(lab.conn, "no/such")


def test_a_state_that_there_is_not_is_refused(lab: Lab) -> None:
    assert desk.known_states(["dead", "done"]) == ("dead", "done")
    with pytest.raises(BadQuestion, match=r"state='gone' is not allowed; allowed: received, claimed"):
        desk.known_states(["dead", "gone"])


def test_a_payload_is_shown_as_it_came(lab: Lab) -> None:
    lab.conn.execute("select events.send(%s, %s, 'a')", [canary.NAME, '{"n": 1.50}'])
    plain = desk.payload(lab.conn, "a")
    assert plain is not None and (plain.data, plain.raw) == ('{"n": 1.50}', None)
    raw = desk.payload(lab.conn, lab.send(canary.NAME, {"note": "\0"}))
    assert raw is not None and raw.data is None and rb'"\u0000"' in (raw.raw or b"")
    assert desk.payload(lab.conn, "no such") is None


def test_what_was_not_accepted_is_listed_without_its_body_and_found_by_its_digest(lab: Lab) -> None:
    refuse(lab.conn, b"nonsense", source="http", status=400, reason="not JSON", now=MORNING)
    refuse(lab.conn, b"later", source="batch", status=413, reason="too large", now=MORNING + HOUR)
    lab.send(canary.NAME, {"n": 1}, "a")
    lab.send(canary.NAME, {"n": 2}, "a")
    newest, oldest = unaccepted.refused(lab.conn)
    assert (newest.what, newest.source, oldest.what, oldest.size) == (
        "413: too large",
        "batch",
        "400: not JSON",
        8,
    )
    assert unaccepted.refused(lab.conn, since=MORNING + HOUR) == [newest] == unaccepted.refused(lab.conn, limit=1)
    [other] = unaccepted.conflicts(lab.conn, event_id="a")
    assert (other.event_id, other.what) == ("a", canary.NAME)
    assert unaccepted.conflicts(lab.conn, event_id="b") == []
    for each in (newest, oldest, other):
        assert unaccepted.find(lab.conn, each.digest[:12]) == [each]
    assert unaccepted.find(lab.conn, newest.digest[:7]) == unaccepted.find(lab.conn, "%" * 12) == []
    assert unaccepted.body(lab.conn, oldest.digest) == b"nonsense"
    assert unaccepted.body(lab.conn, other.digest) == b'{"n": 2}'


# What needs a person


def test_an_inbox_where_all_is_well_needs_nobody(lab: Lab) -> None:
    lab.canaries(2)
    lab.drain()
    assert desk.attention(lab.conn, lab.moment) == desk.Attention((), (), (), None, (), 0, 0)


def test_attention_names_what_failed_what_waits_and_what_was_not_accepted(lab: Lab) -> None:
    bad(lab)
    last_bad = bad(lab)
    unknown = lab.send("nobody/knows")
    lab.send("patient/created")
    lab.send("patient/created")
    lab.later(minutes=5)
    due = lab.send(DETAIL, {"bdns": "1"})
    lab.later(minutes=5)
    lab.canaries(2)
    lab.conn.execute("update events.inbox set due_at = due_at + interval '1 day' where name = %s", [canary.NAME])
    refuse(lab.conn, b"a", source="http", status=400, reason="not JSON", now=MORNING - 25 * HOUR)
    refuse(lab.conn, b"b", source="http", status=400, reason="not JSON", now=MORNING)
    lab.send(DETAIL, {"bdns": "2"}, due)
    seen = desk.attention(lab.conn, lab.moment)
    [dead] = seen.dead
    assert (dead.name, dead.events, dead.last_id) == (DETAIL, 2, last_bad) and "data.bdns" in (dead.reason or "")
    assert [(t.name, t.events, t.last_id) for t in seen.unmatched] == [("nobody/knows", 1, unknown)]
    assert seen.oldest == desk.Waiting(due, DETAIL, MORNING + dt.timedelta(minutes=5))
    assert seen.unhandled == (desk.Unhandled("patient/created", 2),)
    assert (seen.refused, seen.conflicts) == (1, 1)


def test_an_event_through_sql_that_nobody_looks_at_is_seen_to_wait(lab: Lab) -> None:
    lab.conn.execute("select events.send('nobody/knows', '{}', 'a')")
    lab.conn.execute("update events.inbox set due_at = %s", [MORNING])
    oldest = desk.attention(lab.conn, lab.later(minutes=1)).oldest
    assert oldest == desk.Waiting("a", "nobody/knows", MORNING)


# One more


def send(lab: Lab, name: str, data: bytes, id_: str | None = None) -> Any:
    return sending.send(lab.conn, name, data, id_=id_, now=lab.moment, chance=lambda n: b"7" * n)


def test_an_operator_s_event_is_like_any_other(lab: Lab) -> None:
    accepted = send(lab, canary.NAME, b'{"note": "hello"}')
    assert (accepted.new, accepted.problem, len(accepted.id)) == (True, None, 26)
    assert lab.value("select source from events.inbox") == "cli"
    assert not send(lab, canary.NAME, b'{"note": "hello"}', accepted.id).new
    assert send(lab, canary.NAME, b"{}", accepted.id).conflict
    lab.drain()
    assert lab.echoes() == [accepted.id]


def test_a_wrong_one_is_kept_as_dead_and_what_is_no_event_is_not_kept(lab: Lab) -> None:
    assert "data.bdns" in (send(lab, DETAIL, b"{}").problem or "")
    assert lab.states() == {"dead": 1}
    for data, said in (
        (b"nonsense", "data is not JSON"),
        (b'{}, "id": "x"', "data is not JSON"),
        (b"[]", "an object"),
    ):
        with pytest.raises(BadEvent, match=said):
            send(lab, canary.NAME, data)
    with pytest.raises(UnknownEvent, match="name='no/such' is not an event"):
        send(lab, "no/such", b"{}")
    assert lab.states() == {"dead": 1}
