create schema if not exists events;
comment on schema events is 'What the apps asked for: every event is a row before it is anything else';

create table events.inbox (
  seq bigint generated always as identity primary key,
  id text not null unique check (length(id) between 1 and 256),
  name text not null,
  received_name text not null,
  source text not null check (source in ('http', 'batch', 'sql', 'cli')),
  data jsonb,
  -- A body that jsonb cannot hold (U+0000, a number out of range), as it came.
  raw bytea,
  ts timestamptz,
  user_data jsonb,
  version text,
  meta jsonb,
  organization_id text not null default '',
  priority smallint not null default 0,
  -- NULL: nobody has looked at it yet (the door for SQL); false: its payload is not one.
  admitted boolean,
  idempotency_key text,
  debounce_key text,
  debounce_since timestamptz,
  cancel_key text,
  cancelled_by text,
  state text not null
    check (state in ('received', 'claimed', 'done', 'retry', 'dead', 'skipped', 'unmatched')),
  due_at timestamptz not null,
  received_at timestamptz not null,
  changed_at timestamptz not null,
  attempt integer not null default 0,
  losses integer not null default 0,
  claim_id uuid,
  run_id text,
  reason text,
  result jsonb,
  check ((state = 'claimed') = (claim_id is not null))
);
comment on table events.inbox is 'One row an event, for ever: what came, what became of it, when, in which run and why';
comment on column events.inbox.id is 'The sender''s own id, or one made from the seed of its request, or ours';
comment on column events.inbox.name is 'The registry''s name; for an unknown event the name as it came';
comment on column events.inbox.due_at is 'Not handled before this moment';
comment on column events.inbox.changed_at is 'When the present state began; earlier ones are in events.transitions';
comment on column events.inbox.attempt is 'Tries that gave an answer, the one under way included';
comment on column events.inbox.losses is 'Runs that died while this event was in their hands';
comment on column events.inbox.cancelled_by is 'What cancelled it while it was being handled: ''event X'' or ''an operator''';
comment on column events.inbox.reason is 'Why it is in this state: the error of a try, or the reason for skipping it';

create index inbox_waiting on events.inbox (name, organization_id, priority desc, seq)
  where state in ('received', 'retry') and admitted;
create index inbox_unseen on events.inbox (seq) where admitted is null;
create index inbox_claimed on events.inbox (claim_id, seq) where state = 'claimed';
create index inbox_attention on events.inbox (state, name, seq) where state in ('dead', 'unmatched');
create index inbox_idempotency on events.inbox (name, idempotency_key, seq) where idempotency_key is not null;
create index inbox_debounce on events.inbox (name, debounce_key, seq)
  where debounce_key is not null and state = 'received';
create index inbox_cancel on events.inbox (name, cancel_key)
  where cancel_key is not null and state in ('received', 'retry', 'claimed');
create index inbox_received_at on events.inbox (received_at);

-- No foreign key: only the trigger below writes here, and it would be checked for every step of every event.
create table events.transitions (
  seq bigint not null,
  at timestamptz not null,
  state text not null,
  attempt integer not null,
  run_id text,
  reason text
);
create index transitions_seq on events.transitions (seq);
comment on table events.transitions is 'Every state of every event after the first one, with its time, attempt, run and error';

-- Whoever changes a state, by whatever statement: its history is written with it.
-- A session plans this once, perhaps for no row at all, and keeps the plan for thousands: never a nested loop.
create function events.keep_transitions() returns trigger language plpgsql set enable_nestloop = off as $$
begin
  insert into events.transitions (seq, at, state, attempt, run_id, reason)
  select s.*
  from changed n join before o using (seq)
  cross join lateral (
    -- One that entered as dead or unmatched: why, before that is replaced.
    select o.seq, o.changed_at, o.state, o.attempt, o.run_id, o.reason
    where o.state in ('dead', 'unmatched') and o.changed_at = o.received_at and o.attempt = 0 and o.run_id is null
    union all
    select n.seq, n.changed_at, n.state, n.attempt, n.run_id, n.reason) s
  where n.state <> o.state or n.attempt <> o.attempt;
  return null;
end $$;
create trigger keep_transitions after update on events.inbox
  referencing old table as before new table as changed
  for each statement execute function events.keep_transitions();

create table events.claims (
  id uuid primary key,
  kind text not null check (kind in ('batch', 'launch')),
  job text not null,
  run_config jsonb not null,
  run_id text,
  requested_at timestamptz not null,
  started_at timestamptz,
  lease_until timestamptz not null,
  ended_at timestamptz,
  outcome text,
  -- The events in the hands of the run at this moment: if it dies, one of these is the likely cause.
  working bigint[] not null default '{}'
);
create index claims_open on events.claims (job) where ended_at is null;
comment on table events.claims is 'One row a batch of claimed events: the run that has them, and until when it is believed to live';
comment on column events.claims.lease_until is 'By the database''s clock; the run moves it on while it lives';

create table events.conflicts (
  event_id text not null references events.inbox (id),
  digest bytea not null,
  received_at timestamptz not null,
  times integer not null default 1,
  source text not null,
  name text not null,
  data jsonb,
  raw bytea,
  primary key (event_id, digest)
);
comment on table events.conflicts is 'Bodies that came under the id of an event with another body; they are not work';

create table events.refused (
  digest bytea primary key,
  received_at timestamptz not null,
  last_at timestamptz not null,
  times integer not null default 1,
  source text not null,
  status integer not null,
  reason text not null,
  body bytea not null
);
comment on table events.refused is 'Requests of known senders that held no usable event, whole and once each';

create table events.beats (
  name text primary key,
  at timestamptz not null
);
comment on table events.beats is 'When a part of the machinery was last seen at work: the sensor that claims events';

create table events.echoes (
  event_id text not null,
  run_id text,
  at timestamptz not null
);
create index echoes_event on events.echoes (event_id);
comment on table events.echoes is 'What a canary event leaves behind: one row, in the transaction that ends it';

-- The door for an app that wants its event in the transaction of its own write. Answers the event's id.
-- The same id again does nothing; another body under it is kept in events.conflicts.
-- It runs with the rights of its owner: an app needs EXECUTE on it and USAGE on the schema, and nothing else.
create function events.send(name text, data jsonb, id text default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  event_id text := coalesce(send.id, 'sql-' || replace(gen_random_uuid()::text, '-', ''));
  present events.inbox;
  moment timestamptz := clock_timestamp();
begin
  if send.name is null or length(send.name) not between 1 and 256 then
    raise exception 'events.send: name must have 1 to 256 characters' using errcode = '22023';
  end if;
  if length(event_id) not between 1 and 256 then
    raise exception 'events.send: id must have 1 to 256 characters' using errcode = '22023';
  end if;
  if send.data is null or jsonb_typeof(send.data) <> 'object' then
    raise exception 'events.send: data must be a JSON object, not %', coalesce(jsonb_typeof(send.data), 'null')
      using errcode = '22023';
  end if;
  if octet_length(send.data::text) > 524288 then
    raise exception 'events.send: data has % bytes, 524288 are allowed', octet_length(send.data::text)
      using errcode = '22023';
  end if;
  if jsonb_path_exists(send.data, 'strict $.**{100}') then
    raise exception 'events.send: data is nested more than 100 levels deep' using errcode = '22023';
  end if;
  insert into events.inbox (id, name, received_name, source, data, state, due_at, received_at, changed_at)
  values (event_id, send.name, send.name, 'sql', send.data, 'received', moment, moment, moment)
  on conflict do nothing;
  if not found then
    select * into present from events.inbox i where i.id = event_id;
    if present.data is distinct from send.data or send.name not in (present.name, present.received_name) then
      insert into events.conflicts (event_id, digest, received_at, source, name, data)
      values (event_id, sha256(convert_to(send.name || chr(10) || send.data::text, 'UTF8')), moment, 'sql',
              send.name, send.data)
      on conflict on constraint conflicts_pkey do update set times = conflicts.times + 1;
    end if;
  end if;
  return event_id;
end $$;
comment on function events.send is 'Put an event into the inbox, in the caller''s own transaction';
revoke all on function events.send from public;
