"""Claiming: the rules are asked on what is true at that moment, each answer is kept, and nobody claims for two."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from fisio_ayida.messaging import claims, outbox, preferences
from fisio_ayida.messaging.model import Ambiguous, Channel, Permanent, Transient
from fisio_ayida.messaging.picking import Lane
from fisio_ayida_tests.messaging.lab import CLINIC, MAIL, MORNING, PATIENT, VISIT, Lab
from fisio_ayida_tests.messaging.scripted import Scripted, always, in_turn

#: Ten in the evening in São Paulo, and eight on the next morning.
NIGHT, NEXT_MORNING = dt.datetime(2026, 3, 13, 1, tzinfo=dt.UTC), dt.datetime(2026, 3, 13, 11, tzinfo=dt.UTC)
PHONE = "5511987654321"
IN_DOUBT = "the outcome of the last call is unknown"

Arrange = Callable[[Lab], Any]


def sql(statement: str) -> Arrange:
    """Something that happens in the clinic."""
    return lambda lab: lab.conn.execute(statement)


def opts_out(category: str, **whom: Any) -> Arrange:
    """The patient says no."""
    return lambda lab: preferences.record(
        lab.conn, organization_id=CLINIC, channel="whatsapp", category=category, allowed=False, source="reply",
        evidence="reply:1", at=lab.moment, **(whom or {"patient_id": PATIENT}),
    )  # fmt: skip


def suppress(channel: Channel, address: str) -> Arrange:
    """The address does not work."""
    return lambda lab: preferences.suppress(
        lab.conn, channel=channel, address_hash=lab.hasher.address(channel, address), reason="bounce",
        evidence="test", at=lab.moment,
    )  # fmt: skip


def later(**length: float) -> Arrange:
    """Time passes."""
    return lambda lab: lab.pass_time(**length)


HAPPENINGS: dict[str, tuple[Arrange, str, str]] = {
    "clinic inactive": (
        sql("update clinic.organizations set is_active = false"), "skipped", "org_inactive: "),
    "clinic unknown": (
        sql("update messaging.messages set organization_id = 'org-9'"), "skipped", "org_inactive: "),
    "channel off": (
        sql("update clinic.organizations set settings = '{\"whatsapp_enabled\": false}'"),
        "skipped", "channel_disabled_org: "),
    "patient inactive": (
        sql("update clinic.patients set is_active = false"), "skipped", "patient_inactive_or_deleted: "),
    "patient deleted": (
        sql("update clinic.patients set deleted_at = now()"), "skipped", "patient_inactive_or_deleted: "),
    "patient of another clinic": (
        sql("insert into clinic.organizations (id) values ('org-2'); "
            "update clinic.patients set organization_id = 'org-2'"),
        "skipped", "patient_inactive_or_deleted: "),
    "patient of no clinic": (
        sql("update clinic.patients set organization_id = null"), "skipped", "patient_inactive_or_deleted: "),
    "no telephone": (sql("update clinic.patients set phone = ' '"), "skipped", "no_address: "),
    "no telephone at all": (sql("update clinic.patients set phone = '12345'"), "skipped", "address_invalid: "),
    "opted out of the channel": (opts_out("all"), "skipped", "opted_out_channel: "),
    "opted out of the category": (opts_out("transactional"), "skipped", "opted_out_category: "),
    "suppressed": (suppress("whatsapp", PHONE), "skipped", "suppressed: bounce"),
    "quiet": (lambda lab: setattr(lab, "moment", NIGHT), "deferred", "quiet_hours: "),
    "moved": (lambda lab: lab.visit(start="2026-03-14T14:00"), "skipped", "stale: planned for 2026-03-13T14:00"),
    "cancelled": (lambda lab: lab.visit(status="cancelado"), "skipped", "stale: its state is cancelled"),
    "visit deleted": (
        sql("update clinic.appointments set deleted_at = now()"), "skipped", "stale: it was deleted"),
    "visit gone": (sql("delete from clinic.appointments"), "skipped", "stale: it no longer exists"),
    "visit over": (later(days=1, hours=5), "expired", "useless from 2026-03-13T17:00"),
}  # fmt: skip


@pytest.fixture
def visit(lab: Lab) -> Lab:
    """A lab with tomorrow's visit."""
    lab.visit()
    return lab


@pytest.mark.parametrize("what", HAPPENINGS)
def test_what_happens_between_planning_and_sending_counts(visit: Lab, what: str) -> None:
    happens, state, reason = HAPPENINGS[what]
    planned = visit.remind()
    happens(visit)
    claimed = visit.claim(run_id="run-7")
    row = visit.message(planned.id)
    assert (row["state"], row["reason"][: len(reason)]) == (state, reason)
    assert (row["run_id"], row["attempt"], claimed.envelopes) == ("run-7", 0, [])
    assert claimed.stopped == {(state, row["reason"].partition(":")[0]): 1}


def test_an_opt_out_of_the_number_counts_for_its_patient(visit: Lab) -> None:
    planned = visit.remind()
    opts_out("all", address_hash=visit.hasher.address("whatsapp", PHONE))(visit)
    visit.claim()
    assert visit.message(planned.id)["reason"].startswith("opted_out_channel: ")


@pytest.mark.parametrize("what", ["another clinic's", "another channel's", "another patient's"])
def test_an_opt_out_stops_nothing_else(visit: Lab, what: str) -> None:
    visit.patient("patient-2")
    opts_out("all")(visit)
    column, value = {
        "another clinic's": ("organization_id", "org-2"), "another channel's": ("channel", "email"),
        "another patient's": ("patient_id", "patient-2"),
    }[what]  # fmt: skip
    visit.conn.execute(f"update messaging.preferences set {column} = %s", [value])
    visit.remind()
    assert visit.claim().envelopes


def test_what_was_quiet_is_sent_in_the_morning(visit: Lab) -> None:
    visit.moment = NIGHT
    planned = visit.remind()
    visit.claim()
    assert visit.message(planned.id)["due_at"] == NEXT_MORNING
    visit.moment = NEXT_MORNING - dt.timedelta(minutes=1)
    assert not visit.claim()
    visit.moment = NEXT_MORNING
    assert [each.id for each in visit.claim().envelopes] == [planned.id]
    assert visit.path(planned.id) == ["planned", "deferred", "claimed"]


def test_a_visit_of_early_morning_is_not_announced_after_it(visit: Lab) -> None:
    visit.visit(start="2026-03-13T07:30")
    visit.moment = NIGHT
    planned = visit.remind()
    visit.claim()
    assert visit.message(planned.id)["state"] == "expired"


def test_a_moved_visit_is_announced_for_its_new_hour(visit: Lab) -> None:
    visit.remind()
    visit.visit(start="2026-03-14T09:00")
    again = visit.remind()
    assert [each.id for each in visit.claim().envelopes] == [again.id]


def test_what_is_claimed_says_who_when_and_how_often(visit: Lab) -> None:
    planned = visit.remind()
    (envelope,) = visit.claim(run_id="run-7").envelopes
    assert (envelope.to, envelope.account, envelope.attempt, envelope.first_called_at) == (
        PHONE,
        "fisioflow",
        1,
        None,
    )
    row = visit.message(planned.id)
    assert (row["state"], row["attempt"], row["run_id"], row["provider"]) == ("claimed", 1, "run-7", "file")
    assert (row["claimed_at"], row["first_called_at"]) == (visit.moment, visit.moment)
    assert row["lease_until"] == visit.moment + dt.timedelta(minutes=2)
    assert visit.claim().envelopes == []


# --- what an app asks for directly


@pytest.mark.parametrize("what", ["clinic inactive", "channel off", "patient deleted", "opted out", "quiet"])
def test_a_direct_message_is_only_carried(lab: Lab, what: str) -> None:
    lab.plan(lab.direct(organization_id=CLINIC, patient_id=PATIENT, to=MAIL))
    happens: dict[str, Arrange] = {
        "clinic inactive": HAPPENINGS["clinic inactive"][0],
        "channel off": sql("update clinic.organizations set settings = '{\"email_enabled\": \"false\"}'"),
        "patient deleted": HAPPENINGS["patient deleted"][0],
        "opted out": lambda lab: preferences.record(
            lab.conn, organization_id="", channel="email", category="all", allowed=False, source="form",
            evidence="1", at=lab.moment, patient_id=PATIENT),
        "quiet": HAPPENINGS["quiet"][0],
    }  # fmt: skip
    happens[what](lab)
    assert lab.claim("email").envelopes


def test_a_direct_message_to_nobodys_patient_goes_too(lab: Lab) -> None:
    lab.plan(lab.direct())
    assert lab.claim("email").envelopes


@pytest.mark.parametrize(
    ("changes", "happens", "reason"),
    [
        ({"to": "nobody"}, later(), "address_invalid"),
        ({"to": " ", "patient_id": "patient-9"}, later(), "no_address"),
        ({}, suppress("email", "someone@example.com"), "suppressed"),
        ({"heeds_quiet": True}, HAPPENINGS["quiet"][0], "quiet_hours"),
        ({"organization_id": CLINIC, "category": "care"}, HAPPENINGS["clinic inactive"][0], "org_inactive"),
    ],
)
def test_a_direct_message_obeys_the_address_and_what_was_asked_for(
    lab: Lab, changes: dict[str, Any], happens: Arrange, reason: str
) -> None:
    planned = lab.plan(lab.direct(**changes))[0]
    happens(lab)
    lab.claim("email")
    assert lab.message(planned.id)["reason"].partition(":")[0] == reason


def test_a_suppression_ends(lab: Lab) -> None:
    planned = lab.plan(lab.direct())[0]
    suppress("email", "someone@example.com")(lab)
    lab.conn.execute("update messaging.suppressions set expires_at = %s", [lab.moment])
    assert [each.id for each in lab.claim("email").envelopes] == [planned.id]


def test_a_repetition_on_another_channel_is_a_duplicate(visit: Lab) -> None:
    first = visit.remind()
    second = visit.remind(channel="email", fallback_of=first.id)
    visit.call()
    visit.claim("email")
    row = visit.message(second.id)
    assert row["reason"] == "duplicate: the message that it stands in for is accepted"


def test_what_a_stand_in_has_said_is_not_said_again(visit: Lab) -> None:
    visit.senders["whatsapp"] = Scripted(answer=in_turn(Permanent("400", "no"), None))
    first = visit.remind()
    visit.call()
    visit.remind(channel="email", fallback_of=first.id)
    visit.call("email")
    outbox.retry(visit.conn, [first.id], now=visit.moment)
    assert not visit.claim().envelopes
    assert visit.message(first.id)["reason"] == "duplicate: its stand-in by email is accepted"


# --- one clinic's or message's fault is nobody else's


@pytest.mark.parametrize("column", ["quiet_from", "quiet_to"])
def test_an_hour_that_python_does_not_know_is_refused_by_the_database(lab: Lab, column: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        lab.policy(**{column: "24:00"})


def test_a_message_whose_words_are_lost_stops_no_other(visit: Lab) -> None:
    visit.sealer = None
    lost, fine = visit.remind(), visit.remind(key="reminder:other")
    visit.conn.execute("update messaging.messages set cause_kind = null, cause_id = null where id = %s", [lost.id])
    assert [each.id for each in visit.claim().envelopes] == [fine.id]
    assert visit.message(lost.id)["reason"].startswith("unusable: ")


def test_a_clinic_of_which_nobody_knows_when_it_is_night_stops_no_other(visit: Lab) -> None:
    visit.policy(zone="BRT")
    visit.clinic("org-2")
    visit.patient("patient-2", "org-2")
    visit.visit("visit-2", patient="patient-2", organization="org-2")
    strange, fine = visit.remind(), visit.remind("visit-2")
    assert [each.id for each in visit.claim().envelopes] == [fine.id]
    assert visit.message(strange.id)["reason"].startswith("org_inactive: ")


# --- a patient's devices


DEVICES = [f"ExponentPushToken[{letter * 22}]" for letter in "abc"]


@pytest.fixture
def devices(lab: Lab) -> Lab:
    """A patient with three devices, and a message to them."""
    lab.conn.execute("update clinic.patients set user_id = 'user-1' where id = %s", [PATIENT])
    for token in DEVICES:
        lab.conn.execute("insert into clinic.push_tokens (token, user_id) values (%s, 'user-1')", [token])
    lab.visit()
    lab.remind(channel="push")
    return lab


def test_a_message_goes_to_the_first_device_that_still_takes_any(devices: Lab) -> None:
    suppress("push", DEVICES[0])(devices)
    assert [each.to for each in devices.claim("push").envelopes] == [DEVICES[1]]


def test_a_patient_all_of_whose_devices_are_gone_is_suppressed(devices: Lab) -> None:
    for token in DEVICES:
        suppress("push", token)(devices)
    devices.claim("push")
    assert devices.value("select reason from messaging.messages").startswith("suppressed: ")


def test_a_clinic_can_switch_push_off(devices: Lab) -> None:
    sql("update clinic.organizations set settings = '{\"push_enabled\": false}'")(devices)
    devices.claim("push")
    assert devices.value("select reason from messaging.messages").startswith("channel_disabled_org: ")


# --- a message of which nobody knows whether it was sent


@pytest.fixture
def in_doubt(visit: Lab) -> int:
    """Repeatable for a day, called once, and no answer came."""
    visit.senders["whatsapp"] = Scripted(
        answer=in_turn(Ambiguous("timeout", "no answer"), None), repeats_safely=True
    )
    planned = visit.remind()
    visit.call()
    visit.pass_time(minutes=1)
    return planned.id


def test_a_repetition_is_the_same_call(visit: Lab, in_doubt: int) -> None:
    visit.call()
    first, second = visit.senders["whatsapp"].calls  # type: ignore[attr-defined]  # it is scripted
    assert second == replace(first, attempt=2, first_called_at=MORNING)
    assert visit.path(in_doubt) == ["planned", "claimed", "retry", "claimed", "accepted"]


def test_a_repetition_that_would_say_something_else_is_not_sent(visit: Lab, in_doubt: int) -> None:
    visit.conn.execute("update clinic.patients set phone = '(21) 99999-8888'")
    assert not visit.claim().envelopes
    row = visit.message(in_doubt)
    assert (row["state"], row["reason"]) == ("unknown", f"{IN_DOUBT}, and the message would now be another")


def test_a_repetition_that_the_provider_would_not_know_is_not_sent(visit: Lab, in_doubt: int) -> None:
    visit.visit(start="2026-03-15T14:00")
    visit.conn.execute("update messaging.messages set cause_version = '2026-03-15T14:00'")
    visit.pass_time(hours=24)
    assert not visit.claim().envelopes
    assert visit.message(in_doubt)["state"] == "unknown"


@pytest.mark.parametrize("other", [Scripted(provider="other", repeats_safely=True), Scripted()])
def test_another_provider_would_not_know_a_repetition(visit: Lab, in_doubt: int, other: Scripted) -> None:
    visit.senders["whatsapp"] = other
    assert not visit.claim().envelopes
    assert visit.message(in_doubt)["state"] == "unknown"


@pytest.mark.parametrize("what", ["cancelled", "visit over", "opted out of the channel", "visit gone"])
def test_what_may_have_been_sent_is_not_said_to_be_skipped(visit: Lab, in_doubt: int, what: str) -> None:
    HAPPENINGS[what][0](visit)
    assert not visit.claim().envelopes
    row = visit.message(in_doubt)
    assert row["state"] == "unknown"
    assert row["reason"].endswith(f"; {IN_DOUBT}")


def test_what_may_have_been_sent_waits_for_the_morning_and_for_its_receipt(visit: Lab, in_doubt: int) -> None:
    visit.visit(start="2026-03-13T07:00")
    visit.conn.execute("update messaging.messages set cause_version = '2026-03-13T07:00'")
    visit.policy(quiet_to=dt.time(6))
    visit.moment = NIGHT
    visit.claim()
    row = visit.message(in_doubt)
    assert (row["state"], row["due_at"]) == ("retry", dt.datetime(2026, 3, 13, 9, tzinfo=dt.UTC))


def test_a_later_failure_does_not_make_it_certain(visit: Lab, in_doubt: int) -> None:
    visit.senders["whatsapp"].answer = always(Transient("429", "slow down"))  # type: ignore[attr-defined]
    visit.call()
    visit.pass_time(minutes=1)
    visit.conn.execute("update clinic.patients set phone = '(21) 99999-8888'")
    assert not visit.claim().envelopes
    assert visit.message(in_doubt)["state"] == "unknown"


# --- several at once


@pytest.mark.parametrize("workers", [2, 4])
def test_several_claim_at_once_and_share_no_message(lab: Lab, workers: int) -> None:
    for number in range(5):
        lab.crowd(f"org-{number}", 40)
    who, taken = lab.claimant(), [list[int]() for _ in range(workers)]
    start = threading.Barrier(workers)

    def work(mine: list[int]) -> None:
        with lab.warehouse.connect(autocommit=True) as conn:
            start.wait()
            misses = 0
            while misses < 3:
                found = claims.claim(conn, Lane("whatsapp", ""), 7, who, now=lab.moment).envelopes
                if not mine:
                    # Everybody has some before anybody goes on.
                    start.wait()
                mine += [each.id for each in found]
                misses = 0 if found else misses + 1

    threads = [threading.Thread(target=work, args=[mine]) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [id for mine in taken for id in mine]
    assert len(every) == len(set(every)) == 200
    assert all(taken)
    assert lab.value("select max(attempt) from messaging.messages") == 1


def test_an_act_that_is_under_way_elsewhere_is_not_waited_for(visit: Lab) -> None:
    held, free = visit.remind(), visit.remind(key="reminder:other")
    with visit.warehouse.connect() as other:
        other.execute("select 1 from messaging.messages where id = %s for update", [held.id])
        assert [each.id for each in visit.claim().envelopes] == [free.id]
    assert [each.id for each in visit.claim().envelopes] == [held.id]


# --- foreseeing


def test_what_would_become_of_a_message_is_told_and_not_done(visit: Lab) -> None:
    planned = visit.remind()
    before = visit.message(planned.id)
    who = visit.claimant()
    foreseen = claims.verdict(visit.conn, planned.id, who, now=visit.moment)
    assert foreseen is not None
    assert foreseen.state == "claimed"
    visit.visit(VISIT, status="cancelado")
    foreseen = claims.verdict(visit.conn, planned.id, who, now=visit.moment)
    assert foreseen is not None
    assert (foreseen.state, foreseen.reason) == ("skipped", "stale: its state is cancelled")
    assert visit.message(planned.id) == before
    assert visit.path(planned.id) == ["planned"]


def test_nothing_is_foreseen_of_what_does_not_wait(visit: Lab) -> None:
    planned = visit.remind()
    visit.call()
    assert claims.verdict(visit.conn, planned.id, visit.claimant(), now=visit.moment) is None


def test_in_hand_is_what_keeps_the_pace_while_answers_are_slow() -> None:
    assert [claims.capacity(rate, 32) for rate in (0, 0.1, 0.5, 1, 5.1, 100)] == [32, 1, 3, 5, 26, 32]
