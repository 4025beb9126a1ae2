"""``fisio-ayida demo``: the whole project on one machine, against the local stand-in.

Real Dagster runs into the real embedded PostgreSQL; only the world outside is made up. The demo
always uses the embedded server, so that invented rows cannot reach a database that somebody named.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.bdns.windows import yesterday
from fisio_ayida.commands.demo_day import show_day
from fisio_ayida.commands.demo_events import PROJECT, show_events
from fisio_ayida.commands.demo_insights import show_insights
from fisio_ayida.commands.demo_messages import show_messages
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.bdns import SimulatorProcess

if TYPE_CHECKING:
    from fisio_ayida.warehouse.engine import Warehouse

STEP = {
    "added": 0.01, "changed": 0.03, "removed": 0.005, "respelled": 0.3, "shuffled": True, "blanked": 0.05,
}  # fmt: skip
#: What identifies a row for the stand-in's truth call, where that is not the mirror's key.
_TRUTH_KEY = {"organos": "id_admon || '|' || nivel || '|' || id"}
_NO_TRUTH = {"planes_estrategicos_vigencia"}
#: Variables that would let the demo's invented messages out; without them everything goes into files.
REAL_PROVIDERS = (
    "RESEND_API_KEY", "EVOLUTION_API_KEY", "WHATSAPP_ACCESS_TOKEN", "EXPO_ACCESS_TOKEN", "OPENAI_API_KEY",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Truth:
    """Rows, amount and digest of the sorted keys, of the mirror or of the stand-in."""

    count: int
    amount: Decimal
    digest: str


def run_demo(settings: Settings, *, days: int, now: Callable[[], dt.datetime]) -> int:
    """Fill, change, sync again, compare with the truth; 0 when every number agrees."""
    started = time.monotonic()
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 130)
    today = yesterday(now()) + dt.timedelta(days=1)
    first, last = today - dt.timedelta(days=days), today - dt.timedelta(days=1)
    with SimulatorProcess(["--today", today.isoformat()]) as sim:
        local = demo_settings(settings, sim.base_url)
        home = prepare_dagster_home(local)
        with dagster_environment(local, home):
            from fisio_ayida.warehouse.engine import open_warehouse

            with open_warehouse(local) as warehouse:
                console.rule(f"1. First load: every dataset, {first} to {last}")
                _show(console, _materialize(console, local, first, last), warehouse)
                agreed = _compare(console, warehouse, sim, first, last)
                console.rule("2. Time passes: rows appear, change, vanish; names are re-spelled, lists shuffled")
                sim.step(**STEP)
                _show(console, _materialize(console, local, first, last), warehouse)
                agreed &= _compare(console, warehouse, sim, first, last, changes=True)
                console.rule("3. The documents of calls and plans: stored once by content, their text searchable")
                agreed &= _store_documents(console, local, warehouse)
                console.rule(
                    "4. An app sends events: its own SDK, the gateway, the inbox, Dagster's sensor and runs"
                )
                arrived = show_events(console, local, warehouse)
                console.rule("5. Messages: planned once, held to the rules, sent, confirmed, answered")
                told = show_messages(console, local, warehouse)
                console.rule("6. FisioFlow's jobs: a Monday of three made-up clinics, with a clock that is moved")
                kept = show_day(console, local, warehouse)
                console.rule("7. Insights: what changed for made-up patients in treatment, computed and in words")
                told_of = show_insights(console, local, warehouse)
    seconds = time.monotonic() - started
    words = "Every number agrees with the source" if agreed else "SOME NUMBERS DO NOT AGREE"
    words += ", every event arrived" if arrived else ", BUT SOME EVENTS DID NOT END AS THEY SHOULD"
    words += ", every message ended as it must" if told else ", BUT NOT EVERY MESSAGE ENDED AS IT MUST"
    words += ", the clinics' Monday went as it must" if kept else ", BUT THE CLINICS' MONDAY WENT WRONG"
    words += ", every insight holds" if told_of else ", BUT NOT EVERY INSIGHT HOLDS"
    good = agreed and arrived and told and kept and told_of
    console.print(
        f"{words}. {seconds:.0f} s. See it all in Dagster's UI: make dev",
        style="bold green" if good else "bold red",
    )
    return 0 if good else 1


def demo_settings(settings: Settings, base_url: str) -> Settings:
    """The same home; the embedded server, the stand-in's address and no pace to keep."""
    return settings.model_copy(
        update={
            "database_url": None,
            "bdns_base_url": base_url,
            "bdns_requests_per_second": 0.0,
            **{name.lower(): None for name in REAL_PROVIDERS},
            **dict.fromkeys(("messaging_email", "messaging_whatsapp", "messaging_push"), "auto"),
            "insights_model": "",
        }
    )


def prepare_dagster_home(settings: Settings) -> Path:
    """The local instance's folder with the project's ``dagster.yaml`` in it."""
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "dagster.yaml", home / "dagster.yaml")
    return home


@contextmanager
def dagster_environment(settings: Settings, home: Path) -> Iterator[None]:
    """The variables that Dagster and its child processes read, for the time of the demo."""
    wanted = {
        "DAGSTER_HOME": str(home),
        "FISIO_AYIDA_HOME": str(settings.home),
        "BDNS_BASE_URL": settings.bdns_base_url,
        "BDNS_REQUESTS_PER_SECOND": "0",
    }
    unwanted = (
        "DATABASE_URL", *REAL_PROVIDERS, "MESSAGING_EMAIL", "MESSAGING_WHATSAPP", "MESSAGING_PUSH",
        "INSIGHTS_MODEL",
    )  # fmt: skip
    before = {name: os.environ.get(name) for name in (*wanted, *unwanted)}
    os.environ.update(wanted)
    for name in unwanted:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _materialize(console: Console, settings: Settings, first: dt.date, last: dt.date) -> list[str]:
    """Run every sync job of the registry; gives the ids of the runs. Raises if one fails."""
    from fisio_ayida.defs.bdns.jobs import SYNC_JOBS
    from fisio_ayida.defs.bdns.specs import op_name

    config = {"date_from": first.isoformat(), "date_to": last.isoformat()}
    configs = {
        name: {"ops": {op_name(DATASETS[d]): {"config": config} for d in datasets if DATASETS[d].is_windowed}}
        for name, datasets in SYNC_JOBS.items()
    }
    return run_jobs(console, settings, configs)


def run_jobs(console: Console, settings: Settings, configs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Run jobs by name with their configs, one after another; gives the ids of the runs. Raises if one fails."""
    runs = []
    # Dagster's own lines are for the UI and for whoever looks into the file; here they would hide the tables.
    with (settings.home / "demo.log").open("a") as log, redirect_stdout(log), redirect_stderr(log):
        import dagster as dg

        from fisio_ayida.definitions import build_definitions

        definitions = build_definitions(settings=settings)
        with dg.DagsterInstance.get() as instance:
            for name, config in configs.items():
                started = time.monotonic()
                result = definitions.resolve_job_def(name).execute_in_process(
                    instance=instance,
                    run_config=config,
                    tags={"demo": "true"},
                )
                console.print(f"  run {result.run_id[:8]}  {name:<28} SUCCESS  {time.monotonic() - started:.1f} s")
                runs.append(result.run_id)
    return runs


def _store_documents(console: Console, settings: Settings, warehouse: Warehouse) -> bool:
    """Store what is due and search it; False if a document of the source is missing."""
    run_jobs(console, settings, {"store_documents": {}})
    with warehouse.connect(autocommit=True) as conn:
        listed, stored, distinct, size = conn.execute(
            """
            select (select count(*) from bdns.convocatorias_documentos)
                     + (select count(*) from bdns.planes_estrategicos_documentos),
                   count(*), count(distinct sha256), sum(size_bytes)
            from bdns.documentos where state = 'stored'
            """
        ).fetchone() or (0, 0, 0, 0)
        (found,) = conn.execute(
            """
            select count(distinct (origen, id)) from bdns.documentos join bdns.documentos_texto using (sha256)
            where buscable @@ websearch_to_tsquery('bdns.espanol', 'subvención')
            """
        ).fetchone() or (0,)
    console.print(f"  {stored:,} of {listed:,} documents, {distinct:,} different ones, {size:,} bytes; ", end="")
    console.print(f"{found:,} of them speak of a subvención")
    return bool(stored == listed and found)


def _show(console: Console, runs: Sequence[str], warehouse: Warehouse) -> None:
    """What these runs did, from the evidence that they left."""
    table = Table(title="From ops.loads, the evidence of each load")
    names = ("partitions", "received", "new", "changed", "removed", "restored", "unchanged", "rejected", "damped")
    table.add_column("dataset")
    for name in names:
        table.add_column(name, justify="right")
    with warehouse.connect(autocommit=True) as conn:
        rows = conn.execute(
            """
            select dataset, count(*), sum(rows_received), sum(rows_new), sum(rows_changed), sum(rows_removed),
                   sum(rows_restored), sum(rows_unchanged), sum(rows_rejected), sum(nulls_damped)
            from ops.loads where run_id = any(%s) group by dataset
            """,
            [list(runs)],
        ).fetchall()
    order = list(DATASETS)
    for name, *numbers in sorted(rows, key=lambda row: order.index(row[0])):
        table.add_row(name, *(f"{int(n):,}" for n in numbers))
    console.print(table)


def _compare(
    console: Console, warehouse: Warehouse, sim: SimulatorProcess, first: dt.date, last: dt.date, *,
    changes: bool = False,
) -> bool:  # fmt: skip
    """Mirror against truth for each dataset: rows, euros, digest of all keys."""
    table = Table(title="The mirror against the source's own truth")
    table.add_column("dataset")
    for name in ("rows here", "rows there", "euros here", "euros there", "keys"):
        table.add_column(name, justify="right")
    if changes:
        table.add_column("really changed there", justify="right")
    agreed = True
    for dataset in DATASETS.values():
        if dataset.name in _NO_TRUTH:
            continue
        scope = (first, last + dt.timedelta(days=1)) if dataset.is_windowed else (None, None)
        said = sim.truth(dataset.name, *scope)
        there = Truth(said["count"], Decimal(said["importe"]), said["digest"])
        here = mirrored(warehouse, dataset, *scope)
        # A penalty's key holds a name, which the source spells as it likes: rows and euros must do.
        keys = "–" if dataset.ordinal else "equal" if here.digest == there.digest else "DIFFER"
        same = here.count == there.count and here.amount == there.amount and keys != "DIFFER"
        agreed &= same
        row = [
            dataset.name,
            f"{here.count:,}",
            f"{there.count:,}",
            f"{here.amount:,.2f}",
            f"{there.amount:,.2f}",
            keys,
        ]
        if changes:
            real = sim.changes(dataset.name, *scope)
            row.append(f"{real['added']} added, {real['changed']} changed, {real['removed']} removed")
        table.add_row(*row, style=None if same else "bold red")
    console.print(table)
    return agreed


def mirrored(
    warehouse: Warehouse, dataset: Dataset, first: dt.date | None = None, end: dt.date | None = None
) -> Truth:
    """What the mirror holds of a dataset, in the terms of the stand-in's truth call; ``end`` exclusive."""
    key = _TRUTH_KEY.get(dataset.name) or " || '|' || ".join(f"{k}::text" for k in dataset.key)
    amount = dataset.amount or "0"
    copies = "repeticiones" if dataset.ordinal else "1"
    where, values = "true", []
    if first is not None and end is not None:
        where, values = f"{dataset.partition_column} >= %s and {dataset.partition_column} < %s", [first, end]
    with warehouse.connect(autocommit=True) as conn:
        count, total = conn.execute(
            f"select coalesce(sum({copies}), 0), coalesce(sum({amount} * {copies}), 0) from {dataset.table} "
            f"where {where}",
            values,
        ).fetchone() or (0, 0)
        keys = [k for (k,) in conn.execute(f"select {key} from {dataset.table} where {where}", values)]
    ordered = sorted(map(int, keys)) if dataset.integer_key else sorted(keys)
    digest = hashlib.sha256("\n".join(map(str, ordered)).encode()).hexdigest()
    return Truth(int(count), Decimal(total), digest)
