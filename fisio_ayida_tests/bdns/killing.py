"""A process that forks loads to be killed: modules are imported once, so that a load starts in milliseconds.

Run as a command with a database URL and a base URL; each line it reads, ``dataset first last seconds``, is
one load in a child; ``documentos folder - seconds`` is a run of documents into a folder. It answers with the
child's number and, after an empty line, with how the child ended.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import sys

from fisio_ayida.bdns.datasets import dataset
from fisio_ayida.bdns.documents.due import Scope
from fisio_ayida.bdns.documents.service import open_documents, store_due
from fisio_ayida.bdns.service import Caller, Order, open_context, sync
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl

START = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)


async def load(database: str, base_url: str, name: str, first: str, last: str, seconds: float) -> None:
    """One load, as the doors start it."""
    settings = Settings.load({
        "BDNS_BASE_URL": base_url, "BDNS_REQUESTS_PER_SECOND": "0", "BDNS_PAGE_SIZE": "50",
        "BDNS_RETRY_BASE_SECONDS": "0.01", "BDNS_RETRY_MAX_SECONDS": "0.02", "LOCK_WAIT_SECONDS": "30",
    })  # fmt: skip
    moment = START + dt.timedelta(seconds=seconds)
    with Warehouse(DatabaseUrl.parse(database)) as warehouse:
        async with open_context(
            settings, warehouse, now=lambda: moment, jitter=lambda: 0.5, log=logging.getLogger("killed"),
            caller=Caller("killed", "sync_test"), allow_removals=True,
        ) as context:  # fmt: skip
            order = Order(dt.date.fromisoformat(first), dt.date.fromisoformat(last), (), True)
            await sync(dataset(name), order, context)


async def store(database: str, base_url: str, folder: str, seconds: float) -> None:
    """All documents that are due, as the doors start it."""
    settings = Settings.load({
        "BDNS_BASE_URL": base_url, "BDNS_REQUESTS_PER_SECOND": "0", "DOCUMENTS_URL": folder,
        "BDNS_RETRY_BASE_SECONDS": "0.01", "BDNS_RETRY_MAX_SECONDS": "0.02",
    })  # fmt: skip
    moment = START + dt.timedelta(seconds=seconds)
    with Warehouse(DatabaseUrl.parse(database)) as warehouse:
        async with open_context(
            settings, warehouse, now=lambda: moment, jitter=lambda: 0.5, log=logging.getLogger("killed"),
            caller=Caller("killed", "store_test"),
        ) as context, open_documents(settings, context) as documents:  # fmt: skip
            await store_due(Scope(), documents)


def main(database: str, base_url: str) -> None:
    """Fork a child for each line and say how it ended."""
    while line := sys.stdin.readline():
        name, first, last, seconds = line.split()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if name == "documentos":
                    asyncio.run(store(database, base_url, first, float(seconds)))
                else:
                    asyncio.run(load(database, base_url, name, first, last, float(seconds)))
                code = 0
            finally:
                os._exit(code)
        print(child, flush=True)
        # Until we have waited for it, the number is the child's own, dead or alive.
        sys.stdin.readline()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
