"""Who may receive what, and when: each reason alone, each before the next."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from fisio_ayida.messaging.model import Category
from fisio_ayida.messaging.quiet import Quiet
from fisio_ayida.messaging.rules import (
    REASONS,
    CauseNow,
    Defer,
    Expire,
    Facts,
    Organization,
    Patient,
    Preference,
    Send,
    Skip,
    Verdict,
    decide,
)

NOON = dt.datetime(2026, 7, 1, 15, tzinfo=dt.UTC)
NIGHT = dt.datetime(2026, 7, 2, 1, tzinfo=dt.UTC)
MORNING = dt.datetime(2026, 7, 2, 11, tzinfo=dt.UTC)
LAST_YEAR = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

CLINIC = Organization(
    is_active=True,
    channels_off=frozenset(),
    quiet=Quiet("America/Sao_Paulo", dt.time(21), dt.time(8), weekends=False),
    marketing_basis="consent",
)
BOOKED = CauseNow(exists=True, wanted=True, version="2026-07-03T10:00", why="", useless_from=None)
FACTS = Facts(
    channel="whatsapp",
    category="transactional",
    heeds_quiet=True,
    organization=CLINIC,
    patient_id="patient",
    patient=Patient(is_active=True),
    cause=BOOKED,
    cause_version=BOOKED.version,
)


def word(category: str, *, allowed: bool, days: int = 0, id: int = 1) -> Preference:
    return Preference(category, allowed, LAST_YEAR + dt.timedelta(days=days), id)


#: What makes each check hit, in the order of the contract. The later ones are made so that they stand together.
HITS: dict[str, dict[str, Any]] = {
    "org_inactive": {"organization": replace(CLINIC, is_active=False)},
    "channel_disabled_org": {"organization": replace(CLINIC, channels_off=frozenset({"whatsapp"}))},
    "patient_inactive_or_deleted": {"patient": Patient(is_active=False)},
    "no_address": {"address_problem": "no_address"},
    "address_invalid": {"address_problem": "address_invalid"},
    "opted_out_channel": {"preferences": (word("all", allowed=False),)},
    "opted_out_category": {"preferences": (word("transactional", allowed=False),)},
    "suppressed": {"suppressed": "hard bounce"},
    "quiet_hours": {},
    "duplicate": {"duplicate": "the reminder of the day says it"},
    "stale": {"cause": replace(BOOKED, wanted=False, why="cancelled")},
}
ORDER = list(HITS)


def reason_of(verdict: Verdict) -> str:
    return verdict.reason if isinstance(verdict, Skip | Defer) else type(verdict).__name__


def hit(*reasons: str, now: dt.datetime = NOON) -> tuple[Facts, dt.datetime]:
    facts = FACTS
    for reason in reversed(reasons):
        facts = replace(facts, **HITS[reason])
    return facts, NIGHT if "quiet_hours" in reasons else now


def test_without_a_reason_against_it_a_message_is_sent() -> None:
    assert decide(FACTS, NOON) == Send()


@pytest.mark.parametrize("reason", ORDER)
def test_each_reason_alone(reason: str) -> None:
    assert reason_of(decide(*hit(reason))) == reason


@pytest.mark.parametrize(("first", "second"), list(pairwise(ORDER)))
def test_the_earlier_of_two_reasons_is_given(first: str, second: str) -> None:
    facts, now = hit(first, second)
    if first == "org_inactive":
        off = replace(CLINIC, is_active=False, channels_off=frozenset({"whatsapp"}))
        facts = replace(facts, organization=off)
    if first == "opted_out_channel":
        facts = replace(facts, preferences=(word("all", allowed=False), word("transactional", allowed=False)))
    assert reason_of(decide(facts, now)) == first


def test_the_reasons_are_those_of_the_contract_and_an_operators() -> None:
    assert list(REASONS) == [*ORDER, "cancelled"]


def test_an_unknown_clinic_sends_nothing() -> None:
    assert decide(replace(FACTS, organization=None), NOON) == Skip("org_inactive", "unknown organisation")


def test_what_an_app_asks_for_without_a_clinic_heeds_the_default_hours() -> None:
    facts = replace(FACTS, organization=None, category="direct")
    assert decide(facts, NOON) == Send()
    assert decide(facts, NIGHT) == Defer(MORNING)


def test_an_unknown_patient_receives_nothing() -> None:
    assert decide(replace(FACTS, patient=None), NOON) == Skip("patient_inactive_or_deleted", "unknown patient")


def test_who_is_no_patient_needs_no_patient_state() -> None:
    assert decide(replace(FACTS, patient_id=None, patient=None), NOON) == Send()


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ([word("all", allowed=False), word("all", allowed=True, days=1)], "Send"),
        ([word("all", allowed=True, days=1), word("all", allowed=False)], "Send"),
        ([word("all", allowed=True, id=1), word("all", allowed=False, id=2)], "opted_out_channel"),
        ([word("all", allowed=False), word("care", allowed=True, days=1)], "opted_out_channel"),
        ([word("care", allowed=False), word("all", allowed=True, days=1)], "opted_out_category"),
        ([word("care", allowed=False), word("care", allowed=True, days=1)], "Send"),
        ([word("marketing", allowed=False)], "Send"),
        ([word("transactional", allowed=False)], "Send"),
    ],
)
def test_the_latest_word_on_all_and_on_the_category_count(words: list[Preference], verdict: str) -> None:
    facts = replace(FACTS, category="care", preferences=tuple(words))
    assert reason_of(decide(facts, NOON)) == verdict


@pytest.mark.parametrize(
    ("basis", "words", "verdict"),
    [
        ("consent", [], "opted_out_category"),
        ("consent", [word("care", allowed=True)], "opted_out_category"),
        ("consent", [word("marketing", allowed=True)], "Send"),
        ("consent", [word("all", allowed=True)], "opted_out_category"),
        ("consent", [word("all", allowed=False), word("all", allowed=True, days=1)], "opted_out_category"),
        ("consent", [word("marketing", allowed=True), word("all", allowed=True, days=1)], "Send"),
        ("legitimate_interest", [word("all", allowed=True)], "Send"),
        (
            "consent",
            [word("marketing", allowed=True), word("marketing", allowed=False, days=1)],
            "opted_out_category",
        ),
        ("legitimate_interest", [], "Send"),
        ("legitimate_interest", [word("marketing", allowed=False)], "opted_out_category"),
    ],
)
def test_marketing_needs_a_yes_or_a_legitimate_interest(basis: str, words: list[Preference], verdict: str) -> None:
    clinic = replace(CLINIC, marketing_basis=basis)
    facts = replace(FACTS, category="marketing", organization=clinic, preferences=tuple(words))
    assert reason_of(decide(facts, NOON)) == verdict


@pytest.mark.parametrize("category", ["transactional", "care"])
def test_silence_is_consent_for_all_but_marketing(category: Category) -> None:
    assert decide(replace(FACTS, category=category), NOON) == Send()


@pytest.mark.parametrize(
    ("cause", "detail"),
    [
        (replace(BOOKED, exists=False), "what it follows from is gone"),
        (replace(BOOKED, wanted=False), "what it follows from no longer asks for it"),
        (replace(BOOKED, wanted=False, why="cancelled"), "cancelled"),
        (replace(BOOKED, version="2026-07-04T10:00"), "planned for 2026-07-03T10:00, now 2026-07-04T10:00"),
        (replace(BOOKED, version=None), "planned for 2026-07-03T10:00, now nothing"),
    ],
)
def test_what_became_of_the_cause_makes_a_message_stale(cause: CauseNow, detail: str) -> None:
    assert decide(replace(FACTS, cause=cause), NOON) == Skip("stale", detail)


def test_a_message_that_does_not_speak_of_a_version_outlives_a_change() -> None:
    facts = replace(FACTS, cause=replace(BOOKED, version="2026-07-04T10:00"), cause_version=None)
    assert decide(facts, NOON) == Send()


def test_a_cancelled_cause_is_told_before_its_time_is_over() -> None:
    cause = replace(BOOKED, wanted=False, why="cancelled", useless_from=NOON - HOUR)
    assert decide(replace(FACTS, cause=cause), NOON) == Skip("stale", "cancelled")


@pytest.mark.parametrize(("end", "start"), [(NOON, NOON + HOUR), (NOON + HOUR, NOON)])
def test_the_earlier_of_two_ends_counts(end: dt.datetime, start: dt.datetime) -> None:
    facts = replace(useless("useless_from", start), not_after=end)
    assert isinstance(decide(facts, NOON), Expire)


@pytest.mark.parametrize("field", ["not_after", "useless_from"])
@pytest.mark.parametrize(("left", "verdict"), [(HOUR, "Send"), (0 * HOUR, "Expire"), (-HOUR, "Expire")])
def test_a_message_expires_at_its_end(field: str, left: dt.timedelta, verdict: str) -> None:
    assert reason_of(decide(useless(field, NOON + left), NOON)) == verdict


@pytest.mark.parametrize("field", ["not_after", "useless_from"])
@pytest.mark.parametrize(("left", "verdict"), [(HOUR, "quiet_hours"), (0 * HOUR, "Expire"), (-HOUR, "Expire")])
def test_a_message_that_is_useless_in_the_morning_expires_in_the_night(
    field: str, left: dt.timedelta, verdict: str
) -> None:
    assert reason_of(decide(useless(field, MORNING + left), NIGHT)) == verdict


def test_quiet_hours_defer_to_the_morning() -> None:
    assert decide(FACTS, NIGHT) == Defer(MORNING)


def test_quiet_hours_bind_only_what_heeds_them() -> None:
    assert decide(replace(FACTS, heeds_quiet=False), NIGHT) == Send()


@pytest.mark.parametrize("reason", ORDER)
def test_what_an_app_asks_for_is_only_stopped_by_address_suppression_duplicate_and_staleness(reason: str) -> None:
    facts, now = hit(reason)
    verdict = decide(replace(facts, category="direct", heeds_quiet=False), now)
    stopped = reason in ("no_address", "address_invalid", "suppressed", "duplicate", "stale")
    assert reason_of(verdict) == (reason if stopped else "Send")


def test_what_an_app_asks_for_waits_for_the_morning_if_it_said_so() -> None:
    assert decide(replace(FACTS, category="direct"), NIGHT) == Defer(MORNING)


def test_what_an_app_asks_for_expires() -> None:
    facts = replace(FACTS, category="direct", heeds_quiet=False, not_after=NOON)
    assert isinstance(decide(facts, NOON), Expire)


def useless(field: str, at: dt.datetime) -> Facts:
    if field == "not_after":
        return replace(FACTS, not_after=at)
    return replace(FACTS, cause=replace(BOOKED, useless_from=at))
