"""The command line: what was asked wrongly is one line, code 2 and nothing written; the rest ends with a table."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from fisio_ayida_tests.bdns.conftest import FAST, Lab, assert_true
from fisio_ayida_tests.bdns.conftest import MONDAY as DAY

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(lab: Lab) -> Run:
    """Runs the command on the lab's database and simulator."""

    def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {
            **FAST, "DATABASE_URL": lab.warehouse.url.psycopg, "BDNS_BASE_URL": lab.sim.base_url,
            "PATH": os.environ["PATH"], **environment,
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "fisio_ayida.cli", *words], env=settings, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    return command


def assert_refused(lab: Lab, done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line on standard error, code 2, and nothing written."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and all(word in line for word in words)
    for table in ("ops.loads", "ops.rejects", "bdns.concesiones", "bdns.convocatorias"):
        assert lab.count(table) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["concesion"], ["unknown dataset 'concesion'", "concesiones"]),
        (["concesiones", "--from", "07/09/2026"], ["from='07/09/2026' is not a date", "YYYY-MM-DD"]),
        (["concesiones", "--from", "2026-09-08", "--to", "2026-09-07"], ["2026-09-08", "reversed"]),
        (["concesiones", "--to", "2999-01-01"], ["2999-01-01 is after yesterday", "Europe/Madrid"]),
        (["convocatorias", "--bdns", "99999999"], ["bdns=99999999", "no such call"]),
        (["convocatorias", "--bdns", "12x"], ["bdns='12x' is not a BDNS code", "1 to 16 digits"]),
        (["organos", "--partition", "Z"], ["organos has no partition Z", "C, A, L, O"]),
        (["concesiones", "--partition", "ayer"], ["partition='ayer' is not a date"]),
    ],
)
def test_what_cannot_be_done_is_one_line(lab: Lab, run: Run, words: list[str], said: list[str]) -> None:
    assert_refused(lab, run("sync", *words), *said)


def test_a_wrong_setting_is_one_line_that_names_it(lab: Lab, run: Run) -> None:
    done = run("sync", "concesiones", BDNS_PAGE_SIZE="20000")
    assert_refused(lab, done, "BDNS_PAGE_SIZE: '20000' is not allowed", "1 to 10000")


def test_a_sync_ends_with_a_table_and_a_failing_one_with_a_line(lab: Lab, run: Run) -> None:
    done = run("sync", "concesiones", "instrumentos", "--partition", DAY.isoformat())
    assert done.returncode == 2 and "instrumentos has no partition" in done.stderr
    done = run("sync", "concesiones", "--from", DAY.isoformat(), "--to", DAY.isoformat())
    assert done.returncode == 0, done.stderr
    assert "What the mirror did" in done.stdout and "concesiones" in done.stdout
    assert_true(lab, "concesiones", DAY, DAY)

    lab.sim.fault("status", "concesiones", status=503)
    done = run("sync", "concesiones", "--from", DAY.isoformat(), "--to", DAY.isoformat(), BDNS_MAX_RETRIES="1")
    assert done.returncode == 1 and "1 windows failed" in done.stdout
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: concesiones: 0 partitions loaded") and "HTTP 503" in last
    assert "Traceback" not in done.stderr
    assert '"jobName": "sync_concesiones"' in done.stderr and '"runId"' in done.stderr


def test_a_held_load_has_a_code_of_its_own(lab: Lab, run: Run) -> None:
    lab.sync("concesiones", DAY)
    lab.sim.step(removed=0.9, datasets=["concesiones"])
    words = ("sync", "concesiones", "--from", DAY.isoformat(), "--to", DAY.isoformat(), "--quiet")
    done = run(*words, BDNS_REMOVAL_GUARD_ROWS="5")
    assert done.returncode == 3 and "1 held" in done.stdout
    assert run(*words, "--allow-removals", BDNS_REMOVAL_GUARD_ROWS="5").returncode == 0
    assert_true(lab, "concesiones", DAY, DAY)


def test_the_database_s_status_is_shown(run: Run) -> None:
    done = run("db", "status")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("applied") for line in lines[1:]) and len(lines) >= 4


def test_rejects_are_listed_and_replayed(lab: Lab, run: Run) -> None:
    assert "nothing is kept aside" in run("rejects", "list").stdout
    lab.sync("planes_estrategicos")
    waiting = lab.count("ops.rejects")
    listed = run("rejects", "list", "planes_estrategicos")
    assert listed.returncode == 0 and "no usable detail" in listed.stdout
    still = run("rejects", "replay", "planes_estrategicos")
    assert still.returncode == 1 and f"0 stored, {waiting} still unusable" in still.stdout
    lab.sim.quirks(Q15=False)
    done = run("rejects", "replay")
    assert done.returncode == 0 and f"planes_estrategicos: {waiting} stored, 0 still unusable" in done.stdout


def test_a_database_that_does_not_answer_is_one_line(run: Run) -> None:
    done = run("sync", "concesiones", DATABASE_URL="postgresql://nobody:geheim@127.0.0.1:1/none")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "cannot be used" in done.stderr and "geheim" not in done.stderr
