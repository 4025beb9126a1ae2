"""The Meta stand-in accepts, refuses later, signs and sets up webhooks as CONTRACT clinic §6.6 says."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fisio_ayida.simulators.meta import MetaConfig, MetaSimulator
from fisio_ayida_tests.simulators.receiver import Receiver, receiver

PHONE, ACCOUNT, KEY = "5511999990001", "100000000000001", "reminder:a7:whatsapp"
# Making one reads all certificates of the machine.
HTTP = httpx.Client(trust_env=False)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[MetaSimulator, Receiver]]:
    config = MetaConfig(templates={"lembrete": 1, "boas_vindas": 0})
    with receiver() as hook, MetaSimulator(config) as simulator:
        yield simulator, hook


@pytest.fixture
def sim(running: tuple[MetaSimulator, Receiver]) -> MetaSimulator:
    """The module's stand-in, as on its first day."""
    simulator, hook = running
    simulator.well()
    simulator.webhooks()
    simulator.forget()
    simulator.webhook(hook.url)
    hook.came.clear()
    return simulator


@pytest.fixture
def hook(sim: MetaSimulator, running: tuple[MetaSimulator, Receiver]) -> Receiver:
    """Where the stand-in reports to."""
    return running[1]


def post(sim: MetaSimulator, token: str = "meta-token", **message: Any) -> httpx.Response:  # noqa: S107
    body = {"messaging_product": "whatsapp", "to": PHONE, "biz_opaque_callback_data": KEY, **message}
    return HTTP.post(
        f"{sim.base_url}/{ACCOUNT}/messages",
        json=body,
        headers={"authorization": f"Bearer {token}"},
    )


def template(name: str, *values: str, empty: bool = False) -> dict[str, Any]:
    parameters = [{"type": "text", "text": value} for value in values]
    components = {"components": [{"type": "body", "parameters": parameters}]} if values or empty else {}
    return {"type": "template", "template": {"name": name, "language": {"code": "pt_BR"}, **components}}


def words(body: str = "Oi") -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def news(hook: Receiver) -> list[dict[str, Any]]:
    return [body["entry"][0]["changes"][0]["value"] for body in hook.bodies]


def test_free_words_outside_the_window_are_accepted_and_fail_later(sim: MetaSimulator, hook: Receiver) -> None:
    answer = post(sim, **words())
    sim.webhooks()
    statuses = [each["statuses"][0] for each in news(hook)]
    assert answer.status_code == 200
    assert [one["status"] for one in statuses] == ["sent", "failed"]
    assert {one["id"] for one in statuses} == {answer.json()["messages"][0]["id"]}
    assert statuses[-1]["errors"][0]["code"] == 131047
    assert statuses[-1]["biz_opaque_callback_data"] == KEY
    assert sim.count == 0


def test_who_writes_opens_the_window(sim: MetaSimulator, hook: Receiver) -> None:
    sim.reply(PHONE, "Oi", quoted="wamid.A")
    post(sim, **words("Olá"))
    sim.webhooks()
    inbound = news(hook)[0]["messages"][0]
    assert (inbound["from"], inbound["text"]["body"], inbound["context"]["id"]) == (PHONE, "Oi", "wamid.A")
    assert [one["text"] for one in sim.sent] == ["Olá"]


def test_every_report_is_signed(sim: MetaSimulator, hook: Receiver) -> None:
    post(sim, **template("lembrete", "Ana"))
    sim.webhooks()
    assert [one["statuses"][0]["status"] for one in news(hook)] == ["sent", "delivered"]
    for came in hook.came:
        proof = hmac.new(b"meta-app-secret", came.body, hashlib.sha256).hexdigest()
        assert came.headers["x-hub-signature-256"] == f"sha256={proof}"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (template("unknown"), 132001),
        (template("lembrete"), 132000),
        (template("boas_vindas", "Ana"), 132000),
        (template("boas_vindas", empty=True), 132000),
        ({"type": "text", "text": {"body": " "}}, 100),
        ({"messaging_product": "telegram", **words()}, 100),
    ],
)
def test_a_wrong_message_is_refused_at_once(sim: MetaSimulator, message: dict[str, Any], code: int) -> None:
    answer = post(sim, **message)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"] == code
    assert sim.count == 0


def test_a_wrong_token_and_an_unknown_number_are_told_apart(sim: MetaSimulator) -> None:
    wrong = post(sim, token="wrong", **words())  # noqa: S106
    headers = {"authorization": "Bearer meta-token"}
    unknown = HTTP.get(f"{sim.base_url}/42", headers=headers)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, 190)
    assert (unknown.status_code, unknown.json()["error"]["error_subcode"]) == (400, 33)


def test_a_number_that_is_not_on_whatsapp_fails_later(sim: MetaSimulator, hook: Receiver) -> None:
    sim.absent(PHONE)
    assert post(sim, **template("lembrete", "Ana")).status_code == 200
    sim.webhooks()
    assert news(hook)[-1]["statuses"][0]["errors"][0]["code"] == 131026


def test_setting_a_webhook_up_wants_the_challenge_back(sim: MetaSimulator, hook: Receiver) -> None:
    assert sim.verify()
    sim.webhook(f"{sim.url}/nobody")
    assert not sim.verify()


def test_people_see_the_talk(sim: MetaSimulator) -> None:
    post(sim, **template("lembrete", "Ana"))
    assert "[lembrete] · Ana" in HTTP.get(sim.url).text
