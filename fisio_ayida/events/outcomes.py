"""What can become of an event that was handled, and writing it down.

A handler gives a result, or raises: :class:`Skip` for "not to be done", :class:`GiveUp` for "will never work",
anything else for "did not work this time". Not here: running handlers (``work.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg

from fisio_ayida import telemetry
from fisio_ayida.events.registry import RetryPolicy
from fisio_ayida.warehouse.errors import said

# Only who still holds the claim may say how it ended: a run that was taken for dead changes nothing.
RECORD = """
update events.inbox i set
  state = case when c.state = 'retry' and i.cancelled_by is not null then 'skipped' else c.state end,
  reason = case when c.state = 'retry' and i.cancelled_by is not null
           then 'cancelled by ' || i.cancelled_by else c.reason end,
  result = c.result::jsonb, due_at = coalesce(c.due_at, i.due_at), run_id = %(run_id)s, claim_id = null,
  changed_at = %(now)s
from unnest(%(seq)s::bigint[], %(state)s::text[], %(reason)s::text[], %(result)s::text[],
            %(due_at)s::timestamptz[]) as c(seq, state, reason, result, due_at)
where i.seq = c.seq and i.claim_id = %(claim)s and i.state = 'claimed'
returning i.seq, i.state
"""


class Skip(Exception):
    """The event is not to be done; the message is its reason."""


class GiveUp(Exception):
    """The event can never be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended."""

    seq: int
    state: str
    reason: str | None = None
    result: Mapping[str, Any] | None = None
    due_at: dt.datetime | None = None


def of_error(
    seq: int, error: BaseException, *, attempt: int, policy: RetryPolicy, now: dt.datetime, jitter: float
) -> Outcome:
    """The outcome of a try that raised."""
    if isinstance(error, Skip):
        return Outcome(seq, "skipped", words(error))
    if isinstance(error, GiveUp):
        return Outcome(seq, "dead", words(error))
    if attempt > policy.most:
        return Outcome(seq, "dead", f"{words(error)} (try {attempt} of {policy.most + 1})")
    return Outcome(seq, "retry", words(error), due_at=now + policy.pause(attempt, jitter))


def words(error: BaseException) -> str:
    """An error in words that may be kept: without secrets, addresses, and the rows that a database quotes."""
    is_ours = isinstance(error, Skip | GiveUp) and str(error)
    return telemetry.excerpt(str(error)) if is_ours else said(error)


def record(
    conn: psycopg.Connection[Any],
    claim: uuid.UUID,
    outcomes: Sequence[Outcome],
    *,
    run_id: str | None,
    now: dt.datetime,
) -> dict[int, str]:
    """Write the outcomes of events of one claim; gives the state of each that was still in it."""
    if not outcomes:
        return {}
    values = {
        "seq": [o.seq for o in outcomes],
        "state": [o.state for o in outcomes],
        "reason": [o.reason for o in outcomes],
        "result": [None if o.result is None else msgspec.json.encode(o.result).decode() for o in outcomes],
        "due_at": [o.due_at for o in outcomes],
        "run_id": run_id,
        "claim": claim,
        "now": now,
    }
    return dict(conn.execute(RECORD, values).fetchall())
