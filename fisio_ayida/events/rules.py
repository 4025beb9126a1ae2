"""The rules that look at other events: idempotency, debounce, cancelling.

Applied in the transaction that stores the events, so that nobody claims one before its rules are known. Not here:
delay and priority, which an event has by itself (``admission.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from fisio_ayida.events.registry import Event, cancelled_by

# Two events with the same key that arrive at once must see one another. A few locks for all keys: one for each
# would fill the server's table.
_BUCKETS = 64
LOCK = """
select pg_advisory_xact_lock(hashtext('events.rules'), bucket) from (
  select distinct (hashtext(name || ' ' || key) & 2147483647) %% %(buckets)s as bucket
  from events.inbox, unnest(array[idempotency_key, debounce_key]) as key
  where seq = any(%(seqs)s) and key is not null
  order by bucket) b
"""
# What comes through SQL is looked at late, and two requests at once store in any order: "the first" is the one
# that got here first, not the one with the lowest number.
IDEMPOTENT = """
with repeated as (
  select n.seq, first.id
  from unnest(%(seqs)s::bigint[], %(since)s::timestamptz[]) as k(seq, since)
  join events.inbox n on n.seq = k.seq
  cross join lateral (
    select o.id from events.inbox o
    where o.name = n.name and o.idempotency_key = n.idempotency_key
      and (o.seq < n.seq or o.seq <> all(%(seqs)s))
      and o.received_at >= k.since and o.state <> 'skipped' and o.admitted
    order by o.seq limit 1) first
  where n.idempotency_key is not null)
update events.inbox i set state = 'skipped', changed_at = %(now)s, reason = 'the same as event ' || repeated.id
from repeated where i.seq = repeated.seq
"""
# Of each key the newest stays, with the age of the oldest; the others give way to it.
DEBOUNCE = """
with keys as (
  select distinct n.name, n.debounce_key, k.quiet, k.longest
  from unnest(%(seqs)s::bigint[], %(quiet)s::interval[], %(longest)s::interval[]) as k(seq, quiet, longest)
  join events.inbox n on n.seq = k.seq
  where n.debounce_key is not null and n.state = 'received'),
waiting as (
  select i.seq, k.quiet, k.longest, i.seq = max(i.seq) over same as stays,
    min(coalesce(i.debounce_since, i.received_at)) over same as since,
    first_value(i.id) over (same order by i.seq desc) as newest
  from keys k
  join events.inbox i on i.name = k.name and i.debounce_key = k.debounce_key
  where i.state = 'received' and i.admitted
  window same as (partition by i.name, i.debounce_key))
update events.inbox i set
  state = case when w.stays then i.state else 'skipped' end,
  reason = case when w.stays then i.reason else 'replaced by event ' || w.newest end,
  changed_at = case when w.stays then i.changed_at else %(now)s end,
  debounce_since = case when w.stays then w.since else i.debounce_since end,
  due_at = case when w.stays then least(greatest(i.due_at, i.received_at + w.quiet), w.since + w.longest)
           else i.due_at end
from waiting w where i.seq = w.seq and i.state = 'received'
"""
# What is in a run's hands already is asked to stop: it is not tried again.
CANCEL = """
with cancelling as (
  select e.seq, 'event ' || e.id || ' (' || e.name || ')' as words, c.name, e.data #>> c.path as key
  from unnest(%(seqs)s::bigint[], %(names)s::text[], %(paths)s::text[]) as k(seq, name, path)
  cross join lateral (select k.name, string_to_array(k.path, '.') as path) c
  join events.inbox e on e.seq = k.seq)
update events.inbox i set
  cancelled_by = cancelling.words,
  state = case when i.state = 'claimed' then i.state else 'skipped' end,
  reason = case when i.state = 'claimed' then i.reason
           else 'cancelled by ' || cancelling.words end,
  changed_at = case when i.state = 'claimed' then i.changed_at else %(now)s end
from cancelling
where i.name = cancelling.name and i.cancel_key = cancelling.key and i.seq < cancelling.seq
  and i.state in ('received', 'retry', 'claimed')
"""
# The other way round: what came through SQL, and was cancelled before anybody looked at it.
CANCELLED = """
with cancelling as materialized (
  select seq, id, name, data from events.inbox
  where seq > (select min(seq) from unnest(%(seqs)s::bigint[]) as k(seq)) and name = any(%(names)s) and admitted)
update events.inbox i set
  state = 'skipped', changed_at = %(now)s, reason = 'cancelled by event ' || c.id || ' (' || c.name || ')'
from unnest(%(seqs)s::bigint[], %(names)s::text[], %(paths)s::text[]) as k(seq, name, path)
join cancelling c on c.seq > k.seq and c.name = k.name
where i.seq = k.seq and i.cancel_key = c.data #>> string_to_array(k.path, '.') and i.state = 'received'
"""


def apply(conn: psycopg.Connection[Any], fresh: Sequence[tuple[int, Event]], now: dt.datetime) -> None:
    """Apply the rules of the events just stored, given as (seq, row). To be called in their transaction."""
    idempotent = [(seq, row.idempotency) for seq, row in fresh if row.idempotency]
    debounced = [(seq, row.debounce) for seq, row in fresh if row.debounce]
    cancels = [(seq, row.name, rule.theirs) for seq, event in fresh for row, rule in cancelled_by(event.name)]
    cancellable = [(seq, rule.event, rule.theirs) for seq, event in fresh for rule in event.cancel_on]
    if keyed := [seq for seq, _ in (*idempotent, *debounced)]:
        conn.execute(LOCK, {"seqs": keyed, "buckets": _BUCKETS})
    if idempotent:
        since = [now - rule.period for _, rule in idempotent]
        conn.execute(IDEMPOTENT, {"seqs": [seq for seq, _ in idempotent], "since": since, "now": now})
    if debounced:
        values = {
            "seqs": [seq for seq, _ in debounced],
            "quiet": [rule.quiet for _, rule in debounced],
            "longest": [rule.longest for _, rule in debounced],
            "now": now,
        }
        conn.execute(DEBOUNCE, values)
    for statement, found in ((CANCEL, cancels), (CANCELLED, cancellable)):
        if found:
            seqs, names, paths = (list(column) for column in zip(*found, strict=True))
            conn.execute(statement, {"seqs": seqs, "names": names, "paths": paths, "now": now})
