"""The Resend stand-in: keys, limits, lists, batches and webhooks as the contract says."""

from __future__ import annotations

import datetime as dt
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from fisio_ayida.simulators.listening import SimulatorError
from fisio_ayida.simulators.resend import ResendConfig, ResendSimulator

SECRET = "whsec_" + "c2VjcmV0LWZvci10aGUtdGVzdHM="
MAIL = {"from": "Clínica <a@clinica.example>", "to": "ana@example.org", "subject": "Oi", "text": "Olá"}


class Hook:
    """A webhook that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], bytes]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.told.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/resend"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def events(self) -> list[dict[str, Any]]:
        """What was told, each with its signature checked."""
        found = []
        for headers, body in self.told:
            standard = {f"webhook-{part}": headers[f"svix-{part}"] for part in ("id", "timestamp", "signature")}
            found.append(Webhook(SECRET).verify(body, standard))
        return found


@pytest.fixture(scope="module")
def running() -> Iterator[ResendSimulator]:
    with ResendSimulator(ResendConfig(webhook_secret=SECRET)) as simulator:
        yield simulator


@pytest.fixture
def sim(running: ResendSimulator) -> ResendSimulator:
    """The module's stand-in, as on its first day."""
    running.well()
    running.forget()
    running.settings(latency_ms=0, requests_per_second=0, api_key=None, webhook_url=None)
    running.receipts(statuses=["email.sent", "email.delivered"], repeats=0, backwards=False)
    return running


@pytest.fixture
def hook(sim: ResendSimulator) -> Iterator[Hook]:
    """A webhook that the stand-in tells of everything."""
    opened = Hook()
    sim.settings(webhook_url=opened.url)
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


def post(
    sim: ResendSimulator, body: Any, key: str | None = None, path: str = "/emails", **more: str
) -> httpx.Response:
    headers = {"Authorization": "Bearer re_x", **({} if key is None else {"Idempotency-Key": key}), **more}
    return httpx.post(sim.url + path, json=body, headers=headers, trust_env=False)


def get(sim: ResendSimulator, path: str, **params: str | int) -> Any:
    return httpx.get(
        sim.url + path, params=params, headers={"Authorization": "Bearer re_x"}, trust_env=False
    ).json()


def test_a_key_gives_its_first_answer_for_a_day_and_then_sends_again(sim: ResendSimulator) -> None:
    first, again = post(sim, MAIL, "k"), post(sim, MAIL, "k")
    assert first.json() == again.json()
    assert sim.count == 1
    sim.advance(dt.timedelta(hours=24))
    assert post(sim, MAIL, "k").json() != first.json()
    assert sim.count == 2


def test_a_key_with_another_body_is_a_conflict(sim: ResendSimulator) -> None:
    post(sim, MAIL, "k")
    answer = post(sim, {**MAIL, "subject": "Outra"}, "k")
    assert (answer.status_code, answer.json()["name"]) == (409, "invalid_idempotent_request")
    assert sim.count == 1


def test_a_key_whose_first_call_is_under_way_is_a_conflict_until_it_is_over(sim: ResendSimulator) -> None:
    sim.fault("hang", recorded=True)
    body = json.dumps(MAIL).encode()
    head = (
        f"POST /emails HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nIdempotency-Key: k\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    host, port = sim.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as first:
        first.sendall(head.encode() + body)
        until(lambda: sim.count == 1)
        answer = send_again(sim, body)
        assert (answer.status_code, answer.json()["name"]) == (409, "concurrent_idempotent_requests")
    until(lambda: send_again(sim, body).status_code == 200)
    assert sim.count == 1


def send_again(sim: ResendSimulator, body: bytes) -> httpx.Response:
    headers = {"Authorization": "Bearer x", "Idempotency-Key": "k"}
    return httpx.post(f"{sim.url}/emails", content=body, headers=headers, trust_env=False)


def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come about")


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({"from": ""}, 422, "missing_required_field"),
        ({"from": "nobody"}, 422, "invalid_from_address"),
        ({"to": "nobody"}, 422, "validation_error"),
        ({"to": ["a@example.org"] * 51}, 422, "validation_error"),
        ({"to": 5}, 422, "validation_error"),
        ({"subject": "a\nb"}, 422, "validation_error"),
        ({"text": None}, 422, "missing_required_field"),
        ({"tags": [{"name": "clínica", "value": "x"}]}, 422, "validation_error"),
        ({"tags": [{"name": "a", "value": "21/11"}]}, 422, "validation_error"),
        ({"attachments": [{"filename": "a"}]}, 422, "invalid_attachment"),
        ({"headers": {"A": "b\r\nBcc: c"}}, 422, "invalid_parameter"),
    ],
)
def test_what_is_wrong_is_refused(sim: ResendSimulator, change: dict[str, Any], status: int, name: str) -> None:
    answer = post(sim, {**MAIL, **change})
    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert sim.count == 0


def test_a_stranger_is_refused(sim: ResendSimulator) -> None:
    assert httpx.post(f"{sim.url}/emails", json=MAIL, trust_env=False).status_code == 401
    sim.settings(api_key="re_other")
    assert post(sim, MAIL).status_code == 403


def test_one_request_too_many_is_told_when_to_come_back(sim: ResendSimulator) -> None:
    sim.settings(requests_per_second=2)
    answers = [post(sim, MAIL) for _ in range(3)]
    late = answers[2]
    assert [answer.headers["ratelimit-limit"] for answer in answers] == ["2"] * 3
    assert (late.status_code, late.headers["retry-after"], late.headers["ratelimit-remaining"]) == (429, "1", "0")
    assert sim.state()["refused_by_limit"] == 1


def test_the_list_is_read_page_by_page_from_the_newest(sim: ResendSimulator) -> None:
    for number in range(5):
        post(sim, {**MAIL, "subject": str(number)})
    first = get(sim, "/emails", limit=3)
    rest = get(sim, "/emails", limit=3, after=first["data"][-1]["id"])
    assert [mail["subject"] for mail in first["data"] + rest["data"]] == ["4", "3", "2", "1", "0"]
    assert (first["has_more"], rest["has_more"]) == (True, False)


def test_one_email_is_shown_with_its_bodies_and_tags(sim: ResendSimulator) -> None:
    id = post(sim, {**MAIL, "html": "<p>x", "tags": [{"name": "a", "value": "b"}]}).json()["id"]
    shown = get(sim, f"/emails/{id}")
    assert (shown["html"], shown["text"], shown["tags"]) == ("<p>x", "Olá", [{"name": "a", "value": "b"}])


def test_a_strict_batch_with_one_wrong_email_sends_none(sim: ResendSimulator) -> None:
    assert post(sim, [MAIL, {**MAIL, "to": "x"}], path="/emails/batch").status_code == 422
    assert sim.count == 0


def test_a_permissive_batch_sends_the_others_once(sim: ResendSimulator) -> None:
    batch = [MAIL, {**MAIL, "to": "x"}, {**MAIL, "attachments": [{"filename": "a", "content": "eA=="}]}]
    more = {"x-batch-validation": "permissive"}
    answers = [post(sim, batch, "k", "/emails/batch", **more).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(answers[0]["data"]) == 2
    assert [error["index"] for error in answers[0]["errors"]] == [1]
    assert [mail["attachments"] for mail in sim.sent] == [[], []]


def test_the_webhook_is_told_what_becomes_of_an_email_signed_and_with_its_tags(
    sim: ResendSimulator, hook: Hook
) -> None:
    id = post(sim, {**MAIL, "tags": [{"name": "message", "value": "7"}]}).json()["id"]
    sim.webhooks()
    told = hook.events()
    assert [event["type"] for event in told] == ["email.sent", "email.delivered"]
    assert {(event["data"]["email_id"], event["data"]["tags"]["message"]) for event in told} == {(id, "7")}


def test_webhooks_come_twice_and_in_the_wrong_order_if_asked_for(sim: ResendSimulator, hook: Hook) -> None:
    sim.receipts(repeats=1, backwards=True)
    post(sim, MAIL)
    sim.webhooks()
    kinds = [event["type"] for event in hook.events()]
    assert kinds == ["email.delivered", "email.delivered", "email.sent", "email.sent"]
    assert len({headers["svix-id"] for headers, _ in hook.told}) == 2


def test_an_address_may_ask_for_its_fate(sim: ResendSimulator, hook: Hook) -> None:
    post(sim, {**MAIL, "to": "bounced+ana@example.org"})
    sim.webhooks()
    told = hook.events()
    assert [event["type"] for event in told] == ["email.sent", "email.bounced"]
    assert told[1]["data"]["bounce"]["type"] == "Permanent"


def test_an_event_is_told_on_demand(sim: ResendSimulator, hook: Hook) -> None:
    sim.receipts(statuses=[])
    id = post(sim, MAIL).json()["id"]
    assert sim.receipt(id, "email.complained") == 200
    assert [event["type"] for event in hook.events()] == ["email.complained"]


def test_the_page_shows_the_emails_and_nothing_in_them_comes_alive(sim: ResendSimulator) -> None:
    id = post(sim, {**MAIL, "subject": "<script>alert(1)</script>", "html": "<p>'olá'</p>"}).json()["id"]
    listing = httpx.get(sim.url, trust_env=False).text
    shown = httpx.get(f"{sim.url}/_mail/{id}", trust_env=False).text
    assert id in listing and "&lt;script&gt;" in listing
    assert "<script>" not in listing + shown
    assert "sandbox srcdoc='&lt;p&gt;&#x27;olá" in shown


@pytest.mark.parametrize(("name", "body"), [("fault", {"kind": "no"}), ("settings", {"no": 1}), ("no", {})])
def test_a_wrong_control_call_says_what_is_allowed(sim: ResendSimulator, name: str, body: dict[str, Any]) -> None:
    with pytest.raises(SimulatorError, match=name):
        sim.control(name, body)


def test_a_secret_that_cannot_sign_is_refused() -> None:
    with pytest.raises(SimulatorError, match="whsec_"):
        ResendConfig(webhook_secret="é")  # noqa: S106


def test_the_commands_serve_in_processes_of_their_own_and_say_where(tmp_path: Path) -> None:
    commands = {
        "resend": ["--requests-per-second", "10", "--latency-ms", "1", "--webhook-secret", SECRET],
        "expo": ["--receipts-after", "0"],
    }
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "fisio_ayida.cli",
                "simulate",
                name,
                "--port=0",
                f"--ready-file={tmp_path / name}",
                *more,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, more in commands.items()
    ]
    try:
        for name, process in zip(commands, processes, strict=True):
            assert process.stdout is not None
            line = process.stdout.readline()
            assert (tmp_path / name).read_text() == line
            assert httpx.get(json.loads(line)["base_url"], trust_env=False).status_code == 200
    finally:
        for process in processes:
            process.terminate()
            process.communicate(timeout=20)
