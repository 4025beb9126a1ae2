"""The jobs of the mirror: which datasets are synchronised together, under the names that others call.

Each runs without configuration and without a partition, and then does its default window.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.defs.bdns.documents import documents_job
from fisio_ayida.defs.bdns.individual import sync_convocatoria_individual
from fisio_ayida.defs.bdns.specs import OWNER, asset_key, op_name

Job = dg.JobDefinition | UnresolvedAssetJobDefinition

SYNC_JOBS: dict[str, tuple[str, ...]] = {
    "sync_convocatorias": ("convocatorias",),
    "sync_concesiones": ("concesiones",),
    "sync_catalogos_basicos": (
        "finalidades", "tipos_beneficiario", "instrumentos", "reglamentos", "sectores", "actividades", "objetivos",
    ),
    "sync_ayudas_estado": ("ayudas_estado",),
    "sync_grandes_beneficiarios": ("grandes_beneficiarios",),
    "sync_minimis": ("minimis",),
    "sync_organos": ("organos", "organos_agrupacion"),
    "sync_partidos_politicos": ("partidos_politicos",),
    "sync_planes_estrategicos": ("planes_estrategicos", "planes_estrategicos_vigencia"),
    "sync_regiones": ("regiones",),
    "sync_sanciones": ("sanciones",),
}  # fmt: skip


@cache
def jobs() -> tuple[Job, ...]:
    """All jobs of the mirror, the same objects at each call: schedules point at them."""
    syncs = (sync_job(name, datasets) for name, datasets in SYNC_JOBS.items())
    return (*syncs, sync_convocatoria_individual, documents_job())


def sync_job(name: str, datasets: Sequence[str]) -> UnresolvedAssetJobDefinition:
    """A job over the assets of ``datasets``."""
    windowed = next((d for d in datasets if DATASETS[d].is_windowed), None)
    words = [f"Synchronises {', '.join(datasets)} with the BDNS."]
    if windowed:
        config = "{date_from: '2026-11-01', date_to: '2026-11-07', allow_removals: false}"
        words += [
            "Without a partition or config: everything since the last complete day, through yesterday;",
            "on an empty table the last seven days.",
            f"Config: `ops: {{{op_name(DATASETS[windowed])}: {{config: {config}}}}}`.",
        ]
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.assets(*(asset_key(DATASETS[d]) for d in datasets)),
        description=" ".join(words),
        tags={"source": "bdns"},
        owners=[OWNER],
    )
