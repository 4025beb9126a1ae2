"""The mirror as the benchmarks use it: as a command, and as a call inside this process.

Here: the settings of an unpaced load of one call in flight. Not here: anything that is measured.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
import sys
import time
from pathlib import Path

from bench.harness import WORK, environment
from bench.stage import CONCESIONES
from fisio_ayida.bdns.mirror import Report
from fisio_ayida.bdns.service import Caller, Order, open_context, sync
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl


def variables(database: DatabaseUrl, base_url: str, **more: str) -> dict[str, str]:
    """The settings; the home holds no Dagster instance, so that a sync reports to none."""
    return {
        "DATABASE_URL": database.psycopg,
        "BDNS_BASE_URL": base_url,
        "BDNS_REQUESTS_PER_SECOND": "0",
        "FISIO_AYIDA_HOME": str(WORK / "no-dagster"),
        **more,
    }


def command(first: dt.date, last: dt.date) -> list[str]:
    """The whole command, as an operator types it."""
    program = str(Path(sys.executable).parent / "fisio-ayida")
    return [program, "sync", "concesiones", "--from", first.isoformat(), "--to", last.isoformat()]


def command_environment(database: DatabaseUrl, base_url: str) -> dict[str, str]:
    return environment(**variables(database, base_url))


def load(database: DatabaseUrl, base_url: str, first: dt.date, last: dt.date) -> tuple[float, Report]:
    """Seconds that one call takes in this process, and what it reports."""
    settings = Settings.load(variables(database, base_url))

    async def run(warehouse: Warehouse) -> Report:
        async with open_context(
            settings, warehouse, now=lambda: dt.datetime.now(dt.UTC), jitter=random.random,
            log=logging.getLogger("bench"), caller=Caller(job_name="bench"),
        ) as context:  # fmt: skip
            return await sync(CONCESIONES, Order(date_from=first, date_to=last), context)

    with Warehouse(database) as warehouse:
        started = time.perf_counter()
        report = asyncio.run(run(warehouse))
        return time.perf_counter() - started, report
