"""Who has which patients of the queue in hand, and what becomes of their rows.

A row belongs to one claim at a time, for as long as its lease is moved on; leases are by the database's clock. Not
here: putting rows in (``wishes.py``), and the work (``running.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from psycopg.rows import class_row

from fisio_ayida.clinic.model import Connection
from fisio_ayida.insights.wishes import TURN

#: ``record``: it is to be read, and facts made of it; ``narrative``: the facts are stored, words are wanted.
Step = Literal["record", "narrative"]

#: How long a run that says nothing is believed to live.
LEASE: Final = dt.timedelta(minutes=3)
#: A patient in the hands of so many runs that died is taken to be the cause.
MOST_LOSSES: Final = 5
#: A patient that failed so often is not tried again by itself.
MOST_TRIES: Final = 5
#: After the first failure, five times as long after each further one, up to the longest.
PAUSE, LONGEST_PAUSE = dt.timedelta(minutes=1), dt.timedelta(hours=2)
#: A clinic's fault is no patient's: its patients wait, and lose no try.
CLINIC_PAUSE: Final = dt.timedelta(minutes=15)

_FREE: Final = "dead_at is null and (lease_until is null or lease_until < clock_timestamp())"
_WANTED: Final = """
due_at <= %(now)s and step = %(step)s and organization_id = any(%(organizations)s)
and (%(wanted_by)s::text is null or wanted_by = %(wanted_by)s)
"""
_BURY: Final = f"""
update insights.queue set dead_at = %(now)s, claim = null, lease_until = null,
  error = format('%%s runs died while they had it in hand', losses + 1)
where {_FREE} and claim is not null and losses + 1 >= %(most_losses)s
"""
# SKIP LOCKED: two runs never wait for, or get, the same patient. Whom two runs died with is taken alone.
_TAKE: Final = f"""
with picked as (
  select organization_id, patient_id from insights.queue
  where {_FREE} and {_WANTED} and (losses + (claim is not null)::integer > 1) = %(suspects)s
  order by due_at, organization_id, patient_id limit %(most)s for update skip locked)
update insights.queue q set
  losses = q.losses + (q.claim is not null)::integer, claim = %(claim)s, run_id = %(run_id)s,
  lease_until = clock_timestamp() + %(lease)s
from picked p where (q.organization_id, q.patient_id) = (p.organization_id, p.patient_id)
returning q.organization_id, q.patient_id, q.asked_at, q.asks, q.tries, q.cause = 'hand' as by_hand
"""
_IS_DUE: Final = f"select exists (select from insights.queue where {_FREE} and due_at <= %(now)s)"
_DUE: Final = f"""
select organization_id, patient_id, asked_at, asks, tries, cause = 'hand' as by_hand
from insights.queue where {_FREE} and {_WANTED}
order by due_at, organization_id, patient_id
"""
_STRANGERS: Final = f"""
select organization_id, patient_id, asked_at, asks, tries from insights.queue
where {_FREE} and due_at <= %(now)s and organization_id <> all(%(organizations)s)
"""
_FORGET: Final = f"""
delete from insights.queue q
using unnest(%(organizations)s::text[], %(patients)s::text[], %(asks)s::bigint[])
  d (organization_id, patient_id, asks)
where {_FREE} and (q.organization_id, q.patient_id, q.asks) = (d.organization_id, d.patient_id, d.asks)
"""
_EXTEND: Final = "update insights.queue set lease_until = clock_timestamp() + %s where claim = %s"
_HELD: Final = """
select true from insights.queue where organization_id = %s and patient_id = %s and claim = %s for update
"""
_MINE: Final = """
q.claim = %(claim)s and q.organization_id = d.organization_id and q.patient_id = d.patient_id and q.asks = d.asks
"""
_DONE: Final = f"""
delete from insights.queue q
using unnest(%(organizations)s::text[], %(patients)s::text[], %(asks)s::bigint[])
  d (organization_id, patient_id, asks)
where {_MINE}
"""
_PUT_OFF: Final = f"""
update insights.queue q set
  claim = null, lease_until = null, losses = 0,
  cause = case when q.cause = 'hand' and d.step = 'record' then q.cause else d.cause end, step = d.step,
  due_at = d.due_at, tries = d.tries,
  error = case when d.tries = 0 then d.error else coalesce(d.error, q.error) end,
  dead_at = case when d.tries >= %(most)s then %(now)s end
from unnest(%(organizations)s::text[], %(patients)s::text[], %(asks)s::bigint[], %(causes)s::text[],
            %(steps)s::text[], %(dues)s::timestamptz[], %(tries)s::integer[], %(errors)s::text[])
  d (organization_id, patient_id, asks, cause, step, due_at, tries, error)
where {_MINE}
"""
_RELEASE: Final = "update insights.queue set claim = null, lease_until = null, losses = 0 where claim = %s"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A patient in hand.

    Args:
        asks: how often it had been asked for by then.
        by_hand: somebody asked for it, and nothing has come of that yet.
    """

    organization_id: str
    patient_id: str
    asked_at: dt.datetime
    asks: int
    tries: int
    by_hand: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        return self.organization_id, self.patient_id


@dataclass(frozen=True, slots=True)
class Later:
    """When a patient is tried again, why, and at which step.

    Args:
        tries: how often it failed in a row; after :data:`MOST_TRIES` it is dead.
    """

    who: Claimed
    due_at: dt.datetime
    step: Step = "record"
    tries: int = 0
    error: str | None = None


def failed(who: Claimed, error: str, now: dt.datetime) -> Later:
    """It failed for this patient: tried again, later each time, and then no more."""
    return Later(who, now + min(PAUSE * 5**who.tries, LONGEST_PAUSE), tries=who.tries + 1, error=error)


def put_off(who: Claimed, error: str, now: dt.datetime) -> Later:
    """It failed for the whole clinic."""
    return Later(who, now + CLINIC_PAUSE, tries=who.tries, error=error)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows of the queue a run may take.

    Args:
        wanted_by: only what this run asked for; None: whatever is due of these organisations.
    """

    organizations: Sequence[str]
    wanted_by: str | None = None


def claim(
    conn: Connection, scope: Scope, step: Step, *, now: dt.datetime, run_id: str, most: int
) -> tuple[uuid.UUID, list[Claimed]] | None:
    """Take up to ``most`` patients that are due; None: there are none."""
    mine = uuid.uuid4()
    values = _values(scope, step, now) | {
        "claim": mine, "run_id": run_id, "lease": LEASE, "most_losses": MOST_LOSSES,
    }  # fmt: skip
    with conn.transaction():
        conn.execute(TURN)
        conn.execute(_BURY, values)
        for suspects, many in ((False, most), (True, 1)):
            with conn.cursor(row_factory=class_row(Claimed)) as cur:
                taken = cur.execute(_TAKE, values | {"suspects": suspects, "most": many}).fetchall()
            if taken:
                return mine, sorted(taken, key=lambda each: each.pair)
    return None


def due(conn: Connection, scope: Scope, step: Step, *, now: dt.datetime) -> list[Claimed]:
    """Who could be taken now; nothing is taken."""
    with conn.cursor(row_factory=class_row(Claimed)) as cur:
        return cur.execute(_DUE, _values(scope, step, now)).fetchall()


def is_due(conn: Connection, *, now: dt.datetime) -> bool:
    """Whether anybody is due whom nobody has in hand."""
    row = conn.execute(_IS_DUE, {"now": now}).fetchone()
    return row is not None and bool(row[0])


def strangers(conn: Connection, organizations: Collection[str], *, now: dt.datetime) -> list[Claimed]:
    """Who is due of other organisations than these."""
    with conn.cursor(row_factory=class_row(Claimed)) as cur:
        return cur.execute(_STRANGERS, {"now": now, "organizations": list(organizations)}).fetchall()


def forget(conn: Connection, rows: Sequence[Claimed]) -> None:
    """Rows go that nobody has in hand and nobody asked for again, once it is kept why."""
    if rows:
        with conn.transaction():
            conn.execute(TURN)
            conn.execute(_FORGET, _columns(rows))


def extend(conn: Connection, claim: uuid.UUID) -> None:
    """A sign of life: the lease runs anew."""
    conn.execute(_EXTEND, [LEASE, claim])


def is_held(conn: Connection, claim: uuid.UUID, who: Claimed) -> bool:
    """Whether the patient is still in this claim's hands; until the transaction ends, it stays there."""
    return conn.execute(_HELD, [*who.pair, claim]).fetchone() is not None


def settle(
    conn: Connection, claim: uuid.UUID, *, now: dt.datetime, done: Sequence[Claimed] = (),
    later: Sequence[Later] = (),
) -> None:  # fmt: skip
    """Rows of who is done go; others wait. Who was asked for again meanwhile stays as was asked."""
    if not done and not later:
        return
    with conn.transaction():
        conn.execute(TURN)
        if done:
            conn.execute(_DONE, _columns(done) | {"claim": claim})
        if later:
            values: dict[str, Any] = {
                "claim": claim, "now": now, "most": MOST_TRIES, "steps": [each.step for each in later],
                "causes": ["retry"] * len(later), "dues": [each.due_at for each in later],
                "tries": [each.tries for each in later], "errors": [each.error for each in later],
            }  # fmt: skip
            conn.execute(_PUT_OFF, values | _columns([each.who for each in later]))


def release(conn: Connection, claim: uuid.UUID) -> None:
    """Give back what is left."""
    with conn.transaction():
        conn.execute(TURN)
        conn.execute(_RELEASE, [claim])


def _values(scope: Scope, step: Step, now: dt.datetime) -> dict[str, Any]:
    organizations = list(scope.organizations)
    return {"now": now, "step": step, "organizations": organizations, "wanted_by": scope.wanted_by}


def _columns(rows: Sequence[Claimed]) -> dict[str, Any]:
    return {
        "organizations": [each.organization_id for each in rows],
        "patients": [each.patient_id for each in rows], "asks": [each.asks for each in rows],
    }  # fmt: skip
