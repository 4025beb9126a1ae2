"""The real Dagster, killed in the middle: every event has one effect, and the dead run is marked as failed."""

from __future__ import annotations

import pytest

from fisio_ayida.defs.events.runs import EVENT_TAG
from fisio_ayida.events.work import CHUNK
from fisio_ayida_tests.defs.stack import Stack, until
from fisio_ayida_tests.defs.test_cli import Terminal, terminal
from fisio_ayida_tests.events.lab import REGIONS, Lab

__all__ = ["terminal"]

OPEN = "select count(*) from events.inbox where state in ('received', 'retry', 'claimed')"


@pytest.mark.xdist_group("processes")
def test_a_run_and_the_daemon_are_killed_and_every_event_has_one_effect(terminal: Terminal) -> None:
    lab = Lab(terminal.warehouse)
    with Stack(terminal.home, terminal.environment()) as stack, lab.warehouse.connect() as holder:
        ids = lab.canaries(3 * CHUNK)
        regions = lab.send(REGIONS)
        until(lambda: lab.row(ids[0]).state == "claimed", "the sensor claims nothing", stack.logs)
        # The run will have done two chunks when it comes to this event, and waits there.
        holder.execute("select from events.inbox where id = %s for update", [ids[2 * CHUNK + 50]])
        until(lambda: len(lab.echoes()) == 2 * CHUNK, "the run does not begin", stack.logs)
        killed = str(lab.value("select run_id from events.claims where job = 'process_events'"))
        stack.kill_run(killed)
        stack.kill_daemon()
        holder.rollback()

        # Nobody moves its lease on. A minute later:
        lab.conn.execute("update events.claims set lease_until = clock_timestamp() where run_id = %s", [killed])
        stack.start_daemon()
        until(lambda: not lab.value(OPEN), "the events do not end", stack.logs)
        assert sorted(lab.echoes()) == sorted(ids)
        assert {lab.row(id_).state for id_ in ids} == {"done"}
        assert {lab.row(id_).losses for id_ in ids[: 2 * CHUNK]} == {0}
        assert {lab.row(id_).losses for id_ in ids[2 * CHUNK :]} == {1}
        assert stack.run(killed).is_failure

        row = lab.row(regions)
        assert row.state == "done" and row.run_id
        run = stack.run(row.run_id)
        assert run.is_success and run.job_name == "sync_regiones" and run.tags[EVENT_TAG] == regions
    assert lab.value("select count(*) from bdns.regiones") > 0
    lab.conn.close()
