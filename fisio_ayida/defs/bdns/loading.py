"""One step: from a run's partitions and config to an order, the mirror's call, events and check results.

Planning, fetching and comparing are the domain's; what an error becomes is in ``failures.py``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from fisio_ayida.bdns.errors import BadRequest
from fisio_ayida.bdns.registry import Dataset, Grain
from fisio_ayida.bdns.windows import parse_day
from fisio_ayida.defs.bdns.checks import evaluate
from fisio_ayida.defs.bdns.failures import reported
from fisio_ayida.defs.bdns.partitions import is_partitioned
from fisio_ayida.defs.events.launched import claim_kept
from fisio_ayida.defs.resources import LOG, MirrorResource
from fisio_ayida.telemetry import BoundLogger, bind

if TYPE_CHECKING:
    from fisio_ayida.bdns.service import Caller, Order
    from fisio_ayida.defs.bdns.recorder import Recorder
    from fisio_ayida.warehouse.engine import Warehouse


class SyncConfig(dg.Config):
    """What an operator may ask of one dataset; with nothing said, its default window."""

    date_from: str | None = Field(None, description="First registration day, YYYY-MM-DD; datasets with days only")
    date_to: str | None = Field(None, description="Last registration day, YYYY-MM-DD; yesterday if left out")
    allow_removals: bool = Field(
        False, description="Let this run remove more rows than the guard allows, as every January"
    )


def load(
    context: dg.AssetExecutionContext, dataset: Dataset, config: SyncConfig, mirror: MirrorResource
) -> Iterator[dg.AssetCheckResult]:
    """Bring what the run asks for up to date; partitions are reported as they commit, checks at the end."""
    from fisio_ayida.bdns.service import Caller
    from fisio_ayida.defs.bdns.recorder import Recorder

    caller = Caller(context.run.run_id, context.run.job_name)
    log = bind(LOG, jobName=caller.job_name, runId=caller.run_id, dataset=dataset.name)
    with (
        reported(context.op_execution_context, mirror),
        mirror.warehouse() as warehouse,
        claim_kept(context.run.tags, warehouse),
    ):
        order = order_of(context, dataset, config)
        recorder = Recorder(dataset, context.log_event, lambda: warehouse.connect(autocommit=True))
        partitions = asyncio.run(_sync(context, dataset, order, mirror, warehouse, recorder, caller, log))
        yield from evaluate(context, dataset, partitions, mirror, warehouse)


def order_of(context: dg.AssetExecutionContext, dataset: Dataset, config: SyncConfig) -> Order:
    """The order of a run; raises :class:`BadRequest` for dates that are none, or that contradict it."""
    from fisio_ayida.bdns.service import Order

    first, last, keys = asked_for(context, dataset, config.date_from, config.date_to)
    return Order(date_from=first, date_to=last, partitions=keys, allow_removals=config.allow_removals)


def asked_for(
    context: dg.AssetExecutionContext, dataset: Dataset, date_from: str | None, date_to: str | None
) -> tuple[dt.date | None, dt.date | None, tuple[str, ...]]:
    """The days of a run's config, or the partitions that Dagster gave it: one, a range, or none.

    Raises:
        BadRequest: a date that is none, or both dates and partitions.
    """
    first = parse_day("date_from", date_from) if date_from else None
    last = parse_day("date_to", date_to) if date_to else None
    given = context.has_partition_key or context.has_partition_key_range
    keys = tuple(context.partition_keys) if given and is_partitioned(dataset) else ()
    if keys and (first or last):
        raise BadRequest(
            f"the run has the partitions {keys[0]} to {keys[-1]} and dates in its config: give one of them"
        )
    return first, last, keys


async def _sync(
    context: dg.AssetExecutionContext,
    dataset: Dataset,
    order: Order,
    mirror: MirrorResource,
    warehouse: Warehouse,
    recorder: Recorder,
    caller: Caller,
    log: BoundLogger,
) -> tuple[str, ...]:
    """The partitions that the order means, all of them loaded; a repeat leaves out what is already done."""
    from fisio_ayida.bdns import service
    from fisio_ayida.defs.bdns.recorder import add_years

    async with mirror.context(
        warehouse, caller, log, observer=recorder, allow_removals=order.allow_removals
    ) as domain:
        planned = await service.plan(dataset, order, domain)
        if dataset.grain is Grain.YEAR:
            add_years(context.instance, planned)
        done = (
            _done(warehouse, dataset, context.run.run_id) if context.op_execution_context.retry_number else set()
        )
        missing = tuple(key for key in planned if key not in done)
        if missing:
            recorder.last = max(missing)
            report = await service.sync(
                dataset, service.Order(partitions=missing, allow_removals=order.allow_removals), domain
            )
            context.log.info(
                f"{dataset.name}: {len(report.loads)} partitions, {report.total('rows_received')} rows:"
                f" {report.total('rows_new')} new, {report.total('rows_changed')} changed,"
                f" {report.total('rows_removed')} removed, {report.total('rows_restored')} restored,"
                f" {report.total('rows_unchanged')} unchanged, {len(report.held)} partitions held"
            )
    return tuple(planned)


def _done(warehouse: Warehouse, dataset: Dataset, run_id: str) -> set[str]:
    with warehouse.connect(autocommit=True) as conn:
        rows = conn.execute(
            "select partition_key from ops.loads where dataset = %s and run_id = %s and status = 'ok'",
            [dataset.name, run_id],
        )
        return {str(key) for (key,) in rows}
