"""A look at what a load left behind, for a person in the UI: some rows, and how many came each day.

Reads the mirror and the evidence; turning what it finds into markdown and a picture is ``metadata.py``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fisio_ayida.bdns.registry import Dataset, Grain

if TYPE_CHECKING:
    import psycopg

PREVIEW_ROWS = 5
PREVIEW_COLUMNS = 12
PLOT_PARTITIONS = 60


def preview(
    conn: psycopg.Connection[Any], dataset: Dataset, partition: str
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names and values of a few rows of ``partition``: no personal column, no row about a natural person."""
    telling = [c.name for c in dataset.preview_columns if c.type != "boolean" and "url" not in c.name]
    columns = telling[:PREVIEW_COLUMNS]
    conditions, values = [], []
    if dataset.partition_column is not None:
        conditions.append(f"{dataset.partition_column} = %s::{dataset.column(dataset.partition_column).type}")
        values.append(partition)
    if any(column.name == "dato_personal" for column in dataset.columns):
        conditions.append("dato_personal is false")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    query = f"select {', '.join(columns)} from {dataset.table} {where} limit {PREVIEW_ROWS}"
    return columns, conn.execute(query, values).fetchall()


def rows_by_partition(conn: psycopg.Connection[Any], dataset: Dataset) -> list[tuple[str, int]]:
    """Rows of each of the last partitions that are complete; of the last loads where there is one partition."""
    if dataset.grain is Grain.WHOLE:
        rows = conn.execute(
            """
            select to_char(finished_at at time zone 'Europe/Madrid', 'MM-DD HH24:MI'), rows_received
            from ops.loads where dataset = %s and status = 'ok' order by id desc limit %s
            """,
            [dataset.name, PLOT_PARTITIONS],
        ).fetchall()
    else:
        # The distinct partitions first: an index-only walk over days, not over all loads of all time.
        rows = conn.execute(
            """
            select distinct on (partition_key) partition_key, rows_received
            from ops.loads
            where dataset = %(dataset)s and status = 'ok' and partition_key in (
              select distinct partition_key from ops.loads where dataset = %(dataset)s
              order by partition_key desc limit %(limit)s
            )
            order by partition_key desc, id desc
            """,
            {"dataset": dataset.name, "limit": PLOT_PARTITIONS},
        ).fetchall()
    return [(str(key), int(count)) for key, count in reversed(rows)]
