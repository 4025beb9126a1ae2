"""What a load proves and what it left aside: ``ops.loads``, ``ops.rejects``, ``ops.drift``,
``ops.null_sightings``.

Only reads and writes of those tables; what the numbers mean is decided in ``load.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import psycopg
import xxhash

from fisio_ayida.bdns.records import Drift, Reject
from fisio_ayida.bdns.registry import Dataset


class Status(StrEnum):
    OK = "ok"
    FAILED = "failed"
    HELD = "held"  # would remove too much; waits for a person
    REJECTED = "rejected"  # too much of it could not be decoded to call the window complete


@dataclass(slots=True)
class Load:
    """One row of ``ops.loads``: one partition of one load. Counts are rows unless they say otherwise."""

    dataset: str
    partition_key: str
    status: Status
    valid_from: dt.datetime
    started_at: dt.datetime
    finished_at: dt.datetime
    window_label: str
    source: str
    run_id: str | None = None
    job_name: str | None = None
    total_first: int | None = None
    total_last: int | None = None
    window_received: int = 0
    rows_received: int = 0
    rows_new: int = 0
    rows_changed: int = 0
    rows_removed: int = 0
    rows_restored: int = 0
    rows_unchanged: int = 0
    rows_rejected: int = 0
    rows_outside: int = 0
    rows_repeated: int = 0
    nulls_damped: int = 0
    would_remove: int = 0
    requests: int = 0
    retries: int = 0
    bytes: int = 0
    seconds: float = 0.0
    error: str | None = None

    @property
    def rows_per_second(self) -> float:
        return self.rows_received / self.seconds if self.seconds > 0 else 0.0

    @property
    def touched(self) -> int:
        return self.rows_new + self.rows_changed + self.rows_removed


_COLUMNS = tuple(f.name for f in fields(Load))


def record(conn: psycopg.Connection[Any], loads: Sequence[Load]) -> None:
    """Write the evidence of one window, one row for each partition."""
    with conn.cursor() as cur:
        cur.executemany(
            f"insert into ops.loads ({', '.join(_COLUMNS)}) values ({', '.join(['%s'] * len(_COLUMNS))})",
            [[getattr(load, name) for name in _COLUMNS] for load in loads],
        )


def complete_partitions(conn: psycopg.Connection[Any], dataset: Dataset) -> set[str]:
    """Partitions whose last load was complete."""
    rows = conn.execute(
        """
        select partition_key from (
          select distinct on (partition_key) partition_key, status
          from ops.loads where dataset = %s order by partition_key, id desc
        ) latest where status = %s
        """,
        [dataset.name, Status.OK],
    )
    return {key for (key,) in rows}


def keep_rejects(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    partition: str,
    rejects: Iterable[Reject],
    *,
    now: dt.datetime,
    run_id: str | None,
) -> None:
    """Keep each unusable record whole, once; a record that is seen again only counts up."""
    rows = [
        (dataset.name, partition, r.key, r.reason, r.payload.replace("\x00", "\ufffd"), _digest(r), r.url)
        for r in rejects
    ]
    with conn.cursor() as cur:
        cur.executemany(
            """
            insert into ops.rejects as r (dataset, partition_key, record_key, reason, payload, digest, url,
                                          first_seen, last_seen, run_id)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (dataset, digest) do update
              set last_seen = excluded.last_seen, times = r.times + 1, resolved_at = null,
                  reason = excluded.reason, run_id = excluded.run_id
            """,
            [(*row, now, now, run_id) for row in rows],
        )


def _digest(reject: Reject) -> str:
    return xxhash.xxh3_128_hexdigest(f"{reject.key}\x1f{reject.payload}".encode("utf-8", "surrogatepass"))


def resolve_rejects(conn: psycopg.Connection[Any], dataset: Dataset, keys: Sequence[str], now: dt.datetime) -> int:
    """Close the open rejects of records that have since arrived in good order."""
    cursor = conn.execute(
        """
        update ops.rejects set resolved_at = %s
        where dataset = %s and resolved_at is null and record_key = any(%s)
        """,
        [now, dataset.name, list(keys)],
    )
    return cursor.rowcount


def open_reject_keys(conn: psycopg.Connection[Any], dataset: Dataset) -> set[str]:
    rows = conn.execute(
        "select record_key from ops.rejects where dataset = %s and resolved_at is null and record_key is not null",
        [dataset.name],
    )
    return {key for (key,) in rows}


def keep_drifts(
    conn: psycopg.Connection[Any], dataset: Dataset, drifts: Iterable[Drift], *, now: dt.datetime
) -> None:
    """Keep one row for each field that does not fit the contract: what, since when, how often."""
    personal = {c.field for c in dataset.columns if c.personal}
    seen: dict[tuple[str, str, str], list[Any]] = {}
    for drift in drifts:
        sample = "***" if drift.field in personal else drift.sample.replace("\x00", "\ufffd")
        row = seen.setdefault((drift.field, drift.kind, drift.json_type), [sample, 0])
        row[1] += 1
    with conn.cursor() as cur:
        cur.executemany(
            """
            insert into ops.drift as d (dataset, field, kind, json_type, sample, first_seen, last_seen, times)
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (dataset, field, kind, json_type) do update
              set last_seen = excluded.last_seen, times = d.times + excluded.times
            """,
            [(dataset.name, *key, sample, now, now, times) for key, (sample, times) in seen.items()],
        )


def sightings(conn: psycopg.Connection[Any], dataset: Dataset, partitions: Sequence[str]) -> set[tuple[str, str]]:
    """(key, field) of the nulls that were seen once in these partitions and not yet believed."""
    rows = conn.execute(
        "select record_key, field from ops.null_sightings where dataset = %s and partition_key = any(%s)",
        [dataset.name, list(partitions)],
    )
    return {(key, name) for key, name in rows}


def update_sightings(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    *,
    first: Iterable[tuple[str, str, str]],
    over: Iterable[tuple[str, str]],
    now: dt.datetime,
) -> None:
    """Record nulls seen for the first time (partition, key, field) and forget those that are settled."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            insert into ops.null_sightings (dataset, partition_key, record_key, field, first_seen)
            values (%s, %s, %s, %s, %s) on conflict do nothing
            """,
            [(dataset.name, *item, now) for item in first],
        )
        cur.executemany(
            "delete from ops.null_sightings where dataset = %s and record_key = %s and field = %s",
            [(dataset.name, *item) for item in over],
        )
