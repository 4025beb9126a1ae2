create schema if not exists clinic;
comment on schema clinic is 'What the jobs read of FisioFlow: tables of these shapes, or views over its own';

create table clinic.organizations (
  id text primary key,
  name text,
  is_active boolean not null default true,
  settings jsonb not null default '{}'
);
create table clinic.staff (
  user_id text primary key,
  organization_id text not null references clinic.organizations (id),
  full_name text
);
create table clinic.patients (
  id text primary key,
  organization_id text references clinic.organizations (id),
  user_id text,
  full_name text not null,
  social_name text,
  phone text,
  email text,
  is_active boolean not null default true,
  deleted_at timestamptz
);
create index patients_user on clinic.patients (user_id) where user_id is not null;
create table clinic.appointments (
  id text primary key,
  organization_id text not null,
  patient_id text not null,
  therapist_id text,
  date date not null,
  start_time time not null,
  status text not null default 'agendado',
  confirmed_at timestamptz,
  confirmed_via text,
  deleted_at timestamptz
);
create index appointments_patient on clinic.appointments (patient_id, date);
create table clinic.push_tokens (
  token text primary key,
  user_id text not null,
  active boolean not null default true
);
create index push_tokens_user on clinic.push_tokens (user_id) where active;

-- CONTRACT clinic §2.4. What is not a word of it is 'unknown': neither upcoming nor done.
create function clinic.status_class(status text) returns text language sql immutable parallel safe
return case
  when status in ('agendado', 'scheduled', 'aguardando', 'aguardando_confirmacao') then 'upcoming'
  when status in ('presenca_confirmada', 'confirmed', 'confirmado') then 'confirmed'
  when status in ('atendido', 'completed', 'concluido', 'in_progress', 'em_andamento', 'avaliacao', 'evaluation',
                  'realizado', 'realizada', 'attended') then 'done'
  when status in ('faltou', 'no_show', 'falta', 'faltou_com_aviso', 'faltou_sem_aviso', 'nao_atendido',
                  'nao_atendido_sem_cobranca') then 'absent'
  when status in ('cancelado', 'cancelled') then 'cancelled'
  when status in ('remarcar', 'rescheduled', 'remarcado', 'reagendado') then 'to_rebook'
  else 'unknown' end;
comment on function clinic.status_class is 'The class of an appointment''s status word, aliases included';

create function clinic.confirm_appointment(appointment text, at timestamptz, via text) returns boolean
language plpgsql as $$
begin
  update clinic.appointments a set status = 'presenca_confirmada', confirmed_at = at, confirmed_via = via
  where a.id = appointment and clinic.status_class(a.status) = 'upcoming' and a.deleted_at is null;
  return found;
end $$;
comment on function clinic.confirm_appointment is 'The patient confirms; false if it was not waiting for that';

create function clinic.disable_push_token(gone text) returns void language sql
begin atomic
  update clinic.push_tokens set active = false where token = gone;
end;
comment on function clinic.disable_push_token is 'The device says that it is no longer registered';

create schema if not exists messaging;
comment on schema messaging is 'Messages to people: planned once, sent once, with everything that became of them';

create table messaging.policies (
  organization_id text primary key,
  zone text not null default 'America/Sao_Paulo' check (timezone(zone, timestamptz '2000-01-01') is not null),
  -- PostgreSQL's 24:00 is no time that anybody else can read.
  quiet_from time not null default '21:00' check (quiet_from < '24:00'),
  quiet_to time not null default '08:00' check (quiet_to < '24:00'),
  quiet_weekends boolean not null default false,
  marketing_basis text not null default 'consent' check (marketing_basis in ('consent', 'legitimate_interest')),
  whatsapp_account text not null default '',
  reply_to text not null default '' check (reply_to ~ '^([^@\s]+@[^@\s]+)?$'),
  address text not null default '',
  phone text not null default '',
  fallback_after interval not null default '30 minutes',
  changed_at timestamptz not null default now()
);
comment on table messaging.policies is 'How a clinic speaks to its patients; a clinic without a row has the defaults';
comment on column messaging.policies.zone is 'IANA name; what today, tomorrow and quiet mean for this clinic';
comment on column messaging.policies.quiet_from is 'Civil time from which nothing that we plan is sent; equal to quiet_to: never quiet';
comment on column messaging.policies.marketing_basis is 'consent: only to who said yes. legitimate_interest: documented by the clinic, to all who did not say no';
comment on column messaging.policies.whatsapp_account is 'Its Evolution instance or Meta phone number id; empty: the one of the settings';
comment on column messaging.policies.reply_to is 'Where answers to its e-mails go; empty: nowhere, and the e-mails do not ask for any';
comment on column messaging.policies.address is 'As patients read it: street, number, room, town; empty: not told';
comment on column messaging.policies.phone is 'The reception''s, as patients read it; empty: not told';
comment on column messaging.policies.fallback_after is 'How long a WhatsApp message may stay without a receipt before an e-mail takes its place';

create table messaging.messages (
  id bigint generated always as identity primary key,
  key text not null unique check (length(key) between 1 and 256),
  organization_id text not null default '',
  patient_id text,
  user_id text,
  job text not null,
  category text not null check (category in ('transactional', 'care', 'marketing', 'direct')),
  channel text not null check (channel in ('email', 'whatsapp', 'push')),
  account text not null default '',
  priority smallint not null default 10 check (priority in (0, 10, 20, 30)),
  heeds_quiet boolean not null,
  template text,
  cause_kind text,
  cause_id text,
  cause_version text,
  variables_hash bytea,
  content bytea,
  content_hash bytea,
  address_masked text not null default '',
  address_hash bytea,
  state text not null check (state in ('planned', 'claimed', 'accepted', 'delivered', 'read', 'skipped', 'deferred',
                                       'retry', 'failed', 'unknown', 'expired')),
  due_at timestamptz not null,
  not_after timestamptz,
  attempt integer not null default 0,
  failures integer not null default 0,
  generation integer not null default 0,
  looks integer not null default 0,
  planned_at timestamptz not null,
  first_called_at timestamptz,
  claimed_at timestamptz,
  accepted_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  changed_at timestamptz not null,
  lease_until timestamptz,
  provider text,
  provider_id text,
  error_class text,
  error_code text,
  reason text,
  run_id text,
  fallback_of bigint references messaging.messages (id),
  batch_id uuid,
  -- Only what was made for many may share a call: patients' own messages each have a key of their own.
  share text not null generated always as (case
    when batch_id is not null then 'batch'
    when category = 'marketing' and template is not null and error_class is distinct from 'ambiguous'
      and error_code is distinct from 'batch_refused' then 'together'
    else 'alone' end) stored,
  check ((state = 'claimed') = (lease_until is not null)),
  check (state not in ('skipped', 'failed', 'unknown', 'expired', 'deferred', 'retry') or reason is not null),
  check ((cause_kind is null) = (cause_id is null))
);
comment on table messaging.messages is 'The outbox: one row a message, planned in the transaction of its cause, for ever';
comment on column messaging.messages.key is 'What makes the message unique (CONTRACT clinic §14.4); also the provider''s idempotency key';
comment on column messaging.messages.job is 'Who planned it: a job, an event, ''sql'', or a reply';
comment on column messaging.messages.account is 'The WhatsApp instance or number that sends it; empty: the one of the settings';
comment on column messaging.messages.heeds_quiet is 'Quiet hours bind it';
comment on column messaging.messages.cause_version is 'What the cause was when the message was planned (an appointment''s civil start); if it is another when the message is to be sent, the message is stale';
comment on column messaging.messages.content is 'Destination and rendered body, encrypted; empty without MESSAGING_KEY: then it is made again from its cause';
comment on column messaging.messages.content_hash is 'Keyed hash of what was handed to the provider, destination included: a repeat must be the same';
comment on column messaging.messages.address_hash is 'Keyed hash of the canonical address';
comment on column messaging.messages.due_at is 'Not claimed before; of an unknown outcome, or a ticket, the next question to the provider';
comment on column messaging.messages.attempt is 'Calls of the provider, the one under way included';
comment on column messaging.messages.failures is 'Calls that failed by the message''s own fault and may be repeated; a channel that is down is not counted';
comment on column messaging.messages.generation is 'Times that a person had a message tried again that was certainly not sent; each has a key of its own at the provider, which would answer a known one with the old result';
comment on column messaging.messages.looks is 'Times that the provider was asked about an unknown outcome';
comment on column messaging.messages.changed_at is 'When the present state began; earlier ones are in messaging.transitions';
comment on column messaging.messages.batch_id is 'The call that it shares or shared with others while its outcome is not known: repeated as a whole, or not at all';
comment on column messaging.messages.share is 'How it goes: alone, together with others in one call, or again with the batch that it was in';
comment on column messaging.messages.lease_until is 'When a claimed message counts as lost with its run; by the claimer''s clock';
comment on column messaging.messages.error_class is 'transient, permanent, channel or ambiguous';

create index messages_due on messaging.messages (channel, account, priority, organization_id, due_at, id)
  where state in ('planned', 'retry', 'deferred');
create index messages_share on messaging.messages (channel, account, share, priority, organization_id, due_at, id)
  where state in ('planned', 'retry', 'deferred');
create index messages_next on messaging.messages (due_at) where state in ('planned', 'retry', 'deferred', 'unknown');
-- Expo's receipts are asked for; everybody else reports by himself.
create index messages_tickets on messaging.messages (due_at) where state = 'accepted' and provider = 'expo';
create index messages_batch on messaging.messages (batch_id) where batch_id is not null;
create index messages_lease on messaging.messages (lease_until) where state = 'claimed';
create index messages_provider_id on messaging.messages (provider_id) where provider_id is not null;
create index messages_cause on messaging.messages (cause_kind, cause_id);
create index messages_patient on messaging.messages (patient_id, id desc) where patient_id is not null;
create index messages_address on messaging.messages (address_hash, id desc);
create index messages_changed on messaging.messages (changed_at, state);
create index messages_fallback on messaging.messages (fallback_of) where fallback_of is not null;
create index messages_wants_fallback on messaging.messages (changed_at)
  where channel = 'whatsapp' and state in ('failed', 'unknown');
create index messages_ended_badly on messaging.messages (state, id)
  where state in ('failed', 'unknown', 'skipped', 'expired');

create table messaging.transitions (
  message_id bigint not null,
  at timestamptz not null,
  state text not null,
  attempt integer not null,
  reason text,
  error_code text,
  run_id text
);
create index transitions_message on messaging.transitions (message_id);
comment on table messaging.transitions is 'Every state of every message with its time; written by a trigger, whoever changes it';

create function messaging.forbid_steps_back() returns trigger language plpgsql as $$
begin
  if not (case old.state
    when 'planned' then new.state in ('claimed', 'skipped', 'deferred', 'expired')
    when 'deferred' then new.state in ('claimed', 'skipped', 'expired', 'unknown')
    when 'retry' then new.state in ('claimed', 'skipped', 'deferred', 'expired', 'unknown', 'accepted', 'delivered', 'read', 'failed')
    when 'claimed' then new.state in ('accepted', 'delivered', 'read', 'retry', 'failed', 'unknown')
    when 'unknown' then new.state in ('accepted', 'delivered', 'read', 'failed', 'retry')
    when 'accepted' then new.state in ('delivered', 'read', 'failed')
    when 'delivered' then new.state = 'read'
    -- Only a person does this: `fisio-ayida messages retry`.
    when 'failed' then new.state = 'planned'
    when 'skipped' then new.state = 'planned'
    when 'expired' then new.state = 'planned'
    else false end)
  then
    raise exception 'message %: % does not follow %', old.id, new.state, old.state using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger forbid_steps_back before update of state on messaging.messages
  for each row when (new.state <> old.state) execute function messaging.forbid_steps_back();

create function messaging.keep_transitions() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into messaging.transitions (message_id, at, state, attempt, reason, error_code, run_id)
    select id, changed_at, state, attempt, reason, error_code, run_id from changed;
  else
    insert into messaging.transitions (message_id, at, state, attempt, reason, error_code, run_id)
    select n.id, n.changed_at, n.state, n.attempt, n.reason, n.error_code, n.run_id
    from changed n join before o using (id) where n.state <> o.state;
  end if;
  return null;
end $$;
create trigger keep_first_state after insert on messaging.messages
  referencing new table as changed for each statement execute function messaging.keep_transitions();
create trigger keep_transitions after update on messaging.messages
  referencing old table as before new table as changed for each statement execute function messaging.keep_transitions();

create table messaging.deliveries (
  id bigint generated always as identity primary key,
  provider text not null,
  event_id text not null,
  kind text not null,
  provider_id text,
  message_key text,
  generation integer not null default 0,
  status text check (status in ('accepted', 'delivered', 'read', 'failed')),
  error_code text,
  suppress text,
  provider_at timestamptz,
  received_at timestamptz not null,
  body jsonb not null,
  applied_at timestamptz,
  outcome text,
  message_id bigint references messaging.messages (id),
  unique (provider, event_id)
);
create index deliveries_waiting on messaging.deliveries (id) where applied_at is null;
create index deliveries_provider_id on messaging.deliveries (provider, provider_id);
create index deliveries_unmatched on messaging.deliveries (received_at) where outcome = 'unmatched';
create index deliveries_message on messaging.deliveries (message_id);
comment on table messaging.deliveries is 'What the providers reported of a message: stored first, applied once, in any order';
comment on column messaging.deliveries.body is 'The report without names, addresses and texts';
comment on column messaging.deliveries.message_key is 'Our key, where the provider hands it back';
comment on column messaging.deliveries.generation is 'The generation of the message that it speaks of, where the provider hands our key back';
comment on column messaging.deliveries.suppress is 'Why nothing more may be sent to this address (bounce, complaint, …); empty: it may';
comment on column messaging.deliveries.outcome is 'applied, late (a later state was already known), informative, or unmatched';

create table messaging.replies (
  id bigint generated always as identity primary key,
  provider text not null,
  account text not null default '',
  provider_id text not null,
  address_masked text not null,
  address_hash bytea not null,
  quoted_id text,
  intent text not null,
  score smallint check (score between 0 and 10),
  body bytea,
  sent_at timestamptz,
  received_at timestamptz not null,
  handled_at timestamptz,
  outcome text,
  message_id bigint references messaging.messages (id),
  unique (provider, provider_id)
);
create index replies_waiting on messaging.replies (id) where handled_at is null;
create index replies_message on messaging.replies (message_id) where message_id is not null;
create index replies_address on messaging.replies (address_hash, id);
comment on table messaging.replies is 'What patients answered, as an intention; each one acted on once';
comment on column messaging.replies.body is 'The words, encrypted; empty without MESSAGING_KEY';
comment on column messaging.replies.message_id is 'The message that it answers';

create table messaging.tasks (
  id bigint generated always as identity primary key,
  organization_id text not null,
  patient_id text,
  appointment_id text,
  kind text not null check (kind in ('reschedule', 'reply')),
  reply_id bigint not null unique references messaging.replies (id),
  created_at timestamptz not null,
  done_at timestamptz
);
comment on table messaging.tasks is 'What the reception has to do because of a reply; FisioFlow shows and closes them';

create table messaging.preferences (
  id bigint generated always as identity primary key,
  organization_id text not null default '',
  patient_id text,
  channel text not null check (channel in ('email', 'whatsapp', 'push')),
  address_hash bytea,
  category text not null check (category in ('all', 'transactional', 'care', 'marketing')),
  allowed boolean not null,
  source text not null,
  evidence text not null,
  at timestamptz not null,
  check ((patient_id is null) <> (address_hash is null))
);
create index preferences_patient on messaging.preferences (patient_id, channel) where patient_id is not null;
create index preferences_address on messaging.preferences (address_hash, channel) where address_hash is not null;
comment on table messaging.preferences is 'What a person allowed and forbade, by channel and category, with its proof; the latest row counts';
comment on column messaging.preferences.organization_id is 'The clinic that it is said to; empty: to all of them';
comment on column messaging.preferences.evidence is 'What proves it: the id of a reply, of a form, of a click';

create table messaging.suppressions (
  channel text not null check (channel in ('email', 'whatsapp', 'push')),
  address_hash bytea not null,
  reason text not null,
  evidence text not null,
  at timestamptz not null,
  expires_at timestamptz,
  primary key (channel, address_hash)
);
comment on table messaging.suppressions is 'Addresses to which nothing goes: hard bounce, complaint, not on WhatsApp';

create table messaging.circuits (
  provider text not null,
  account text not null default '',
  organization_id text not null default '',
  failures integer not null default 0,
  openings integer not null default 0,
  opened_at timestamptz,
  open_until timestamptz,
  reason text,
  changed_at timestamptz not null,
  primary key (provider, account, organization_id)
);
comment on table messaging.circuits is 'Which way out is closed for whom after repeated failures of the channel, and until when';
comment on column messaging.circuits.organization_id is 'Empty: the whole account (a wrong key, a quota, an instance that is down)';

-- One row: addresses are compared by hashes, and another key would forget every opt-out.
create table messaging.hashing (
  one boolean primary key default true check (one),
  salt bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
  fingerprint bytea
);
insert into messaging.hashing default values;
comment on table messaging.hashing is 'The salt of all address hashes, and which MESSAGING_HASH_KEY they were made with';

-- A batch is done although some of its items cannot be messages; its result names them.
create index inbox_in_part on events.inbox (changed_at) where result ? 'refused';

create function messaging.plan(request jsonb, id text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if plan.id is null or length(plan.id) not between 1 and 200 then
    raise exception 'messaging.plan: id must have 1 to 200 characters; it is what makes the message unique'
      using errcode = '22023';
  end if;
  if plan.request is null or jsonb_typeof(plan.request) <> 'object' then
    raise exception 'messaging.plan: request must be a JSON object, not %', coalesce(jsonb_typeof(plan.request), 'null')
      using errcode = '22023';
  end if;
  if coalesce(plan.request ->> 'type', '') not in ('email', 'whatsapp', 'push') then
    raise exception 'messaging.plan: type=% is not email, whatsapp or push', plan.request -> 'type' using errcode = '22023';
  end if;
  if coalesce(plan.request ->> 'priority', 'normal') not in ('critical', 'high', 'normal', 'low') then
    raise exception 'messaging.plan: priority=% is not critical, high, normal or low', plan.request -> 'priority'
      using errcode = '22023';
  end if;
  if coalesce(length(plan.request #>> '{data,to}'), 0) = 0 then
    raise exception 'messaging.plan: data.to is missing' using errcode = '22023';
  end if;
  return events.send('notification/send', plan.request, plan.id);
end $$;
comment on function messaging.plan is 'Ask for a message in the caller''s own transaction: the payload of notification/send, and an id';
revoke all on function messaging.plan from public;
