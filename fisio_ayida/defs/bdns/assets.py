"""The factory: one asset for each dataset of the registry.

A declaration and a call; the words are in ``specs.py`` and the work in ``loading.py``.
"""

from collections.abc import Iterable, Iterator

import dagster as dg

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.defs.bdns.checks import check_specs
from fisio_ayida.defs.bdns.loading import SyncConfig, load
from fisio_ayida.defs.bdns.specs import asset_spec, op_name
from fisio_ayida.defs.resources import MirrorResource


def mirror_assets(datasets: Iterable[Dataset] = tuple(DATASETS.values())) -> list[dg.AssetsDefinition]:
    """The assets of all datasets."""
    return [mirror_asset(dataset) for dataset in datasets]


def mirror_asset(dataset: Dataset) -> dg.AssetsDefinition:
    """The asset of one dataset, with its checks evaluated in the same step.

    Its result is optional: the step reports each partition itself when it commits, once. It is in no pool:
    a run whose process was killed keeps its slot until someone ends it, and a backfill of days would keep the
    daily loads waiting. Politeness is the request clock's, which knows who is dead.
    """
    spec = asset_spec(dataset)

    @dg.multi_asset(
        name=op_name(dataset),
        specs=[spec.replace_attributes(deps=[])],
        check_specs=check_specs(dataset),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def sync(
        context: dg.AssetExecutionContext, config: SyncConfig, mirror: dg.ResourceParam[MirrorResource]
    ) -> Iterator[dg.AssetCheckResult]:
        yield from load(context, dataset, config, mirror)

    return with_lineage(sync, spec)


def with_lineage(asset: dg.AssetsDefinition, spec: dg.AssetSpec) -> dg.AssetsDefinition:
    """The asset with the dependencies of ``spec`` in the graph, and none between steps.

    A dependency between steps would skip what is downstream of an optional result, and would ask for the
    partition of a run that has none: the default window.
    """
    attributes = asset.get_attributes_dict()
    del attributes["execution_type"]  # the default one; naming it is beta
    return dg.AssetsDefinition(**{**attributes, "specs": [spec]})
