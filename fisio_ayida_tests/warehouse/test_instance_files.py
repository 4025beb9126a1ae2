"""The two dagster.yaml files: each carries a real run, and they differ in nothing but the storage."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.urls import DatabaseUrl

REPOSITORY = Path(__file__).parents[2]
LOCAL = REPOSITORY / "dagster.yaml"
PRODUCTION = REPOSITORY / "deploy" / "dagster.yaml"
# A plain Python logger of ours: its lines carry the run because the instance file manages it.
JOB = """
import dagster as dg
from fisio_ayida.telemetry import get_logger

@dg.op
def say():
    get_logger("fisio_ayida.test").info("token=s3cret said", extra={"dataset": "concesiones"})

@dg.job(executor_def=dg.in_process_executor)
def tiny():
    say()

defs = dg.Definitions(jobs=[tiny])
"""


@pytest.fixture
def dagster_database(warehouse_server: EmbeddedServer) -> Iterator[DatabaseUrl]:
    """An empty database for Dagster's own storage."""
    name = f"dagster_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(warehouse_server.url.psycopg, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield warehouse_server.url.with_database(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run_job(instance_file: Path, folder: Path, **environment: str) -> str:
    """`dagster job execute` with this instance file in a DAGSTER_HOME of its own; its standard output."""
    home = folder / "dagster_home"
    home.mkdir()
    shutil.copy(instance_file, home / "dagster.yaml")
    (folder / "tiny.py").write_text(JOB)
    ran = subprocess.run(
        [sys.executable, "-m", "dagster", "job", "execute", "-f", str(folder / "tiny.py"), "-j", "tiny"],
        env={"PATH": os.defpath, "HOME": str(folder), "DAGSTER_HOME": str(home), **environment},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "s3cret" not in ran.stdout + ran.stderr
    return ran.stdout


def our_line(output: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in output.splitlines() if "said" in line]
    assert len(lines) == 1, output
    assert isinstance(lines[0], dict)
    return lines[0]


def test_the_local_file_runs_a_job_with_nothing_set(tmp_path: Path) -> None:
    line = our_line(run_job(LOCAL, tmp_path))
    assert line["msg"] == "token=*** said"
    assert (line["jobName"], line["dataset"], line["level"]) == ("tiny", "concesiones", "info")
    with sqlite3.connect(tmp_path / "dagster_home" / "history" / "runs.db") as connection:
        assert connection.execute("SELECT run_id, status FROM runs").fetchall() == [(line["runId"], "SUCCESS")]


def test_the_production_file_keeps_runs_and_events_in_postgresql(
    tmp_path: Path, dagster_database: DatabaseUrl
) -> None:
    line = our_line(run_job(PRODUCTION, tmp_path, DAGSTER_PG_URL=dagster_database.dagster))
    assert not (tmp_path / "dagster_home" / "history").exists()
    with psycopg.connect(dagster_database.psycopg) as connection:
        assert connection.execute("SELECT run_id, status FROM runs").fetchall() == [(line["runId"], "SUCCESS")]
        events = connection.execute("SELECT dagster_event_type FROM event_logs ORDER BY id").fetchall()
        assert connection.execute("SELECT 1 FROM event_logs WHERE event LIKE '%s3cret%'").fetchall() == []
    assert ("PIPELINE_SUCCESS",) in events
    assert ("STEP_SUCCESS",) in events


def test_both_files_say_the_same_except_for_the_storage() -> None:
    local = yaml.safe_load(LOCAL.read_text())
    production = yaml.safe_load(PRODUCTION.read_text())
    storage = production.pop("storage")
    assert storage == {"postgres": {"postgres_url": {"env": "DAGSTER_PG_URL"}}}
    assert production == local


def test_a_dead_run_cannot_keep_a_pool_or_stay_started_for_ever() -> None:
    monitoring = yaml.safe_load(LOCAL.read_text())["run_monitoring"]
    assert monitoring["enabled"]
    assert monitoring["free_slots_after_run_end_seconds"] > 0
    assert monitoring["max_runtime_seconds"] > 0
