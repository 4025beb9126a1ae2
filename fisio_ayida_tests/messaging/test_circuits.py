"""Circuits: a way that keeps failing is closed for whom it fails, tried by one message, and told of once."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from dataclasses import dataclass, replace

import pytest

from fisio_ayida.messaging.circuits import (
    ALL,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    OF_ACCOUNT,
    OF_ORGANIZATION,
    TRIAL,
    Circuits,
    Way,
)
from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    ChannelDown,
    EmailContent,
    Envelope,
    Healthy,
    Permanent,
    Result,
    Transient,
    Unhealthy,
    WhatsappContent,
)
from fisio_ayida.messaging.outcomes import Ended
from fisio_ayida.messaging.picking import Lane
from fisio_ayida_tests.messaging.lab import Lab
from fisio_ayida_tests.messaging.scripted import Scripted, accepted

DOWN = Transient("503", "unavailable", channel=True)
WELL = Accepted("wamid.1")
LANE = Lane("whatsapp", "")


@dataclass(slots=True)
class Ways:
    """The circuits of one provider, and calls that end."""

    lab: Lab
    circuits: Circuits
    lane: Lane = LANE

    def note(self, *results: Result, organization: str = "org-1") -> list[str]:
        """Calls of this clinic have ended together."""
        ended = [Ended(envelope(organization), replace(result)) for result in results]
        with self.lab.conn.transaction():
            return self.circuits.note(self.lab.conn, self.lane, ended, now=self.lab.moment)

    def way(self) -> Way:
        """What may be sent now."""
        return self.circuits.way(self.lab.conn, self.lane, now=self.lab.moment)

    def close(self, organization: str = "org-1") -> None:
        """Enough failures of one clinic."""
        self.note(*[DOWN] * OF_ORGANIZATION, organization=organization)

    def close_all(self) -> None:
        """Enough failures of many clinics."""
        for number in range(OF_ACCOUNT):
            self.note(DOWN, organization=f"org-{number}")

    def until(self, organization: str = ALL) -> dt.datetime:
        """When the way is tried again."""
        query = "select open_until from messaging.circuits where organization_id = %s"
        found: dt.datetime = self.lab.value(query, organization)
        return found


@pytest.fixture
def ways(lab: Lab) -> Ways:
    """Nothing has failed yet."""
    return Ways(lab, Circuits("scripted", lab.outbox, lab.alerts_to))


def envelope(organization: str) -> Envelope:
    """A message of a clinic."""
    return Envelope(
        id=1, key="k", channel="whatsapp", account="fisioflow", organization_id=organization, to="5511987654321",
        content=WhatsappContent(text="Oi"),
    )  # fmt: skip


# --- counting


@pytest.mark.parametrize("result", [DOWN, Ambiguous("timeout", "no answer")])
def test_five_failures_in_a_row_close_it_for_a_clinic(ways: Ways, result: Result) -> None:
    for _ in range(OF_ORGANIZATION - 1):
        assert ways.note(result) == []
    assert ways.way() == Way()
    (line,) = ways.note(result)
    assert "for org-1 is closed" in line
    assert ways.way() == Way(organizations=frozenset({"org-1"}))


def test_ten_failures_in_a_row_close_it_for_all(ways: Ways) -> None:
    for number in range(OF_ACCOUNT - 1):
        ways.note(DOWN, organization=f"org-{number}")
    assert ways.way() == Way()
    ways.note(DOWN, organization="org-9")
    assert ways.way() == Way(closed=True)


@pytest.mark.parametrize("result", [ChannelDown("401", "wrong key"), ChannelDown("quota", "used up")])
def test_a_wrong_key_closes_it_for_all_at_once(ways: Ways, result: Result) -> None:
    assert len(ways.note(result)) == 1
    assert ways.way() == Way(closed=True)


@pytest.mark.parametrize(
    "result",
    [
        Transient("429", "slow down", is_rate=True),
        Transient("500", "an error of this message"),
        Permanent("400", "bad"),
        Permanent("not_a_token", "refused before any call", called=False),
    ],
)
def test_what_is_not_the_ways_fault_closes_nothing(ways: Ways, result: Result) -> None:
    ways.note(*[result] * 30)
    assert ways.way() == Way()


@pytest.mark.parametrize("result", [WELL, Permanent("400", "bad")])
def test_an_answer_begins_the_count_again(ways: Ways, result: Result) -> None:
    for _ in range(4):
        ways.note(*[DOWN] * (OF_ORGANIZATION - 1))
        ways.note(result)
    assert ways.way() == Way()


def test_what_was_refused_before_any_call_shows_nothing(ways: Ways) -> None:
    for _ in range(OF_ORGANIZATION):
        ways.note(DOWN)
        ways.note(Permanent("not_a_token", "refused before any call", called=False))
    assert ways.way().organizations == {"org-1"}


def test_one_foreign_token_closes_nothing_and_many_close_the_account(ways: Ways) -> None:
    foreign = Permanent("MismatchSenderId", "another project's", channel=True)
    ways.note(foreign)
    assert ways.way() == Way()
    for number in range(1, OF_ACCOUNT):
        ways.note(foreign, organization=f"org-{number}")
    assert ways.way() == Way(closed=True)


def test_what_failed_at_its_trial_is_not_the_next_trial(ways: Ways) -> None:
    lab, down = ways.lab, ChannelDown("401", "wrong sender")
    lab.visit()
    bad = lab.remind(key="reminder:bad", priority=30)
    good = lab.remind(key="reminder:good", priority=0)
    lab.senders["whatsapp"] = Scripted(answer=lambda each: down if each.id == bad.id else accepted(each))
    tried = []
    for _ in range(3):
        ended = lab.call(most=1)
        tried += [each.envelope.id for each in ended]
        with lab.conn.transaction():
            ways.circuits.note(lab.conn, ways.lane, ended, now=lab.moment)
        if ways.way() == Way():
            break
        lab.moment = ways.until()
        assert ways.way() == Way(trial=True)
    assert tried == [bad.id, bad.id, good.id]


def test_others_who_get_through_keep_it_open_for_all_but_not_for_the_clinic(ways: Ways) -> None:
    for _ in range(OF_ACCOUNT):
        ways.note(DOWN, organization="org-1")
        ways.note(WELL, organization="org-2")
    assert ways.way() == Way(organizations=frozenset({"org-1"}))


def test_messages_of_no_clinic_count_for_all_only(ways: Ways) -> None:
    ways.note(*[DOWN] * (OF_ACCOUNT - 1), organization="")
    assert ways.way() == Way()
    ways.note(DOWN, organization="")
    assert ways.way() == Way(closed=True)


def test_a_fault_of_the_way_is_no_clinics_own(ways: Ways) -> None:
    ways.close_all()
    ways.note(*[DOWN] * 20, organization="org-1")
    assert ways.lab.value("select count(*) from messaging.circuits where openings > 0") == 1


def test_other_accounts_and_providers_go_on(ways: Ways) -> None:
    ways.close_all()
    assert Ways(ways.lab, ways.circuits, Lane("whatsapp", "clinic-7")).way() == Way()
    assert Ways(ways.lab, Circuits("resend", ways.lab.outbox, None)).way() == Way()


# --- for how long


def test_pauses_double_up_to_a_limit(ways: Ways) -> None:
    ways.close_all()
    pauses = []
    for _ in range(8):
        pauses.append((ways.until() - ways.lab.moment).total_seconds())
        ways.lab.moment = ways.until()
        assert ways.way().trial
        ways.note(DOWN)
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]
    assert (FIRST_PAUSE.total_seconds(), LONGEST_PAUSE.total_seconds()) == (pauses[0], pauses[-1])


def test_calls_that_were_under_way_are_one_failure_of_the_way(ways: Ways) -> None:
    ways.close_all()
    until = ways.until()
    for _ in range(50):
        ways.lab.pass_time(milliseconds=50)
        assert ways.note(DOWN) == []
    assert ways.until() == until


def test_a_provider_who_knows_how_long_is_believed(ways: Ways) -> None:
    ways.note(ChannelDown("quota", "used up", dt.timedelta(hours=5)))
    assert ways.until() == ways.lab.moment + dt.timedelta(hours=5)


def test_a_provider_who_tells_later_how_long_is_believed_too(ways: Ways) -> None:
    ways.close_all()
    assert ways.note(ChannelDown("quota", "used up", dt.timedelta(hours=5))) == []
    assert ways.until() == ways.lab.moment + dt.timedelta(hours=5)


def test_after_a_success_pauses_are_short_again(ways: Ways) -> None:
    for _ in range(2):
        ways.close_all()
        assert ways.until() == ways.lab.moment + FIRST_PAUSE
        for _ in range(3):
            ways.lab.moment = ways.until()
            ways.way()
            ways.note(DOWN)
        ways.note(WELL)
        assert ways.way() == Way()


# --- the trial


@pytest.mark.parametrize("whose", ["all", "one clinic's"])
def test_one_process_has_the_trial(ways: Ways, whose: str) -> None:
    if whose == "all":
        ways.close_all()
    else:
        ways.close()
    ways.lab.pass_time(minutes=1)
    start, found = threading.Barrier(4), list[Way]()

    def ask() -> None:
        with ways.lab.warehouse.connect(autocommit=True) as conn:
            start.wait()
            found.append(ways.circuits.way(conn, LANE, now=ways.lab.moment))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(way.trial or way.trials == ("org-1",) for way in found) == [False, False, False, True]


def test_a_trial_of_which_nobody_hears_is_made_again(ways: Ways) -> None:
    ways.close_all()
    ways.lab.moment = ways.until()
    assert ways.way().trial
    ways.lab.moment += TRIAL - dt.timedelta(seconds=1)
    assert ways.way().closed
    ways.lab.moment += dt.timedelta(seconds=1)
    assert ways.way().trial


def test_a_trial_that_succeeds_opens_the_way(ways: Ways) -> None:
    ways.close()
    ways.lab.moment = ways.until("org-1")
    assert ways.way().trials == ("org-1",)
    ways.note(WELL)
    assert ways.way() == Way()


def test_a_clinics_trial_waits_until_the_way_is_open_for_all(ways: Ways) -> None:
    ways.close("org-1")
    ways.lab.pass_time(minutes=1)
    ways.note(ChannelDown("quota", "used up", dt.timedelta(hours=1)))
    assert ways.way() == Way(closed=True)
    ways.lab.moment = ways.until()
    assert ways.way() == Way(trial=True, organizations=frozenset({"org-1"}), trials=("org-1",))


# --- telling


def alerts(lab: Lab) -> list[tuple[str, str]]:
    """Key and state of the alerts, in order."""
    query = "select key, state from messaging.messages where job = 'circuits' order by id"
    return lab.conn.execute(query).fetchall()


def test_one_alert_tells_which_way_is_closed_since_when_and_why(ways: Ways) -> None:
    ways.close_all()
    for _ in range(5):
        ways.lab.moment = ways.until()
        ways.way()
        ways.note(DOWN)
    lab = ways.lab
    assert len(alerts(lab)) == 1
    lab.senders["email"] = sender = Scripted("email", provider="mail")
    lab.dispatch()
    (call,) = sender.calls
    assert call.to == lab.alerts_to
    assert isinstance(call.content, EmailContent)
    for word in ("scripted", "503: unavailable"):
        assert word in str(call.content.text)


def test_the_next_time_it_is_told_again(ways: Ways) -> None:
    ways.close()
    ways.note(WELL)
    ways.lab.pass_time(minutes=1)
    ways.close()
    assert len(alerts(ways.lab)) == 2


def test_an_alert_is_of_no_use_when_it_works_again(ways: Ways) -> None:
    ways.close_all()
    ways.note(WELL)
    ways.lab.claim("email")
    ((_, state),) = alerts(ways.lab)
    assert state == "skipped"
    assert ways.lab.value("select reason from messaging.messages") == "stale: it works again"


def test_an_alert_needs_no_key(lab: Lab) -> None:
    lab.sealer = None
    Ways(lab, Circuits("scripted", lab.outbox, lab.alerts_to)).close_all()
    lab.senders["email"] = sender = Scripted("email", provider="mail")
    lab.dispatch()
    assert [call.to for call in sender.calls] == [lab.alerts_to]


def test_where_nobody_wants_to_know_nobody_is_told(lab: Lab) -> None:
    Ways(lab, Circuits("scripted", lab.outbox, None)).close_all()
    assert alerts(lab) == []


# --- together with the dispatcher


def test_an_hour_without_the_provider_costs_only_what_became_useless(lab: Lab) -> None:
    back, calls = lab.moment + dt.timedelta(hours=1), Counter[int]()

    def answer(message: Envelope) -> Result:
        if lab.moment < back:
            return replace(DOWN)
        calls[message.id] += 1
        return accepted(message)

    lab.senders["whatsapp"] = sender = Scripted(answer=answer)
    for number in range(4):
        lab.crowd(f"org-{number}", 10)
    useless = "update messaging.messages set not_after = %s where key like '%%:10'"
    lab.conn.execute(useless, [back - dt.timedelta(minutes=5)])
    for _ in range(45):
        lab.dispatch()
        lab.pass_time(minutes=2)
    assert lab.value("select count(*) from messaging.messages where job = 'test' and state = 'accepted'") == 36
    assert lab.value("select count(*) from messaging.messages where job = 'test' and state = 'expired'") == 4
    assert set(calls.values()) == {1}
    assert len(alerts(lab)) == 1
    # Ten or a few more until it closes; then one at a time after 30 s, 1, 2, 4, 8, 15 … minutes.
    assert len(sender.calls) - 36 <= 10 + lab.in_flight + 10


def test_one_clinics_trouble_is_not_the_others(lab: Lab) -> None:
    lab.senders["whatsapp"] = Scripted(
        answer=lambda message: replace(DOWN) if message.organization_id == "org-a" else accepted(message)
    )
    lab.crowd("org-a", 40)
    lab.crowd("org-b", 40)
    for _ in range(3):
        lab.dispatch()
        lab.pass_time(seconds=10)
    query = "select state, count(*) from messaging.messages where organization_id = %s group by 1"
    assert dict(lab.conn.execute(query, ["org-b"]).fetchall()) == {"accepted": 40}
    assert lab.value("select sum(attempt) from messaging.messages where organization_id = 'org-a'") <= 16


def test_an_account_that_is_not_well_holds_its_messages(lab: Lab) -> None:
    lab.senders["whatsapp"] = sender = Scripted(state=Unhealthy("not connected"))
    lab.crowd("org-a", 3)
    lab.crowd("org-b", 1)
    for _ in range(5):
        lab.dispatch()
        lab.pass_time(minutes=1)
    assert (sender.calls, lab.value("select max(attempt) from messaging.messages where job = 'test'")) == ([], 0)
    assert [key.split(":")[0] for key, _ in alerts(lab)] == ["circuit"]
    sender.state = Healthy()
    lab.pass_time(minutes=15)
    lab.dispatch()
    assert len(sender.calls) == 4
    assert set(sender.asked) == {"fisioflow"}
