"""What messages follow from, and reading it again: still wanted, still the same, and its words.

Here: one row a kind of cause, and reading many of them at once, from the clinic's relations or from our own
tables. Not here: the SQL (``cause_queries.py``), what follows from the answer (``rules.py``), and what an app
asked for (``requests.py`` turns an event's payload into content).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from fisio_ayida.messaging import cause_queries as queries
from fisio_ayida.messaging.model import Cause, MessagingError
from fisio_ayida.messaging.rules import CauseNow
from fisio_ayida.warehouse.clinic import ClinicDoor

Connection = psycopg.Connection[Any]

_POLICIES: Final = """
select coalesce(jsonb_object_agg(organization_id, jsonb_build_object(
  'zone', zone, 'address', nullif(trim(address), ''), 'phone', nullif(trim(phone), ''))), '{}')
from messaging.policies where organization_id = any(%s)
"""
_GONE = "it no longer exists"
_TWICE = "several rows have this id"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of cause is read again.

    Args:
        gives: the variables that this gives; None: the whole letter.
        is_ours: it is in our own tables; else in the clinic's relations.
        links: a query of our own tables whose rows the other one takes as %(links)s.
        knows_address: it tells where the message goes.
    """

    query: str
    gives: frozenset[str] | None
    is_ours: bool = False
    links: str | None = None
    knows_address: bool = False


def _kind(query: str, *gives: str, **more: Any) -> Kind:
    return Kind(query, frozenset(gives), **more)


#: By name. ``event`` gives the payload instead of variables.
KINDS: Mapping[str, Kind] = {
    "appointment": _kind(
        queries.APPOINTMENT, "nome", "clinica", "profissional", "data", "hora", "endereco", "telefone"
    ),
    "appointments": _kind(queries.SEVERAL, "nome", "clinica", "data", "visitas", "endereco", "telefone"),
    "visit": _kind(queries.VISIT, "nome", "clinica", "data"),
    "patient": _kind(queries.PATIENT, "nome", "clinica", "telefone"),
    "birthday": _kind(queries.BIRTHDAY, "nome", "clinica", "profissional"),
    "package": _kind(queries.PACKAGE, "nome", "clinica", "pacote", "data", "saldo", "telefone"),
    "reactivation": _kind(queries.REACTIVATION, "nome", "clinica", "telefone"),
    "reply": _kind(queries.REPLY, "nome", "clinica", "data", "hora", links=queries.REPLY_LINKS),
    "notice": Kind(queries.NOTICE, None, links=queries.NOTICE_LINKS, knows_address=True),
    "operators": Kind(queries.OPERATORS, None, is_ours=True, knows_address=True),
    "circuit": _kind(
        queries.CIRCUIT, "canal", "motivo", "inicio", "organizacao", is_ours=True, knows_address=True
    ),
    "event": Kind(queries.EVENT, None, is_ours=True, knows_address=True),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A cause as it is now, what a message about it would say, and where it goes if the cause knows that.

    Args:
        organization, patient: whose it is; '' for nobody's. None: it is no one's.
    """

    now: CauseNow
    variables: Mapping[str, Any]
    to: str | None = None
    organization: str | None = None
    patient: str | None = None

    def towards(self, organization: str, patient: str | None) -> CauseNow:
        """What it is for a message of this organisation to this patient; nothing, once it is another's.

        Args:
            organization, patient: '' and None for a message that names none.
        """
        if not self.now.wanted or self.organization is None:
            return self.now
        if patient is not None and self.patient != patient:
            return replace(self.now, wanted=False, why="it is another patient's now")
        if organization and self.organization != organization:
            return replace(self.now, wanted=False, why="it is another organisation's now")
        return self.now


def check(cause: Cause) -> None:
    """Raises :class:`MessagingError` for a kind that cannot be read again."""
    if cause.kind not in KINDS:
        raise MessagingError(f"cause.kind={cause.kind!r} is not known; known: {', '.join(KINDS)}")


def read(
    conn: Connection, causes: Mapping[tuple[str, str], str], *, now: dt.datetime, clinic: ClinicDoor
) -> dict[tuple[str, str], Reading]:
    """These causes as they are now, by (kind, id); one query a kind.

    Args:
        causes: the organisation that each belongs to ('' where there is none), by (kind, id).
    """
    wanted: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (kind, id), organization in causes.items():
        wanted[kind]["" if KINDS[kind].is_ours else organization].append(id)
    found: dict[tuple[str, str], Reading] = {}
    twice: set[tuple[str, str]] = set()
    values = {"now": now, "policies": _policies(conn, wanted)}
    for kind, by_organization in wanted.items():
        rows = _rows(conn, kind, by_organization, values, clinic)
        for id, version, is_wanted, why, useless_from, variables, *more in rows:
            if (kind, id) in found:
                twice.add((kind, id))
            today = CauseNow(
                exists=True, wanted=bool(is_wanted), version=version, why=why, useless_from=useless_from
            )
            found[kind, id] = Reading(today, variables or {}, *more)
    # Which of several is meant, nobody knows.
    found |= {each: _gone(_TWICE) for each in twice}
    return found | {each: _gone(_GONE) for each in causes if each not in found}


def _gone(why: str) -> Reading:
    return Reading(CauseNow(exists=False, wanted=False, version=None, why=why, useless_from=None), {})


def _policies(conn: Connection, wanted: Mapping[str, Mapping[str, list[str]]]) -> Jsonb:
    organizations = sorted({each for by_organization in wanted.values() for each in by_organization} - {""})
    row = conn.execute(_POLICIES, [organizations]).fetchone() if organizations else None
    return Jsonb(row[0] if row else {})


def _rows(
    conn: Connection, kind: str, by_organization: Mapping[str, list[str]], values: Mapping[str, Any],
    clinic: ClinicDoor,
) -> list[tuple[Any, ...]]:  # fmt: skip
    how = KINDS[kind]
    if how.is_ours:
        return conn.execute(how.query, {**values, "ids": by_organization[""]}).fetchall()

    def read_clinic(there: Connection, organizations: list[str]) -> list[tuple[Any, ...]]:
        ids = sorted({id for each in organizations for id in by_organization[each]})
        links = None
        if how.links is not None:
            with conn.cursor(row_factory=dict_row) as cur:
                links = Jsonb(cur.execute(how.links, {"ids": ids}).fetchall())
        return there.execute(how.query, {**values, "ids": ids, "links": links}).fetchall()

    groups = clinic.each(conn, sorted(by_organization), read_clinic, must_see=False)
    return [row for rows in groups for row in rows]
