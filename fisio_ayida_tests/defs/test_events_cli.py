"""``process_events`` by hand, in a process of Dagster's own: it executes the runs that events stand for."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from fisio_ayida.defs.events.runs import EVENT_TAG
from fisio_ayida_tests.defs.test_cli import Terminal, terminal
from fisio_ayida_tests.events.lab import REGIONS, Lab

__all__ = ["terminal"]


@pytest.fixture
def lab(terminal: Terminal) -> Iterator[Lab]:
    """The inbox of the terminal's database."""
    opened = Lab(terminal.warehouse)
    yield opened
    opened.conn.close()


def test_by_hand_each_run_is_executed_and_its_outcome_is_that_of_its_events(terminal: Terminal, lab: Lab) -> None:
    regions, bodies = [lab.send(REGIONS), lab.send(REGIONS)], lab.send("organos/sync.requested")
    [canary] = lab.canaries(1)
    terminal.sim.fault("status", "organos", status=400)
    code, output = terminal.call("job", "execute", "-j", "process_events")
    assert code == 0, output
    assert lab.echoes() == [canary]
    assert [lab.row(id_).state for id_ in (*regions, bodies)] == ["done", "done", "dead"]
    assert "400" in (lab.row(bodies).reason or "")
    assert lab.value("select count(*) from bdns.regiones") > 0
    [run_id] = {lab.row(id_).run_id for id_ in regions}
    with dg.DagsterInstance.from_config(str(terminal.home)) as instance:
        run = instance.get_run_by_id(run_id or "")
    assert run is not None and run.is_success and run.job_name == "sync_regiones"
    assert run.tags[EVENT_TAG] == ",".join(regions)
