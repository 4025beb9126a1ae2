"""Bad days, each caused by a stand-in, through the real dispatcher and real channels: nothing is sent twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from fisio_ayida.messaging import dispatch as loop
from fisio_ayida.messaging import inbound
from fisio_ayida.messaging.model import Draft, EmailContent
from fisio_ayida.messaging.reports.reading import Inbound
from fisio_ayida.simulators.evolution import EvolutionConfig, EvolutionSimulator
from fisio_ayida.simulators.resend import ResendSimulator
from fisio_ayida_tests.messaging.lab import Lab
from fisio_ayida_tests.messaging.street import INSTANCES, MAIL, NUMBER, ProviderName, StandIns, Street, stand_ins

SHORT = dt.timedelta(seconds=0.3)
ALL: tuple[ProviderName, ...] = ("resend", "evolution", "meta", "expo")


@pytest.fixture(scope="module")
def providers() -> Iterator[StandIns]:
    with stand_ins() as found:
        yield found


@pytest.fixture
def street(lab: Lab, providers: StandIns, monkeypatch: pytest.MonkeyPatch) -> Street:
    """Everything works. A run ends when nothing is due at this moment: the clock stands while it runs."""
    providers.forget()
    monkeypatch.setattr(loop, "LINGER", dt.timedelta(0))
    return Street(lab, providers)


@pytest.mark.parametrize("provider", ALL)
def test_401_closes_the_way_and_the_message_goes_once_when_it_is_open_again(
    street: Street, provider: ProviderName
) -> None:
    id = street.plan(provider)
    street.providers.of(provider).fault("unauthorized")
    street.dispatch()
    assert street.state(id) == "retry"
    assert street.lab.value("select count(*) from messaging.circuits where open_until is not null") == 1
    street.dispatch_after(seconds=10)
    assert street.sent(provider) == 0
    street.dispatch_after(seconds=25)
    assert (street.state(id), street.sent(provider)) == ("accepted", 1)


@pytest.mark.parametrize("provider", ALL)
def test_429_with_a_wish_is_heeded_and_uses_up_nothing(street: Street, provider: ProviderName) -> None:
    id = street.plan(provider)
    street.providers.of(provider).fault("too_many", retry_after=7, times=3)
    street.dispatch()
    for _ in range(2):
        assert street.dispatch_after(seconds=6).total() == 0
        assert street.dispatch_after(seconds=2).total() == 1
    street.dispatch_after(seconds=8)
    assert (street.state(id), street.sent(provider)) == ("accepted", 1)
    assert street.lab.message(id)["failures"] == 0


@pytest.mark.parametrize("provider", ALL)
def test_429_without_a_wish_is_tried_again_soon(street: Street, provider: ProviderName) -> None:
    id = street.plan(provider)
    street.providers.of(provider).fault("too_many")
    street.dispatch()
    assert street.state(id) == "retry"
    street.dispatch_after(seconds=31)
    assert (street.state(id), street.sent(provider)) == ("accepted", 1)


# Provider, fault, whether the message had gone out by then, how it ends, and how often it reached its person.
LOST: list[tuple[ProviderName, str, bool, str, int]] = [
    ("resend", "server_error", False, "accepted", 1),
    ("resend", "server_error", True, "accepted", 1),
    ("resend", "bad_gateway", True, "accepted", 1),
    ("resend", "cut", True, "accepted", 1),
    ("resend", "hang", True, "accepted", 1),
    ("resend", "hang", False, "accepted", 1),
    # Evolution raises its 500 before the message leaves.
    ("evolution", "server_error", False, "accepted", 1),
    ("evolution", "exception", True, "accepted", 1),
    ("evolution", "bad_gateway", True, "accepted", 1),
    ("evolution", "bad_gateway", False, "unknown", 0),
    ("evolution", "hang", True, "accepted", 1),
    ("evolution", "hang", False, "unknown", 0),
    ("meta", "server_error", False, "unknown", 0),
    ("meta", "bad_gateway", True, "unknown", 1),
    ("meta", "hang", True, "unknown", 1),
    ("expo", "server_error", False, "unknown", 0),
    ("expo", "bad_gateway", True, "unknown", 1),
    ("expo", "hang", True, "unknown", 1),
]


@pytest.mark.parametrize(("provider", "fault", "recorded", "ends", "times"), LOST)
def test_a_lost_answer_sends_nothing_twice(
    street: Street, provider: ProviderName, fault: str, recorded: bool, ends: str, times: int
) -> None:
    id = street.plan(provider)
    street.providers.of(provider).fault(fault, recorded=recorded)
    if fault == "hang":
        street.timeout = SHORT
    street.dispatch()
    assert street.state(id) in ("retry", "unknown")
    street.timeout = dt.timedelta(seconds=20)
    # A repeat, or the look-ups of an hour and a half.
    for minutes in (1, 2, 5, 20, 90):
        street.dispatch_after(minutes=minutes)
    assert (street.state(id), street.sent(provider)) == (ends, times)


@pytest.mark.parametrize("provider", ["resend", "evolution"])
def test_a_provider_that_is_down_for_an_hour_gets_each_message_once_when_it_is_back(
    street: Street, provider: ProviderName
) -> None:
    with ResendSimulator() if provider == "resend" else EvolutionSimulator() as down:
        port = int(down.url.rpartition(":")[2])
    street.urls[provider] = down.url
    ids = [street.plan(provider, f"down-{nth}") for nth in range(12)]
    for _ in range(6):
        street.dispatch()
        assert {street.state(id) for id in ids} <= {"planned", "retry"}
        street.lab.pass_time(minutes=10)
    alerts = "select count(*) from messaging.messages where template = 'channel_alert'"
    assert street.lab.value(alerts) == 1
    back: Any = ResendSimulator(port=port) if provider == "resend" else EvolutionSimulator(EvolutionConfig(), port)
    with back:
        for _ in range(3):
            street.dispatch()
            street.lab.pass_time(minutes=10)
        texts = sorted(one["text"] for one in back.sent if one.get("to") != ["ops@example.com"])
    assert texts == sorted(f"down-{nth}" for nth in range(12))
    assert {street.state(id) for id in ids} == {"accepted"}


def test_two_patients_of_two_clinics_with_one_phone_are_written_to_and_heard_apart(street: Street) -> None:
    lab = street.lab
    lab.clinic("org-2", "Espaço Açaí", whatsapp_account=INSTANCES[1])
    lab.patient("patient-2", "org-2", "Bento Souza")
    start = lab.moment + dt.timedelta(days=2)
    for visit, patient, clinic in (("a", "patient-1", "org-1"), ("b", "patient-2", "org-2")):
        lab.visit(visit, f"{start:%Y-%m-%d}T14:00", patient, clinic)
        lab.remind(visit, heeds_quiet=False)
    street.dispatch()
    sent = {one["instance"]: one["text"] for one in street.providers.evolution.sent}
    assert {one["number"] for one in street.providers.evolution.sent} == {NUMBER}
    assert "Ana" in sent[INSTANCES[0]] and "Bento" in sent[INSTANCES[1]]

    said = Inbound(
        provider="evolution", account=INSTANCES[1], provider_id="in-1", sender=NUMBER, text="PARAR",
        quoted_id=next(one["id"] for one in street.providers.evolution.sent if one["instance"] == INSTANCES[1]),
    )  # fmt: skip
    inbound.store(
        lab.conn, [said], inbound.Desk(lab.hasher, lab.sealer, {"evolution": INSTANCES[0]}), now=lab.moment
    )
    again = [lab.remind(visit, heeds_quiet=False, key=f"again-{visit}").id for visit in ("a", "b")]
    street.dispatch()
    assert [street.state(id) for id in again] == ["accepted", "skipped"]


def test_tags_with_accents_are_such_as_the_provider_takes(street: Street) -> None:
    content = EmailContent(subject="Olá", text="Olá", tags={"clínica": "Clínica São João & Açaí", "mês": "março"})
    draft = Draft(key="tags", job="test", channel="email", category="direct", to=MAIL, content=content)
    id = street.lab.plan(draft)[0].id
    street.dispatch()
    assert street.state(id) == "accepted"
    tags = street.providers.resend.sent[0]["tags"]
    assert tags == {"clinica": "Clinica_Sao_Joao_Acai", "mes": "marco", "message": str(id)}


@pytest.mark.parametrize(
    "address", ["ana@example.com\r\nBcc: todos@example.com", "ana@example.com\n", "ana@\rexample.com"]
)
def test_an_address_with_a_line_break_is_never_called(street: Street, address: str) -> None:
    lab = street.lab
    lab.conn.execute("update clinic.patients set email = %s, phone = %s", [address, f"{NUMBER}\r\n+5521912345678"])
    lab.visit("a", f"{lab.moment + dt.timedelta(days=2):%Y-%m-%d}T14:00")
    ids = [lab.remind("a", channel, heeds_quiet=False).id for channel in ("email", "whatsapp")]
    direct = Draft(
        key="direct", job="test", channel="email", category="direct", to=address,
        content=EmailContent(subject="Olá", text="Olá"),
    )  # fmt: skip
    ids.append(lab.plan(direct)[0].id)
    street.dispatch()
    found = {(lab.message(id)["state"], lab.message(id)["reason"].partition(":")[0]) for id in ids}
    assert found == {("skipped", "address_invalid")}
    assert street.providers.resend.state()["requests"] == 0 and street.sent("evolution") == 0
