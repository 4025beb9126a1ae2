"""What must be true at the end of a history, whatever happened: the words of each rule that is broken.

What reached people is the providers' memory; the outbox is only judged by it. Here: comparing the two. Not here:
what is judged when a message is claimed (``judge.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from fisio_ayida_tests.messaging.provider import Reached

ENDED: Final = ("accepted", "delivered", "read", "skipped", "failed", "expired", "unknown")
ARRIVED: Final = ("accepted", "delivered", "read")
STOPPED: Final = ("skipped", "failed", "expired")


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the outbox has it; ``path``: the states that it was in, one after the other."""

    id: int
    key: str
    channel: str
    state: str
    reason: str | None
    provider_id: str | None
    attempt: int
    is_due: bool
    claimed_at: dt.datetime | None
    fallback_of: int | None
    #: Of the message in whose place it goes, if that has arrived.
    sibling_accepted_at: dt.datetime | None
    path: list[str]

    @property
    def was_stale(self) -> bool:
        """Stopped before any call, because its visit was off or at another hour."""
        return self.state == "skipped" and self.attempt == 0 and (self.reason or "").startswith("stale")


_ROWS = """
select m.id, m.key, m.channel, m.state, m.reason, m.provider_id, m.attempt, m.due_at <= %s as is_due,
       m.claimed_at, m.fallback_of, f.accepted_at as sibling_accepted_at, t.path
from messaging.messages m
left join messaging.messages f on f.id = m.fallback_of and f.state in ('accepted', 'delivered', 'read')
left join (select message_id, array_agg(state order by ctid) as path from messaging.transitions
           group by message_id) t on t.message_id = m.id
"""


def rows(conn: psycopg.Connection[Any], now: dt.datetime) -> list[Row]:
    """All messages."""
    with conn.cursor(row_factory=class_row(Row)) as cur:
        return cur.execute(_ROWS, [now]).fetchall()


def violations(found: Sequence[Row], reached: Sequence[Reached], failed_by_report: set[str]) -> list[str]:
    """Every rule that is broken, in words; pure."""
    by_key: Mapping[str, list[Reached]] = defaultdict(list)
    for one in reached:
        by_key[one.key].append(one)
    by_id = {one.provider_id: one for one in reached}
    broken = [f"{key} reached somebody {len(times)} times" for key, times in by_key.items() if len(times) > 1]
    for row in found:
        broken += [f"{row.key} {words}" for words in _one(row, by_key.get(row.key, []), by_id, failed_by_report)]
    taken = Counter(row.provider_id for row in found if row.provider_id)
    broken += [f"{id} is said to be the id of {times} messages" for id, times in taken.items() if times > 1]
    known = {row.key for row in found}
    return broken + [f"{key} reached somebody and was never planned" for key in by_key.keys() - known]


def _one(row: Row, mine: Sequence[Reached], by_id: Mapping[str, Reached], failed_by_report: set[str]) -> list[str]:
    broken = []
    if row.state not in ENDED:
        broken.append(f"is {row.state} for ever")
    if row.state in ARRIVED:
        # Of equal words to one address, a look-up cannot tell whose record it has found.
        record = by_id.get(row.provider_id or "")
        if record is None:
            broken.append(f"is {row.state} and never reached the provider")
        elif record.key != row.key and (record.channel != "whatsapp" or not _alike(record, mine)):
            broken.append(f"is {row.state} with the id of {record.key}")
    if mine and row.state in STOPPED and "unknown" not in row.path and row.key not in failed_by_report:
        broken.append(f"reached somebody and is {row.state} ({row.reason})")
    sibling_at, claimed_at = row.sibling_accepted_at, row.claimed_at
    if mine and sibling_at is not None and claimed_at is not None and sibling_at < claimed_at:
        broken.append("was sent although the message that it stands in for had arrived")
    return broken


def _alike(record: Reached, mine: Sequence[Reached]) -> bool:
    return all((one.to, one.words) == (record.to, record.words) for one in mine)
