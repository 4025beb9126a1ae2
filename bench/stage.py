"""What a benchmark plays on: one embedded PostgreSQL, databases of its own, simulators with warm pages.

Here: setting up and settling down, all outside the measured time. Not here: measuring.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql

from bench.harness import WORK, BenchError
from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.windows import days, windows
from fisio_ayida.simulators import bdns as simulated
from fisio_ayida.simulators.bdns import SimulatorProcess
from fisio_ayida.warehouse.embedded import EmbeddedServer, attach
from fisio_ayida.warehouse.engine import connect
from fisio_ayida.warehouse.migrate import migrate
from fisio_ayida.warehouse.urls import DatabaseUrl

CONCESIONES = DATASETS["concesiones"]
FIRST_DAY = dt.date(2026, 9, 1)
SIMULATED_TODAY = dt.date(2026, 11, 1)
PAGE_SIZE = 10_000
STEP: Mapping[str, Any] = {"changed": 0.01, "removed": 0.001, "datasets": ["concesiones"]}
_LAST = re.compile(rb'"last":(true|false)')
_TICK = os.sysconf("SC_CLK_TCK")

Query = tuple[str, dict[str, str]]


class Stage:
    """A running server, and databases made for one benchmark and dropped with it."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.url = server.url
        self._made: list[str] = []

    def connect(self, database: DatabaseUrl | None = None) -> psycopg.Connection[Any]:
        return connect(database or self.url, autocommit=True, application_name="bench")

    def database(self, name: str, *, migrated: bool) -> DatabaseUrl:
        """An empty database of this name, with our tables if wanted."""
        self.drop(name)
        with self.connect() as conn:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        self._made.append(name)
        url = self.url.with_database(name)
        if migrated:
            migrate(url)
        return url

    def drop(self, name: str) -> None:
        with self.connect() as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def drop_all(self) -> None:
        for name in self._made:
            self.drop(name)

    def settle(self) -> None:
        """Let the server finish what earlier work left behind, so that nobody pays for somebody else's."""
        with self.connect() as conn:
            deadline = time.monotonic() + 300
            while time.monotonic() < deadline:
                row = conn.execute(
                    "select count(*) from pg_stat_activity where backend_type = 'autovacuum worker'"
                ).fetchone()
                if row == (0,):
                    break
                time.sleep(0.5)
            conn.execute("checkpoint")
        os.sync()

    def cpu_seconds(self) -> float:
        """CPU that the server has used since it started: living processes and those that have ended."""
        with self.connect() as conn:
            row = conn.execute("show data_directory").fetchone()
        assert row is not None
        pid = int((Path(row[0]) / "postmaster.pid").read_text().split()[0])
        every = [pid, *(int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _parent(p) == pid)]
        return sum(process_cpu_seconds(each, ended_children=each == pid) for each in every)


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """The server below ``.bench``, kept running for as long as the benchmark runs."""
    with attach(WORK / "home") as server:
        made = Stage(server)
        try:
            yield made
        finally:
            made.drop_all()


def _stat(pid: int | str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(folder: Path) -> int:
    fields = _stat(folder.name)
    return int(fields[1]) if fields else 0


def process_cpu_seconds(pid: int, *, ended_children: bool = False) -> float:
    """User and system time of a running process."""
    fields = _stat(pid)
    if not fields:
        return 0.0
    return sum(map(int, fields[11 : 15 if ended_children else 13])) / _TICK


def pages_folder() -> Path:
    """Where pages are kept for the simulator as it is written now; those of an earlier one are deleted."""
    digest = hashlib.blake2b(digest_size=8)
    for source in sorted(Path(simulated.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    wanted = WORK / "pages" / digest.hexdigest()
    wanted.mkdir(parents=True, exist_ok=True)
    for other in wanted.parent.iterdir():
        if other != wanted:
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    return wanted


@contextlib.contextmanager
def simulator(rows_per_day: int, *options: str, stepped: bool = False) -> Iterator[SimulatorProcess]:
    """A simulator with kept pages; ``stepped`` after 1 % of the awards changed and 0.1 % were removed.

    Q2 (a row at midnight that two windows both contain) is off, so that everybody gets the same rows.
    """
    arguments = [
        *("--today", SIMULATED_TODAY.isoformat(), "--rows-per-day", f"concesiones={rows_per_day}"),
        *("--weekend-factor", "1", "--quirk", "Q2=off", "--page-cache", str(pages_folder()), *options),
    ]
    with SimulatorProcess(arguments) as process:
        if stepped:
            process.step(**STEP)
        yield process


def last_day(count: int, first: dt.date = FIRST_DAY) -> dt.date:
    return first + dt.timedelta(days=count - 1)


def our_queries(first: dt.date, last: dt.date) -> list[Query]:
    """What the mirror asks for, window by window, without the page number."""
    order = {"order": CONCESIONES.order or "", "direccion": "asc"}
    return [
        (CONCESIONES.path, {**window.parameters(), "pageSize": str(PAGE_SIZE), **order})
        for window in windows(CONCESIONES, days(first, last))
    ]


def warm(simulators: Sequence[SimulatorProcess], queries: Sequence[Query]) -> list[str]:
    """Ask for every page once, so that the simulator keeps it; the URLs of the first simulator's pages."""
    urls: list[str] = []
    with httpx.Client(timeout=120, trust_env=False) as http:
        for source in simulators:
            for path, parameters in queries:
                for number in range(100_000):
                    answer = http.get(source.base_url + path, params={**parameters, "page": str(number)})
                    if answer.status_code != 200:
                        raise BenchError(f"{answer.url} answered {answer.status_code}: {answer.text[:200]}")
                    if source is simulators[0]:
                        urls.append(str(answer.url))
                    found = _LAST.search(answer.content[-6000:]) or _LAST.search(answer.content)
                    if found is None or found.group(1) == b"true":
                        break
    return urls


def kept_pages() -> int:
    """How many pages are kept; the same before and after a measurement when none had to be rendered."""
    return sum(1 for _ in pages_folder().glob("*.json"))
