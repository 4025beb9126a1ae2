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
# When the record of a session's patient is taken to be quiet: the only place that says it.
_QUIET: Final = "least({last} + %(quiet)s, {first} + %(longest)s)"
# The same beside what the queue has.
_TOGETHER: Final = _QUIET.format(last="greatest(q.asked_at, {last})", first="least(q.first_asked_at, {first})")
_DUE: Final = f"""
case when not {_WAITS} then {_QUIET}
     when q.cause <> 'session' then q.due_at
     else {_TOGETHER} end
"""
_PUT: Final = f"""
insert into insights.queue as q (organization_id, patient_id, cause, first_asked_at, asked_at, due_at, wanted_by)
select w.organization_id, w.patient_id, %(cause)s, w.first, w.last,
       case when %(at_once)s then w.last else {_QUIET.format(first="w.first", last="w.last")} end,
       %(wanted_by)s::text
from unnest(%(organizations)s::text[], %(patients)s::text[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[])
  as w (organization_id, patient_id, first, last)
on conflict (organization_id, patient_id) do update set
  asks = q.asks + 1, step = 'record', dead_at = null, wanted_by = coalesce(excluded.wanted_by, q.wanted_by),
  tries = case when q.dead_at is null then q.tries else 0 end,
  losses = case when q.dead_at is null then q.losses else 0 end,
  error = case when q.dead_at is null then q.error end,
  cause = case when {_WAITS} and (q.cause = 'hand' or q.cause <> 'session' and not %(at_once)s) then q.cause
          else excluded.cause end,
  first_asked_at = case when {_WAITS} then least(q.first_asked_at, excluded.first_asked_at)
                   else excluded.first_asked_at end,
  asked_at = case when {_WAITS} then greatest(q.asked_at, excluded.asked_at) else excluded.asked_at end,
  due_at = case
    when not %(at_once)s then {_DUE.format(first="excluded.first_asked_at", last="excluded.asked_at")}
    when {_WAITS} then least(q.due_at, excluded.due_at)
    else excluded.due_at end
"""
_IS_DUE: Final = f"""
select exists (
  select from unnest(%(organizations)s::text[], %(patients)s::text[], %(firsts)s::timestamptz[],
                     %(lasts)s::timestamptz[]) as w (organization_id, patient_id, first, last)
  left join insights.queue q using (organization_id, patient_id)
  where (q.lease_until is null or q.lease_until < clock_timestamp())
    and {_DUE.format(first="w.first", last="w.last")} <= %(now)s)
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """For a patient's insights, since the moment ``first``; the newest reason for it is of ``last``."""

    organization_id: str
    patient_id: str
    first: dt.datetime
    last: dt.datetime


def put(conn: Connection, wishes: Sequence[Wish], cause: Cause, *, wanted_by: str | None = None) -> int:
    """Ask for these patients' insights, each once; gives how many patients.

    What sessions ask for is due when the record is quiet; anything else at once, at ``last``.

    Args:
        wanted_by: the run that will take these and no others.
    """
    if not wishes:
        return 0
    values = _columns(wishes) | {"cause": cause, "at_once": cause != "session", "wanted_by": wanted_by}
    with conn.transaction():
        conn.execute(TURN)
        return conn.execute(_PUT, values).rowcount


def would_be_due(conn: Connection, wishes: Sequence[Wish], *, now: dt.datetime) -> bool:
    """Whether anybody would be due by now if these were put in for sessions; nothing is."""
    row = conn.execute(_IS_DUE, _columns(wishes) | {"now": now}).fetchone()
    return row is not None and bool(row[0])


def folded(wishes: Iterable[Wish]) -> list[Wish]:
    """One wish a patient."""
    found: dict[tuple[str, str], Wish] = {}
    for each in wishes:
        pair = each.organization_id, each.patient_id
        known = found.get(pair, each)
        found[pair] = Wish(*pair, min(known.first, each.first), max(known.last, each.last))
    return list(found.values())


def _columns(wishes: Sequence[Wish]) -> dict[str, Any]:
    return {
        "organizations": [each.organization_id for each in wishes],
        "patients": [each.patient_id for each in wishes],
        "firsts": [each.first for each in wishes], "lasts": [each.last for each in wishes],
        "quiet": QUIET, "longest": LONGEST,
    }  # fmt: skip
