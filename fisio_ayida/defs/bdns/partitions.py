"""Partitions as Dagster sees them: the source's own grain, one definition for each dataset.

Which days a run really loads is planned in ``bdns/service.py``; nothing here asks the source.
"""

from __future__ import annotations

from functools import cache

import dagster as dg

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.registry import Dataset, Grain
from fisio_ayida.bdns.windows import MADRID, static_partitions

# Keys are added by the runs themselves, from the years that the source lists.
YEARS = dg.DynamicPartitionsDefinition(name="bdns_years")


@cache
def partitions_of(name: str) -> dg.PartitionsDefinition[str] | None:
    """The partitions of dataset ``name``; None for one that is loaded whole."""
    dataset = DATASETS[name]
    if dataset.grain is Grain.WHOLE:
        return None
    if dataset.grain is Grain.YEAR:
        return YEARS
    if dataset.grain is Grain.DAY:
        first = dataset.first_day
        if first is None:
            raise ValueError(f"dataset {name}: days need a first one")
        return dg.DailyPartitionsDefinition(first.isoformat(), timezone=MADRID.key)
    return _static(tuple(static_partitions(dataset) or ()))


@cache
def _static(keys: tuple[str, ...]) -> dg.PartitionsDefinition[str]:
    """One object for equal keys: assets of one job must share it."""
    return dg.StaticPartitionsDefinition(keys)


def is_partitioned(dataset: Dataset) -> bool:
    """True when Dagster shows partitions for it; a whole has a single one in the evidence, ``all``."""
    return dataset.grain is not Grain.WHOLE
