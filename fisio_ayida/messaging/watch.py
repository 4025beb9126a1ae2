"""What of the messages needs a person: silence, failures, standstill, and what nobody knows.

Read only; each question is bounded by an index and by time. Not here: the rates (``rates.py``), and how a finding
is shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from fisio_ayida.messaging.model import Channel

Connection = psycopg.Connection[Any]

#: Providers that report what became of what they accepted.
REPORTING: Final = ("resend", "evolution", "meta", "expo")
#: So long a look goes back.
RECENT: Final = dt.timedelta(days=7)
#: What was accepted and not reported on for so long is silent.
SILENT: Final = dt.timedelta(hours=6)
#: Failures are those of so long.
FAILING: Final = dt.timedelta(hours=24)
#: What is due and not behind a closed way is sent within this time.
LATE: Final = dt.timedelta(minutes=15)
#: A run takes back in seconds what another one has lost, and never lets its own leases end.
DEAD: Final = dt.timedelta(minutes=1)

# Whoever is accepted now has no report yet that moved it; one that did not is a sign of life, too.
_SILENT = """
select provider, count(*) as messages, count(*) filter (where silent) as found,
       min(accepted_at) filter (where silent) as since
from (select m.provider, m.accepted_at,
             m.state = 'accepted' and not exists (
               select from messaging.deliveries d where d.message_id = m.id) as silent
      from messaging.messages m
      where m.changed_at >= %(since)s and m.provider = any(%(providers)s)
        and m.accepted_at >= %(since)s and m.accepted_at < %(until)s) m
group by provider order by provider
"""
_FAILING = """
select provider, count(*) as messages, count(*) filter (where state = 'failed') as found,
       min(changed_at) filter (where state = 'failed') as since
from (select coalesce(provider, channel) as provider, state, changed_at from messaging.messages
      where changed_at >= %(since)s and (state = 'failed' or accepted_at >= %(since)s)) m
group by provider order by provider
"""
# What waits behind a closed way is due when the way opens.
_BACKLOG = """
select m.channel, count(*) as messages, min(greatest(m.due_at, a.open_until, o.open_until)) as since
from messaging.messages m
left join messaging.circuits a on a.provider = %(providers)s::jsonb ->> m.channel and a.account = m.account
  and a.organization_id = ''
left join messaging.circuits o on o.provider = %(providers)s::jsonb ->> m.channel and o.account = m.account
  and o.organization_id = m.organization_id and m.organization_id <> ''
where m.state in ('planned', 'retry', 'deferred') and m.due_at < %(late)s
  and greatest(m.due_at, a.open_until, o.open_until) < %(late)s
group by m.channel order by m.channel
"""
_UNKNOWN = """
select provider, count(*) as messages, max(id) as last_id, min(changed_at) as since from messaging.messages
where state = 'unknown' and changed_at >= %(since)s and due_at = 'infinity'
group by provider order by provider
"""
_CLOSED = """
select provider, account, organization_id, opened_at, open_until, reason from messaging.circuits
where opened_at is not null order by opened_at
"""
_UNMATCHED = """
select provider || ' reports ' || kind as what, count(*) as messages, max(received_at) as last
from messaging.deliveries where outcome = 'unmatched' and received_at >= %(since)s group by 1
union all
select provider || ' replies', count(*), max(received_at)
from messaging.replies where handled_at is null and received_at >= %(since)s and received_at < %(late)s group by 1
order by 1
"""
_LOST = """
select distinct run_id from messaging.messages where state = 'claimed' and lease_until < %s and run_id is not null
"""
_UNUSABLE = """
select coalesce(template, job) as what, count(*) as messages, max(id) as last_id from messaging.messages
where changed_at >= %(since)s and state = 'skipped' and reason like 'unusable:%%' group by 1 order by 1
"""
_PRETENDED = """
select channel as what, count(*) as messages, max(id) as last_id from messaging.messages
where changed_at >= %(since)s and state = 'accepted' and provider = 'file' group by 1 order by 1
"""


@dataclass(frozen=True, slots=True)
class Share:
    """Of a provider's ``messages`` so many were ``found``, the first of them at ``since``."""

    provider: str
    messages: int
    found: int
    since: dt.datetime | None

    @property
    def share(self) -> float:
        return self.found / self.messages


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages of a channel that should have been sent by now; the first one could have gone at ``since``."""

    channel: str
    messages: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """Messages of a provider of which nobody will find out any more whether they were sent."""

    provider: str | None
    messages: int
    last_id: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """A way out that is closed, for one organisation or (empty) for all."""

    provider: str
    account: str
    organization_id: str
    opened_at: dt.datetime
    open_until: dt.datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Unmatched:
    """What came in and led to nothing."""

    what: str
    messages: int
    last: dt.datetime


@dataclass(frozen=True, slots=True)
class Some:
    """Messages of one kind, with the newest one."""

    what: str
    messages: int
    last_id: int


def silent(conn: Connection, now: dt.datetime) -> list[Share]:
    """By provider: what it accepted in :data:`RECENT`, and of which it never reported anything."""
    values = {"providers": list(REPORTING), "since": now - RECENT, "until": now - SILENT}
    return _rows(conn, Share, _SILENT, values)


def failing(conn: Connection, now: dt.datetime) -> list[Share]:
    """By provider: what was accepted or failed in :data:`FAILING`, and what of it failed."""
    return _rows(conn, Share, _FAILING, {"since": now - FAILING})


def backlog(conn: Connection, providers: Mapping[Channel, str], now: dt.datetime) -> list[Backlog]:
    """By channel: what could have been sent for longer than :data:`LATE`."""
    return _rows(conn, Backlog, _BACKLOG, {"providers": Jsonb(dict(providers)), "late": now - LATE})


def unknown(conn: Connection, now: dt.datetime) -> list[Unknown]:
    """By provider: unknown outcomes of :data:`RECENT` about which nobody asks any more."""
    return _rows(conn, Unknown, _UNKNOWN, {"since": now - RECENT})


def closed(conn: Connection) -> list[Closed]:
    """The ways out that are closed now, the oldest first."""
    return _rows(conn, Closed, _CLOSED, {})


def unmatched(conn: Connection, now: dt.datetime) -> list[Unmatched]:
    """Reports of :data:`RECENT` that belong to no message, and replies on which nobody acted."""
    return _rows(conn, Unmatched, _UNMATCHED, {"since": now - RECENT, "late": now - LATE})


def unusable(conn: Connection, now: dt.datetime) -> list[Some]:
    """Messages of :data:`RECENT` whose body could not be opened or made."""
    return _rows(conn, Some, _UNUSABLE, {"since": now - RECENT})


def pretended(conn: Connection, providers: Mapping[Channel, str], now: dt.datetime) -> list[Some]:
    """Messages of the last day that became files although some channel is real: nobody received them."""
    if set(providers.values()) == {"file"}:
        return []
    return _rows(conn, Some, _PRETENDED, {"since": now - FAILING})


def lost_runs(conn: Connection, now: dt.datetime) -> set[str]:
    """Runs whose claims ended a while ago, without anybody taking them back: their processes are gone."""
    return {run_id for (run_id,) in conn.execute(_LOST, [now - DEAD])}


def _rows(conn: Connection, kind: type[Any], query: str, values: Mapping[str, Any]) -> list[Any]:
    with conn.cursor(row_factory=class_row(kind)) as cur:
        return cur.execute(query, values).fetchall()
