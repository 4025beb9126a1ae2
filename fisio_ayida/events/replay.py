"""What an operator does to events: once more, or not at all.

A replay is the same event again, never a new one: what is done stays done, and the rules that look at other events
(idempotency, debounce) are not applied a second time. Not here: lists (``desk.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import class_row

from fisio_ayida.events.admission import judge_stored
from fisio_ayida.events.desk import Which

Connection = psycopg.Connection[Any]

REPLAYABLE = ("dead", "skipped", "unmatched", "retry")
CANCELLABLE = ("received", "retry", "unmatched", "claimed")
OPERATOR = "an operator"
# Read at a time.
_PAGE = 500

# Locked in order: a run that writes an outcome now is waited for, and its outcome is seen.
PAGE = """
select i.seq, i.id, i.name, i.state, i.admitted, i.data::text as data, i.reason, i.cancelled_by,
       i.data is null and i.raw is null as is_emptied,
       coalesce((select c.run_id from events.claims c where c.id = i.claim_id), i.run_id) as run_id
from events.inbox i where {where} and i.seq > %(after)s order by i.seq limit %(page)s {lock}
"""
AGAIN = """
update events.inbox i set
  state = 'received', attempt = 0, losses = 0, due_at = %(now)s, changed_at = %(now)s, reason = 'replayed',
  run_id = null, result = null, cancelled_by = null, admitted = true, name = c.name,
  organization_id = c.organization_id, priority = c.priority, idempotency_key = c.idempotency_key,
  debounce_key = c.debounce_key, cancel_key = c.cancel_key,
  debounce_since = case when c.debounce_key is not null then %(now)s end
from unnest(%(seq)s::bigint[], %(name)s::text[], %(organization_id)s::text[], %(priority)s::smallint[],
            %(idempotency_key)s::text[], %(debounce_key)s::text[], %(cancel_key)s::text[])
  as c(seq, name, organization_id, priority, idempotency_key, debounce_key, cancel_key)
where i.seq = c.seq
"""
REFUSE = """
update events.inbox i set
  state = 'dead', admitted = false, name = c.name, reason = c.reason, changed_at = %(now)s
from unnest(%(seq)s::bigint[], %(name)s::text[], %(reason)s::text[]) as c(seq, name, reason)
where i.seq = c.seq
"""
SKIP = """
update events.inbox set
  state = 'skipped', reason = 'cancelled by ' || %(by)s, changed_at = %(now)s, admitted = coalesce(admitted, true)
where seq = any(%(seqs)s)
"""
# The run asks before each effect.
ASK_THE_RUN = "update events.inbox set cancelled_by = %(by)s where seq = any(%(seqs)s)"
_AGAIN_COLUMNS = (
    "seq", "name", "organization_id", "priority", "idempotency_key", "debounce_key", "cancel_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Left:
    """An event that was left as it is, and why."""

    id: str
    name: str
    state: str
    why: str


@dataclass(slots=True)
class Outcome:
    """What was done, or would be: events by name and by what became of them, and those that were left."""

    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: list[Left] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Stored:
    seq: int
    id: str
    name: str
    state: str
    admitted: bool | None
    data: str | None
    reason: str | None
    cancelled_by: str | None
    is_emptied: bool
    run_id: str | None

    def left(self, why: str) -> Left:
        return Left(self.id, self.name, self.state, why)


def replay(conn: Connection, which: Which, *, now: dt.datetime, dry_run: bool = False) -> Outcome:
    """Make these events due again, as if they had just come; in one transaction.

    An event whose payload was refused, or whose name was unknown, is judged again first.

    Raises:
        psycopg.Error: nothing is replayed.
    """

    def act(page: Sequence[_Stored], outcome: Outcome) -> None:
        again: dict[str, list[Any]] = {column: [] for column in _AGAIN_COLUMNS}
        refused: dict[str, list[Any]] = {"seq": [], "name": [], "reason": []}
        for stored in page:
            if why := _not_again(stored):
                outcome.left.append(stored.left(why))
                continue
            row, facts, problem = judge_stored(stored.name, stored.data or "")
            if row is None:
                outcome.left.append(stored.left("the registry does not know this name"))
            elif problem is not None:
                outcome.left.append(stored.left(f"its payload is refused: {problem}"))
                if stored.state == "unmatched":
                    _add(refused, {"seq": stored.seq, "name": row.name, "reason": problem})
            else:
                outcome.taken[row.name, "replayed"] += 1
                _add(again, {"seq": stored.seq, "name": row.name, **facts})
        if not dry_run:
            conn.execute(AGAIN, {**again, "now": now})
            conn.execute(REFUSE, {**refused, "now": now})

    return _over(conn, which, act, lock=not dry_run)


def cancel(conn: Connection, which: Which, *, now: dt.datetime, dry_run: bool = False) -> Outcome:
    """End these events before they are work; what a run has in its hands is not done if it can still be stopped.

    Raises:
        psycopg.Error: nothing is cancelled.
    """

    def act(page: Sequence[_Stored], outcome: Outcome) -> None:
        waiting: list[int] = []
        claimed: list[int] = []
        for stored in page:
            if why := _not_cancelled(stored):
                outcome.left.append(stored.left(why))
                continue
            in_a_run = stored.state == "claimed"
            outcome.taken[stored.name, "its run is asked to stop" if in_a_run else "skipped"] += 1
            (claimed if in_a_run else waiting).append(stored.seq)
        if not dry_run:
            conn.execute(SKIP, {"by": OPERATOR, "seqs": waiting, "now": now})
            conn.execute(ASK_THE_RUN, {"by": OPERATOR, "seqs": claimed})

    return _over(conn, which, act, lock=not dry_run)


def _over(
    conn: Connection, which: Which, act: Callable[[Sequence[_Stored], Outcome], None], *, lock: bool
) -> Outcome:
    outcome = Outcome()
    missing = dict.fromkeys(which.ids or ())
    with conn.transaction():
        for page in _pages(conn, which, lock=lock):
            for stored in page:
                missing.pop(stored.id, None)
            act(page, outcome)
    # Asked for by name, an event must be there; asked for by its parts, it just does not fit.
    outcome.left += [Left(id_, "", "", "there is no such event") for id_ in missing]
    return outcome


def _pages(conn: Connection, which: Which, *, lock: bool) -> Iterator[list[_Stored]]:
    query = PAGE.format(where=which.where(), lock="for update of i" if lock else "")
    after = 0
    while True:
        with conn.cursor(row_factory=class_row(_Stored)) as cur:
            page = cur.execute(query, {**which.values(), "after": after, "page": _PAGE}).fetchall()
        if not page:
            return
        after = page[-1].seq
        yield page


def _not_again(stored: _Stored) -> str | None:
    """Why this event is not replayed; None if it may be."""
    if stored.state == "done":
        return f"already done in run {stored.run_id}: send a new event"
    if stored.state == "claimed":
        return f"in the hands of run {stored.run_id or 'that is about to start'}"
    if stored.state == "received":
        return "waiting already"
    if stored.is_emptied:
        return "its body was deleted by the clean-up (docs/clinic.md says after how long): send a new event"
    if stored.data is None:
        return f"its payload cannot be stored, send it again corrected: {stored.reason}"
    return None


def _not_cancelled(stored: _Stored) -> str | None:
    if stored.state == "done":
        return f"already done in run {stored.run_id}"
    if stored.state in ("dead", "skipped"):
        return f"ended already: {stored.reason}"
    if stored.cancelled_by:
        return f"run {stored.run_id} has been asked to stop already"
    return None


def _add(columns: dict[str, list[Any]], values: dict[str, Any]) -> None:
    for column, into in columns.items():
        into.append(values[column])
