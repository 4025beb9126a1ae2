"""The asset ``bdns/documentos`` and its job: from a run's partitions and config to the domain's two functions.

Days are reported as their documents are done. What is due, how it is fetched and read is in ``bdns/documents``;
words and numbers for the UI are in ``document_facts.py``.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from fisio_ayida.bdns.datasets import CONVOCATORIAS
from fisio_ayida.bdns.errors import BadRequest
from fisio_ayida.bdns.windows import days, requested_days
from fisio_ayida.defs.bdns.assets import with_lineage
from fisio_ayida.defs.bdns.document_facts import KEY, OP, DayRecorder, check_specs, evaluate, spec, totals
from fisio_ayida.defs.bdns.failures import reported
from fisio_ayida.defs.bdns.loading import asked_for
from fisio_ayida.defs.bdns.specs import OWNER
from fisio_ayida.defs.events.running import handle_events
from fisio_ayida.defs.resources import LOG, MirrorResource
from fisio_ayida.events.registry import STORE_DOCUMENTS
from fisio_ayida.telemetry import BoundLogger, bind

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from fisio_ayida.bdns.documents.service import Report
    from fisio_ayida.bdns.documents.visit import Documents
    from fisio_ayida.bdns.service import Caller
    from fisio_ayida.warehouse.engine import Warehouse

DEFAULT_LIMIT = 5_000  # some nine minutes at the official pace


class DocumentsConfig(dg.Config):
    """What an operator may ask; with nothing said, everything that is due, newest first, up to the limit."""

    date_from: str | None = Field(None, description="First registration day of the calls, YYYY-MM-DD")
    date_to: str | None = Field(None, description="Last registration day, YYYY-MM-DD; yesterday if left out")
    limit: int | None = Field(
        None, ge=1, description=f"Most documents of this run; without days {DEFAULT_LIMIT} if left out, else all"
    )
    bdns: str = Field("", description="BDNS code of a call, with document_id: one document, now")
    document_id: int | None = Field(None, description="The document's id at the source")
    claim: str | None = Field(None, description="A claim of events that ask for documents, given by the sensor")


def documents_asset() -> dg.AssetsDefinition:
    """The asset, with its checks evaluated in the same step; in no pool, as the mirror's."""
    declared = spec()

    @dg.multi_asset(
        name=OP,
        specs=[declared.replace_attributes(deps=[])],
        check_specs=check_specs(),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def store(
        context: dg.AssetExecutionContext, config: DocumentsConfig, mirror: dg.ResourceParam[MirrorResource]
    ) -> Iterator[dg.AssetCheckResult]:
        yield from _store(context, config, mirror)

    return with_lineage(store, declared)


def documents_job() -> "UnresolvedAssetJobDefinition":
    """The job ``store_documents``."""
    return dg.define_asset_job(
        "store_documents",
        selection=dg.AssetSelection.assets(KEY),
        description=(
            "Fetches the documents of calls and plans that are new or announced anew, and reads their text."
            f" Without config: all that are due, newest call first, at most {DEFAULT_LIMIT}."
            f" Config: `ops: {{{OP}: {{config: {{date_from: '2026-11-01', date_to: '2026-11-07', limit: 9}}}}}}`,"
            " or `{bdns: '123456', document_id: 987}` for one."
        ),
        tags={"source": "bdns"},
        owners=[OWNER],
    )


@asynccontextmanager
async def documents_context(
    mirror: MirrorResource, warehouse: "Warehouse", caller: "Caller", log: BoundLogger
) -> "AsyncIterator[Documents]":
    """What ``store_document`` and ``store_due`` are called with, also by who handles events."""
    from fisio_ayida.bdns.documents.service import open_documents

    async with (
        mirror.context(warehouse, caller, log) as domain,
        open_documents(mirror.settings, domain) as documents,
    ):
        yield documents


def _store(
    context: dg.AssetExecutionContext, config: DocumentsConfig, mirror: MirrorResource
) -> Iterator[dg.AssetCheckResult]:
    from fisio_ayida.bdns.service import Caller

    if config.claim:
        handle_events(context.op_execution_context, mirror, (STORE_DOCUMENTS,), config.claim)
        with reported(context.op_execution_context, mirror), mirror.warehouse() as warehouse:
            yield from evaluate(context, mirror, warehouse)
        return
    caller = Caller(context.run.run_id, context.run.job_name)
    log = bind(LOG, jobName=caller.job_name, runId=caller.run_id, dataset="documentos")
    with reported(context.op_execution_context, mirror), mirror.warehouse() as warehouse:
        wanted = days_of(context, config, mirror.now())
        if config.bdns or config.document_id is not None:
            asyncio.run(_store_one(context, config, wanted, mirror, warehouse, caller, log))
        else:
            report = asyncio.run(_store_due(context, config, wanted, mirror, warehouse, caller, log))
            counts = ", ".join(f"{n} {k}" for k, n in report.numbers.items() if n)
            context.log.info(f"documents: {counts or 'nothing is due'}")
            context.log_event(dg.AssetObservation(KEY, metadata=totals(report, warehouse)))
        yield from evaluate(context, mirror, warehouse)


def days_of(context: dg.AssetExecutionContext, config: DocumentsConfig, now: dt.datetime) -> list[str]:
    """The registration days that a run asks for, in a row; none for everything. Raises :class:`BadRequest`."""
    first, last, keys = asked_for(context, CONVOCATORIAS, config.date_from, config.date_to)
    if keys:
        return days(dt.date.fromisoformat(min(keys)), dt.date.fromisoformat(max(keys)))
    return requested_days(CONVOCATORIAS, first, last, now) if first or last else []


async def _store_one(
    context: dg.AssetExecutionContext, config: DocumentsConfig, wanted: list[str], mirror: MirrorResource,
    warehouse: "Warehouse", caller: "Caller", log: BoundLogger,
) -> None:  # fmt: skip
    from fisio_ayida.bdns.documents.service import store_document

    if not config.bdns or config.document_id is None or wanted:
        raise BadRequest("bdns and document_id go together, without days: they name one document")
    async with documents_context(mirror, warehouse, caller, log) as documents:
        visit = await store_document(config.bdns.strip(), config.document_id, documents)
    facts: dict[str, str | int] = {
        "codigo_bdns": visit.target.parent,
        "document_id": visit.target.id,
        "verdict": visit.verdict.value,
        "bytes": visit.size,
    }
    context.log.info(f"document {visit.target.id} of {visit.target.parent}: {visit.verdict.value}")
    context.log_event(dg.AssetObservation(KEY, metadata=facts))


async def _store_due(
    context: dg.AssetExecutionContext, config: DocumentsConfig, wanted: list[str], mirror: MirrorResource,
    warehouse: "Warehouse", caller: "Caller", log: BoundLogger,
) -> "Report":  # fmt: skip
    from fisio_ayida.bdns.documents.due import Scope
    from fisio_ayida.bdns.documents.service import store_due

    asked = [dt.date.fromisoformat(key) for key in wanted]
    scope = Scope(asked[0], asked[-1]) if asked else Scope()
    limit = config.limit or (None if asked else DEFAULT_LIMIT)
    async with documents_context(mirror, warehouse, caller, log) as documents:
        recorder = DayRecorder(context.log_event, documents)
        report = await store_due(scope, documents, limit=limit, on_day=recorder.day_finished)
        # Also the days on which nothing was due: they are as complete as the others.
        for day in asked:
            if day not in recorder.told:
                recorder.day_finished(day, [])
    return report
