"""Claiming: taking due messages, asking the rules in the same transaction, and keeping the answer.

What comes out is about to be sent, nothing else: what the rules stop has its reason by then. Not here: who comes
first (``picking.py``), the rules (``rules.py``), the calls (``dispatch.py``), how they ended (``outcomes.py``).
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging import causes, keys, people
from fisio_ayida.messaging.addresses import mask
from fisio_ayida.messaging.destinations import Destination, destinations, problem
from fisio_ayida.messaging.letters import Letter, Letters, Subject
from fisio_ayida.messaging.model import Content, Envelope, MessagingError
from fisio_ayida.messaging.picking import COLUMNS, Lane, Row, Share, pick
from fisio_ayida.messaging.rules import Defer, Expire, Facts, Organization, Send, Skip, decide
from fisio_ayida.warehouse.clinic import ClinicDoor

#: A slow answer of a provider that works.
ANSWER_SECONDS = 5

_AGAIN = f"select {COLUMNS} from messaging.messages where id = any(%s) and state = 'unknown'"
_ONE = f"""
select {COLUMNS} from messaging.messages where id = %s and state in ('planned', 'retry', 'deferred')
for update skip locked
"""
# What is another message's cannot be this one, though its words are the same.
_TAKEN = """
select m.id, array_agg(o.provider_id) from messaging.messages m
join messaging.messages o on o.address_hash = m.address_hash and o.provider = m.provider and o.id <> m.id
where m.id = any(%s) and m.address_hash is not null and o.provider_id is not null
  and o.claimed_at >= m.first_called_at - interval '1 hour'
group by m.id
"""
# A sibling on another channel that has arrived meanwhile makes this one a repetition: what it stands in for, or,
# where a person lets a failed message be tried again, what stands in for it.
_SIBLINGS = """
select m.id, 'the message that it stands in for is ' || o.state
from messaging.messages m join messaging.messages o on o.id = m.fallback_of
where m.id = any(%(ids)s) and o.state in ('accepted', 'delivered', 'read')
union all
select fallback_of, 'its stand-in by ' || channel || ' is ' || state from messaging.messages
where fallback_of = any(%(ids)s) and state in ('accepted', 'delivered', 'read')
"""
# A call whose outcome nobody knows is remembered until somebody does, whatever the calls after it say.
_CLAIM = """
update messaging.messages m set
  state = 'claimed', attempt = m.attempt + 1, claimed_at = %(now)s, changed_at = %(now)s,
  first_called_at = coalesce(m.first_called_at, %(now)s), lease_until = %(now)s + %(lease)s, run_id = %(run_id)s,
  provider = %(provider)s, reason = null, error_code = null, content_hash = c.content_hash,
  error_class = case when m.error_class = 'ambiguous' then m.error_class end, batch_id = %(batch)s,
  address_masked = c.address_masked, address_hash = c.address_hash
from unnest(%(id)s::bigint[], %(content_hash)s::bytea[], %(address_masked)s::text[], %(address_hash)s::bytea[])
     as c (id, content_hash, address_masked, address_hash)
where m.id = c.id
"""
_STOP = """
update messaging.messages m set
  state = c.state, reason = c.reason, due_at = coalesce(c.due_at, m.due_at), changed_at = %(now)s,
  run_id = %(run_id)s
from unnest(%(id)s::bigint[], %(state)s::text[], %(reason)s::text[], %(due_at)s::timestamptz[])
     as c (id, state, reason, due_at)
where m.id = c.id
"""


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, and how.

    Args:
        provider: as written into the outbox.
        lease: longer than a call may take, waiting for its turn included.
        clinic: the way to the patients, and to what the messages follow from.
        account: the WhatsApp instance or number of messages that name none.
        repeat_within: since its first call the provider knows a repeated message for so long; 0: never.
    """

    run_id: str
    provider: str
    lease: dt.timedelta
    letters: Letters
    clinic: ClinicDoor
    account: str = ""
    repeat_within: dt.timedelta = dt.timedelta(0)


@dataclass(slots=True)
class Claimed:
    """Messages to be sent now, and how many were stopped, by state and reason's first word."""

    envelopes: list[Envelope] = field(default_factory=list)
    stopped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.envelopes or self.stopped)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What claiming a message would make of it: ``claimed`` is to be sent."""

    state: str
    reason: str | None
    due_at: dt.datetime


@dataclass(slots=True)
class _Stops:
    """The states of messages that are not sent now."""

    rows: list[tuple[int, str, str, dt.datetime | None]] = field(default_factory=list)

    def add(self, row: Row, state: str, reason: str, due_at: dt.datetime | None = None) -> None:
        if row.may_be_sent and state in ("skipped", "expired"):
            # Those two say that it was not sent.
            state, reason = "unknown", f"{reason}; the outcome of the last call is unknown"
        elif row.may_be_sent and state == "deferred":
            # It goes on waiting for a report, too.
            state = "retry"
        self.rows.append((row.id, state, reason, due_at))


def claim(
    conn: psycopg.Connection[Any], lane: Lane, most: int, who: Claimant, *,
    now: dt.datetime, after: str = "", closed: Collection[str] = (), trials: Collection[str] = (),
    share: Share = "all",
) -> Claimed:  # fmt: skip
    """Claim up to ``most`` due messages in one transaction; empty when nothing is due.

    Args:
        after: the organisation that was served last; the next ones come first.
        closed: organisations for which this way out is closed.
        trials: organisations of which one message finds out whether it is open again.
        share: "alone" leaves out what ``batches.py`` sends.
    """
    with conn.transaction():
        rows = pick(conn, lane, most, now=now, after=after, closed=closed, trials=trials, share=share)
        if not rows:
            return Claimed()
        return decided(conn, rows, who, now=now)


def rebuilt(
    conn: psycopg.Connection[Any], ids: Sequence[int], who: Claimant, *, now: dt.datetime
) -> list[Envelope]:
    """What was handed over for these messages, as far as it can still be told; the rules are not asked."""
    with conn.cursor(row_factory=class_row(Row)) as cur:
        rows = cur.execute(_AGAIN, [list(ids)]).fetchall()
    taken = {id: tuple(found) for id, found in conn.execute(_TAKEN, [list(ids)])}
    readings = _readings(conn, rows, who, now)
    known = people.organizations(conn, {row.organization_id for row in rows}, who.clinic)
    persons = people.patients(conn, _patients(rows), who.clinic)
    stops, envelopes = _Stops(), []
    for row in rows:
        letter = _letter(row, who.letters, readings, stops)
        reading = readings.get(row.cause) if row.cause else None
        possible = destinations(row, letter, reading, persons, who.letters)
        address = next((each for each in possible if each.hash == row.address_hash), None)
        if letter is not None and address is not None:
            made = _content(row, letter, address, known.get(row.organization_id), who.letters, stops)
            envelopes += [_envelope(row, address.to, made[0], who)] if made else []
    # The last call is asked about, not the next one.
    return [replace(each, attempt=each.attempt - 1, taken=taken.get(each.id, ())) for each in envelopes]


def verdict(conn: psycopg.Connection[Any], id: int, who: Claimant, *, now: dt.datetime) -> Foreseen | None:
    """What claiming this message now would make of it; all of it is rolled back. None: it does not wait."""
    with conn.transaction(force_rollback=True):
        with conn.cursor(row_factory=class_row(Row)) as cur:
            rows = cur.execute(_ONE, [id]).fetchall()
        if not rows:
            return None
        decided(conn, rows, who, now=now)
        with conn.cursor(row_factory=class_row(Foreseen)) as cur:
            query = "select state, reason, due_at from messaging.messages where id = %s"
            return cur.execute(query, [id]).fetchone()


def decided(
    conn: psycopg.Connection[Any],
    rows: Sequence[Row],
    who: Claimant,
    *,
    now: dt.datetime,
    batch: UUID | None = None,
) -> Claimed:
    """Claim these locked messages, or stop them, by the rules and what is true in this transaction.

    Args:
        batch: the call that they share.
    """
    stops = _Stops()
    readings = _readings(conn, rows, who, now)
    opened = {row.id: _letter(row, who.letters, readings, stops) for row in rows}
    kept = [row for row in rows if opened[row.id] is not None]
    known = people.organizations(conn, {row.organization_id for row in kept}, who.clinic)
    persons = people.patients(conn, _patients(kept), who.clinic)
    about = {row.id: readings.get(row.cause) if row.cause else None for row in kept}
    possible = {row.id: destinations(row, opened[row.id], about[row.id], persons, who.letters) for row in kept}
    hashes = [address.hash for each in possible.values() for address in each if address.hash is not None]
    permissions = people.permissions(conn, sorted(persons), hashes, now=now)
    addresses = {
        row.id: next(
            (each for each in possible[row.id] if permissions.suppressed(row.channel, each.hash) is None),
            possible[row.id][0],
        )
        for row in kept
    }
    duplicates = dict(conn.execute(_SIBLINGS, {"ids": [row.id for row in kept]}).fetchall())

    envelopes: list[tuple[Envelope, bytes, bytes | None]] = []
    for row in kept:
        address, person = addresses[row.id], persons.get(row.patient_id or "")
        letter, reading = opened[row.id], about[row.id]
        assert letter is not None  # noqa: S101  kept above
        facts = Facts(
            channel=row.channel, category=row.category, heeds_quiet=row.heeds_quiet,
            organization=known.get(row.organization_id),
            patient_id=row.patient_id,
            patient=person.patient if person and person.organization_id == row.organization_id else None,
            address_problem=problem(row, address, reading),
            preferences=permissions.preferences(row.channel, row.organization_id, row.patient_id, address.hash),
            suppressed=permissions.suppressed(row.channel, address.hash),
            duplicate=duplicates.get(row.id),
            cause=reading.towards(row.organization_id, row.patient_id) if reading else None,
            cause_version=row.cause_version,
            not_after=row.not_after,
        )  # fmt: skip
        match decide(facts, now):
            case Skip(reason, detail):
                stops.add(row, "skipped", f"{reason}: {detail}")
            case Defer(until):
                stops.add(row, "deferred", "quiet_hours: until the clinic's morning", until)
            case Expire(detail):
                stops.add(row, "expired", detail)
            case Send() if row.may_be_sent and not _knows_repeat(row, who, now):
                stops.add(row, "unknown", "the provider would not know a repetition any more")
            case Send():
                made = _content(row, letter, address, known.get(row.organization_id), who.letters, stops)
                if made is not None:
                    content, digest = made
                    envelopes.append((_envelope(row, address.to, content, who), digest, address.hash))
    return _write(conn, envelopes, stops, who, now, batch)


def _readings(
    conn: psycopg.Connection[Any], rows: Sequence[Row], who: Claimant, now: dt.datetime
) -> dict[tuple[str, str], causes.Reading]:
    about = {row.cause: row.organization_id for row in rows if row.cause}
    return causes.read(conn, about, now=now, clinic=who.clinic)


def _patients(rows: Sequence[Row]) -> set[tuple[str, str]]:
    return {(row.organization_id, row.patient_id) for row in rows if row.patient_id}


def _letter(
    row: Row, letters: Letters, readings: Mapping[tuple[str, str], causes.Reading], stops: _Stops
) -> Letter | None:
    try:
        if row.content is not None:
            return letters.open(row.content, row.key)
        reading = readings.get(row.cause) if row.cause else None
        if reading is not None and not reading.now.exists:
            stops.add(row, "skipped", f"stale: {reading.now.why}")
            return None
        return letters.again(row.cause_kind, row.cause_id, row.template, reading.variables if reading else {})
    except MessagingError as error:
        stops.add(row, "skipped", f"unusable: {error}")
        return None


def _content(
    row: Row, letter: Letter, address: Destination, clinic: Organization | None, letters: Letters, stops: _Stops
) -> tuple[Content, bytes] | None:
    subject = Subject(
        key=row.key, channel=row.channel, category=row.category, organization_id=row.organization_id,
        patient_id=row.patient_id, address_hash=address.hash, template=row.template,
        reply_to=clinic.reply_to if clinic else None,
    )  # fmt: skip
    try:
        content = letters.content(subject, letter)
    except MessagingError as error:
        stops.add(row, "skipped", f"unusable: {error}")
        return None
    digest = letters.digest(address.to, content)
    if row.may_be_sent and row.content_hash not in (None, digest):
        # The provider would take it for another message.
        stops.add(row, "unknown", "the outcome of the last call is unknown, and the message would now be another")
        return None
    return content, digest


def _knows_repeat(row: Row, who: Claimant, now: dt.datetime) -> bool:
    if row.provider != who.provider or row.first_called_at is None:
        return False
    return now - row.first_called_at < who.repeat_within


def _envelope(row: Row, to: str, content: Content, who: Claimant) -> Envelope:
    return Envelope(
        id=row.id, key=keys.of_call(row.key, row.generation), channel=row.channel,
        account=row.account or who.account, organization_id=row.organization_id, to=to, content=content,
        attempt=row.attempt + 1, first_called_at=row.first_called_at,
    )  # fmt: skip


def _write(
    conn: psycopg.Connection[Any], envelopes: list[tuple[Envelope, bytes, bytes | None]], stops: _Stops,
    who: Claimant, now: dt.datetime, batch: UUID | None,
) -> Claimed:  # fmt: skip
    if stops.rows:
        ids, states, reasons, due = zip(*stops.rows, strict=True)
        conn.execute(_STOP, {
            "id": list(ids), "state": list(states), "reason": list(reasons), "due_at": list(due), "now": now,
            "run_id": who.run_id,
        })  # fmt: skip
    if envelopes:
        conn.execute(_CLAIM, {
            "id": [e.id for e, _, _ in envelopes], "content_hash": [digest for _, digest, _ in envelopes],
            "address_masked": [mask(e.channel, e.to) for e, _, _ in envelopes],
            "address_hash": [hashed for _, _, hashed in envelopes],
            "now": now, "lease": who.lease, "run_id": who.run_id, "provider": who.provider, "batch": batch,
        })  # fmt: skip
    stopped = Counter((state, reason.partition(":")[0]) for _, state, reason, _ in stops.rows)
    return Claimed([e for e, _, _ in envelopes], stopped)


def capacity(requests_per_second: float, most: int) -> int:
    """How many messages to have in hand, so that the pace is kept while answers take :data:`ANSWER_SECONDS`."""
    return most if not requests_per_second else max(1, min(most, math.ceil(requests_per_second * ANSWER_SECONDS)))
