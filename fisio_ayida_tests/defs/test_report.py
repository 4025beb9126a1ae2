"""Loads made without Dagster, told to its instance; and the lines on which they travel."""

from __future__ import annotations

import dataclasses
import datetime as dt
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from fisio_ayida.bdns.evidence import Load, Status
from fisio_ayida.defs.bdns.report import report_lines
from fisio_ayida.defs.bdns.wire import load_from_json, load_to_json

MOMENT = dt.datetime(2026, 10, 5, 9, 30, 1, 250_000, tzinfo=dt.UTC)


def load(dataset: str = "concesiones", partition: str = "2026-09-08", **changes: object) -> Load:
    one = Load(dataset, partition, Status.OK, MOMENT, MOMENT, MOMENT, partition, "http://127.0.0.1/api")
    return dataclasses.replace(one, rows_received=7, rows_new=7, seconds=0.5, **changes)  # type: ignore[arg-type]


def test_a_line_brings_back_the_load() -> None:
    one = load(run_id="r", error="ñ | «x»")
    assert load_from_json(load_to_json(one)) == one


@pytest.mark.parametrize(
    "line", ["{", "[]", "null", '{"dataset": "x"}', load_to_json(load()).replace('"ok"', '"odd"')]
)
def test_a_line_that_is_none_says_so(line: str) -> None:
    with pytest.raises(ValueError, match="not an evidence row"):
        load_from_json(line)


def test_complete_loads_materialize_and_others_are_observed() -> None:
    lines = [
        load_to_json(load()),
        load_to_json(load(partition="2026-09-09", status=Status.HELD, would_remove=300, error="held")),
        load_to_json(load("grandes_beneficiarios", "2025")),
        load_to_json(load("regiones", "all")),
        "",
    ]
    with dg.DagsterInstance.ephemeral() as instance:
        assert report_lines(instance, lines) == (4, [])
        assert instance.get_materialized_partitions(dg.AssetKey(["bdns", "concesiones"])) == {"2026-09-08"}
        [observed] = instance.fetch_observations(dg.AssetKey(["bdns", "concesiones"]), limit=5).records
        assert observed.asset_observation is not None
        assert observed.asset_observation.metadata["would_remove"].value == 300
        assert instance.get_dynamic_partitions("bdns_years") == ["2025"]
        [event] = instance.fetch_materializations(dg.AssetKey(["bdns", "regiones"]), limit=5).records
        assert event.asset_materialization is not None
        assert event.asset_materialization.partition is None
        assert event.asset_materialization.metadata["rows_per_second"].value == 14.0
        assert event.asset_materialization.metadata["dagster/row_count"].value == 7


def test_a_bad_line_does_not_stop_the_good_ones() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        done, problems = report_lines(instance, ["{", load_to_json(load("nada")), load_to_json(load())])
    assert done == 1
    assert "not an evidence row" in problems[0]
    assert "unknown dataset 'nada'" in problems[1]


def test_lines_are_written_without_importing_dagster() -> None:
    code = "import sys, fisio_ayida.defs.bdns.wire; print('dagster' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "False"


def test_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "fisio_ayida.defs.bdns.report"]
    environ = {"DAGSTER_HOME": str(tmp_path)}
    given = load_to_json(load()) + "\n"
    result = subprocess.run(
        command, input=given, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout) == (0, "1 loads reported to Dagster\n"), result.stderr
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_materialized_partitions(dg.AssetKey(["bdns", "concesiones"])) == {"2026-09-08"}
    homeless = subprocess.run(
        command, input=given, env={}, capture_output=True, text=True, timeout=60, check=False
    )
    assert homeless.returncode == 2
    assert homeless.stderr.startswith("DAGSTER_HOME is not set")
