"""What was decided about a patient or a visit, in order of time, and what the rules say of the patient today.

Read only; ids, states and reasons, never a name, a text or an address in clear. Here: finding it in the clinic's
relations, the outbox and the jobs' decisions. Not here: one message step by step (``messaging/story.py``), and
what a job would decide next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging import people
from fisio_ayida.messaging.addresses import AddressError, AddressProblem, canonical
from fisio_ayida.messaging.model import CHANNELS, Category, Channel
from fisio_ayida.messaging.rules import Defer, Expire, Facts, Organization, Skip, Verdict, decide
from fisio_ayida.messaging.sealing import Hasher
from fisio_ayida.telemetry import mask
from fisio_ayida.warehouse.clinic import ClinicDoor

Connection = psycopg.Connection[Any]
#: A channel, what is wrong with the address there, and its hash.
Address = tuple[Channel, AddressProblem | None, bytes | None]

_CATEGORIES: Final = tuple(each for each in get_args(Category) if each != "direct")
_ORGANIZATIONS: Final = "select id from clinic.organizations order by id"
_FIND: Final = """
select 'patient' as kind, id, organization_id, id as patient_id,
       case when deleted_at is not null then 'deleted' when is_active then 'active' else 'inactive' end as state
from clinic.patients where id = %(id)s
union all
select 'appointment', id, organization_id, patient_id,
       case when deleted_at is not null then 'deleted, ' else '' end
       || clinic.status_class(status, organization_id) || to_char(date + start_time, ', YYYY-MM-DD HH24:MI')
from clinic.appointments where id = %(id)s
"""
# Of whom FisioFlow knows nothing any more, we may still know what was decided.
_TRACES: Final = """
select 'patient' as kind, patient_id as id, organization_id, patient_id, 'gone' as state
from {table} where patient_id = %(id)s
union all
select 'appointment', %(id)s, organization_id, patient_id, 'gone'
from {table} where {about} limit 1
"""
# A message about several visits of a day is about each of them.
_ABOUT_VISIT: Final = """
((cause_kind in ('appointment', 'visit') and cause_id = %(id)s)
 or (cause_kind = 'appointments' and (%(patient)s::text is null or patient_id = %(patient)s)
     and %(id)s = any(string_to_array(cause_id, ','))))
"""
_MESSAGES: Final = """
select planned_at as at, 'message' as what, job, coalesce(template, job) as about, channel, state, reason, key,
       nullif(address_masked, '') as address_masked, changed_at, nullif(due_at, 'infinity') as due_at, run_id,
       id as message_id
from messaging.messages where {where}
"""
_DECISIONS: Final = """
select at, outcome as what, job, template as about, channel, null as state,
       nullif(concat_ws(': ', nullif(reason, ''), nullif(detail, '')), '') as reason, key, null as address_masked,
       null::timestamptz as changed_at, due_at, run_id, null::bigint as message_id
from jobs.decisions where {where}
"""
# What nobody could assign to a message may be of anybody with that address.
_REPLIES: Final = """
select received_at as at, 'reply' as what, null as job, 'reply ' || id as about, 'whatsapp' as channel,
       intent as state, outcome as reason, null as key, address_masked, handled_at as changed_at,
       null::timestamptz as due_at, null as run_id, message_id
from messaging.replies
where message_id = any(%(messages)s) or (message_id is null and address_hash = any(%(hashes)s))
"""
_PREFERENCES: Final = """
select at, 'preference' as what, null as job, category as about, channel,
       case when allowed then 'allowed' else 'forbidden' end as state, 'by ' || source as reason, null as key,
       null as address_masked, null::timestamptz as changed_at, null::timestamptz as due_at, null as run_id,
       null::bigint as message_id
from messaging.preferences
where organization_id in ('', %(organization)s) and (patient_id = %(patient)s or address_hash = any(%(hashes)s))
"""
_SUPPRESSIONS: Final = """
select at, 'suppression' as what, null as job, 'address' as about, channel, 'suppressed' as state, reason,
       null as key, null as address_masked, null::timestamptz as changed_at, expires_at as due_at, null as run_id,
       null::bigint as message_id
from messaging.suppressions where address_hash = any(%(hashes)s)
"""


class Unknown(ValueError):
    """Neither FisioFlow nor we know of such a patient or visit."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who or what is asked about. ``state``: active, a visit's class and civil start, or gone."""

    kind: Literal["patient", "appointment"]
    id: str
    organization_id: str | None
    patient_id: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was decided or said.

    Args:
        what: message, withheld, shadow, reply, preference or suppression.
        about: a message's template, a preference's category, a reply's id.
        state: of a message, its present one; of a reply, the intention.
        reason, key: masked.
        changed_at: when the state began, or the reply was acted on.
        due_at: of a message, when it may go; of a suppression, its end.
    """

    at: dt.datetime
    what: str
    job: str | None
    about: str | None
    channel: str | None
    state: str | None
    reason: str | None
    key: str | None
    address_masked: str | None
    changed_at: dt.datetime | None
    due_at: dt.datetime | None
    run_id: str | None
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Permission:
    """What the rules say now of a message to the patient. ``verdict``: send, or why not."""

    channel: str
    category: str
    verdict: str
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it. ``zone``: the clinic's own. ``today`` is empty where there is no patient."""

    subject: Subject
    zone: str
    entries: list[Entry]
    today: list[Permission]


def explain(conn: Connection, door: ClinicDoor, hasher: Hasher, id: str, *, now: dt.datetime) -> Explanation:
    """What is known of the patient or the visit with this id.

    Raises:
        Unknown: there is none, and none was.
    """
    subject = _find(conn, door, id) or _trace(conn, id)
    if subject is None:
        raise Unknown(f"{id!r} is neither a patient nor an appointment, and nothing was ever decided about it")
    organization = subject.organization_id or ""
    clinic = people.organizations(conn, [organization], door).get(organization)
    person = None
    if subject.patient_id is not None and organization:
        found = people.patients(conn, [(organization, subject.patient_id)], door)
        person = found.get(subject.patient_id)
    addresses = _addresses(person, hasher)
    hashes = [digest for _, _, digest in addresses if digest is not None]
    today = [] if person is None or clinic is None else _today(conn, subject, clinic, person, addresses, now)
    zone = clinic.quiet.zone if clinic is not None else "UTC"
    return Explanation(subject, zone, _entries(conn, subject, hashes), today)


def _find(conn: Connection, door: ClinicDoor, id: str) -> Subject | None:
    all_of_them = [each for (each,) in door.on(conn).execute(_ORGANIZATIONS)]
    # Under row security each clinic is asked alone, and the others are left in peace once it is found.
    for group in [all_of_them] if door.tenant is None else [[each] for each in all_of_them]:
        for found in door.each(conn, group, lambda there, _: _subject(there, _FIND, id), must_see=False):
            if found is not None:
                return found
    return None


def _trace(conn: Connection, id: str) -> Subject | None:
    for table in ("messaging.messages", "jobs.decisions"):
        if found := _subject(conn, _TRACES.format(table=table, about=_ABOUT_VISIT), id):
            return found
    return None


def _subject(conn: Connection, query: str, id: str) -> Subject | None:
    with conn.cursor(row_factory=class_row(Subject)) as cur:
        return cur.execute(query, {"id": id, "patient": None}).fetchone()


def _addresses(person: people.Person | None, hasher: Hasher) -> list[Address]:
    """The patient's addresses of today; each channel has at least one."""
    found: list[Address] = []
    for channel in CHANNELS if person is not None else ():
        for given in (person.addresses[channel] if person else ()) or (None,):
            try:
                found.append((channel, None, hasher.address(channel, canonical(channel, given))))
            except AddressError as error:
                found.append((channel, error.reason, None))
    return found


def _today(
    conn: Connection, subject: Subject, clinic: Organization, person: people.Person,
    addresses: Sequence[Address], now: dt.datetime,
) -> list[Permission]:  # fmt: skip
    """The rules asked about a message of each category on each channel that would be due now."""
    patient = subject.patient_id or ""
    hashes = [digest for _, _, digest in addresses if digest is not None]
    said = people.permissions(conn, [patient], hashes, now=now)
    permissions = []
    for channel in CHANNELS:
        own = [(problem, digest) for each, problem, digest in addresses if each == channel]
        problem, digest = next((each for each in own if said.suppressed(channel, each[1]) is None), own[0])
        for category in _CATEGORIES:
            facts = Facts(
                channel=channel, category=category, heeds_quiet=True, organization=clinic, patient_id=patient,
                patient=person.patient if person.organization_id == subject.organization_id else None,
                address_problem=problem,
                preferences=said.preferences(channel, subject.organization_id or "", patient, digest),
                suppressed=said.suppressed(channel, digest),
            )  # fmt: skip
            verdict, detail = _words(decide(facts, now), ZoneInfo(clinic.quiet.zone))
            permissions.append(Permission(channel, category, verdict, mask(detail)))
    return permissions


def _words(verdict: Verdict, zone: ZoneInfo) -> tuple[str, str]:
    match verdict:
        case Skip(reason, detail):
            return reason, detail
        case Defer(until, reason):
            return reason, f"until {until.astimezone(zone):%Y-%m-%d %H:%M}"
        case Expire(detail):
            return "expired", detail
        case _:
            return "send", ""


def _entries(conn: Connection, subject: Subject, hashes: Sequence[bytes]) -> list[Entry]:
    where = "patient_id = %(patient)s" if subject.kind == "patient" else _ABOUT_VISIT
    values: dict[str, Any] = {
        "id": subject.id, "patient": subject.patient_id, "organization": subject.organization_id or "",
        "hashes": list(hashes),
    }  # fmt: skip
    messages = _rows(conn, _MESSAGES.format(where=where), values)
    values["messages"] = [each.message_id for each in messages]
    # A stranger's words from a shared telephone do not speak of this visit.
    replies = _rows(conn, _REPLIES, values if subject.kind == "patient" else {**values, "hashes": []})
    entries = [
        *messages, *_rows(conn, _DECISIONS.format(where=where), values), *replies,
        *_rows(conn, _PREFERENCES, values), *_rows(conn, _SUPPRESSIONS, values),
    ]  # fmt: skip
    return sorted(entries, key=lambda entry: (entry.at, entry.key or ""))


def _rows(conn: Connection, query: str, values: dict[str, Any]) -> list[Entry]:
    with conn.cursor(row_factory=class_row(Entry)) as cur:
        found = cur.execute(query, values).fetchall()
    # What an app asks for has a key in its own words.
    return [
        replace(entry, key=entry.key and mask(entry.key), reason=entry.reason and mask(entry.reason))
        for entry in found
    ]  # fmt: skip
