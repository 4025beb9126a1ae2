"""What the command line shows of insights: a patient's generations and items, what clinics have used, what waits.

Here: reading our own tables, ids and numbers apart from the items' words. Not here: how it is shown
(``commands/insights_tables.py``), and making any of it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, LiteralString, TypeVar

import msgspec
from psycopg.rows import class_row

from fisio_ayida.clinic.model import Connection
from fisio_ayida.insights.model import Facts, Item, Limits

T = TypeVar("T")

_GENERATIONS: Final = """
select key, session_id, finalized_at, prompt_version, model, day, today, narrative, reason, detail, tries,
       retry_at, scrubbed, created_at, ended_at, run_id, superseded_by, superseded_at
from insights.generations where organization_id = %s and patient_id = %s
order by superseded_at desc nulls first, created_at desc, key desc limit %s
"""
_FACTS: Final = "select facts from insights.generations where key = %s"
_ITEMS: Final = """
select id, key, source, insight_type, insight_text, citations, related_metric, metric_value, comparison_value,
       created_at, expires_at, published_at, superseded_by, superseded_at
from insights.items where organization_id = %s and patient_id = %s
order by superseded_at desc nulls first, created_at desc, source, insight_type limit %s
"""
_CURRENT: Final = """
select source, insight_type, insight_text, citations, related_metric, metric_value, comparison_value
from insights.items where key = %s and superseded_at is null order by source desc, insight_type
"""
_SPENDING: Final = """
select s.organization_id, s.day, s.calls, s.tokens, s.cost, s.refused,
       coalesce(p.insights_tokens_per_day, %(tokens)s) as tokens_per_day,
       coalesce(p.insights_cost_per_day, %(cost)s) as cost_per_day, p.insights as wants,
       coalesce(c.open, 0) as open, coalesce(c.failed, 0) as failed, coalesce(c.lost, 0) as lost
from insights.spending s
left join jobs.policies p using (organization_id)
left join lateral (
  select count(*) filter (where state = 'open') as open, count(*) filter (where state = 'failed') as failed,
         count(*) filter (where state = 'lost') as lost
  from insights.calls c where c.organization_id = s.organization_id and c.day = s.day) c on true
where (%(day)s::date is null or s.day = %(day)s) and (%(only)s::text is null or s.organization_id = %(only)s)
order by s.day desc, s.tokens desc, s.organization_id limit %(most)s
"""
_QUEUED: Final = """
select q.organization_id, q.patient_id, q.cause, q.step, q.first_asked_at, q.asked_at, q.due_at, q.tries, q.losses,
       q.lease_until, q.run_id, q.dead_at, coalesce(q.error, g.reason) as reason
from insights.queue q
left join lateral (
  select reason from insights.generations g
  where q.step = 'narrative' and g.organization_id = q.organization_id and g.patient_id = q.patient_id
    and g.narrative = 'waiting' and g.superseded_at is null limit 1) g on true
"""
_QUEUE: Final = f"""
{_QUEUED} where %(only)s::text is null or q.organization_id = %(only)s
order by q.dead_at nulls last, q.due_at, q.organization_id, q.patient_id limit %(most)s
"""
_OF_QUEUE: Final = f"{_QUEUED} where q.organization_id = %s and q.patient_id = %s"


@dataclass(frozen=True, slots=True)
class Generation:
    """A row of ``insights.generations``, without its facts."""

    key: str
    session_id: str
    finalized_at: dt.datetime
    prompt_version: str
    model: str
    day: dt.date
    today: dt.date
    narrative: str
    reason: str
    detail: str
    tries: int
    retry_at: dt.datetime | None
    scrubbed: int
    created_at: dt.datetime
    ended_at: dt.datetime | None
    run_id: str
    superseded_by: str | None
    superseded_at: dt.datetime | None

    @property
    def is_current(self) -> bool:
        return self.superseded_at is None


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of ``insights.items``."""

    id: uuid.UUID
    key: str
    source: str
    insight_type: str
    insight_text: str = field(repr=False)
    citations: Sequence[str]
    related_metric: str | None
    metric_value: Decimal | None
    comparison_value: Decimal | None
    created_at: dt.datetime
    expires_at: dt.datetime
    published_at: dt.datetime | None
    superseded_by: str | None
    superseded_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a clinic has used of a civil day's budget, and its limits; ``cost_per_day`` None: no limit in money."""

    organization_id: str
    day: dt.date
    calls: int
    tokens: int
    cost: Decimal
    refused: int
    tokens_per_day: int
    cost_per_day: Decimal | None
    wants: str | None
    open: int
    failed: int
    lost: int


@dataclass(frozen=True, slots=True)
class Queued:
    """A patient whose insights are asked for.

    Args:
        step: ``record``: facts are to be made; ``narrative``: facts are stored, words are wanted.
        losses: runs that died with it in hand.
        reason: why it is tried again or was given up.
    """

    organization_id: str
    patient_id: str
    cause: str
    step: str
    first_asked_at: dt.datetime
    asked_at: dt.datetime
    due_at: dt.datetime
    tries: int
    losses: int
    lease_until: dt.datetime | None
    run_id: str | None
    dead_at: dt.datetime | None
    reason: str | None

    def state(self, now: dt.datetime) -> str:
        """One word for people."""
        if self.dead_at is not None:
            return "dead"
        if self.lease_until is not None and self.lease_until > now:
            return "in hand"
        if self.due_at > now:
            return "retry" if self.cause == "retry" else "until quiet"
        return "due"


def generations(conn: Connection, organization: str, patient: str, *, limit: int = 20) -> list[Generation]:
    """A patient's generations, the current one first, then what it superseded, newest first."""
    return _read(conn, Generation, _GENERATIONS, [organization, patient, limit])


def facts(conn: Connection, key: str) -> Facts | None:
    """The facts of a generation as they were stored."""
    row = conn.execute(_FACTS, [key]).fetchone()
    return None if row is None or row[0] is None else msgspec.convert(row[0], Facts)


def items(conn: Connection, organization: str, patient: str, *, limit: int = 100) -> list[Stored]:
    """A patient's items, the current ones first."""
    return _read(conn, Stored, _ITEMS, [organization, patient, limit])


def current(conn: Connection, key: str) -> tuple[Item, ...]:
    """The items of a generation that stand."""
    rows = conn.execute(_CURRENT, [key]).fetchall()
    return tuple(
        Item(
            source=source, type=type, text=text, citations=tuple(citations), metric=metric,
            value=None if value is None else float(value), comparison=None if earlier is None else float(earlier),
        )
        for source, type, text, citations, metric, value, earlier in rows
    )  # fmt: skip


def spending(
    conn: Connection, defaults: Limits, *, day: dt.date | None, organization: str | None, limit: int
) -> list[Spent]:
    """What clinics have used, newest day first. ``day``: civil day of the clinic; None: all."""
    values = {
        "tokens": defaults.tokens_per_day, "cost": defaults.cost_per_day, "day": day, "only": organization,
        "most": limit,
    }  # fmt: skip
    return _read(conn, Spent, _SPENDING, values)


def queue(conn: Connection, *, organization: str | None, limit: int) -> list[Queued]:
    """Patients whose insights are asked for: dead ones first, then by when they are due."""
    return _read(conn, Queued, _QUEUE, {"only": organization, "most": limit})


def queued(conn: Connection, organization: str, patient: str) -> Queued | None:
    """A patient's row of the queue, if there is one."""
    return next(iter(_read(conn, Queued, _OF_QUEUE, [organization, patient])), None)


def _read(conn: Connection, kind: type[T], query: LiteralString, values: Any) -> list[T]:
    with conn.cursor(row_factory=class_row(kind)) as cur:
        return cur.execute(query, values).fetchall()
