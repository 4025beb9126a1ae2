"""What nobody should send: each is a clear 4xx or kept as it came, and the gateway goes on."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida_tests.gateway.running import KEY, Running

CANARY = b'"name":"fisio_ayida/canary"'


def event(data: bytes) -> bytes:
    return b"{" + CANARY + b',"data":' + data + b"}"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not a JSON object"),
        (b"hello", "not a JSON object"),
        (b"{", "not a JSON object"),
        (b"[{]", "not JSON"),
        (b"null", "got `null`"),
        (b"5", "got `int`"),
        (b'"text"', "got `str`"),
        (b"[1]", "event 0: not a JSON object"),
        (b"[[]]", "event 0: not a JSON object"),
        (b"{} x", "trailing characters"),
        (b"{}", "name is missing"),
        (b'{"name":""}', "name must have 1 to 256 characters"),
        (b'{"name":"' + b"n" * 257 + b'"}', "name must have 1 to 256 characters, it has 257"),
        (b'{"name":5}', "name must be text, not a number"),
        (b'{"name":null}', "name is missing"),
        (b'{"name":{"a":1}}', "name must be text, not an object"),
        (b'{"name":"\\u0000"}', "name='\\x00' holds the character U+0000"),
        (b'{"name":"\xff"}', "not a JSON object"),
        (b"\xef\xbb\xbf{}", "not a JSON object"),
        ('{"name":"a"}'.encode("utf-16"), "not a JSON object"),
        (b"{" + CANARY + b',"id":5}', "id must be text, not a number"),
        (b"{" + CANARY + b',"id":"' + b"i" * 257 + b'"}', "id must have 1 to 256 characters"),
        (b"{" + CANARY + b',"ts":"now"}', "ts must be a number"),
        (b"{" + CANARY + b',"ts":1e300}', "is no moment"),
        (b"{" + CANARY + b',"ts":-1e30}', "is no moment"),
        (b"{" + CANARY + b',"ts":' + b"9" * 400 + b"}", "is no moment"),
        (b"{" + CANARY + b',"v":{}}', "v must be text, not an object"),
        (b"{" + CANARY + b',"user":{"a":"\\u0000"}}', "user.a holds the character U+0000"),
        (b"{" + CANARY + b',"meta":1e999}', "meta cannot be read"),
        (event(b'"text"'), "data must be an object, not text"),
        (event(b"[]"), "data must be an object, not an array"),
        (event(b"true"), "data must be an object, not true or false"),
    ],
)
def test_what_holds_no_event_is_400_and_kept_once(gateway: Running, body: bytes, told: str) -> None:
    answers = [gateway.send(body) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 400
        assert set(answer.json()) == {"ids", "status", "error"}
        assert told in answer.json()["error"]
    digest = hashlib.sha256(body).digest()
    assert gateway.rows("select digest, body, status, times from events.refused") == [(digest, body, 400, 2)]
    assert gateway.count() == 0


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"note":"a\\u0000b"}', "data.note holds the character U+0000"),
        (b'{"a\\u0000":1}', "a key of data holds the character U+0000"),
        (b'{"n":1e400}', "Number out of range"),
        (b'{"n":1e-99999}', "more decimals than PostgreSQL can store"),
        (b'{"organizationId":' + b"9" * 5000 + b"}", "out of range"),
        (b'{"note":5}', "data.note"),
    ],
    ids=["nul", "nul-key", "huge-float", "tiny-float", "huge-integer", "wrong-type"],
)
def test_a_known_event_with_a_payload_that_cannot_be_used_is_kept_as_dead(
    gateway: Running, data: bytes, told: str
) -> None:
    answer = gateway.send(event(data))
    assert answer.status_code == 400
    assert told in answer.json()["error"]
    ((state, reason, kept, raw),) = gateway.rows("select state, reason, data, raw from events.inbox")
    assert state == "dead" and told in reason
    assert kept == json.loads(data) if raw is None else bytes(raw) == event(data)


def test_numbers_keep_every_digit(gateway: Running) -> None:
    number = b"12345678901234567890.12345678901234567890"
    gateway.send(event(b'{"n":' + number + b"}"))
    assert gateway.rows("select data ->> 'n' from events.inbox") == [(number.decode(),)]


def test_half_a_character_is_replaced_and_the_rest_is_taken(gateway: Running) -> None:
    assert gateway.send(event(b'{"note":"cut \\ud83e"}')).status_code == 200
    assert gateway.rows("select data ->> 'note' from events.inbox") == [("cut \ufffd",)]


@pytest.mark.parametrize("depth", [90, 110, 900, 1000, 100_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_of_any_depth_is_kept_or_refused(gateway: Running, depth: int, opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    inner = opening * depth + b"1" + closing * depth
    answer = gateway.send(event(b'{"a":' + inner + b"}"))
    assert answer.status_code in (200, 400)
    kept = gateway.count() if answer.status_code == 200 else gateway.count("refused")
    assert kept == 1


def test_unicode_names_and_payloads_are_kept(gateway: Running) -> None:
    sent = {"name": "日本/ñandú 🦙", "data": {"clave ñ": "🦙 \u2028 é é"}, "id": "идентификатор"}
    answer = gateway.send(sent)
    assert answer.json()["ids"] == ["идентификатор"]
    assert gateway.rows("select name, data from events.inbox") == [(sent["name"], sent["data"])]


def test_too_many_events_are_413(gateway: Running) -> None:
    body = b"[" + b",".join([b'{"name":"a"}'] * 5001) + b"]"
    answer = gateway.send(body)
    assert answer.status_code == 413
    assert "5001 events, 5000 are allowed" in answer.json()["error"]
    assert gateway.count() == 0
    assert gateway.count("refused") == 1


def test_as_many_events_as_are_allowed_are_taken(gateway: Running) -> None:
    answer = gateway.send(b"[" + b",".join([b'{"name":"a"}'] * 5000) + b"]")
    assert answer.status_code == 200
    assert len(set(answer.json()["ids"])) == gateway.count() == 5000


def test_an_event_that_is_too_long_is_413_and_named(gateway: Running) -> None:
    long = event(b'{"note":"' + b"x" * 512 * 1024 + b'"}')
    answer = gateway.send(b"[" + event(b"{}") + b"," + long + b"]")
    assert answer.status_code == 413
    assert "event 1: the event has 524" in answer.json()["error"]
    assert gateway.count() == 0


def test_an_event_as_long_as_is_allowed_is_taken(gateway: Running) -> None:
    frame = len(event(b'{"note":""}'))
    answer = gateway.send(event(b'{"note":"' + b"x" * (512 * 1024 - frame) + b'"}'))
    assert answer.status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_is_too_long_is_413_without_being_read(gateway: Running, chunked: bool) -> None:
    size = 40 * 1024 * 1024

    def parts() -> Any:
        for _ in range(size // 65536):
            yield b"x" * 65536

    headers = {} if chunked else {"content-length": str(size)}
    answer = gateway.client.post(f"/e/{KEY}", content=parts(), headers=headers)
    assert answer.status_code == 413
    assert "more than 3670016 bytes" in answer.json()["error"]
    assert gateway.lines()[-1]["bytes"] < size / 2
    assert gateway.count("refused") == 0


def test_a_compressed_body_is_415(gateway: Running) -> None:
    assert gateway.send(event(b"{}"), headers={"content-encoding": "gzip"}).status_code == 415


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["fisio_ayida/canary", "convocatorias/detail.requested", "a/b"]) | JSON,
        "data": st.dictionaries(st.text(), JSON, max_size=4) | JSON,
        "id": st.text(max_size=300) | JSON,
        "ts": st.integers() | JSON,
        "user": JSON,
        "v": st.text() | JSON,
        "meta": JSON,
    },
)


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(body=EVENT | st.lists(EVENT, max_size=4) | JSON)
def test_any_json_is_taken_or_refused_and_nothing_that_was_taken_is_lost(gateway: Running, body: Any) -> None:
    text = json.dumps(body).encode()
    answer = gateway.send(text)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        known = gateway.rows("select count(*) from events.inbox where id = any(%s)", answer.json()["ids"])
        assert known == [(len(set(answer.json()["ids"])),)]
    else:
        assert gateway.rows("select 1 from events.refused where body = %s", text) == [(1,)]


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=200))
def test_any_bytes_are_refused_and_kept(gateway: Running, body: bytes) -> None:
    answer = gateway.send(body)
    assert answer.status_code == 400
    assert msgspec.json.decode(answer.content)["ids"] == []
    assert gateway.rows("select 1 from events.refused where body = %s", body) == [(1,)]
