"""The sensor of completed sessions: when it asks for a run of the insights, and what it says otherwise."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import psycopg
import pytest

from fisio_ayida.insights import asking
from fisio_ayida_tests.defs.clinic.conftest import Floor
from fisio_ayida_tests.defs.conftest import failure_words
from fisio_ayida_tests.insights.lab import InsightsLab

JOB = "patient_insights"
MINUTE = dt.timedelta(minutes=1)
NOTHING = "no session was completed that no run has collected, and nobody's insights are due"


def tick(floor: Floor) -> dg.SensorExecutionData:
    """What the sensor answers now."""
    definitions, mirror = floor.definitions()
    sensor = definitions.get_repository_def().get_sensor_def("sessions_completed")
    context = dg.build_sensor_context(
        instance=floor.instance, definitions=definitions, resources={"mirror": mirror}
    )
    return sensor.evaluate_tick(context)


def complete(lab: InsightsLab, ago: dt.timedelta) -> None:
    """A session of this morning that was finalized so long ago."""
    lab.patient()
    lab.session("session-1", lab.moment.date(), finalized_at=lab.moment - ago)


def test_where_no_session_was_completed_nothing_is_asked_for(floor: Floor) -> None:
    answer = tick(floor)
    assert (answer.run_requests, answer.skip_message, answer.cursor) == ([], NOTHING, None)


def test_a_session_is_asked_for_when_its_record_is_quiet_until_a_run_has_made_its_insight(
    floor: Floor, lab: InsightsLab
) -> None:
    complete(lab, 2 * MINUTE)
    assert tick(floor).skip_message == NOTHING
    lab.moment += 5 * MINUTE
    [asked] = tick(floor).run_requests or []
    [op] = asked.run_config["ops"].values()
    assert dt.datetime.fromisoformat(op["config"]["at"]) == lab.moment
    assert (asked.tags["dagster/max_retries"], asked.tags["dagster/max_runtime"]) == ("0", "7200")

    result = floor.run(JOB, op["config"])

    assert result.success, failure_words(result)
    assert len(lab.rows("select * from insights.generations")) == 1
    answer = tick(floor)
    assert answer.skip_message == NOTHING
    assert answer.cursor == "2026-03-12T11:58:00+00:00 session-1"


def no_news(*_: object, **__: object) -> bool:
    raise psycopg.errors.DeadlockDetected("deadlock detected")


def test_while_a_run_is_there_no_other_one_is_asked_for_and_nothing_is_looked_at(
    floor: Floor, lab: InsightsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(lab, 10 * MINUTE)
    job = floor.definitions()[0].resolve_job_def(JOB)
    run = floor.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    with monkeypatch.context() as patch:
        patch.setattr(asking, "has_news", no_news)
        assert tick(floor).skip_message == f"run {run.run_id} is started"
    floor.instance.report_run_failed(run)
    assert tick(floor).run_requests


def test_a_database_that_does_not_answer_is_asked_again_with_the_next_tick(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "has_news", no_news)
    answer = tick(floor)
    assert answer.skip_message == "a database did not answer: DeadlockDetected: deadlock detected"


def test_after_two_runs_that_failed_the_next_one_waits(floor: Floor, lab: InsightsLab) -> None:
    complete(lab, 10 * MINUTE)
    job = floor.definitions()[0].resolve_job_def(JOB)
    for _ in range(2):
        floor.instance.report_run_failed(
            floor.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        )
    lab.moment = dt.datetime.now(dt.UTC)
    complete_again = lab.moment - 10 * MINUTE
    lab.session("session-2", lab.moment.date(), finalized_at=complete_again)
    assert str(tick(floor).skip_message).startswith(f"the last runs of {JOB} failed: the next one is at ")
