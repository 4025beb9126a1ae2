"""What goes wrong for one patient or clinic harms no other; runs at once, or cut short, double nothing."""

from __future__ import annotations

import asyncio
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fisio_ayida.clinic.model import Outcome
from fisio_ayida.clinic.service import open_desk
from fisio_ayida.insights import claiming, facts, publishing
from fisio_ayida.insights.claiming import MOST_LOSSES, MOST_TRIES, Scope
from fisio_ayida.insights.model import Commission, Facts, Record
from fisio_ayida.insights.publishing import Published
from fisio_ayida_tests.clinic.lab import CLINIC, LOG, PATIENT
from fisio_ayida_tests.insights.flow import (
    HOUR,
    MINUTE,
    Script,
    current,
    finalized,
    generations,
    insights,
    only,
    queue,
)
from fisio_ayida_tests.insights.lab import InsightsLab

# --- trouble


def test_a_patient_who_makes_the_writer_fail_is_tried_later_and_given_up_in_the_end(lab: InsightsLab) -> None:
    for patient in (PATIENT, "patient-2"):
        lab.patient(patient)
        finalized(lab, f"session-of-{patient}", patient=patient)
    writer = Script({PATIENT: RuntimeError("no, +55 11 98765-4321!")})
    pauses = []
    for _ in range(MOST_TRIES):
        outcome = insights(lab, writer)
        assert outcome.facts["failed"] == 1
        [row] = queue(lab)
        pauses.append((row["due_at"] - lab.moment) // MINUTE)
        lab.moment = row["due_at"]
    assert pauses == [1, 5, 25, 120, 120]
    assert (row["tries"], row["error"], row["dead_at"] is not None) == (5, "RuntimeError: no, ***!", True)
    insights(lab, writer)
    assert len([each for each in writer.asked if each.patient_id == PATIENT]) == MOST_TRIES
    assert [row["narrative"] for row in generations(lab)] == ["waiting", "written"]


def test_one_patients_row_that_the_database_cannot_read_harms_nobody_else(lab: InsightsLab) -> None:
    for number in range(5):
        lab.patient(f"patient-{number}")
        finalized(lab, f"session-{number}", patient=f"patient-{number}")
    lab.conn.execute("alter table clinic.session_contents alter pain_scale type text")
    try:
        lab.conn.execute("update clinic.session_contents set pain_scale = 'x' where session_id = 'session-3'")
        lab.conn.execute("alter table clinic.session_contents rename to wrong")
        lab.conn.execute(
            "create view clinic.session_contents as select session_id, organization_id, patient_id, "
            "pain_scale::smallint as pain_scale, note, procedures, exercises, measurements, home_exercises "
            "from clinic.wrong"
        )
        outcome = insights(lab)
        assert (outcome.facts["generated"], outcome.facts["failed"], outcome.failures) == (4, 1, [])
        [row] = queue(lab)
        assert (row["patient_id"], row["tries"]) == ("patient-3", 1)
    finally:
        lab.conn.execute("drop view if exists clinic.session_contents")
        lab.conn.execute("alter table if exists clinic.wrong rename to session_contents")
        lab.conn.execute("alter table clinic.session_contents alter pain_scale type smallint using null")


def test_patients_of_a_clinic_that_cannot_be_read_wait_without_losing_a_try(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    lab.conn.execute("alter function clinic.status_class(text, text) rename to other")
    lab.conn.execute("create function clinic.status_class(a text, b text) returns text language plpgsql as "
                     "$$begin raise exception 'away'; end$$")  # fmt: skip
    lab.visit("2026-03-01T10:00")
    try:
        outcome = insights(lab)
    finally:
        lab.conn.execute("drop function clinic.status_class(text, text)")
        lab.conn.execute("alter function clinic.other(text, text) rename to status_class")
    assert outcome.failures == [(CLINIC, "RaiseException: away")]
    assert lab.rows("select organization_id from jobs.failures") == [{"organization_id": CLINIC}]
    [row] = queue(lab)
    assert (row["tries"], row["due_at"], row["claim"]) == (0, lab.moment + 15 * MINUTE, None)
    lab.moment = row["due_at"]
    assert insights(lab).facts["generated"] == 1


# --- several runs


def test_runs_at_once_make_each_insight_once(lab: InsightsLab) -> None:
    patients = [f"patient-{number}" for number in range(12)]
    for patient in patients:
        lab.patient(patient)
        finalized(lab, f"session-of-{patient}", patient=patient)
    writer, start = Script(), threading.Barrier(3, timeout=60)

    def alone(_: int) -> Outcome:
        with open_desk(lab.settings, lab.warehouse, log=LOG) as desk:
            start.wait()
            return insights(lab, writer, desk=desk)

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(alone, range(3)))
    assert sum(each.facts.get("generated", 0) for each in outcomes) == 12
    assert sorted(each.patient_id for each in writer.asked) == sorted(patients)
    assert sorted(current(lab)) == sorted(patients)
    assert queue(lab) == []


def test_who_was_asked_for_again_while_words_were_written_stays_in_the_queue(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script()

    async def another(_: Commission) -> None:
        finalized(lab, "session-2", ago=MINUTE)
        with open_desk(lab.settings, lab.warehouse, log=LOG) as desk:
            await asyncio.to_thread(insights, lab, desk=desk)

    writer.meanwhile = another
    insights(lab, writer)
    assert [(row["step"], row["claim"], row["due_at"]) for row in queue(lab)] == [
        ("record", None, lab.moment + 4 * MINUTE)
    ]
    assert only(lab)["narrative"] == "written"


def test_a_run_that_lost_a_patient_meanwhile_writes_nothing_about_it(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script()

    async def lose(_: Commission) -> None:
        lab.conn.execute("update insights.queue set claim = %s", [uuid.uuid4()])

    writer.meanwhile = lose
    outcome = insights(lab, writer)
    assert (only(lab)["narrative"], outcome.facts["lost"]) == ("waiting", 1)


def test_a_group_that_takes_long_to_compute_stays_in_hand(
    lab: InsightsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.patient()
    finalized(lab)
    computed, published, is_held = facts.compute, publishing.publish, []

    def compute(record: Record) -> Facts:
        lab.conn.execute("update insights.queue set lease_until = clock_timestamp() + interval '1 s'")
        return computed(record)

    def publish(*given: Any, **more: Any) -> Published:
        [row] = lab.rows("select lease_until > clock_timestamp() + interval '1 min' as long from insights.queue")
        is_held.append(row["long"])
        return published(*given, **more)

    monkeypatch.setattr(facts, "compute", compute)
    monkeypatch.setattr("fisio_ayida.insights.working.publish", publish)
    insights(lab)
    assert is_held == [True]


def test_whom_runs_died_with_is_taken_alone_and_given_up_in_the_end(lab: InsightsLab) -> None:
    for number in range(3):
        lab.patient(f"patient-{number}")
        finalized(lab, f"session-{number}", patient=f"patient-{number}", ago=MINUTE)
    insights(lab)
    lab.moment += HOUR
    many = []
    for _ in range(MOST_LOSSES + 4):
        found = claiming.claim(lab.conn, Scope([CLINIC]), "record", now=lab.moment, run_id="run-2", most=200)
        many.append(len(found[1]) if found else 0)
        lab.conn.execute(
            "update insights.queue set lease_until = clock_timestamp() - interval '1 s' where claim = %s",
            [found[0] if found else None],
        )
    assert many[:3] == [3, 3, 1]
    rows = queue(lab)
    assert max(row["losses"] for row in rows) == MOST_LOSSES - 1
    assert any(row["dead_at"] for row in rows)


class Interrupted(BaseException):
    """What Dagster raises in a step that is cancelled."""


def test_words_that_the_writer_cancels_are_tried_later(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script()

    async def cancel(_: Commission) -> None:
        raise asyncio.CancelledError

    writer.meanwhile = cancel
    insights(lab, writer)
    assert (queue(lab)[0]["error"], len(writer.asked)) == ("CancelledError: by the writer", 1)


def test_what_a_failed_run_had_in_hand_is_given_back_at_once(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script()

    async def stop(_: Commission) -> None:
        raise Interrupted

    writer.meanwhile = stop
    with pytest.raises(BaseExceptionGroup):
        insights(lab, writer)
    [row] = queue(lab)
    assert (row["claim"], row["lease_until"], row["step"]) == (None, None, "narrative")
