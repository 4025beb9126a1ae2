"""A run's connection, opened again when it is lost: a restart of the server must not fail a run.

Here: when an action may be done again. Not here: the actions, each of which commits by itself and bears it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg

from fisio_ayida.telemetry import Log, excerpt
from fisio_ayida.warehouse.engine import WarehouseError

T = TypeVar("T")
P = ParamSpec("P")
Connection = psycopg.Connection[Any]

RECONNECTS = 5
RECONNECT_PAUSE = dt.timedelta(seconds=0.5)


class Session:
    """One connection at a time, in autocommit.

    Args:
        connect: opens it.
        pause: waits between tries to reach the database.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        pause: Callable[[dt.timedelta], None],
        log: Log,
    ) -> None:
        self._connect = connect
        self._pause = pause
        self._log = log
        self._conn: Connection | None = None

    def do(self, action: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``action``; if the database goes away, again on a new connection, a few times.

        Raises:
            psycopg.OperationalError: it stayed away.
            WarehouseError: it could not even be reached.
        """
        for attempt in range(RECONNECTS):
            try:
                return action(self._open(), *args, **kwargs)
            except (psycopg.OperationalError, WarehouseError) as error:
                self.close()
                self._log.warning("database: %s; trying again", excerpt(f"{type(error).__name__}: {error}"))
                self._pause(RECONNECT_PAUSE * 2**attempt)
        return action(self._open(), *args, **kwargs)

    def last(self, action: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> None:
        """Try ``action`` once, on the way out of a run that fails anyway."""
        self.close()
        with suppress(psycopg.Error, WarehouseError):
            action(self._open(), *args, **kwargs)

    def close(self) -> None:
        """Close the connection; a later action opens another."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with suppress(psycopg.Error):
                conn.close()

    def _open(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = self._connect()
        return self._conn
