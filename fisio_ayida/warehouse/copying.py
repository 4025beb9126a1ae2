"""Rows into PostgreSQL by COPY, the fastest door it has.

Here: one COPY at a time, left open so that the server stores while its client computes.
Not here: building the lines at speed; who needs that does it beside the data.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

import psycopg

NULL = "\x01"
"""The mark for null, as a whole value: one byte, and no text of ours is just that."""
_SEND_BUFFER_BYTES = 2 * 1024 * 1024
_OPTIONS = "(FORMAT text, NULL E'\\x01', ENCODING 'UTF8')"


class Copying:
    """COPY into one table at a time, left open between writes: the server stores one slice of rows while
    we make the next. Any other statement needs :meth:`finish` first; a failed load needs :meth:`abort`.
    """

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        _widen(conn)
        self._conn = conn
        self._table: str | None = None
        self._copy: psycopg.Copy | None = None
        self._open = ExitStack()

    def write(self, table: str, columns: Sequence[str], lines: bytes) -> None:
        """Append lines: UTF-8, a tab between values, a newline after each row, :data:`NULL` for null.

        ``table`` and ``columns`` come from our own code, never from data. What the server finds wrong (a
        ``UniqueViolation``, say) may come with a later call.
        """
        if not lines:
            return
        if self._table != table:
            self.finish()
            statement = f"copy {table} ({', '.join(columns)}) from stdin with {_OPTIONS}"
            self._copy = self._open.enter_context(self._conn.cursor().copy(statement))
            self._table = table
        assert self._copy is not None  # noqa: S101 - opened above
        self._copy.write(lines)

    def finish(self) -> None:
        """Let the server end what was written; raises what it found wrong."""
        self._table = self._copy = None
        self._open.close()

    def abort(self, error: BaseException) -> None:
        """Give up: the server discards the rows, and the connection can roll back."""
        self._table = self._copy = None
        with suppress(psycopg.Error):
            self._open.__exit__(type(error), error, error.__traceback__)


def _widen(conn: psycopg.Connection[Any]) -> None:
    """Let more rows wait in the socket than the usual 200 KB, so that the server never waits for us.

    Only for unix sockets: those of TCP grow by themselves, and stop doing so once they are set. The
    kernel caps what it is asked for.
    """
    with socket.socket(fileno=os.dup(conn.fileno())) as own:
        if own.family == socket.AF_UNIX:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
