-- The clinic's relations are FisioFlow's: rows may contradict each other, and the integrity checks must see it.
alter table clinic.staff drop constraint staff_organization_id_fkey, alter column organization_id drop not null,
  add column email text,
  add column roles text[] not null default '{}',
  add column is_active boolean not null default true,
  add column wants_daily_report boolean not null default false,
  add column wants_weekly_summary boolean not null default false;
alter table clinic.patients drop constraint patients_organization_id_fkey,
  add column date_of_birth date,
  add column professional_id text,
  add column preferred_channel text,
  add column created_at timestamptz not null default now();
create index patients_created on clinic.patients (created_at);
create index patients_organization on clinic.patients (organization_id);
alter table clinic.appointments
  alter column organization_id drop not null, alter column patient_id drop not null,
  add column end_time time,
  add column type text,
  add column reminder_sent_at timestamptz,
  add column created_at timestamptz not null default now(),
  add column updated_at timestamptz not null default now();
create index appointments_day on clinic.appointments (date, organization_id);
create index appointments_organization on clinic.appointments (organization_id, date);
create index appointments_created on clinic.appointments (created_at);
create index appointments_updated on clinic.appointments (updated_at);

create table clinic.sessions (
  id text primary key,
  organization_id text,
  patient_id text,
  appointment_id text,
  therapist_id text,
  date timestamptz,
  status text not null default 'draft',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  finalized_at timestamptz,
  deleted_at timestamptz
);
create index sessions_appointment on clinic.sessions (appointment_id);
create table clinic.packages (
  id text primary key,
  kind text not null default 'package',
  organization_id text,
  patient_id text,
  name text,
  total_sessions integer,
  used_sessions integer,
  remaining_sessions integer,
  expires_on date,
  expires_at timestamptz,
  is_active boolean not null default true,
  deleted_at timestamptz
);
create index packages_expires_on on clinic.packages (expires_on);
create index packages_expires_at on clinic.packages (expires_at);
create table clinic.payments (
  id text primary key,
  organization_id text,
  appointment_id text,
  patient_id text,
  amount numeric(12, 2),
  status text,
  paid_at date
);
create table clinic.appointment_statuses (
  organization_id text not null,
  key text not null,
  class text,
  primary key (organization_id, key)
);
create table clinic.notification_history (id text primary key, created_at timestamptz not null default now());
create table clinic.password_reset_tokens (id text primary key, created_at timestamptz not null default now());
create table clinic.system_health_logs (id text primary key, created_at timestamptz not null default now());
create table clinic.old_messages (
  id text primary key,
  kind text not null,
  organization_id text,
  patient_id text,
  appointment_id text,
  channel text,
  sent_at timestamptz not null
);
create index old_messages_sent on clinic.old_messages (sent_at);

create or replace function clinic.status_class(status text) returns text language sql immutable parallel safe
return case
  when lower(btrim(status)) in ('agendado', 'scheduled', 'aguardando', 'aguardando_confirmacao') then 'upcoming'
  when lower(btrim(status)) in ('presenca_confirmada', 'confirmed', 'confirmado') then 'confirmed'
  when lower(btrim(status)) in ('atendido', 'completed', 'concluido', 'in_progress', 'em_andamento', 'avaliacao',
    'evaluation', 'realizado', 'realizada', 'attended') then 'done'
  when lower(btrim(status)) in ('faltou', 'no_show', 'falta', 'faltou_com_aviso', 'faltou_sem_aviso', 'nao_atendido',
    'nao_atendido_sem_cobranca') then 'absent'
  when lower(btrim(status)) in ('cancelado', 'cancelled') then 'cancelled'
  when lower(btrim(status)) in ('remarcar', 'rescheduled', 'remarcado', 'reagendado') then 'to_rebook'
  else 'unknown' end;

-- 'other': a word that the clinic has made and nobody has classified. The clinic's words cannot redefine the others.
create function clinic.status_class(status text, organization text) returns text language sql stable parallel safe
return case clinic.status_class(status) when 'unknown' then coalesce(
  (select coalesce(s.class, 'other') from clinic.appointment_statuses s
   where s.organization_id = organization and s.key = lower(btrim(status))), 'unknown')
  else clinic.status_class(status) end;
comment on function clinic.status_class(text, text) is 'The class of a status word in a clinic, which may have words of its own';

create or replace function clinic.confirm_appointment(appointment text, at timestamptz, via text) returns boolean
language plpgsql as $$
begin
  update clinic.appointments a
  set status = 'presenca_confirmada', confirmed_at = at, confirmed_via = via, updated_at = at
  where a.id = appointment and clinic.status_class(a.status, a.organization_id) = 'upcoming' and a.deleted_at is null;
  return found;
end $$;

comment on table messaging.messages is 'The outbox: one row a message, planned in the transaction of its cause; for as long as clinic/retention.py says';
comment on table events.inbox is 'One row an event: what came, what became of it, when, in which run and why; for as long as clinic/retention.py says';

create table messaging.notices (
  id text primary key,
  organization_id text not null,
  user_id text not null,
  template text not null,
  variables jsonb not null,
  created_at timestamptz not null,
  needs text[] not null default '{}' check (needs <@ array['daily', 'weekly', 'administrator'])
);
comment on table messaging.notices is 'What e-mails to a clinic''s staff say: numbers, ids and colleagues'' names, nothing of patients. The address is read from clinic.staff when it is sent';
comment on column messaging.notices.needs is 'What must be true of the reader when it is sent, or it is not: still wants the daily report, the weekly summary; still administrates the clinic';
create index notices_created on messaging.notices (created_at);

create schema if not exists jobs;
comment on schema jobs is 'What FisioFlow''s jobs keep of their own: rules of clinics, decisions, reports, checks';

create table jobs.policies (
  organization_id text primary key,
  reminder_rules jsonb,
  confirms_bookings boolean not null default true,
  confirmation_lead interval not null default '1 hour' check (confirmation_lead between '0' and '30 days'),
  reminder_lead interval not null default '30 minutes' check (reminder_lead between '0' and '30 days'),
  birthday_channels text not null default 'preferred' check (birthday_channels in ('preferred', 'both')),
  leap_birthday text not null default '02-28' check (leap_birthday in ('02-28', '03-01')),
  voucher_days integer not null default 7 check (voucher_days between 1 and 60),
  asks_feedback boolean not null default true,
  feedback_after interval not null default '2 hours' check (feedback_after between '0' and '30 days'),
  feedback_every interval not null default '30 days' check (feedback_every between '0' and '366 days'),
  reactivates boolean not null default true,
  reactivation_from integer not null default 30 check (reactivation_from >= 1),
  reactivation_to integer not null default 37,
  reports_empty_days boolean not null default false,
  changed_at timestamptz not null default now(),
  check (reactivation_to > reactivation_from)
);
comment on table jobs.policies is 'What a clinic wants of the jobs; a clinic without a row has the defaults. Zone and quiet hours: messaging.policies';
comment on column jobs.policies.reminder_rules is 'List of rules (docs/clinic.md); empty: those of FisioFlow''s settings, or one on the day before';
comment on column jobs.policies.confirmation_lead is 'A visit that begins sooner is not confirmed any more';
comment on column jobs.policies.reminder_lead is 'A visit that begins sooner is not reminded of any more';
comment on column jobs.policies.leap_birthday is 'The day on which those born on 29 February are greeted in other years';
comment on column jobs.policies.reactivation_from is 'Civil days since the last visit, included';
comment on column jobs.policies.reactivation_to is 'Civil days since the last visit, excluded';

create table jobs.decisions (
  id bigint generated always as identity primary key,
  job text not null,
  key text not null,
  outcome text not null check (outcome in ('withheld', 'shadow')),
  day date not null,
  organization_id text not null,
  patient_id text,
  cause_kind text,
  cause_id text,
  channel text,
  template text,
  due_at timestamptz,
  reason text not null default '',
  detail text not null default '',
  run_id text not null,
  at timestamptz not null,
  unique (job, key, outcome)
);
comment on table jobs.decisions is 'What a job decided beside the outbox: a message withheld, with its reason, or one that shadow mode would have planned';
create index decisions_patient on jobs.decisions (patient_id) where patient_id is not null;
create index decisions_cause on jobs.decisions (cause_kind, cause_id);
create index decisions_day on jobs.decisions (job, day);
create index decisions_at on jobs.decisions (at);

create table jobs.failures (
  id bigint generated always as identity primary key,
  job text not null,
  nominal timestamptz not null,
  organization_id text not null,
  error text not null,
  run_id text not null,
  at timestamptz not null
);
comment on table jobs.failures is 'An organisation for which a job could not be done, though it was done for the others';
create index failures_at on jobs.failures (at);

create table jobs.passes (
  job text primary key,
  up_to timestamptz not null,
  since timestamptz not null,
  run_id text not null
);
comment on table jobs.passes is 'Up to which moment a job without days has looked';
comment on column jobs.passes.since is 'From when on the next pass looks: up_to, or earlier where that was not done for some clinic';

create table jobs.done_visits (
  appointment_id text primary key,
  organization_id text not null,
  done_at timestamptz not null,
  seen_at timestamptz not null
);
comment on table jobs.done_visits is 'Since when a visit is done: its last change as of the first look that found it so, whatever is saved later';
create index done_visits_seen on jobs.done_visits (seen_at);

create table jobs.reports (
  kind text not null check (kind in ('daily', 'weekly')),
  organization_id text not null,
  first_day date not null,
  therapist_id text not null default '',
  scheduled integer not null,
  done integer not null,
  absent integer not null,
  cancelled integer not null,
  to_rebook integer not null,
  other integer not null,
  new_patients integer not null,
  computed_at timestamptz not null,
  run_id text not null,
  primary key (kind, organization_id, first_day, therapist_id)
);
comment on table jobs.reports is 'Numbers of a clinic''s civil day or ISO week; therapist_id empty: the whole clinic; -: visits and patients without a professional';
comment on column jobs.reports.scheduled is 'Visits of the period, whatever became of them';
comment on column jobs.reports.other is 'Visits whose status word belongs to no class; they are in scheduled, too';

create table jobs.integrity (
  organization_id text not null,
  check_name text not null,
  problems bigint,
  sample_ids text[] not null,
  digest text not null,
  error text,
  bad_since timestamptz,
  nominal timestamptz not null,
  checked_at timestamptz not null,
  alerted_at timestamptz,
  run_id text not null,
  primary key (organization_id, check_name),
  check ((problems is null) = (error is not null))
);
comment on table jobs.integrity is 'The last result of each integrity check for each clinic in which it found or had found something';
comment on column jobs.integrity.organization_id is 'Empty: rows that belong to no clinic, and checks that could not run';
comment on column jobs.integrity.problems is 'Empty: the check could not run, which is never zero';
comment on column jobs.integrity.digest is 'Tells whether the result is another than before';
comment on column jobs.integrity.nominal is 'The moment that the run stood for; one for an earlier moment leaves the row alone';
comment on column jobs.integrity.alerted_at is 'The moment of the run that last told of it; nothing found and not empty: the next mail says so';
