"""JSON that the inbox cannot take: found before the database says so, kept as it came, told with its place."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from fisio_ayida.events.admission import Candidate, judge, judge_stored, read
from fisio_ayida.events.registry import event

NOW = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)


def judged(body: bytes) -> Candidate:
    ((incoming, raw),) = read(body)
    return judge(incoming, raw, own_id="own", seed=None, now=NOW)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (rb'{"a": {"b": ["x", "\u0000"]}}', "data.a.b.1 holds the character U+0000"),
        (rb'{"a": {"\u0000": 1}}', "a key of data.a holds the character U+0000"),
        (rb'{"a": "\u0000", "a": "x"}', "data holds the character U+0000"),
        (rb'{"a": 1e400}', "data cannot be read: Number out of range"),
        (rb'{"a": 1e-20000}', "data holds a number with more decimals than PostgreSQL can store"),
        (b'{"a": 0.' + b"0" * 20_000 + b"1}", "data holds a number with more decimals than PostgreSQL can store"),
        (b'{"a": ' + b"9" * 5000 + b"}", "data cannot be read: "),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "data is nested more than 100 levels deep"),
        (b'{"a": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}", "data is nested more than 100 levels deep"),
        (b'{"a": "\xff"}', "data cannot be read: "),
    ],
)
def test_what_the_database_cannot_hold_is_kept_as_it_came(data: bytes, said: str) -> None:
    body = b'{"name": "patient/updated", "id": "x", "data": ' + data + b"}"
    found = judged(body)
    assert (found.state, found.data, found.raw) == ("dead", None, body)
    assert (found.problem or "").startswith(said)


@pytest.mark.parametrize(
    "data",
    [rb'{"a": "\\u0000 and 1e-20000 and \"1e-9999"}', b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}", rb'{"a": 1e-999}'],
)
def test_what_only_looks_like_it_is_taken(data: bytes) -> None:
    assert judged(b'{"name": "patient/updated", "data": ' + data + b"}").problem is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb"cut \ud83d", "cut �"),
        (rb"\ude00\ud83d\ud83d\ude00", "��😀"),
        (rb"\uD83D\uDE00 and \\ud83d", "😀 and \\ud83d"),
    ],
)
def test_half_a_character_of_a_careless_sender_costs_no_event(sent: bytes, kept: str) -> None:
    found = judged(b'{"name": "patient/updated", "data": {"note": "%s"}}' % sent)
    assert found.problem is None
    assert json.loads(found.data or "") == {"note": kept}


@pytest.mark.parametrize("data", ['{"a": ' + "9" * 5000 + "}", '{"a": ' + "[" * 3000 + "]" * 3000 + "}"])
def test_a_stored_payload_that_no_program_can_read_is_a_problem_not_an_accident(data: str) -> None:
    _, facts, problem = judge_stored("fisio_ayida/canary", data)
    assert problem is not None and problem.startswith("data cannot be read")
    assert facts["organization_id"] == ""


def test_a_stored_event_is_judged_as_if_it_came_now() -> None:
    row, facts, problem = judge_stored(
        "app/convocatorias.detail.requested", '{"bdns": "x", "organizationId": "o"}'
    )
    assert row is event("convocatorias/detail.requested") and facts["organization_id"] == "o"
    assert problem is not None and problem.startswith("data.bdns")
    assert judge_stored("nobody/knows", "{}")[0] is None
    assert judge_stored("fisio_ayida/canary", "{}")[2] is None
