"""The dispatcher's loop: when it ends, what it holds in hand, and that nothing which breaks costs a message."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest

from fisio_ayida.messaging import lane as lanes
from fisio_ayida.messaging import service, tidying
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.dispatcher import Tally
from fisio_ayida.messaging.model import Accepted, Ambiguous, Channel, Envelope, Healthy, Result, Unhealthy
from fisio_ayida.messaging.outcomes import FIRST_LOOK
from fisio_ayida.settings import Settings
from fisio_ayida_tests.messaging.lab import MORNING, Lab
from fisio_ayida_tests.messaging.rows import broken_lane
from fisio_ayida_tests.messaging.scripted import Scripted, accepted, always

LONG = dt.timedelta(seconds=30)
OTHERS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> %s"


def run(lab: Lab, most: dt.timedelta | None = None, **changes: Any) -> Tally:
    """A dispatcher that is not quite the lab's."""
    return asyncio.run(dispatch(replace(lab.dispatcher(), **changes), most=most))


def sent(lab: Lab) -> Counter[str]:
    """Messages by state, without those that tell of trouble."""
    query = "select state, count(*) from messaging.messages where job <> 'circuits' group by 1"
    return Counter(dict(lab.conn.execute(query).fetchall()))


# --- when it ends


def test_it_ends_when_there_is_nothing_to_do(lab: Lab) -> None:
    assert lab.dispatch() == Tally()


def test_it_leaves_for_later_what_is_due_later(lab: Lab) -> None:
    lab.plan(lab.direct(due_at=lab.moment + dt.timedelta(seconds=6)))
    assert lab.dispatch().total() == 0


def test_it_waits_for_what_will_soon_be_due(lab: Lab) -> None:
    lab.plan(lab.direct("now:1"), lab.direct("soon:1", due_at=lab.moment + dt.timedelta(seconds=0.3)))
    start = time.monotonic()
    tally = run(lab, now=lambda: MORNING + dt.timedelta(seconds=time.monotonic() - start))
    assert tally.total("accepted") == 2


def test_it_ends_in_time_and_leaves_the_rest_as_it_was(lab: Lab) -> None:
    lab.senders["whatsapp"] = sender = Scripted(seconds=0.02)
    lab.in_flight = 2
    lab.crowd("org-a", 5000)
    tally = lab.dispatch(most=dt.timedelta(seconds=0.3))
    assert 0 < len(sender.calls) == tally.total("accepted") < 5000
    assert sent(lab) == {"accepted": len(sender.calls), "planned": 5000 - len(sender.calls)}


def test_it_tells_what_it_did(lab: Lab) -> None:
    lab.visit()
    lab.remind()
    lab.remind(channel="email")
    lab.plan(lab.direct(to="nobody"), lab.direct("direct:2"))
    tally = lab.dispatch()
    assert tally.sent == {("whatsapp", "accepted"): 1, ("email", "accepted"): 2}
    assert tally.stopped == {("skipped", "address_invalid"): 1}


# --- what it has in hand


@pytest.mark.parametrize(("in_flight", "rate", "most"), [(4, 0.0, 4), (8, 1.0, 5), (8, 0.1, 1)])
def test_it_never_has_more_in_hand_than_it_may(lab: Lab, in_flight: int, rate: float, most: int) -> None:
    claimed = list[int]()

    def answer(envelope: Envelope) -> Result:
        claimed.append(lab.value("select count(*) from messaging.messages where state = 'claimed'"))
        return accepted(envelope)

    lab.in_flight, lab.rates = in_flight, {"whatsapp": rate}
    lab.senders["whatsapp"] = sender = Scripted(answer=answer, seconds=0.001)
    lab.crowd("org-a", 30)
    lab.crowd("org-b", 10)
    lab.dispatch()
    assert sent(lab) == {"accepted": 40}
    assert max(claimed) == sender.most_at_once == most


def test_what_is_in_hand_has_its_turn_before_its_lease_ends() -> None:
    slow = {"EVOLUTION_API_KEY": "k", "EVOLUTION_REQUESTS_PER_SECOND": "0.01", "MESSAGING_TIMEOUT_SECONDS": "30"}
    assert service.lease(Settings.load(slow)) > dt.timedelta(seconds=100 + 2 * 30)


# --- a channel is nobody else's matter


@dataclass(slots=True)
class Meeting(Scripted):
    """Its calls end when another channel has been called, too."""

    met: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))

    async def send(self, envelope: Envelope) -> Result:
        """Wait for the other one."""
        await asyncio.to_thread(self.met.wait, 60)
        return await Scripted.send(self, envelope)


def test_channels_are_called_at_the_same_time(lab: Lab) -> None:
    met = threading.Barrier(2)
    lab.senders["whatsapp"], lab.senders["email"] = Meeting(met=met), Meeting("email", provider="mail", met=met)
    lab.visit()
    lab.remind()
    lab.remind(channel="email")
    assert lab.dispatch().total("accepted") == 2


@dataclass(slots=True)
class Broken(Scripted):
    """A channel with a fault of ours."""

    where: str = "send"

    async def send(self, envelope: Envelope) -> Result:
        """Raise, if that is where."""
        if self.where == "send":
            raise ZeroDivisionError("+55 11 98765-4321")
        return await Scripted.send(self, envelope)

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Raise, if that is where."""
        if self.where == "look_up":
            raise ZeroDivisionError("+55 11 98765-4321")
        return None

    async def health(self, account: str) -> Healthy | Unhealthy:
        """Raise, if that is where."""
        if self.where == "health":
            raise ZeroDivisionError("+55 11 98765-4321")
        return Healthy()


@pytest.mark.parametrize("where", ["send", "look_up", "health"])
def test_a_fault_in_a_channel_is_its_own(lab: Lab, where: str, caplog: pytest.LogCaptureFixture) -> None:
    lab.visit("visit-1", "2026-03-14T14:00")
    lab.senders["whatsapp"] = Broken(answer=always(Ambiguous("x", "y")), can_look_up=True, where=where)
    planned = lab.remind()
    lab.plan(lab.direct())
    lab.dispatch()
    lab.pass_time(minutes=2)
    lab.plan(lab.direct("direct:2"))
    lab.dispatch()
    assert (
        lab.value("select count(*) from messaging.messages where key like 'direct:%%' and state = 'accepted'") == 2
    )
    assert lab.message(planned.id)["state"] == ("planned" if where == "health" else "unknown")
    assert lab.message(planned.id)["error_code"] == {"send": "fault", "look_up": "x", "health": None}[where]
    assert "98765" not in caplog.text


def test_a_lane_that_breaks_holds_up_no_other_and_is_told(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    lab.visit()
    lab.remind()
    lab.crowd("org-a", 3)
    lab.plan(lab.direct())
    with broken_lane(lab, "whatsapp"):
        tally = run(lab, LONG)
    assert tally.sent == {("email", "accepted"): 1}
    [(fault, times)] = tally.faults.items()
    assert fault.startswith("lane whatsapp: NumericValueOutOfRange at claims.py:") and times == 1
    assert fault in caplog.text and "out of range" not in caplog.text
    assert lab.dispatch(most=LONG).total("accepted") == 4


def test_what_belongs_to_no_lane_breaks_apart(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(tidying.fallback, "plan_fallbacks", broken)
    lab.plan(lab.direct())
    tally = run(lab, LONG)
    assert tally.total("accepted") == 1
    assert [fault.split(" at ")[0] for fault in tally.faults] == ["other channels: ZeroDivisionError"]


@dataclass(slots=True)
class Thinking(Scripted):
    """It answers what became of a message when another channel has been called, or never."""

    other: Scripted | None = None

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Wait for the other one, for as long as any test may take."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.other is not None and self.other.calls:
                return Accepted("wamid.9")
            await asyncio.sleep(0.01)
        return None


def thinking(lab: Lab, other: Scripted | None) -> int:
    """A message of which only a provider that thinks long knows what became; another channel has something due."""
    lab.visit("visit-1", "2026-03-14T14:00")
    lab.senders["whatsapp"] = Thinking(answer=always(Ambiguous("x", "y")), can_look_up=True, other=other)
    planned = lab.remind()
    lab.call()
    lab.moment += FIRST_LOOK
    lab.plan(lab.direct())
    return planned.id


def test_a_provider_that_thinks_long_of_the_past_holds_up_nobody(lab: Lab) -> None:
    lab.senders["email"] = mail = Scripted("email", provider="mail")
    id = thinking(lab, mail)
    assert lab.dispatch(most=LONG).looked_up == 1
    assert lab.message(id)["state"] == "accepted"


def test_a_provider_that_never_answers_is_not_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "PATIENCE", dt.timedelta(seconds=0.1))
    id, start = thinking(lab, None), time.monotonic()
    tally = lab.dispatch(most=LONG)
    assert (tally.looked_up, tally.total("accepted"), lab.message(id)["state"]) == (1, 1, "unknown")
    assert time.monotonic() - start < 50


def test_a_lane_in_which_nothing_is_due_is_left_alone_while_another_is_busy(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = Counter[Channel]()

    def counted(conn: Any, lane: Any, *args: Any, **kwargs: Any) -> Any:
        claims[lane.channel] += 1
        return claim(conn, lane, *args, **kwargs)

    claim = lanes.claim
    monkeypatch.setattr(lanes, "claim", counted)
    lab.in_flight = 1
    lab.senders["whatsapp"] = Scripted(seconds=0.01)
    lab.crowd("org-a", 30)
    lab.plan(lab.direct(due_at=lab.moment + dt.timedelta(hours=1)))
    lab.dispatch()
    assert claims["whatsapp"] >= 30
    assert claims["email"] <= 15


# --- several of them


def test_several_dispatchers_share_the_work_and_no_message(lab: Lab) -> None:
    for number in range(6):
        lab.crowd(f"org-{number}", 25)
    senders = [Scripted(seconds=0.001) for _ in range(3)]
    equipment = [
        replace(lab.dispatcher(f"run-{n}"), senders=lab.senders | {"whatsapp": sender})
        for n, sender in enumerate(senders)
    ]
    tallies = list[Tally]()
    threads = [
        threading.Thread(target=lambda own=each: tallies.append(asyncio.run(dispatch(own)))) for each in equipment
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls = [call.id for sender in senders for call in sender.calls]
    assert len(calls) == len(set(calls)) == 150 == sum(tally.total("accepted") for tally in tallies)
    assert sent(lab) == {"accepted": 150}


# --- a database that goes away


def test_a_lost_connection_costs_no_message_and_doubles_none(lab: Lab) -> None:
    own = lab.value("select pg_backend_pid()")

    def answer(envelope: Envelope) -> Result:
        if envelope.id % 5 == 0:
            lab.conn.execute(OTHERS, [own])
        return accepted(envelope)

    # One at a time: nothing is under way in the database while the provider is called.
    lab.in_flight = 1
    lab.senders["whatsapp"] = sender = Scripted(answer=answer)
    lab.crowd("org-a", 20)
    lab.dispatch()
    assert sent(lab) == {"accepted": 20}
    assert len(sender.calls) == 20


@contextmanager
def dying(lab: Lab, state: str, times: int) -> Iterator[None]:
    """The server ends the connection in the middle of the transaction that brings messages to this state."""
    lab.conn.execute(f"""
        create sequence public.deaths;
        create function public.die() returns trigger language plpgsql as $$ begin
          if nextval('public.deaths') <= {times} then
            perform pg_terminate_backend(pg_backend_pid());
            perform pg_sleep(60);
          end if;
          return new;
        end $$;
        create trigger die before update on messaging.messages for each row
          when (new.state = '{state}' and old.state <> '{state}') execute function public.die()
    """)
    try:
        yield
    finally:
        lab.conn.execute("drop function public.die cascade; drop sequence public.deaths")


@pytest.mark.parametrize("state", ["claimed", "accepted"])
def test_what_a_dying_connection_leaves_half_done_is_done_again(lab: Lab, state: str) -> None:
    lab.senders["whatsapp"] = sender = Scripted()
    lab.crowd("org-a", 10)
    with dying(lab, state, 3):
        lab.dispatch()
    assert sent(lab) == {"accepted": 10}
    assert len(sender.calls) == 10
    assert lab.value("select max(attempt) from messaging.messages") == 1


def test_a_database_that_stays_away_ends_it_when_its_calls_have_ended(lab: Lab) -> None:
    own, is_gone = lab.value("select pg_backend_pid()"), threading.Event()

    def connect() -> psycopg.Connection[Any]:
        if is_gone.is_set():
            raise psycopg.OperationalError("it is gone")
        return lab.warehouse.connect(autocommit=True)

    def answer(envelope: Envelope) -> Result:
        is_gone.set()
        lab.conn.execute(OTHERS, [own])
        return accepted(envelope)

    lab.in_flight = 4
    lab.senders["whatsapp"] = sender = Scripted(answer=answer, seconds=0.05)
    lab.crowd("org-a", 10)
    with pytest.raises(psycopg.OperationalError):
        run(lab, connect=connect)
    assert sender.under_way == 0
    assert sent(lab) == {"claimed": len(sender.calls), "planned": 10 - len(sender.calls)}
    # Nobody can tell what became of them, and nobody sends them again.
    lab.pass_time(minutes=5)
    lab.senders["whatsapp"] = again = Scripted()
    lab.dispatch()
    assert sent(lab) == {"unknown": len(sender.calls), "accepted": 10 - len(sender.calls)}
    assert not {call.id for call in sender.calls} & {call.id for call in again.calls}
