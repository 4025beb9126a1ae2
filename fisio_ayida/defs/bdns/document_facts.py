"""What Dagster is told about documents: the asset's words and columns, a day's numbers, a run's totals, checks.

Reads the database for numbers; file names stay out of it, because they can name people.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida.bdns.datasets import CONVOCATORIAS, PLANES_ESTRATEGICOS
from fisio_ayida.bdns.documents.tables import DOCUMENTOS
from fisio_ayida.defs.bdns.checks import facts
from fisio_ayida.defs.bdns.metadata import table
from fisio_ayida.defs.bdns.partitions import partitions_of
from fisio_ayida.defs.bdns.specs import ATTRIBUTION, CODE_VERSION, LEGAL, LEGAL_NOTICE, OWNER, asset_key, freshness
from fisio_ayida.defs.resources import MirrorResource

if TYPE_CHECKING:
    from fisio_ayida.bdns.documents.model import Visit
    from fisio_ayida.bdns.documents.service import Report
    from fisio_ayida.bdns.documents.visit import Documents
    from fisio_ayida.warehouse.engine import Warehouse

KEY = dg.AssetKey(["bdns", "documentos"])
OP = "bdns__documentos"
PREVIEW_ROWS = 5
_PREVIEW = ("origen", "id", "parent", "state", "content_type", "bytes", "pages", "text")


def spec() -> dg.AssetSpec:
    """The asset; ``skippable`` because each day is reported by itself."""
    return dg.AssetSpec(
        KEY,
        deps=[
            dg.AssetDep(asset_key(CONVOCATORIAS)),
            dg.AssetDep(asset_key(PLANES_ESTRATEGICOS), partition_mapping=dg.AllPartitionMapping()),
        ],
        description=(
            "**Documentos.** The files attached to calls and plans: fetched when they are new or announced anew,"
            " stored once for equal bytes below `DOCUMENTS_URL`, their text in `bdns.documentos_texto` for search."
            "\n\nPartitions are the registration days of the calls; the documents of plans come with a run that"
            " asks for no days.\n\nQuirks: always an octet stream, so the kind is told by the content; a body of"
            " another size than announced is believed the second time; one that is gone is marked and kept."
            f"\n\n{ATTRIBUTION}. Contract §3.4, §3.10."
        ),
        metadata={
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(
                        c.name, c.type, c.description, dg.TableColumnConstraints(nullable=not c.required)
                    )
                    for c in DOCUMENTOS.columns
                ],
                constraints=dg.TableConstraints([f"primary key ({', '.join(DOCUMENTOS.key)})"]),
            ),
            "dagster/relation_identifier": DOCUMENTOS.name,
            "history_table": f"{DOCUMENTOS.name}_history",
            "text_table": f"{DOCUMENTOS.name}_texto",
            "source_path": "/convocatorias/documentos, /planesestrategicos/documentos",
            "key": ", ".join(DOCUMENTOS.key),
            "attribution": ATTRIBUTION,
            "licence": LEGAL,
            "legal_notice": dg.MetadataValue.url(LEGAL_NOTICE),
            "contract_section": "3.4, 3.10",
        },
        skippable=True,
        group_name=CONVOCATORIAS.group,
        code_version=CODE_VERSION,
        owners=[OWNER],
        tags={"source": "bdns", "cadence": "daily", "grain": "day"},
        kinds={"rest", "python", "postgres"},
        partitions_def=partitions_of(CONVOCATORIAS.name),
        freshness_policy=freshness(CONVOCATORIAS),
    )


class DayRecorder:
    """Reports a registration day when its visits are over: complete ones as materialized, others as observed."""

    def __init__(
        self, log_event: Callable[[dg.AssetMaterialization | dg.AssetObservation], None], documents: Documents
    ) -> None:
        self.told: set[dt.date] = set()
        self._log_event = log_event
        self._documents = documents

    def day_finished(self, day: dt.date, visits: Sequence[Visit]) -> None:
        """Complete means: nothing of the day is due, and nothing has failed."""
        from fisio_ayida.bdns.documents import due

        mirror = self._documents.mirror
        with mirror.connect() as conn:
            numbers = due.days_of(conn, [day])[day]
            left = due.left(conn, due.Scope(day, day), now=mirror.now(), most_bytes=self._documents.most_bytes)
        self.told.add(day)
        counts = Counter(visit.verdict.value for visit in visits)
        found: dict[str, Any] = {
            "dagster/partition_row_count": numbers.get("stored", 0),
            **numbers,
            "due": left,
            **{f"now_{verdict}": count for verdict, count in sorted(counts.items())},
            "bytes_received": sum(visit.size for visit in visits),
            "source": mirror.client.base_url,
            "attribution": f"{ATTRIBUTION}; data of {mirror.now():%Y-%m-%d}",
        }
        if left or numbers.get("failed"):
            self._log_event(dg.AssetObservation(KEY, partition=day.isoformat(), metadata=found))
            return
        tags = {"dagster/code_version": CODE_VERSION}
        self._log_event(dg.AssetMaterialization(KEY, partition=day.isoformat(), metadata=found, tags=tags))


def totals(report: Report, warehouse: Warehouse) -> dict[str, Any]:
    """The counts of a run, and a look at what was stored last."""
    with warehouse.connect(autocommit=True) as conn:
        rows = conn.execute(
            """
            select s.origen, s.id, coalesce(s.codigo_bdns, s.id_plan::text), s.state, s.content_type, s.size_bytes,
                   t.pages, t.outcome
            from bdns.documentos s left join bdns.documentos_texto t using (sha256)
            where s.sha256 is not null order by s.fetched_at desc, s.id desc limit %s
            """,
            [PREVIEW_ROWS],
        ).fetchall()
    return {**report.numbers, "preview": dg.MetadataValue.md(table(_PREVIEW, rows)), "attribution": ATTRIBUTION}


def check_specs() -> list[dg.AssetCheckSpec]:
    """The declarations; none blocks."""
    from fisio_ayida.bdns.documents.checks import CHECKS

    return [
        dg.AssetCheckSpec(check.name, asset=KEY, description=f"{check.description} ({check.severity.value})")
        for check in CHECKS
    ]


def evaluate(
    context: dg.AssetExecutionContext, mirror: MirrorResource, warehouse: Warehouse
) -> Iterator[dg.AssetCheckResult]:
    """The results, for all documents whatever the run asked for."""
    from fisio_ayida.bdns.documents.checks import CHECKS, Look
    from fisio_ayida.bdns.documents.store import DocumentStore

    look = Look(mirror.now(), DocumentStore(mirror.settings.documents_address), mirror.jitter())
    wanted = {key.name for key in context.selected_asset_check_keys}
    with warehouse.connect(autocommit=True) as conn:
        for check in CHECKS:
            if check.name in wanted:
                finding = check.find(conn, look)
                yield dg.AssetCheckResult(
                    asset_key=KEY,
                    check_name=check.name,
                    passed=finding.passed,
                    severity=dg.AssetCheckSeverity((finding.severity or check.severity).name),
                    metadata=facts(finding),
                )
