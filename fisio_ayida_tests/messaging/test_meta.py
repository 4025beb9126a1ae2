"""WhatsApp through Meta: the template first, what each answer means, who is healthy."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging.channels.calling import Answer
from fisio_ayida.messaging.channels.meta import payload, result
from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    ChannelDown,
    Healthy,
    Permanent,
    Result,
    Transient,
    Unhealthy,
    WhatsappContent,
)
from fisio_ayida.simulators.meta import MetaConfig, MetaSimulator
from fisio_ayida_tests.messaging.senders import closed_port, email
from fisio_ayida_tests.messaging.whatsapp import NUMBER_ID, PHONE, WORDS, by_meta, message, meta, template

KEY = "reminder:a7:2026-11-21t09:00:24h:whatsapp"
SHORT = 2.0


@pytest.fixture(scope="module")
def running() -> Iterator[MetaSimulator]:
    with MetaSimulator(MetaConfig(templates={"lembrete_consulta_v1": 2, "boas_vindas_paciente": 0})) as simulator:
        yield simulator


@pytest.fixture
def sim(running: MetaSimulator) -> MetaSimulator:
    """The module's stand-in, as on its first day."""
    running.well()
    running.forget()
    return running


def reminder(**more: Any) -> Any:
    return template("Ana", "9h", account=NUMBER_ID, **more)


def test_a_template_goes_to_the_letter_with_our_key(sim: MetaSimulator) -> None:
    answer = by_meta(sim.base_url, reminder())
    (call,) = sim.calls
    assert answer == Accepted(sim.sent[0]["id"])
    assert (call["method"], call["path"]) == ("POST", f"/v25.0/{NUMBER_ID}/messages")
    assert call["headers"]["authorization"] == "Bearer meta-token"
    assert call["body"] == (
        '{"messaging_product":"whatsapp","recipient_type":"individual","to":"5511999990001","type":"template",'
        '"template":{"name":"lembrete_consulta_v1","language":{"code":"pt_BR"},"components":[{"type":"body",'
        '"parameters":[{"type":"text","text":"Ana"},{"type":"text","text":"9h"}]}]},'
        f'"biz_opaque_callback_data":"{KEY}"}}'
    )


def test_a_template_without_variables_has_no_components(sim: MetaSimulator) -> None:
    assert isinstance(
        by_meta(sim.base_url, message(account=NUMBER_ID, template_name="boas_vindas_paciente")), Accepted
    )
    assert "components" not in sim.sent[0]["body"]["template"]


def test_a_refused_template_is_never_replaced_by_its_words(sim: MetaSimulator) -> None:
    sim.talking(PHONE)
    wrong = message(account=NUMBER_ID, text=WORDS, template_name="nao_existe")
    answer = by_meta(sim.base_url, wrong)
    assert isinstance(answer, Permanent) and answer.code == "meta_132001"
    sim.fault("cut")
    assert isinstance(by_meta(sim.base_url, reminder(text=WORDS)), Ambiguous)
    assert (sim.count, len(sim.calls)) == (0, 2)


def test_words_go_out_inside_a_talk(sim: MetaSimulator) -> None:
    sim.talking(PHONE)
    assert isinstance(by_meta(sim.base_url, message(account=NUMBER_ID)), Accepted)
    assert sim.sent[0]["body"]["text"] == {"preview_url": False, "body": WORDS}


def test_words_outside_a_talk_are_accepted_and_never_arrive(sim: MetaSimulator) -> None:
    assert isinstance(by_meta(sim.base_url, message(account=NUMBER_ID)), Accepted)
    assert sim.count == 0


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ({"media_url": "https://a.example/a.png", "text": "Veja"},
         {"type": "image", "image": {"link": "https://a.example/a.png", "caption": "Veja"}}),
        ({"media_url": "https://a.example/guia.pdf"},
         {"type": "document", "document": {"link": "https://a.example/guia.pdf", "filename": "guia.pdf"}}),
        ({"media_url": "https://a.example/a.mp3"}, {"type": "audio", "audio": {"link": "https://a.example/a.mp3"}}),
    ],
)  # fmt: skip
def test_media_are_linked(sim: MetaSimulator, content: dict[str, Any], part: dict[str, Any]) -> None:
    sim.talking(PHONE)
    assert isinstance(by_meta(sim.base_url, message(account=NUMBER_ID, **content)), Accepted)
    assert sim.sent[0]["body"].items() >= part.items()


@pytest.mark.parametrize(
    "content", [{"media_url": "https://a.example/a.mp3", "text": "Oi"}, {"template_language": "pt"}]
)
def test_what_would_lose_words_or_has_none_is_refused_before_any_call(
    sim: MetaSimulator, content: dict[str, Any]
) -> None:
    assert isinstance(by_meta(sim.base_url, message(account=NUMBER_ID, **content)), Permanent)
    assert isinstance(by_meta(sim.base_url, email()), Permanent)
    assert sim.calls == []


@pytest.mark.parametrize(
    ("fault", "expected", "reached"),
    [
        ({"kind": "server_error", "recorded": True}, Ambiguous, 1),
        ({"kind": "server_error"}, Ambiguous, 0),
        ({"kind": "slow", "recorded": True}, Ambiguous, 1),
        ({"kind": "cut", "recorded": True}, Ambiguous, 1),
        ({"kind": "cut"}, Ambiguous, 0),
        ({"kind": "bad_gateway", "recorded": True}, Ambiguous, 1),
        ({"kind": "unauthorized"}, ChannelDown, 0),
        ({"kind": "too_many"}, Transient, 0),
        *[({"kind": "meta_error", "code": code}, Permanent, 0)
          for code in (131047, 131026, 131049, 131050, 132000, 132001, 132015, 999_999)],
        *[({"kind": "meta_error", "code": code}, Transient, 0) for code in (130429, 131048, 131056, 80007)],
        ({"kind": "meta_error", "code": 190}, ChannelDown, 0),
    ],
    ids=lambda value: "-".join(str(each) for each in value.values()) if isinstance(value, dict) else None,
)  # fmt: skip
def test_a_failure_means(sim: MetaSimulator, fault: dict[str, Any], expected: type[Result], reached: int) -> None:
    sim.fault(**fault)
    answer = by_meta(sim.base_url, reminder(), seconds=SHORT if fault["kind"] == "slow" else 20)
    assert isinstance(answer, expected)
    assert sim.count == reached


def test_meta_may_say_when(sim: MetaSimulator) -> None:
    sim.fault("too_many", retry_after=7)
    assert by_meta(sim.base_url, reminder()) == Transient(
        "http_429", "too many calls", dt.timedelta(seconds=7), channel=True, is_rate=True
    )


def test_a_person_who_got_too_many_closes_the_way_to_nobody_else(sim: MetaSimulator) -> None:
    sim.fault("meta_error", code=131056)
    answer = by_meta(sim.base_url, reminder())
    assert isinstance(answer, Transient) and not answer.channel and answer.is_rate


def test_an_unknown_number_id_and_a_wrong_token_close_the_account(sim: MetaSimulator) -> None:
    unknown = by_meta(sim.base_url, template("Ana", "9h", account="42"))
    assert isinstance(unknown, ChannelDown) and unknown.code == "meta_account"
    assert isinstance(by_meta(sim.base_url, reminder(), token="wrong"), ChannelDown)  # noqa: S106


def test_who_does_not_listen_got_nothing() -> None:
    answer = by_meta(closed_port(), reminder())
    assert isinstance(answer, Transient) and answer.channel


def test_health_tells_whether_the_token_opens_the_number(sim: MetaSimulator) -> None:
    assert meta(sim.base_url, lambda sender: sender.health(NUMBER_ID)) == Healthy()
    assert isinstance(meta(sim.base_url, lambda sender: sender.health("42")), Unhealthy)
    assert isinstance(meta(closed_port(), lambda sender: sender.health(NUMBER_ID)), Unhealthy)
    assert sim.count == 0


def test_nothing_can_be_looked_up(sim: MetaSimulator) -> None:
    by_meta(sim.base_url, reminder())
    assert meta(sim.base_url, lambda sender: sender.look_up(reminder())) is None


@given(st.text(), st.lists(st.text(), max_size=3))
def test_the_same_content_gives_the_same_bytes_and_none_of_the_words_is_lost(name: str, values: list[str]) -> None:
    content = WhatsappContent(template_name=name, template_variables=tuple(values), text="anything")
    body = payload(content, PHONE, KEY)
    assert isinstance(body, bytes)
    assert body == payload(content, PHONE, KEY)
    shown = json.loads(body)["template"]
    assert shown["name"] == name
    assert [one["text"] for part in shown.get("components", []) for one in part["parameters"]] == values


@pytest.mark.parametrize(
    ("status", "json", "expected"),
    [
        (200, {"messages": []}, Ambiguous),
        (200, None, Ambiguous),
        (302, None, ChannelDown),
        (400, None, Permanent),
        (403, None, ChannelDown),
        (404, None, ChannelDown),
        (408, None, Ambiguous),
        (503, {"error": {"code": 130429}}, Ambiguous),
    ],
)
def test_an_answer_means(status: int, json: Any, expected: type[Result]) -> None:
    assert isinstance(result(Answer(status, httpx.Headers(), b"", json)), expected)
