"""The statements that turn the difference between two readings into current rows and history.

All of them run inside the load's one transaction. Each says what it guarantees; which rows are
new, changed or gone has been decided in ``load.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from fisio_ayida.bdns.codec import ChildCodec, Codec
from fisio_ayida.bdns.ddl import SUPERSEDED, WITHDRAWN
from fisio_ayida.bdns.registry import Dataset

Connection = psycopg.Connection[Any]


def key_expression(dataset: Dataset, alias: str = "") -> str:
    """The key as one text, equal to ``Codec.keys``."""
    prefix = f"{alias}." if alias else ""
    return " || '|' || ".join(f"{prefix}{k}::text" for k in dataset.key)


def same_key(key: Sequence[str], left: str, right: str) -> str:
    """The condition under which a row of ``left`` and one of ``right`` have one key."""
    return " and ".join(f"{left}.{k} = {right}.{k}" for k in key)


def stage_table(dataset: Dataset, child: str | None = None) -> str:
    return f"stage_{dataset.name}" + (f"_{child}" if child else "")


def create_stage(conn: Connection, codec: Codec) -> None:
    """Temporary tables of the same shape, gone with the transaction; no keys, so that they take anything."""
    dataset = codec.dataset
    for table, like in [
        (stage_table(dataset), dataset.table),
        *((stage_table(dataset, c.child.name), c.table) for c in codec.children),
    ]:
        conn.execute(f"create temp table {table} (like {like}) on commit drop")


def supersede(conn: Connection, codec: Codec, now: dt.datetime) -> None:
    """Staged rows whose key is stored replace the stored version, which moves to history."""
    dataset = codec.dataset
    columns = ", ".join(codec.stored_columns)
    stage, match = stage_table(dataset), same_key(dataset.key, "t", "s")
    conn.execute(
        f"""
        insert into {dataset.table}_history ({columns}, valid_to, end_kind)
        select {", ".join(f"t.{c}" for c in codec.stored_columns)}, %s, '{SUPERSEDED}'
        from {dataset.table} t join {stage} s on {match}
        """,
        [now],
    )
    assigned = ", ".join(f"{c} = s.{c}" for c in codec.stored_columns if c not in dataset.key)
    conn.execute(f"update {dataset.table} t set {assigned} from {stage} s where {match}")


def insert_staged(conn: Connection, codec: Codec) -> None:
    """Staged rows whose key is not stored become current."""
    dataset = codec.dataset
    columns = ", ".join(codec.stored_columns)
    conn.execute(
        f"""
        insert into {dataset.table} ({columns})
        select {columns} from {stage_table(dataset)} s
        where not exists (select from {dataset.table} t where {same_key(dataset.key, "t", "s")})
        """
    )


def replace_children(conn: Connection, dataset: Dataset, child: ChildCodec, now: dt.datetime) -> None:
    """Bring the child rows of every staged parent to what is staged, touching only those that differ."""
    stage, parents = stage_table(dataset, child.child.name), stage_table(dataset)
    columns = ", ".join(child.stored_columns)
    same = f"{same_key(child.key, 't', 's')} and t.row_hash = s.row_hash"
    conn.execute(
        f"""
        with gone as (
          delete from {child.table} t
          where t.{child.child.parent} in (select {dataset.key[0]} from {parents})
            and not exists (select from {stage} s where {same})
          returning {columns}
        )
        insert into {child.table}_history ({columns}, valid_to, end_kind)
        select {columns}, %s,
          case when exists (select from {stage} s where {same_key(child.key, "gone", "s")})
               then '{SUPERSEDED}' else '{WITHDRAWN}' end
        from gone
        """,
        [now],
    )
    conn.execute(
        f"""
        insert into {child.table} ({columns})
        select {columns} from {stage} s
        where not exists (select from {child.table} t where {same_key(child.key, "t", "s")})
        """
    )


def withdraw(conn: Connection, codec: Codec, keys: Sequence[Any], now: dt.datetime) -> int:
    """Rows with these keys (integers for an integer key, else texts) move to history as withdrawn."""
    dataset = codec.dataset
    kind = "bigint[]" if dataset.integer_key else "text[]"
    where = f"{dataset.key[0]} = any(%s::{kind})" if len(dataset.key) == 1 else (
        f"{key_expression(dataset)} = any(%s::{kind})"
    )  # fmt: skip
    for child in codec.children:
        _withdraw_from(
            conn, child.table, child.stored_columns, f"{child.child.parent} = any(%s::{kind})", keys, now
        )
    return _withdraw_from(conn, dataset.table, codec.stored_columns, where, keys, now)


def _withdraw_from(
    conn: Connection, table: str, stored: Sequence[str], where: str, keys: Sequence[Any], now: dt.datetime
) -> int:
    columns = ", ".join(stored)
    cursor = conn.execute(
        f"""
        with gone as (delete from {table} where {where} returning {columns})
        insert into {table}_history ({columns}, valid_to, end_kind)
        select {columns}, %s, '{WITHDRAWN}' from gone
        """,
        [list(keys), now],
    )
    return cursor.rowcount


def refresh_extra(conn: Connection, dataset: Dataset, keys: Sequence[str], extras: Sequence[str]) -> int:
    """Unchanged rows take the unknown fields they now come with; not a version, for nothing known differs."""
    cursor = conn.execute(
        f"""
        update {dataset.table} t set extra = e.extra::jsonb
        from unnest(%s::text[], %s::text[]) as e(key, extra)
        where {key_expression(dataset, "t")} = e.key and t.extra is distinct from e.extra::jsonb
        """,
        [list(keys), list(extras)],
    )
    return cursor.rowcount
