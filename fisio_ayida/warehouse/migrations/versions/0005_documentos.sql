create table bdns.documentos (
  origen text collate "C" not null check (origen in ('convocatoria', 'plan')),
  id bigint not null,
  codigo_bdns text collate "C",
  id_plan bigint,
  nombre_fic text,
  long bigint,
  dat_mod date,
  dat_publicacion date,
  ejercicio integer,
  tipo_documento text,
  fingerprint text collate "C" not null,
  state text collate "C" not null check (state in ('stored', 'failed', 'refused', 'gone')),
  file_name text,
  path text collate "C",
  size_bytes bigint,
  sha256 text collate "C" check (sha256 ~ '^[0-9a-f]{64}$'),
  content_type text,
  fetched_at timestamptz,
  valid_from timestamptz,
  gone_at timestamptz,
  gone_reason text check (gone_reason in ('refused', 'unlisted')),
  attempts integer not null default 0,
  attempted_at timestamptz,
  next_attempt_at timestamptz,
  last_error text,
  doubtful_sha256 text collate "C",
  refused_over bigint,
  run_id text,
  primary key (origen, id),
  check (case origen when 'convocatoria' then codigo_bdns is not null and id_plan is null
                     else codigo_bdns is null and id_plan is not null end),
  check ((sha256 is null) = (path is null)),
  check ((sha256 is null) = (size_bytes is null)),
  check ((sha256 is null) = (valid_from is null)),
  check (state <> 'stored' or sha256 is not null),
  check ((state = 'gone') = (gone_at is not null)),
  check ((state = 'gone') = (gone_reason is not null)),
  check (next_attempt_at is null or state = 'failed')
);
comment on table bdns.documentos is 'Documents of calls and plans: what the source announces, and where the bytes are';
comment on column bdns.documentos.origen is 'convocatoria or plan: ids of the two are apart';
comment on column bdns.documentos.id is 'Document id at the source';
comment on column bdns.documentos.codigo_bdns is 'The call that has it (convocatorias.codigo_bdns)';
comment on column bdns.documentos.id_plan is 'The plan that has it (planes_estrategicos.id)';
comment on column bdns.documentos.nombre_fic is 'File name as announced';
comment on column bdns.documentos.long is 'Size as announced; plans announce none [bytes]';
comment on column bdns.documentos.dat_mod is 'Last change as announced';
comment on column bdns.documentos.dat_publicacion is 'Publication as announced';
comment on column bdns.documentos.ejercicio is 'Year as announced; plans only';
comment on column bdns.documentos.tipo_documento is 'What the document is, as announced; plans only';
comment on column bdns.documentos.fingerprint is 'Digest of the announcement; another one makes the document due again';
comment on column bdns.documentos.state is
  'stored; failed: tried again at next_attempt_at; refused: larger than we take; gone: not at the source any more';
comment on column bdns.documentos.file_name is 'A safe file name with the extension of what the file really is';
comment on column bdns.documentos.path is 'Where the bytes are, below DOCUMENTS_URL; the same for equal bytes';
comment on column bdns.documentos.size_bytes is 'Size of the stored bytes [bytes]';
comment on column bdns.documentos.sha256 is 'Digest of the stored bytes (documentos_texto.sha256)';
comment on column bdns.documentos.content_type is 'Media type, told by the content';
comment on column bdns.documentos.fetched_at is 'When the stored bytes were received';
comment on column bdns.documentos.valid_from is 'When this version was first stored';
comment on column bdns.documentos.gone_at is 'When it was found to be gone; the bytes stay';
comment on column bdns.documentos.gone_reason is
  'refused: still announced, and the source answers that it does not exist; unlisted: not announced any more';
comment on column bdns.documentos.attempts is 'Failed tries of this announcement';
comment on column bdns.documentos.attempted_at is 'The last try';
comment on column bdns.documentos.next_attempt_at is 'When a failed one is due again; null: no try is left';
comment on column bdns.documentos.last_error is 'Why the last try failed, or why it was refused or is gone';
comment on column bdns.documentos.doubtful_sha256 is
  'Digest of a body whose size was not the announced one; believed when the same comes a second time';
comment on column bdns.documentos.refused_over is 'The limit that it was over; a higher one makes it due [bytes]';
comment on column bdns.documentos.run_id is 'The run of the last try';
create index documentos_parent_idx on bdns.documentos (codigo_bdns) where codigo_bdns is not null;
create index documentos_sha256_idx on bdns.documentos (sha256) where sha256 is not null;
create index documentos_fetched_idx on bdns.documentos (fetched_at) where sha256 is not null;
create index documentos_attention_idx on bdns.documentos (state, id) where state <> 'stored';
create index documentos_length_idx on bdns.documentos (id) where size_bytes <> long;

create table bdns.documentos_history (
  origen text collate "C" not null,
  id bigint not null,
  codigo_bdns text collate "C",
  id_plan bigint,
  nombre_fic text,
  long bigint,
  dat_mod date,
  dat_publicacion date,
  ejercicio integer,
  tipo_documento text,
  fingerprint text collate "C" not null,
  file_name text,
  path text collate "C" not null,
  size_bytes bigint not null,
  sha256 text collate "C" not null,
  content_type text,
  fetched_at timestamptz not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.documentos_history is 'Past versions of documents; their bytes stay in the store';
comment on column bdns.documentos_history.valid_to is 'When it was superseded, or found to be gone';
comment on column bdns.documentos_history.end_kind is
  'superseded: announced anew; withdrawn: it was gone for a while and came back';
create index documentos_history_key_idx on bdns.documentos_history (origen, id, valid_to);
create index documentos_history_sha256_idx on bdns.documentos_history (sha256);

create function bdns.documentos_as_of(moment timestamptz) returns table (
  origen text, id bigint, codigo_bdns text, id_plan bigint, nombre_fic text, file_name text, path text,
  size_bytes bigint, sha256 text, content_type text, valid_from timestamptz
)
language sql stable parallel safe
as $$
  select origen, id, codigo_bdns, id_plan, nombre_fic, file_name, path, size_bytes, sha256, content_type, valid_from
  from bdns.documentos where valid_from <= moment and (gone_at is null or moment < gone_at)
  union all
  select origen, id, codigo_bdns, id_plan, nombre_fic, file_name, path, size_bytes, sha256, content_type, valid_from
  from bdns.documentos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.documentos_as_of(timestamptz) is 'The documents that were stored and not gone at that moment';

-- Accents are no matter to who searches. The extension may be missing, or not ours to create: then they are.
create text search configuration bdns.espanol (copy = pg_catalog.spanish);
create text search configuration bdns.neutro (copy = pg_catalog.simple);
do $$
declare
  dictionary text;
begin
  if exists (select from pg_available_extensions where name = 'unaccent') then
    begin
      create extension if not exists unaccent with schema bdns;
    exception when insufficient_privilege then
      raise notice 'unaccent may not be created: a search will tell é from e';
    end;
  end if;
  select format('%I.unaccent', n.nspname) into dictionary
  from pg_ts_dict d join pg_namespace n on n.oid = d.dictnamespace where d.dictname = 'unaccent';
  if dictionary is not null then
    execute format(
      'alter text search configuration bdns.espanol alter mapping for hword, hword_part, word with %s, spanish_stem',
      dictionary);
    execute format(
      'alter text search configuration bdns.neutro alter mapping for hword, hword_part, word with %s, simple',
      dictionary);
  end if;
end $$;
comment on text search configuration bdns.espanol is 'Spanish word stems, accents ignored where unaccent is installed';
comment on text search configuration bdns.neutro is 'Words as they stand, for every other language; accents as above';

create table bdns.documentos_texto (
  sha256 text collate "C" primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  outcome text collate "C" not null check (outcome in ('text', 'empty', 'unsupported', 'limit', 'failed')),
  reason text,
  texto text,
  pages integer,
  truncated boolean not null default false,
  extractor text not null,
  extracted_at timestamptz not null,
  indexed_chars integer,
  buscable tsvector,
  buscable_neutro tsvector,
  check ((outcome = 'text') = (texto is not null)),
  check (outcome = 'text' or reason is not null)
);
comment on table bdns.documentos_texto is 'The text inside documents, once for equal bytes; also those without, and why';
comment on column bdns.documentos_texto.sha256 is 'Digest of the file (documentos.sha256)';
comment on column bdns.documentos_texto.outcome is
  'text; empty: nothing to read, as in a scan; unsupported: no reader for the kind; limit: it took too much; failed';
comment on column bdns.documentos_texto.reason is 'Why there is no text, or what of it is missing';
comment on column bdns.documentos_texto.texto is 'The text; may name people';
comment on column bdns.documentos_texto.pages is 'Pages of the file; null for kinds without';
comment on column bdns.documentos_texto.truncated is 'The file has more pages, members or text than were read';
comment on column bdns.documentos_texto.extractor is 'The library that read it, with its version';
comment on column bdns.documentos_texto.extracted_at is 'When it was read';
comment on column bdns.documentos_texto.indexed_chars is
  'How much from the beginning is in the two indexes: PostgreSQL takes a mebibyte of different words';
comment on column bdns.documentos_texto.buscable is 'For queries in Spanish: bdns.espanol';
comment on column bdns.documentos_texto.buscable_neutro is 'For any language: bdns.neutro';

-- Whoever writes a text gets it indexed, as much of it as PostgreSQL takes.
create function bdns.index_documento_texto() returns trigger language plpgsql as $$
declare
  chars integer := length(new.texto);
begin
  loop
    begin
      new.buscable := to_tsvector('bdns.espanol', left(new.texto, chars));
      new.buscable_neutro := to_tsvector('bdns.neutro', left(new.texto, chars));
      new.indexed_chars := chars;
      return new;
    exception when program_limit_exceeded then
      chars := chars / 2;
    end;
  end loop;
end $$;
create trigger index_documento_texto before insert or update of texto on bdns.documentos_texto
  for each row execute function bdns.index_documento_texto();
create index documentos_texto_buscable_idx on bdns.documentos_texto using gin (buscable);
create index documentos_texto_buscable_neutro_idx on bdns.documentos_texto using gin (buscable_neutro);
create index documentos_texto_attention_idx on bdns.documentos_texto (outcome) where outcome in ('limit', 'failed');
