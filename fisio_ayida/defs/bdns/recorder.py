"""The observer that tells Dagster of each partition as it commits, so that a killed run keeps its progress.

An event is in Dagster's storage before the next window starts. What it says is built in ``metadata.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida.bdns.mirror import Silent
from fisio_ayida.bdns.registry import Dataset, Grain
from fisio_ayida.defs.bdns import glance, metadata
from fisio_ayida.defs.bdns.partitions import YEARS, is_partitioned
from fisio_ayida.defs.bdns.specs import asset_key

if TYPE_CHECKING:
    import psycopg

    from fisio_ayida.bdns.evidence import Load


class Recorder(Silent):
    """Reports complete partitions as materializations, all others as observations.

    The partition ``last`` also carries the preview and the plot: a picture for each day of a long range
    would cost more than the load.
    """

    def __init__(
        self,
        dataset: Dataset,
        log_event: Callable[[dg.AssetMaterialization | dg.AssetObservation], None],
        connect: Callable[[], psycopg.Connection[Any]],
    ) -> None:
        self.dataset = dataset
        self.last: str | None = None
        self._log_event = log_event
        self._connect = connect

    def partition_finished(self, load: Load) -> None:
        key = asset_key(self.dataset)
        partition = load.partition_key if is_partitioned(self.dataset) else None
        if load.status.value != "ok":
            self._log_event(metadata.observation(key, load, partition))
            return
        extra = self._glance(load) if load.partition_key == self.last else {}
        self._log_event(metadata.materialization(key, load, partition, extra))

    def _glance(self, load: Load) -> dict[str, Any]:
        with self._connect() as conn:
            columns, rows = glance.preview(conn, self.dataset, load.partition_key)
            series = glance.rows_by_partition(conn, self.dataset)
        unit = (
            "day" if self.dataset.grain is Grain.DAY else "partition" if self.dataset.partition_column else "load"
        )
        found = {"preview": dg.MetadataValue.md(metadata.table(columns, rows))}
        if picture := metadata.plot(series, f"{self.dataset.title}: rows per {unit}"):
            found["rows_per_partition"] = dg.MetadataValue.md(picture)
        return found


def add_years(instance: dg.DagsterInstance, keys: Collection[str]) -> None:
    """Make Dagster know the years that the source lists."""
    name = YEARS.name
    if name is not None and (missing := sorted(set(keys) - set(instance.get_dynamic_partitions(name)))):
        instance.add_dynamic_partitions(name, missing)
