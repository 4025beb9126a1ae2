"""E-mail through Resend: what is sent, what each answer means, what is never sent twice."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging.channels.resend_payload import idempotency_key, payload, tag
from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    Attachment,
    ChannelDown,
    EmailContent,
    Envelope,
    Permanent,
    Result,
    Transient,
)
from fisio_ayida.simulators.resend import ResendSimulator
from fisio_ayida_tests.messaging.senders import (
    NOW,
    SENDER,
    CountingPacer,
    calling,
    closed_port,
    email,
    push,
    resend,
    sent,
)


@pytest.fixture(scope="module")
def running() -> Iterator[ResendSimulator]:
    with ResendSimulator() as simulator:
        yield simulator


@pytest.fixture
def sim(running: ResendSimulator) -> ResendSimulator:
    """The module's stand-in, as on its first day."""
    running.well()
    running.forget()
    running.settings(latency_ms=0, requests_per_second=0, api_key=None)
    return running


def one(sim: ResendSimulator, envelope: Envelope | None = None, seconds: float = 20.0) -> Result:
    return sent(sim.url, envelope or email(), seconds=seconds)[0]


def test_an_email_carries_html_text_addresses_and_one_click_unsubscribing(sim: ResendSimulator) -> None:
    answer = one(
        sim,
        email(
            cc=("familia@example.org",),
            reply_to="recepcao@clinica.example",
            unsubscribe_url="https://clinica.example/sair?t=1",
        ),
    )
    (mail,) = sim.sent
    assert answer == Accepted(mail["id"])
    assert (mail["html"], mail["text"]) == ("<p>Amanhã às 9h</p>", "Amanhã às 9h")
    assert (mail["sender"], mail["to"], mail["cc"]) == (SENDER, ["ana@example.org"], ["familia@example.org"])
    assert mail["reply_to"] == ["recepcao@clinica.example"]
    assert mail["headers"] == {
        "List-Unsubscribe": "<https://clinica.example/sair?t=1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_tags_with_accents_slashes_and_spaces_are_taken_and_ours_cannot_be_replaced(sim: ResendSimulator) -> None:
    tags = {"clínica": "São João / Ação", "data": "21/11/2026", "só": "!!!", "message": "999", "": "x"}
    assert isinstance(one(sim, email(tags=tags)), Accepted)
    assert sim.sent[0]["tags"] == {"clinica": "Sao_Joao_Acao", "data": "21_11_2026", "message": "7"}


def test_attachments_arrive(sim: ResendSimulator) -> None:
    content = base64.b64encode(b"%PDF").decode()
    assert isinstance(one(sim, email(attachments=(Attachment("guia.pdf", content, "application/pdf"),))), Accepted)
    assert sim.sent[0]["attachments"] == [
        {"filename": "guia.pdf", "content": content, "content_type": "application/pdf"}
    ]


@pytest.mark.parametrize(
    "field",
    [
        {"subject": "Oi\r\nBcc: x@example.org"},
        {"reply_to": "a@example.org\nBcc: x@example.org"},
        {"cc": ("a@example.org\r\nx: y",)},
        {"sender": "A\n<a@example.org>"},
        {"unsubscribe_url": "https://example.org/\r\nBcc: x@example.org"},
        {"attachments": (Attachment("a\r\nb", "eA=="),)},
        {"html": None, "text": None},
    ],
)
def test_what_can_be_no_email_is_refused_before_any_call(sim: ResendSimulator, field: dict[str, Any]) -> None:
    assert isinstance(one(sim, email(**field)), Permanent)
    assert isinstance(one(sim, replace(email(), to="a@example.org\r\nBcc: x@example.org")), Permanent)
    assert sim.state()["requests"] == 0


def test_an_email_of_more_than_40_mb_is_refused_before_any_call(sim: ResendSimulator) -> None:
    answer = one(sim, email(attachments=(Attachment("a.bin", "A" * 40_000_001),)))
    assert isinstance(answer, Permanent)
    assert answer.code == "too_big"


def test_a_push_message_is_no_email(sim: ResendSimulator) -> None:
    assert isinstance(one(sim, push()), Permanent)


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.text(min_size=1), st.integers(1, 5))
def test_the_same_envelope_gives_the_same_bytes(tags: dict[str, str], text: str, attempt: int) -> None:
    first = email(tags=tags, text=text)
    again = replace(email(tags=dict(reversed(tags.items())), text=text), attempt=attempt, first_called_at=NOW)
    assert isinstance(again.content, EmailContent)
    assert isinstance(first.content, EmailContent)
    assert payload(first, first.content, SENDER) == payload(again, again.content, SENDER)


@given(st.text(min_size=1))
def test_every_key_becomes_one_that_a_header_may_carry(key: str) -> None:
    made = idempotency_key(key)
    assert made.isascii() and made.isprintable() and 1 <= len(made) <= 256 and " " not in made


def test_our_keys_travel_as_they_are() -> None:
    assert idempotency_key(email().key) == email().key


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("daily_quota", ChannelDown("daily_quota_exceeded", "", dt.timedelta(hours=8, minutes=30))),
        ("monthly_quota", ChannelDown("monthly_quota_exceeded", "", dt.timedelta(days=1))),
        ("unauthorized", ChannelDown("restricted_api_key", "")),
        ("forbidden", ChannelDown("invalid_api_key", "")),
        ("test_mode", ChannelDown("validation_error", "")),
        ("concurrent", Transient("concurrent_idempotent_requests", "", is_rate=True)),
        ("other_body", Ambiguous("invalid_idempotent_request", "", may_repeat=False)),
        ("invalid", Permanent("invalid_parameter", "")),
        ("security", Permanent("security_error", "")),
        ("server_error", Ambiguous("internal_server_error", "")),
        ("bad_gateway", Ambiguous("http_502", "")),
        ("too_many", Transient("rate_limit_exceeded", "", is_rate=True)),
    ],
)
def test_each_error_has_its_class(sim: ResendSimulator, fault: str, expected: Result) -> None:
    sim.fault(fault)
    answer = one(sim)
    assert not isinstance(answer, Accepted)
    assert answer.reason
    assert replace(answer, reason="") == expected
    assert sim.count == 0


def test_a_sender_of_the_apps_own_that_is_not_verified_closes_the_account_to_nobody(sim: ResendSimulator) -> None:
    sim.fault("test_mode")
    assert isinstance(sent(sim.url, email(sender="Outra <oi@other.example>"))[0], Permanent)
    sim.fault("test_mode")
    assert isinstance(sent(sim.url, email(sender=SENDER))[0], ChannelDown)


def test_a_message_that_is_tried_again_has_a_tag_of_its_own() -> None:
    first, again = email(), replace(email(), key=f"{email().key}:R2")
    assert (tag(first), tag(again)) == ("7", "7-2")


def test_a_wrong_address_of_the_api_stops_the_channel_and_no_message_is_given_up(sim: ResendSimulator) -> None:
    assert isinstance(sent(f"{sim.url}/v1", email())[0], ChannelDown)


def test_the_providers_wish_is_kept(sim: ResendSimulator) -> None:
    sim.fault("too_many", retry_after=7)
    answer = one(sim)
    assert isinstance(answer, Transient)
    assert (answer.after, answer.channel) == (dt.timedelta(seconds=7), False)


def test_a_real_limit_answers_with_its_own_headers(sim: ResendSimulator) -> None:
    sim.settings(requests_per_second=1)
    answers = sent(sim.url, email(1), email(2))
    assert isinstance(answers[0], Accepted)
    assert isinstance(answers[1], Transient)
    assert answers[1].after == dt.timedelta(seconds=1)
    assert sim.state()["refused_by_limit"] == 1


def test_an_email_whose_answer_is_lost_is_repeated_under_its_key_and_goes_out_once(sim: ResendSimulator) -> None:
    sim.fault("cut", recorded=True)
    lost, repeated, again = sent(sim.url, email(), email(), email())
    assert isinstance(lost, Ambiguous)
    (mail,) = sim.sent
    assert repeated == again == Accepted(mail["id"])


def test_a_connection_cut_before_anything_was_recorded_is_ambiguous_too(sim: ResendSimulator) -> None:
    sim.fault("cut")
    lost, repeated = sent(sim.url, email(), email())
    assert isinstance(lost, Ambiguous)
    assert isinstance(repeated, Accepted)
    assert sim.count == 1


def test_no_answer_in_time_is_ambiguous_and_the_email_goes_out_once(sim: ResendSimulator) -> None:
    sim.fault("hang", recorded=True)
    assert isinstance(one(sim, seconds=1), Ambiguous)
    for _ in range(200):
        if isinstance(answer := one(sim), Accepted):
            break
        # The stand-in has not yet noticed that nobody waits any more.
        assert isinstance(answer, Transient)
        time.sleep(0.02)
    assert answer == Accepted(sim.sent[0]["id"])
    assert sim.count == 1


def test_a_key_with_another_body_tells_nothing_and_nothing_is_sent(sim: ResendSimulator) -> None:
    _, changed = sent(sim.url, email(), email(subject="Outra"))
    assert isinstance(changed, Ambiguous) and not changed.may_repeat
    assert changed.code == "invalid_idempotent_request"
    assert sim.count == 1


@pytest.mark.parametrize("url", [closed_port(), "http://resend.invalid"], ids=["nobody listens", "no such name"])
def test_a_service_that_cannot_be_reached_got_nothing(url: str) -> None:
    answer = sent(url, email())[0]
    assert isinstance(answer, Transient)
    assert answer.channel


def test_no_reason_repeats_an_address_or_the_key(sim: ResendSimulator) -> None:
    sim.fault("invalid", text="ana@example.org and Bearer re_secret are wrong")
    answer = one(sim)
    assert isinstance(answer, Permanent)
    assert "ana@" not in answer.reason and "re_secret" not in answer.reason


def test_a_turn_is_given_back_once_the_request_has_left_and_answers_are_awaited_side_by_side(
    sim: ResendSimulator,
) -> None:
    sim.fault("hang", times=10)
    pacer = CountingPacer()

    async def work(client: httpx.AsyncClient) -> None:
        sender = resend(sim.url, client, pacer=pacer)
        sending = [asyncio.create_task(sender.send(email(id))) for id in range(1, 11)]
        async with asyncio.timeout(30):
            while pacer.told < len(sending) or pacer.held:
                await asyncio.sleep(0.005)
        assert not any(task.done() for task in sending)
        for task in sending:
            task.cancel()

    calling(work)
    assert pacer.granted == pacer.told == 10


def _lost_yesterday(sim: ResendSimulator, envelope: Envelope) -> Envelope:
    """An e-mail that went out, of which we know nothing, and whose key the provider has forgotten."""
    sim.fault("cut", recorded=True)
    asked = dt.datetime.now(dt.UTC)
    assert isinstance(one(sim, envelope), Ambiguous)
    sim.advance(dt.timedelta(hours=25))
    return replace(envelope, first_called_at=asked)


def _found(sim: ResendSimulator, envelope: Envelope) -> Accepted | None:
    return calling(lambda client: resend(sim.url, client).look_up(envelope))


def test_a_lost_email_is_found_again_by_its_tag_among_others_of_the_same_words(sim: ResendSimulator) -> None:
    sent(sim.url, email(1), email(2))
    lost = _lost_yesterday(sim, email(3))
    # More than a page of others since.
    post = msgspec.json.encode(
        [{"from": SENDER, "to": "b@example.org", "subject": "Sua sessão", "text": "x"} for _ in range(100)]
    )
    httpx.post(f"{sim.url}/emails/batch", content=post, headers={"Authorization": "Bearer x"}).raise_for_status()
    assert _found(sim, lost) == Accepted(sim.sent[2]["id"])


def test_an_email_that_never_went_out_is_not_found_in_its_twins(sim: ResendSimulator) -> None:
    lost = _lost_yesterday(sim, email(1))
    assert _found(sim, replace(lost, id=2, key="another")) is None


def test_what_was_sent_before_the_first_call_is_somebody_elses(sim: ResendSimulator) -> None:
    lost = _lost_yesterday(sim, email(1))
    assert lost.first_called_at is not None
    assert _found(sim, replace(lost, first_called_at=lost.first_called_at + dt.timedelta(hours=1))) is None


def test_a_look_up_that_fails_finds_nothing(sim: ResendSimulator) -> None:
    lost = _lost_yesterday(sim, email(1))
    sim.fault("server_error")
    assert _found(sim, lost) is None
