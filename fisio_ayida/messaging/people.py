"""What the rules have to know of a message's clinic, patient and address, read for many messages at once.

Here: the queries, and turning their rows into the rules' facts. Not here: the rules (``rules.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from fisio_ayida.messaging.model import CHANNELS, Channel, MessagingError
from fisio_ayida.messaging.quiet import DEFAULT, Quiet
from fisio_ayida.messaging.rules import Organization, Patient, Preference

# A channel is on unless the clinic has switched it off (§2.3: what is absent was read both ways).
_ORGANIZATIONS = """
select o.id, o.is_active, o.settings ->> 'email_enabled' as email, o.settings ->> 'whatsapp_enabled' as whatsapp,
       o.settings ->> 'push_enabled' as push, nullif(y.reply_to, '') as reply_to,
       coalesce(y.zone, 'America/Sao_Paulo') as zone, coalesce(y.quiet_from, '21:00') as quiet_from,
       coalesce(y.quiet_to, '08:00') as quiet_to, coalesce(y.quiet_weekends, false) as quiet_weekends,
       coalesce(y.marketing_basis, 'consent') as marketing_basis
from clinic.organizations o left join messaging.policies y on y.organization_id = o.id where o.id = any(%s)
"""
_PATIENTS = """
select p.id, p.organization_id, p.is_active and p.deleted_at is null as is_active, p.email, p.phone,
       array(select token from clinic.push_tokens where user_id = p.user_id and active order by token) as tokens
from clinic.patients p
where p.id = any(%s)
"""
_PREFERENCES = """
select id, organization_id, patient_id, address_hash, channel, category, allowed, at from messaging.preferences
where patient_id = any(%(patients)s) or address_hash = any(%(addresses)s)
"""
_SUPPRESSIONS = """
select channel, address_hash, reason from messaging.suppressions
where address_hash = any(%(addresses)s) and (expires_at is null or expires_at > %(now)s)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """A patient of the clinic, with the addresses of today; one who has several devices has as many for push."""

    organization_id: str | None
    patient: Patient
    addresses: Mapping[Channel, Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Permissions:
    """What people have allowed and forbidden, and where nothing may go."""

    _rows: Mapping[str | bytes, list[Any]]
    _suppressed: Mapping[tuple[str, bytes], str]

    def preferences(
        self, channel: Channel, organization_id: str, patient_id: str | None, address_hash: bytes | None
    ) -> tuple[Preference, ...]:
        """What this person said to this clinic, or to all, about this channel."""
        rows = [
            row for subject in (patient_id, address_hash) if subject is not None
            for row in self._rows.get(subject, ())
            if row.channel == channel and row.organization_id in ("", organization_id)
        ]  # fmt: skip
        return tuple(Preference(row.category, row.allowed, row.at, row.id) for row in rows)

    def suppressed(self, channel: Channel, address_hash: bytes | None) -> str | None:
        """Why nothing may go to this address."""
        return None if address_hash is None else self._suppressed.get((channel, address_hash))


def organizations(conn: psycopg.Connection[Any], ids: Sequence[str]) -> dict[str, Organization]:
    """The clinics that exist."""
    with conn.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_ORGANIZATIONS, [list(ids)]).fetchall()
    return {row.id: _organization(row) for row in rows}


def patients(conn: psycopg.Connection[Any], ids: Sequence[str]) -> dict[str, Person]:
    """The patients that exist."""
    with conn.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_PATIENTS, [list(ids)]).fetchall()
    return {
        row.id: Person(
            row.organization_id, Patient(row.is_active),
            {"email": (row.email,), "whatsapp": (row.phone,), "push": tuple(row.tokens)},
        )
        for row in rows
    }  # fmt: skip


def permissions(
    conn: psycopg.Connection[Any], patient_ids: Sequence[str], address_hashes: Sequence[bytes], *, now: dt.datetime
) -> Permissions:
    """All that these people and addresses have said, and the addresses that are suppressed."""
    subjects = {"patients": list(patient_ids), "addresses": list(address_hashes), "now": now}
    found: dict[str | bytes, list[Any]] = defaultdict(list)
    with conn.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_PREFERENCES, subjects).fetchall()
        for row in rows:
            found[row.patient_id if row.patient_id is not None else bytes(row.address_hash)].append(row)
    suppressed = {(channel, bytes(h)): reason for channel, h, reason in conn.execute(_SUPPRESSIONS, subjects)}
    return Permissions(found, suppressed)


def _organization(row: Any) -> Organization:
    off = frozenset(channel for channel in CHANNELS if getattr(row, channel) == "false")
    try:
        quiet = Quiet(row.zone, row.quiet_from, row.quiet_to, row.quiet_weekends)
    except MessagingError:
        # PostgreSQL knows names that Python does not. Nobody knows then when it is night there.
        return Organization(False, off, DEFAULT, row.marketing_basis, row.reply_to)
    return Organization(row.is_active, off, quiet, row.marketing_basis, row.reply_to)
