"""Rows into PostgreSQL by COPY, the fastest door it has.

Here: text that is already in COPY's format, and Python rows for everything small.
Not here: building COPY text at speed; who needs that does it beside the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql

# PostgreSQL text cannot hold NUL. The Unicode mark for "something unreadable stood here" keeps the record.
NUL_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def copy_in(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Append rows of Python values to a table; returns how many.

    Args:
        table: `schema.table` or the name of a temporary table.
        rows: one value per column; NUL characters in text become U+FFFD.
    """
    count = 0
    target = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(target) as copy:
        for row in rows:
            copy.write_row([_storable(value) for value in row])
            count += 1
    return count


def copy_text(connection: psycopg.Connection[Any], target: str, chunks: Iterable[bytes]) -> int:
    """Send ready COPY text; returns the number of rows stored.

    Args:
        target: what stands between COPY and FROM, e.g. `staging (id, name)`; from our own code, never from data.
        chunks: UTF-8, tab-separated, `\\N` for NULL, a newline after each row; cut anywhere.
    """
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.SQL(target))) as copy:
            for chunk in chunks:
                copy.write(chunk)
        return cursor.rowcount


def _storable(value: Any) -> Any:
    return value.replace("\0", NUL_REPLACEMENT) if isinstance(value, str) else value
