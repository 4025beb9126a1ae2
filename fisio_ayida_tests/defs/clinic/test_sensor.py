"""The sensor of bookings: when it asks for a run of the confirmations, and for which moment."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import pytest
from dagster._core.events import StepMaterializationData

from fisio_ayida.clinic.registry import JOBS
from fisio_ayida.defs.clinic.news import paused_until
from fisio_ayida.defs.clinic.specs import asset_key, op_name
from fisio_ayida_tests.defs.clinic.conftest import Floor
from fisio_ayida_tests.defs.conftest import failure_words

JOB = "appointment_confirmations"
MINUTE = dt.timedelta(minutes=1)


def tick(floor: Floor) -> dg.RunRequest | str | None:
    """What the sensor asks for, or says."""
    definitions, mirror = floor.definitions()
    sensor = definitions.get_repository_def().get_sensor_def("bookings_made")
    context = dg.build_sensor_context(
        instance=floor.instance, definitions=definitions, resources={"mirror": mirror}
    )
    answer = sensor.evaluate_tick(context)
    return answer.run_requests[0] if answer.run_requests else answer.skip_message


def book(floor: Floor, ago: dt.timedelta) -> None:
    """A visit of tomorrow, booked so long ago."""
    floor.lab.patient()
    floor.lab.visit("2026-03-13T14:00", created_at=floor.lab.moment - ago, updated_at=floor.lab.moment - ago)


def test_where_nothing_was_booked_nothing_is_asked_for(floor: Floor) -> None:
    assert tick(floor) == "no visit was booked that no run has looked at"


def test_a_booking_is_asked_for_until_a_run_has_told_of_it(floor: Floor) -> None:
    floor.lab.moment += 7 * MINUTE
    book(floor, 2 * MINUTE)
    asked = tick(floor)
    assert isinstance(asked, dg.RunRequest)
    at = floor.lab.moment.astimezone(dt.UTC)
    [op] = asked.run_config["ops"].values()
    assert dt.datetime.fromisoformat(op["config"]["at"]) == at and asked.tags["dagster/max_retries"] == "0"

    result = floor.run(JOB, op["config"])

    assert result.success, failure_words(result)
    assert len(floor.lab.keys()) == 1
    assert tick(floor) == "no visit was booked that no run has looked at"


def test_while_a_run_is_there_no_other_one_is_asked_for(floor: Floor) -> None:
    book(floor, 2 * MINUTE)
    job = floor.definitions()[0].resolve_job_def(JOB)
    run = floor.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert tick(floor) == f"run {run.run_id} is started"
    floor.instance.report_run_failed(run)
    assert isinstance(tick(floor), dg.RunRequest)


def failed(floor: Floor, times: int, *, recorded: bool = False) -> None:
    """So many runs that fail now, by the host's clock; at the end it is this time in the lab."""
    job = floor.definitions()[0].resolve_job_def(JOB)
    for _ in range(times):
        run = floor.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        if recorded:
            floor.instance.report_dagster_event(materialized(run), run.run_id)
        floor.instance.report_run_failed(run)
    floor.lab.moment = dt.datetime.now(dt.UTC)


def materialized(run: dg.DagsterRun) -> dg.DagsterEvent:
    """That the run was done for some clinics."""
    made = StepMaterializationData(dg.AssetMaterialization(asset_key(JOBS[JOB])))
    return dg.DagsterEvent(
        dg.DagsterEventType.ASSET_MATERIALIZATION.value, job_name=JOB, event_specific_data=made,
        step_key=op_name(JOBS[JOB]),
    )  # fmt: skip


@pytest.fixture
def forgotten(floor: Floor) -> Floor:
    """Without the runs of other tests."""
    for run in floor.instance.get_runs(dg.RunsFilter(job_name=JOB)):
        floor.instance.delete_run(run.run_id)
    return floor


def waits(floor: Floor) -> float:
    """Minutes from now until the next try; 0 if there is nothing to wait for."""
    until = paused_until(floor.instance, JOB)
    return 0 if until is None else round((until - floor.lab.moment) / MINUTE)


@pytest.mark.parametrize(("times", "minutes"), [(1, 0), (2, 15), (3, 30), (4, 60), (6, 60)])
def test_after_runs_that_failed_the_next_one_waits(forgotten: Floor, times: int, minutes: int) -> None:
    failed(forgotten, times)
    assert waits(forgotten) == minutes


def test_after_runs_that_were_done_for_some_clinics_the_others_wait_five_minutes(forgotten: Floor) -> None:
    failed(forgotten, 4, recorded=True)
    assert waits(forgotten) == 5


def test_a_booking_after_two_runs_that_failed_is_asked_for_when_their_pause_is_over(forgotten: Floor) -> None:
    failed(forgotten, 2)
    book(forgotten, 2 * MINUTE)
    assert "the last runs of appointment_confirmations failed" in str(tick(forgotten))
    forgotten.lab.moment += 16 * MINUTE
    assert isinstance(tick(forgotten), dg.RunRequest)
