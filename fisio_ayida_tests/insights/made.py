"""Rows of schema ``insights`` as runs leave them, for tests of what is read from them.

Not here: expectations, and making insights.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from fisio_ayida.clinic.model import Connection
from fisio_ayida.insights.model import Facts, key
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, PATIENT

MODEL = "model-1"
#: Tokens that a call reserves, without a price.
RESERVED = 3000

_SPEND = """
insert into insights.spending as s (organization_id, day, tokens, cost, calls) values (%s, %s, %s, %s, 1)
on conflict (organization_id, day) do update set
  tokens = s.tokens + excluded.tokens, cost = s.cost + excluded.cost, calls = s.calls + 1
"""


def put(conn: Connection, table: str, **columns: Any) -> None:
    """A row of schema ``insights``."""
    names, holes = ", ".join(columns), ", ".join(["%s"] * len(columns))
    conn.execute(f"insert into insights.{table} ({names}) values ({holes})", list(columns.values()))


def generation(
    conn: Connection, patient: str = PATIENT, *, session: str = "session-1", at: dt.datetime = MORNING,
    narrative: str = "written", reason: str = "", facts: Facts | None = None, **columns: Any,
) -> str:  # fmt: skip
    """A generation, made at a moment of the day that it is filed under; gives its key."""
    name = key(patient, session, "p1", MODEL)
    given = {
        "key": name, "organization_id": CLINIC, "patient_id": patient, "session_id": session,
        "finalized_at": at, "prompt_version": "p1", "model": MODEL, "day": at.date(), "today": at.date(),
        "facts": None if facts is None else Jsonb(msgspec.to_builtins(facts)),
        "facts_version": facts.version if facts else "1", "sessions": 1, "narrative": narrative, "reason": reason,
        "created_at": at, "run_id": "run-1",
    }  # fmt: skip
    put(conn, "generations", **(given | columns))
    return name


def item(conn: Connection, key: str, *, at: dt.datetime = MORNING, **columns: Any) -> None:
    """An item of a generation, with a narrative's words."""
    given = {
        "id": uuid.uuid4(), "key": key, "organization_id": CLINIC, "patient_id": PATIENT, "source": "narrative",
        "insight_type": "progress_summary", "insight_text": "A dor caiu.", "citations": ["fact:pain_trend"],
        "created_at": at, "expires_at": at + dt.timedelta(days=30),
    }  # fmt: skip
    put(conn, "items", **(given | columns))


def call(
    conn: Connection, *, at: dt.datetime = MORNING, state: str = "answered", used: tuple[int, int] = (900, 100),
    cost: int | None = 1, counted: bool = True, **columns: Any,
) -> None:  # fmt: skip
    """A call that was answered in two seconds, and its part of the day's spending.

    Args:
        used: tokens of the question and of the answer; of a call that is open or lost they are not known.
        counted: False: the spending does not know it.
    """
    is_known = state not in ("open", "lost")
    given: dict[str, Any] = {
        "key": "insight:1", "organization_id": CLINIC, "patient_id": PATIENT, "day": at.date(), "model": MODEL,
        "prompt_version": "p1", "purpose": "first", "attempt": 1, "outcome": "ok", "reserved_tokens": RESERVED,
        "latency_ms": 2000 if is_known else None, "run_id": "run-1", "started_at": at,
    }  # fmt: skip
    if is_known:
        given |= {"prompt_tokens": used[0], "completion_tokens": used[1], "cost": cost}
    put(conn, "calls", state=state, **(given | columns))
    if counted:
        tokens = sum(used) if is_known else RESERVED
        conn.execute(_SPEND, [CLINIC, at.date(), tokens, cost or 0 if is_known else 0])


def queued(conn: Connection, patient: str = PATIENT, *, at: dt.datetime = MORNING, **columns: Any) -> None:
    """A patient whose insights were asked for just now."""
    given = {
        "organization_id": CLINIC, "patient_id": patient, "cause": "session", "first_asked_at": at, "asked_at": at,
        "due_at": at + dt.timedelta(minutes=5),
    }  # fmt: skip
    put(conn, "queue", **(given | columns))
