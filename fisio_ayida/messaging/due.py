"""Whether there is anything to do for a dispatcher, and when there will be.

Here: one cheap question over the indices. Not here: doing it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from fisio_ayida.messaging.model import Channel
from fisio_ayida.messaging.receipts import PATIENCE

_OPEN = "select exists (select from messaging.circuits where open_until > %(now)s)"
_FIRST = """
select min(due_at) from messaging.messages
where state in ('planned', 'retry', 'deferred', 'unknown') and due_at <= %(horizon)s
"""
# What waits behind a closed circuit is not due before the circuit is. A circuit closes a way for all or for a
# clinic, so that only the first message of each clinic counts: the index has it, however many wait behind it.
_FIRST_OPEN = """
with recursive m (channel, account, priority, organization_id, due_at) as (
  (select channel, account, priority, organization_id, due_at from messaging.messages
   where state in ('planned', 'retry', 'deferred')
   order by channel, account, priority, organization_id, due_at limit 1)
  union all
  select n.* from m cross join lateral (
    select channel, account, priority, organization_id, due_at from messaging.messages
    where state in ('planned', 'retry', 'deferred')
      and (channel, account, priority, organization_id) > (m.channel, m.account, m.priority, m.organization_id)
    order by channel, account, priority, organization_id, due_at limit 1) n)
select min(greatest(m.due_at, a.open_until, o.open_until))
from m
left join messaging.circuits a on a.provider = %(providers)s::jsonb ->> m.channel and a.account = m.account
  and a.organization_id = ''
left join messaging.circuits o on o.provider = %(providers)s::jsonb ->> m.channel and o.account = m.account
  and o.organization_id = m.organization_id and m.organization_id <> ''
where m.due_at <= %(horizon)s
"""
# Tickets are asked for by who serves the channel now. A report of ours is something to do at once; one that
# belongs to nothing of ours (yet) is looked at once more, when its time is up.
_OTHER = """
select min(at) from (
  (select min(due_at) from messaging.messages where state = 'unknown' and due_at <= %(horizon)s)
  union all (select min(lease_until) from messaging.messages where state = 'claimed')
  union all (select min(due_at) from messaging.messages
             where state = 'accepted' and provider = 'expo' and due_at <= %(horizon)s
               and %(providers)s::jsonb ->> 'push' = 'expo')
  union all (select received_at from messaging.deliveries d
             where applied_at is null and (
               exists (select from messaging.messages m
                       where m.provider_id = d.provider_id and m.provider = d.provider)
               or exists (select from messaging.messages m
                          where m.key = d.message_key and m.generation = d.generation
                            and m.provider = d.provider
                            and (m.provider_id is null or d.provider_id is null)))
             limit 1)
  union all (select received_at + %(patience)s from messaging.deliveries
             where applied_at is null order by id limit 1)
  union all (select received_at from messaging.replies where handled_at is null order by id limit 1)) next (at)
"""


def next_at(
    conn: psycopg.Connection[Any], providers: Mapping[Channel, str], *, now: dt.datetime, horizon: dt.datetime
) -> dt.datetime | None:
    """The moment from which a dispatcher has something to do, if that is before ``horizon``; None if not.

    Args:
        providers: who serves each channel.
    """
    values = {"providers": Jsonb(dict(providers)), "now": now, "horizon": horizon, "patience": PATIENCE}
    row = conn.execute(_OPEN, values).fetchone()
    is_open = row is not None and row[0]
    found = [conn.execute(query, values).fetchone() for query in (_FIRST_OPEN if is_open else _FIRST, _OTHER)]
    moments = [row[0] for row in found if row is not None and row[0] is not None and row[0] <= horizon]
    return min(moments, default=None)
