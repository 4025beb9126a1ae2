"""What messages follow from, and reading it again: still wanted, still the same, and its words.

Here: one row a kind of cause, with the SQL that reads many of them at once, from the clinic's relations or from
our own tables. Not here: what follows from the answer (``rules.py``), and what an app asked for (``requests.py``
turns an event's payload into content).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from fisio_ayida.messaging.model import Cause, MessagingError
from fisio_ayida.messaging.rules import CauseNow
from fisio_ayida.warehouse.clinic import ClinicDoor

Connection = psycopg.Connection[Any]

# Each query takes %(ids)s and %(now)s and gives (id, version, wanted, why, useless_from, variables, to). Those of
# the clinic's relations may be in another database than our policies, which they take as %(policies)s.
_POLICIES: Final = """
select coalesce(jsonb_object_agg(organization_id, jsonb_build_object(
  'zone', zone, 'address', nullif(trim(address), ''), 'phone', nullif(trim(phone), ''))), '{}')
from messaging.policies where organization_id = any(%s)
"""
_ZONE = "coalesce(%(policies)s::jsonb -> {of}.organization_id ->> 'zone', 'America/Sao_Paulo')"
_NAME = "coalesce(nullif(trim(p.social_name), ''), p.full_name)"
_VARIABLES = f"""
jsonb_strip_nulls(jsonb_build_object(
  'nome', {_NAME}, 'clinica', o.name, 'profissional', s.full_name,
  'data', to_char(a.date, 'YYYY-MM-DD'), 'hora', to_char(a.start_time, 'HH24:MI'),
  'endereco', %(policies)s::jsonb -> a.organization_id ->> 'address',
  'telefone', %(policies)s::jsonb -> a.organization_id ->> 'phone'))
"""
_APPOINTMENTS = f"""
select a.id, to_char(a.date + a.start_time, 'YYYY-MM-DD"T"HH24:MI') as version,
       clinic.status_class(a.status, a.organization_id) as class,
       a.deleted_at is null and p.id is not null as exists_now, a.date, a.start_time,
       (a.date + a.start_time) at time zone {_ZONE.format(of="a")} as starts_at,
       {_VARIABLES} as variables
from clinic.appointments a
left join clinic.patients p on p.id = a.patient_id and p.deleted_at is null
left join clinic.organizations o on o.id = a.organization_id
left join clinic.staff s on s.user_id = a.therapist_id and s.organization_id = a.organization_id
where a.id = any(%(ids)s)
"""
_APPOINTMENT = f"""
select id, version, exists_now and class in ('upcoming', 'confirmed'),
       case when not exists_now then 'it was deleted' else 'its state is ' || class end, starts_at, variables, null
from ({_APPOINTMENTS}) a
"""
_VISIT = f"""
select id, version, exists_now and class = 'done',
       case when not exists_now then 'it was deleted' else 'its state is ' || class end, null::timestamptz,
       variables - 'profissional' - 'hora' - 'endereco' - 'telefone', null
from ({_APPOINTMENTS}) a
"""
_SEVERAL = f"""
with wanted as (select w.id as whole, each.id as id from unnest(%(ids)s::text[]) w (id)
                cross join lateral unnest(string_to_array(w.id, ',')) each (id)),
     each as ({_APPOINTMENTS.replace("%(ids)s", "(select array_agg(id) from wanted)::text[]")})
select w.whole, string_agg(e.version, ',' order by e.version, e.id),
       bool_and(coalesce(e.exists_now and e.class in ('upcoming', 'confirmed'), false)),
       'one of the visits is off', min(e.starts_at),
       jsonb_strip_nulls(jsonb_build_object(
         'nome', min(e.variables ->> 'nome'), 'clinica', min(e.variables ->> 'clinica'),
         'data', min(e.variables ->> 'data'), 'endereco', min(e.variables ->> 'endereco'),
         'telefone', min(e.variables ->> 'telefone'),
         'visitas', jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
           'hora', e.variables ->> 'hora', 'profissional', e.variables ->> 'profissional'))
           order by e.version, e.id))), null
from wanted w left join each e using (id) group by w.whole
"""
_PATIENT = f"""
select p.id, null, p.deleted_at is null, 'the patient was deleted', null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object(
         'nome', {_NAME}, 'clinica', o.name,
         'telefone', %(policies)s::jsonb -> p.organization_id ->> 'phone')), null
from clinic.patients p left join clinic.organizations o on o.id = p.organization_id
where p.id = any(%(ids)s)
"""
_BIRTHDAY = f"""
select p.id, to_char(p.date_of_birth, 'MM-DD'), p.deleted_at is null, 'the patient was deleted', null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object('nome', {_NAME}, 'clinica', o.name, 'profissional', s.full_name)), null
from clinic.patients p left join clinic.organizations o on o.id = p.organization_id
left join clinic.staff s on s.user_id = p.professional_id and s.organization_id = p.organization_id and s.is_active
where p.id = any(%(ids)s)
"""
# The civil day of the clinic; FisioFlow keeps a day in one shape of its tables and an instant in the other.
PACKAGE_EXPIRY: Final = f"coalesce(g.expires_on, (g.expires_at at time zone {_ZONE.format(of='g')})::date)"
_PACKAGE = f"""
select g.id, to_char(g.expiry, 'YYYY-MM-DD'),
       g.deleted_at is null and g.is_active and coalesce(g.remaining_sessions, 0) > 0,
       'it is used up or no longer active', (g.expiry + 1)::timestamp at time zone g.zone,
       jsonb_strip_nulls(jsonb_build_object(
         'nome', {_NAME}, 'clinica', o.name, 'pacote', coalesce(nullif(trim(g.name), ''), 'Pacote de sessões'),
         'data', to_char(g.expiry, 'YYYY-MM-DD'), 'saldo', g.remaining_sessions,
         'telefone', %(policies)s::jsonb -> g.organization_id ->> 'phone')), null
from (select g.*, {PACKAGE_EXPIRY} as expiry, {_ZONE.format(of="g")} as zone from clinic.packages g
      where g.id = any(%(ids)s)) g
left join clinic.patients p on p.id = g.patient_id left join clinic.organizations o on o.id = g.organization_id
"""
# Who books meanwhile needs no invitation.
_REACTIVATION = f"""
select p.id, to_char(v.last, 'YYYY-MM-DD'), p.deleted_at is null and not v.booked,
       case when v.booked then 'a visit is booked' else 'the patient was deleted' end, null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object(
         'nome', {_NAME}, 'clinica', o.name,
         'telefone', %(policies)s::jsonb -> p.organization_id ->> 'phone')), null
from clinic.patients p left join clinic.organizations o on o.id = p.organization_id
cross join lateral (
  select max(a.date) filter (where a.class = 'done') as last,
         coalesce(bool_or(a.class in ('upcoming', 'confirmed')
                  and (a.date + a.start_time) at time zone {_ZONE.format(of="p")} > %(now)s), false) as booked
  from (select a.date, a.start_time, clinic.status_class(a.status, a.organization_id) as class
        from clinic.appointments a where a.patient_id = p.id and a.deleted_at is null) a) v
where p.id = any(%(ids)s)
"""
# The answer speaks of the visit that was asked about; of several, of the first one.
_REPLY_LINKS = """
select r.id::text as id, m.patient_id, m.organization_id,
       case when m.cause_kind in ('appointment', 'appointments')
            then string_to_array(m.cause_id, ',') end as visits
from messaging.replies r left join messaging.messages m on m.id = r.message_id
where r.id = any(array(select id::bigint from unnest(%(ids)s::text[]) id where id ~ '^[0-9]{1,18}$'))
"""
_REPLY = f"""
select l.id, null, true, '', null::timestamptz, jsonb_strip_nulls(jsonb_build_object(
  'nome', {_NAME}, 'clinica', o.name,
  'data', to_char(a.date, 'YYYY-MM-DD'), 'hora', to_char(a.start_time, 'HH24:MI'))), null
from jsonb_to_recordset(%(links)s) l (id text, patient_id text, organization_id text, visits text[])
left join clinic.patients p on p.id = l.patient_id
left join clinic.organizations o on o.id = l.organization_id
left join lateral (
  select date, start_time from clinic.appointments
  where id = any(l.visits) order by date, start_time limit 1) a on true
"""
_NOTICE_LINKS = """
select id, organization_id, user_id, variables from messaging.notices where id = any(%(ids)s)
"""
_NOTICE = """
select l.id, null, s.user_id is not null, 'this person does not work there any more', null::timestamptz,
       l.variables, s.email
from jsonb_to_recordset(%(links)s) l (id text, organization_id text, user_id text, variables jsonb)
left join clinic.staff s on s.user_id = l.user_id and s.organization_id = l.organization_id and s.is_active
"""
# To the project's operators: nobody's staff.
_OPERATORS = """
select id, null, true, '', null::timestamptz, variables, null from messaging.notices where id = any(%(ids)s)
"""
_CIRCUIT = """
select concat_ws('|', provider, account, organization_id), null, opened_at is not null, 'it works again',
       null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object(
         'canal', concat_ws(' ', provider, nullif(account, '')), 'motivo', nullif(reason, ''),
         'inicio', to_char(opened_at at time zone 'America/Sao_Paulo', 'YYYY-MM-DD"T"HH24:MI'),
         'organizacao', nullif(organization_id, ''))), null
from messaging.circuits where concat_ws('|', provider, account, organization_id) = any(%(ids)s)
"""
# An id is the event's, a bar, and the item's place in a batch, or nothing for an event of one message.
_EVENT = """
select w.id, null, true, '', null::timestamptz, jsonb_build_object('name', i.name, 'data', i.data), null
from unnest(%(ids)s::text[]) w (id)
join events.inbox i on i.id = regexp_replace(w.id, '[|][0-9.]*$', '')
"""

_GONE = "it no longer exists"


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
    "appointment": _kind(_APPOINTMENT, "nome", "clinica", "profissional", "data", "hora", "endereco", "telefone"),
    "appointments": _kind(_SEVERAL, "nome", "clinica", "data", "visitas", "endereco", "telefone"),
    "visit": _kind(_VISIT, "nome", "clinica", "data"),
    "patient": _kind(_PATIENT, "nome", "clinica", "telefone"),
    "birthday": _kind(_BIRTHDAY, "nome", "clinica", "profissional"),
    "package": _kind(_PACKAGE, "nome", "clinica", "pacote", "data", "saldo", "telefone"),
    "reactivation": _kind(_REACTIVATION, "nome", "clinica", "telefone"),
    "reply": _kind(_REPLY, "nome", "clinica", "data", "hora", links=_REPLY_LINKS),
    "notice": Kind(_NOTICE, None, links=_NOTICE_LINKS, knows_address=True),
    "operators": Kind(_OPERATORS, None, is_ours=True, knows_address=True),
    "circuit": _kind(
        _CIRCUIT, "canal", "motivo", "inicio", "organizacao", is_ours=True, knows_address=True
    ),
    "event": Kind(_EVENT, None, is_ours=True, knows_address=True),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A cause as it is now, what a message about it would say, and where it goes if the cause knows that."""

    now: CauseNow
    variables: Mapping[str, Any]
    to: str | None = None


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
    values = {"now": now, "policies": _policies(conn, wanted)}
    for kind, by_organization in wanted.items():
        rows = _rows(conn, kind, by_organization, values, clinic)
        for id, version, is_wanted, why, useless_from, variables, to in rows:
            today = CauseNow(
                exists=True, wanted=bool(is_wanted), version=version, why=why, useless_from=useless_from
            )
            found[kind, id] = Reading(today, variables or {}, to)
    gone = CauseNow(exists=False, wanted=False, version=None, why=_GONE, useless_from=None)
    return found | {each: Reading(gone, {}) for each in causes if each not in found}


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
