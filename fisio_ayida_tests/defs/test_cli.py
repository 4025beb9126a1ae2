"""Dagster's own commands against a simulated BDNS and a real database, each in a process of its own.

The clock is the machine's here: days are counted back from today in Madrid.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest

from fisio_ayida.bdns.windows import MADRID
from fisio_ayida.simulators.bdns import BdnsSimulator, SimulatorConfig
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.defs.conftest import FAST

DAGSTER = str(Path(sys.executable).with_name("dagster"))
ROOT = Path(__file__).resolve().parents[2]
ROWS = {"concesiones": 60, "ayudas_estado": 20, "minimis": 20, "convocatorias": 6}


class Terminal:
    """A shell's environment: DAGSTER_HOME, the database, the source."""

    def __init__(self, home: Path, sim: BdnsSimulator, warehouse: Warehouse) -> None:
        self.home, self.sim, self.warehouse = home, sim, warehouse
        shutil.copy(ROOT / "dagster.yaml", home / "dagster.yaml")
        # Two processes that create SQLite storage at once can both stamp its version: make it before.
        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.get_runs(limit=1)

    def environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            **FAST,
            "DAGSTER_HOME": str(self.home),
            "DATABASE_URL": self.warehouse.url.psycopg,
            "BDNS_BASE_URL": self.sim.base_url,
            "PYTHONWARNINGS": "ignore",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [DAGSTER, *words[:2], "-m", "fisio_ayida.definitions", *words[2:]]
        return subprocess.Popen(
            command, env=self.environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def call(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        try:
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        return process.returncode, output

    def materialized(self, name: str) -> list[str]:
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return sorted(instance.get_materialized_partitions(dg.AssetKey(["bdns", name])))


@pytest.fixture
def terminal(tmp_path: Path, warehouse: Warehouse) -> Iterator[Terminal]:
    today = dt.datetime.now(MADRID).date()
    first = dict.fromkeys(ROWS, today - dt.timedelta(days=30))
    with BdnsSimulator(SimulatorConfig(today=today, first_day=first, rows_per_day=ROWS)) as sim:
        yield Terminal(tmp_path, sim, warehouse)


def day(ago: int) -> str:
    return str(dt.datetime.now(MADRID).date() - dt.timedelta(days=ago))


def test_a_job_without_config_and_one_with_a_file(terminal: Terminal, tmp_path: Path) -> None:
    code, output = terminal.call("job", "execute", "-j", "sync_minimis")
    assert code == 0, output
    assert terminal.materialized("minimis") == [day(n) for n in range(7, 0, -1)]
    config = tmp_path / "order.yaml"
    config.write_text(f"ops: {{bdns__minimis: {{config: {{date_from: '{day(9)}', date_to: '{day(8)}'}}}}}}\n")
    code, output = terminal.call("job", "execute", "-j", "sync_minimis", "-c", str(config))
    assert code == 0, output
    assert terminal.materialized("minimis") == [day(n) for n in range(9, 0, -1)]


def test_a_wrong_order_fails_in_one_line(terminal: Terminal, tmp_path: Path) -> None:
    config = tmp_path / "order.yaml"
    config.write_text("ops: {bdns__minimis: {config: {date_from: '7.9.2026'}}}\n")
    code, output = terminal.call("job", "execute", "-j", "sync_minimis", "-c", str(config))
    assert code == 1
    assert "date_from='7.9.2026' is not a date: write YYYY-MM-DD" in output


def test_a_range_of_partitions_and_one_of_them(terminal: Terminal) -> None:
    select = ("--select", "key:bdns/concesiones")
    code, output = terminal.call("asset", "materialize", *select, "--partition-range", f"{day(12)}...{day(10)}")
    assert code == 0, output
    assert terminal.materialized("concesiones") == [day(12), day(11), day(10)]
    code, output = terminal.call("asset", "materialize", *select, "--partition", day(9))
    assert code == 0, output
    assert terminal.materialized("concesiones") == [day(12), day(11), day(10), day(9)]


def test_a_killed_run_keeps_the_partitions_that_it_committed(terminal: Terminal) -> None:
    second = dt.date.fromisoformat(day(5))
    terminal.sim.fault("hang", f"fechaRegInicio={second:%d}")
    process = terminal.start(
        "asset", "materialize", "--select", "key:bdns/concesiones", "--partition-range", f"{day(12)}...{day(1)}"
    )
    try:
        limit = time.monotonic() + 60
        while len(terminal.materialized("concesiones")) < 7:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < limit
            time.sleep(0.3)
    finally:
        process.kill()
        process.communicate()
    assert terminal.materialized("concesiones") == [day(n) for n in range(12, 5, -1)]
    terminal.sim.clear_faults()
    code, output = terminal.call("job", "execute", "-j", "sync_concesiones")
    assert code == 0, output
    assert terminal.materialized("concesiones") == [day(n) for n in range(12, 0, -1)]
