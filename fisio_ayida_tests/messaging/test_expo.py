"""Push messages through Expo: tickets, receipts, and whose fault an error is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fisio_ayida.messaging.model import Accepted, Ambiguous, ChannelDown, Permanent, Result, Transient
from fisio_ayida.simulators.expo import ExpoConfig, ExpoSimulator
from fisio_ayida_tests.messaging.senders import DEVICE, calling, closed_port, email, expo, push, pushed


@pytest.fixture(scope="module")
def running() -> Iterator[ExpoSimulator]:
    with ExpoSimulator(ExpoConfig(access_token="secret")) as simulator:  # noqa: S106
        yield simulator


@pytest.fixture
def sim(running: ExpoSimulator) -> ExpoSimulator:
    """The module's stand-in, as on its first day."""
    running.well()
    running.forget()
    return running


def test_a_message_arrives_with_our_key_by_which_the_app_drops_repeats(sim: ExpoSimulator) -> None:
    (answer,) = pushed(sim.url, push(data={"screen": "agenda", "message_key": "theirs"}))
    (message,) = sim.sent
    assert answer == Accepted(message["id"])
    assert (message["to"], message["title"], message["body"]) == (DEVICE, "Sua sessão", "Amanhã às 9h")
    assert message["data"] == {"screen": "agenda", "message_key": push().key}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("DeviceNotRegistered", Permanent("DeviceNotRegistered", "", suppress="device_not_registered")),
        ("MessageTooBig", Permanent("MessageTooBig", "")),
        ("MessageRateExceeded", Transient("MessageRateExceeded", "", is_rate=True)),
        ("MismatchSenderId", Permanent("MismatchSenderId", "", channel=True)),
        ("InvalidCredentials", ChannelDown("InvalidCredentials", "")),
        ("SomethingNew", Permanent("SomethingNew", "")),
    ],
)
def test_each_error_of_a_ticket_has_its_class(sim: ExpoSimulator, error: str, expected: Result) -> None:
    sim.refuse(DEVICE, error)
    (answer,) = pushed(sim.url, push())
    assert not isinstance(answer, Accepted)
    assert DEVICE not in answer.reason
    assert replace(answer, reason="") == expected
    assert sim.sent == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("unauthorized", ChannelDown("UNAUTHORIZED", "")),
        ("invalid", Permanent("VALIDATION_ERROR", "")),
        ("server_error", Ambiguous("INTERNAL_SERVER_ERROR", "")),
        ("bad_gateway", Ambiguous("http_502", "")),
        ("too_many", Transient("TOO_MANY_REQUESTS", "", is_rate=True)),
    ],
)
def test_each_error_of_a_call_has_its_class(sim: ExpoSimulator, fault: str, expected: Result) -> None:
    sim.fault(fault)
    (answer,) = pushed(sim.url, push())
    assert not isinstance(answer, Accepted)
    assert replace(answer, reason="") == expected


def test_the_providers_wish_is_kept(sim: ExpoSimulator) -> None:
    sim.fault("too_many", retry_after=5)
    (answer,) = pushed(sim.url, push())
    assert isinstance(answer, Transient)
    assert answer.after == dt.timedelta(seconds=5)


def test_a_wrong_address_of_the_api_stops_the_channel(sim: ExpoSimulator) -> None:
    assert isinstance(pushed(f"{sim.url}/v2", push())[0], ChannelDown)


def test_a_lost_answer_leaves_the_outcome_open(sim: ExpoSimulator) -> None:
    sim.fault("cut", recorded=True)
    assert isinstance(pushed(sim.url, push())[0], Ambiguous)
    assert len(sim.sent) == 1


def test_no_answer_in_time_leaves_the_outcome_open(sim: ExpoSimulator) -> None:
    sim.fault("hang", recorded=True)
    assert isinstance(pushed(sim.url, push(), seconds=1)[0], Ambiguous)


def test_nobody_listening_is_certainly_not_sent() -> None:
    answer = pushed(closed_port(), push())[0]
    assert isinstance(answer, Transient)
    assert answer.channel


def test_what_no_device_can_get_is_refused_before_any_call(sim: ExpoSimulator) -> None:
    answers = pushed(
        sim.url,
        push(to="fcm:abc"),
        push(to="ExponentPushToken["),
        push(body="x" * 4096),
        push(data={"when": object()}),
        email(),
    )
    assert [type(answer) for answer in answers] == [Permanent] * 5
    assert sim.state()["requests"] == 0


def test_receipts_come_later_and_tell_of_devices_that_are_gone(sim: ExpoSimulator) -> None:
    gone = "ExpoPushToken[gone]"
    sim.lose(gone)
    tickets = [
        answer.provider_id for answer in pushed(sim.url, push(1), push(2, to=gone)) if isinstance(answer, Accepted)
    ]

    def receipts() -> dict[str, str]:
        return dict(calling(lambda client: expo(sim.url, client).receipts([*tickets, "unknown"])))

    assert receipts() == {}
    sim.advance(dt.timedelta(minutes=16))
    assert receipts() == {tickets[0]: "ok", tickets[1]: "DeviceNotRegistered"}


def test_more_receipts_than_one_call_may_ask_for_are_asked_for_in_several(sim: ExpoSimulator) -> None:
    (answer,) = pushed(sim.url, push())
    assert isinstance(answer, Accepted)
    sim.advance(dt.timedelta(minutes=16))
    before = sim.state()["requests"]
    ids = [*(f"unknown-{number}" for number in range(1000)), answer.provider_id]
    assert calling(lambda client: expo(sim.url, client).receipts(ids)) == {answer.provider_id: "ok"}
    assert sim.state()["requests"] == before + 2


def test_receipts_that_cannot_be_had_are_asked_for_again_another_time(sim: ExpoSimulator) -> None:
    sim.fault("server_error")
    assert calling(lambda client: expo(sim.url, client).receipts(["a"])) == {}
