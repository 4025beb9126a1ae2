"""What ``fisio-ayida sync`` and ``rejects`` do on a terminal: progress while it goes, a table at the end.

Beside ``cli.py``, which only parses. Loads go to the Dagster instance through a process of their
own, so that a sync does not pay for importing Dagster and does not fail with it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fisio_ayida.bdns.client import Traffic
from fisio_ayida.bdns.evidence import Load
from fisio_ayida.bdns.mirror import Context, MirrorFailed, Observer, Report, mirror
from fisio_ayida.bdns.records import Batch
from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.bdns.service import Caller, Order, check_source, open_context, plan
from fisio_ayida.bdns.single import Single, replay, sync_convocatoria
from fisio_ayida.bdns.windows import Window, windows
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import Metrics, bind
from fisio_ayida.warehouse.engine import Warehouse, open_warehouse

OK, FAILED, HELD = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Terminal:
    """What every command that talks to the source is given."""

    settings: Settings
    log: logging.Logger
    run_id: str
    now: Callable[[], dt.datetime]
    jitter: Callable[[], float]

    @asynccontextmanager
    async def context(
        self, warehouse: Warehouse, job: str, *, observer: Observer | None = None, allow_removals: bool = False
    ) -> AsyncIterator[Context]:
        """The domain's context on behalf of ``job``."""
        settings = self.settings
        metrics = Metrics(settings.statsd_host, settings.statsd_port, settings.statsd_prefix)
        async with open_context(
            settings,
            warehouse,
            now=self.now,
            jitter=self.jitter,
            log=bind(self.log, jobName=job, runId=self.run_id, dataset=job.removeprefix("sync_")),
            caller=Caller(self.run_id, job),
            allow_removals=allow_removals,
            observer=observer,
            metrics=metrics,
        ) as context:
            yield context


def run_sync(
    terminal: Terminal, datasets: Sequence[Dataset], order: Order, *, dagster_home: str | None, quiet: bool
) -> int:
    """Sync each dataset in turn and print the table; the exit code says the worst that happened.

    What was asked is checked for all of them before anything is written for one.
    """
    console = Console(stderr=True)
    reports: list[Report] = []
    failures: list[str] = []
    with open_warehouse(terminal.settings) as warehouse, Reporter(dagster_home) as reporter:
        plans = [(dataset, _run(_plan(terminal, warehouse, dataset, order))) for dataset in datasets]
        for dataset, partitions in plans:
            with _progress(console, hidden=quiet) as progress:
                reporter.show(Bar(progress, dataset, len(list(windows(dataset, partitions)))))
                try:
                    reports.append(_run(_sync(terminal, warehouse, dataset, partitions, order, reporter)))
                except MirrorFailed as error:
                    reports.append(error.report)
                    failures.append(str(error))
    _print_table(reports)
    for failure in failures:
        console.print(f"error: {failure}", style="red", markup=False, highlight=False, soft_wrap=True)
    if failures:
        return FAILED
    return HELD if any(report.held for report in reports) else OK


async def _plan(terminal: Terminal, warehouse: Warehouse, dataset: Dataset, order: Order) -> list[str]:
    async with terminal.context(warehouse, f"sync_{dataset.name}") as context:
        check_source(context)
        return await plan(dataset, order, context)


async def _sync(
    terminal: Terminal, warehouse: Warehouse, dataset: Dataset, partitions: Sequence[str], order: Order,
    reporter: Reporter,
) -> Report:  # fmt: skip
    async with terminal.context(
        warehouse, f"sync_{dataset.name}", observer=reporter, allow_removals=order.allow_removals
    ) as context:
        return await mirror(dataset, partitions, context)


def _progress(console: Console, *, hidden: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]:>12,} rows"),
        TextColumn("{task.fields[speed]:>8,.0f} rows/s"), TextColumn("{task.fields[pages]} pages"),
        TimeElapsedColumn(), TimeRemainingColumn(),
        console=console, disable=hidden or not console.is_terminal, transient=True,
    )  # fmt: skip


T = TypeVar("T")


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on uvloop, which reads a page's body a tenth faster; where there is none, without."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


class Bar:
    """One line of progress: windows done, rows, rows a second, pages, time left."""

    def __init__(self, progress: Progress, dataset: Dataset, expected: int) -> None:
        self._progress = progress
        self._done = self._rows = self._pages = self._window_rows = 0
        self._task: TaskID = progress.add_task(dataset.name, total=expected, rows=0, speed=0.0, pages=0)

    def window_started(self, window: Window) -> None:
        self._window_rows = 0
        self._progress.update(
            self._task, completed=self._done, description=f"{window.dataset.name} {window.label}"
        )
        self._done += 1

    def rows_received(self, batch: Batch) -> None:
        self._rows += batch.received
        self._window_rows += batch.received
        self._pages += 1
        part = self._window_rows / batch.total if batch.total else 1.0
        elapsed = self._progress.tasks[0].elapsed or 0.001
        self._progress.update(
            self._task, completed=self._done - 1 + min(part, 1.0), rows=self._rows, pages=self._pages,
            speed=self._rows / elapsed,
        )  # fmt: skip


class Reporter:
    """Tells the Dagster instance of each partition as it commits, by a process at the other end of a pipe."""

    def __init__(self, dagster_home: str | None) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._bar: Bar | None = None
        self._home = dagster_home

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()

    def show(self, bar: Bar) -> None:
        self._bar = bar

    def window_started(self, window: Window) -> None:
        if self._bar:
            self._bar.window_started(window)

    def rows_received(self, window: Window, batch: Batch, traffic: Traffic) -> None:
        if self._bar:
            self._bar.rows_received(batch)

    def partition_finished(self, load: Load) -> None:
        if self._home is None:
            return
        from fisio_ayida.defs.bdns.wire import load_to_json

        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fisio_ayida.defs.bdns.report"],
                stdin=subprocess.PIPE,
                env={**os.environ, "DAGSTER_HOME": self._home},
            )
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        try:
            self._process.stdin.write(load_to_json(load).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._home = None  # the UI will not show it; ops.loads does


def _print_table(reports: Sequence[Report]) -> None:
    table = Table(title="What the mirror did")
    columns = ("rows_received", "rows_new", "rows_changed", "rows_removed", "rows_restored", "rows_unchanged",
               "rows_rejected", "nulls_damped", "requests", "retries")  # fmt: skip
    table.add_column("dataset")
    table.add_column("partitions", justify="right")
    for column in columns:
        table.add_column(column.removeprefix("rows_").replace("_", " "), justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("rows/s", justify="right")
    table.add_column("")
    for report in reports:
        seconds = sum(load.seconds for load in report.loads)
        remarks = []
        if report.failures:
            remarks.append(f"{len(report.failures)} windows failed")
        if report.held:
            remarks.append(f"{len(report.held)} held: {', '.join(load.partition_key for load in report.held[:3])}")
        table.add_row(
            report.dataset.name,
            str(len(report.loads)),
            *(f"{report.total(c):,}" for c in columns),
            f"{seconds:.1f}",
            f"{report.total('rows_received') / seconds:,.0f}" if seconds else "",
            "; ".join(remarks),
        )
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def run_single(terminal: Terminal, code: str) -> int:
    """Read one call again; prints what became of it."""

    async def one() -> Single:
        async with terminal.context(warehouse, "sync_convocatoria_individual") as context:
            check_source(context)
            return await sync_convocatoria(code, context)

    with open_warehouse(terminal.settings) as warehouse:
        result = _run(one())
    Console().print(f"convocatoria {result.key} ({result.partition}): {result.verdict}")
    return OK if result.verdict != "rejected" else FAILED


def run_replay(terminal: Terminal, datasets: Sequence[Dataset]) -> int:
    """Try the rejects of these datasets again; prints how many were stored and how many stay."""

    async def one(dataset: Dataset) -> tuple[int, int]:
        async with terminal.context(warehouse, "rejects_replay") as context:
            results = await replay(dataset, context)
        stored = sum(r.verdict != "rejected" for r in results)
        return stored, len(results) - stored

    console = Console()
    remaining = 0
    with open_warehouse(terminal.settings) as warehouse:
        for dataset in datasets:
            stored, left = _run(one(dataset))
            remaining += left
            if stored or left:
                console.print(f"{dataset.name}: {stored} stored, {left} still unusable")
    if not remaining:
        console.print("no rejects are left")
    return OK if not remaining else FAILED


def show_rejects(warehouse: Warehouse, only: Dataset | None) -> None:
    """Print the open rejects by dataset and reason; payloads may name people and are not shown."""
    table = Table(title="Records kept aside")
    for name in ("dataset", "partition", "key", "reason", "times", "first seen", "last seen"):
        table.add_column(name)
    with warehouse.connect(autocommit=True) as conn:
        rows = conn.execute(
            """
            select dataset, partition_key, coalesce(record_key, '?'), left(reason, 120), times,
                   first_seen::timestamp(0)::text, last_seen::timestamp(0)::text
            from ops.rejects where resolved_at is null and (%s::text is null or dataset = %s)
            order by dataset, id limit 500
            """,
            [only.name if only else None, only.name if only else None],
        ).fetchall()
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=None if sys.stdout.isatty() else 180).print(table if rows else "nothing is kept aside")
