"""The registry of retention: how long rows are kept, and what is kept for ever (CONTRACT clinic §15, D-03, D-04).

One row a rule; every table of ours is in a rule or in :data:`KEPT`, and a test compares them with the database.
Clinical rows are in no rule: they are never deleted. Not here: deleting (``sweeping.py``), and in what order
(``cleanup.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

#: What FisioFlow's event may ask for alone; ``sessions`` is the report of unfinished ones, ``own`` our own rows.
Part = Literal["notifications", "sessions", "tokens", "own"]
PARTS: Final[tuple[Part, ...]] = ("notifications", "sessions", "tokens", "own")

#: Rows of one transaction.
BATCH: Final = 5_000
_DAY = dt.timedelta(days=1)
_YEAR = 365 * _DAY


@dataclass(frozen=True, slots=True)
class Follower:
    """Rows of another table that go with a deleted one: those whose ``column`` is its ``of``."""

    table: str
    column: str
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Rows of ``table`` that are older than ``age`` are deleted, or some of their columns emptied.

    Args:
        table: with its schema. One of schema ``clinic`` is FisioFlow's: it may be a view, or not be there.
        column: the moment from which the age counts.
        key: what orders and tells apart its rows.
        condition: further, about ``t``.
        empties: columns, and what they are set to; none: the row is deleted.
    """

    name: str
    part: Part
    table: str
    column: str
    age: dt.timedelta
    why: str
    key: tuple[str, ...] = ("id",)
    condition: str = "true"
    empties: Mapping[str, str] = field(default_factory=dict)
    followers: tuple[Follower, ...] = ()
    batch: int = BATCH

    @property
    def in_clinic(self) -> bool:
        """FisioFlow's table, not ours."""
        return self.table.startswith("clinic.")

    @property
    def columns(self) -> dict[str, set[str]]:
        """What must be there, by table."""
        needed = {self.table: {self.column, *self.key, *self.empties, *(each.of for each in self.followers)}}
        return needed | {each.table: {each.column} for each in self.followers}


_SENT: Final = "t.state not in ('planned', 'deferred', 'retry', 'claimed')"
_BODY: Final = {"data": "null", "raw": "null", "user_data": "null", "meta": "null"}
_OF_EVENT: Final = (Follower("events.transitions", "seq", "seq"), Follower("events.conflicts", "event_id", "id"))

#: In the order in which they are applied: what refers to a row goes before it.
RULES: Final = (
    Rule(
        name="notification_history", part="notifications", table="clinic.notification_history",
        column="created_at", age=90 * _DAY, why="FisioFlow's log of notifications.",
    ),
    Rule(
        name="password_reset_tokens", part="tokens", table="clinic.password_reset_tokens", column="created_at",
        age=dt.timedelta(hours=24), why="FisioFlow's tokens; nobody may use an older one.",
    ),
    Rule(
        name="system_health_logs", part="own", table="clinic.system_health_logs", column="created_at",
        age=30 * _DAY, why="FisioFlow's health log.",
    ),
    Rule(
        name="message_bodies", part="own", table="messaging.messages", column="changed_at", age=90 * _DAY,
        condition=_SENT, empties={"content": "null"},
        why="What was said; key, state, times, the masked address and its hash stay as proof.",
    ),
    Rule(
        name="report_bodies", part="own", table="messaging.deliveries", column="received_at", age=30 * _DAY,
        condition="t.applied_at is not null", empties={"body": "'{}'"}, why="What providers reported, in full.",
    ),
    Rule(
        name="reply_bodies", part="own", table="messaging.replies", column="received_at", age=90 * _DAY,
        condition="t.handled_at is not null", empties={"body": "null"}, why="What patients wrote.",
    ),
    Rule(
        name="notices", part="own", table="messaging.notices", column="created_at", age=90 * _DAY,
        why="What was said to the staff.",
    ),
    Rule(
        name="suppressions", part="own", table="messaging.suppressions", column="expires_at", age=90 * _DAY,
        key=("channel", "address_hash"), why="Addresses that may be written to again.",
    ),
    Rule(
        name="tasks", part="own", table="messaging.tasks", column="created_at", age=5 * _YEAR,
        condition="t.done_at is not null", why="What the reception had to do.",
    ),
    Rule(
        name="replies", part="own", table="messaging.replies", column="received_at", age=5 * _YEAR,
        condition="t.handled_at is not null and not exists (select from messaging.tasks where reply_id = t.id)",
        why="Proof of what patients answered.",
    ),
    Rule(
        name="reports", part="own", table="messaging.deliveries", column="received_at", age=5 * _YEAR,
        condition="t.applied_at is not null", why="Proof of delivery.",
    ),
    Rule(
        name="messages", part="own", table="messaging.messages", column="changed_at", age=5 * _YEAR,
        # What stands in for a message is younger: both go when it is old enough.
        condition=f"""{_SENT}
  and not exists (select from messaging.messages where fallback_of = t.id)
  and not exists (select from messaging.deliveries where message_id = t.id)
  and not exists (select from messaging.replies where message_id = t.id)""",
        followers=(Follower("messaging.transitions", "message_id", "id"),), why="Proof of what was sent.",
    ),
    Rule(
        name="event_bodies", part="own", table="events.inbox", column="changed_at", age=90 * _DAY, key=("seq",),
        condition="t.state in ('done', 'skipped')", empties=_BODY,
        why="What apps sent and was handled. The id stays: the same event is no work a second time.",
    ),
    Rule(
        name="dead_event_bodies", part="own", table="events.inbox", column="changed_at", age=_YEAR, key=("seq",),
        condition="t.state = 'dead' and t.admitted", empties=_BODY,
        why="What failed, and nobody had tried again for a year.",
    ),
    Rule(
        name="events_never_handled", part="own", table="events.inbox", column="due_at", age=_YEAR, key=("seq",),
        condition="(t.state in ('received', 'retry', 'unmatched') or t.state = 'dead' and not t.admitted)",
        followers=_OF_EVENT, why="What no release had a handler for, or was no event of its name, for a year.",
    ),
    Rule(
        name="events", part="own", table="events.inbox", column="changed_at", age=5 * _YEAR, key=("seq",),
        condition="t.state in ('done', 'skipped', 'dead')", followers=_OF_EVENT,
        why="That an event came. A sender that repeats an id after this is heard again.",
    ),
    Rule(
        name="event_conflicts", part="own", table="events.conflicts", column="received_at", age=90 * _DAY,
        key=("event_id", "digest"), why="Other bodies under an event's id.",
    ),
    Rule(
        name="refused_requests", part="own", table="events.refused", column="last_at", age=90 * _DAY,
        key=("digest",), why="Requests without a usable event.",
    ),
    Rule(
        name="claims", part="own", table="events.claims", column="ended_at", age=30 * _DAY,
        why="Which run had which events; the events say it, too.",
    ),
    Rule(
        name="echoes", part="own", table="events.echoes", column="at", age=30 * _DAY, key=("event_id", "at"),
        why="What canaries left.",
    ),
    Rule(
        name="decisions", part="own", table="jobs.decisions", column="at", age=2 * _YEAR,
        why="Proof of why somebody was not written to.",
    ),
    Rule(
        name="done_visits", part="own", table="jobs.done_visits", column="seen_at", age=30 * _DAY,
        key=("appointment_id",), why="Since when visits are done; nobody is asked about older ones.",
    ),
    Rule(
        name="failures", part="own", table="jobs.failures", column="at", age=_YEAR,
        why="What could not be done for a clinic.",
    ),
    Rule(
        name="insight_texts", part="own", table="insights.items", column="created_at", age=90 * _DAY,
        why="What was said about a patient; the clinic's own table has it.",
    ),
    Rule(
        name="insight_facts", part="own", table="insights.generations", column="created_at", age=90 * _DAY,
        key=("key",), empties={"facts": "null"}, why="The numbers behind it; they can be computed again.",
    ),
    Rule(
        name="insights", part="own", table="insights.generations", column="created_at", age=5 * _YEAR,
        key=("key",), why="That it was made, of which session, by which model, or why not.",
    ),
    Rule(
        name="insight_calls", part="own", table="insights.calls", column="started_at", age=5 * _YEAR,
        condition="t.state <> 'open'", why="Proof of what the model was asked for and cost.",
    ),
    Rule(
        name="insight_sessions", part="own", table="insights.seen", column="finalized_at", age=30 * _DAY,
        key=("session_id", "finalized_at", "organization_id", "patient_id"),
        why="Which sessions were collected; the look behind the cursor is shorter.",
    ),
    Rule(
        name="insight_failures", part="own", table="insights.queue", column="dead_at", age=90 * _DAY,
        key=("organization_id", "patient_id"), why="Patients whose insights failed, and are not tried again.",
    ),
)  # fmt: skip

#: Files of the channel that writes messages instead of sending them; by their last change.
FILES: Final = "message_files"
FILES_AGE: Final = 90 * _DAY

#: What no rule touches, and why; a schema with a star stands for all of its tables that are in no rule.
KEPT: Final[Mapping[str, str]] = {
    "clinic.*": "FisioFlow's own: health records stay for 20 years, and what else goes is its own matter",
    "messaging.policies": "one row a clinic: what it wants",
    "messaging.preferences": "proof of consent and of opt-outs; the latest word counts, however old",
    "messaging.circuits": "one row a way out",
    "messaging.hashing": "one row: without the salt no opt-out is found again",
    "events.beats": "one row a part of the machinery",
    "jobs.policies": "one row a clinic: what it wants",
    "jobs.passes": "one row a job",
    "jobs.reports": "numbers of a clinic's days and weeks, of nobody's health",
    "jobs.integrity": "one row a clinic and check",
    "insights.cursor": "one row: up to where sessions were collected",
    "insights.behind": "one row a clinic whose sessions could not be read",
    "insights.spending": "one row a clinic and day: what the model cost",
    "bdns.*": "the mirror and its history: public records",
    "ops.*": "evidence of loads of public records; pacing; the version of the tables",
}
