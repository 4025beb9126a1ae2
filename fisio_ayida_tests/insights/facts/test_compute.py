"""All facts of a record: of any record, in the registry's words, whatever the order."""

from __future__ import annotations

import math
import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.facts.registry import FACTS, KINDS
from fisio_ayida.insights.facts.rules import FLAGS, WORDS
from fisio_ayida.insights.model import Fact, Facts, Record
from fisio_ayida_tests.insights.facts.records import arbitrary, fact, record, session, visit, weekly

any_record = settings(max_examples=25, deadline=None, derandomize=True)


def numbers(of: Fact) -> list[float]:
    return [each for each in (of.value, of.low, of.high, *of.of.values()) if each is not None]


@given(arbitrary())
@any_record
def test_any_record_has_facts_that_are_finite_and_rest_on_what_there_is(of: Record) -> None:
    found = compute(of)
    ids = {each.id for each in (*of.visits, *of.sessions)}

    assert all(math.isfinite(each) for one in found.facts for each in numbers(one))
    assert all(set(each.inputs) <= ids for each in (*found.facts, *found.flags))
    assert all(
        one.low <= one.value <= one.high for one in found.facts if None not in (one.value, one.low, one.high)
    )  # type: ignore[operator]


@given(arbitrary())
@any_record
def test_every_fact_is_as_its_row_says(of: Record) -> None:
    found = compute(of)

    assert list(dict.fromkeys(each.name for each in found.facts)) == [kind.name for kind in FACTS]
    for each in found.facts:
        kind = KINDS[each.name]
        assert (each.value is None) == bool(each.missing)
        assert not each.missing or each.missing in kind.missing
        assert set(each.of) <= set(kind.of)
        # A series that spans less than a month is told for its days.
        unit = re.sub(r"/\d+ d$", "/30 d", each.unit)
        assert unit == kind.unit or kind.unit == "…" + unit[unit.index("/") :]
    refs = {each.ref for each in found.facts}
    assert {each.name for each in found.flags} <= {kind.name for kind in FLAGS}
    assert all(set(each.facts) <= refs for each in found.flags)
    assert all(WORDS[word].advice for word in found.missing)


@given(arbitrary(), st.randoms(use_true_random=False))
@any_record
def test_the_order_of_rows_means_nothing(of: Record, chance: random.Random) -> None:
    visits = list({each.id: each for each in of.visits}.values())
    sessions = list({each.id: each for each in of.sessions}.values())
    before = compute(record(visits=visits, sessions=sessions, today=of.today))
    chance.shuffle(visits)
    chance.shuffle(sessions)

    assert compute(record(visits=visits, sessions=sessions, today=of.today)) == before


def test_a_row_that_is_there_twice_counts_once() -> None:
    visits, sessions = [visit(ago) for ago in (1, 8, 15, 22)], list(weekly([5, 4, 3, 2, 1]))

    assert compute(record(visits=visits * 2, sessions=sessions * 2)) == compute(
        record(visits=visits, sessions=sessions)
    )


def test_an_empty_record_has_no_number_and_says_what_to_record() -> None:
    found = compute(record())

    assert [each.value for each in found.facts] == [None] * len(FACTS)
    assert (found.sessions, found.flags, found.missing) == (0, (), ("too_few_sessions", "no_pain"))


def test_with_one_session_attendance_is_counted_and_no_trend_is_looked_for() -> None:
    of = record(visits=[visit(ago) for ago in (1, 8, 15, 22)], sessions=[session(1, 5)])

    assert fact(of, "attendance_rate_90d").value == 1.0
    without = {each.name for each in compute(of).facts if each.missing == "too_few_sessions"}
    assert without == {
        "pain_trend", "pain_record_share", "measurement_trend", "exercise_volume", "exercise_volume_trend",
        "exercise_repetitions", "exercise_repetitions_trend",
    }  # fmt: skip


def test_visits_without_an_outcome_and_unreadable_content_are_missing() -> None:
    of = record(
        visits=[visit(5, "confirmed")], sessions=[session(5, unusable=("exercises: a list was expected",))]
    )

    assert {"visits_without_outcome", "unreadable_content"} <= set(compute(of).missing)


def test_what_was_stored_comes_back_the_same() -> None:
    import msgspec

    found = compute(record(visits=[visit(ago) for ago in (1, 8, 15, 22)], sessions=weekly([7, 6, 5, 4, 3, 2])))

    assert msgspec.json.decode(msgspec.json.encode(found), type=Facts) == found
