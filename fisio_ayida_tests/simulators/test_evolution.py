"""The Evolution stand-in answers, remembers, forgets and calls back as CONTRACT clinic §6.1 to §6.5 says."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from fisio_ayida.simulators.evolution import EvolutionConfig, EvolutionSimulator
from fisio_ayida.simulators.listening import SimulatorError
from fisio_ayida_tests.simulators.receiver import Receiver, receiver

PHONE = "5511999990001"
JID = "5511999990001@s.whatsapp.net"
# Making one reads all certificates of the machine.
HTTP = httpx.Client(trust_env=False)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[EvolutionSimulator, Receiver]]:
    with (
        receiver() as hook,
        EvolutionSimulator(
            EvolutionConfig(webhook_url=hook.url, webhook_token="T")  # noqa: S106
        ) as simulator,
    ):
        yield simulator, hook


@pytest.fixture
def sim(running: tuple[EvolutionSimulator, Receiver]) -> EvolutionSimulator:
    """The module's stand-in, as on its first day, silent."""
    simulator, hook = running
    simulator.webhooks()
    simulator.well()
    simulator.forget()
    simulator.settings(stores=True)
    simulator.instance("fisioflow", kind="baileys", state="open", dead=False, loaded=True)
    set_webhook(simulator, {"url": hook.url, "headers": {"x-webhook-token": "T"}, "events": []})
    simulator.receipts(
        statuses=[], before_answer=False, repeats=0, backwards=False, attempts=3, pause_seconds=0.01
    )
    simulator.webhooks()
    hook.came.clear()
    hook.answers.clear()
    return simulator


@pytest.fixture
def hook(sim: EvolutionSimulator, running: tuple[EvolutionSimulator, Receiver]) -> Receiver:
    """Where the stand-in reports to."""
    return running[1]


def post(
    sim: EvolutionSimulator, route: str, body: Any, instance: str = "fisioflow", key: str = "evolution-key"
) -> Any:
    return HTTP.post(f"{sim.url}/{route}/{instance}", json=body, headers={"apikey": key})


def set_webhook(sim: EvolutionSimulator, webhook: dict[str, Any]) -> None:
    assert post(sim, "webhook/set", {"webhook": {"enabled": True, **webhook}}).status_code == 201


def text(sim: EvolutionSimulator, words: str = "Oi", number: str = PHONE) -> Any:
    return post(sim, "message/sendText", {"number": number, "text": words})


def envelope(status: int, error: str, message: Any) -> dict[str, Any]:
    return {"status": status, "error": error, "response": {"message": message}}


def test_a_success_has_the_shape_of_the_service(sim: EvolutionSimulator) -> None:
    answer = text(sim)
    body = answer.json()
    assert answer.status_code == 201
    assert body["key"] == {"remoteJid": JID, "fromMe": True, "id": sim.sent[0]["id"]}
    assert (body["status"], body["message"], body["messageType"]) == (
        "PENDING",
        {"conversation": "Oi"},
        "conversation",
    )
    assert abs(body["messageTimestamp"] - dt.datetime.now(dt.UTC).timestamp()) < 60


@pytest.mark.parametrize(
    ("instance", "key", "expected"),
    [
        ("nobody", "wrong", envelope(404, "Not Found", ['The "nobody" instance does not exist'])),
        ("fisioflow", "wrong", envelope(401, "Unauthorized", "Unauthorized")),
    ],
)
def test_the_instance_is_looked_for_before_the_key(
    sim: EvolutionSimulator, instance: str, key: str, expected: dict[str, Any]
) -> None:
    answer = post(sim, "message/sendText", {}, instance, key)
    assert (answer.status_code, answer.json()) == (expected["status"], expected)


@pytest.mark.parametrize(
    ("route", "body", "message"),
    [
        ("sendText", {"number": PHONE}, [['requires property "text"']]),
        ("sendText", {"number": PHONE, "text": "a", "delay": "1"}, [["delay is not of a type(s) integer"]]),
        ("sendText", {"number": PHONE, "text": " \n"}, ["Text is required"]),
        ("sendMedia", {"number": PHONE, "mediatype": "image", "media": "x?"},
         ["Owned media must be a url or base64"]),
        ("sendMedia", {"number": PHONE, "mediatype": "document", "media": "QUJD"},
         ["For base64 the file name must be informed."]),
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused_in_the_service_own_words(
    sim: EvolutionSimulator, route: str, body: dict[str, Any], message: Any
) -> None:
    answer = post(sim, f"message/{route}", body)
    assert (answer.status_code, answer.json()) == (400, envelope(400, "Bad Request", message))
    assert sim.count == 0


def test_a_number_that_does_not_exist_is_told_as_an_object(sim: EvolutionSimulator) -> None:
    sim.absent(PHONE)
    missing = {"jid": JID, "exists": False, "number": PHONE}
    assert text(sim).json() == envelope(400, "Bad Request", [missing])
    assert post(sim, "chat/whatsappNumbers", {"numbers": [PHONE]}).json() == [missing]


def test_options_that_are_nested_do_nothing_and_a_suffix_switches_the_ninth_digit_off(
    sim: EvolutionSimulator,
) -> None:
    post(sim, "message/sendText", {"number": "5531999990001", "text": "a", "options": {"delay": "x"}})
    text(sim, "b", "5531999990001@s.whatsapp.net")
    assert [one["jid"] for one in sim.sent] == ["553199990001@s.whatsapp.net", "5531999990001@s.whatsapp.net"]


def find(sim: EvolutionSimulator, **where: Any) -> list[str]:
    body = post(sim, "chat/findMessages", {"where": where}).json()
    return [one["message"]["conversation"] for one in body["messages"]["records"]]


def test_messages_are_found_by_address_and_both_ends_of_a_time(sim: EvolutionSimulator) -> None:
    text(sim, "a")
    text(sim, "b", "5511999990002")
    sim.reply(PHONE, "c")
    assert sorted(find(sim, key={"remoteJid": JID})) == ["a", "c"]
    assert find(sim, key={"remoteJid": JID, "fromMe": True}) == ["a"]
    assert sorted(find(sim, key={"fromMe": False})) == ["a", "b", "c"]
    assert sorted(find(sim, messageTimestamp={"gte": "2099-01-01T00:00:00.000Z"})) == ["a", "b", "c"]
    past = {"gte": "2020-01-01T00:00:00.000Z", "lte": "2020-01-02T00:00:00.000Z"}
    assert find(sim, messageTimestamp=past) == []


def test_pages_and_status_updates_come_with_what_is_found(sim: EvolutionSimulator) -> None:
    for number in range(3):
        text(sim, str(number))
    sim.receipt(sim.sent[0]["id"], "READ")
    page = post(sim, "chat/findMessages", {"where": {}, "page": 2, "offset": 2}).json()["messages"]
    assert (page["total"], page["pages"], page["currentPage"], len(page["records"])) == (3, 2, 2, 1)
    record = post(sim, "chat/findMessages", {"where": {"key": {"id": sim.sent[0]["id"]}}}).json()["messages"][
        "records"
    ][0]
    assert record["MessageUpdate"] == [{"status": "READ"}]
    assert "status" not in record
    (row,) = post(sim, "chat/findStatusMessage", {"where": {"id": sim.sent[0]["id"]}}).json()
    assert (row["status"], row["remoteJid"]) == ("READ", JID)


def test_a_dead_session_says_that_it_is_open_and_answers_only_what_it_knows(sim: EvolutionSimulator) -> None:
    text(sim)
    sim.instance("fisioflow", dead=True)
    state = HTTP.get(f"{sim.url}/instance/connectionState/fisioflow", headers={"apikey": "evolution-key"})
    known = post(sim, "chat/whatsappNumbers", {"numbers": [PHONE]})
    fresh = post(sim, "chat/whatsappNumbers", {"numbers": ["5511999990003"]})
    assert state.json() == {"instance": {"instanceName": "fisioflow", "state": "open"}}
    assert known.json()[0]["exists"] is True
    assert (fresh.status_code, fresh.json()) == (400, {})
    assert text(sim).json() == envelope(400, "Bad Request", ["Error: Connection Closed"])
    assert text(sim, number="5511999990003").status_code == 500


def test_on_the_cloud_channel_free_words_reach_only_who_wrote(sim: EvolutionSimulator, hook: Receiver) -> None:
    sim.instance("fisioflow", kind="cloud")
    assert text(sim).status_code == 201
    sim.webhooks()
    assert (sim.count, hook.bodies[-1]["data"]["status"]) == (0, "FAILED")
    sim.reply(PHONE, "Oi")
    text(sim)
    assert sim.count == 1


def test_metas_refusal_is_a_success_without_a_key(sim: EvolutionSimulator) -> None:
    sim.fault("meta_error", code=132001, text="Template name does not exist")
    answer = text(sim)
    assert (answer.status_code, answer.json()["code"], "key" in answer.json()) == (201, 132001, False)


def test_a_webhook_gets_the_message_then_its_statuses_with_the_fixed_header(
    sim: EvolutionSimulator, hook: Receiver
) -> None:
    sim.receipts(statuses=["DELIVERY_ACK", "READ"])
    id = text(sim).json()["key"]["id"]
    sim.webhooks()
    assert [one["event"] for one in hook.bodies] == ["send.message", "messages.update", "messages.update"]
    assert hook.bodies[0]["data"]["key"]["id"] == id
    assert [(one["data"]["keyId"], one["data"]["status"]) for one in hook.bodies[1:]] == [
        (id, "DELIVERY_ACK"),
        (id, "READ"),
    ]
    assert {one.headers["x-webhook-token"] for one in hook.came} == {"T"}


def test_webhooks_may_come_before_the_answer_twice_and_backwards(sim: EvolutionSimulator, hook: Receiver) -> None:
    sim.receipts(statuses=["READ"], before_answer=True, repeats=1, backwards=True)
    text(sim)
    assert [one["event"] for one in hook.bodies] == 2 * ["messages.update"] + 2 * ["send.message"]


def test_a_message_whose_answer_is_lost_is_reported_all_the_same(sim: EvolutionSimulator, hook: Receiver) -> None:
    sim.fault("exception", recorded=True)
    assert text(sim).status_code == 400
    sim.webhooks()
    assert [one["event"] for one in hook.bodies] == ["send.message"]


def test_a_webhook_can_be_signed_with_a_token_of_ten_minutes(sim: EvolutionSimulator, hook: Receiver) -> None:
    secret = "a secret of at least thirty-two bytes"  # noqa: S105
    set_webhook(
        sim, {"url": hook.url, "headers": {"jwt_key": secret}, "byEvents": True, "events": ["SEND_MESSAGE"]}
    )
    sim.receipts(statuses=["READ"])
    text(sim)
    sim.webhooks()
    (came,) = hook.came
    claims = jwt.decode(came.headers["authorization"].removeprefix("Bearer "), secret, algorithms=["HS256"])
    assert (claims["app"], claims["action"], claims["exp"] - claims["iat"]) == ("evolution", "webhook", 600)
    assert (came.path, "jwt_key" in came.headers) == ("/send-message", False)


@pytest.mark.parametrize(("answers", "tries"), [([500, 503], [500, 503, 200]), ([401], [401])])
def test_a_webhook_is_called_again_unless_it_says_never(
    sim: EvolutionSimulator, hook: Receiver, answers: list[int], tries: list[int]
) -> None:
    hook.answers = answers
    text(sim)
    assert [one["answers"] for one in sim.webhooks()] == [tries]


def test_a_reply_quotes_the_message_that_it_answers(sim: EvolutionSimulator, hook: Receiver) -> None:
    id = text(sim).json()["key"]["id"]
    reply = sim.reply(PHONE, "1", quoted=id)
    data = hook.bodies[-1]["data"]
    assert reply["answer"] == 200
    assert (data["key"], data["contextInfo"]) == (
        {"remoteJid": JID, "fromMe": False, "id": reply["id"]},
        {"stanzaId": id},
    )


def test_the_pace_of_each_instance_is_watched(sim: EvolutionSimulator) -> None:
    sim.pace(watch_ms=10_000)
    text(sim)
    text(sim)
    sim.pace(watch_ms=0)
    watch = sim.watch("fisioflow")
    assert (watch["starts"], watch["too_close"]) == (2, 1)
    assert watch["closest_ms"] < 10_000


def test_people_see_the_talk_and_its_words_are_no_markup(sim: EvolutionSimulator) -> None:
    text(sim, "<b>Olá</b>")
    sim.reply(PHONE, "Confirmo")
    page = HTTP.get(sim.url).text
    assert "&lt;b&gt;Olá&lt;/b&gt;" in page and "Confirmo" in page and PHONE in page


def test_a_control_call_that_makes_no_sense_says_what_does(sim: EvolutionSimulator) -> None:
    with pytest.raises(SimulatorError, match="exception"):
        sim.fault("earthquake")
    with pytest.raises(SimulatorError, match="stores"):
        sim.settings(colour="blue")


@pytest.mark.parametrize("service", ["evolution", "meta"])
def test_the_command_says_where_it_listens(tmp_path: Path, service: str) -> None:
    command = [sys.executable, "-c", "from fisio_ayida.simulators.cli import simulate_app as app; app()"]
    ready = tmp_path / "ready.json"
    with subprocess.Popen(
        [*command, service, "--port", "0", "--ready-file", str(ready)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            assert said == json.loads(ready.read_text())
            assert "simulada" in HTTP.get(said["root_url"]).text
        finally:
            process.terminate()
