"""What messages follow from, and reading it again: still wanted, still the same, and its words.

Here: one row a kind of cause, with the SQL that reads many of them at once. Not here: what follows from the answer
(``rules.py``), and what an app asked for (``requests.py`` turns an event's payload into content).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from fisio_ayida.messaging.model import Cause, MessagingError
from fisio_ayida.messaging.rules import CauseNow

#: Each query takes the ids as %(ids)s and gives (id, version, wanted, why, useless_from, variables).
_VARIABLES = """
jsonb_strip_nulls(jsonb_build_object(
  'nome', coalesce(nullif(trim(p.social_name), ''), p.full_name), 'clinica', o.name, 'profissional', s.full_name,
  'data', to_char(a.date, 'YYYY-MM-DD'), 'hora', to_char(a.start_time, 'HH24:MI'),
  'endereco', nullif(trim(y.address), ''), 'telefone', nullif(trim(y.phone), '')))
"""
_APPOINTMENTS = f"""
select a.id, to_char(a.date + a.start_time, 'YYYY-MM-DD"T"HH24:MI') as version,
       clinic.status_class(a.status) as class,
       a.deleted_at is null and p.id is not null as exists_now, a.date, a.start_time,
       (a.date + a.start_time) at time zone coalesce(y.zone, 'America/Sao_Paulo') as starts_at,
       {_VARIABLES} as variables
from clinic.appointments a
left join clinic.patients p on p.id = a.patient_id and p.deleted_at is null
left join clinic.organizations o on o.id = a.organization_id
left join clinic.staff s on s.user_id = a.therapist_id
left join messaging.policies y on y.organization_id = a.organization_id
where a.id = any(%(ids)s)
"""
_APPOINTMENT = f"""
select id, version, exists_now and class in ('upcoming', 'confirmed'),
       case when not exists_now then 'it was deleted' else 'its state is ' || class end, starts_at, variables
from ({_APPOINTMENTS}) a
"""
_VISIT = f"""
select id, version, exists_now and class = 'done',
       case when not exists_now then 'it was deleted' else 'its state is ' || class end, null::timestamptz,
       variables - 'profissional' - 'data' - 'hora' - 'endereco' - 'telefone'
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
           order by e.version, e.id)))
from wanted w left join each e using (id) group by w.whole
"""
_PATIENT = """
select p.id, null, p.deleted_at is null, 'the patient was deleted', null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object(
         'nome', coalesce(nullif(trim(p.social_name), ''), p.full_name), 'clinica', o.name,
         'telefone', nullif(trim(y.phone), '')))
from clinic.patients p left join clinic.organizations o on o.id = p.organization_id
left join messaging.policies y on y.organization_id = p.organization_id
where p.id = any(%(ids)s)
"""
# The answer speaks of the visit that was asked about; of several, of the first one.
_REPLY = """
select r.id::text, null, true, '', null::timestamptz, jsonb_strip_nulls(jsonb_build_object(
  'nome', coalesce(nullif(trim(p.social_name), ''), p.full_name), 'clinica', o.name,
  'data', to_char(a.date, 'YYYY-MM-DD'), 'hora', to_char(a.start_time, 'HH24:MI')))
from messaging.replies r
left join messaging.messages m on m.id = r.message_id
left join clinic.patients p on p.id = m.patient_id
left join clinic.organizations o on o.id = m.organization_id
left join lateral (
  select date, start_time from clinic.appointments
  where m.cause_kind in ('appointment', 'appointments') and id = any(string_to_array(m.cause_id, ','))
  order by date, start_time limit 1) a on true
where r.id = any(array(select id::bigint from unnest(%(ids)s::text[]) id where id ~ '^[0-9]{1,18}$'))
"""
_CIRCUIT = """
select concat_ws('|', provider, account, organization_id), null, opened_at is not null, 'it works again',
       null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object(
         'canal', concat_ws(' ', provider, nullif(account, '')), 'motivo', nullif(reason, ''),
         'inicio', to_char(opened_at at time zone 'America/Sao_Paulo', 'YYYY-MM-DD"T"HH24:MI'),
         'organizacao', nullif(organization_id, '')))
from messaging.circuits where concat_ws('|', provider, account, organization_id) = any(%(ids)s)
"""
# An id is the event's, a bar, and the item's place in a batch, or nothing for an event of one message.
_EVENT = """
select w.id, null, true, '', null::timestamptz, jsonb_build_object('name', i.name, 'data', i.data)
from unnest(%(ids)s::text[]) w (id)
join events.inbox i on i.id = regexp_replace(w.id, '[|][0-9.]*$', '')
"""

_GONE = "it no longer exists"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of cause is read again, and which variables that gives; ``gives`` None: the whole letter."""

    query: str
    gives: frozenset[str] | None


def _kind(query: str, *gives: str) -> Kind:
    return Kind(query, frozenset(gives))


#: By name. ``event`` gives the payload instead of variables.
KINDS: Mapping[str, Kind] = {
    "appointment": _kind(_APPOINTMENT, "nome", "clinica", "profissional", "data", "hora", "endereco", "telefone"),
    "appointments": _kind(_SEVERAL, "nome", "clinica", "data", "visitas", "endereco", "telefone"),
    "visit": _kind(_VISIT, "nome", "clinica"),
    "patient": _kind(_PATIENT, "nome", "clinica", "telefone"),
    "reply": _kind(_REPLY, "nome", "clinica", "data", "hora"),
    "circuit": _kind(_CIRCUIT, "canal", "motivo", "inicio", "organizacao"),
    "event": Kind(_EVENT, None),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A cause as it is now, and what a message about it would say."""

    now: CauseNow
    variables: Mapping[str, Any]


def check(cause: Cause) -> None:
    """Raises :class:`MessagingError` for a kind that cannot be read again."""
    if cause.kind not in KINDS:
        raise MessagingError(f"cause.kind={cause.kind!r} is not known; known: {', '.join(KINDS)}")


def read(conn: psycopg.Connection[Any], causes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Reading]:
    """The causes of these (kind, id), as they are in this transaction; one query a kind."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for kind, id in causes:
        wanted[kind].add(id)
    found: dict[tuple[str, str], Reading] = {}
    for kind, ids in wanted.items():
        for id, version, is_wanted, why, useless_from, variables in conn.execute(
            KINDS[kind].query, {"ids": sorted(ids)}
        ):
            now = CauseNow(
                exists=True, wanted=bool(is_wanted), version=version, why=why, useless_from=useless_from
            )
            found[kind, id] = Reading(now, variables or {})
        for id in ids:
            gone = CauseNow(exists=False, wanted=False, version=None, why=_GONE, useless_from=None)
            found.setdefault((kind, id), Reading(gone, {}))
    return found
