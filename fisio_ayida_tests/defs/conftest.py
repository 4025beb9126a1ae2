"""A house for the tests of Dagster's storey: simulator, database, instance, and runs in this process.

Here: fixtures and what tests ask of a run. Not here: expectations.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pytest

from fisio_ayida.bdns import service
from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.service import Caller
from fisio_ayida.definitions import build_definitions
from fisio_ayida.defs.bdns.specs import asset_key, op_name
from fisio_ayida.defs.resources import LOG, MirrorResource, Retrying
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.bdns import BdnsSimulator, SimulatorConfig
from fisio_ayida.warehouse.engine import Warehouse

TODAY = dt.date(2026, 10, 5)
FIRST = dt.date(2026, 9, 1)
MORNING = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)
DAILY = ("convocatorias", "concesiones", "ayudas_estado", "minimis")
FAST = {
    "BDNS_REQUESTS_PER_SECOND": "0",
    "BDNS_RETRY_BASE_SECONDS": "0.01",
    "BDNS_RETRY_MAX_SECONDS": "0.02",
    "BDNS_MAX_RETRIES": "0",
    "LOCK_WAIT_SECONDS": "20",
}


class House:
    """One simulator, one database, one Dagster instance."""

    def __init__(self, sim: BdnsSimulator, warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
        self.sim = sim
        self.warehouse = warehouse
        self.instance = instance
        self.moment = MORNING
        self.retrying = Retrying(most=0)
        self.connection = warehouse.connect(autocommit=True)

    def settings(self, **changes: str) -> Settings:
        """Settings that do not wait for a simulator on this machine."""
        named = {"DATABASE_URL": self.warehouse.url.psycopg, "BDNS_BASE_URL": self.sim.base_url}
        return Settings.load({**FAST, **named, **changes})

    def run(
        self,
        job: str,
        *,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        partition: str | None = None,
        days: tuple[str, str] | None = None,
        **changes: str,
    ) -> dg.ExecuteInProcessResult:
        """A run of ``job``, a minute after the last one; ``config`` by dataset or op."""
        self.moment += dt.timedelta(minutes=1)
        settings = self.settings(**changes)
        mirror = MirrorResource(settings, now=lambda: self.moment, jitter=lambda: 0.0, retrying=self.retrying)
        tags = {}
        if days:
            tags = dict(
                zip(
                    ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end"), days, strict=True
                )
            )
        ops = {op_name(DATASETS[k]) if k in DATASETS else k: {"config": v} for k, v in (config or {}).items()}
        definitions = build_definitions(settings=settings, resources={"mirror": mirror})
        return definitions.resolve_job_def(job).execute_in_process(
            run_config={"ops": ops},
            partition_key=partition,
            tags=tags,
            instance=self.instance,
            raise_on_error=False,
        )

    def load(self, name: str, partition: str) -> None:
        """One partition brought into the mirror without Dagster, a minute after the last load."""
        self.moment += dt.timedelta(minutes=1)
        mirror = MirrorResource(self.settings(), now=lambda: self.moment, jitter=lambda: 0.0)

        async def sync() -> None:
            async with mirror.context(self.warehouse, Caller(), LOG) as context:
                await service.sync(DATASETS[name], service.Order(partitions=(partition,)), context)

        asyncio.run(sync())

    def materialized(self, name: str) -> list[str]:
        """The partitions of a dataset that Dagster takes for materialized."""
        return sorted(self.instance.get_materialized_partitions(asset_key(DATASETS[name])))

    def events(self, name: str) -> list[dg.AssetMaterialization]:
        """The materializations of a dataset, oldest first."""
        records = self.instance.fetch_materializations(asset_key(DATASETS[name]), limit=1000).records
        return [r.asset_materialization for r in reversed(records) if r.asset_materialization]

    def observations(self, name: str) -> list[dg.AssetObservation]:
        """The observations of a dataset, oldest first."""
        records = self.instance.fetch_observations(asset_key(DATASETS[name]), limit=1000).records
        return [r.asset_observation for r in reversed(records) if r.asset_observation]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        return self.connection.execute(query).fetchall()


def numbers(event: dg.AssetMaterialization | dg.AssetObservation) -> dict[str, Any]:
    """An event's metadata as plain values."""
    return {name: value.value for name, value in event.metadata.items()}


def failing_checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckSeverity]:
    """The checks of a run that did not pass."""
    return {e.check_name: e.severity for e in result.get_asset_check_evaluations() if not e.passed}


def failure_words(result: dg.ExecuteInProcessResult) -> str:
    """What a failed step says."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            given = data.user_failure_data
            return (given.description or "") if given else str(data.error)
    return ""


@pytest.fixture
def sim() -> Iterator[BdnsSimulator]:
    """A small service with five weeks of data."""
    config = SimulatorConfig(
        today=TODAY,
        first_day=dict.fromkeys(DAILY, FIRST),
        rows_per_day={"concesiones": 60, "ayudas_estado": 40, "minimis": 40, "convocatorias": 6},
        sizes={"grandes_beneficiarios": 60, "grandes_beneficiarios_years": 3},
    )
    with BdnsSimulator(config) as running:
        yield running


@pytest.fixture
def house(sim: BdnsSimulator, warehouse: Warehouse) -> Iterator[House]:
    """A small service, an empty mirror, an empty instance."""
    with dg.DagsterInstance.ephemeral() as instance:
        opened = House(sim, warehouse, instance)
        yield opened
        opened.connection.close()
