"""FisioFlow's cron events as runs of the clinic's jobs."""

from __future__ import annotations

import dagster as dg

from fisio_ayida.defs.events.runs import InstanceRuns, request
from fisio_ayida.events import claims, dispatch
from fisio_ayida.events.registry import EVENTS
from fisio_ayida_tests.defs.clinic.conftest import Floor
from fisio_ayida_tests.events.lab import LOG, Lab


def test_a_cron_event_is_a_run_for_its_day_and_done_with_it(floor: Floor) -> None:
    inbox = Lab(floor.lab.warehouse)
    inbox.moment = floor.lab.moment
    row = EVENTS["cron/daily.reports"]
    id_ = inbox.send(row.name, {"scheduledDate": "2026-03-05T11:00:00.000Z"})
    [claim] = claims.claim_launches(inbox.conn, row, now=inbox.moment)
    asked = request(claim)
    job = floor.definitions()[0].resolve_job_def(claim.job)
    result = job.execute_in_process(run_config=asked.run_config, tags=dict(asked.tags), instance=floor.instance)
    assert set(floor.recorded(result)) == {"2026-03-04"}
    dispatch.look_after(inbox.conn, InstanceRuns(floor.instance), now=inbox.moment, log=LOG)
    assert (inbox.row(id_).state, inbox.row(id_).run_id) == ("done", result.run_id)
    inbox.conn.close()


def test_the_sensor_of_events_knows_the_jobs(floor: Floor) -> None:
    sensor = floor.definitions()[0].get_repository_def().get_sensor_def("events_inbox")
    assert isinstance(sensor, dg.SensorDefinition)
    assert {"daily_cleanup", "daily_reports", "birthday_messages", "weekly_summary", "expiring_vouchers",
            "data_integrity"} <= {job.name for job in sensor.jobs}  # fmt: skip
