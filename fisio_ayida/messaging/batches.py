"""Batches: one call for many messages that were made for many, where the provider offers it.

After a lost answer a batch is repeated as the same list under the same key, or not at all: another list could send
some of it twice. Not here: which messages may share a call (``picking.py``), and the call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging.claims import Claimant, Claimed, decided
from fisio_ayida.messaging.outcomes import FIRST_LOOK
from fisio_ayida.messaging.picking import COLUMNS, Lane, Row, pick

_DUE = """
select batch_id from messaging.messages
where state = 'retry' and batch_id is not null and channel = %(channel)s and account = %(account)s
  and due_at <= %(now)s and provider = %(provider)s
order by due_at, id limit 1
"""
# In the order of the first call. Whoever has one of them has them all.
_MEMBERS = f"""
select {COLUMNS} from messaging.messages where batch_id = %s order by id for update
"""
_BREAK = """
update messaging.messages set state = 'unknown', reason = %(reason)s, due_at = %(look_at)s, changed_at = %(now)s,
  batch_id = null
where batch_id = %(batch)s and state = 'retry'
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that are about to share a call; ``key`` is the call's."""

    key: str
    claimed: Claimed


def claim_batch(
    conn: psycopg.Connection[Any], lane: Lane, most: int, who: Claimant, *,
    now: dt.datetime, batch: UUID, closed: Collection[str], trials: Collection[str],
) -> Batch:  # fmt: skip
    """Claim up to ``most`` due messages for one call under the id ``batch``; empty when nothing is due."""
    with conn.transaction():
        rows = pick(conn, lane, most, now=now, after="", closed=closed, trials=trials, share="together")
        claimed = (
            decided(conn, sorted(rows, key=lambda row: row.id), who, now=now, batch=batch) if rows else Claimed()
        )
        return Batch(_key(batch), claimed)


def repeat_batch(conn: psycopg.Connection[Any], lane: Lane, who: Claimant, *, now: dt.datetime) -> Batch | None:
    """Claim a batch whose answer was lost once more, whole; None if none is due.

    If one of its messages may not go any more, or is known to have arrived, the others are left unknown: they are
    looked up, and their receipts tell.
    """
    with conn.transaction():
        where = {"channel": lane.channel, "account": lane.account, "provider": who.provider, "now": now}
        found = conn.execute(_DUE, where).fetchone()
        if found is None:
            return None
        batch: UUID = found[0]
        with conn.cursor(row_factory=class_row(Row)) as cur:
            rows = cur.execute(_MEMBERS, [batch]).fetchall()
        if all(row.state == "retry" for row in rows):
            with conn.transaction() as attempt:
                claimed = decided(conn, rows, who, now=now, batch=batch)
                if not claimed.stopped:
                    return Batch(_key(batch), claimed)
                raise psycopg.Rollback(attempt)
        broken = {
            "batch": batch,
            "now": now,
            "look_at": now + FIRST_LOOK,
            "reason": "its batch cannot be repeated whole",
        }
        conn.execute(_BREAK, broken)
        return Batch(_key(batch), Claimed())


def _key(batch: UUID) -> str:
    return f"batch:{batch}"
