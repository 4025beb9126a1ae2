"""Claims: which run has which events in its hands, and what happens when it dies.

An event belongs to one claim at a time; the claim belongs to a run for as long as its lease is moved on. Leases
are by the database's clock, so that hosts need not agree on the time. Not here: handling (``work.py``).
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from fisio_ayida.events.registry import Batch, Event, Launch, Option

Connection = psycopg.Connection[Any]

#: How long a run that says nothing is believed to live.
BATCH_LEASE = dt.timedelta(seconds=60)
#: A run of an asset job says nothing while it waits between its own tries, ten minutes at most.
LAUNCH_LEASE = dt.timedelta(minutes=15)
#: A run that was asked for and does not exist after this was never submitted.
REQUEST_LEASE = dt.timedelta(seconds=60)
#: An event in the hands of so many runs that died is taken to be the cause.
MOST_LOSSES = 5
# A batch is filled in a few rounds: the first gives every organisation the same share.
_ROUNDS = 4

# Round-robin between organisations: a loose scan finds who has something due, and each gives an equal share of its
# most urgent, oldest events. Where there are more organisations than places, chance decides: by age, a few with a
# long backlog would keep the others out. SKIP LOCKED: two claimers never wait for, or get, the same event.
TAKE = """
with recursive organization as (
  (select organization_id from events.inbox
   where name = %(name)s and state in ('received', 'retry') and admitted and due_at <= %(now)s
   order by organization_id limit 1)
  union all
  select n.organization_id from organization o cross join lateral (
    select i.organization_id from events.inbox i
    where i.name = %(name)s and i.state in ('received', 'retry') and i.admitted and i.due_at <= %(now)s
      and i.organization_id > o.organization_id
    order by i.organization_id limit 1) n),
waiting as (select organization_id, count(*) over () as organizations from organization),
share as (
  select p.seq, p.priority, w.organization_id
  from waiting w cross join lateral (
    select i.seq, i.priority from events.inbox i
    where i.name = %(name)s and i.state in ('received', 'retry') and i.admitted and i.due_at <= %(now)s
      and i.organization_id = w.organization_id
    order by i.priority desc, i.seq
    limit greatest(1, ceil(%(limit)s::numeric / w.organizations))
    for update skip locked) p),
chosen as (
  select seq from (
    select seq, priority, organization_id,
      row_number() over (partition by organization_id order by priority desc, seq) as turn
    from share) s
  order by priority desc, turn, md5(%(claim)s::text || organization_id) limit %(limit)s)
update events.inbox i
set state = 'claimed', claim_id = %(claim)s, attempt = i.attempt + 1, changed_at = %(now)s, reason = null
from chosen where i.seq = chosen.seq
"""
OPEN = """
insert into events.claims (id, kind, job, run_config, run_id, requested_at, started_at, lease_until)
values (%(id)s, %(kind)s, %(job)s, %(run_config)s, %(run_id)s, %(now)s,
        case when %(run_id)s::text is null then null else %(now)s end, clock_timestamp() + %(lease)s)
"""
# Who opens and who ends a claim wait for one another here: no event may be taken into a claim that has ended.
LOCK_CLAIM = """
select ended_at is null, (select count(*) from events.inbox i where i.claim_id = c.id and i.state = 'claimed')
from events.claims c where id = %s for update
"""
LAUNCHES = """
select i.seq, i.id, array(
  select i.data ->> f.name from unnest(%(fields)s::text[]) with ordinality f (name, place) order by f.place)
from events.inbox i
where i.name = %(name)s and i.state in ('received', 'retry') and i.admitted and i.due_at <= %(now)s
order by i.seq for update skip locked
"""
TAKE_THESE = """
update events.inbox
set state = 'claimed', claim_id = %(claim)s, attempt = attempt + 1, changed_at = %(now)s, reason = null
where seq = any(%(seqs)s)
"""
START = """
update events.claims set run_id = %(run_id)s, started_at = coalesce(started_at, %(now)s),
  lease_until = clock_timestamp() + %(lease)s
where id = %(id)s and ended_at is null and (run_id is null or run_id = %(run_id)s)
returning id
"""
EXTEND = """
update events.claims set lease_until = clock_timestamp() + %(lease)s
where id = any(%(ids)s) and ended_at is null returning id
"""
OPEN_CLAIMS = """
select id, kind, job, run_config, run_id, started_at, lease_until < clock_timestamp() as expired
from events.claims where ended_at is null order by requested_at
"""
# What a dead run had in its hands has lost once more; what it had not touched goes back as it was.
# Locked in the order of the fence (``work.py``), or the two could wait for one another.
RELEASE = """
with held as (
  select seq from events.inbox where claim_id = %(id)s and state = 'claimed' order by seq for update)
update events.inbox i set
  claim_id = null, changed_at = %(now)s,
  run_id = coalesce(c.run_id, i.run_id),
  losses = i.losses + case when suspect then 1 else 0 end,
  attempt = i.attempt - 1,
  state = case when i.cancelled_by is not null then 'skipped'
               when suspect and i.losses + 1 >= %(most)s then 'dead'
               when i.attempt > 1 then 'retry' else 'received' end,
  due_at = case when %(postpone)s > interval '0' then greatest(i.due_at, %(now)s + %(postpone)s)
                else i.due_at end,
  reason = case when i.cancelled_by is not null then 'cancelled by ' || i.cancelled_by
                when %(postpone)s > interval '0' then %(why)s
                when suspect then %(why)s || ', ' || (i.losses + 1) || ' of ' || %(most)s || ' times'
                else i.reason end
from (
  select c.id, c.run_id, held.seq, %(lost)s and (c.kind = 'launch' or held.seq = any(c.working)) as suspect
  from events.claims c cross join held where c.id = %(id)s) c
where i.seq = c.seq and i.claim_id = c.id and i.state = 'claimed'
"""
END = """
update events.claims set ended_at = %(now)s, outcome = %(outcome)s, working = '{}'
where id = %(id)s and ended_at is null
"""
END_LAUNCH = """
update events.inbox
set state = %(state)s, reason = %(reason)s, run_id = %(run_id)s, claim_id = null, changed_at = %(now)s
where claim_id = %(id)s and state = 'claimed'
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Events that one run is to handle, with what the run must be told. ``event_ids`` are those of a launch."""

    id: uuid.UUID
    kind: str
    job: str
    run_config: dict[str, Any]
    size: int
    event_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim that has not ended."""

    id: uuid.UUID
    kind: str
    job: str
    run_config: dict[str, Any]
    run_id: str | None
    started_at: dt.datetime | None
    expired: bool


def claim_batch(
    conn: Connection,
    work: Batch,
    events: Sequence[Event],
    *,
    now: dt.datetime,
    run_id: str | None = None,
    claim: uuid.UUID | None = None,
    lease: dt.timedelta = REQUEST_LEASE,
) -> Claim | None:
    """Claim what is due of these events, each up to its batch size; None if nothing is.

    Args:
        run_id: the run that claims for itself; left out where a run is yet to be asked for.
        claim: the claim's id, from who may have to ask again because the answer was lost.
        lease: how long the claim is believed in before anybody gives a sign of life.
    """
    claim = claim or uuid.uuid4()
    size = 0
    config = {"ops": {work.op: {"config": {"claim": str(claim)}}}}
    with conn.transaction():
        if before := conn.execute(LOCK_CLAIM, [claim]).fetchone():
            still_open, size = before
            return Claim(claim, "batch", work.job, config, size) if still_open else None
        for event in sorted(events, key=lambda row: -row.priority):
            left = event.batch
            for _ in range(_ROUNDS):
                values = {"name": event.name, "now": now, "limit": left, "claim": claim}
                got = conn.execute(TAKE, values).rowcount
                left, size = left - got, size + got
                if not got or not left:
                    break
        if not size:
            return None
        _open(conn, claim, "batch", work.job, config, run_id, lease, now)
    return Claim(claim, "batch", work.job, config, size)


def claim_launches(
    conn: Connection, event: Event, *, now: dt.datetime, lease: dt.timedelta = REQUEST_LEASE
) -> list[Claim]:
    """Claim the due events of one kind that stand for runs: one claim for all that ask for the same.

    While a claim of the same is open, later events wait: its run may have begun to read before they came.
    """
    work = event.work
    if not isinstance(work, Launch):
        raise ValueError(f"{event.name} does not stand for a run")
    claims = []
    with conn.transaction():
        groups: dict[str, tuple[dict[str, Any], list[tuple[int, str]]]] = {}
        fields = [option.field for option in work.options]
        for seq, id_, asked in conn.execute(LAUNCHES, {"name": event.name, "now": now, "fields": fields}):
            config = launch_config(work, asked)
            groups.setdefault(json.dumps(config), (config, []))[1].append((seq, id_))
        for config, members in groups.values():
            busy = "select 1 from events.claims where ended_at is null and job = %s and run_config = %s"
            if conn.execute(busy, [work.job, Jsonb(config)]).fetchone():
                continue
            claim = uuid.uuid4()
            conn.execute(TAKE_THESE, {"claim": claim, "now": now, "seqs": [seq for seq, _ in members]})
            _open(conn, claim, "launch", work.job, config, None, lease, now)
            claims.append(Claim(claim, "launch", work.job, config, len(members), tuple(id_ for _, id_ in members)))
    return claims


def launch_config(work: Launch, asked: Sequence[str | None]) -> dict[str, Any]:
    """The run config for what a payload says in the fields of ``work.options``; empty where that is nothing."""
    pairs = zip(work.options, asked, strict=True)
    given = {option.option: _read(option, text) for option, text in pairs if text}
    return {"ops": {work.op: {"config": given}}} if given else {}


def _read(option: Option, text: str) -> str:
    """What cannot be read came before its field was looked at; the run says what is wrong with it."""
    try:
        return option.read(text)
    except ValueError:
        return text


def start(conn: Connection, claim: uuid.UUID, run_id: str, lease: dt.timedelta, now: dt.datetime) -> bool:
    """The run takes its claim over; False if it is not this run's any more."""
    values = {"id": claim, "run_id": run_id, "lease": lease, "now": now}
    return conn.execute(START, values).fetchone() is not None


def extend(conn: Connection, claims: Collection[uuid.UUID], lease: dt.timedelta) -> int:
    """Move the leases on; gives how many claims are still open."""
    return conn.execute(EXTEND, {"ids": list(claims), "lease": lease}).rowcount


def open_claims(conn: Connection) -> list[OpenClaim]:
    """All claims that have not ended, oldest first."""
    with conn.cursor(row_factory=class_row(OpenClaim)) as cur:
        return cur.execute(OPEN_CLAIMS).fetchall()


def release(
    conn: Connection,
    claim: uuid.UUID,
    *,
    now: dt.datetime,
    why: str,
    lost: bool,
    postpone: dt.timedelta = dt.timedelta(0),
    most: int = MOST_LOSSES,
) -> int:
    """End a claim and give its unfinished events back; gives how many there were.

    Args:
        lost: its run died; what it had in its hands counts one loss and is dead after ``most`` of them.
        postpone: they are not due before this has passed.
    """
    with conn.transaction():
        conn.execute(LOCK_CLAIM, [claim])
        # Against a run that is only slow and commits now: it holds the locks of its events until it is done.
        values = {"id": claim, "now": now, "why": why, "lost": lost, "postpone": postpone, "most": most}
        back = conn.execute(RELEASE, values).rowcount
        end(conn, claim, "lost" if lost else "released", now)
    return back


def end_launch(
    conn: Connection, claim: uuid.UUID, state: str, reason: str | None, *, run_id: str, now: dt.datetime
) -> None:
    """The run's outcome is that of all events it stood for."""
    with conn.transaction():
        conn.execute(END_LAUNCH, {"id": claim, "state": state, "reason": reason, "run_id": run_id, "now": now})
        end(conn, claim, state, now)


def end(conn: Connection, claim: uuid.UUID, outcome: str, now: dt.datetime) -> None:
    """Close a claim; a second time does nothing."""
    conn.execute(END, {"id": claim, "outcome": outcome, "now": now})


def _open(
    conn: Connection, claim: uuid.UUID, kind: str, job: str, config: dict[str, Any], run_id: str | None,
    lease: dt.timedelta, now: dt.datetime,
) -> None:  # fmt: skip
    conn.execute(
        OPEN,
        {
            "id": claim, "kind": kind, "job": job, "run_config": Jsonb(config), "run_id": run_id, "lease": lease,
            "now": now,
        },
    )  # fmt: skip
