"""Killed without warning before each statement that writes: the next run loses nothing and doubles nothing."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic.lab import PATIENT
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.insights.conftest import emptied
from fisio_ayida_tests.insights.flow import MINUTE, MODEL, Script, current, insights, queue
from fisio_ayida_tests.insights.killing import MODEL_CALL
from fisio_ayida_tests.insights.lab import InsightsLab


@pytest.fixture
def world(warehouse_server: EmbeddedServer, settings: Settings) -> Iterator[InsightsLab]:
    """The clinic's database, which is not ours."""
    with cloned(warehouse_server) as opened:
        world = InsightsLab(opened, settings)
        world.clinic()
        world.patient()
        yield world
        world.close()


@pytest.fixture
def lab(world: InsightsLab, insights_warehouse: Warehouse, settings: Settings) -> Iterator[InsightsLab]:
    """Our database, and a desk between both."""
    given = {"FISIO_AYIDA_HOME": str(settings.home), "CLINIC_DATABASE_URL": world.warehouse.url.psycopg}
    opened = InsightsLab(insights_warehouse, Settings.load(given))
    emptied(opened.conn)
    yield opened
    opened.close()


@pytest.fixture
def killed(lab: InsightsLab, world: InsightsLab) -> Iterator[subprocess.Popen[str]]:
    """A helper for the two databases."""
    helper = subprocess.Popen(
        [sys.executable, "-m", "fisio_ayida_tests.insights.killing", lab.warehouse.url.psycopg,
         world.warehouse.url.psycopg],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield helper
    helper.kill()
    helper.communicate()


def test_a_run_that_is_killed_anywhere_is_made_good_by_the_next(
    lab: InsightsLab, world: InsightsLab, killed: subprocess.Popen[str]
) -> None:
    assert killed.stdin is not None and killed.stdout is not None
    rounds, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        place = str(rounds) if rounds else MODEL_CALL
        rounds += 1
        lab.moment += dt.timedelta(hours=1)
        world.session(f"session-{rounds}", lab.moment.date(), finalized_at=lab.moment - 6 * MINUTE)
        print(lab.moment.isoformat(), place, file=killed.stdin, flush=True)
        ended = -abs(int(killed.stdout.readline()))
        # The dead run's lease ends.
        lab.conn.execute("update insights.queue set lease_until = clock_timestamp() - interval '1 s'")
        outcome = insights(lab, Script())
        assert outcome.failures == []
        assert_made_good(lab, world, rounds)
    assert (ended, rounds > 20) == (0, True)


def assert_made_good(lab: InsightsLab, world: InsightsLab, rounds: int) -> None:
    """All of the patient's newest session, once, and the clinic shows that and nothing else."""
    assert queue(lab) == []
    assert current(lab) == {PATIENT: f"insight:{PATIENT}:session-{rounds}:p1:{MODEL}"}
    found = lab.rows("select narrative from insights.generations")
    assert [row["narrative"] for row in found] == ["written"] * rounds
    items = {str(row["id"]): row for row in lab.rows("select * from insights.items")}
    theirs = {row["id"]: row for row in world.rows("select * from clinic.patient_insights")}
    assert set(theirs) <= set(items)
    assert {id for id, row in theirs.items() if row["expires_at"] > lab.moment} == {
        id for id, row in items.items() if row["superseded_at"] is None
    }
    for id, row in items.items():
        assert (row["published_at"] is not None) == (id in theirs)
        assert (row["withdrawn_at"] is not None) == (id in theirs and row["superseded_at"] is not None)
