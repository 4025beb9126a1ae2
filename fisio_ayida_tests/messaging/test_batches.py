"""Many marketing e-mails in one call: each arrives once, also when an answer is lost or a batch is refused."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from fisio_ayida.messaging import preferences
from fisio_ayida.messaging.channels.calling import http_client
from fisio_ayida.messaging.channels.resend import ResendSender
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.dispatcher import Tally
from fisio_ayida.messaging.model import Draft, Permanent, Transient
from fisio_ayida.simulators.resend import ResendSimulator
from fisio_ayida_tests.messaging.lab import CLINIC, FROM, Lab
from fisio_ayida_tests.messaging.senders import calling, email, resend


@pytest.fixture(scope="module")
def running() -> Iterator[ResendSimulator]:
    with ResendSimulator() as simulator:
        yield simulator


@pytest.fixture
def sim(running: ResendSimulator, lab: Lab) -> ResendSimulator:
    """The stand-in on its first day, and a clinic that may write to everybody."""
    running.well()
    running.forget()
    lab.policy(marketing_basis="legitimate_interest")
    return running


def greetings(lab: Lab, patients: int) -> None:
    """A birthday greeting for each of so many patients."""
    for n in range(patients):
        lab.patient(f"p{n}", email=f"p{n}@example.com")
    lab.plan(*(greeting(f"p{n}") for n in range(patients)))


def greeting(patient: str) -> Draft:
    return Draft(
        key=f"birthday:{patient}:2026:email", job="test", channel="email", category="marketing",
        organization_id=CLINIC, patient_id=patient, template="birthday",
        variables={"nome": "Ana", "clinica": "Clínica São João"},
    )  # fmt: skip


def send(lab: Lab, sim: ResendSimulator) -> Tally:
    """Dispatch through the real channel; the lab's clock stands still, so waiting for a moment would last."""

    async def run() -> Tally:
        async with http_client(8) as client:
            lab.senders["email"] = ResendSender(
                sim.url, SecretStr("key"), sender=FROM, client=client, pacer=None,
                timeout=dt.timedelta(seconds=5), now=lab.now,
            )  # fmt: skip
            return await dispatch(lab.dispatcher(), most=dt.timedelta(seconds=0.7))

    return asyncio.run(run())


def received(sim: ResendSimulator) -> Counter[str]:
    """How many e-mails each address got."""
    return Counter(address for mail in sim.sent for address in mail["to"])


def test_marketing_shares_calls_and_a_reminder_goes_alone(lab: Lab, sim: ResendSimulator) -> None:
    greetings(lab, 130)
    lab.visit()
    lab.remind(channel="email")
    send(lab, sim)
    assert set(received(sim).values()) == {1} and len(received(sim)) == 131
    assert sim.state()["requests"] == 3
    assert lab.states() == {"accepted": 131}
    assert lab.value("select count(distinct provider_id) from messaging.messages") == 131


def test_a_batch_whose_answer_was_lost_is_repeated_whole_and_arrives_once(lab: Lab, sim: ResendSimulator) -> None:
    greetings(lab, 30)
    sim.fault("cut", recorded=True)
    send(lab, sim)
    assert lab.states() == {"retry": 30} and lab.value("select count(batch_id) from messaging.messages") == 30
    lab.pass_time(minutes=2)
    send(lab, sim)
    assert lab.states() == {"accepted": 30}
    assert set(received(sim).values()) == {1} and len(received(sim)) == 30
    assert lab.value("select count(batch_id) from messaging.messages") == 0


def test_a_batch_that_can_no_longer_be_whole_is_never_sent_in_another_form(lab: Lab, sim: ResendSimulator) -> None:
    greetings(lab, 20)
    sim.fault("cut", recorded=True)
    send(lab, sim)
    preferences.record(
        lab.conn, organization_id=CLINIC, patient_id="p7", channel="email", category="all", allowed=False,
        source="form", evidence="test", at=lab.moment,
    )  # fmt: skip
    lab.pass_time(minutes=2)
    send(lab, sim)
    assert lab.states() == {"unknown": 20}
    lab.pass_time(minutes=3)
    send(lab, sim)
    assert lab.states() == {"accepted": 20}, "the provider's records tell"
    assert set(received(sim).values()) == {1}


def test_a_refused_batch_goes_one_by_one(lab: Lab, sim: ResendSimulator) -> None:
    greetings(lab, 10)
    sim.fault("invalid")
    send(lab, sim)
    lab.pass_time(seconds=5)
    send(lab, sim)
    assert lab.states() == {"accepted": 10}
    assert set(received(sim).values()) == {1} and sim.state()["requests"] == 11


def test_a_batch_that_is_refused_at_its_repetition_goes_one_by_one(lab: Lab, sim: ResendSimulator) -> None:
    greetings(lab, 10)
    sim.fault("bad_gateway")
    send(lab, sim)
    assert lab.states() == {"retry": 10} and lab.value("select count(batch_id) from messaging.messages") == 10
    sim.fault("invalid")
    lab.pass_time(seconds=5)
    send(lab, sim)
    lab.pass_time(seconds=5)
    send(lab, sim)
    assert lab.states() == {"accepted": 10}
    assert set(received(sim).values()) == {1} and sim.state()["requests"] == 12


def test_a_batch_that_is_known_with_others_in_it_is_left_unknown(lab: Lab, sim: ResendSimulator) -> None:
    greetings(lab, 5)
    sim.fault("other_body")
    send(lab, sim)
    assert lab.states() == {"unknown": 5} and sim.state()["requests"] == 1


def test_a_rate_limit_on_a_batch_uses_up_nothing(lab: Lab, sim: ResendSimulator) -> None:
    greetings(lab, 10)
    sim.fault("too_many", retry_after=3)
    send(lab, sim)
    lab.pass_time(seconds=10)
    send(lab, sim)
    assert lab.states() == {"accepted": 10}
    assert lab.value("select max(failures) from messaging.messages") == 0 and sim.state()["requests"] == 2


def test_a_lost_batch_closes_no_way_by_itself(lab: Lab, sim: ResendSimulator) -> None:
    greetings(lab, 50)
    sim.fault("bad_gateway")
    send(lab, sim)
    assert lab.value("select count(*) from messaging.circuits where open_until is not null") == 0


def test_one_that_can_be_no_email_does_not_take_the_others_with_it(sim: ResendSimulator) -> None:
    bad = email(2, subject="Oi\r\nBcc: x@example.org")
    results = calling(lambda client: resend(sim.url, client).send_batch("batch:1", [email(1), bad, email(3)]))
    assert [type(result) for result in results] == [Transient, Permanent, Transient]
    assert sim.state()["requests"] == 0
