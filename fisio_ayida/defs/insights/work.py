"""The body of the insights' step: from a run's config or partitions to the domain's call, and what is recorded.

Not here: what a run does (``insights/running.py``), what its page shows (``report.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from fisio_ayida.clinic.registry import Job
from fisio_ayida.defs.clinic.asking import Asked, RunConfig, bad_order, moment_of
from fisio_ayida.defs.clinic.failures import explained
from fisio_ayida.defs.clinic.specs import CODE_VERSION, asset_key
from fisio_ayida.defs.clinic.work import Recorded, desk_of, order_of, raise_if_any
from fisio_ayida.defs.insights.sensor import LONGEST
from fisio_ayida.defs.resources import MirrorResource

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Desk, Order, Outcome

#: A run that has had its time stops taking patients so long before it would be stopped: it ends well, and the next
#: one goes on.
TO_END = dt.timedelta(minutes=10)
Said = Recorded | dg.AssetCheckResult


def carry_out(
    context: dg.AssetExecutionContext, job: Job, config: RunConfig, patients: Sequence[str], mirror: MirrorResource
) -> Iterator[Said]:
    """Do what is due, record the days on which it was generated, and look whether all is well.

    Raises:
        dg.Failure: it was not done for some organisations, though it was for the others.
    """
    from fisio_ayida.defs.clinic.report import line
    from fisio_ayida.insights.narrative.prices import Prices

    step = context.op_execution_context
    failures: list[tuple[str, str]] = []
    # Someone may ask for a check alone.
    is_wanted = bool(context.selected_asset_keys)
    with explained(step, mirror), desk_of(step, mirror) as desk:
        order = order_of(step, job, config, Asked(moment_of(config, mirror.now()), None), mirror)
        if is_wanted:
            days = _days(context)
            # Before anything is done: a wrong table fails the run.
            prices = Prices.parse(mirror.settings.insights_prices)
            outcome = asyncio.run(_run(desk, order, _patients(order, config, patients, days), days, mirror))
            context.log.info(line(outcome, order))
            currency = prices.currency if prices.table else ""
            yield from _recorded(asset_key(job), desk, order, outcome, days, currency, mirror.now())
            failures = outcome.failures
        if not order.is_dry and order.organization is None:
            # They are about all organisations, whatever the run was about.
            yield from _checked(context, desk, order, mirror)
    raise_if_any(job, failures)


async def _run(
    desk: Desk, order: Order, patients: Sequence[str], days: Sequence[dt.date], mirror: MirrorResource
) -> Outcome:
    from fisio_ayida.insights.model import Limits
    from fisio_ayida.insights.narrative.service import model_of, open_writer
    from fisio_ayida.insights.running import run

    settings = mirror.settings
    make = partial(
        run, desk, order, now=mirror.now, limits=Limits.of(settings), in_flight=settings.insights_in_flight,
        patients=patients, days=days, longest=LONGEST - TO_END,
    )  # fmt: skip
    if order.is_dry:
        return await make(None, model=model_of(settings))
    with mirror.warehouse() as warehouse:
        async with open_writer(settings, warehouse, now=mirror.now, log=desk.log) as writer:
            return await make(writer)


def _days(context: dg.AssetExecutionContext) -> list[dt.date]:
    """The partitions that are asked for, if any."""
    if not (context.has_partition_key or context.has_partition_key_range):
        return []
    return [dt.date.fromisoformat(key) for key in context.partition_keys]


def _patients(order: Order, config: RunConfig, given: Sequence[str], days: Sequence[dt.date]) -> list[str]:
    """The patients that are asked for. Raises :class:`BadOrder`."""
    patients = list(dict.fromkeys(each.strip() for each in given))
    if "" in patients:
        raise bad_order(f"patients={list(given)!r} names nobody: leave it out to do whatever is due")
    if patients and order.organization is None:
        raise bad_order("patients are given without their organization: ids alone do not say whose they are")
    if days and (patients or config.at):
        raise bad_order("patients or at are given with partitions: each says what to make, so give one of them")
    return patients


def _recorded(
    key: dg.AssetKey, desk: Desk, order: Order, outcome: Outcome, days: Sequence[dt.date], currency: str,
    now: dt.datetime,
) -> Iterator[Recorded]:  # fmt: skip
    """A materialization of each day that the run was about; of a dry run or one organisation an observation."""
    from fisio_ayida.defs.clinic import report as of_run
    from fisio_ayida.defs.insights.report import metadata
    from fisio_ayida.insights.numbers import civil_day, days_of, numbers

    today = civil_day(now)
    if order.is_dry or order.organization is not None:
        yield dg.AssetObservation(key, partition=today.isoformat(), metadata=of_run.metadata(outcome, order))
        return
    this_run = dg.MetadataValue.md(of_run.summary(outcome, order))
    for day in sorted({today, *days, *days_of(desk.conn, order.run_id)}):
        shown = metadata(numbers(desk.conn, day), currency)
        yield dg.AssetMaterialization(
            key, partition=day.isoformat(), tags={"dagster/code_version": CODE_VERSION},
            metadata={**shown, "mode": of_run.mode(order), "this_run": this_run},
        )  # fmt: skip


def _checked(
    context: dg.AssetExecutionContext, desk: Desk, order: Order, mirror: MirrorResource
) -> Iterator[dg.AssetCheckResult]:
    from fisio_ayida.defs.insights.report import check_result
    from fisio_ayida.insights.looking import examine
    from fisio_ayida.insights.model import Limits

    wanted = {key.name: key.asset_key for key in context.selected_asset_check_keys}
    limits = Limits.of(mirror.settings)
    for finding in examine(desk, limits, wanted, now=mirror.now(), is_shadow=order.is_shadow, salt=order.run_id):
        yield check_result(wanted[finding.check], finding)
