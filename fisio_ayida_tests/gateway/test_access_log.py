"""The log: one line a request, and in none of them a key, a payload, a query or somebody's name."""

from __future__ import annotations

import json
import logging
import socket
from typing import Any

import pytest

from fisio_ayida.gateway.writer import Writer
from fisio_ayida_tests.gateway.running import BEARER, KEY, SECRET, Running, until

PRIVATE = "Maria-Private-Name"
DETAIL = {"name": "convocatorias/detail.requested", "data": {"bdns": "123456", "who": PRIVATE}}


def requests(gateway: Running) -> list[dict[str, Any]]:
    return [line for line in gateway.lines() if line["msg"] == "request"]


def test_a_line_says_what_was_asked_and_how_it_went(gateway: Running) -> None:
    body = json.dumps([DETAIL, DETAIL]).encode()
    answer = gateway.send(body)
    (line,) = requests(gateway)
    assert set(line) - {"level", "time", "msg", "logger"} == {
        "method", "route", "status", "milliseconds", "bytes", "events", "requestId",
    }  # fmt: skip
    assert (line["method"], line["route"], line["status"]) == ("POST", "/e/{event_key:path}", 200)
    assert (line["bytes"], line["events"]) == (len(body), 2)
    assert line["requestId"] == answer.headers["x-request-id"]
    assert line["milliseconds"] > 0


def test_every_kind_of_request_has_one_line_and_none_tells_what_was_sent(gateway: Running) -> None:
    client, bad = gateway.client, {"name": DETAIL["name"], "data": {"bdns": PRIVATE}}
    asked = [
        gateway.send(DETAIL),
        gateway.send(DETAIL, params={"query": PRIVATE}),
        gateway.send(bad),
        gateway.send(PRIVATE.encode()),
        gateway.send(DETAIL, key=f"{KEY}-{PRIVATE}"),
        gateway.send(DETAIL, headers={"x-inngest-event-id-seed": PRIVATE}),
        client.get(f"/e/{KEY}"),
        client.get(f"/e/{KEY}/{PRIVATE}?{PRIVATE}"),
        client.put(f"/{PRIVATE}", content=PRIVATE),
        client.get(f"/api/events/{PRIVATE}", headers=BEARER),
        client.get(f"/api/events/{PRIVATE}", headers={"authorization": f"Bearer {PRIVATE}"}),
        gateway.batch("sync-convocatoria-individual", {"bdns": PRIVATE}),
        gateway.batch("sync-convocatorias", {"dateFrom": PRIVATE}, key=PRIVATE),
        client.get(f"/readyz?strict={PRIVATE}"),
    ]
    lines = requests(gateway)
    assert [line["status"] for line in lines] == [answer.status_code for answer in asked]
    assert {line["status"] for line in lines} == {200, 400, 401, 404, 405}
    assert {line["route"] for line in lines} <= {
        "/e/{event_key:path}", "unknown", "/api/events/{event_id:path}", "/api/batch/sync-convocatoria-individual",
        "/api/batch/sync-convocatorias", "/readyz",
    }  # fmt: skip
    silent(gateway)


def test_a_fault_is_500_without_internals_and_logged_without_words(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError(f"{PRIVATE} {KEY}")

    monkeypatch.setattr(Writer, "write", broken)
    answers = [gateway.send(DETAIL), gateway.batch("sync-convocatoria-individual", DETAIL["data"])]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert answers[0].json() == {
        "ids": [], "status": 500, "error": "a fault of the gateway; its log knows this request by its id",
    }  # fmt: skip
    assert answers[1].json()["requestId"] == answers[1].headers["x-request-id"]
    faults = [line for line in gateway.lines() if line["level"] == "error"]
    assert [fault["error"] for fault in faults] == ["KeyError", "KeyError"]
    assert all(fault["place"].endswith(tuple("0123456789")) for fault in faults)
    silent(gateway)


@pytest.mark.parametrize(
    "sent",
    [
        f"GARBAGE {PRIVATE}\r\n\r\n",
        f"POST /e/{KEY} HTTP/9.9\r\n\r\n",
        f"POST /e/{KEY} HTTP/1.1\r\nbad header {PRIVATE}\r\n\r\n",
        f"POST /e/{KEY} HTTP/1.1\r\ncontent-length: {PRIVATE}\r\n\r\n",
        f"POST /e/{KEY}\x01 HTTP/1.1\r\nhost: x\r\n\r\n",
        f"POST /e/{KEY} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz{PRIVATE}\r\n",
        f"\x16\x03\x01{PRIVATE}",
    ],
)
def test_what_is_not_http_is_400_in_json_and_not_repeated(gateway: Running, sent: str) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as wire:
        wire.sendall(sent.encode("latin-1"))
        answer = wire.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"ids": [], "status": 400, "error": "this is not HTTP"}
    silent(gateway)


def test_a_sender_that_leaves_in_the_middle_is_one_line(gateway: Running) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as wire:
        wire.sendall(f"POST /e/{KEY} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{PRIVATE}".encode())
    (line,) = until(lambda: requests(gateway), "its line")
    assert (line["status"], line["bytes"]) == (499, len(PRIVATE))
    silent(gateway)


def test_an_error_of_a_library_below_is_a_class_and_a_place(gateway: Running) -> None:
    for name in ("uvicorn.error", "asyncio", "psycopg"):
        try:
            raise ValueError(PRIVATE)
        except ValueError:
            logging.getLogger(name).exception("something failed for someone@example.org")
    for line in gateway.lines():
        assert (line["error"], line["msg"]) == ("ValueError", "something failed for ***")
        assert line["place"].startswith("test_access_log.py:")
    silent(gateway)


def silent(gateway: Running) -> None:
    text = gateway.log.getvalue()
    for private in (PRIVATE, KEY, SECRET, "123456"):
        assert private not in text
