"""Which due messages come next: the urgent ones first, and within an urgency the organisations in turn.

Here: picking and locking them. Not here: whether they may be sent, and what becomes of them (``claims.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging.model import PRIORITIES, Category, Channel

#: What is read of a message: the fields of :class:`Row`.
COLUMNS = """
id, key, organization_id, patient_id, category, channel, account, heeds_quiet, template, cause_kind, cause_id,
cause_version, content, content_hash, address_hash, not_after, attempt, first_called_at,
provider, error_class, fallback_of, state, generation
"""
# The organisations of one side of the one that was served last, in order, until there are enough.
_AROUND = """
  (select organization_id, (organization_id <> all(%(closed)s))::int from messaging.messages
   where channel = %(channel)s and account = %(account)s and priority = %(priority)s
     and organization_id {side} %(after)s and state in ('planned', 'retry', 'deferred') and due_at <= %(now)s
     and {only}
   order by organization_id limit 1)
  union all
  select next.organization_id, o.n + (next.organization_id <> all(%(closed)s))::int
  from {name} o cross join lateral (
    select m.organization_id from messaging.messages m
    where m.channel = %(channel)s and m.account = %(account)s and m.priority = %(priority)s
      and m.organization_id > o.organization_id and m.organization_id {side} %(after)s
      and m.state in ('planned', 'retry', 'deferred') and m.due_at <= %(now)s and {only}
    order by m.organization_id limit 1) next
  where o.n < %(most)s
"""
# Organisations one after the other, those behind the last one first: as many rows of each. Those for which the way
# is closed are passed over and take nobody's place; one on trial comes first, or its trial would go unused.
_PICK = f"""
with recursive
behind (organization_id, n) as ({_AROUND.format(side=">", name="behind", only="{only}")}),
front (organization_id, n) as ({_AROUND.format(side="<=", name="front", only="{only}")}),
open as (
  select organization_id, row_number() over (order by side, organization_id) as place
  from (select 0 as side, organization_id from unnest(%(trials)s::text[]) trials (organization_id)
        union all select 1, organization_id from behind where organization_id <> all(%(trials)s)
        union all select 2, organization_id from front where organization_id <> all(%(trials)s)) o
  where organization_id <> all(%(closed)s)
  order by place limit %(most)s + cardinality(%(trials)s::text[])),
taken as (
  select m.*, open.place, row_number() over (partition by m.organization_id order by m.due_at, m.id) as turn
  from open cross join lateral (
    select * from messaging.messages m
    where m.channel = %(channel)s and m.account = %(account)s and m.priority = %(priority)s
      and m.organization_id = open.organization_id and m.state in ('planned', 'retry', 'deferred')
      and m.due_at <= %(now)s and {{only}}
    order by m.due_at, m.id
    limit case when open.organization_id = any(%(trials)s) then 1
               else ceil(%(most)s / (select count(*) from open)::numeric)::int end
    for update skip locked) m)
select {COLUMNS}
from taken order by turn, place limit %(most)s
"""
# Which may share a call is the table's own column, and in its index.
_ONLY = {"all": "true", "alone": "share = 'alone'", "together": "share = 'together'"}
_QUERIES = {share: _PICK.format(only=only) for share, only in _ONLY.items()}
#: Which of the due messages: all, those that go alone, or those that may share a call.
Share = Literal["all", "alone", "together"]


class Lane(NamedTuple):
    """One way out: messages of a channel that one account sends."""

    channel: Channel
    account: str


@dataclass(frozen=True, slots=True)
class Row:
    """What is read of a due message."""

    id: int
    key: str
    organization_id: str
    patient_id: str | None
    category: Category
    channel: Channel
    account: str
    heeds_quiet: bool
    template: str | None
    cause_kind: str | None
    cause_id: str | None
    cause_version: str | None
    content: bytes | None
    content_hash: bytes | None
    address_hash: bytes | None
    not_after: dt.datetime | None
    attempt: int
    first_called_at: dt.datetime | None
    provider: str | None
    error_class: str | None
    fallback_of: int | None
    state: str
    generation: int

    @property
    def cause(self) -> tuple[str, str] | None:
        return None if self.cause_kind is None or self.cause_id is None else (self.cause_kind, self.cause_id)

    @property
    def may_be_sent(self) -> bool:
        """Nobody knows how an earlier call ended."""
        return self.error_class == "ambiguous"


def pick(
    conn: psycopg.Connection[Any], lane: Lane, most: int, *,
    now: dt.datetime, after: str, closed: Collection[str], trials: Collection[str], share: Share = "all",
) -> list[Row]:  # fmt: skip
    """Up to ``most`` messages, locked in the connection's transaction; what others have locked is passed over.

    Args:
        after: the organisation that was served last.
        closed, trials: organisations of which none, and only one is taken.
    """
    rows: list[Row] = []
    tried: set[str] = set()
    with conn.cursor(row_factory=class_row(Row)) as cur:
        for priority in sorted(PRIORITIES.values(), reverse=True):
            if len(rows) < most:
                rows += cur.execute(_QUERIES[share], {
                    "channel": lane.channel, "account": lane.account, "priority": priority,
                    "most": most - len(rows), "after": after, "closed": [*closed, *tried],
                    "trials": [each for each in trials if each not in tried], "now": now,
                })  # fmt: skip
                tried = {row.organization_id for row in rows}.intersection(trials)
    return rows
