"""What Dagster says about a dataset before anything runs: words, schema, owners, lineage, freshness.

All of it follows from the registry. What a run measures is in ``metadata.py``, what it does in
``loading.py``.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import dagster as dg

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.registry import Cadence, Column, Dataset, Grain
from fisio_ayida.defs.bdns.partitions import partitions_of

OWNER = "team:ayida"
CODE_VERSION = "1"
ATTRIBUTION = (
    "Source: Base de Datos Nacional de Subvenciones (BDNS), SNPSAP, Intervención General de la Administración "
    "del Estado"
)
LEGAL_NOTICE = "https://www.infosubvenciones.es/bdnstrans/GE/es/avisolegal"
# Personal data of natural persons in what is published: RD 130/2019, art. 7.
LEGAL = "Public-sector information (Ley 37/2007); natural persons as RD 130/2019 allows"

_LISTS = ("finalidades", "tipos_beneficiario", "instrumentos", "sectores", "actividades", "objetivos", "regiones")
# Lineage only: who is read to understand whom. No run waits for another because of it.
LINEAGE: dict[str, tuple[str, ...]] = {
    "convocatorias": (*_LISTS, "organos"),
    "concesiones": ("convocatorias",),
    "ayudas_estado": ("convocatorias", "reglamentos"),
    "minimis": ("convocatorias", "reglamentos"),
    "partidos_politicos": ("convocatorias",),
    "sanciones": ("convocatorias",),
    "planes_estrategicos": ("planes_estrategicos_vigencia",),
}


def asset_key(dataset: Dataset) -> dg.AssetKey:
    return dg.AssetKey(["bdns", dataset.name])


def asset_spec(dataset: Dataset) -> dg.AssetSpec:
    """The asset of ``dataset``; ``skippable`` because each partition is reported as it commits."""
    return dg.AssetSpec(
        asset_key(dataset),
        deps=[_dep(dataset, DATASETS[name]) for name in LINEAGE.get(dataset.name, ())],
        description=description(dataset),
        metadata=static_metadata(dataset),
        skippable=True,
        group_name=dataset.group,
        code_version=CODE_VERSION,
        owners=[OWNER],
        tags={"source": "bdns", "cadence": dataset.cadence.value, "grain": dataset.grain.value},
        kinds={"rest", "python", "postgres"},
        partitions_def=partitions_of(dataset.name),
        freshness_policy=freshness(dataset),
    )


def description(dataset: Dataset) -> str:
    """Title, what it is, its odd habits, what the source withdraws, whom to name."""
    parts = [f"**{dataset.title}.** {dataset.description}"]
    if dataset.quirks:
        parts.append(f"Quirks: {dataset.quirks}")
    if retention := _retention(dataset):
        parts.append(f"The source withdraws: {retention}")
    parts.append(f"{ATTRIBUTION}. Contract §{dataset.section}.")
    return "\n\n".join(parts)


def static_metadata(dataset: Dataset) -> dict[str, Any]:
    """What does not change from run to run."""
    found: dict[str, Any] = {
        "dagster/column_schema": column_schema(dataset),
        "dagster/relation_identifier": dataset.table,
        "history_table": f"{dataset.table}_history",
        "source_path": dataset.path,
        "key": ", ".join(dataset.key),
        "partition_column": dataset.partition_column or "none",
        "retention_at_source": _retention(dataset) or "kept",
        "attribution": ATTRIBUTION,
        "licence": LEGAL,
        "legal_notice": dg.MetadataValue.url(LEGAL_NOTICE),
        "contract_section": dataset.section,
    }
    if dataset.children:
        found["child_tables"] = ", ".join(f"{dataset.table}_{child.name}" for child in dataset.children)
    return found


def column_schema(dataset: Dataset) -> dg.TableSchema:
    """Columns with type, unit and meaning, and which of them are the key."""
    return dg.TableSchema(
        [_column(dataset, column) for column in dataset.columns],
        constraints=dg.TableConstraints([f"primary key ({', '.join(dataset.key)})"]),
    )


def freshness(dataset: Dataset) -> dg.FreshnessPolicy:
    """Daily datasets are late after a day and a half, weekly ones after nine days."""
    if dataset.cadence is Cadence.DAILY:
        return dg.FreshnessPolicy.time_window(
            fail_window=dt.timedelta(hours=48), warn_window=dt.timedelta(hours=36)
        )
    return dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(days=15), warn_window=dt.timedelta(days=9))


def op_name(dataset: Dataset) -> str:
    """The name under which a run's config addresses the asset: ``ops: {bdns__concesiones: {config: …}}``."""
    return f"bdns__{dataset.name}"


def _dep(dataset: Dataset, upstream: Dataset) -> dg.AssetDep:
    """Days map to days; anything else stands for the whole of what is upstream."""
    if dataset.grain is Grain.DAY and upstream.grain is Grain.DAY:
        return dg.AssetDep(
            asset_key(upstream),
            partition_mapping=dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True),
        )
    return dg.AssetDep(asset_key(upstream), partition_mapping=dg.AllPartitionMapping())


def _column(dataset: Dataset, column: Column) -> dg.TableColumn:
    other = []
    if column.unit:
        other.append(f"unit: {column.unit}")
    if column.personal:
        other.append("personal data: never in previews")
    if column.flaps:
        other.append("a value that vanishes is believed the second time")
    return dg.TableColumn(
        column.name,
        type=column.type,
        description=f"{column.description} [{column.unit}]" if column.unit else column.description,
        constraints=dg.TableColumnConstraints(
            nullable=not column.required, unique=dataset.key == (column.name,), other=other
        ),
        tags={"personal": ""} if column.personal else None,
    )


def _retention(dataset: Dataset) -> str:
    rule = dataset.retention
    words = []
    if rule.years is not None:
        words.append(f"after {rule.years} years")
    if rule.natural_person_years is not None:
        words.append(f"natural persons after {rule.natural_person_years}")
    if rule.note:
        words.append(rule.note)
    return "; ".join(words)
