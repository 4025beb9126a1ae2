"""What must never happen, whatever is true of a message and whenever it is asked."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging.model import CHANNELS, Category
from fisio_ayida.messaging.quiet import Quiet, until
from fisio_ayida.messaging.rules import (
    CauseNow,
    Defer,
    Expire,
    Facts,
    Organization,
    Patient,
    Preference,
    Send,
    Skip,
    decide,
)

NOON = dt.datetime(2026, 7, 1, 15, tzinfo=dt.UTC)
NIGHT = dt.datetime(2026, 7, 2, 1, tzinfo=dt.UTC)

moments = st.integers(0, 8 * 24 * 60).map(lambda minutes: NOON + dt.timedelta(minutes=minutes - 3 * 24 * 60))
# Mostly what lets a message through, so that the later checks are reached.
causes = st.builds(
    CauseNow,
    st.sampled_from((True, True, True, False)),
    st.sampled_from((True, True, True, False)),
    st.sampled_from((None, "a", "a", "b")),
    st.just(""),
    st.none() | moments,
)
all_facts = st.builds(
    Facts,
    channel=st.sampled_from(CHANNELS),
    category=st.sampled_from(get_args(Category)),
    heeds_quiet=st.booleans(),
    organization=st.builds(
        Organization,
        st.sampled_from((True, True, True, False)),
        st.sampled_from((frozenset(), frozenset(), frozenset({"email"}))),
        st.builds(Quiet, st.just("America/Sao_Paulo"), st.times(), st.times(), st.booleans()),
        st.sampled_from(("consent", "legitimate_interest")),
    ),
    patient_id=st.just("patient"),
    patient=st.sampled_from((Patient(True), Patient(True), Patient(False), None)),
    address_problem=st.sampled_from((None, None, None, "no_address", "address_invalid")),
    preferences=st.lists(
        st.builds(
            Preference,
            st.sampled_from(("all", "transactional", "care", "marketing")),
            st.booleans(),
            st.sampled_from((NOON, NIGHT)),
            st.integers(0, 5),
        ),
        max_size=3,
        unique_by=lambda row: row.id,
    ).map(tuple),
    suppressed=st.sampled_from((None, None, None, "bounce")),
    duplicate=st.sampled_from((None, None, None, "said")),
    cause=st.none() | causes,
    cause_version=st.sampled_from((None, "a")),
    not_after=st.none() | moments,
)


def is_quiet(facts: Facts, now: dt.datetime) -> bool:
    assert facts.organization is not None
    return facts.heeds_quiet and until(facts.organization.quiet, now) is not None


def ends(facts: Facts) -> list[dt.datetime]:
    both = (facts.not_after, facts.cause.useless_from if facts.cause else None)
    return [end for end in both if end is not None]


@given(all_facts, moments)
def test_nothing_is_sent_in_quiet_hours_nor_when_useless_nor_against_a_no(facts: Facts, now: dt.datetime) -> None:
    if decide(facts, now) != Send():
        return
    assert not is_quiet(facts, now)
    assert all(now < end for end in ends(facts))
    assert facts.address_problem is facts.suppressed is facts.duplicate is None
    if facts.category != "direct":
        for category in ("all", facts.category):
            rows = sorted((row.at, row.id, row.allowed) for row in facts.preferences if row.category == category)
            assert not rows or rows[-1][2]


@given(all_facts, moments)
def test_a_deferred_message_can_be_sent_in_time_when_it_comes_back(facts: Facts, now: dt.datetime) -> None:
    verdict = decide(facts, now)
    if isinstance(verdict, Defer):
        assert verdict.until > now
        assert not is_quiet(facts, verdict.until)
        assert all(verdict.until < end for end in ends(facts))
        assert not isinstance(decide(facts, verdict.until), Defer | Expire)


@given(all_facts, moments, moments)
def test_time_alone_turns_no_skip_into_anything_but_quiet_and_no_expiry_into_a_message(
    facts: Facts, one: dt.datetime, other: dt.datetime
) -> None:
    now, later = sorted((one, other))
    before, after = decide(facts, now), decide(facts, later)
    if isinstance(before, Skip):
        waits = isinstance(after, Defer | Expire) and is_quiet(facts, later)
        assert after == before or (before.reason in ("duplicate", "stale") and waits)
    if isinstance(before, Expire) and after == Send():
        raise AssertionError("an expired message would be sent")


@given(all_facts, moments)
def test_the_order_of_the_words_does_not_matter(facts: Facts, now: dt.datetime) -> None:
    turned = replace(facts, preferences=facts.preferences[::-1])
    assert decide(turned, now) == decide(facts, now)
