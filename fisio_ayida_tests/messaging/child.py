"""A dispatcher in a process of its own, with the settings of its environment: to be killed.

``python -m fisio_ayida_tests.messaging.child RUN_ID``. Here: what the job does, without Dagster.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import random
import sys
from collections.abc import Callable

from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.dispatcher import Tally
from fisio_ayida.messaging.service import open_dispatcher
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse

LOG = logging.getLogger(__name__)


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


async def run(
    settings: Settings, warehouse: Warehouse, run_id: str, now: Callable[[], dt.datetime] = utc_now
) -> Tally:
    """Send what is due."""
    async with open_dispatcher(
        settings, warehouse, run_id=run_id, now=now, jitter=random.random, log=LOG
    ) as dispatcher:
        return await dispatch(dispatcher)


def main() -> None:
    settings = Settings.load(os.environ)
    database = settings.database()
    assert database is not None
    with Warehouse(database) as warehouse:
        asyncio.run(run(settings, warehouse, sys.argv[1]))


if __name__ == "__main__":
    main()
