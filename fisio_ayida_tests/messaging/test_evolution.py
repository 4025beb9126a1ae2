"""WhatsApp through Evolution: what is asked, what each answer means, what is found again, who is healthy."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging.channels.calling import Answer, Pacer
from fisio_ayida.messaging.channels.evolution import EvolutionSender
from fisio_ayida.messaging.channels.evolution_answers import result
from fisio_ayida.messaging.channels.evolution_lookup import Ours, jids, ninth_digit_variants
from fisio_ayida.messaging.channels.evolution_payload import payload
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
from fisio_ayida.simulators.evolution import EvolutionConfig, EvolutionSimulator
from fisio_ayida_tests.messaging.senders import CountingPacer, closed_port, email
from fisio_ayida_tests.messaging.whatsapp import (
    PHONE,
    PROBE,
    SANTA_MARIA,
    WORDS,
    by_evolution,
    evolution,
    message,
    template,
    utc_now,
)

#: So long the sender waits where an answer does not come.
SHORT = 2.0


@pytest.fixture(scope="module")
def running() -> Iterator[EvolutionSimulator]:
    with EvolutionSimulator(EvolutionConfig(instances=("fisioflow", "centro"))) as simulator:
        yield simulator


@pytest.fixture
def sim(running: EvolutionSimulator) -> EvolutionSimulator:
    """The module's stand-in, as on its first day."""
    running.well()
    running.forget()
    running.settings(stores=True)
    running.instance("fisioflow", kind="baileys", state="open", dead=False, loaded=True)
    return running


def found(sim: EvolutionSimulator, envelope: Any) -> Accepted | None:
    return evolution(sim.url, lambda sender: sender.look_up(envelope))


def test_a_text_goes_to_the_letter(sim: EvolutionSimulator) -> None:
    envelope = message(text='Olá, "Ana"!\nAté amanhã')
    answer = by_evolution(sim.url, envelope)
    (call,) = sim.calls
    assert answer == Accepted(sim.sent[0]["id"])
    assert (call["method"], call["path"], call["query"]) == ("POST", "/message/sendText/fisioflow", "")
    assert call["headers"]["apikey"] == "evolution-key"
    assert "authorization" not in call["headers"]
    assert call["body"] == ('{"number":"5511999990001","text":"Olá, \\"Ana\\"!\\nAté amanhã","linkPreview":false}')


def test_an_instance_cannot_lead_to_another_route(sim: EvolutionSimulator) -> None:
    answer = by_evolution(sim.url, message(account="fisioflow?instanceName=centro"))
    assert isinstance(answer, ChannelDown)
    assert (sim.calls[0]["query"], sim.count) == ("", 0)


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({"media_url": "https://a.example/foto.JPG?x=1", "text": "Veja"},
         {"mediatype": "image", "mimetype": "image/jpeg", "caption": "Veja"}),
        ({"media_url": "https://a.example/d/guia%20um.pdf"},
         {"mediatype": "document", "mimetype": "application/pdf", "fileName": "guia um.pdf"}),
        ({"media_url": "https://a.example/arquivo"}, {"mediatype": "document", "fileName": "arquivo"}),
        ({"media_url": "https://a.example/"}, {"mediatype": "document", "fileName": "documento"}),
        ({"media_url": "https://a.example/v", "media_type": "video"}, {"mediatype": "video"}),
    ],
)  # fmt: skip
def test_media_say_what_they_are(content: dict[str, Any], fields: dict[str, Any]) -> None:
    asked = payload(WhatsappContent(**content), PHONE)
    assert isinstance(asked, tuple)
    assert asked[0] == "message/sendMedia"
    assert json.loads(asked[1]) == {"number": PHONE, "media": content["media_url"], **fields}


def test_media_arrive(sim: EvolutionSimulator) -> None:
    answer = by_evolution(sim.url, message(media_url="https://a.example/guia.pdf", text="Seu guia"))
    assert isinstance(answer, Accepted)
    assert sim.sent[0]["message"]["documentMessage"]["caption"] == "Seu guia"


@pytest.mark.parametrize(
    "content", [{"media_url": "https://a.example/a.mp3", "text": "Oi"}, {"template_language": "pt"}]
)
def test_what_would_lose_words_or_has_none_is_refused_before_any_call(
    sim: EvolutionSimulator, content: dict[str, Any]
) -> None:
    assert isinstance(by_evolution(sim.url, message(**content)), Permanent)
    assert isinstance(by_evolution(sim.url, email()), Permanent)
    assert sim.calls == []


def test_a_template_goes_out_on_the_cloud_channel(sim: EvolutionSimulator) -> None:
    sim.instance("fisioflow", kind="cloud")
    assert isinstance(by_evolution(sim.url, template("Ana", "9h")), Accepted)
    assert json.loads(sim.calls[0]["body"]) == {
        "number": PHONE,
        "name": "lembrete_consulta_v1",
        "language": "pt_BR",
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "9h"}]}
        ],
    }


def test_a_template_without_variables_has_no_components(sim: EvolutionSimulator) -> None:
    sim.instance("fisioflow", kind="cloud")
    assert isinstance(by_evolution(sim.url, template()), Accepted)
    assert "components" not in json.loads(sim.calls[0]["body"])


def test_a_phone_has_no_templates_and_gets_the_words(sim: EvolutionSimulator) -> None:
    assert isinstance(by_evolution(sim.url, template("Ana")), Permanent)
    assert isinstance(by_evolution(sim.url, template("Ana", text="Olá, Ana")), Accepted)
    assert [one["text"] for one in sim.sent] == ["Olá, Ana"]


def test_an_instance_of_metas_api_sends_the_template_and_not_the_words() -> None:
    words = template("Ana", text="Olá, Ana").content
    assert isinstance(words, WhatsappContent)
    on_a_phone, on_the_cloud = payload(words, PHONE), payload(words, PHONE, is_cloud=True)
    assert not isinstance(on_a_phone, Permanent) and not isinstance(on_the_cloud, Permanent)
    assert (on_a_phone[0], on_the_cloud[0]) == ("message/sendText", "message/sendTemplate")


@pytest.mark.parametrize(
    ("fault", "expected", "reached"),
    [
        ({"kind": "exception", "recorded": True}, Ambiguous, 1),
        ({"kind": "exception", "text": "Error: Connection Closed"}, Ambiguous, 0),
        ({"kind": "exception", "recorded": True, "text": "Error: Connection Closed"}, Ambiguous, 1),
        ({"kind": "exception", "text": "TypeError: Cannot read properties of undefined"}, Ambiguous, 0),
        ({"kind": "slow", "recorded": True}, Ambiguous, 1),
        ({"kind": "hang"}, Ambiguous, 0),
        ({"kind": "cut", "recorded": True}, Ambiguous, 1),
        ({"kind": "cut"}, Ambiguous, 0),
        ({"kind": "bad_gateway", "recorded": True}, Ambiguous, 1),
        ({"kind": "server_error"}, Transient, 0),
        ({"kind": "unauthorized"}, ChannelDown, 0),
        ({"kind": "too_many"}, Transient, 0),
        ({"kind": "meta_error", "code": 131047}, Permanent, 0),
        ({"kind": "meta_error", "code": 132001}, Permanent, 0),
        ({"kind": "meta_error", "code": 130429}, Transient, 0),
        ({"kind": "meta_error", "code": 190}, ChannelDown, 0),
        ({"kind": "meta_error", "code": 131000}, Ambiguous, 0),
        ({"kind": "meta_error", "code": 999_999}, Permanent, 0),
    ],
    ids=lambda value: "-".join(str(each) for each in value.values()) if isinstance(value, dict) else None,
)  # fmt: skip
def test_a_failure_means(
    sim: EvolutionSimulator, fault: dict[str, Any], expected: type[Result], reached: int
) -> None:
    sim.fault(**fault)
    answer = by_evolution(sim.url, message(), seconds=SHORT if fault["kind"] in ("slow", "hang") else 20)
    assert isinstance(answer, expected)
    assert sim.count == reached


@pytest.mark.parametrize(("retry_after", "after"), [(7, dt.timedelta(seconds=7)), (None, None)])
def test_a_proxy_may_say_when(
    sim: EvolutionSimulator, retry_after: int | None, after: dt.timedelta | None
) -> None:
    sim.fault("too_many", retry_after=retry_after)
    assert by_evolution(sim.url, message()) == Transient("http_429", "too many calls", after, is_rate=True)


def test_a_number_that_is_not_on_whatsapp_is_left_alone_for_a_week(sim: EvolutionSimulator) -> None:
    sim.absent(PHONE)
    answer = by_evolution(sim.url, message())
    assert isinstance(answer, Permanent)
    assert (answer.suppress, answer.suppress_for) == ("not_on_whatsapp", dt.timedelta(days=7))
    assert PHONE not in repr(answer)


def test_an_unknown_instance_is_told_before_a_wrong_key(sim: EvolutionSimulator) -> None:
    unknown = by_evolution(sim.url, message(account="nobody"), key="wrong")
    wrong = by_evolution(sim.url, message(), key="wrong")
    assert isinstance(unknown, ChannelDown) and unknown.code == "evolution_unknown"
    assert isinstance(wrong, ChannelDown) and wrong.code == "evolution_key"
    assert "wrong" not in repr(wrong)


def test_the_key_of_an_instance_opens_it_alone(sim: EvolutionSimulator) -> None:
    assert isinstance(by_evolution(sim.url, message(), key="token-of-fisioflow"), Accepted)
    assert isinstance(by_evolution(sim.url, message(account="centro"), key="token-of-fisioflow"), ChannelDown)


def test_an_empty_text_is_our_mistake(sim: EvolutionSimulator) -> None:
    answer = by_evolution(sim.url, message(text=" "))
    assert isinstance(answer, Permanent) and answer.code == "evolution_schema"


def test_who_does_not_listen_got_nothing() -> None:
    answer = by_evolution(closed_port(), message())
    assert isinstance(answer, Transient) and answer.channel


def test_a_dead_session_certainly_sent_nothing_only_if_it_asked_for_the_number_first(
    sim: EvolutionSimulator,
) -> None:
    known, fresh = message(to=PROBE), message()
    by_evolution(sim.url, known)
    sim.instance("fisioflow", dead=True)
    fails = by_evolution(sim.url, fresh)
    assert isinstance(fails, Transient) and fails.channel
    assert isinstance(by_evolution(sim.url, known), Ambiguous)
    assert sim.count == 1


def test_a_file_that_cannot_be_fetched_is_no_fault_of_the_instance(sim: EvolutionSimulator) -> None:
    sim.fault("server_error", text="Request failed with status code 404")
    answer = by_evolution(sim.url, message(media_url="https://a.example/a.png"))
    assert isinstance(answer, Transient) and not answer.channel


def test_a_message_whose_answer_was_lost_is_found_again(sim: EvolutionSimulator) -> None:
    sim.fault("exception", recorded=True)
    lost = message()
    assert isinstance(by_evolution(sim.url, lost), Ambiguous)
    assert found(sim, lost) == Accepted(sim.sent[0]["id"])


def test_what_was_never_sent_is_not_found(sim: EvolutionSimulator) -> None:
    sim.fault("exception")
    lost = message()
    by_evolution(sim.url, lost)
    by_evolution(sim.url, message(text="Outra coisa"))
    by_evolution(sim.url, message(to=SANTA_MARIA))
    sim.reply(PHONE, WORDS)
    assert found(sim, lost) is None


def test_words_that_differ_by_one_space_are_other_words(sim: EvolutionSimulator) -> None:
    by_evolution(sim.url, message(text="Até amanhã "))
    assert found(sim, message(text="Até amanhã")) is None


def test_the_earliest_of_several_is_taken() -> None:
    at = utc_now()
    records = [
        {"key": {"fromMe": True, "id": id}, "message": {"conversation": WORDS}, "messageTimestamp": stamp}
        for id, stamp in (
            ("third", int(at.timestamp()) + 9),
            ("first", str(int(at.timestamp()) + 1)),
            ("long before", int(at.timestamp()) - 90),
            ("no time", {}),
        )
    ]
    ours = Ours(WhatsappContent(text=WORDS), at, None)
    assert ours.earliest(records) == "first"
    assert ours.earliest(records, taken=("first",)) == "third", "the same words twice: the other one is known"


def test_an_older_message_with_the_same_words_is_not_this_one(sim: EvolutionSimulator) -> None:
    by_evolution(sim.url, message())
    assert found(sim, replace(message(), first_called_at=utc_now() + dt.timedelta(minutes=5))) is None


def test_a_message_called_for_again_after_an_hour_is_found(sim: EvolutionSimulator) -> None:
    by_evolution(sim.url, message())
    an_hour_ago = replace(message(), first_called_at=utc_now() - dt.timedelta(hours=1))
    assert found(sim, an_hour_ago) is None
    assert found(sim, replace(an_hour_ago, attempt=2)) == Accepted(sim.sent[0]["id"])


@pytest.mark.parametrize(
    "address",
    [
        {"jid": "551199990001@s.whatsapp.net"},
        {"lid": "99887766554433@lid"},
        {"jid": "5511899990001@s.whatsapp.net"},
    ],
    ids=["without the ninth digit", "alias", "another number altogether"],
)
def test_whatever_whatsapp_calls_the_number_the_message_is_found(
    sim: EvolutionSimulator, address: dict[str, str]
) -> None:
    sim.account(PHONE, **address)
    asked = message()
    by_evolution(sim.url, asked)
    assert sim.sent[0]["jid"] in address.values()
    assert found(sim, asked) == Accepted(sim.sent[0]["id"])


def test_a_caption_is_found_only_under_its_own_kind(sim: EvolutionSimulator) -> None:
    by_evolution(sim.url, message(text="Seu guia"))
    picture = message(text="Seu guia", media_url="https://a.example/a.png")
    assert found(sim, picture) is None
    by_evolution(sim.url, picture)
    assert found(sim, picture) == Accepted(sim.sent[1]["id"])


def test_a_message_is_found_behind_fifty_others(sim: EvolutionSimulator) -> None:
    asked = message()

    async def many(sender: EvolutionSender) -> None:
        await sender.send(asked)
        await asyncio.gather(*(sender.send(message(text=f"Mensagem {i}")) for i in range(60)))

    evolution(sim.url, many)
    first = next(one for one in sim.sent if one["text"] == WORDS)
    assert found(sim, asked) == Accepted(first["id"])


def test_where_nothing_is_stored_or_told_nothing_is_found(sim: EvolutionSimulator) -> None:
    asked = message()
    sim.settings(stores=False)
    assert isinstance(by_evolution(sim.url, asked), Accepted)
    assert found(sim, asked) is None
    sim.fault("bad_gateway", route="chat/", times=None)
    assert found(sim, asked) is None
    assert found(sim, replace(asked, first_called_at=None)) is None
    assert found(sim, template("Ana")) is None


@pytest.mark.parametrize(
    ("digits", "variants"),
    [
        # below 31 the ninth digit stays; from 31 on only before what is no mobile number
        ("5511999990001", ("5511999990001", "551199990001")),
        ("5531999990001", ("553199990001", "5531999990001")),
        ("5531965550001", ("5531965550001", "553165550001")),
        ("5555999990002", ("555599990002", "5555999990002")),
        ("555599990002", ("555599990002", "5555999990002")),
        ("551133330001", ("551133330001", "5511933330001")),
        ("351912345678", ("351912345678",)),
    ],
)
def test_a_number_has_these_forms(digits: str, variants: tuple[str, ...]) -> None:
    assert ninth_digit_variants(digits) == variants
    assert jids(digits)[0] == variants[0] + "@s.whatsapp.net"


def test_area_code_55_arrives_where_it_belongs(sim: EvolutionSimulator) -> None:
    asked = message(to=SANTA_MARIA)
    assert isinstance(by_evolution(sim.url, asked), Accepted)
    assert (sim.sent[0]["number"], sim.sent[0]["jid"]) == (SANTA_MARIA, "555599990002@s.whatsapp.net")
    assert found(sim, asked) == Accepted(sim.sent[0]["id"])


def healthy(sim: EvolutionSimulator, account: str = "fisioflow", **options: Any) -> Healthy | Unhealthy:
    options = {"probe": PROBE, **options}
    answer: Healthy | Unhealthy = evolution(sim.url, lambda sender: sender.health(account), **options)
    return answer


def test_a_connected_instance_is_healthy_and_asking_sends_nothing(sim: EvolutionSimulator) -> None:
    assert (healthy(sim), healthy(sim, probe=None), sim.count) == (Healthy(), Healthy(), 0)


@pytest.mark.parametrize("state", ["connecting", "close"])
def test_an_instance_that_is_not_open_is_not_healthy(sim: EvolutionSimulator, state: str) -> None:
    sim.instance("fisioflow", state=state)
    assert healthy(sim, probe=None) == Unhealthy(f"the instance is not connected: {state}")


def test_an_instance_that_only_says_that_it_is_open_is_not_healthy(sim: EvolutionSimulator) -> None:
    # The probe number was found before: for days Evolution answers for it without asking WhatsApp.
    assert healthy(sim) == Healthy()
    sim.instance("fisioflow", dead=True)
    answer = healthy(sim)
    assert isinstance(answer, Unhealthy)
    assert "says open, but a look-up fails" in answer.reason
    assert healthy(sim, probe=None) == Healthy()


def test_a_probe_number_that_is_not_found_is_told(sim: EvolutionSimulator) -> None:
    sim.absent(PROBE)
    answer = healthy(sim)
    assert isinstance(answer, Unhealthy)
    assert PROBE not in answer.reason


def test_who_cannot_be_asked_is_not_healthy(sim: EvolutionSimulator) -> None:
    assert isinstance(healthy(sim, "nobody"), Unhealthy)
    assert isinstance(healthy(sim, key="wrong"), Unhealthy)
    sim.instance("fisioflow", loaded=False)
    assert isinstance(healthy(sim), Unhealthy)
    assert isinstance(evolution(closed_port(), lambda sender: sender.health("fisioflow")), Unhealthy)


def test_each_instance_has_its_own_pace_and_answers_overlap(sim: EvolutionSimulator) -> None:
    clocks = {"fisioflow": CountingPacer(), "centro": CountingPacer()}
    turns: dict[str, Pacer] = {**clocks}

    async def both(sender: EvolutionSender) -> list[Result]:
        envelopes = [message(account=account) for account in ("fisioflow", "centro", "fisioflow")]
        return list(await asyncio.gather(*(sender.send(envelope) for envelope in envelopes)))

    sim.pace(latency_ms=100)
    assert all(isinstance(one, Accepted) for one in evolution(sim.url, both, clock_for=turns.get))
    sim.pace(latency_ms=0)
    assert {name: (clock.granted, clock.told, clock.held) for name, clock in clocks.items()} == {
        "fisioflow": (2, 2, 0),
        "centro": (1, 1, 0),
    }


def answer(status: int, json: Any) -> Answer:
    return Answer(status, httpx.Headers(), b"", json)


@pytest.mark.parametrize(
    ("status", "json", "expected"),
    [
        (201, {}, Ambiguous),
        (201, {"key": {"id": ""}}, Ambiguous),
        (201, None, Ambiguous),
        (200, {"key": {"id": "A"}}, Ambiguous),
        (500, None, Ambiguous),  # a proxy's page
        (503, {"response": {}}, Ambiguous),
        (400, None, Ambiguous),
        (400, {"response": {"message": ["[object Object]"]}}, Ambiguous),
        (400, {"response": {"message": [['requires property "text"']]}}, Permanent),
        (400, {"response": {"message": ["Owned media must be a url or base64"]}}, Permanent),
        (302, None, ChannelDown),
        (403, None, ChannelDown),
        (413, None, Permanent),
    ],
)  # fmt: skip
def test_an_answer_means(status: int, json: Any, expected: type[Result]) -> None:
    assert isinstance(result(answer(status, json)), expected)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["key", "id", "response", "message", "exists", "code"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.integers(100, 599), ANYTHING)
def test_no_answer_is_too_strange_and_only_an_id_is_a_success(status: int, json: Any) -> None:
    given = answer(status, json)
    assert isinstance(result(given), Accepted) == (status == 201 and given.text("key", "id") != "")
