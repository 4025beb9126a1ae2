"""The queries that read causes again, one a kind, and what of them the clinic's jobs ask, too.

Here: SQL over the clinic's relations and our own tables. Not here: which kind is read how, and what follows from
the answer (``causes.py``).
"""

from __future__ import annotations

from typing import Final

# Each query takes %(ids)s and %(now)s and gives (id, version, wanted, why, useless_from, variables, to,
# organization, patient); the last two are null where it is no one's. Those of the clinic's relations may be in
# another database than our policies, which they take as %(policies)s.
_ZONE = "coalesce(%(policies)s::jsonb -> {of}.organization_id ->> 'zone', 'America/Sao_Paulo')"
_NAME = "coalesce(nullif(trim(p.social_name), ''), p.full_name)"
# A login may have two profiles in a clinic: one of them, or a visit would be two.
_STAFF = """
left join lateral (select full_name from clinic.staff
                   where user_id = {user} and organization_id = {of}.organization_id{more}
                   order by full_name limit 1) s on true
"""
_OWNER = "coalesce({of}.organization_id, ''), coalesce({of}.patient_id, '')"
_SELF = "coalesce(p.organization_id, ''), p.id"
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
       {_VARIABLES} as variables, a.organization_id, a.patient_id
from clinic.appointments a
left join clinic.patients p on p.id = a.patient_id and p.deleted_at is null
left join clinic.organizations o on o.id = a.organization_id
{_STAFF.format(of="a", user="a.therapist_id", more="")}
where a.id = any(%(ids)s)
"""
APPOINTMENT: Final = f"""
select id, version, exists_now and class in ('upcoming', 'confirmed'),
       case when not exists_now then 'it was deleted' else 'its state is ' || class end, starts_at, variables,
       null, {_OWNER.format(of="a")}
from ({_APPOINTMENTS}) a
"""
VISIT: Final = f"""
select id, version, exists_now and class = 'done',
       case when not exists_now then 'it was deleted' else 'its state is ' || class end, null::timestamptz,
       variables - 'profissional' - 'hora' - 'endereco' - 'telefone', null, {_OWNER.format(of="a")}
from ({_APPOINTMENTS}) a
"""
SEVERAL: Final = f"""
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
           order by e.version, e.id))), null,
       case when count(distinct coalesce(e.organization_id, '')) = 1 then coalesce(min(e.organization_id), '')
            else '' end,
       case when count(distinct coalesce(e.patient_id, '')) = 1 then coalesce(min(e.patient_id), '') else '' end
from wanted w left join each e using (id) group by w.whole
"""
PATIENT: Final = f"""
select p.id, null, p.deleted_at is null, 'the patient was deleted', null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object(
         'nome', {_NAME}, 'clinica', o.name,
         'telefone', %(policies)s::jsonb -> p.organization_id ->> 'phone')), null, {_SELF}
from clinic.patients p left join clinic.organizations o on o.id = p.organization_id
where p.id = any(%(ids)s)
"""
BIRTHDAY: Final = f"""
select p.id, to_char(p.date_of_birth, 'MM-DD'), p.deleted_at is null, 'the patient was deleted', null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object('nome', {_NAME}, 'clinica', o.name, 'profissional', s.full_name)),
       null, {_SELF}
from clinic.patients p left join clinic.organizations o on o.id = p.organization_id
{_STAFF.format(of="p", user="p.professional_id", more=" and is_active")}
where p.id = any(%(ids)s)
"""
# The civil day of the clinic; FisioFlow keeps a day in one shape of its tables and an instant in the other.
PACKAGE_EXPIRY: Final = f"coalesce(g.expires_on, (g.expires_at at time zone {_ZONE.format(of='g')})::date)"
PACKAGE: Final = f"""
select g.id, to_char(g.expiry, 'YYYY-MM-DD') || ' with ' || g.remaining_sessions,
       g.deleted_at is null and g.is_active and coalesce(g.remaining_sessions, 0) > 0,
       'it is used up or no longer active', (g.expiry + 1)::timestamp at time zone g.zone,
       jsonb_strip_nulls(jsonb_build_object(
         'nome', {_NAME}, 'clinica', o.name, 'pacote', coalesce(nullif(trim(g.name), ''), 'Pacote de sessões'),
         'data', to_char(g.expiry, 'YYYY-MM-DD'), 'saldo', g.remaining_sessions,
         'telefone', %(policies)s::jsonb -> g.organization_id ->> 'phone')), null, {_OWNER.format(of="g")}
from (select g.*, {PACKAGE_EXPIRY} as expiry, {_ZONE.format(of="g")} as zone from clinic.packages g
      where g.id = any(%(ids)s)) g
left join clinic.patients p on p.id = g.patient_id left join clinic.organizations o on o.id = g.organization_id
"""
# Who books meanwhile needs no invitation; nor does whose visit was to be today or yesterday, whatever its hour:
# nobody may have said yet what came of it.
REACTIVATION: Final = f"""
select p.id, to_char(v.last, 'YYYY-MM-DD'), p.deleted_at is null and not v.booked,
       case when v.booked then 'a visit is booked' else 'the patient was deleted' end, null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object(
         'nome', {_NAME}, 'clinica', o.name,
         'telefone', %(policies)s::jsonb -> p.organization_id ->> 'phone')), null, {_SELF}
from clinic.patients p left join clinic.organizations o on o.id = p.organization_id
cross join lateral (
  select max(a.date) filter (where a.class = 'done') as last,
         coalesce(bool_or(a.class in ('upcoming', 'confirmed')
                  and a.date >= (%(now)s at time zone {_ZONE.format(of="p")})::date - 1), false) as booked
  from (select a.date, clinic.status_class(a.status, a.organization_id) as class
        from clinic.appointments a where a.patient_id = p.id and a.deleted_at is null) a) v
where p.id = any(%(ids)s)
"""
# The answer speaks of the visit that was asked about; of several, of the first one.
REPLY_LINKS: Final = """
select r.id::text as id, m.patient_id, m.organization_id,
       case when m.cause_kind in ('appointment', 'appointments')
            then string_to_array(m.cause_id, ',') end as visits
from messaging.replies r left join messaging.messages m on m.id = r.message_id
where r.id = any(array(select id::bigint from unnest(%(ids)s::text[]) id where id ~ '^[0-9]{1,18}$'))
"""
REPLY: Final = f"""
select l.id, null, true, '', null::timestamptz, jsonb_strip_nulls(jsonb_build_object(
  'nome', {_NAME}, 'clinica', o.name,
  'data', to_char(a.date, 'YYYY-MM-DD'), 'hora', to_char(a.start_time, 'HH24:MI'))), null, null, null
from jsonb_to_recordset(%(links)s) l (id text, patient_id text, organization_id text, visits text[])
left join clinic.patients p on p.id = l.patient_id
left join clinic.organizations o on o.id = l.organization_id
left join lateral (
  select date, start_time from clinic.appointments
  where id = any(l.visits) and (l.patient_id is null or patient_id = l.patient_id)
  order by date, start_time limit 1) a on true
"""
NOTICE_LINKS: Final = """
select id, organization_id, user_id, variables, needs from messaging.notices where id = any(%(ids)s)
"""
#: Whether a row of clinic.staff is one of a clinic's administration, in FisioFlow's words.
IS_ADMINISTRATOR: Final = """
exists (select from unnest(s.roles) role where lower(btrim(role)) in ('admin', 'owner'))
"""
NOTICE: Final = f"""
select l.id, null, coalesce(s.wants and s.may, false),
       case when s.wants is null then 'this person does not work there any more'
            when not s.wants then 'this person does not want it any more'
            else 'this person is no administrator any more' end,
       null::timestamptz, l.variables, s.email, null, null
from jsonb_to_recordset(%(links)s) l (id text, organization_id text, user_id text, variables jsonb, needs text[])
left join lateral (
  select s.email, ('daily' <> all(l.needs) or s.wants_daily_report)
                  and ('weekly' <> all(l.needs) or s.wants_weekly_summary) as wants,
         'administrator' <> all(l.needs) or {IS_ADMINISTRATOR} as may
  from clinic.staff s where s.user_id = l.user_id and s.organization_id = l.organization_id and s.is_active
  order by 2 desc, 3 desc, 1 limit 1) s on true
"""
# To the project's operators: nobody's staff.
OPERATORS: Final = """
select id, null, true, '', null::timestamptz, variables, null, null, null from messaging.notices
where id = any(%(ids)s)
"""
CIRCUIT: Final = """
select concat_ws('|', provider, account, organization_id), null, opened_at is not null, 'it works again',
       null::timestamptz,
       jsonb_strip_nulls(jsonb_build_object(
         'canal', concat_ws(' ', provider, nullif(account, '')), 'motivo', nullif(reason, ''),
         'inicio', to_char(opened_at at time zone 'America/Sao_Paulo', 'YYYY-MM-DD"T"HH24:MI'),
         'organizacao', nullif(organization_id, ''))), null, null, null
from messaging.circuits where concat_ws('|', provider, account, organization_id) = any(%(ids)s)
"""
# An id is the event's, a bar, and the item's place in a batch, or nothing for an event of one message.
EVENT: Final = """
select w.id, null, true, '', null::timestamptz, jsonb_build_object('name', i.name, 'data', i.data), null,
       null, null
from unnest(%(ids)s::text[]) w (id)
join events.inbox i on i.id = regexp_replace(w.id, '[|][0-9.]*$', '')
"""
