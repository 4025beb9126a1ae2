"""Killed without warning at fifty random moments: nothing half-written or left behind, in the end the truth."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from fisio_ayida.bdns.datasets import dataset
from fisio_ayida_tests.bdns.conftest import MONDAY, Lab, assert_true, tables_of
from fisio_ayida_tests.bdns.test_history import assert_one_line_of_time

KILLS = 52
# Windows of seven days: three of awards, one of calls with their details.
RANGES = {
    "concesiones": (MONDAY, MONDAY.replace(day=27)),
    "convocatorias": (MONDAY, MONDAY.replace(day=12)),
}


class Killer:
    """Starts loads in children of a helper and kills them after a while."""

    def __init__(self, lab: Lab) -> None:
        url = lab.warehouse.url
        self._helper = subprocess.Popen(
            [sys.executable, "-m", "fisio_ayida_tests.bdns.killing", url.psycopg, lab.sim.base_url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.started = 0

    def run(self, name: str, after: float | None = None) -> int:
        """One load, killed after so many seconds; gives how it ended."""
        first, last = RANGES[name]
        return self.send(f"{name} {first} {last}", after)

    def send(self, order: str, after: float | None = None) -> int:
        """The same for any order that the helper knows."""
        assert self._helper.stdin is not None and self._helper.stdout is not None
        self.started += 1
        print(order, self.started * 60, file=self._helper.stdin, flush=True)
        child = int(self._helper.stdout.readline())
        if after is not None:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        print(file=self._helper.stdin, flush=True)
        return int(self._helper.stdout.readline())

    def close(self) -> None:
        """End the helper."""
        self._helper.kill()
        self._helper.communicate()


@pytest.fixture
def killer(lab: Lab) -> Iterator[Killer]:
    """A helper for the lab's database and simulator."""
    made = Killer(lab)
    yield made
    made.close()


def test_loads_killed_at_random_moments_leave_nothing_half_written(lab: Lab, killer: Killer) -> None:
    draw = random.Random(20261005)
    lengths = {}
    for name in RANGES:
        begun = time.monotonic()
        assert killer.run(name) == 0
        lengths[name] = time.monotonic() - begun
    killed = 0
    while killed < KILLS:
        name = draw.choice(("concesiones", "concesiones", "convocatorias"))
        if draw.random() < 0.5:
            lab.sim.step(changed=0.1, removed=0.1, restored=0.4, added=0.02, respelled=0.3, datasets=[name])
        ended = killer.run(name, after=draw.uniform(0.0, 0.9) * lengths[name])
        assert ended in (0, -signal.SIGKILL)
        killed += ended == -signal.SIGKILL
        assert_evidence_for_every_row(lab, name)
    assert lab.count("bdns.concesiones_history") > 0, "some windows were committed before the kill"

    wait_until_free(lab)
    for name, days in RANGES.items():
        lab.moment = max(lab.moment, lab.value("select max(valid_from) from ops.loads"))
        lab.sync(name, *days, allow_removals=True, LOCK_WAIT_SECONDS=0)
        assert_true(lab, name, *days)
        assert_evidence_for_every_row(lab, name)
        of = dataset(name)
        assert_one_line_of_time(lab, of.table, of.key)
        for child in of.children:
            assert_one_line_of_time(lab, f"{of.table}_{child.name}", (child.parent, *child.key))
            orphans = f"{child.parent} not in (select {of.key[0]} from {of.table})"
            assert lab.count(f"{of.table}_{child.name}", orphans) == 0


def assert_evidence_for_every_row(lab: Lab, name: str) -> None:
    """Every version began or ended in a load whose evidence was committed with it."""
    of = dataset(name)
    loads = f"select valid_from from ops.loads where dataset = '{name}' and status = 'ok'"
    for table in tables_of(of):
        assert lab.count(table, f"valid_from not in ({loads})") == 0
        if table.endswith("_history"):
            assert lab.count(table, f"valid_to not in ({loads})") == 0
    day = of.partition_column
    unproven = f"""not exists (select from ops.loads l where l.dataset = '{name}' and l.status = 'ok'
                   and l.partition_key = {day}::text and l.valid_from = t.valid_from)"""
    assert lab.count(f"{of.table} t", unproven) == 0


def wait_until_free(lab: Lab) -> None:
    """A server process notices the death of its client within moments; then no lock and no lease is left."""
    limit = time.monotonic() + 5
    while lab.count("pg_stat_activity", "application_name like '%sync_test%'"):
        assert time.monotonic() < limit
        time.sleep(0.02)
    assert lab.count("pg_locks", "locktype = 'advisory'") == 0
