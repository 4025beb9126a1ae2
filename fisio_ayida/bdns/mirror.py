"""The mirror: fetch windows, compare, prove, commit; one call for a whole range.

This is the function that the Dagster asset, the command line and the tests call. It knows no
Dagster, reads no clock but the one for durations, and opens only what its caller hands over.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg

from fisio_ayida.bdns import evidence
from fisio_ayida.bdns.client import BdnsClient, Traffic
from fisio_ayida.bdns.errors import BdnsError, IncompleteWindow, RequestFailed, WindowHeld
from fisio_ayida.bdns.evidence import Load, Status
from fisio_ayida.bdns.load import Guard, Outcome, WindowLoad
from fisio_ayida.bdns.records import Batch
from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.bdns.sweep import sweep
from fisio_ayida.bdns.windows import Window, windows
from fisio_ayida.telemetry import Log, Metrics
from fisio_ayida.warehouse.clock import ClockError
from fisio_ayida.warehouse.engine import WarehouseError
from fisio_ayida.warehouse.locks import LockBusy, window_locks

SWEEPS = 3  # how often a window that does not add up is fetched before it fails


class Observer(Protocol):
    """Who wants to know how a load goes on."""

    def window_started(self, window: Window) -> None: ...

    def rows_received(self, window: Window, batch: Batch, traffic: Traffic) -> None: ...

    def partition_finished(self, load: Load) -> None: ...


class Silent:
    """An observer that does nothing; a base for those who want one of the calls."""

    def window_started(self, window: Window) -> None: ...

    def rows_received(self, window: Window, batch: Batch, traffic: Traffic) -> None: ...

    def partition_finished(self, load: Load) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a load is given: where to write, whom to ask, and on whose behalf.

    ``connect`` gives a connection in autocommit mode: transactions are the windows'.
    """

    connect: Callable[[], psycopg.Connection[Any]]
    client: BdnsClient
    now: Callable[[], dt.datetime]
    log: Log
    guard: Guard = field(default_factory=Guard)
    page_size: int = 10_000
    lock_wait: dt.timedelta = dt.timedelta(minutes=30)
    run_id: str | None = None
    job_name: str | None = None
    observer: Observer = field(default_factory=Silent)
    metrics: Metrics = field(default_factory=Metrics)


@dataclass(slots=True)
class Report:
    """What a call of :func:`mirror` has done: the evidence rows, the windows that failed, and why."""

    dataset: Dataset
    loads: list[Load] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    causes: list[Exception] = field(default_factory=list)

    @property
    def held(self) -> list[Load]:
        return [load for load in self.loads if load.status is Status.HELD]

    def total(self, name: str) -> int:
        """The sum of one count over all partitions, ``total("rows_new")``."""
        return int(sum(getattr(load, name) for load in self.loads))


class MirrorFailed(BdnsError):
    """Some windows could not be loaded; those before and after them are."""

    def __init__(self, report: Report) -> None:
        self.report = report
        good = sum(load.status is Status.OK for load in report.loads)
        super().__init__(
            f"{report.dataset.name}: {good} partitions loaded, {len(report.failures)} windows failed: "
            + " | ".join(report.failures)
        )


async def mirror(dataset: Dataset, partitions: Sequence[str], context: Context) -> Report:
    """Bring ``partitions`` of ``dataset`` to what the source publishes now.

    Each window is one transaction; what is committed stays committed when a later one fails. A window
    that does not add up is left as it was and the rest goes on; a source or database that does not
    answer ends the call. Raises :class:`MirrorFailed` at the end if anything failed.
    """
    report = Report(dataset)
    started = time.monotonic()
    context.metrics.incr("etl.jobs.started")
    with context.connect() as conn:
        for window in windows(dataset, partitions):
            context.observer.window_started(window)
            try:
                loads = await _load_window(conn, window, context)
            except (BdnsError, LockBusy, ClockError, psycopg.Error) as error:
                words = f"{window.label}: {_words(error)}"
                report.failures.append(words)
                report.causes.append(error)
                context.log.error("window failed: %s", words, extra={"window": window.label})
                _record_failure(window, context, _words(error))
                if isinstance(error, RequestFailed | ClockError | psycopg.OperationalError):
                    break
                continue
            report.loads += loads
            _log_window(window, loads, context)
            for load in loads:
                _measure(load, context.metrics)
                context.observer.partition_finished(load)
    context.metrics.incr("etl.jobs.failed" if report.failures else "etl.jobs.completed")
    context.metrics.duration("etl.jobs.duration", dt.timedelta(seconds=time.monotonic() - started))
    if report.failures:
        raise MirrorFailed(report)
    return report


def _log_window(window: Window, loads: Sequence[Load], context: Context) -> None:
    """One line for each window; single rows and pages are not worth one."""
    names = ("rows_received", "rows_new", "rows_changed", "rows_removed", "rows_restored", "rows_unchanged",
             "rows_rejected", "requests", "retries")  # fmt: skip
    sums = {name: sum(getattr(load, name) for load in loads) for name in names}
    seconds = round(sum(load.seconds for load in loads), 3)
    context.log.info("window loaded", extra={"window": window.label, **sums, "seconds": seconds})


def _measure(load: Load, metrics: Metrics) -> None:
    metrics.incr("etl.items.fetched", load.rows_received)
    metrics.incr("etl.items.processed", load.touched + load.rows_restored)
    metrics.incr("etl.items.skipped", load.rows_unchanged)
    metrics.incr("etl.items.errors", load.rows_rejected)
    metrics.incr("etl.pages.failed", load.retries)


@dataclass(slots=True)
class _Plan:
    """How the next try of a window differs from the first."""

    staged: bool = False
    skip: frozenset[str] = frozenset()
    held: dict[str, Load] = field(default_factory=dict)


async def _load_window(conn: psycopg.Connection[Any], window: Window, context: Context) -> list[Load]:
    started, clock, traffic = context.now(), time.monotonic(), context.client.traffic.copy()
    plan = _Plan()
    incomplete = 0
    while True:
        try:
            with conn.transaction():
                load = _begin(conn, window, context, plan)
                with load:
                    await _fetch(load, context)
                    outcome = load.finish()
                evidence_rows = _evidence(load, outcome, context, plan, started, clock, traffic)
                _keep(conn, window, outcome, evidence_rows, context)
            return evidence_rows
        except psycopg.errors.UniqueViolation:
            # A key that came twice, or one that is stored under another partition: the careful way tells.
            if plan.staged:
                raise
            plan.staged = True
            context.log.warning(
                "fetching the window again: a key came twice, or is stored under another partition",
                extra={"window": window.label},
            )
        except IncompleteWindow as error:
            incomplete += 1
            if incomplete == SWEEPS:
                raise
            context.log.warning("fetching the window again: %s", error, extra={"window": window.label})
        except WindowHeld as error:
            context.log.error("%s", error, extra={"window": window.label})
            plan.held |= _held(window, load, error, context, started)
            plan.skip |= error.partitions
            if plan.skip >= set(window.partitions):
                rows = [plan.held[p] for p in window.partitions]
                with conn.transaction():
                    evidence.record(conn, rows)
                return rows


def _begin(conn: psycopg.Connection[Any], window: Window, context: Context, plan: _Plan) -> WindowLoad:
    """Reserve the window, then look at the clock and at what is stored: nobody changes it any more."""

    def waiting(dataset: str, partition: str) -> None:
        context.log.warning(
            "waiting: another load holds %s %s", dataset, partition, extra={"window": window.label}
        )

    window_locks(conn, window.dataset.name, window.partitions, wait=context.lock_wait, on_wait=waiting)
    return WindowLoad(conn, window, now=context.now(), guard=context.guard, staged=plan.staged, skip=plan.skip)


async def _fetch(load: WindowLoad, context: Context) -> None:
    asked = time.monotonic()
    async with aclosing(sweep(load.window, context.client, context.page_size)) as batches:
        async for batch in batches:
            context.metrics.incr("etl.pages.fetched")
            context.metrics.duration("etl.pages.duration", dt.timedelta(seconds=time.monotonic() - asked))
            load.add(batch)
            context.observer.rows_received(load.window, batch, context.client.traffic)
            del batch  # gone before the next one is decoded: one page in memory, not three
            asked = time.monotonic()


def _evidence(
    load: WindowLoad, outcome: Outcome, context: Context, plan: _Plan, started: dt.datetime, clock: float,
    before: Traffic,
) -> list[Load]:  # fmt: skip
    """One row for each partition; what only the window knows is shared out so that sums stay right."""
    window = load.window
    size = len(window.partitions)
    traffic = context.client.traffic - before
    seconds = time.monotonic() - clock
    broken = context.guard.exceeded(outcome.unusable, outcome.received)
    rows = []
    for i, partition in enumerate(window.partitions):
        if partition in plan.held:
            rows.append(plan.held[partition])
            continue
        counts = outcome.counts[partition]
        share = counts.received / outcome.received if outcome.received else 1 / size
        rows.append(
            _row(
                window,
                partition,
                Status.REJECTED if broken else Status.OK,
                context,
                started,
                load.now,
                total_first=outcome.total_first,
                total_last=outcome.total_last,
                window_received=outcome.received,
                rows_received=counts.received,
                rows_new=counts.new,
                rows_changed=counts.changed,
                rows_removed=counts.removed,
                rows_restored=counts.restored,
                rows_unchanged=counts.unchanged,
                rows_rejected=counts.rejected,
                rows_outside=outcome.outside if i == size - 1 else 0,
                rows_repeated=counts.repeated,
                nulls_damped=counts.damped,
                would_remove=counts.would_remove,
                requests=_share(traffic.requests, i, size),
                retries=_share(traffic.retries, i, size),
                bytes=_share(traffic.bytes, i, size),
                seconds=seconds * share,
            )
        )
    return rows


def _row(
    window: Window, partition: str, status: Status, context: Context, started: dt.datetime,
    valid_from: dt.datetime, **numbers: Any,
) -> Load:  # fmt: skip
    return Load(
        dataset=window.dataset.name,
        partition_key=partition,
        status=status,
        valid_from=valid_from,
        started_at=started,
        finished_at=context.now(),
        window_label=window.label,
        source=context.client.base_url,
        run_id=context.run_id,
        job_name=context.job_name,
        **numbers,
    )


def _share(whole: int, part: int, parts: int) -> int:
    """Part number ``part`` of a whole number cut into ``parts`` that add up to it."""
    return whole * (part + 1) // parts - whole * part // parts


def _held(
    window: Window, load: WindowLoad, error: WindowHeld, context: Context, started: dt.datetime
) -> dict[str, Load]:
    out = {}
    for partition in error.partitions:
        counts = load.counts[partition]
        out[partition] = _row(
            window, partition, Status.HELD, context, started, load.now,
            total_first=load.total_first,
            total_last=load.total_last,
            window_received=load.received,
            rows_received=counts.received,
            would_remove=counts.would_remove,
            error=str(error),
        )  # fmt: skip
    return out


def _keep(
    conn: psycopg.Connection[Any], window: Window, outcome: Outcome, loads: Sequence[Load], context: Context
) -> None:
    now = context.now()
    if outcome.rejects:
        evidence.keep_rejects(
            conn, window.dataset, window.partitions[0], outcome.rejects, now=now, run_id=context.run_id
        )
    if outcome.drifts:
        evidence.keep_drifts(conn, window.dataset, outcome.drifts, now=now)
    if outcome.resolved:
        evidence.resolve_rejects(conn, window.dataset, outcome.resolved, now)
    evidence.record(conn, loads)


def _record_failure(window: Window, context: Context, words: str) -> None:
    """Evidence of a failure, after its transaction was rolled back; the load's connection may be gone."""
    now = context.now()
    rows = [_row(window, p, Status.FAILED, context, now, now, error=words) for p in window.partitions]
    try:
        with context.connect() as conn, conn.transaction():
            evidence.record(conn, rows)
    except (psycopg.Error, WarehouseError) as error:
        context.log.error("the failure could not be recorded: %s", _words(error), extra={"window": window.label})


def _words(error: BaseException) -> str:
    """One line; PostgreSQL's own words without its context, which may quote the row."""
    if isinstance(error, psycopg.Error):
        text = error.diag.message_primary or str(error).splitlines()[0]
        return f"database: {text}"
    return " ".join(str(error).split())
