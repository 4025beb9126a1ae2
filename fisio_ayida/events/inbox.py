"""Putting events into the inbox: committed before anything else, once for each id, with the rules of their kind.

Here: storing, conflicts, idempotency, debounce and cancelling. Not here: judging (``admission.py``), handling
(``claims.py``, ``work.py``), looking and replaying (``desk.py``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from fisio_ayida.events import rules
from fisio_ayida.events.admission import Candidate, judge_stored

Connection = psycopg.Connection[Any]

# Columns of one candidate, with the types of their arrays.
_COLUMNS = {
    "id": "text", "name": "text", "received_name": "text", "data": "text", "raw": "bytea", "ts": "timestamptz",
    "user_data": "text", "version": "text", "meta": "text", "organization_id": "text", "priority": "smallint",
    "admitted": "boolean", "idempotency_key": "text", "debounce_key": "text", "cancel_key": "text",
    "state": "text", "due_at": "timestamptz", "reason": "text",
}  # fmt: skip
_JSON = ("data", "user_data", "meta")
_SELECT = ", ".join(f"c.{name}::jsonb" if name in _JSON else f"c.{name}" for name in _COLUMNS)
_ARRAYS = ", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS.items())
# Numbered in the order of the request, which is the order of arrival; inserted in the order of ids, so that two
# requests that share some cannot wait for one another in a circle.
INSERT = f"""
with c as materialized (
  select nextval(pg_get_serial_sequence('events.inbox', 'seq')) as seq, p.* from (
    select * from unnest({_ARRAYS}) with ordinality as p({", ".join(_COLUMNS)}, place) order by place) p)
insert into events.inbox (seq, {", ".join(_COLUMNS)}, source, received_at, changed_at)
overriding system value
select c.seq, {_SELECT}, %(source)s, %(now)s, %(now)s from c
order by c.id, c.place
on conflict (id) do nothing
returning id, seq
"""
# A refused event makes room for its corrected version; one that has been work does not. Nothing is thrown away.
CORRECT = f"""
with refused as (
  insert into events.conflicts (event_id, digest, received_at, source, name, data, raw)
  select id, sha256(convert_to(name || chr(10), 'UTF8') || coalesce(raw, convert_to(data::text, 'UTF8'))),
         received_at, source, name, data, raw
  from events.inbox where id = %(the_id)s and state = 'dead' and admitted = false
  on conflict (event_id, digest) do update set times = conflicts.times + 1)
update events.inbox i set ({", ".join(_COLUMNS)}) =
  (select {_SELECT} from unnest({_ARRAYS}) as c({", ".join(_COLUMNS)})), changed_at = %(now)s
where i.id = %(the_id)s and i.state = 'dead' and i.admitted = false
returning i.seq
"""
# Compared by the database: it alone knows which spellings of a number are equal.
PRESENT = """
select n.same and i.state = 'dead' and not i.admitted as refused,
       n.same and case when i.data is null or c.data is null
         then i.raw is not distinct from c.raw
         else i.data - %(ignored)s::text[] = c.data::jsonb - %(ignored)s::text[] end as same
from unnest(%(id)s::text[], %(name)s::text[], %(received_name)s::text[], %(data)s::text[], %(raw)s::bytea[])
       with ordinality as c(id, name, received_name, data, raw, place)
join events.inbox i on i.id = c.id
cross join lateral (select i.name = c.name or i.received_name = c.received_name as same) n
order by c.place
"""
CONFLICT = """
insert into events.conflicts (event_id, digest, received_at, source, name, data, raw)
values (%s, %s, %s, %s, %s, %s::jsonb, %s)
on conflict (event_id, digest) do update set times = conflicts.times + 1
"""
REFUSE = """
insert into events.refused (digest, received_at, last_at, source, status, reason, body)
values (%(digest)s, %(now)s, %(now)s, %(source)s, %(status)s, %(reason)s, %(body)s)
on conflict (digest) do update set times = refused.times + 1, last_at = excluded.last_at
"""
UNSEEN = """
select seq, name, data::text from events.inbox where admitted is null
order by seq limit %s for update skip locked
"""
ADMIT = """
update events.inbox i set
  name = c.name, admitted = c.admitted, state = c.state, reason = c.reason, organization_id = c.organization_id,
  priority = c.priority, idempotency_key = c.idempotency_key, debounce_key = c.debounce_key,
  cancel_key = c.cancel_key, due_at = i.due_at + c.delay, changed_at = %(now)s
from unnest(%(seq)s::bigint[], %(name)s::text[], %(admitted)s::boolean[], %(state)s::text[], %(reason)s::text[],
            %(organization_id)s::text[], %(priority)s::smallint[], %(idempotency_key)s::text[],
            %(debounce_key)s::text[], %(cancel_key)s::text[], %(delay)s::interval[])
  as c(seq, name, admitted, state, reason, organization_id, priority, idempotency_key, debounce_key, cancel_key,
       delay)
where i.seq = c.seq
"""
#: What our own routes add to a payload; two requests that differ only there are the same.
GENERATED = ("runId", "timestamp")
# Whoever still gets into a circle, for the rows of other events, is ended by the database and begins again.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one candidate: ``new`` if this call stored it, ``conflict`` if the id had another body."""

    id: str
    new: bool
    conflict: bool
    problem: str | None


def accept(conn: Connection, candidates: Sequence[Candidate], *, source: str, now: dt.datetime) -> list[Accepted]:
    """Store the candidates in one transaction; one answer for each, in order.

    An id that is there already does nothing, whatever became of it; another body under it is kept in
    ``events.conflicts``. A refused event whose correction comes under its id becomes work.

    Raises:
        psycopg.Error: nothing is stored.
    """
    for _ in range(_TRIES - 1):
        with suppress(psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
            return _accept(conn, candidates, source=source, now=now)
    return _accept(conn, candidates, source=source, now=now)


def _accept(conn: Connection, candidates: Sequence[Candidate], *, source: str, now: dt.datetime) -> list[Accepted]:
    with conn.transaction():
        parameters = {**_arrays(candidates), "source": source, "now": now}
        stored = dict(conn.execute(INSERT, parameters).fetchall())
        answers: list[Accepted] = []
        mine = dict(stored)
        for candidate in candidates:
            # The first one of an id within a request is the one that was stored.
            new = mine.pop(candidate.id, None) is not None
            answers.append(Accepted(candidate.id, new, False, candidate.problem))
        fresh = [(stored[c.id], c) for c, a in zip(candidates, answers, strict=True) if a.new]
        repeats = [at for at, answer in enumerate(answers) if not answer.new]
        if repeats:
            fresh += _compare(conn, candidates, answers, repeats, source=source, now=now)
        rules.apply(conn, [(seq, c.row) for seq, c in fresh if c.row and c.problem is None], now)
    return answers


def refuse(conn: Connection, body: bytes, *, source: str, status: int, reason: str, now: dt.datetime) -> None:
    """Keep a request that held nothing usable, once however often it is sent."""
    digest = hashlib.sha256(body).digest()
    conn.execute(
        REFUSE,
        {"digest": digest, "now": now, "source": source, "status": status, "reason": reason, "body": body},
    )


def admit(conn: Connection, *, now: dt.datetime, limit: int = 500) -> int:
    """Judge what came through SQL and has not been looked at; gives how many there were."""
    with conn.transaction():
        rows = conn.execute(UNSEEN, [limit]).fetchall()
        columns: dict[str, list[Any]] = {name: [] for name in _ADMITTED}
        events = []
        for seq, name, data in rows:
            row, facts, problem = judge_stored(name, data)
            state = "dead" if problem else "received" if row else "unmatched"
            values = {
                "seq": seq, "name": row.name if row else name, "admitted": problem is None, "state": state,
                "reason": problem, "delay": row.delay if row else dt.timedelta(0), **facts,
            }  # fmt: skip
            for column, into in columns.items():
                into.append(values[column])
            if row and problem is None:
                events.append((seq, row))
        if rows:
            conn.execute(ADMIT, {**columns, "now": now})
            rules.apply(conn, events, now)
    return len(rows)


_ADMITTED = (
    "seq", "name", "admitted", "state", "reason", "organization_id", "priority", "idempotency_key", "debounce_key",
    "cancel_key", "delay",
)  # fmt: skip


def _arrays(candidates: Sequence[Candidate]) -> dict[str, list[Any]]:
    return {
        "id": [c.id for c in candidates],
        "name": [c.name for c in candidates],
        "received_name": [c.received_name for c in candidates],
        "data": [c.data for c in candidates],
        "raw": [c.raw for c in candidates],
        "ts": [c.ts for c in candidates],
        "user_data": [c.user for c in candidates],
        "version": [c.version for c in candidates],
        "meta": [c.meta for c in candidates],
        "organization_id": [c.organization_id for c in candidates],
        "priority": [c.priority for c in candidates],
        "admitted": [c.problem is None for c in candidates],
        "idempotency_key": [c.idempotency_key for c in candidates],
        "debounce_key": [c.debounce_key for c in candidates],
        "cancel_key": [c.cancel_key for c in candidates],
        "state": [c.state for c in candidates],
        "due_at": [c.due_at for c in candidates],
        "reason": [c.problem for c in candidates],
    }


def _compare(
    conn: Connection,
    candidates: Sequence[Candidate],
    answers: list[Accepted],
    repeats: Sequence[int],
    *,
    source: str,
    now: dt.datetime,
) -> list[tuple[int, Candidate]]:
    """Fill in the answers of ids that were there before; gives the corrections that were taken."""
    ignored = GENERATED if source == "batch" else ()
    repeats = sorted(repeats, key=lambda at: candidates[at].id)
    present = _present(conn, [candidates[at] for at in repeats], ignored)
    corrected: dict[str, tuple[int, Candidate]] = {}
    for at, (refused, same) in zip(repeats, present, strict=True):
        candidate = candidates[at]
        if candidate.id in corrected:
            ((refused, same),) = _present(conn, [candidate], ignored)
        if refused and candidate.problem is None:
            parameters = {**_arrays([candidate]), "now": now, "the_id": candidate.id}
            if taken := conn.execute(CORRECT, parameters).fetchone():
                corrected[candidate.id] = (int(taken[0]), candidate)
                answers[at] = Accepted(candidate.id, True, False, None)
                continue
        if same:
            continue
        body = candidate.raw or (candidate.data or "").encode()
        digest = hashlib.sha256(candidate.name.encode() + b"\n" + body).digest()
        values = [candidate.id, digest, now, source, candidate.name, candidate.data, candidate.raw]
        conn.execute(CONFLICT, values)
        answers[at] = Accepted(candidate.id, False, True, candidate.problem)
    return list(corrected.values())


def _present(conn: Connection, candidates: Sequence[Candidate], ignored: Sequence[str]) -> list[tuple[bool, bool]]:
    """For each: whether a refused event has its id, and whether the event of its id is the same."""
    return conn.execute(PRESENT, {**_arrays(candidates), "ignored": list(ignored)}).fetchall()
