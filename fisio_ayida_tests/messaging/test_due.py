"""When a dispatcher has something to do: the sensor asks this often, and starts a process only if there is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
from psycopg.types.json import Jsonb

from fisio_ayida.messaging import due
from fisio_ayida.messaging.model import Ambiguous, Channel
from fisio_ayida.messaging.receipts import PATIENCE
from fisio_ayida_tests.messaging.lab import Lab
from fisio_ayida_tests.messaging.rows import pages_read, put
from fisio_ayida_tests.messaging.scripted import Scripted, always

PROVIDERS: dict[Channel, str] = {"email": "mail", "whatsapp": "scripted", "push": "push"}
HORIZON = dt.timedelta(hours=24)


def next_at(
    lab: Lab, horizon: dt.timedelta = HORIZON, providers: Mapping[Channel, str] = PROVIDERS
) -> dt.timedelta | None:
    """How long from now."""
    at = due.next_at(lab.conn, providers, now=lab.moment, horizon=lab.moment + horizon)
    return None if at is None else at - lab.moment


def close(lab: Lab, organization: str = "", account: str = "", **length: float) -> None:
    """A way out is closed for so long."""
    lab.conn.execute(
        "insert into messaging.circuits (provider, account, organization_id, failures, openings, opened_at, "
        "open_until, changed_at) values ('scripted', %s, %s, 10, 1, %s, %s, %s)",
        [account, organization, lab.moment, lab.moment + dt.timedelta(**length), lab.moment],
    )


@pytest.fixture
def visit(lab: Lab) -> Lab:
    """A lab with a visit."""
    lab.visit()
    return lab


def test_nothing_is_due_where_there_is_nothing(lab: Lab) -> None:
    assert next_at(lab) is None


@pytest.mark.parametrize("hours", [-1, 0, 3, 24])
def test_what_waits_is_due_when_it_is(visit: Lab, hours: int) -> None:
    visit.remind(due_at=visit.moment + dt.timedelta(hours=hours))
    visit.remind(key="later", due_at=visit.moment + dt.timedelta(hours=hours + 1))
    assert next_at(visit) == dt.timedelta(hours=hours)


def test_what_is_due_behind_the_horizon_is_not_yet_of_interest(visit: Lab) -> None:
    visit.remind(due_at=visit.moment + HORIZON + dt.timedelta(seconds=1))
    assert next_at(visit) is None


def test_what_was_quiet_is_due_in_the_morning(visit: Lab) -> None:
    visit.moment = dt.datetime(2026, 3, 13, 1, tzinfo=dt.UTC)
    visit.remind()
    visit.claim()
    assert next_at(visit) == dt.timedelta(hours=10)


def test_what_has_ended_is_not_due(visit: Lab) -> None:
    visit.remind()
    visit.call()
    assert next_at(visit) is None


@pytest.mark.parametrize(
    ("organization", "account", "seconds"),
    [("", "", 90), ("org-1", "", 90), ("org-2", "", 0), ("", "clinic-7", 0)],
    ids=["all", "its clinic", "another clinic", "another account"],
)
def test_what_waits_behind_a_closed_way_is_due_when_it_is_tried(
    visit: Lab, organization: str, account: str, seconds: int
) -> None:
    visit.remind()
    close(visit, organization, account, seconds=90)
    assert next_at(visit) == dt.timedelta(seconds=seconds)


def test_what_waits_behind_two_closed_ways_is_due_when_both_are_tried(visit: Lab) -> None:
    visit.remind()
    close(visit, seconds=90)
    close(visit, "org-1", seconds=200)
    assert next_at(visit) == dt.timedelta(seconds=200)


def test_another_channel_goes_on(visit: Lab) -> None:
    visit.remind()
    visit.remind(channel="email")
    close(visit, seconds=90)
    assert next_at(visit) == dt.timedelta(0)


def test_a_way_that_was_closed_holds_nothing_up(visit: Lab) -> None:
    visit.remind()
    close(visit, seconds=-1)
    assert next_at(visit) == dt.timedelta(0)


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_run_that_may_be_dead_is_looked_after(visit: Lab, is_closed: bool) -> None:
    visit.remind()
    visit.claim()
    if is_closed:
        close(visit, hours=2)
    assert next_at(visit) == dt.timedelta(minutes=2)


@pytest.mark.parametrize("is_closed", [False, True])
def test_an_unknown_outcome_is_asked_about_as_long_as_it_makes_sense(visit: Lab, is_closed: bool) -> None:
    visit.senders["whatsapp"] = Scripted(answer=always(Ambiguous("timeout", "no answer")), can_look_up=True)
    visit.remind()
    visit.call()
    if is_closed:
        close(visit, hours=2)
    assert next_at(visit) == dt.timedelta(seconds=90)
    visit.conn.execute("update messaging.messages set due_at = 'infinity'")
    assert next_at(visit) is None


def report(lab: Lab, event: str, provider_id: str | None = None, message_key: str | None = None) -> None:
    """A report that has just come in."""
    lab.conn.execute(
        "insert into messaging.deliveries (provider, event_id, kind, status, received_at, body, provider_id, "
        "message_key) values ('scripted', %s, 'delivered', 'delivered', %s, '{}', %s, %s)",
        [event, lab.moment, provider_id, message_key],
    )


@pytest.mark.parametrize("named", [{"provider_id": "wamid.1"}, {"message_key": "k1"}])
def test_a_report_of_ours_is_something_to_do_behind_any_that_is_not(lab: Lab, named: dict[str, str]) -> None:
    put(lab, key="k1", state="accepted", provider="scripted", provider_id="wamid.1", due_at="infinity")
    report(lab, "foreign", "wamid.2", "k2")
    lab.pass_time(minutes=4)
    report(lab, "ours", **named)
    assert next_at(lab) == dt.timedelta(0)


def test_a_report_of_nothing_of_ours_is_looked_at_once_more_when_its_time_is_up(lab: Lab) -> None:
    report(lab, "foreign", "wamid.2", "k2")
    assert next_at(lab) == PATIENCE
    lab.pass_time(minutes=4)
    assert next_at(lab) == PATIENCE - dt.timedelta(minutes=4)


# Push messages have tickets, which are asked for later.

EXPO: dict[Channel, str] = {**PROVIDERS, "push": "expo"}


def test_a_ticket_is_asked_for_when_its_time_has_come(lab: Lab) -> None:
    put(lab, channel="push", state="accepted", provider="expo", due_at=lab.moment + dt.timedelta(minutes=15))
    assert next_at(lab, providers=EXPO) == dt.timedelta(minutes=15)


def test_a_ticket_that_is_asked_for_no_more_is_nothing_to_do(lab: Lab) -> None:
    put(lab, channel="push", state="accepted", provider="expo", due_at="infinity")
    assert next_at(lab, providers=EXPO) is None


def test_a_ticket_that_nobody_can_be_asked_for_is_nothing_to_do(lab: Lab) -> None:
    put(lab, channel="push", state="accepted", provider="expo")
    assert next_at(lab) is None


def test_behind_a_closed_way_each_clinics_first_message_counts(lab: Lab) -> None:
    for minutes, organization in ((1, "org-1"), (2, "org-1"), (3, "org-2")):
        put(lab, organization_id=organization, due_at=lab.moment + dt.timedelta(minutes=minutes))
    close(lab, "org-1", minutes=30)
    assert next_at(lab) == dt.timedelta(minutes=3)


def test_behind_a_closed_way_not_every_message_is_read(lab: Lab) -> None:
    lab.crowd("org-a", 20_000)
    close(lab, minutes=30)
    assert next_at(lab) == dt.timedelta(minutes=30)
    values = {"providers": Jsonb(PROVIDERS), "now": lab.moment, "horizon": lab.moment + HORIZON}
    assert pages_read(lab, due._FIRST_OPEN, values) < 100


def test_a_reply_is_something_to_do(lab: Lab) -> None:
    lab.conn.execute(
        "insert into messaging.replies (provider, provider_id, address_masked, address_hash, intent, received_at) "
        "values ('scripted', 'r1', '…', 'x', 'confirm', %s)",
        [lab.moment],
    )
    assert next_at(lab) == dt.timedelta(0)
