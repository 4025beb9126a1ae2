"""A line to the database: one connection in a thread of its own, opened when needed and again when it died.

The event loop never waits for the database, and whoever asks is answered in time even if the database is not. Not
here: what is said on it (``writer.py``, ``health.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import psycopg

from fisio_ayida.events.outcomes import words
from fisio_ayida.warehouse.engine import WarehouseError

Connection = psycopg.Connection[Any]
T = TypeVar("T")


class Unavailable(Exception):
    """The database does not answer now; the message is for the log."""


class Line:
    """One connection and its thread.

    Args:
        connect: opens a connection in autocommit mode; raises WarehouseError.
        name: of the thread.
    """

    def __init__(self, connect: Callable[[], Connection], name: str) -> None:
        self._connect = connect
        self._conn: Connection | None = None
        self._thread = ThreadPoolExecutor(1, name)

    async def call(self, work: Callable[[Connection], T], within: timedelta) -> T:
        """The result of ``work``, which is done a second time if the connection dies under it: it must bear that.

        Raises:
            Unavailable: no connection, one that died twice, or no answer in time. What was written may be there.
            Exception: whatever else ``work`` raises.
        """
        seconds = within.total_seconds()
        run = asyncio.get_running_loop().run_in_executor(self._thread, self._run, work, time.monotonic() + seconds)
        run.add_done_callback(_looked_at)
        done, _ = await asyncio.wait([run], timeout=seconds)
        if not done:
            run.cancel()
            self._hang_up()
            raise Unavailable(f"no answer within {seconds:g} s")
        return run.result()

    def close(self) -> None:
        """Wait for what is under way and close the connection. Safe to call twice."""
        self._thread.shutdown()
        if self._conn is not None:
            self._conn.close()

    def _run(self, work: Callable[[Connection], T], deadline: float) -> T:
        again = True
        while True:
            conn = self._open()
            try:
                return work(conn)
            except psycopg.Error as error:
                if not conn.closed:
                    raise
                self._conn = None
                if not again or time.monotonic() >= deadline:
                    raise Unavailable(words(error)) from None
                again = False

    def _open(self) -> Connection:
        if self._conn is None or self._conn.closed:
            try:
                self._conn = self._connect()
            except WarehouseError as error:
                raise Unavailable(str(error)) from None
        return self._conn

    def _hang_up(self) -> None:
        """End the connection under the thread that waits on it: closing it from here would not wake it."""
        conn = self._conn
        with contextlib.suppress(psycopg.Error, OSError):
            if conn is not None:
                with socket.socket(fileno=os.dup(conn.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)


def _looked_at(run: asyncio.Future[Any]) -> None:
    """An error that comes after its caller has gone is nobody's: asyncio would print it."""
    if not run.cancelled():
        run.exception()
