"""What was generated on a civil day of São Paulo, in numbers: a partition of ``clinic/patient_insights``.

Read from the tables, never from a run, so that a partition shows the same whoever asks. Ids and numbers only. Not
here: how it is shown (``defs/insights/report.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg.rows import class_row

from fisio_ayida.clinic.model import Connection
from fisio_ayida.clinic.registry import ZONE

#: Organisations that a page lists, those with the most generations; the tables have all.
LISTED: Final = 20
#: The steps of the curve of latencies.
STEPS: Final = tuple(place / 50 for place in range(51))
_SAO_PAULO: Final = ZoneInfo(ZONE)
_DAY: Final = dt.timedelta(days=1)

_GENERATIONS: Final = """
select narrative, reason, count(*), coalesce(sum(scrubbed), 0)::bigint
from insights.generations where day = %(day)s group by narrative, reason order by narrative, reason
"""
# Calls belong to the day on which they were made: a narrative may be tried again on the next one.
_CALLS: Final = """
select state, outcome, count(*), coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint,
       coalesce(sum(cost), 0), count(*) filter (where state = 'answered' and cost is null)
from insights.calls where started_at >= %(first)s and started_at < %(end)s
group by state, outcome order by state, outcome
"""
_LATENCY: Final = """
select percentile_cont(%(steps)s::float8[]) within group (order by latency_ms),
       percentile_cont(0.95) within group (order by latency_ms)
from insights.calls
where started_at >= %(first)s and started_at < %(end)s and state = 'answered' and latency_ms is not null
"""
_ORGANIZATIONS: Final = """
with made as (
  select organization_id, count(*) as generations, count(*) filter (where narrative = 'written') as narratives,
         count(*) filter (where narrative = 'waiting') as waiting
  from insights.generations where day = %(day)s group by organization_id),
used as (
  select organization_id, count(*) as calls, coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint as tokens,
         coalesce(sum(cost), 0) as cost
  from insights.calls where started_at >= %(first)s and started_at < %(end)s group by organization_id)
select organization_id, coalesce(generations, 0) as generations, coalesce(narratives, 0) as narratives,
       coalesce(waiting, 0) as waiting, coalesce(calls, 0) as calls, coalesce(tokens, 0) as tokens,
       coalesce(cost, 0) as cost
from made full join used using (organization_id)
order by 2 desc, 5 desc, organization_id limit %(listed)s
"""
_CURSOR: Final = "select finalized_at, session_id from insights.cursor"
_DAYS_OF_RUN: Final = "select distinct day from insights.generations where run_id = %s"


@dataclass(frozen=True, slots=True)
class OfOrganization:
    """An organisation's part of a day. ``cost``: in the price table's currency."""

    organization_id: str
    generations: int
    narratives: int
    waiting: int
    calls: int
    tokens: int
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A day's numbers.

    Args:
        narratives: generations that were put into words.
        facts_only, waiting: generations without a narrative, and without one yet, by reason.
        scrubbed: hits of the scrubber in the texts of these generations.
        calls: of the model, made on this day.
        refusals: answers that were not accepted, by what was wrong.
        failed: calls without an answer, by what was wrong; those whose answer is not known are ``lost``.
        tokens, cost: of the answers, in tokens and in the price table's currency.
        unpriced: answers whose cost is not known.
        latencies: of the answers in ms, at :data:`STEPS` of their distribution; empty: there was none.
        p95: of the same.
    """

    day: dt.date
    narratives: int = 0
    facts_only: Mapping[str, int]
    waiting: Mapping[str, int]
    scrubbed: int = 0
    calls: int = 0
    refusals: Mapping[str, int]
    failed: Mapping[str, int]
    tokens: int = 0
    cost: Decimal = Decimal()
    unpriced: int = 0
    latencies: Sequence[float] = ()
    p95: float | None = None
    organizations: Sequence[OfOrganization] = ()

    @property
    def generations(self) -> int:
        return self.narratives + sum(self.facts_only.values()) + sum(self.waiting.values())

    @property
    def median(self) -> float | None:
        """The median latency in ms."""
        return self.latencies[len(STEPS) // 2] if self.latencies else None


def civil_day(moment: dt.datetime) -> dt.date:
    """The day whose partition a moment belongs to."""
    return moment.astimezone(_SAO_PAULO).date()


def days_of(conn: Connection, run_id: str) -> set[dt.date]:
    """The days of what a run generated."""
    return {day for (day,) in conn.execute(_DAYS_OF_RUN, [run_id])}


def collected(conn: Connection) -> str | None:
    """Up to which session sessions were collected, for people; None: there was no run yet."""
    row = conn.execute(_CURSOR).fetchone()
    return None if row is None else f"{row[0].astimezone(dt.UTC).isoformat()} {row[1]}"


def numbers(conn: Connection, day: dt.date) -> Numbers:
    """What was generated on a day, whoever did it, in four statements."""
    first, end = (dt.datetime.combine(each, dt.time(), _SAO_PAULO) for each in (day, day + _DAY))
    values: dict[str, Any] = {
        "day": day, "first": first, "end": end, "steps": list(STEPS), "listed": LISTED,
    }  # fmt: skip
    made = conn.execute(_GENERATIONS, values).fetchall()
    calls = conn.execute(_CALLS, values).fetchall()
    row = conn.execute(_LATENCY, values).fetchone()
    with conn.cursor(row_factory=class_row(OfOrganization)) as cur:
        organizations = cur.execute(_ORGANIZATIONS, values).fetchall()
    return Numbers(
        day=day,
        narratives=sum(many for narrative, _, many, _ in made if narrative == "written"),
        facts_only={reason: many for narrative, reason, many, _ in made if narrative == "none"},
        waiting={reason: many for narrative, reason, many, _ in made if narrative == "waiting"},
        scrubbed=sum(hits for *_, hits in made),
        calls=sum(many for _, _, many, *_ in calls),
        refusals={what: many for state, what, many, *_ in calls if state == "answered" and what != "ok"},
        failed=_failed(calls),
        tokens=sum(tokens for _, _, _, tokens, _, _ in calls),
        cost=sum((cost for *_, cost, _ in calls), Decimal()),
        unpriced=sum(unpriced for *_, unpriced in calls),
        latencies=tuple((row and row[0]) or ()), p95=row[1] if row else None,
        organizations=organizations,
    )  # fmt: skip


def _failed(calls: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    found = {what: many for state, what, many, *_ in calls if state == "failed"}
    lost = sum(many for state, _, many, *_ in calls if state == "lost")
    return {**found, **({"lost": lost} if lost else {})}
