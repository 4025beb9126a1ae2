"""One record by itself: a call asked for by its BDNS code, and rejects that are tried again.

The same comparison as a whole window's (history, damping, children), without proof and without
withdrawals: a record that does not come is not evidence of anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from fisio_ayida.bdns import evidence
from fisio_ayida.bdns.datasets import CONVOCATORIAS
from fisio_ayida.bdns.errors import BadRequest, RequestRefused, UnusableBody
from fisio_ayida.bdns.load import Counts, WindowLoad
from fisio_ayida.bdns.mirror import Context
from fisio_ayida.bdns.records import Batch, decode_objects
from fisio_ayida.bdns.registry import WHOLE, Dataset, Sweep
from fisio_ayida.bdns.sweep import fetch_detail, joined, listed_row
from fisio_ayida.bdns.windows import Window
from fisio_ayida.warehouse.locks import window_locks

LONGEST_CODE = 16


@dataclass(frozen=True, slots=True)
class Single:
    """What became of one record."""

    key: str
    partition: str
    counts: Counts

    @property
    def verdict(self) -> str:
        for name in ("new", "restored", "changed", "damped", "unchanged"):
            if getattr(self.counts, name):
                return name
        return "rejected"


class UnknownCode(BadRequest):
    """The source has no call with this code."""


def check_code(code: str) -> str:
    """A BDNS code as text; raises :class:`BadRequest` naming the field and the value."""
    if not code.isdecimal() or not code.isascii() or len(code) > LONGEST_CODE:
        raise BadRequest(f"bdns={code!r} is not a BDNS code: 1 to {LONGEST_CODE} digits, as 123456")
    return code


async def sync_convocatoria(code: str, context: Context) -> Single:
    """Read one call again and store it; raises :class:`UnknownCode`, the client's errors, or both's words."""
    code = check_code(code)
    try:
        detail = await fetch_detail(CONVOCATORIAS, code, context.client)
    except RequestRefused as error:
        raise UnknownCode(f"bdns={code}: the BDNS refuses the code ({error.words})") from None
    if detail is None:
        raise UnknownCode(f"bdns={code}: the BDNS has no such call")
    # The listing alone has the INVENTE code; without it a re-read would look like a change.
    listed = await listed_row(CONVOCATORIAS, code, context.client) or {}
    batch = decode_objects(CONVOCATORIAS, [joined(CONVOCATORIAS, listed, detail)], context.client.base_url)
    with context.connect() as conn:
        return store(conn, CONVOCATORIAS, batch, code, context)


def newest_code(conn: psycopg.Connection[Any]) -> str | None:
    """The call registered last, of those that are stored."""
    row = conn.execute(
        "select codigo_bdns from bdns.convocatorias order by fecha_recepcion desc, id desc nulls last limit 1"
    ).fetchone()
    return str(row[0]) if row else None


def store(conn: psycopg.Connection[Any], dataset: Dataset, batch: Batch, key: str, context: Context) -> Single:
    """Compare one decoded record with what is stored and write the difference."""
    now = context.now()
    with conn.transaction():
        if not batch.records:
            evidence.keep_rejects(conn, dataset, WHOLE, batch.rejects, now=now, run_id=context.run_id)
            return Single(key, WHOLE, Counts(rejected=1))
        record = batch.records[0]
        column = dataset.partition_column
        partition = WHOLE if column is None else str(getattr(record, dataset.column(column).field))
        window = Window(dataset, (partition,))
        window_locks(conn, dataset.name, window.partitions, wait=context.lock_wait)
        with WindowLoad(conn, window, now=now, guard=context.guard, staged=True) as load:
            load.add(batch)
            outcome = load.finish(whole=False)
        evidence.keep_drifts(conn, dataset, outcome.drifts, now=now)
        evidence.resolve_rejects(conn, dataset, outcome.resolved, now)
    return Single(key, partition, outcome.counts[partition])


async def replay(dataset: Dataset, context: Context, *, limit: int = 10_000) -> list[Single]:
    """Try the open rejects of ``dataset`` again: the kept record, or its detail where that was missing.

    A record that still cannot be used stays open. Raises the client's errors if the source is away.
    """
    out: list[Single] = []
    with context.connect() as conn:
        with conn.cursor(row_factory=dict_row) as cur:
            rows = cur.execute(
                """
                select id, record_key, payload from ops.rejects
                where dataset = %s and resolved_at is null order by id limit %s
                """,
                [dataset.name, limit],
            ).fetchall()
        for row in rows:
            batch = await _again(dataset, row["payload"], row["record_key"], context)
            if batch is None or not batch.records:
                out.append(Single(row["record_key"] or "?", WHOLE, Counts(rejected=1)))
                continue
            result = store(conn, dataset, batch, row["record_key"] or "?", context)
            conn.execute("update ops.rejects set resolved_at = %s where id = %s", [context.now(), row["id"]])
            out.append(result)
    return out


async def _again(dataset: Dataset, payload: str, key: str | None, context: Context) -> Batch | None:
    try:
        item = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(item, dict):
        return None
    if dataset.sweep is Sweep.PAGES_AND_DETAIL and key is not None and "conDetalle" not in item:
        try:
            detail = await fetch_detail(dataset, key, context.client)
        except (UnusableBody, RequestRefused):
            return None
        if detail is None:
            return None
        item = joined(dataset, item, detail)
    return decode_objects(dataset, [item], context.client.base_url)
