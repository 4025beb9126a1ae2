"""What providers report of messages: stored as it arrives, applied once, in any order, never backwards.

Here: the table of reports, and what follows from one for its message and its address. Not here: reading a
provider's body (``reports/``), and what people write (``replies.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging import devices, preferences, recipients
from fisio_ayida.messaging.channels.meta_codes import NOT_ON_WHATSAPP
from fisio_ayida.messaging.channels.meta_codes import SUPPRESSED_FOR as REST
from fisio_ayida.messaging.model import State, Status
from fisio_ayida.messaging.reports.reading import MARKETING_STOPPED, Report
from fisio_ayida.messaging.sealing import Hasher
from fisio_ayida.warehouse.clinic import ClinicDoor

#: A report may be faster than the commit of the answer that it belongs to.
PATIENCE: Final = dt.timedelta(minutes=10)
#: For how long nothing goes to an address, by the reason; None: until somebody lifts it.
SUPPRESSED_FOR: Final[Mapping[str, dt.timedelta | None]] = {
    "bounce": None,
    "complaint": None,
    "suppressed": None,
    NOT_ON_WHATSAPP: REST,
    devices.GONE: None,
}
# A provider's clock may differ from ours by so much.
_CLOCKS_APART: Final = dt.timedelta(minutes=5)
_RANK: Final[Mapping[str, int]] = {
    "claimed": 0, "retry": 0, "unknown": 0, "accepted": 1, "delivered": 2, "read": 3,
}  # fmt: skip
_FAILS_FROM: Final = frozenset({"claimed", "retry", "unknown", "accepted"})

# What says nothing of a message's way is done at once.
_STORE = """
insert into messaging.deliveries (provider, event_id, kind, provider_id, message_key, generation, status,
                                  error_code, suppress, provider_at, received_at, body, applied_at, outcome)
select r.provider, r.event_id, r.kind, r.provider_id, r.message_key, r.generation, r.status, r.error_code,
       r.suppress, r.provider_at, %(now)s, r.body, case when r.says_nothing then %(now)s end,
       case when r.says_nothing then 'informative' end
from (select *, status is null and suppress is null as says_nothing from unnest(
        %(provider)s::text[], %(event_id)s::text[], %(kind)s::text[], %(provider_id)s::text[],
        %(message_key)s::text[], %(generation)s::int[], %(status)s::text[], %(error_code)s::text[],
        %(suppress)s::text[], %(provider_at)s::timestamptz[], %(body)s::jsonb[])
      as u (provider, event_id, kind, provider_id, message_key, generation, status, error_code, suppress,
            provider_at, body)) r
on conflict (provider, event_id) do nothing
"""
_REOPEN = """
update messaging.deliveries set applied_at = null, outcome = null
where provider = %s and provider_id = %s and outcome = 'unmatched'
"""
_ANY = "select exists (select from messaging.deliveries where applied_at is null)"
# Those whose message is known, and those that have waited for it long enough.
_WAITING = """
select d.id, d.provider, d.event_id, d.kind, d.provider_id, d.status, d.error_code, d.suppress, d.provider_at,
       m.id as message_id
from messaging.deliveries d
left join lateral (
  select id from messaging.messages where provider_id = d.provider_id and provider = d.provider
  union all
  select id from messaging.messages
  where key = d.message_key and generation = d.generation and provider = d.provider
    and (provider_id is null or d.provider_id is null)
  limit 1) m on true
where d.applied_at is null and (m.id is not null or d.received_at <= %(patient_until)s)
order by d.id limit %(limit)s
for update of d skip locked
"""
# A message that somebody else is writing keeps its reports for the next time: nobody waits for anybody.
_MESSAGES = """
select id, channel, organization_id, address_hash, state, claimed_at from messaging.messages
where id = any(%s) order by id for update skip locked
"""
_MOVE = """
update messaging.messages m set
  state = c.state, lease_until = null, changed_at = %(now)s, provider_id = coalesce(m.provider_id, c.provider_id),
  accepted_at = coalesce(m.accepted_at, c.accepted_at), delivered_at = coalesce(m.delivered_at, c.delivered_at),
  read_at = coalesce(m.read_at, c.read_at),
  error_class = case when c.state = 'failed' then 'permanent' end, error_code = c.error_code, reason = c.reason
from unnest(%(id)s::bigint[], %(state)s::text[], %(provider_id)s::text[], %(accepted_at)s::timestamptz[],
            %(delivered_at)s::timestamptz[], %(read_at)s::timestamptz[], %(error_code)s::text[],
            %(reason)s::text[])
     as c (id, state, provider_id, accepted_at, delivered_at, read_at, error_code, reason)
where m.id = c.id
"""
_DONE = """
update messaging.deliveries d set applied_at = %(now)s, outcome = c.outcome, message_id = c.message_id
from unnest(%(id)s::bigint[], %(outcome)s::text[], %(message_id)s::bigint[]) as c (id, outcome, message_id)
where d.id = c.id
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """How many reports moved a message or closed an address, came late, or belong to nothing of ours."""

    applied: int = 0
    late: int = 0
    unmatched: int = 0

    @property
    def total(self) -> int:
        return self.applied + self.late + self.unmatched


@dataclass(frozen=True, slots=True)
class _Waiting:
    id: int
    provider: str
    event_id: str
    kind: str
    provider_id: str | None
    status: Status | None
    error_code: str | None
    suppress: str | None
    provider_at: dt.datetime | None
    message_id: int | None


@dataclass(slots=True)
class _Message:
    """A message under its lock, and what its reports make of it."""

    id: int
    channel: str
    organization_id: str
    address_hash: bytes | None
    state: State
    claimed_at: dt.datetime | None
    moved: bool = False
    provider_id: str | None = None
    accepted_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None
    read_at: dt.datetime | None = None
    error_code: str | None = None
    reason: str | None = None


def store(conn: psycopg.Connection[Any], reports: Sequence[Report], *, hasher: Hasher, now: dt.datetime) -> None:
    """Write reports in the connection's transaction; those that are there already change nothing."""
    if not reports:
        return
    # Always in the same order: two requests with the same reports must not wait for each other.
    ordered = sorted(reports, key=lambda report: report.event_id)
    names = (
        "provider", "event_id", "kind", "provider_id", "generation", "status", "error_code", "suppress",
        "provider_at",
    )  # fmt: skip
    conn.execute(
        _STORE,
        {
            **{name: [getattr(report, name) for report in ordered] for name in names},
            "message_key": [recipients.key(conn, report, hasher) for report in ordered],
            "body": [msgspec.json.encode(report.body).decode() for report in ordered],
            "now": now,
        },
    )
    for report in ordered:
        recipients.look_now(conn, report, hasher, now=now)


def reopen(conn: psycopg.Connection[Any], provider: str, provider_id: str) -> None:
    """Let reports that belonged to nothing be applied after all: now it is known whose this id is."""
    conn.execute(_REOPEN, [provider, provider_id])


def apply(
    conn: psycopg.Connection[Any], *, hasher: Hasher, clinic: ClinicDoor, now: dt.datetime, limit: int = 1000
) -> Applied:
    """Apply the stored reports, ``limit`` in a transaction; several processes may do this at once."""
    found = Counter[str]()
    row = conn.execute(_ANY).fetchone()
    if row is None or not row[0]:
        return Applied()
    while some := _apply(conn, hasher, clinic, now, limit):
        found.update(some)
    return Applied(found["applied"], found["late"], found["unmatched"])


def next_state(state: State, status: Status) -> State | None:
    """The state that a report brings a message to; None if it knows better already."""
    if status == "failed":
        return "failed" if state in _FAILS_FROM else None
    return status if state in _RANK and _RANK[state] < _RANK[status] else None


def _apply(
    conn: psycopg.Connection[Any], hasher: Hasher, clinic: ClinicDoor, now: dt.datetime, limit: int
) -> Counter[str]:
    with conn.transaction():
        with conn.cursor(row_factory=class_row(_Waiting)) as cur:
            waiting = cur.execute(_WAITING, {"patient_until": now - PATIENCE, "limit": limit}).fetchall()
        if not waiting:
            return Counter()
        ids = sorted({report.message_id for report in waiting if report.message_id is not None})
        with conn.cursor(row_factory=class_row(_Message)) as cur:
            messages = {message.id: message for message in cur.execute(_MESSAGES, [ids])}
        outcomes: dict[int, str] = {report.id: "unmatched" for report in waiting if report.message_id is None}
        groups: dict[int, list[_Waiting]] = defaultdict(list)
        for report in waiting:
            if report.message_id in messages:
                groups[report.message_id].append(report)
        for id, reports in groups.items():
            # Failed last: whatever arrived has not failed.
            for report in sorted(
                reports, key=lambda each: (each.status == "failed", _RANK.get(each.status or "", 0))
            ):
                outcomes[report.id] = _follow(messages[id], report, now)
                _close(conn, messages[id], report, hasher, clinic, now)
        _write(conn, [message for message in messages.values() if message.moved], now)
        message_of = {report.id: report.message_id for report in waiting}
        conn.execute(_DONE, {
            "id": list(outcomes), "outcome": list(outcomes.values()),
            "message_id": [message_of[id] for id in outcomes], "now": now,
        })  # fmt: skip
    return Counter(outcomes.values())


def _follow(message: _Message, report: _Waiting, now: dt.datetime) -> str:
    state = None if report.status is None else next_state(message.state, report.status)
    if state is None:
        return "applied" if report.status is None else "late"
    message.moved, message.state = True, state
    message.provider_id = message.provider_id or report.provider_id
    at = _moment(report, message, now)
    if state == "failed":
        message.error_code = report.error_code
        message.reason = f"{report.provider} reports {report.kind}" + (
            f": {report.error_code}" if report.error_code else ""
        )
        return "applied"
    message.accepted_at = message.accepted_at or at
    if state in ("delivered", "read"):
        message.delivered_at = message.delivered_at or at
    if state == "read":
        message.read_at = at
    return "applied"


def _moment(report: _Waiting, message: _Message, now: dt.datetime) -> dt.datetime:
    """The provider's time of what it reports, unless it cannot be true."""
    at = report.provider_at
    if at is None or at > now or (message.claimed_at is not None and at < message.claimed_at - _CLOCKS_APART):
        return now
    return at


def _close(
    conn: psycopg.Connection[Any], message: _Message, report: _Waiting, hasher: Hasher, clinic: ClinicDoor,
    now: dt.datetime,
) -> None:  # fmt: skip
    """Nothing more goes to an address that does not work or does not want it."""
    if report.suppress is None or message.address_hash is None:
        return
    evidence, at = f"{report.provider}:{report.event_id}", _moment(report, message, now)
    if report.suppress == MARKETING_STOPPED:
        preferences.record(
            conn, organization_id=message.organization_id, channel=message.channel, category="marketing",
            allowed=False, source=report.provider, evidence=evidence, at=at, address_hash=message.address_hash,
        )  # fmt: skip
        return
    time = SUPPRESSED_FOR.get(report.suppress)
    preferences.suppress(
        conn, channel=message.channel, address_hash=message.address_hash, reason=report.suppress,
        evidence=evidence, at=at, expires_at=None if time is None else at + time,
    )  # fmt: skip
    if report.suppress == devices.GONE:
        devices.give_up_of(conn, message.id, message.address_hash, hasher, clinic)


def _write(conn: psycopg.Connection[Any], moved: Sequence[_Message], now: dt.datetime) -> None:
    if moved:
        names = (
            "id", "state", "provider_id", "accepted_at", "delivered_at", "read_at", "error_code", "reason",
        )  # fmt: skip
        conn.execute(_MOVE, {**{name: [getattr(m, name) for m in moved] for name in names}, "now": now})
