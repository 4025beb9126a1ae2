"""Words: tried again where that may help, a few at once, and nobody's facts wait for them."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from fisio_ayida.insights import facts
from fisio_ayida.insights.asking import ask
from fisio_ayida.insights.model import Commission, Facts, NotWritten, Record, Written
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
    shown,
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


def test_words_that_can_never_be_are_not_asked_for_again_by_themselves(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script({PATIENT: NotWritten("insufficient_data", scrubbed={"name": 3})})
    outcome = insights(lab, writer)
    ask(lab.conn, CLINIC, [PATIENT], cause="event", now=lab.moment)
    insights(lab, writer)
    row = only(lab)
    assert (row["narrative"], row["reason"], row["scrubbed"], len(writer.asked)) == (
        "none",
        "insufficient_data",
        3,
        1,
    )
    assert (outcome.facts["facts_only"], outcome.facts["scrubbed"]) == (1, 3)


@pytest.mark.parametrize(
    "why",
    [NotWritten("rejected"), NotWritten("no_price"), NotWritten("bad_number"), transient("over_budget")],
    ids=lambda why: why.reason,
)
def test_who_asks_by_hand_has_words_asked_for_again_at_once(lab: InsightsLab, why: NotWritten) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: why}))
    before = only(lab)["narrative"]
    insights(lab, Script(), patients=[PATIENT], organization=CLINIC)
    assert (before, only(lab)["narrative"]) == ("waiting" if why.is_transient else "none", "written")
    assert shown(lab) == [("progress_summary", "A dor caiu.")]


@pytest.mark.parametrize(("reason", "ends"), [("rejected", "written"), ("bad_number", "none")])
def test_a_day_is_asked_for_again_where_the_model_could_not_be_asked(
    lab: InsightsLab, reason: str, ends: str
) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: NotWritten(reason)}))
    insights(lab, Script(), days=[lab.moment.date()])
    assert only(lab)["narrative"] == ends


def test_by_hand_all_tries_are_there_again(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script({PATIENT: transient()})
    for _ in range(4):
        insights(lab, writer)
        lab.moment = only(lab)["retry_at"] or lab.moment
    assert only(lab)["narrative"] == "none"
    insights(lab, writer, patients=[PATIENT], organization=CLINIC)
    assert (only(lab)["narrative"], only(lab)["tries"]) == ("waiting", 1)


def test_a_server_that_nobody_asked_uses_up_no_try(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script({PATIENT: transient(after=5 * MINUTE, concerns="server")})
    for _ in range(6):
        insights(lab, writer)
        lab.moment = only(lab)["retry_at"]
    assert (only(lab)["narrative"], only(lab)["tries"], only(lab)["reason"]) == ("waiting", 0, "unreachable")
    lab.moment += dt.timedelta(days=7)
    insights(lab, writer)
    assert only(lab)["narrative"] == "none", "not for ever"


def test_nobody_waits_for_longer_than_a_day_because_a_server_says_so(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: transient("rate_limited", after=dt.timedelta(days=9))}))
    assert only(lab)["retry_at"] == lab.moment + dt.timedelta(days=1)


def test_in_a_long_run_moments_and_budgets_are_those_of_the_call(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    started, writer = lab.moment, Script({PATIENT: transient()})
    moments = [started]

    async def hours(_: Commission) -> None:
        moments.append(started + 10 * HOUR)

    writer.meanwhile = hours
    insights(lab, writer, now=lambda: moments[-1])
    assert only(lab)["retry_at"] == started + 10 * HOUR + MINUTE
    moments.append(started + 24 * HOUR)
    insights(lab, writer, now=lambda: moments[-1])
    assert [each.day for each in writer.asked] == [started.date(), started.date() + dt.timedelta(days=1)]


def test_a_run_that_has_had_its_time_leaves_the_rest_to_the_next(lab: InsightsLab) -> None:
    for number in range(5):
        lab.patient(f"patient-{number}")
        finalized(lab, f"session-{number}", patient=f"patient-{number}")
    started, writer = lab.moment, Script()
    moments = [started]

    async def hours(_: Commission) -> None:
        moments.append(started + 2 * HOUR)

    writer.meanwhile = hours
    outcome = insights(lab, writer, now=lambda: moments[-1], longest=HOUR, in_flight=2)
    assert (len(writer.asked), outcome.facts["left"], outcome.failures) == (2, 3, [])
    assert [row["claim"] for row in queue(lab)] == [None] * 3
    lab.moment = moments[-1]
    assert insights(lab, Script()).facts["narratives"] == 3


def test_a_spent_budget_keeps_the_others_of_the_clinic_from_being_asked_for_or_read(
    lab: InsightsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fisio_ayida.insights.running.WORDS", 2)
    lab.clinic("org-2")
    for number in range(7):
        organization = CLINIC if number < 6 else "org-2"
        lab.patient(f"patient-{number}", organization)
        finalized(lab, f"session-{number}", patient=f"patient-{number}", organization=organization)
    writer = Script({f"patient-{number}": transient("over_budget", concerns="clinic") for number in range(6)})
    read: list[str] = []
    examined = facts.compute

    def compute(record: Record) -> Facts:
        read.append(record.patient_id)
        return examined(record)

    monkeypatch.setattr(facts, "compute", compute)
    outcome = insights(lab, writer, in_flight=1)
    assert [each.patient_id for each in writer.asked] == ["patient-0", "patient-6"]
    assert (outcome.facts["waiting"], outcome.facts["narratives"]) == (6, 1)
    assert [read.count(f"patient-{number}") for number in range(6)] == [2, 2, 1, 1, 1, 1]
    tomorrow = dt.datetime(2026, 3, 13, 3, tzinfo=dt.UTC)
    waiting = [row for row in generations(lab) if row["narrative"] == "waiting"]
    assert {(row["reason"], row["retry_at"]) for row in waiting} == {("over_budget", tomorrow)}
    assert {row["due_at"] for row in queue(lab)} == {tomorrow}


def test_a_session_that_was_edited_before_its_words_came_has_its_facts_made_anew(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab, pain=8)
    insights(lab, Script({PATIENT: transient()}))
    lab.conn.execute("update clinic.session_contents set pain_scale = 2")
    lab.moment = only(lab)["retry_at"]
    insights(lab, Script())
    old, new = generations(lab)
    assert (old["narrative"], old["superseded_by"]) == ("waiting", new["key"])
    assert (new["narrative"], new["edition"], new["facts"] == old["facts"]) == ("written", 2, False)


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
    assert seen[:2] == [{"patient-0", "patient-1"}, {"patient-0", "patient-1", "late"}]
    assert (len(writer.asked), queue(lab)) == (3, []), "and its words are this run's, too"


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
