"""What an operator asks about the inbox: lists, counts, payloads, and what needs somebody's attention.

Read only. Dagster's asset and checks show the same numbers. Not here: one event with its history (``look.py``),
what never became one (``unaccepted.py``), replaying and cancelling (``replay.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from fisio_ayida.events.registry import EVENTS, find, names_with_work

Connection = psycopg.Connection[Any]

STATES = ("received", "claimed", "retry", "done", "dead", "skipped", "unmatched")
#: What was refused or contradicted is worth a look for so long.
RECENT = dt.timedelta(hours=24)
#: Nobody is told of the items that an accepted batch had to leave out but by a look.
PARTLY = dt.timedelta(days=7)
#: A due event that has waited so long is stuck behind something; a long load may hold the queue for a while.
LATE = dt.timedelta(minutes=15)

# The run of an event in a run's hands is its claim's; afterwards it is its own.
LIST = """
select i.seq, i.id, i.name, i.received_name, i.source, i.organization_id, i.priority, i.state, i.attempt, i.losses,
       i.received_at, i.due_at, i.changed_at, coalesce(c.run_id, i.run_id) as run_id, i.reason
from events.inbox i left join events.claims c on c.id = i.claim_id
where {where} order by i.seq desc limit %(limit)s
"""
COUNTS = """
select i.name, i.state, count(*) as events,
       min(i.due_at) filter (where i.state in ('received', 'retry')) as oldest_due
from events.inbox i where {where} group by i.name, i.state order by i.name, i.state
"""
PAYLOAD = """
select data::text as data, raw, user_data::text as user_data, meta::text as meta, ts, version
from events.inbox where id = %s
"""
# Each reads only an index of its own: waiting, dead and unmatched events are few among all.
TROUBLES = """
select t.name, t.events, last.id as last_id, last.reason
from (select name, count(*) as events from events.inbox where state = %(state)s group by name) t
cross join lateral (
  select i.id, i.reason from events.inbox i where i.state = %(state)s and i.name = t.name
  order by i.seq desc limit 1) last
order by t.events desc, t.name
"""
OLDEST = """
select id, name, due_at from (
  (select id, name, due_at from events.inbox
   where state in ('received', 'retry') and admitted and name = any(%(working)s) and due_at <= %(now)s
   order by due_at limit 1)
  union all
  (select id, name, due_at from events.inbox where admitted is null and due_at <= %(now)s order by seq limit 1)) o
order by due_at limit 1
"""
UNHANDLED = """
select name, count(*) as events from events.inbox
where state in ('received', 'retry') and admitted and name <> all(%(working)s)
group by name order by name
"""
RECENTLY = """
select (select count(*) from events.refused where last_at >= %(since)s) as refused,
       (select count(*) from events.conflicts where received_at >= %(since)s) as conflicts
"""


# Its handler lists in the result what it could not do.
IN_PART = """
select name, count(*) as events, (array_agg(id order by seq desc))[1] as last_id,
       (array_agg(result -> 'refused' ->> 0 order by seq desc))[1] as reason
from events.inbox where result ? 'refused' and state = 'done' and changed_at >= %(since)s
group by name order by name
"""


class BadQuestion(ValueError):
    """Nothing can answer this; the message names the option and the value."""


@dataclass(frozen=True, slots=True)
class Which:
    """The events that an operator means. Every part narrows; an empty one does not.

    ``ids`` None means any id; ``names`` are as stored or as received; ``since`` is included, ``until`` is not.
    """

    ids: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    organization: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def where(self) -> str:
        """The condition on ``events.inbox i``; its parameters are :meth:`values`."""
        parts = {
            "i.id = any(%(ids)s)": self.ids is not None,
            "i.name = any(%(names)s)": bool(self.names),
            "i.state = any(%(states)s)": bool(self.states),
            "i.organization_id = %(organization)s": self.organization is not None,
            "i.received_at >= %(since)s": self.since is not None,
            "i.received_at < %(until)s": self.until is not None,
        }
        return " and ".join(sql for sql, wanted in parts.items() if wanted) or "true"

    def values(self) -> dict[str, Any]:
        """The parameters of :meth:`where`."""
        return {
            "ids": None if self.ids is None else list(self.ids),
            "names": list(self.names),
            "states": list(self.states),
            "organization": self.organization,
            "since": self.since,
            "until": self.until,
        }


EVERYTHING = Which()


@dataclass(frozen=True, slots=True)
class Listed:
    """One event in a list; nothing of its payload."""

    seq: int
    id: str
    name: str
    received_name: str
    source: str
    organization_id: str
    priority: int
    state: str
    attempt: int
    losses: int
    received_at: dt.datetime
    due_at: dt.datetime
    changed_at: dt.datetime
    run_id: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """Events of one name in one state. ``oldest_due`` only for those that wait."""

    name: str
    state: str
    events: int
    oldest_due: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Payload:
    """What came, as JSON text; ``raw`` is the whole event where the database cannot hold its payload."""

    data: str | None
    raw: bytes | None
    user_data: str | None
    meta: str | None
    ts: dt.datetime | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Events of one name that need a person, with the newest one and its reason."""

    name: str
    events: int
    last_id: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is due and that no run has taken."""

    id: str
    name: str
    due_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Unhandled:
    """Events of one name that wait until a release brings their handler."""

    name: str
    events: int


@dataclass(frozen=True, slots=True)
class Attention:
    """What somebody should know about the inbox.

    ``refused`` and ``conflicts`` are those of the last 24 hours, ``in_part`` what was done without some of
    its items in the last 7 days.
    """

    dead: tuple[Trouble, ...]
    in_part: tuple[Trouble, ...]
    unmatched: tuple[Trouble, ...]
    oldest: Waiting | None
    unhandled: tuple[Unhandled, ...]
    refused: int
    conflicts: int


def names_of(conn: Connection, name: str) -> tuple[str, ...]:
    """The names under which events of this name or alias may be stored.

    Raises:
        BadQuestion: the registry does not know it, and no event has it.
    """
    if row := find(name):
        return (row.name, *row.aliases)
    if "\0" not in name and conn.execute("select 1 from events.inbox where name = %s limit 1", [name]).fetchone():
        return (name,)
    raise BadQuestion(f"name={name!r} is not an event, and none of the inbox has it; known: {', '.join(EVENTS)}")


def events(conn: Connection, which: Which, *, limit: int) -> list[Listed]:
    """These events, newest first."""
    query = LIST.format(where=which.where())
    with conn.cursor(row_factory=class_row(Listed)) as cur:
        return cur.execute(query, {**which.values(), "limit": limit}).fetchall()


def counts(conn: Connection, which: Which = EVERYTHING) -> list[Count]:
    """How many of these events there are, by name and state. Without ``since`` it reads the whole inbox."""
    with conn.cursor(row_factory=class_row(Count)) as cur:
        return cur.execute(COUNTS.format(where=which.where()), which.values()).fetchall()


def payload(conn: Connection, id_: str) -> Payload | None:
    """What came under this id; it may be about patients."""
    with conn.cursor(row_factory=class_row(Payload)) as cur:
        return cur.execute(PAYLOAD, [id_]).fetchone()


def attention(conn: Connection, now: dt.datetime) -> Attention:
    """What needs a person: failures, unknown names, what waits for too long, what was not accepted."""
    with conn.cursor(row_factory=class_row(Unhandled)) as cur:
        unhandled = cur.execute(UNHANDLED, {"working": names_with_work()}).fetchall()
    with conn.cursor(row_factory=class_row(Trouble)) as cur:
        in_part = cur.execute(IN_PART, {"since": now - PARTLY}).fetchall()
    row = conn.execute(RECENTLY, {"since": now - RECENT}).fetchone() or (0, 0)
    return Attention(
        dead=_troubles(conn, "dead"), in_part=tuple(in_part), unmatched=_troubles(conn, "unmatched"),
        oldest=oldest_due(conn, now), unhandled=tuple(unhandled), refused=row[0], conflicts=row[1],
    )  # fmt: skip


def oldest_due(conn: Connection, now: dt.datetime) -> Waiting | None:
    """The event that has been due for longest; one whose handler does not exist yet does not count as waiting."""
    with conn.cursor(row_factory=class_row(Waiting)) as cur:
        return cur.execute(OLDEST, {"working": names_with_work(), "now": now}).fetchone()


def _troubles(conn: Connection, state: str) -> tuple[Trouble, ...]:
    with conn.cursor(row_factory=class_row(Trouble)) as cur:
        return tuple(cur.execute(TROUBLES, {"state": state}).fetchall())


def known_states(states: Sequence[str], allowed: Sequence[str] = STATES) -> tuple[str, ...]:
    """The states as given; raises :class:`BadQuestion` for one that is not allowed."""
    for state in states:
        if state not in allowed:
            raise BadQuestion(f"state={state!r} is not allowed; allowed: {', '.join(allowed)}")
    return tuple(states)
