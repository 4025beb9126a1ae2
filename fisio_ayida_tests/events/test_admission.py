"""Judging what came: what is an event, whose it is, when it is due, and what is wrong with it, in words."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.events.admission import (
    LONGEST_EVENT_BYTES,
    BadEvent,
    Candidate,
    TooLarge,
    facts_of,
    judge,
    key_of,
    read,
)
from fisio_ayida.events.ids import Seed
from fisio_ayida.events.registry import EVENTS, event

NOW = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)
MILLIS = int(NOW.timestamp() * 1000)
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
CANARY = "fisio_ayida/canary"
ANY = "patient/updated"  # no field is required

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def judged(body: bytes | dict[str, Any], *, seed: Seed | None = None) -> Candidate:
    """The candidate of a body with one event."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    ((incoming, raw),) = read(body)
    return judge(incoming, raw, own_id="own", seed=seed, now=NOW)


def with_data(name: str, data: Any) -> Candidate:
    return judged({"name": name, "data": data})


# Reading


def test_one_event_and_an_array_are_read_alike() -> None:
    one = b'{"name": "a/b", "data": {"n": 1}}'
    assert read(one) == read(b" [" + one + b"] ")
    assert [raw for _, raw in read(b'[{"name":"a"}, {"name":"b"}]')] == [b'{"name":"a"}', b'{"name":"b"}']
    assert read(b"[]") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "event 0: not a JSON object"),
        (b"nonsense", "event 0: not a JSON object"),
        (b"[{}", "the body is not JSON"),
        (b'{"name": "a"} {"name": "b"}', "event 0: not a JSON object"),
        (b"null", "event 0: not a JSON object"),
        (b'"text"', "event 0: not a JSON object"),
        (b'[{"name": "a"}, 5]', "event 1: not a JSON object"),
        (b"\xff\xfe{}", "event 0: not a JSON object"),
        (b"[" * 100_000, "the body is not JSON"),
        (b'{"name": "a", "data": ' + b"[" * 5000 + b"]" * 5000 + b"}", "event 0: not a JSON object"),
    ],
)
def test_a_body_that_holds_no_events_is_refused_with_the_place(body: bytes, said: str) -> None:
    with pytest.raises(BadEvent, match=f"^{said}"):
        read(body)


def test_no_number_loses_a_digit() -> None:
    digits = "12345678901234567890.123456789012345678901234567890"
    assert digits in (judged(b'{"name": "patient/updated", "data": {"n": %s}}' % digits.encode()).data or "")


# What is no event


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": None}, "name is missing"),
        ({"name": ""}, "name must have 1 to 256 characters, it has 0"),
        ({"name": "x" * 257}, "name must have 1 to 256 characters, it has 257"),
        ({"name": 5}, "name must be text, not a number"),
        ({"name": ["x"]}, "name must be text, not an array"),
        ({"name": "a\0b"}, "name='a.x00b' holds the character U.0000"),
        ({"id": 5}, "id must be text, not a number"),
        ({"id": 0}, "id must be text, not a number"),
        ({"id": False}, "id must be text, not true or false"),
        ({"id": []}, "id must be text, not an array"),
        ({"id": "x" * 257}, "id must have 1 to 256 characters"),
        ({"id": "\0"}, "id='.x00' holds the character U.0000"),
        ({"data": []}, "data must be an object, not an array"),
        ({"data": "text"}, "data must be an object, not text"),
        ({"data": True}, "data must be an object, not true or false"),
        ({"v": 2}, "v must be text, not a number"),
        ({"ts": "2026-10-05"}, "ts must be a number of milliseconds since 1970, not text"),
        ({"ts": True}, "ts must be a number of milliseconds since 1970, not true or false"),
        ({"ts": 10**18}, "ts=1000000000000000000 is no moment"),
        ({"ts": 10**400}, "ts=1000000000000000000000000000000000000000 is no moment"),
        ({"ts": -(10**17)}, "ts=-100000000000000000 is no moment"),
        ({"ts": 1e300}, r"ts=1e\+300 is no moment"),
        ({"ts": MILLIS + 400 * 86_400_000}, "is more than 366 days ahead"),
        ({"user": {"note": "\0"}}, "user.note holds the character U.0000"),
        ({"meta": {"\0": 1}}, "a key of meta holds the character U.0000"),
    ],
)
def test_what_has_no_place_in_the_inbox_is_refused_naming_field_and_value(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadEvent, match=f"{said}"):
        judged({"name": ANY, **fields})


def test_an_event_over_the_limit_is_too_large_and_one_at_the_limit_is_not() -> None:
    empty = len(json.dumps({"name": ANY, "data": {"x": ""}}))
    assert with_data(ANY, {"x": "y" * (LONGEST_EVENT_BYTES - empty)}).problem is None
    with pytest.raises(TooLarge, match="the event has 524289 bytes, 524288 are allowed"):
        with_data(ANY, {"x": "y" * (LONGEST_EVENT_BYTES - empty + 1)})


@given(st.dictionaries(st.sampled_from(["name", "id", "data", "ts", "user", "v", "meta", "other"]), json_values))
def test_whatever_comes_is_an_event_or_refused(fields: dict[str, Any]) -> None:
    try:
        found = judged(json.dumps(fields).encode())
    except BadEvent:
        return
    assert found.state in ("received", "dead", "unmatched")
    assert (found.data is None) == (found.raw is not None)


# Names, ids, times


def test_an_alias_is_stored_under_the_registry_s_name() -> None:
    found = judged({"name": "app/convocatorias.sync.requested"})
    assert (found.name, found.received_name) == (
        "convocatorias/sync.requested",
        "app/convocatorias.sync.requested",
    )
    assert found.row is EVENTS["convocatorias/sync.requested"]


def test_an_unknown_name_is_unmatched_not_wrong() -> None:
    found = judged({"name": "nobody/knows", "data": {"organizationId": "o-1"}})
    assert (found.state, found.problem, found.organization_id, found.priority) == ("unmatched", None, "o-1", 0)


@pytest.mark.parametrize(("given_id", "stored"), [("mine", "mine"), ("", "own"), (None, "own"), ("é ☃", "é ☃")])
def test_the_sender_s_id_is_kept_and_an_empty_one_is_none(given_id: str | None, stored: str) -> None:
    assert judged({"name": CANARY, "id": given_id}).id == stored


def test_data_that_is_not_there_is_an_empty_object() -> None:
    assert {judged({"name": CANARY}).data, judged({"name": CANARY, "data": None}).data} == {"{}"}


@pytest.mark.parametrize(
    ("ts", "due_in"),
    [
        (None, 0),
        (0, 0),
        (MILLIS, 0),
        (MILLIS - 86_400_000, 0),
        (MILLIS + 60_000, 60),
        (MILLIS + 60_500.5, 60.5005),
    ],
)
def test_an_event_is_due_when_its_sender_says(ts: float | None, due_in: float) -> None:
    assert judged({"name": CANARY, "ts": ts}).due_at == NOW + due_in * SECOND


@pytest.mark.parametrize("off", [-400 * DAY, -DAY, DAY, 400 * DAY])
def test_a_clock_that_is_off_delays_nothing_and_a_wish_stays_a_wish(off: dt.timedelta) -> None:
    theirs = int((NOW + off).timestamp() * 1000)
    seed = Seed(theirs, b"0123456789")
    assert judged({"name": CANARY, "ts": theirs + 900}, seed=seed).due_at == NOW
    assert judged({"name": CANARY, "ts": theirs + 60_000}, seed=seed).due_at == NOW + 60 * SECOND


@given(st.integers(-62_135_596_800_000, 253_402_300_799_000), st.integers(0, 2**48 - 1))
def test_no_pair_of_clocks_is_an_accident(ts: int, millis: int) -> None:
    try:
        found = judged({"name": CANARY, "ts": ts}, seed=Seed(millis, b"0123456789"))
    except BadEvent as error:
        assert "days ahead" in str(error) and ts > millis
    else:
        assert NOW <= found.due_at <= NOW + 366 * DAY


def test_the_delay_of_its_kind_comes_on_top() -> None:
    row = EVENTS["appointment/created"]
    found = judged({"name": row.name, "data": {"appointmentId": "a"}, "ts": MILLIS + 60_000})
    assert found.due_at == NOW + 60 * SECOND + row.delay


# Payloads


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("convocatorias/detail.requested", {}, "data.bdns: Field required"),
        ("convocatorias/detail.requested", {"bdns": 12}, "data.bdns: Input should be a valid string (it is 12)"),
        ("convocatorias/detail.requested", {"bdns": "12x"}, "data.bdns: String should match pattern"),
        ("convocatorias/sync.requested", {"dateFrom": "2026-02-30"}, "dateFrom='2026-02-30' is not a day"),
        ("convocatorias/sync.requested", {"dateFrom": "2026-02-02", "dateTo": "2026-02-01"}, "is after dateTo="),
        ("cron/daily.reports", {"scheduledDate": "tomorrow"}, "scheduledDate='tomorrow' is neither a day"),
        ("cron/data-integrity", {"scheduledDate": "2026-02-30T09:00:00Z"}, "scheduledDate='2026-02-30T09:00:00Z'"),
        ("cron/daily.cleanup", {"cleanupType": "some"}, "data.cleanupType: Input should be 'all'"),
        ("notification/send",
         {"userId": "u", "organizationId": "o", "type": "fax", "data": {"to": "x", "body": ""}},
         "data.type: Input should be 'email', 'whatsapp' or 'push' (it is 'fax')"),
        ("email/send-batch", {"emails": []}, "data.emails: List should have at least 1 item"),
        ("whatsapp/send-batch", {"messages": [{"to": "x"}, {}]}, "data.messages.1.to: Field required"),
        ("appointment/updated", {"record": "text"}, "data.record: Input should be a valid dictionary"),
    ],
)  # fmt: skip
def test_a_bad_payload_is_kept_as_dead_with_the_field_and_the_reason(name: str, data: Any, said: str) -> None:
    found = with_data(name, data)
    assert found.state == "dead" and found.problem is not None
    assert said in found.problem
    assert found.data == json.dumps(data)


def test_the_reason_tells_nothing_about_people() -> None:
    secret = {"patientId": ["Maria"], "organizationId": {"phone": "+55 11 98765-4321"}, "maria@example.org": 1}
    problem = with_data("patient/created", secret).problem or ""
    assert "data.patientId" in problem and "data.organizationId" in problem
    tags = with_data("email/send", {"to": "x", "subject": "s", "tags": {"maria@example.org": 5}}).problem or ""
    long = with_data("email/send", {"to": "Maria dos Santos", "subject": 5, "html": "x"}).problem or ""
    assert not [word for word in ("Maria", "98765", "maria", "Santos") if word in problem + tags + long]


def test_a_reason_stays_short() -> None:
    many = with_data("whatsapp/send-batch", {"messages": [{}] * 500}).problem or ""
    assert "and 495 more" in many and len(many) < 2100
    deep = with_data("email/send", {"to": "x", "subject": "s", "tags": {"k" * 100_000: 5}}).problem or ""
    assert 0 < len(deep) < 2100


def test_fields_that_nobody_declared_are_kept() -> None:
    found = with_data(
        "ai/patient.insights", {"patientId": "p", "organizationId": "o", "extra": {"deep": [1, None]}}
    )
    assert found.problem is None and '"deep"' in (found.data or "")


# What follows from the payload


@pytest.mark.parametrize(
    ("data", "organization"),
    [
        ({"organizationId": "o-1", "organization_id": "o-2"}, "o-1"),
        ({"organization_id": 7}, "7"),
        ({"record": {"organization_id": "o-3"}}, "o-3"),
        ({"record": "text"}, ""),
        ({"organizationId": {"id": 1}}, ""),
        ({"organizationId": "x" * 257}, ""),
        ({}, ""),
    ],
)
def test_the_organisation_is_found_where_the_apps_write_it(data: dict[str, Any], organization: str) -> None:
    assert facts_of(None, data)["organization_id"] == organization


@pytest.mark.parametrize(
    ("word", "priority"), [("critical", 40), ("high", 30), ("normal", 20), ("low", 10), ("?", 10)]
)
def test_the_payload_s_own_priority_is_added(word: str, priority: int) -> None:
    assert facts_of(event("notification/send"), {"priority": word})["priority"] == priority


@pytest.mark.parametrize(
    ("value", "key"),
    [("a", "a"), (7, "7"), (True, None), (1.5, None), ("", None), (None, None), ([1], None), ("x" * 257, None)],
)
def test_a_key_is_a_text_or_a_whole_number(value: Any, key: str | None) -> None:
    assert key_of({"a": {"b": value}}, "a.b") == key


def test_the_keys_of_an_event_s_rules_come_from_its_payload() -> None:
    facts = facts_of(event("session/completed"), {"patientId": "p"})
    assert (facts["debounce_key"], facts["cancel_key"], facts["idempotency_key"]) == ("p", None, None)
    assert facts_of(event("appointment/created"), {"appointmentId": "a"})["cancel_key"] == "a"
