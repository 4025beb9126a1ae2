"""One event as a person wants to see it: where it stands, how it got there, and which run has or had it.

Read only, and never the payload: that is about people, and whoever may ask how an event fares need not read it.
Not here: lists, replaying and cancelling (``desk.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

# While a run has the event in its hands, the run is the claim's; afterwards it is the event's own.
EVENT = """
select i.seq, i.id, i.name, i.received_name, i.source, i.organization_id, i.priority, i.state, i.reason, i.attempt,
       i.losses, i.received_at, i.due_at, i.changed_at, i.cancelled_by, i.result,
       coalesce(c.run_id, i.run_id) as run_id
from events.inbox i left join events.claims c on c.id = i.claim_id
where i.id = %s
"""
STEPS = "select at, state, attempt, run_id, reason from events.transitions where seq = %s order by at, ctid"


@dataclass(frozen=True, slots=True)
class Step:
    """A state that the event entered, and when."""

    at: dt.datetime
    state: str
    attempt: int = 0
    run_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One event: its state now, and all its states in order, the present one last.

    ``run_id`` is the Dagster run that has it in its hands, or the last one that had; None if none ever had.
    """

    id: str
    name: str
    received_name: str
    source: str
    organization_id: str
    priority: int
    state: str
    reason: str | None
    attempt: int
    losses: int
    received_at: dt.datetime
    due_at: dt.datetime
    changed_at: dt.datetime
    cancelled_by: str | None
    run_id: str | None
    result: Mapping[str, Any] | None
    steps: tuple[Step, ...]


def find_event(conn: psycopg.Connection[Any], id_: str) -> Seen | None:
    """The event of this id; None if there is none.

    Raises:
        psycopg.Error: the database does not answer.
    """
    if "\0" in id_:
        return None  # PostgreSQL has no such text, so no event has it either
    with conn.transaction(), conn.cursor(row_factory=dict_row) as cur:
        row = cur.execute(EVENT, [id_]).fetchone()
        if row is None:
            return None
        later = cur.execute(STEPS, [row.pop("seq")]).fetchall()
    # The first state has no row of its own. It is still the present one, or the event was waiting.
    first = (
        Step(row["received_at"], "received")
        if later
        else Step(row["received_at"], row["state"], 0, None, row["reason"])
    )
    return Seen(**row, steps=(first, *(Step(**each) for each in later)))


def trace_of(conn: psycopg.Connection[Any], id_: str) -> str | None:
    """The ``runId`` that came with an event, by which its sender follows it through the logs."""
    row = conn.execute("select data ->> 'runId' from events.inbox where id = %s", [id_]).fetchone()
    return row[0] if row else None
