"""Words: tried again where that may help, a few at once, and nobody's facts wait for them."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from fisio_ayida.insights.model import Commission, NotWritten, Written
from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT
from fisio_ayida_tests.insights.flow import (
    HOUR,
    KEY,
    MINUTE,
    Script,
    finalized,
    generations,
    insights,
    items,
    only,
    queue,
    words,
)
from fisio_ayida_tests.insights.lab import InsightsLab


def transient(reason: str = "unreachable", **more: Any) -> NotWritten:
    return NotWritten(reason, "why", is_transient=True, **more)


def test_words_that_fail_in_passing_are_tried_three_times_more_and_facts_stay(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer, waits = Script({PATIENT: transient()}), []
    for _ in range(4):
        insights(lab, writer)
        insights(lab, writer)
        row = only(lab)
        waits.append(
            (row["narrative"], row["reason"], row["tries"], row["retry_at"] and row["retry_at"] - lab.moment)
        )
        lab.moment = row["retry_at"] or lab.moment
    assert waits == [
        ("waiting", "unreachable", 1, MINUTE), ("waiting", "unreachable", 2, 5 * MINUTE),
        ("waiting", "unreachable", 3, 30 * MINUTE), ("none", "unreachable", 4, None),
    ]  # fmt: skip
    assert (len(writer.asked), queue(lab), items(lab)) == (4, [], {"facts": ["progress_summary"]})


def test_a_later_try_gives_words_of_the_same_facts(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: transient()}))
    made, before = only(lab)["facts"], lab.moment.date()
    lab.moment += dt.timedelta(days=1)
    writer = Script()
    insights(lab, writer)
    assert (only(lab)["narrative"], only(lab)["facts"], writer.records[0].today) == ("written", made, before)


def test_a_server_that_asks_for_more_time_gets_it(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: transient("rate_limited", after=7 * MINUTE)}))
    assert only(lab)["retry_at"] == lab.moment + 7 * MINUTE


def test_a_spent_budget_waits_for_the_clinics_next_day_however_often_and_not_for_ever(lab: InsightsLab) -> None:
    lab.conn.execute("update messaging.policies set zone = 'America/Rio_Branco'")
    lab.patient()
    finalized(lab)
    writer = Script({PATIENT: transient("over_budget")})
    insights(lab, writer)
    tomorrow = dt.datetime(2026, 3, 13, 5, tzinfo=dt.UTC)
    assert (only(lab)["retry_at"], only(lab)["tries"]) == (tomorrow, 0)
    for _ in range(7):
        lab.moment = only(lab)["retry_at"]
        insights(lab, writer)
    assert (only(lab)["narrative"], only(lab)["reason"]) == ("waiting", "over_budget")
    lab.moment = only(lab)["retry_at"]
    insights(lab, writer)
    assert (only(lab)["narrative"], len(writer.asked), queue(lab)) == ("none", 9, [])


def test_words_that_can_never_be_are_not_asked_for_again(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script({PATIENT: NotWritten("insufficient_data", scrubbed={"name": 3})})
    outcome = insights(lab, writer)
    insights(lab, writer, patients=[PATIENT], organization=CLINIC)
    row = only(lab)
    assert (row["narrative"], row["reason"], row["scrubbed"], len(writer.asked)) == (
        "none",
        "insufficient_data",
        3,
        1,
    )
    assert (outcome.facts["facts_only"], outcome.facts["scrubbed"]) == (1, 3)


def test_a_new_session_does_not_wait_for_the_words_of_the_old_one(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: transient("over_budget")}))
    lab.moment += HOUR
    finalized(lab, "session-2")
    writer = Script()
    insights(lab, writer)
    assert [each.key for each in writer.asked] == [KEY.replace("session-1", "session-2")]
    assert queue(lab) == []


def test_facts_of_who_becomes_due_while_a_model_is_slow_do_not_wait_for_it(
    lab: InsightsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fisio_ayida.insights.running.WORDS", 1)
    for number in range(2):
        lab.patient(f"patient-{number}")
        finalized(lab, f"session-{number}", patient=f"patient-{number}")
    lab.patient("late")
    writer = Script()
    seen: list[set[str]] = []

    async def meanwhile(asked: Commission) -> None:
        if not seen:
            lab.session("session-late", lab.moment.date(), patient="late", finalized_at=lab.moment - 6 * MINUTE)
        seen.append({row["patient_id"] for row in generations(lab)})

    writer.meanwhile = meanwhile
    insights(lab, writer)
    assert seen == [{"patient-0", "patient-1"}, {"patient-0", "patient-1", "late"}]
    assert [row["patient_id"] for row in queue(lab)] == ["late"], "its words are the next run's"


def test_no_more_narratives_are_under_way_than_is_allowed(lab: InsightsLab) -> None:
    for number in range(9):
        lab.patient(f"patient-{number}")
        finalized(lab, f"session-{number}", patient=f"patient-{number}")
    writer = Script()

    async def a_while(_: Commission) -> None:
        await asyncio.sleep(0.005)

    writer.meanwhile = a_while
    insights(lab, writer, in_flight=4)
    assert (writer.most, len(writer.asked)) == (4, 9)


def test_two_items_of_one_type_are_a_fault_of_the_writer(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    twice = Written(words().items * 2, {})
    insights(lab, Script({PATIENT: twice}))
    assert (only(lab)["narrative"], queue(lab)[0]["tries"]) == ("waiting", 1)
