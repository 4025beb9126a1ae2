create table ops.loads (
  id bigint generated always as identity primary key,
  dataset text not null,
  partition_key text not null,
  status text not null check (status in ('ok', 'failed', 'held', 'rejected')),
  valid_from timestamptz not null,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  window_label text not null,
  source text not null,
  run_id text,
  job_name text,
  total_first bigint,
  total_last bigint,
  window_received bigint not null,
  rows_received bigint not null,
  rows_new bigint not null,
  rows_changed bigint not null,
  rows_removed bigint not null,
  rows_restored bigint not null,
  rows_unchanged bigint not null,
  rows_rejected bigint not null,
  rows_outside bigint not null,
  rows_repeated bigint not null,
  nulls_damped bigint not null,
  would_remove bigint not null,
  requests bigint not null,
  retries bigint not null,
  bytes bigint not null,
  seconds double precision not null,
  error text
);
comment on table ops.loads is 'Evidence: one row for each partition of each load, good or bad';
comment on column ops.loads.valid_from is 'The moment that the load''s new versions carry';
comment on column ops.loads.window_label is 'The partitions that were fetched and committed together';
comment on column ops.loads.total_first is 'Rows of the window that the source announced on its first page';
comment on column ops.loads.total_last is 'The same on the last page; both must equal window_received';
comment on column ops.loads.rows_outside is 'Rows of the window at the midnight after it, left to the next window';
comment on column ops.loads.rows_repeated is 'Rows with nothing to tell them from another one, counted and stored once';
comment on column ops.loads.nulls_damped is 'Rows whose vanished value is not believed yet';
comment on column ops.loads.would_remove is 'Rows that the source no longer publishes, removed or held';
comment on column ops.loads.requests is 'HTTP requests; those of a window are shared out over its partitions';
create index loads_latest_idx on ops.loads (dataset, partition_key, id desc);
create index loads_finished_idx on ops.loads (finished_at);

create table ops.rejects (
  id bigint generated always as identity primary key,
  dataset text not null,
  partition_key text not null,
  record_key text,
  reason text not null,
  payload text not null,
  digest text not null,
  url text,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  times bigint not null default 1,
  run_id text,
  resolved_at timestamptz,
  unique (dataset, digest)
);
comment on table ops.rejects is 'Records that could not be used, whole, with the reason; replay: fisio-ayida rejects replay';
comment on column ops.rejects.payload is 'The record as received; bytes that are not UTF-8 are escaped';
create index rejects_open_idx on ops.rejects (dataset, partition_key) where resolved_at is null;

create table ops.drift (
  id bigint generated always as identity primary key,
  dataset text not null,
  field text not null,
  kind text not null check (kind in ('unknown_field', 'type_changed')),
  json_type text not null,
  sample text not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  times bigint not null,
  accepted_at timestamptz,
  unique (dataset, field, kind, json_type)
);
comment on table ops.drift is 'Differences between the payloads and the contract: field, type, a sample, since when';
comment on column ops.drift.accepted_at is 'Set by a person who knows about it; the check is silent from then on';

create table ops.null_sightings (
  dataset text not null,
  partition_key text not null,
  record_key text not null,
  field text not null,
  first_seen timestamptz not null,
  primary key (dataset, record_key, field)
);
comment on table ops.null_sightings is 'Values that vanished once; believed when they are missing again';
create index null_sightings_partition_idx on ops.null_sightings (dataset, partition_key);
