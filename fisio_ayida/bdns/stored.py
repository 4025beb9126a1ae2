"""What the tables hold of a window before it is compared: keys, hashes, partitions, as arrays.

Twenty bytes a row instead of a Python object each, so a week of half a million rows costs ten
megabytes. Reads only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from fisio_ayida.bdns.codec import Int64s, text_id
from fisio_ayida.bdns.ddl import WITHDRAWN
from fisio_ayida.bdns.merge import key_expression
from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.bdns.windows import Window

_ROW = np.dtype([("id", ">i8"), ("hash", ">i8"), ("part", ">i4")])


@dataclass(slots=True)
class Stored:
    """Rows of one window, sorted by ``ids``; ``parts`` are positions in the window's partitions."""

    ids: Int64s
    hashes: Int64s
    parts: Int64s
    keys: list[str] | None  # only where the id is not the key itself
    seen: np.typing.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, ids: Int64s) -> tuple[Int64s, np.typing.NDArray[np.bool_]]:
        """For each id its position, and whether it is stored at all."""
        if not len(self.ids):
            return np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=np.bool_)
        positions = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return positions.astype(np.int64), self.ids[positions] == ids

    def key(self, position: int) -> Any:
        return int(self.ids[position]) if self.keys is None else self.keys[position]


def condition(window: Window) -> tuple[str, list[Any]]:
    """The predicate that selects a window's rows by their own partition value, and its parameters."""
    dataset = window.dataset
    column = dataset.partition_column
    if column is None:
        return "true", []
    if dataset.is_windowed:
        return f"{column} >= %s and {column} < %s", [window.start, window.end]
    return f"{column} = %s::{dataset.column(column).type}", [window.partitions[0]]


def read(conn: psycopg.Connection[Any], window: Window) -> Stored:
    """The rows that are stored for ``window``."""
    where, values = condition(window)
    if window.dataset.integer_key:
        return _read_packed(conn, window, where, values)
    key = key_expression(window.dataset)
    part = window.dataset.partition_column if window.dataset.is_windowed else "null"
    rows = conn.execute(
        f"select {key}, row_hash, {part} from {window.dataset.table} where {where}", values
    ).fetchall()
    index = {p: i for i, p in enumerate(window.partitions)}
    ids = np.array([text_id(r[0]) for r in rows], dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    return Stored(
        ids[order],
        np.array([r[1] for r in rows], dtype=np.int64)[order],
        np.array([index[str(r[2])] if r[2] is not None else 0 for r in rows], dtype=np.int64)[order],
        [rows[i][0] for i in order],
        np.zeros(len(rows), dtype=np.bool_),
    )


def _read_packed(conn: psycopg.Connection[Any], window: Window, where: str, values: list[Any]) -> Stored:
    """All rows in one value: the driver makes no object for each, and the server sends 20 bytes a row."""
    key = window.dataset.key[0]
    day = window.dataset.partition_column if window.dataset.is_windowed else None
    part = f"int4send({day} - %s::date)" if day else "int4send(0)"
    with conn.cursor(binary=True) as cur:
        row = cur.execute(
            f"""
            select string_agg(int8send({key}) || int8send(row_hash) || {part}, ''::bytea)
            from {window.dataset.table} where {where}
            """,
            [*([window.start] if day else []), *values],
        ).fetchone()
    packed = np.frombuffer(row[0] if row and row[0] else b"", dtype=_ROW)
    ids = packed["id"].astype(np.int64)
    order = np.argsort(ids, kind="stable")
    return Stored(
        ids[order],
        packed["hash"].astype(np.int64)[order],
        packed["part"].astype(np.int64)[order],
        None,
        np.zeros(len(ids), dtype=np.bool_),
    )


def withdrawn_ids(conn: psycopg.Connection[Any], window: Window) -> Int64s:
    """Ids of the window's rows that were withdrawn once: one that comes back is restored, not new."""
    where, values = condition(window)
    key = window.dataset.key[0] if window.dataset.integer_key else key_expression(window.dataset)
    rows = conn.execute(
        f"select distinct {key} from {window.dataset.table}_history where end_kind = '{WITHDRAWN}' and {where}",
        values,
    ).fetchall()
    if window.dataset.integer_key:
        return np.array([r[0] for r in rows], dtype=np.int64)
    return np.array([text_id(r[0]) for r in rows], dtype=np.int64)


def flapping_values(conn: psycopg.Connection[Any], dataset: Dataset, keys: list[str]) -> dict[str, dict[str, Any]]:
    """The stored values of the columns that are known to vanish and come back, by key."""
    names = [c.name for c in dataset.flapping]
    key, kind = (dataset.key[0], "bigint[]") if dataset.integer_key else (key_expression(dataset), "text[]")
    rows = conn.execute(
        f"select {key_expression(dataset)}, {', '.join(names)} from {dataset.table} where {key} = any(%s::{kind})",
        [keys],
    )
    return {
        r[0]: {n: v.isoformat() if isinstance(v, dt.date) else v for n, v in zip(names, r[1:], strict=True)}
        for r in rows
    }
