"""A laboratory for the mirror: a simulated BDNS over HTTP, a real database, and a clock that tests move.

Here: fixtures, the comparison with the simulator's truth, the questions that tests ask of the tables.
Not here: expectations about single behaviours.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import Any

import psycopg
import pytest

from fisio_ayida.bdns.datasets import DATASETS, dataset
from fisio_ayida.bdns.mirror import Context, MirrorFailed, Observer, Report
from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.bdns.service import Caller, Order, open_context, sync
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.bdns import BdnsSimulator, SimulatorConfig
from fisio_ayida.telemetry import bind
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.conftest import cloned

TODAY = dt.date(2026, 10, 5)
FIRST = dt.date(2026, 9, 1)
# A week that begins on a Monday, long past.
MONDAY = dt.date(2026, 9, 7)
SUNDAY = dt.date(2026, 9, 13)
MORNING = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)
DAILY = ("convocatorias", "concesiones", "ayudas_estado", "minimis")
# What the simulator can referee; the years of vigencia are not among it.
REFEREED = tuple(name for name in DATASETS if name != "planes_estrategicos_vigencia")
FAST = {
    "BDNS_REQUESTS_PER_SECOND": "0",
    "BDNS_RETRY_BASE_SECONDS": "0.01",
    "BDNS_RETRY_MAX_SECONDS": "0.02",
    "BDNS_MAX_RETRIES": "3",
    "BDNS_PAGE_TIMEOUT_SECONDS": "20",
    "BDNS_DETAIL_TIMEOUT_SECONDS": "20",
    "LOCK_WAIT_SECONDS": "20",
}
_TRUTH_KEYS = {"organos": "id_admon || '|' || nivel || '|' || id"}


def small(**changes: Any) -> SimulatorConfig:
    """A service with five weeks of data."""
    values: dict[str, Any] = {
        "today": TODAY,
        "first_day": dict.fromkeys((*DAILY, "partidos_politicos"), FIRST),
        "rows_per_day": {"concesiones": 60, "ayudas_estado": 40, "minimis": 40, "convocatorias": 6},
        "sizes": {"grandes_beneficiarios": 60, "grandes_beneficiarios_years": 3},
    }
    return SimulatorConfig(**{**values, **changes})


class Lab:
    """One simulator, one database, and what tests do with the two."""

    def __init__(self, sim: BdnsSimulator, warehouse: Warehouse) -> None:
        self.sim = sim
        self.warehouse = warehouse
        self.moment = MORNING
        self.log = logging.getLogger("fisio_ayida_tests.bdns")
        self.connection = warehouse.connect(autocommit=True)

    def settings(self, **changes: object) -> Settings:
        """Settings that do not wait for a simulator on this machine."""
        values = {**FAST, "BDNS_BASE_URL": self.sim.base_url, **{k: str(v) for k, v in changes.items()}}
        return Settings.load(values)

    def later(self, **amount: float) -> dt.datetime:
        """Move the clock on, by a minute unless told otherwise, and say what time it is."""
        self.moment += dt.timedelta(**(amount or {"minutes": 1}))
        return self.moment

    def context(
        self, *, allow_removals: bool = False, observer: Observer | None = None, run_id: str = "run-1",
        **changes: object,
    ) -> AbstractAsyncContextManager[Context]:  # fmt: skip
        """The mirror's context as the doors open it."""
        return open_context(
            self.settings(**changes), self.warehouse, now=lambda: self.moment, jitter=lambda: 0.5,
            log=bind(self.log, jobName="sync_test", runId=run_id),
            caller=Caller(run_id, "sync_test"), observer=observer, allow_removals=allow_removals,
        )  # fmt: skip

    async def sync_async(
        self, name: str, first: dt.date | None = None, last: dt.date | None = None,
        partitions: Sequence[str] = (), **options: Any,
    ) -> Report:  # fmt: skip
        """The real service.sync, a minute after the last one."""
        self.later()
        allow = bool(options.get("allow_removals"))
        async with self.context(**options) as context:
            return await sync(dataset(name), Order(first, last or first, tuple(partitions), allow), context)

    def sync(
        self, name: str, first: dt.date | None = None, last: dt.date | None = None,
        partitions: Sequence[str] = (), **options: Any,
    ) -> Report:  # fmt: skip
        """The same, run to its end."""
        return asyncio.run(self.sync_async(name, first, last, partitions, **options))

    def fails(self, name: str, *args: Any, **options: Any) -> MirrorFailed:
        """A sync that must fail; gives its error."""
        with pytest.raises(MirrorFailed) as caught:
            self.sync(name, *args, **options)
        return caught.value

    def week(self, name: str, **options: Any) -> Report:
        """Sync the week of the tests, or everything where there are no days."""
        return self.sync(name, *(WEEK if name in DAILY else ()), **options)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What the database answers."""
        return self.connection.execute(query, list(values) or None).fetchall()

    def value(self, query: str, values: Sequence[Any] = ()) -> Any:
        """The one value that the database answers."""
        return self.rows(query, values)[0][0]

    def count(self, table: str, where: str = "true") -> int:
        """Rows of a table."""
        return int(self.value(f"select count(*) from {table} where {where}"))

    def close(self) -> None:
        """Close the connection of the questions."""
        self.connection.close()


WEEK = (MONDAY, SUNDAY)


def key_sql(of: Dataset) -> str:
    """The dataset's key as the simulator's truth joins it."""
    return _TRUTH_KEYS.get(of.name, " || '|' || ".join(f"{k}::text" for k in of.key))


def mirrored(lab: Lab, name: str, where: str = "true") -> dict[str, Any]:
    """Count, amount and digest of what the table holds, as the simulator's truth puts it."""
    of = dataset(name)
    times = "repeticiones" if of.ordinal else "1"
    amount = f"coalesce(sum({of.amount} * {times}), 0)" if of.amount else "0"
    keys = [row[0] for row in lab.rows(f"select {key_sql(of)} from {of.table} where {where}")]
    ordered = sorted(set(keys), key=int) if all(k.isdigit() for k in keys) else sorted(set(keys))
    count, total = lab.rows(f"select coalesce(sum({times}), 0), {amount} from {of.table} where {where}")[0]
    return {
        "count": int(count),
        "distinct_keys": len(ordered),
        "importe": f"{total:.2f}",
        "digest": sha256("\n".join(ordered).encode()).hexdigest(),
    }


def assert_true(
    lab: Lab, name: str, first: dt.date | None = None, last: dt.date | None = None, part: str | None = None
) -> None:
    """The table holds exactly what the simulator publishes in these days (both included) or this part."""
    of = dataset(name)
    upper = last + dt.timedelta(days=1) if last else None
    truth = lab.sim.truth(name, first, upper, part)
    where = "true"
    if first and last:
        where = f"{of.partition_column} between '{first}' and '{last}'"
    elif part is not None:
        where = f"{of.partition_column}::text = '{part}'"
    found = mirrored(lab, name, where)
    if of.ordinal:
        # A penalty has no key of its own: different rows, all copies and the sum must agree.
        assert lab.count(of.table) == truth["distinct_payloads"]
        assert (found["count"], found["importe"]) == (truth["count"], truth["importe"])
        return
    assert found == truth


def assert_week_true(lab: Lab, name: str) -> None:
    """The same for the week of the tests, or the whole where there are no days."""
    assert_true(lab, name, *(WEEK if name in DAILY else ()))


def tables_of(of: Dataset) -> list[str]:
    """Current and history tables of a dataset and its children."""
    current = [of.table, *(f"{of.table}_{child.name}" for child in of.children)]
    return [*current, *(f"{table}_history" for table in current)]


def everything(lab: Lab, of: Dataset) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables of a dataset with the transaction that wrote each: equal means untouched."""
    return {t: sorted(map(repr, lab.rows(f"select xmin::text, ctid::text, * from {t}"))) for t in tables_of(of)}  # type: ignore[misc]


def contents(lab: Lab, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """Rows of a table (or of an as-of function) in an order that depends on them alone."""
    return sorted(lab.rows(f"select {columns} from {table}"), key=repr)


def changes(lab: Lab, name: str, since: int | None = None) -> Mapping[str, Any]:
    """What the simulator says has really changed in the week of the tests."""
    if name not in DAILY:
        return lab.sim.changes(name, since=since)
    return lab.sim.changes(name, MONDAY, SUNDAY + dt.timedelta(days=1), since=since)


@pytest.fixture
def simulators() -> Iterator[Callable[..., BdnsSimulator]]:
    """Makes simulators of a test's own, stopped when it ends."""
    running: list[BdnsSimulator] = []

    def make(**changed: Any) -> BdnsSimulator:
        running.append(BdnsSimulator(small(**changed)).start())
        return running[-1]

    yield make
    for each in running:
        each.stop()


@pytest.fixture
def sim(simulators: Callable[..., BdnsSimulator]) -> BdnsSimulator:
    """A small simulator."""
    return simulators()


@pytest.fixture
def lab(sim: BdnsSimulator, warehouse: Warehouse) -> Iterator[Lab]:
    """A small simulator and an empty mirror."""
    opened = Lab(sim, warehouse)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def module_lab(warehouse_server: EmbeddedServer) -> Iterator[Lab]:
    """One simulator and one database for all tests of a file."""
    with BdnsSimulator(small()) as sim, cloned(warehouse_server) as warehouse:
        opened = Lab(sim, warehouse)
        yield opened
        opened.close()


@pytest.fixture
def shared_lab(module_lab: Lab) -> Iterator[Lab]:
    """The same, without the faults and statistics of the test before."""
    module_lab.sim.reset_requests()
    yield module_lab
    module_lab.sim.clear_faults()


@pytest.fixture
def labs(simulators: Callable[..., BdnsSimulator], warehouse: Warehouse) -> Iterator[Callable[..., Lab]]:
    """Makes labs with a simulator of a given configuration, on the test's one database."""
    opened: list[Lab] = []

    def make(**changed: Any) -> Lab:
        opened.append(Lab(simulators(**changed), warehouse))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def last_loads(lab: Lab, name: str) -> list[dict[str, Any]]:
    """The evidence of a dataset, oldest first."""
    with lab.connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute("select * from ops.loads where dataset = %s order by id", [name]).fetchall()
