"""The queue of patients whose insights are asked for: several wishes for one patient become one row.

Here: putting wishes in, with the debounce. Not here: who wishes (``asking.py``, ``collecting.py``), and taking
rows out (``claiming.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fisio_ayida.clinic.model import Connection

Cause = Literal["session", "event", "hand"]

#: A patient's record is taken to be quiet so long after the session that was finalized last...
QUIET: Final = dt.timedelta(minutes=5)
#: ...and whatever follows, so long after the first one that waits.
LONGEST: Final = dt.timedelta(minutes=30)

# Who locks several rows of the queue waits for its turn before, and then for nobody: each in an order of its own,
# two could wait for each other.
TURN: Final = "select pg_advisory_xact_lock(hashtextextended('insights.queue', 0))"

# A row that is in somebody's hands, failed, or waits for the model was asked for before: the wish stands alone.
_WAITS: Final = """
(q.dead_at is null and q.step = 'record' and q.tries = 0
 and (q.claim is null or q.lease_until < clock_timestamp()))
"""
_PUT: Final = f"""
insert into insights.queue as q (organization_id, patient_id, cause, first_asked_at, asked_at, due_at)
select w.organization_id, w.patient_id, %(cause)s, w.first, w.last,
       case when %(at_once)s then w.last else least(w.last + %(quiet)s, w.first + %(longest)s) end
from unnest(%(organizations)s::text[], %(patients)s::text[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[])
  as w (organization_id, patient_id, first, last)
on conflict (organization_id, patient_id) do update set
  asks = q.asks + 1, step = 'record', dead_at = null,
  tries = case when q.dead_at is null then q.tries else 0 end,
  losses = case when q.dead_at is null then q.losses else 0 end,
  error = case when q.dead_at is null then q.error end,
  cause = case when {_WAITS} and q.cause <> 'session' and not %(at_once)s then q.cause else excluded.cause end,
  first_asked_at = case when {_WAITS} then least(q.first_asked_at, excluded.first_asked_at)
                   else excluded.first_asked_at end,
  asked_at = case when {_WAITS} then greatest(q.asked_at, excluded.asked_at) else excluded.asked_at end,
  due_at = case
    when not {_WAITS} then excluded.due_at
    when %(at_once)s then least(q.due_at, excluded.due_at)
    when q.cause <> 'session' then q.due_at
    else least(greatest(q.asked_at, excluded.asked_at) + %(quiet)s,
               least(q.first_asked_at, excluded.first_asked_at) + %(longest)s) end
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """For a patient's insights, since the moment ``first``; the newest reason for it is of ``last``."""

    organization_id: str
    patient_id: str
    first: dt.datetime
    last: dt.datetime


def put(conn: Connection, wishes: Sequence[Wish], cause: Cause) -> int:
    """Ask for these patients' insights, each once; gives how many patients.

    What sessions ask for is due when the record is quiet; anything else at once, at ``last``.
    """
    if not wishes:
        return 0
    values: dict[str, Any] = {
        "cause": cause, "at_once": cause != "session", "quiet": QUIET, "longest": LONGEST,
        "organizations": [each.organization_id for each in wishes],
        "patients": [each.patient_id for each in wishes],
        "firsts": [each.first for each in wishes], "lasts": [each.last for each in wishes],
    }  # fmt: skip
    with conn.transaction():
        conn.execute(TURN)
        return conn.execute(_PUT, values).rowcount


def folded(wishes: Iterable[Wish]) -> list[Wish]:
    """One wish a patient."""
    found: dict[tuple[str, str], Wish] = {}
    for each in wishes:
        pair = each.organization_id, each.patient_id
        known = found.get(pair, each)
        found[pair] = Wish(*pair, min(known.first, each.first), max(known.last, each.last))
    return list(found.values())
