"""What the rules have to know of a message's clinic, patient and address, read for many messages at once.

Here: the queries, and turning their rows into the rules' facts. Not here: the rules (``rules.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from fisio_ayida.messaging.model import CHANNELS, Channel, MessagingError
from fisio_ayida.messaging.quiet import DEFAULT, Quiet
from fisio_ayida.messaging.rules import Organization, Patient, Preference
from fisio_ayida.warehouse.clinic import ClinicDoor

Connection = psycopg.Connection[Any]

# A channel is on unless the clinic has switched it off (§2.3: what is absent was read both ways).
_ORGANIZATIONS = """
select id, is_active, settings ->> 'email_enabled' as email, settings ->> 'whatsapp_enabled' as whatsapp,
       settings ->> 'push_enabled' as push
from clinic.organizations where id = any(%s)
"""
_POLICIES = """
select organization_id, nullif(reply_to, '') as reply_to, zone, quiet_from, quiet_to, quiet_weekends,
       marketing_basis
from messaging.policies where organization_id = any(%s)
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


def organizations(conn: Connection, ids: Collection[str], clinic: ClinicDoor) -> dict[str, Organization]:
    """The clinics that exist."""
    # What an app asks for itself may belong to none.
    named = sorted(set(ids) - {""})
    if not named:
        return {}
    policies = {row.organization_id: row for row in _rows(conn, _POLICIES, named)}
    found = clinic.each(conn, named, lambda there, some: _rows(there, _ORGANIZATIONS, some), must_see=False)
    return {row.id: _organization(row, policies.get(row.id)) for rows in found for row in rows}


def patients(conn: Connection, ids: Iterable[tuple[str, str]], clinic: ClinicDoor) -> dict[str, Person]:
    """The patients that exist.

    Args:
        ids: each with the organisation in which it is looked for.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for organization, id in ids:
        wanted[organization].add(id)

    def read(there: Connection, organizations: Sequence[str]) -> list[Any]:
        return _rows(there, _PATIENTS, sorted({id for each in organizations for id in wanted[each]}))

    found = clinic.each(conn, sorted(wanted), read, must_see=False)
    return {
        row.id: Person(
            row.organization_id, Patient(row.is_active),
            {"email": (row.email,), "whatsapp": (row.phone,), "push": tuple(row.tokens)},
        )
        for rows in found for row in rows
    }  # fmt: skip


def permissions(
    conn: Connection, patient_ids: Sequence[str], address_hashes: Sequence[bytes], *, now: dt.datetime
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


def _organization(row: Any, policy: Any) -> Organization:
    off = frozenset(channel for channel in CHANNELS if getattr(row, channel) == "false")
    if policy is None:
        return Organization(row.is_active, off, DEFAULT, "consent")
    try:
        quiet = Quiet(policy.zone, policy.quiet_from, policy.quiet_to, policy.quiet_weekends)
    except MessagingError:
        # PostgreSQL knows names that Python does not. Nobody knows then when it is night there.
        return Organization(False, off, DEFAULT, policy.marketing_basis, policy.reply_to)
    return Organization(row.is_active, off, quiet, policy.marketing_basis, policy.reply_to)


def _rows(conn: Connection, query: str, ids: Sequence[str]) -> list[Any]:
    with conn.cursor(row_factory=namedtuple_row) as cur:
        return cur.execute(query, [list(ids)]).fetchall()
