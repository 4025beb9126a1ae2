-- What sessions say is apart from that they were: only the insights read it.
create table clinic.session_contents (
  session_id text primary key,
  organization_id text,
  patient_id text,
  pain_scale smallint,
  note text,
  procedures jsonb,
  exercises jsonb,
  measurements jsonb,
  home_exercises jsonb
);
create index session_contents_patient on clinic.session_contents (patient_id);
create table clinic.patient_profiles (
  patient_id text primary key,
  organization_id text,
  sex text,
  complaint text,
  allows_insights boolean not null default true,
  consents boolean not null default true,
  identifiers text[] not null default '{}'
);
create index sessions_finalized on clinic.sessions (finalized_at, id) where finalized_at is not null;
create index sessions_patient on clinic.sessions (patient_id, date);

create table clinic.patient_insights (
  id text primary key,
  organization_id text not null,
  patient_id text not null,
  insight_type text not null check (insight_type in ('trend_alert', 'milestone_achieved', 'risk_detected',
    'recommendation', 'comparison', 'progress_summary')),
  insight_text text not null,
  confidence_score numeric(3, 2),
  related_metric text,
  metric_value numeric,
  comparison_value numeric,
  expires_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index patient_insights_patient on clinic.patient_insights (patient_id, created_at);

-- Called again it changes nothing: rows have the ids that they are given. What is withdrawn is not deleted, because
-- somebody may have acted on it: it expires.
create function clinic.store_insights(
  organization text, patient text, items jsonb, withdrawn text[], at timestamptz) returns integer
language plpgsql as $$
declare
  stored integer;
begin
  -- Also of who is another organisation's now, or gone.
  update clinic.patient_insights i set expires_at = at, updated_at = at
  where i.id = any (withdrawn) and i.patient_id = patient and i.organization_id = organization
    and (i.expires_at is null or i.expires_at > at);
  if jsonb_array_length(items) = 0 then
    return 0;
  end if;
  if not exists (select from clinic.patients p where p.id = patient and p.organization_id = organization) then
    raise exception 'patient % is none of organization %', patient, organization using errcode = 'check_violation';
  end if;
  insert into clinic.patient_insights (id, organization_id, patient_id, insight_type, insight_text, related_metric,
    metric_value, comparison_value, expires_at, created_at, updated_at)
  select n.id, organization, patient, n.insight_type, n.insight_text, n.related_metric, n.metric_value,
    n.comparison_value, n.expires_at, at, at
  from jsonb_to_recordset(items) as n (id text, insight_type text, insight_text text, related_metric text,
    metric_value numeric, comparison_value numeric, expires_at timestamptz)
  on conflict (id) do nothing;
  select count(*) into stored from clinic.patient_insights i
  where i.patient_id = patient and i.id in (select n.id from jsonb_to_recordset(items) as n (id text));
  return stored;
end $$;
comment on function clinic.store_insights(text, text, jsonb, text[], timestamptz) is
  'Writes a patient''s insights and lets those expire that they replace; gives how many of them stand there';

alter table jobs.policies
  add column insights text not null default 'narrative' check (insights in ('off', 'facts', 'narrative')),
  add column insights_tokens_per_day integer check (insights_tokens_per_day >= 0),
  add column insights_cost_per_day numeric(12, 4) check (insights_cost_per_day >= 0);
comment on column jobs.policies.insights is 'off; facts alone; or facts and, where a model is configured, a narrative';
comment on column jobs.policies.insights_tokens_per_day is 'Empty: INSIGHTS_TOKENS_PER_DAY';
comment on column jobs.policies.insights_cost_per_day is 'In the price table''s currency; empty: INSIGHTS_COST_PER_DAY';

create schema insights;
comment on schema insights is 'What is computed and written about patients'' sessions; ids and numbers, and drafts for professionals';

create table insights.cursor (
  is_one boolean primary key default true check (is_one),
  finalized_at timestamptz not null,
  session_id text not null,
  run_id text not null,
  moved_at timestamptz not null,
  looked_far_at timestamptz,
  looked_again_on date
);
comment on table insights.cursor is 'Up to which session, in the order of (finalized_at, id), sessions were collected';
comment on column insights.cursor.looked_far_at is 'When a run last looked a day behind it';
comment on column insights.cursor.looked_again_on is 'Civil day in São Paulo on which what is shown was last looked at again';

create table insights.seen (
  session_id text not null,
  finalized_at timestamptz not null,
  organization_id text not null,
  patient_id text not null,
  primary key (session_id, finalized_at, organization_id, patient_id)
);
comment on table insights.seen is 'Sessions that were collected, for as long as a look behind the cursor may meet them again';
create index seen_finalized on insights.seen (finalized_at);

create table insights.behind (
  organization_id text primary key,
  since timestamptz not null,
  run_id text not null,
  looked_at timestamptz
);
comment on table insights.behind is 'Organisations whose sessions could not be read: from when on they are looked at again, whatever the cursor says';
comment on column insights.behind.looked_at is 'When it was last tried in vain; then it rests for a while';

create table insights.queue (
  organization_id text not null,
  patient_id text not null,
  cause text not null check (cause in ('session', 'event', 'hand', 'retry')),
  first_asked_at timestamptz not null,
  asked_at timestamptz not null,
  due_at timestamptz not null,
  asks bigint not null default 1,
  step text not null default 'record' check (step in ('record', 'narrative')),
  tries integer not null default 0,
  wanted_by text,
  claim uuid,
  lease_until timestamptz,
  losses integer not null default 0,
  run_id text,
  error text,
  dead_at timestamptz,
  primary key (organization_id, patient_id)
);
comment on table insights.queue is 'Patients whose insights are asked for; a row goes when they are stored';
comment on column insights.queue.due_at is 'When the patient''s record is taken to be quiet, or the next try is due';
comment on column insights.queue.asks is 'How often it was asked for: who has worked on it sees whether that was before';
comment on column insights.queue.step is 'record: to be read, and facts made of it; narrative: facts are stored, words are wanted';
comment on column insights.queue.wanted_by is 'The run that asked for it by hand, and takes what it asked for alone';
comment on column insights.queue.claim is 'In whose hands it is; by the database''s clock nobody''s after lease_until';
comment on column insights.queue.losses is 'Runs that died with it in their hands';
comment on column insights.queue.dead_at is 'Since when it is not tried again; the error says why';
create index queue_due on insights.queue (due_at) where dead_at is null;
create index queue_wanted on insights.queue (wanted_by, due_at) where wanted_by is not null;
create index queue_claim on insights.queue (claim) where claim is not null;

create table insights.generations (
  key text primary key,
  organization_id text not null,
  patient_id text not null,
  session_id text not null,
  finalized_at timestamptz not null,
  edition integer not null default 1,
  prompt_version text not null,
  model text not null,
  day date not null,
  today date not null,
  facts jsonb,
  facts_version text not null,
  sessions integer not null,
  narrative text not null check (narrative in ('written', 'waiting', 'none')),
  reason text not null default '',
  detail text not null default '',
  tries integer not null default 0,
  retry_at timestamptz,
  scrubbed integer not null default 0,
  created_at timestamptz not null,
  ended_at timestamptz,
  run_id text not null,
  superseded_by text,
  superseded_at timestamptz,
  check ((narrative = 'written') = (reason = ''))
);
comment on table insights.generations is 'One row a key: what was computed of a patient''s record as of its newest session, and whether it was put into words';
comment on column insights.generations.session_id is 'The session that was finalized last, of those that were used';
comment on column insights.generations.edition is 'Counts where the sessions are others although the newest is the same: finalized again, seen late, deleted';
comment on column insights.generations.day is 'Civil day in São Paulo of its making: the partition';
comment on column insights.generations.today is 'Civil day in the clinic that the facts'' windows end on';
comment on column insights.generations.reason is 'Why there is no narrative, or none yet';
comment on column insights.generations.scrubbed is 'What was taken out of free texts before they left';
create index generations_patient on insights.generations (patient_id, finalized_at);
create index generations_day on insights.generations (day);
create index generations_created on insights.generations (created_at);
create index generations_run on insights.generations (run_id);

create table insights.items (
  id uuid primary key,
  key text not null references insights.generations on delete cascade,
  organization_id text not null,
  patient_id text not null,
  source text not null check (source in ('facts', 'narrative')),
  insight_type text not null,
  insight_text text not null,
  citations text[] not null,
  related_metric text,
  metric_value numeric,
  comparison_value numeric,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  published_at timestamptz,
  superseded_by text,
  superseded_at timestamptz,
  withdrawn_at timestamptz,
  unique (key, source, insight_type)
);
comment on table insights.items is 'Insights as the clinic gets them: one for each key, source and type';
comment on column insights.items.citations is 'fact:NAME or session:ID, each checked';
comment on column insights.items.published_at is 'When the clinic''s table had it';
comment on column insights.items.superseded_by is 'The key of what says it anew';
comment on column insights.items.withdrawn_at is 'When the clinic''s table had let it expire, where it was there';
create index items_patient on insights.items (patient_id, created_at);
create index items_created on insights.items (created_at);
create index items_unpublished on insights.items (organization_id, patient_id)
  where published_at is null and superseded_at is null;
create index items_unwithdrawn on insights.items (organization_id, patient_id)
  where published_at is not null and superseded_at is not null and withdrawn_at is null;

create table insights.calls (
  id bigint generated always as identity primary key,
  key text not null,
  organization_id text not null,
  patient_id text not null,
  day date not null,
  model text not null,
  prompt_version text not null,
  purpose text not null check (purpose in ('first', 'repair')),
  attempt integer not null,
  state text not null check (state in ('open', 'answered', 'failed', 'lost')),
  outcome text not null default '',
  reserved_tokens integer not null,
  reserved_cost numeric(14, 6),
  prompt_tokens integer,
  cached_tokens integer,
  completion_tokens integer,
  cost numeric(14, 6),
  latency_ms integer,
  run_id text not null,
  started_at timestamptz not null,
  ended_at timestamptz
);
comment on table insights.calls is 'The ledger: one row a call of the model, written before it is made';
comment on column insights.calls.day is 'Civil day in the clinic whose budget it uses';
comment on column insights.calls.outcome is 'ok, or what was wrong with the answer or the call';
comment on column insights.calls.reserved_tokens is 'The most that it could use; counts until, and unless, the answer says how many it were';
comment on column insights.calls.cost is 'Tokens times the price of the day; empty: the price table has none for the model';
create index calls_key on insights.calls (key);
create index calls_day on insights.calls (organization_id, day);
create index calls_run on insights.calls (run_id);
create index calls_started on insights.calls (started_at);
create index calls_open on insights.calls (started_at) where state = 'open';

create table insights.spending (
  organization_id text not null,
  day date not null,
  tokens bigint not null,
  cost numeric(14, 6) not null,
  calls integer not null,
  refused integer not null default 0,
  primary key (organization_id, day)
);
comment on table insights.spending is 'What a clinic''s day has used of its budget: the sum of its calls';
comment on column insights.spending.refused is 'Narratives that were not asked for because the budget was spent';
