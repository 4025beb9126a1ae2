"""Messages whose outcome nobody knows: those of runs that died, and those to ask the provider about.

Here: taking them, asking, and giving up asking; never sending again. Not here: receipts, which may settle one too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging import receipts
from fisio_ayida.messaging.model import Channel, Sender
from fisio_ayida.messaging.outcomes import FIRST_LOOK

#: Looks at the provider's records, after pauses that double: for an hour and a half.
LOOKS = 6

_LOST = """
select id, provider, channel, first_called_at from messaging.messages
where state = 'claimed' and lease_until <= %(now)s order by id limit 1000 for update skip locked
"""
_GIVE_BACK = """
update messaging.messages set
  state = %(state)s, lease_until = null, error_class = 'ambiguous', error_code = 'run_lost',
  reason = 'its run died while it was being sent', due_at = %(due_at)s, changed_at = %(now)s
where id = any(%(ids)s)
"""
_TAKE = """
update messaging.messages m set looks = m.looks + 1,
  due_at = case when m.looks + 1 >= %(looks)s then 'infinity'
                else %(now)s + %(first)s * power(2, m.looks + 1)::float8 end
from (select id from messaging.messages
      where state = 'unknown' and channel = %(channel)s and provider = %(provider)s and due_at <= %(now)s
      order by id limit %(most)s for update skip locked) due
where m.id = due.id returning m.id
"""
# Who cannot be asked: a provider without records, or one that serves the channel no longer.
_LET_BE = """
update messaging.messages set due_at = 'infinity'
where state = 'unknown' and due_at <= %(now)s
  and (channel, coalesce(provider, '')) not in (select * from unnest(%(channels)s::text[], %(providers)s::text[]))
"""
_FOUND = """
update messaging.messages set
  state = 'accepted', accepted_at = coalesce(accepted_at, %(now)s), changed_at = %(now)s,
  provider_id = %(provider_id)s, reason = 'found in the provider''s records', error_class = null, error_code = null
where id = %(id)s and state = 'unknown'
"""
# The same text to the same number twice: one found id settles one message only, whoever asks at the same time.
_ALONE = "select pg_advisory_xact_lock(hashtextextended('messaging.unknowns:' || %s || ':' || %s, 0))"
_TAKEN = "select 1 from messaging.messages where provider = %s and provider_id = %s and id <> %s"


@dataclass(frozen=True, slots=True)
class Lost:
    """A message that was in the hands of a run whose lease ran out."""

    id: int
    provider: str | None
    channel: Channel
    first_called_at: dt.datetime | None


def give_back(
    conn: psycopg.Connection[Any], senders: Mapping[Channel, Sender], *, now: dt.datetime
) -> tuple[int, int]:
    """What dead runs had in hand: repeated where the provider knows a repeat, else unknown. Gives both counts."""
    with conn.transaction():
        with conn.cursor(row_factory=class_row(Lost)) as cur:
            lost = cur.execute(_LOST, {"now": now}).fetchall()
        again = [row.id for row in lost if _repeats(row, senders, now)]
        unknown = [row.id for row in lost if row.id not in set(again)]
        if again:
            conn.execute(_GIVE_BACK, {"ids": again, "state": "retry", "due_at": now, "now": now})
        if unknown:
            later = now + FIRST_LOOK
            conn.execute(_GIVE_BACK, {"ids": unknown, "state": "unknown", "due_at": later, "now": now})
    return len(again), len(unknown)


def take(conn: psycopg.Connection[Any], sender: Sender, *, now: dt.datetime, most: int) -> Sequence[int]:
    """Messages to ask this provider about now; each is taken by one process, and comes again later."""
    found = conn.execute(_TAKE, {
        "channel": sender.channel, "provider": sender.provider, "now": now, "most": most,
        "looks": LOOKS, "first": FIRST_LOOK,
    })  # fmt: skip
    # Of two that nobody can tell apart, the first one is asked about first.
    return sorted(id for (id,) in found)


def let_be(conn: psycopg.Connection[Any], senders: Mapping[Channel, Sender], *, now: dt.datetime) -> int:
    """Ask no more where there is nobody to be asked; gives the number of messages that stay unknown for it."""
    asked = [(channel, sender.provider) for channel, sender in senders.items() if sender.can_look_up]
    return conn.execute(_LET_BE, {
        "now": now, "channels": [channel for channel, _ in asked], "providers": [name for _, name in asked],
    }).rowcount  # fmt: skip


def settle(conn: psycopg.Connection[Any], id: int, provider: str, provider_id: str, *, now: dt.datetime) -> bool:
    """Say that the provider has it; False if its record belongs to another message, or a receipt was faster."""
    with conn.transaction():
        conn.execute(_ALONE, [provider, provider_id])
        if conn.execute(_TAKEN, [provider, provider_id, id]).fetchone():
            return False
        is_settled = bool(conn.execute(_FOUND, {"id": id, "provider_id": provider_id, "now": now}).rowcount)
        receipts.reopen(conn, provider, provider_id)
        return is_settled


def _repeats(row: Lost, senders: Mapping[Channel, Sender], now: dt.datetime) -> bool:
    sender = senders.get(row.channel)
    if sender is None or sender.provider != row.provider or not sender.repeats_safely:
        return False
    return row.first_called_at is not None and now - row.first_called_at < sender.repeat_within
