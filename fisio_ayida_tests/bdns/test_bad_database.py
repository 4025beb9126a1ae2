"""The database goes away or is full in the middle of a load: one clear line, and the tables as they were."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fisio_ayida.bdns.client import Traffic
from fisio_ayida.bdns.datasets import CONCESIONES
from fisio_ayida.bdns.mirror import Silent
from fisio_ayida.bdns.records import Batch
from fisio_ayida.bdns.windows import Window
from fisio_ayida.simulators.bdns import BdnsSimulator
from fisio_ayida.warehouse.embedded import attach
from fisio_ayida.warehouse.engine import Warehouse, WarehouseError
from fisio_ayida.warehouse.migrate import migrate
from fisio_ayida_tests.bdns.conftest import WEEK, Lab, assert_true, everything, last_loads
from fisio_ayida_tests.conftest import TEST_TUNING

PAGES = {"BDNS_PAGE_SIZE": 50}


class AtPage(Silent):
    """Does something once, when the given page of a load has come."""

    def __init__(self, number: int, act: Any) -> None:
        self._left = number
        self._act = act

    def rows_received(self, window: Window, batch: Batch, traffic: Traffic) -> None:
        self._left -= 1
        if self._left == 0:
            self._act()


@pytest.fixture
def changed_lab(lab: Lab) -> Lab:
    """A mirror with a week in it, and a source that has moved on."""
    lab.week("concesiones")
    lab.sim.step(changed=0.2, removed=0.05, added=0.2, datasets=["concesiones"])
    return lab


def assert_next_run_is_good(lab: Lab) -> None:
    """A run after the bad day neither waits nor fails, and its tables are true."""
    lab.week("concesiones", LOCK_WAIT_SECONDS=0, allow_removals=True)
    assert_true(lab, "concesiones", *WEEK)
    assert lab.count("ops.requests_in_flight") == 0


def terminate_ours(lab: Lab, name: str) -> None:
    """End connections to this test's own database: the server is shared with other tests."""
    lab.rows(
        f"select pg_terminate_backend(pid) from pg_stat_activity where application_name like '{name}' "
        "and datname = current_database()"
    )


@pytest.mark.parametrize("page", [1, 3, 5])
def test_a_load_whose_connection_is_terminated_writes_nothing(changed_lab: Lab, page: int) -> None:
    lab = changed_lab
    before = everything(lab, CONCESIONES)

    def terminate() -> None:
        terminate_ours(lab, "%sync_test%")

    error = lab.fails("concesiones", *WEEK, observer=AtPage(page, terminate), **PAGES)
    # The server's own words when they were read in time, else the driver's.
    assert "database: terminating connection" in str(error) or "server closed the connection" in str(error)
    assert "\n" not in str(error)
    assert {load["status"] for load in last_loads(lab, "concesiones")[-7:]} == {"failed"}
    assert everything(lab, CONCESIONES) == before
    assert_next_run_is_good(lab)


def test_a_clock_whose_connection_is_terminated_connects_again(changed_lab: Lab) -> None:
    lab = changed_lab

    def terminate() -> None:
        terminate_ours(lab, "%clock%")

    lab.week("concesiones", observer=AtPage(2, terminate), allow_removals=True, **PAGES)
    assert_true(lab, "concesiones", *WEEK)


@pytest.fixture
def private(sim: BdnsSimulator, tmp_path: Path) -> Iterator[Lab]:
    """A lab on a PostgreSQL server of its own."""
    with attach(tmp_path / "home", tuning=TEST_TUNING) as server:
        migrate(server.url)
        with Warehouse(server.url) as warehouse:
            opened = Lab(sim, warehouse)
            yield opened
            opened.close()


def postmaster(home: Path) -> int:
    """The process number of the server of a home."""
    (pid_file,) = home.rglob("postmaster.pid")
    return int(pid_file.read_text().split()[0])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_stops_in_the_middle_of_a_load_is_one_line_and_no_half_window(
    private: Lab, tmp_path: Path, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = private
    monkeypatch.setattr("fisio_ayida.warehouse.clock.RECONNECTS", 1)
    lab.week("concesiones")
    before = everything(lab, CONCESIONES)
    lab.sim.step(changed=0.3, added=0.3, datasets=["concesiones"])
    stop = AtPage(2, lambda: os.kill(postmaster(tmp_path / "home"), how))
    error = lab.fails("concesiones", *WEEK, observer=stop, **PAGES)
    assert "database" in str(error) and "\n" not in str(error)

    with attach(tmp_path / "home", tuning=TEST_TUNING) as server, Warehouse(server.url) as warehouse:
        again = Lab(lab.sim, warehouse)
        again.moment = lab.moment
        assert everything(again, CONCESIONES) == before
        assert_next_run_is_good(again)
        again.close()


def test_no_database_at_all_is_one_line(lab: Lab) -> None:
    url = lab.warehouse.url
    lab.warehouse = Warehouse(url.with_database("not_there"))
    with pytest.raises(WarehouseError) as caught:
        lab.sync("concesiones", *WEEK)
    assert "cannot be used" in str(caught.value) and "\n" not in str(caught.value)


def test_a_statement_that_the_database_refuses_fails_its_window_and_tells_no_row(lab: Lab) -> None:
    lab.connection.execute("alter table bdns.concesiones add constraint small check (importe < 1000)")
    error = lab.fails("concesiones", *WEEK)
    assert 'violates check constraint "small"' in str(error)
    assert "Failing row" not in str(error) and "beneficiario" not in str(error)
    assert lab.count("bdns.concesiones") == 0
    states = lab.rows("select status, error from ops.loads")
    assert len(states) == 7 and {s for s, _ in states} == {"failed"}
