"""The sensor of bookings: when it asks for a run of the confirmations, and for which moment."""

from __future__ import annotations

import datetime as dt

import dagster as dg

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
