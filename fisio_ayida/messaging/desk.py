"""What an operator asks about messages: which ones, how many, and of whom.

Read only; ids, states and reasons, never a body, a name or an address in clear. Not here: one message with its
history (``story.py``), what a person does to messages (``acts.py``), and how well they arrive (``rates.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from fisio_ayida.messaging.addresses import AddressError, canonical
from fisio_ayida.messaging.causes import KINDS
from fisio_ayida.messaging.model import CHANNELS, STATES
from fisio_ayida.messaging.sealing import Hasher
from fisio_ayida.messaging.templates.registry import TEMPLATES
from fisio_ayida.warehouse.clinic import ClinicDoor

Connection = psycopg.Connection[Any]

_LIST = """
select m.id, m.key, coalesce(m.template, m.job) as what, m.category, m.channel, m.address_masked,
       m.organization_id, m.patient_id, m.state, m.attempt,
       nullif(m.due_at, 'infinity') as due_at, m.changed_at, m.provider, m.run_id, m.reason,
       m.error_code
from messaging.messages m where {where} order by m.id desc limit %(limit)s
"""
_COUNTS = """
select coalesce(m.template, m.job) as what, m.channel, m.state, count(*) as messages
from messaging.messages m where {where} group by 1, 2, 3 order by 1, 2, 3
"""
# An appointment's messages may speak of other visits of the day too, and an event may ask for several messages.
_CAUSE = """
((m.cause_kind = %(cause_kind)s and m.cause_id = %(cause_id)s)
 or (%(cause_kind)s = 'appointment' and m.cause_kind = 'appointments'
     and %(cause_id)s = any(string_to_array(m.cause_id, ',')))
 or (%(cause_kind)s = 'event' and m.cause_kind = 'event' and starts_with(m.cause_id, %(cause_id)s || '|')))
"""


class BadQuestion(ValueError):
    """Nothing can answer this; the message names the option and the value, never an address."""


@dataclass(frozen=True, slots=True)
class Which:
    """The messages that an operator means. Every part narrows; an empty one does not.

    Args:
        ids: None: any.
        cause: kind and id; an appointment's are also those that speak of several visits.
        addresses: hashes.
        since: their present state began then or later.
    """

    ids: tuple[int, ...] | None = None
    states: tuple[str, ...] = ()
    channel: str | None = None
    organization: str | None = None
    patient: str | None = None
    template: str | None = None
    cause: tuple[str, str] | None = None
    addresses: tuple[bytes, ...] = ()
    since: dt.datetime | None = None

    def where(self) -> str:
        """The condition on ``messaging.messages m``; its parameters are :meth:`values`."""
        parts = {
            "m.id = any(%(ids)s)": self.ids is not None,
            # One state can be read from its index in the order of a list.
            "m.state = %(state)s": len(self.states) == 1,
            "m.state = any(%(states)s)": len(self.states) > 1,
            "m.channel = %(channel)s": self.channel is not None,
            "m.organization_id = %(organization)s": self.organization is not None,
            "m.patient_id = %(patient)s": self.patient is not None,
            "m.template = %(template)s": self.template is not None,
            _CAUSE: self.cause is not None,
            "m.address_hash = any(%(addresses)s)": bool(self.addresses),
            "m.changed_at >= %(since)s": self.since is not None,
        }
        return " and ".join(sql for sql, wanted in parts.items() if wanted) or "true"

    def values(self) -> dict[str, Any]:
        """The parameters of :meth:`where`."""
        kind, id = self.cause or (None, None)
        return {
            "ids": None if self.ids is None else list(self.ids), "states": list(self.states),
            "state": self.states[0] if self.states else None,
            "channel": self.channel, "organization": self.organization, "patient": self.patient,
            "template": self.template, "cause_kind": kind, "cause_id": id, "addresses": list(self.addresses),
            "since": self.since,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """One message in a list. ``what``: its template, or who planned it. ``due_at`` None: never again."""

    id: int
    key: str
    what: str
    category: str
    channel: str
    address_masked: str
    organization_id: str
    patient_id: str | None
    state: str
    attempt: int
    due_at: dt.datetime | None
    changed_at: dt.datetime
    provider: str | None
    run_id: str | None
    reason: str | None
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """Messages of one kind, channel and state."""

    what: str
    channel: str
    state: str
    messages: int


def messages(conn: Connection, which: Which, *, limit: int) -> list[Listed]:
    """These messages, newest first."""
    with conn.cursor(row_factory=class_row(Listed)) as cur:
        return cur.execute(_LIST.format(where=which.where()), {**which.values(), "limit": limit}).fetchall()


def counts(conn: Connection, which: Which) -> list[Count]:
    """How many of these messages there are."""
    with conn.cursor(row_factory=class_row(Count)) as cur:
        return cur.execute(_COUNTS.format(where=which.where()), which.values()).fetchall()


def ids(conn: Connection, which: Which) -> list[int]:
    """The ids of these messages, oldest first."""
    query = f"select m.id from messaging.messages m where {which.where()} order by m.id"
    return [id for (id,) in conn.execute(query, which.values())]


def named(conn: Connection, words: Sequence[str]) -> list[int]:
    """The ids of messages that are named one by one, by id or by key, in that order.

    Raises:
        BadQuestion: there is no such message.
    """
    numbers = [int(word) for word in words if _is_id(word)]
    found = conn.execute(
        "select id, key from messaging.messages where id = any(%s) or key = any(%s)", [numbers, list(words)]
    ).fetchall()
    by_key, by_id = {key: id for id, key in found}, {id for id, _ in found}
    named = []
    for word in words:
        if _is_id(word) and int(word) in by_id:
            named.append(int(word))
        elif word in by_key:
            named.append(by_key[word])
        else:
            raise BadQuestion(f"ID={word!r} is neither the id nor the key of a message")
    return list(dict.fromkeys(named))


def hashes(address: str, hasher: Hasher, channel: str | None = None) -> tuple[bytes, ...]:
    """The hashes under which messages to this address are found, on this channel or on each where it is one.

    Raises:
        BadQuestion: it is no address; the text does not repeat it.
    """
    found, problem = [], ""
    for each in CHANNELS:
        if channel in (None, each):
            try:
                found.append(hasher.address(each, canonical(each, address)))
            except AddressError as error:
                problem = str(error)
    if not found:
        raise BadQuestion(f"to is no address: {problem}" if channel else "to is no address on any channel")
    return tuple(found)


def known_states(states: Sequence[str], allowed: Sequence[str] = STATES) -> tuple[str, ...]:
    """The states as given; raises :class:`BadQuestion` for one that is not allowed."""
    return tuple(_one_of("state", state, allowed) for state in states)


def known_channel(channel: str | None) -> str | None:
    """The channel as given; raises :class:`BadQuestion` for one that does not exist."""
    return None if channel is None else _one_of("channel", channel, CHANNELS)


def known_template(name: str | None) -> str | None:
    """The template's name as given; raises :class:`BadQuestion` for one that does not exist."""
    return None if name is None else _one_of("template", name, tuple(TEMPLATES))


def known_cause(text: str | None) -> tuple[str, str] | None:
    """KIND:ID as a pair; raises :class:`BadQuestion` for a kind that does not exist."""
    if text is None:
        return None
    kind, colon, id = text.partition(":")
    if not colon or not id or kind not in KINDS:
        raise BadQuestion(f"cause={text!r} is not KIND:ID; kinds: {', '.join(KINDS)}")
    return kind, id


def known_clinic(conn: Connection, organization: str, clinic: ClinicDoor) -> str:
    """The organisation as given; raises :class:`BadQuestion` if there is none such."""
    query = "select 1 from clinic.organizations where id = %s"
    if clinic.within(conn, organization, lambda there: there.execute(query, [organization]).fetchone()) is None:
        raise BadQuestion(f"organization={organization!r} does not exist")
    return organization


def known_patient(conn: Connection, organization: str, patient: str, clinic: ClinicDoor) -> str:
    """The patient as given; raises :class:`BadQuestion` if this clinic has none such."""
    query, values = "select 1 from clinic.patients where id = %s and organization_id = %s", [patient, organization]
    if clinic.within(conn, organization, lambda there: there.execute(query, values).fetchone()) is None:
        raise BadQuestion(f"patient={patient!r} is not a patient of organization={organization!r}")
    return patient


def _one_of(option: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise BadQuestion(f"{option}={value!r} is not allowed; allowed: {', '.join(allowed)}")
    return value


def _is_id(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= 18
