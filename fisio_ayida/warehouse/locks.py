"""One load of a window at a time, over all processes and hosts.

Here: advisory locks that last as long as the load's transaction and so end with it, however it ends.
Not here: the pacing of requests (clock.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import psycopg
import xxhash
from psycopg.pq import TransactionStatus

HOLDER = """
SELECT a.pid, a.application_name
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.classid = (%(key)s::bigint >> 32) & 4294967295 AND l.objid = %(key)s::bigint & 4294967295
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LIMIT 1
"""


class LockBusy(RuntimeError):
    """Another load has held the same window for longer than we may wait; the message names it."""


def window_locks(
    connection: psycopg.Connection[Any],
    dataset: str,
    partitions: Iterable[str],
    *,
    wait: timedelta,
    on_wait: Callable[[str, str], None] | None = None,
) -> None:
    """Reserve windows of a dataset for the connection's current transaction.

    They are taken one by one in the order of their keys, so that two loads of overlapping ranges cannot
    wait for each other. After LockBusy the transaction can still be used.

    Args:
        connection: inside a transaction; the locks end with it (a transaction pooler is fine).
        wait: the longest wait for each window; zero only tries.
        on_wait: called once for each window that another load holds, with dataset and partition.

    Raises:
        LockBusy: still held after `wait`.
        ValueError: the connection is in autocommit mode outside a transaction.
    """
    if connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
        raise ValueError("window_locks needs a transaction: the locks would end with the statement")
    for key, partition in sorted((window_key(dataset, each), each) for each in set(partitions)):
        if _try(connection, key):
            continue
        if on_wait is not None:
            on_wait(dataset, partition)
        if not _wait(connection, key, wait):
            holder = connection.execute(HOLDER, {"key": key}).fetchone()
            who = f"process {holder[0]} ({holder[1] or 'no name'})" if holder else "another process"
            seconds = wait.total_seconds()
            raise LockBusy(f"{dataset} {partition} is being loaded by {who}; waited {seconds:g} s, try later")


def window_key(dataset: str, partition: str) -> int:
    """The 64-bit signed key of a window: the same on every machine and in every release."""
    number = xxhash.xxh3_64_intdigest(f"{dataset}\0{partition}".encode())
    return number - (1 << 64) if number >= 1 << 63 else number


def _try(connection: psycopg.Connection[Any], key: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
    return bool(row and row[0])


def _wait(connection: psycopg.Connection[Any], key: int, wait: timedelta) -> bool:
    milliseconds = int(wait.total_seconds() * 1000)
    if milliseconds <= 0:
        return False
    try:
        with connection.transaction():
            before = connection.execute(
                "SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)",
                (f"{milliseconds}ms",),
            ).fetchone()
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (before[0] if before else "0",))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True
