"""A process that forks runs of ``patient_insights`` to be killed: modules are imported once.

Run as a command with the URLs of our database and of the clinic's; each line it reads, ``moment place``, is one
run in a child that kills itself without warning. It answers with how the child ended. Not here: what must be true
then.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import re
import signal
import sys
from typing import Any

import psycopg

from fisio_ayida.clinic.model import Order
from fisio_ayida.clinic.service import open_desk
from fisio_ayida.insights.model import Commission
from fisio_ayida.insights.running import run
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl
from fisio_ayida_tests.insights.flow import LIMITS, Script

#: Instead of a number: while the model is asked.
MODEL_CALL = "call"
_WRITES = re.compile(rb"insert into|update insights|delete from|store_insights\(")


def die() -> None:
    """At once."""
    os.kill(os.getpid(), signal.SIGKILL)


def work(database: str, clinic: str, moment: dt.datetime, place: str) -> None:
    """A run that dies before its statement number ``place`` that writes anything."""
    left = int(place) if place != MODEL_CALL else -1

    class Counted(psycopg.Cursor[Any]):
        def execute(self, query: Any, *values: Any, **more: Any) -> Any:
            nonlocal left
            if _WRITES.search(query if isinstance(query, bytes) else str(query).encode()):
                left -= 1
                if left == 0:
                    die()
            return super().execute(query, *values, **more)

    async def called(_: Commission) -> None:
        if place == MODEL_CALL:
            die()

    writer = Script()
    writer.meanwhile = called
    settings = Settings.load({"CLINIC_DATABASE_URL": clinic})
    log = logging.getLogger("killed")
    with Warehouse(DatabaseUrl.parse(database)) as warehouse, open_desk(settings, warehouse, log=log) as desk:
        for conn in (desk.conn, desk.clinic.on(desk.conn)):
            conn.cursor_factory = Counted
        order = Order(nominal=moment, now=moment, run_id="killed")
        asyncio.run(run(desk, order, writer, now=lambda: moment, limits=LIMITS, in_flight=2))


def main(database: str, clinic: str) -> None:
    """Fork a child for each line and say how it ended."""
    for line in sys.stdin:
        moment, place = line.split()
        child = os.fork()
        if child == 0:
            try:
                work(database, clinic, dt.datetime.fromisoformat(moment), place)
            except BaseException:
                logging.exception("the run failed")
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
