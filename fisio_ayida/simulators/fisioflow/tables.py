"""Writing made-up rows into schema ``clinic``, and letting the script happen to them.

Here: SQL for tables of the contract's shapes, which only the embedded database and the tests have. Not here: rows.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from fisio_ayida.simulators.fisioflow.world import Book, Change, Row, World

#: In the order in which they can be deleted.
TABLES: Final = (
    "session_contents", "patient_profiles", "sessions", "payments", "packages", "appointments", "patients",
    "staff", "old_messages", "notification_history", "password_reset_tokens", "system_health_logs",
    "organizations",
)  # fmt: skip
#: The column of the id, where it has another name.
_NAMES: Final = {"staff": "user_id", "session_contents": "session_id", "patient_profiles": "patient_id"}
#: Tables with a column ``name``; of a log the name is its table.
_NAMED: Final = ("organizations", "packages")


def write(conn: psycopg.Connection[Any], world: World) -> None:
    """All rows of a world, in the connection's transaction."""
    by_table: dict[str, list[Row]] = defaultdict(list)
    for row in world.rows:
        by_table[row.table].append(row)
    for table, rows in by_table.items():
        _insert(conn, table, rows)


def happen(conn: psycopg.Connection[Any], act: Book | Change) -> None:
    """One event of the script."""
    if isinstance(act, Book):
        _insert(conn, act.visit.table, [act.visit])
        return
    sets = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in act.columns)
    query = sql.SQL("update clinic.appointments set {} where id = %s").format(sets)
    conn.execute(query, [*act.columns.values(), act.visit_id])


def remove(conn: psycopg.Connection[Any], mark: str) -> None:
    """Delete the rows of the world with this mark."""
    for table in TABLES:
        query = sql.SQL("delete from clinic.{} where {} like %s").format(
            sql.Identifier(table), sql.Identifier(_NAMES.get(table, "id"))
        )
        conn.execute(query, [f"%-{mark}"])


def _insert(conn: psycopg.Connection[Any], table: str, rows: Sequence[Row]) -> None:
    names = [field.name for field in dataclasses.fields(rows[0]) if field.name != "name" or table in _NAMED]
    query = sql.SQL("insert into clinic.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.Placeholder() * len(names)),
    )
    with conn.cursor() as cur:
        cur.executemany(query, [[_value(getattr(row, name)) for name in names] for row in rows])


def _value(value: Any) -> Any:
    # A tuple is an array, a list is JSON.
    return Jsonb(value) if isinstance(value, dict | list) else list(value) if isinstance(value, tuple) else value
