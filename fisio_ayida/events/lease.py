"""The sign of life: moves a claim's lease on while its run works, from a thread of its own.

A handler may keep the run's own thread busy for longer than the lease. Not here: what a lost lease leads to
(``claims.release``).
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from fisio_ayida.events import claims
from fisio_ayida.telemetry import Log

# Beats a lease, so that two may fail before anybody takes the run for dead.
_BEATS = 4


@contextmanager
def kept(
    connect: Callable[[], psycopg.Connection[Any]],
    claim: uuid.UUID,
    lease: dt.timedelta,
    log: Log,
) -> Iterator[None]:
    """Keep the lease of ``claim`` alive inside the block; a database that is away is asked again later."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(connect, claim, lease, log, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(
    connect: Callable[[], psycopg.Connection[Any]],
    claim: uuid.UUID,
    lease: dt.timedelta,
    log: Log,
    over: threading.Event,
) -> None:
    conn: psycopg.Connection[Any] | None = None
    while not over.wait(lease.total_seconds() / _BEATS):
        try:
            if conn is None or conn.closed:
                conn = connect()
            claims.extend(conn, [claim], lease)
        except Exception as error:
            log.warning("the lease of claim %s could not be moved on: %s", claim, type(error).__name__)
            if conn is not None:
                with suppress(Exception):
                    conn.close()
            conn = None
    if conn is not None:
        conn.close()
