"""The clinic's jobs in a real Dagster: one instance for the tests of a file, runs in this process.

Here: fixtures and what tests ask of a run. Not here: expectations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from fisio_ayida.clinic.registry import JOBS
from fisio_ayida.definitions import build_definitions
from fisio_ayida.defs.clinic.specs import asset_key, op_name
from fisio_ayida.defs.resources import MirrorResource, Retrying
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic.conftest import clinic_warehouse, lab
from fisio_ayida_tests.clinic.lab import ClinicLab
from fisio_ayida_tests.defs.conftest import numbers

__all__ = ["clinic_warehouse", "lab"]


class Floor:
    """Dagster above a clinic's database; ``lab`` is the test's own. Code locations are built once for a file."""

    def __init__(self, warehouse: Warehouse, home: Path, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.lab: ClinicLab
        self._variables = {"DATABASE_URL": warehouse.url.psycopg, "FISIO_AYIDA_HOME": str(home)}
        self._built: dict[str, tuple[dg.Definitions, MirrorResource]] = {}

    def definitions(self, **changes: str) -> tuple[dg.Definitions, MirrorResource]:
        """The code location on the lab's database, at its time."""
        if str(changes) not in self._built:
            settings = Settings.load({**self._variables, **changes})
            mirror = MirrorResource(
                settings, now=lambda: self.lab.moment, jitter=lambda: 0.0, retrying=Retrying(most=0)
            )
            built = build_definitions(settings=settings, resources={"mirror": mirror})
            self._built[str(changes)] = built, mirror
        return self._built[str(changes)]

    def run(
        self, name: str, config: Mapping[str, Any] | None = None, *, partition: str | None = None,
        days: tuple[str, str] | None = None, **changes: str,
    ) -> dg.ExecuteInProcessResult:  # fmt: skip
        """A run of a job now."""
        tags = {}
        if days:
            names = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
            tags = dict(zip(names, days, strict=True))
        return self.definitions(**changes)[0].resolve_job_def(name).execute_in_process(
            run_config={"ops": {op_name(JOBS[name]): {"config": dict(config or {})}}},
            partition_key=partition, tags=tags, instance=self.instance, raise_on_error=False,
        )  # fmt: skip

    def recorded(self, result: dg.ExecuteInProcessResult) -> dict[str | None, dict[str, Any]]:
        """What a run materialized: by partition, its metadata as plain values."""
        return {each.partition: numbers(each) for each in _made(result)}

    def decisions(self, result: dg.ExecuteInProcessResult) -> dict[str, str]:
        """The keys of a run's only materialization, with their reasons."""
        [made] = _made(result)
        shown = made.metadata["decisions"]
        assert isinstance(shown, dg.TableMetadataValue)
        return {str(row.data["key"]): str(row.data["reason"]) for row in shown.records}

    def observed(self, result: dg.ExecuteInProcessResult) -> list[dict[str, Any]]:
        """What a run observed."""
        wanted = dg.DagsterEventType.ASSET_OBSERVATION
        events = [event for event in result.all_events if event.event_type is wanted]
        return [numbers(event.asset_observation_data.asset_observation) for event in events]

    def partitions(self, name: str) -> set[str]:
        """The partitions of a job's asset that Dagster takes for materialized."""
        return set(self.instance.get_materialized_partitions(asset_key(JOBS[name])))

    def page(self, result: dg.ExecuteInProcessResult) -> str:
        """All that Dagster keeps of a run, as text."""
        entries = self.instance.all_logs(result.run_id)
        return json.dumps([dg.serialize_value(entry) for entry in entries], ensure_ascii=False)


def _made(result: dg.ExecuteInProcessResult) -> list[dg.AssetMaterialization]:
    return [e.step_materialization_data.materialization for e in result.all_events if e.is_step_materialization]


@pytest.fixture(scope="module")
def whole(clinic_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """One instance for the tests of one file."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Floor(clinic_warehouse, tmp_path_factory.mktemp("home"), instance)


@pytest.fixture
def floor(whole: Floor, lab: ClinicLab) -> Floor:
    """One clinic with one therapist."""
    whole.lab = lab
    return whole
