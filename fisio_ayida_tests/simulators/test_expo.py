"""The Expo stand-in: tickets in order, receipts later, as the contract says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fisio_ayida.simulators.expo import ExpoSimulator
from fisio_ayida.simulators.listening import SimulatorError

PATH = "/--/api/v2/push/"


@pytest.fixture(scope="module")
def running() -> Iterator[ExpoSimulator]:
    with ExpoSimulator() as simulator:
        yield simulator


@pytest.fixture
def sim(running: ExpoSimulator) -> ExpoSimulator:
    """The module's stand-in, as on its first day."""
    running.well()
    running.forget()
    return running


def post(sim: ExpoSimulator, method: str, body: Any) -> httpx.Response:
    return httpx.post(f"{sim.url}{PATH}{method}", json=body, trust_env=False)


def message(token: str, body: str = "Olá") -> dict[str, Any]:
    return {"to": token, "title": "Sua sessão", "body": body}


def test_tickets_come_in_the_order_of_their_messages(sim: ExpoSimulator) -> None:
    sim.refuse("ExpoPushToken[gone]")
    tokens = ["ExpoPushToken[a]", "ExpoPushToken[gone]", "fcm:x", "ExponentPushToken[b]"]
    tickets = post(sim, "send", [message(token) for token in tokens]).json()["data"]
    assert [ticket["status"] for ticket in tickets] == ["ok", "error", "error", "ok"]
    assert tickets[1]["details"]["error"] == "DeviceNotRegistered"
    assert [sent["to"] for sent in sim.sent] == [tokens[0], tokens[3]]


def test_a_single_message_has_a_single_ticket(sim: ExpoSimulator) -> None:
    assert post(sim, "send", message("ExpoPushToken[a]")).json()["data"]["status"] == "ok"


def test_a_message_that_is_too_big_has_an_error_for_a_ticket(sim: ExpoSimulator) -> None:
    (ticket,) = post(sim, "send", [message("ExpoPushToken[a]", "x" * 4096)]).json()["data"]
    assert ticket["details"]["error"] == "MessageTooBig"


def test_a_receipt_is_there_after_a_while(sim: ExpoSimulator) -> None:
    (ticket,) = post(sim, "send", [message("ExpoPushToken[a]")]).json()["data"]
    assert post(sim, "getReceipts", {"ids": [ticket["id"]]}).json() == {"data": {}}
    sim.advance(dt.timedelta(minutes=15))
    assert post(sim, "getReceipts", {"ids": [ticket["id"], "x"]}).json() == {
        "data": {ticket["id"]: {"status": "ok"}}
    }


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("send", [message("ExpoPushToken[a]")] * 101, 400),
        ("send", "text", 400),
        ("getReceipts", {"ids": ["x"] * 1001}, 400),
        ("getReceipts", {}, 400),
        ("elsewhere", {}, 404),
    ],
)
def test_a_wrong_call_is_refused(sim: ExpoSimulator, method: str, body: Any, status: int) -> None:
    answer = post(sim, method, body)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["code"]
    assert sim.sent == []


def test_the_page_shows_the_messages(sim: ExpoSimulator) -> None:
    post(sim, "send", [message("ExpoPushToken[a]", "<b>Olá</b>")])
    assert "&lt;b&gt;Olá&lt;/b&gt;" in httpx.get(sim.url, trust_env=False).text


def test_a_wrong_control_call_says_what_is_allowed(sim: ExpoSimulator) -> None:
    with pytest.raises(SimulatorError, match="forget"):
        sim.control("no", {})
