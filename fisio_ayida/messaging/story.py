"""What happened to one message, and why: its row, its states, receipts, replies and relatives, and its way out.

Read only; never the body, the address or a name. Not here: lists (``desk.py``), and what would happen to it now
(``claims.verdict``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging import causes
from fisio_ayida.messaging.quiet import DEFAULT
from fisio_ayida.messaging.rules import CauseNow
from fisio_ayida.messaging.watch import Closed
from fisio_ayida.warehouse.clinic import ClinicDoor

Connection = psycopg.Connection[Any]

#: Others with the same address who are named.
_OTHERS = 20

_MESSAGE = """
select id, key, organization_id, patient_id, user_id, job, category, channel, account, priority, heeds_quiet,
       template, cause_kind, cause_id, cause_version, address_masked, address_hash, state,
       nullif(due_at, 'infinity') as due_at, not_after,
       attempt, failures, looks, planned_at, changed_at, provider, provider_id, error_class, error_code, reason,
       run_id, fallback_of, content is not null as is_stored
from messaging.messages where id = %s
"""
_ZONE = "select zone from messaging.policies where organization_id = %s"
_STEPS = """
select at, state, attempt, reason, error_code, run_id from messaging.transitions
where message_id = %s order by at, ctid
"""
_RECEIPTS = """
select provider, kind, status, error_code, suppress, provider_at, received_at, applied_at, outcome
from messaging.deliveries where message_id = %s order by id
"""
_REPLIES = """
select id, provider, intent, score, sent_at, received_at, handled_at, outcome
from messaging.replies where message_id = %s order by id
"""
_FALLBACKS = """
select id, key, channel, state, reason from messaging.messages where fallback_of = %s or id = %s order by id
"""
_SAME_ADDRESS = """
select organization_id, patient_id, count(*) as messages, max(id) as last_id from messaging.messages
where address_hash = %(hash)s and (organization_id, patient_id) is distinct from (%(organization)s, %(patient)s)
group by organization_id, patient_id order by max(id) desc limit %(limit)s
"""
_CIRCUITS = """
select provider, account, organization_id, opened_at, open_until, reason from messaging.circuits
where provider = %(provider)s and account = %(account)s and organization_id in ('', %(organization)s)
  and opened_at is not null
order by organization_id
"""
_SUPPRESSED = """
select reason, at, expires_at from messaging.suppressions
where channel = %(channel)s and address_hash = %(hash)s and (expires_at is null or expires_at > %(now)s)
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the outbox without what it says. ``is_stored``: its body is, encrypted."""

    id: int
    key: str
    organization_id: str
    patient_id: str | None
    user_id: str | None
    job: str
    category: str
    channel: str
    account: str
    priority: int
    heeds_quiet: bool
    template: str | None
    cause_kind: str | None
    cause_id: str | None
    cause_version: str | None
    address_masked: str
    address_hash: bytes | None
    state: str
    due_at: dt.datetime | None
    not_after: dt.datetime | None
    attempt: int
    failures: int
    looks: int
    planned_at: dt.datetime
    changed_at: dt.datetime
    provider: str | None
    provider_id: str | None
    error_class: str | None
    error_code: str | None
    reason: str | None
    run_id: str | None
    fallback_of: int | None
    is_stored: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A state that the message entered, and when."""

    at: dt.datetime
    state: str
    attempt: int
    reason: str | None
    error_code: str | None
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider reported of it, and what followed."""

    provider: str
    kind: str
    status: str | None
    error_code: str | None
    suppress: str | None
    provider_at: dt.datetime | None
    received_at: dt.datetime
    applied_at: dt.datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the patient answered to it, as an intention."""

    id: int
    provider: str
    intent: str
    score: int | None
    sent_at: dt.datetime | None
    received_at: dt.datetime
    handled_at: dt.datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Relative:
    """The message that it stands in for, or one that stands in for it."""

    id: int
    key: str
    channel: str
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else to whom messages went at the same address."""

    organization_id: str
    patient_id: str | None
    messages: int
    last_id: int


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Nothing goes to its address."""

    reason: str
    at: dt.datetime
    expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All of it. ``zone``: the clinic's own, an IANA name."""

    message: Message
    zone: str
    cause: CauseNow | None
    steps: list[Step]
    receipts: list[Receipt]
    replies: list[Reply]
    stands_in_for: Relative | None
    fallbacks: list[Relative]
    others: list[Other]
    closed: list[Closed]
    suppressed: Suppressed | None


def story(
    conn: Connection, id: int, providers: Mapping[Any, str], clinic: ClinicDoor, *, now: dt.datetime
) -> Story:
    """What is known of this message, which must exist.

    Args:
        providers: who serves each channel now; the way out of a message that nobody has sent yet.
    """
    [message] = _rows(conn, Message, _MESSAGE, [id])
    relatives = _rows(conn, Relative, _FALLBACKS, [id, message.fallback_of])
    subject = {
        "provider": message.provider or providers.get(message.channel), "account": message.account,
        "organization": message.organization_id, "patient": message.patient_id, "channel": message.channel,
        "hash": message.address_hash, "now": now, "limit": _OTHERS,
    }  # fmt: skip
    return Story(
        message=message, zone=_zone(conn, message.organization_id), cause=_cause(conn, message, clinic, now),
        steps=_rows(conn, Step, _STEPS, [id]), receipts=_rows(conn, Receipt, _RECEIPTS, [id]),
        replies=_rows(conn, Reply, _REPLIES, [id]),
        stands_in_for=next((each for each in relatives if each.id == message.fallback_of), None),
        fallbacks=[each for each in relatives if each.id != message.fallback_of],
        others=[] if message.address_hash is None else _rows(conn, Other, _SAME_ADDRESS, subject),
        closed=_rows(conn, Closed, _CIRCUITS, subject),
        suppressed=next(iter(_rows(conn, Suppressed, _SUPPRESSED, subject)), None),
    )  # fmt: skip


def _cause(conn: Connection, message: Message, clinic: ClinicDoor, now: dt.datetime) -> CauseNow | None:
    if message.cause_kind is None or message.cause_id is None:
        return None
    cause = (message.cause_kind, message.cause_id)
    reading = causes.read(conn, {cause: message.organization_id}, now=now, clinic=clinic)[cause]
    return reading.towards(message.organization_id, message.patient_id)


def _zone(conn: Connection, organization_id: str) -> str:
    row = conn.execute(_ZONE, [organization_id]).fetchone()
    return str(row[0]) if row else DEFAULT.zone


def _rows(conn: Connection, kind: type[Any], query: str, values: Any) -> list[Any]:
    with conn.cursor(row_factory=class_row(kind)) as cur:
        return cur.execute(query, values).fetchall()
