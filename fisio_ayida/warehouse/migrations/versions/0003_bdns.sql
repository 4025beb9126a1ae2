create or replace function bdns.normal(value text) returns text
language sql immutable parallel safe strict
as $$
  select nullif(btrim(regexp_replace(
    lower(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g')),
    '[[:space:]\u00a0]+', ' ', 'g')), '')
$$;
comment on function bdns.normal(text) is
  'Lower case, no accents, single blanks: the form in which texts join catalogues';


create table bdns.finalidades (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.finalidades is 'Finalidades: Policy areas.';
create table bdns.finalidades_history (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.finalidades_history is 'Past versions. Finalidades: Policy areas.';
create index finalidades_history_key_idx on bdns.finalidades_history (id, valid_to);
comment on column bdns.finalidades.id is 'Catalogue id';
comment on column bdns.finalidades.descripcion is 'Text as published';
comment on column bdns.finalidades.descripcion_normal is 'Text in the normal form that joins use';
create index finalidades_descripcion_normal_idx on bdns.finalidades (left(descripcion_normal, 200));
create function bdns.finalidades_as_of(moment timestamptz) returns setof bdns.finalidades
language sql stable parallel safe
as $$
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.finalidades where valid_from <= moment
  union all
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.finalidades_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.finalidades_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.tipos_beneficiario (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.tipos_beneficiario is 'Tipos de beneficiario: Types of beneficiary.';
create table bdns.tipos_beneficiario_history (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.tipos_beneficiario_history is 'Past versions. Tipos de beneficiario: Types of beneficiary.';
create index tipos_beneficiario_history_key_idx on bdns.tipos_beneficiario_history (id, valid_to);
comment on column bdns.tipos_beneficiario.id is 'Catalogue id';
comment on column bdns.tipos_beneficiario.descripcion is 'Text as published';
comment on column bdns.tipos_beneficiario.descripcion_normal is 'Text in the normal form that joins use';
create index tipos_beneficiario_descripcion_normal_idx on bdns.tipos_beneficiario (left(descripcion_normal, 200));
create function bdns.tipos_beneficiario_as_of(moment timestamptz) returns setof bdns.tipos_beneficiario
language sql stable parallel safe
as $$
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.tipos_beneficiario where valid_from <= moment
  union all
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.tipos_beneficiario_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.tipos_beneficiario_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.instrumentos (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.instrumentos is 'Instrumentos: Aid instruments.';
create table bdns.instrumentos_history (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.instrumentos_history is 'Past versions. Instrumentos: Aid instruments.';
create index instrumentos_history_key_idx on bdns.instrumentos_history (id, valid_to);
comment on column bdns.instrumentos.id is 'Catalogue id';
comment on column bdns.instrumentos.descripcion is 'Text as published';
comment on column bdns.instrumentos.descripcion_normal is 'Text in the normal form that joins use';
create index instrumentos_descripcion_normal_idx on bdns.instrumentos (left(descripcion_normal, 200));
create function bdns.instrumentos_as_of(moment timestamptz) returns setof bdns.instrumentos
language sql stable parallel safe
as $$
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.instrumentos where valid_from <= moment
  union all
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.instrumentos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.instrumentos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.reglamentos (
  ambito text collate "C" not null,
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (ambito, id)
);
comment on table bdns.reglamentos is 'Reglamentos: EU regulations, by ámbito.';
create table bdns.reglamentos_history (
  ambito text collate "C" not null,
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.reglamentos_history is 'Past versions. Reglamentos: EU regulations, by ámbito.';
create index reglamentos_history_key_idx on bdns.reglamentos_history (ambito, id, valid_to);
comment on column bdns.reglamentos.ambito is 'Dataset that the list is for: C, A, M, S, P, G';
comment on column bdns.reglamentos.id is 'Catalogue id';
comment on column bdns.reglamentos.descripcion is 'Text as published';
comment on column bdns.reglamentos.descripcion_normal is 'Text in the normal form that joins use';
create index reglamentos_descripcion_normal_idx on bdns.reglamentos (left(descripcion_normal, 200));
create function bdns.reglamentos_as_of(moment timestamptz) returns setof bdns.reglamentos
language sql stable parallel safe
as $$
  select ambito, id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.reglamentos where valid_from <= moment
  union all
  select ambito, id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.reglamentos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.reglamentos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create index reglamentos_history_ambito_idx on bdns.reglamentos_history (ambito) where end_kind = 'withdrawn';

create table bdns.sectores (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.sectores is 'Sectores: Agricultural product sectors.';
create table bdns.sectores_history (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.sectores_history is 'Past versions. Sectores: Agricultural product sectors.';
create index sectores_history_key_idx on bdns.sectores_history (id, valid_to);
comment on column bdns.sectores.id is 'Catalogue id';
comment on column bdns.sectores.descripcion is 'Text as published';
comment on column bdns.sectores.descripcion_normal is 'Text in the normal form that joins use';
create index sectores_descripcion_normal_idx on bdns.sectores (left(descripcion_normal, 200));
create function bdns.sectores_as_of(moment timestamptz) returns setof bdns.sectores
language sql stable parallel safe
as $$
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.sectores where valid_from <= moment
  union all
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.sectores_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.sectores_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.actividades (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.actividades is 'Actividades: Economic activities (CNAE); ids change with its edition.';
create table bdns.actividades_history (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.actividades_history is 'Past versions. Actividades: Economic activities (CNAE); ids change with its edition.';
create index actividades_history_key_idx on bdns.actividades_history (id, valid_to);
comment on column bdns.actividades.id is 'Catalogue id';
comment on column bdns.actividades.descripcion is 'Text as published';
comment on column bdns.actividades.descripcion_normal is 'Text in the normal form that joins use';
create index actividades_descripcion_normal_idx on bdns.actividades (left(descripcion_normal, 200));
create function bdns.actividades_as_of(moment timestamptz) returns setof bdns.actividades
language sql stable parallel safe
as $$
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.actividades where valid_from <= moment
  union all
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.actividades_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.actividades_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.objetivos (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.objetivos is 'Objetivos: State-aid objectives.';
create table bdns.objetivos_history (
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.objetivos_history is 'Past versions. Objetivos: State-aid objectives.';
create index objetivos_history_key_idx on bdns.objetivos_history (id, valid_to);
comment on column bdns.objetivos.id is 'Catalogue id';
comment on column bdns.objetivos.descripcion is 'Text as published';
comment on column bdns.objetivos.descripcion_normal is 'Text in the normal form that joins use';
create index objetivos_descripcion_normal_idx on bdns.objetivos (left(descripcion_normal, 200));
create function bdns.objetivos_as_of(moment timestamptz) returns setof bdns.objetivos
language sql stable parallel safe
as $$
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.objetivos where valid_from <= moment
  union all
  select id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.objetivos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.objetivos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.regiones (
  id bigint not null,
  nivel integer,
  id_padre bigint,
  ruta_ids text,
  hoja boolean,
  descripcion text,
  codigo_nuts text collate "C",
  nombre text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.regiones is 'Regiones: The tree of regions (NUTS), other countries included.';
create table bdns.regiones_history (
  id bigint not null,
  nivel integer,
  id_padre bigint,
  ruta_ids text,
  hoja boolean,
  descripcion text,
  codigo_nuts text collate "C",
  nombre text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.regiones_history is 'Past versions. Regiones: The tree of regions (NUTS), other countries included.';
create index regiones_history_key_idx on bdns.regiones_history (id, valid_to);
comment on column bdns.regiones.id is 'Id, unique across the tree';
comment on column bdns.regiones.nivel is 'Depth, 1 at the root';
comment on column bdns.regiones.id_padre is 'Id of the parent';
comment on column bdns.regiones.ruta_ids is 'Ids from the root to the node, joined with ''/''';
comment on column bdns.regiones.hoja is 'The node has no children';
comment on column bdns.regiones.descripcion is 'NUTS code and name as published';
comment on column bdns.regiones.codigo_nuts is 'NUTS code parsed from the text';
comment on column bdns.regiones.nombre is 'Name without the code';
comment on column bdns.regiones.descripcion_normal is 'Text in the normal form that joins use';
create index regiones_codigo_nuts_idx on bdns.regiones (codigo_nuts);
create index regiones_descripcion_normal_idx on bdns.regiones (left(descripcion_normal, 200));
create function bdns.regiones_as_of(moment timestamptz) returns setof bdns.regiones
language sql stable parallel safe
as $$
  select id, nivel, id_padre, ruta_ids, hoja, descripcion, codigo_nuts, nombre, descripcion_normal, extra, row_hash, valid_from from bdns.regiones where valid_from <= moment
  union all
  select id, nivel, id_padre, ruta_ids, hoja, descripcion, codigo_nuts, nombre, descripcion_normal, extra, row_hash, valid_from from bdns.regiones_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.regiones_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.organos (
  id_admon text collate "C" not null,
  ruta_ids text collate "C" not null,
  id bigint not null,
  nivel integer,
  id_padre bigint,
  hoja boolean,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id_admon, ruta_ids)
);
comment on table bdns.organos is 'Órganos: The tree of granting bodies, every node a row.';
create table bdns.organos_history (
  id_admon text collate "C" not null,
  ruta_ids text collate "C" not null,
  id bigint not null,
  nivel integer,
  id_padre bigint,
  hoja boolean,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.organos_history is 'Past versions. Órganos: The tree of granting bodies, every node a row.';
create index organos_history_key_idx on bdns.organos_history (id_admon, ruta_ids, valid_to);
comment on column bdns.organos.id_admon is 'Administration type: C, A, L, O';
comment on column bdns.organos.ruta_ids is 'Ids from the root to the node, joined with ''/''';
comment on column bdns.organos.id is 'Id, unique within its level; leaf ids filter the searches';
comment on column bdns.organos.nivel is 'Depth, 1 at the root';
comment on column bdns.organos.id_padre is 'Id of the parent, one level up';
comment on column bdns.organos.hoja is 'The node has no children: its id is valid in the organos filter';
comment on column bdns.organos.descripcion is 'Name as published, odd blanks included';
comment on column bdns.organos.descripcion_normal is 'Name in the normal form that joins use';
create index organos_id_idx on bdns.organos (id);
create index organos_descripcion_normal_idx on bdns.organos (left(descripcion_normal, 200));
create function bdns.organos_as_of(moment timestamptz) returns setof bdns.organos
language sql stable parallel safe
as $$
  select id_admon, ruta_ids, id, nivel, id_padre, hoja, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.organos where valid_from <= moment
  union all
  select id_admon, ruta_ids, id, nivel, id_padre, hoja, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.organos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.organos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create index organos_history_id_admon_idx on bdns.organos_history (id_admon) where end_kind = 'withdrawn';

create table bdns.organos_agrupacion (
  id_admon text collate "C" not null,
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id_admon, id)
);
comment on table bdns.organos_agrupacion is 'Órganos, primer nivel: The first level of the tree of granting bodies, as the portal groups them.';
create table bdns.organos_agrupacion_history (
  id_admon text collate "C" not null,
  id bigint not null,
  descripcion text,
  descripcion_normal text collate "C",
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.organos_agrupacion_history is 'Past versions. Órganos, primer nivel: The first level of the tree of granting bodies, as the portal groups them.';
create index organos_agrupacion_history_key_idx on bdns.organos_agrupacion_history (id_admon, id, valid_to);
comment on column bdns.organos_agrupacion.id_admon is 'Administration type: C, A, L, O';
comment on column bdns.organos_agrupacion.id is 'Id, unique within the administration type';
comment on column bdns.organos_agrupacion.descripcion is 'Name as published';
comment on column bdns.organos_agrupacion.descripcion_normal is 'Name in the normal form that joins use';
create index organos_agrupacion_descripcion_normal_idx on bdns.organos_agrupacion (left(descripcion_normal, 200));
create function bdns.organos_agrupacion_as_of(moment timestamptz) returns setof bdns.organos_agrupacion
language sql stable parallel safe
as $$
  select id_admon, id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.organos_agrupacion where valid_from <= moment
  union all
  select id_admon, id, descripcion, descripcion_normal, extra, row_hash, valid_from from bdns.organos_agrupacion_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.organos_agrupacion_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create index organos_agrupacion_history_id_admon_idx on bdns.organos_agrupacion_history (id_admon) where end_kind = 'withdrawn';

create table bdns.convocatorias (
  codigo_bdns text collate "C" not null,
  id bigint,
  fecha_recepcion date not null,
  con_detalle boolean,
  nivel1 text,
  nivel2 text,
  nivel3 text,
  codigo_invente text,
  sede_electronica text,
  tipo_convocatoria text,
  presupuesto_total numeric,
  mrr boolean,
  descripcion text,
  descripcion_leng text,
  descripcion_finalidad text,
  descripcion_bases_reguladoras text,
  url_bases_reguladoras text,
  se_publica_diario_oficial boolean,
  abierto boolean,
  fecha_inicio_solicitud date,
  fecha_fin_solicitud date,
  text_inicio text,
  text_fin text,
  ayuda_estado text,
  url_ayuda_estado text,
  reglamento text,
  reglamento_orden text,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns)
);
comment on table bdns.convocatorias is 'Convocatorias: Calls for grants: the listing completed by the detail of each call.';
create table bdns.convocatorias_history (
  codigo_bdns text collate "C" not null,
  id bigint,
  fecha_recepcion date not null,
  con_detalle boolean,
  nivel1 text,
  nivel2 text,
  nivel3 text,
  codigo_invente text,
  sede_electronica text,
  tipo_convocatoria text,
  presupuesto_total numeric,
  mrr boolean,
  descripcion text,
  descripcion_leng text,
  descripcion_finalidad text,
  descripcion_bases_reguladoras text,
  url_bases_reguladoras text,
  se_publica_diario_oficial boolean,
  abierto boolean,
  fecha_inicio_solicitud date,
  fecha_fin_solicitud date,
  text_inicio text,
  text_fin text,
  ayuda_estado text,
  url_ayuda_estado text,
  reglamento text,
  reglamento_orden text,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_history is 'Past versions. Convocatorias: Calls for grants: the listing completed by the detail of each call.';
create index convocatorias_history_key_idx on bdns.convocatorias_history (codigo_bdns, valid_to);
comment on column bdns.convocatorias.codigo_bdns is 'BDNS code; text, up to 16 digits';
comment on column bdns.convocatorias.id is 'Internal call id (id_convocatoria in the award datasets)';
comment on column bdns.convocatorias.fecha_recepcion is 'Registration date in the BDNS';
comment on column bdns.convocatorias.con_detalle is 'The detail call answered; false: listing fields only';
comment on column bdns.convocatorias.nivel1 is 'Administration type: ESTADO, AUTONOMICA, LOCAL, OTROS';
comment on column bdns.convocatorias.nivel2 is 'Ministry, region, municipality or body';
comment on column bdns.convocatorias.nivel3 is 'Body; null where the administration has two levels';
comment on column bdns.convocatorias.codigo_invente is 'INVENTE code of the body (listing only)';
comment on column bdns.convocatorias.sede_electronica is 'Application site, free text';
comment on column bdns.convocatorias.tipo_convocatoria is 'Competitive or direct award, canonical or not';
comment on column bdns.convocatorias.presupuesto_total is 'Budget; 0 may mean none [EUR]';
comment on column bdns.convocatorias.mrr is 'Recovery and resilience mechanism funds';
comment on column bdns.convocatorias.descripcion is 'Title in Spanish; a leading ANULADA marks an annulled call';
comment on column bdns.convocatorias.descripcion_leng is 'Title in the co-official language';
comment on column bdns.convocatorias.descripcion_finalidad is 'Policy area, text only';
comment on column bdns.convocatorias.descripcion_bases_reguladoras is 'Title of the regulatory bases';
comment on column bdns.convocatorias.url_bases_reguladoras is 'Address or prose; validate before publishing';
comment on column bdns.convocatorias.se_publica_diario_oficial is 'An extract goes to an official gazette';
comment on column bdns.convocatorias.abierto is 'May be requested indefinitely; not ''open today''';
comment on column bdns.convocatorias.fecha_inicio_solicitud is 'Application window, first day';
comment on column bdns.convocatorias.fecha_fin_solicitud is 'Application window, last day';
comment on column bdns.convocatorias.text_inicio is 'Free-text start of the application window';
comment on column bdns.convocatorias.text_fin is 'Free-text end of the application window';
comment on column bdns.convocatorias.ayuda_estado is 'State-aid case, SA.nnnnnn';
comment on column bdns.convocatorias.url_ayuda_estado is 'EU page of the state-aid case';
comment on column bdns.convocatorias.reglamento is 'EU regulation';
comment on column bdns.convocatorias.reglamento_orden is 'The regulation''s orden (autorizacion in the specification)';
create index convocatorias_fecha_recepcion_idx on bdns.convocatorias (fecha_recepcion);
create function bdns.convocatorias_as_of(moment timestamptz) returns setof bdns.convocatorias
language sql stable parallel safe
as $$
  select codigo_bdns, id, fecha_recepcion, con_detalle, nivel1, nivel2, nivel3, codigo_invente, sede_electronica, tipo_convocatoria, presupuesto_total, mrr, descripcion, descripcion_leng, descripcion_finalidad, descripcion_bases_reguladoras, url_bases_reguladoras, se_publica_diario_oficial, abierto, fecha_inicio_solicitud, fecha_fin_solicitud, text_inicio, text_fin, ayuda_estado, url_ayuda_estado, reglamento, reglamento_orden, extra, row_hash, valid_from from bdns.convocatorias where valid_from <= moment
  union all
  select codigo_bdns, id, fecha_recepcion, con_detalle, nivel1, nivel2, nivel3, codigo_invente, sede_electronica, tipo_convocatoria, presupuesto_total, mrr, descripcion, descripcion_leng, descripcion_finalidad, descripcion_bases_reguladoras, url_bases_reguladoras, se_publica_diario_oficial, abierto, fecha_inicio_solicitud, fecha_fin_solicitud, text_inicio, text_fin, ayuda_estado, url_ayuda_estado, reglamento, reglamento_orden, extra, row_hash, valid_from from bdns.convocatorias_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create index convocatorias_history_fecha_recepcion_idx on bdns.convocatorias_history (fecha_recepcion) where end_kind = 'withdrawn';

create table bdns.convocatorias_documentos (
  codigo_bdns text collate "C" not null,
  id bigint not null,
  descripcion text,
  nombre_fic text,
  long bigint,
  dat_mod date,
  dat_publicacion date,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, id)
);
comment on table bdns.convocatorias_documentos is 'Convocatorias: Attachments of a call';
create table bdns.convocatorias_documentos_history (
  codigo_bdns text collate "C" not null,
  id bigint not null,
  descripcion text,
  nombre_fic text,
  long bigint,
  dat_mod date,
  dat_publicacion date,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_documentos_history is 'Past versions. Convocatorias: Attachments of a call';
create index convocatorias_documentos_history_key_idx on bdns.convocatorias_documentos_history (codigo_bdns, id, valid_to);
comment on column bdns.convocatorias_documentos.id is 'Document id, for /convocatorias/documentos';
comment on column bdns.convocatorias_documentos.descripcion is 'What the document is';
comment on column bdns.convocatorias_documentos.nombre_fic is 'File name as uploaded';
comment on column bdns.convocatorias_documentos.long is 'Expected size [bytes]';
comment on column bdns.convocatorias_documentos.dat_mod is 'Last change';
comment on column bdns.convocatorias_documentos.dat_publicacion is 'Publication';
create function bdns.convocatorias_documentos_as_of(moment timestamptz) returns setof bdns.convocatorias_documentos
language sql stable parallel safe
as $$
  select codigo_bdns, id, descripcion, nombre_fic, long, dat_mod, dat_publicacion, row_hash, valid_from from bdns.convocatorias_documentos where valid_from <= moment
  union all
  select codigo_bdns, id, descripcion, nombre_fic, long, dat_mod, dat_publicacion, row_hash, valid_from from bdns.convocatorias_documentos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_documentos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.convocatorias_anuncios (
  codigo_bdns text collate "C" not null,
  num_anuncio bigint not null,
  titulo text,
  titulo_leng text,
  texto text,
  texto_leng text,
  url text,
  cve text,
  des_diario_oficial text,
  dat_publicacion date,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, num_anuncio)
);
comment on table bdns.convocatorias_anuncios is 'Convocatorias: Extracts published in official gazettes';
create table bdns.convocatorias_anuncios_history (
  codigo_bdns text collate "C" not null,
  num_anuncio bigint not null,
  titulo text,
  titulo_leng text,
  texto text,
  texto_leng text,
  url text,
  cve text,
  des_diario_oficial text,
  dat_publicacion date,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_anuncios_history is 'Past versions. Convocatorias: Extracts published in official gazettes';
create index convocatorias_anuncios_history_key_idx on bdns.convocatorias_anuncios_history (codigo_bdns, num_anuncio, valid_to);
comment on column bdns.convocatorias_anuncios.num_anuncio is 'Number of the announcement';
comment on column bdns.convocatorias_anuncios.titulo is 'Title';
comment on column bdns.convocatorias_anuncios.titulo_leng is 'Title in the co-official language';
comment on column bdns.convocatorias_anuncios.texto is 'Extract, HTML';
comment on column bdns.convocatorias_anuncios.texto_leng is 'Extract in the co-official language, HTML';
comment on column bdns.convocatorias_anuncios.url is 'Address of the announcement';
comment on column bdns.convocatorias_anuncios.cve is 'Verification code of the gazette';
comment on column bdns.convocatorias_anuncios.des_diario_oficial is 'Gazette';
comment on column bdns.convocatorias_anuncios.dat_publicacion is 'Publication';
create function bdns.convocatorias_anuncios_as_of(moment timestamptz) returns setof bdns.convocatorias_anuncios
language sql stable parallel safe
as $$
  select codigo_bdns, num_anuncio, titulo, titulo_leng, texto, texto_leng, url, cve, des_diario_oficial, dat_publicacion, row_hash, valid_from from bdns.convocatorias_anuncios where valid_from <= moment
  union all
  select codigo_bdns, num_anuncio, titulo, titulo_leng, texto, texto_leng, url, cve, des_diario_oficial, dat_publicacion, row_hash, valid_from from bdns.convocatorias_anuncios_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_anuncios_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.convocatorias_objetivos (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, descripcion)
);
comment on table bdns.convocatorias_objetivos is 'Convocatorias: State-aid objectives';
create table bdns.convocatorias_objetivos_history (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_objetivos_history is 'Past versions. Convocatorias: State-aid objectives';
create index convocatorias_objetivos_history_key_idx on bdns.convocatorias_objetivos_history (codigo_bdns, descripcion, valid_to);
comment on column bdns.convocatorias_objetivos.descripcion is 'State-aid objective';
create function bdns.convocatorias_objetivos_as_of(moment timestamptz) returns setof bdns.convocatorias_objetivos
language sql stable parallel safe
as $$
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_objetivos where valid_from <= moment
  union all
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_objetivos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_objetivos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.convocatorias_sectores (
  codigo_bdns text collate "C" not null,
  codigo text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, codigo, descripcion)
);
comment on table bdns.convocatorias_sectores is 'Convocatorias: Economic sectors (CNAE)';
create table bdns.convocatorias_sectores_history (
  codigo_bdns text collate "C" not null,
  codigo text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_sectores_history is 'Past versions. Convocatorias: Economic sectors (CNAE)';
create index convocatorias_sectores_history_key_idx on bdns.convocatorias_sectores_history (codigo_bdns, codigo, descripcion, valid_to);
comment on column bdns.convocatorias_sectores.codigo is 'CNAE section or division';
comment on column bdns.convocatorias_sectores.descripcion is 'CNAE text';
create function bdns.convocatorias_sectores_as_of(moment timestamptz) returns setof bdns.convocatorias_sectores
language sql stable parallel safe
as $$
  select codigo_bdns, codigo, descripcion, row_hash, valid_from from bdns.convocatorias_sectores where valid_from <= moment
  union all
  select codigo_bdns, codigo, descripcion, row_hash, valid_from from bdns.convocatorias_sectores_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_sectores_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.convocatorias_sectores_productos (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, descripcion)
);
comment on table bdns.convocatorias_sectores_productos is 'Convocatorias: Agricultural product sectors';
create table bdns.convocatorias_sectores_productos_history (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_sectores_productos_history is 'Past versions. Convocatorias: Agricultural product sectors';
create index convocatorias_sectores_productos_history_key_idx on bdns.convocatorias_sectores_productos_history (codigo_bdns, descripcion, valid_to);
comment on column bdns.convocatorias_sectores_productos.descripcion is 'Agricultural product sector';
create function bdns.convocatorias_sectores_productos_as_of(moment timestamptz) returns setof bdns.convocatorias_sectores_productos
language sql stable parallel safe
as $$
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_sectores_productos where valid_from <= moment
  union all
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_sectores_productos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_sectores_productos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.convocatorias_regiones (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  codigo_nuts text,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, descripcion)
);
comment on table bdns.convocatorias_regiones is 'Convocatorias: Regions that a call covers';
create table bdns.convocatorias_regiones_history (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  codigo_nuts text,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_regiones_history is 'Past versions. Convocatorias: Regions that a call covers';
create index convocatorias_regiones_history_key_idx on bdns.convocatorias_regiones_history (codigo_bdns, descripcion, valid_to);
comment on column bdns.convocatorias_regiones.descripcion is 'NUTS text, ESxx - NAME';
comment on column bdns.convocatorias_regiones.codigo_nuts is 'NUTS code parsed from the text';
create function bdns.convocatorias_regiones_as_of(moment timestamptz) returns setof bdns.convocatorias_regiones
language sql stable parallel safe
as $$
  select codigo_bdns, descripcion, codigo_nuts, row_hash, valid_from from bdns.convocatorias_regiones where valid_from <= moment
  union all
  select codigo_bdns, descripcion, codigo_nuts, row_hash, valid_from from bdns.convocatorias_regiones_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_regiones_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.convocatorias_instrumentos (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, descripcion)
);
comment on table bdns.convocatorias_instrumentos is 'Convocatorias: Aid instruments';
create table bdns.convocatorias_instrumentos_history (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_instrumentos_history is 'Past versions. Convocatorias: Aid instruments';
create index convocatorias_instrumentos_history_key_idx on bdns.convocatorias_instrumentos_history (codigo_bdns, descripcion, valid_to);
comment on column bdns.convocatorias_instrumentos.descripcion is 'Aid instrument';
create function bdns.convocatorias_instrumentos_as_of(moment timestamptz) returns setof bdns.convocatorias_instrumentos
language sql stable parallel safe
as $$
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_instrumentos where valid_from <= moment
  union all
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_instrumentos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_instrumentos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.convocatorias_tipos_beneficiario (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, descripcion)
);
comment on table bdns.convocatorias_tipos_beneficiario is 'Convocatorias: Eligible types of beneficiary';
create table bdns.convocatorias_tipos_beneficiario_history (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_tipos_beneficiario_history is 'Past versions. Convocatorias: Eligible types of beneficiary';
create index convocatorias_tipos_beneficiario_history_key_idx on bdns.convocatorias_tipos_beneficiario_history (codigo_bdns, descripcion, valid_to);
comment on column bdns.convocatorias_tipos_beneficiario.descripcion is 'Type of beneficiary';
create function bdns.convocatorias_tipos_beneficiario_as_of(moment timestamptz) returns setof bdns.convocatorias_tipos_beneficiario
language sql stable parallel safe
as $$
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_tipos_beneficiario where valid_from <= moment
  union all
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_tipos_beneficiario_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_tipos_beneficiario_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.convocatorias_fondos (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (codigo_bdns, descripcion)
);
comment on table bdns.convocatorias_fondos is 'Convocatorias: EU funds';
create table bdns.convocatorias_fondos_history (
  codigo_bdns text collate "C" not null,
  descripcion text collate "C" not null,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.convocatorias_fondos_history is 'Past versions. Convocatorias: EU funds';
create index convocatorias_fondos_history_key_idx on bdns.convocatorias_fondos_history (codigo_bdns, descripcion, valid_to);
comment on column bdns.convocatorias_fondos.descripcion is 'EU fund';
create function bdns.convocatorias_fondos_as_of(moment timestamptz) returns setof bdns.convocatorias_fondos
language sql stable parallel safe
as $$
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_fondos where valid_from <= moment
  union all
  select codigo_bdns, descripcion, row_hash, valid_from from bdns.convocatorias_fondos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.convocatorias_fondos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.concesiones (
  id bigint not null,
  cod_concesion text,
  fecha_concesion date,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  instrumento text,
  importe numeric not null,
  ayuda_equivalente numeric not null,
  url_br text,
  tiene_proyecto boolean,
  numero_convocatoria text collate "C" not null,
  id_convocatoria bigint,
  convocatoria text,
  descripcion_cooficial text,
  nivel1 text,
  nivel2 text,
  nivel3 text,
  codigo_invente text,
  id_persona bigint,
  fecha_alta date not null,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.concesiones is 'Concesiones: Awards of grants and aid: who received how much under which call.';
create table bdns.concesiones_history (
  id bigint not null,
  cod_concesion text,
  fecha_concesion date,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  instrumento text,
  importe numeric not null,
  ayuda_equivalente numeric not null,
  url_br text,
  tiene_proyecto boolean,
  numero_convocatoria text collate "C" not null,
  id_convocatoria bigint,
  convocatoria text,
  descripcion_cooficial text,
  nivel1 text,
  nivel2 text,
  nivel3 text,
  codigo_invente text,
  id_persona bigint,
  fecha_alta date not null,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.concesiones_history is 'Past versions. Concesiones: Awards of grants and aid: who received how much under which call.';
create index concesiones_history_key_idx on bdns.concesiones_history (id, valid_to);
comment on column bdns.concesiones.id is 'Award id';
comment on column bdns.concesiones.cod_concesion is 'Public award code';
comment on column bdns.concesiones.fecha_concesion is 'Award date';
comment on column bdns.concesiones.beneficiario is 'Identifier and name as published; re-spelled at random by the source';
comment on column bdns.concesiones.identificador is 'Identifier alone; masked with asterisks for natural persons';
comment on column bdns.concesiones.nombre is 'Name alone, without the identifier and its separator';
comment on column bdns.concesiones.persona_fisica is 'Masked identifier, DNI, NIE or K/L/M number';
comment on column bdns.concesiones.dato_personal is 'A public product must hide or aggregate the row (RD 130/2019)';
comment on column bdns.concesiones.instrumento is 'Aid instrument, raw: odd case and trailing blanks';
comment on column bdns.concesiones.importe is 'Amount awarded [EUR]';
comment on column bdns.concesiones.ayuda_equivalente is 'Gross grant equivalent; differs from importe for loans and guarantees [EUR]';
comment on column bdns.concesiones.url_br is 'Regulatory bases; validate before publishing';
comment on column bdns.concesiones.tiene_proyecto is 'The award is for a project';
comment on column bdns.concesiones.numero_convocatoria is 'BDNS code of the call (convocatorias.codigo_bdns)';
comment on column bdns.concesiones.id_convocatoria is 'Internal id of the call';
comment on column bdns.concesiones.convocatoria is 'Title of the call, sometimes truncated';
comment on column bdns.concesiones.descripcion_cooficial is 'Title in the co-official language';
comment on column bdns.concesiones.nivel1 is 'Administration type: ESTADO, AUTONOMICA, LOCAL, OTROS';
comment on column bdns.concesiones.nivel2 is 'Ministry, region, municipality or body';
comment on column bdns.concesiones.nivel3 is 'Body; null where the administration has two levels';
comment on column bdns.concesiones.codigo_invente is 'INVENTE code of the body';
comment on column bdns.concesiones.id_persona is 'The source''s beneficiary id, stable across spellings; internal';
comment on column bdns.concesiones.fecha_alta is 'Registration date; never changes';
create index concesiones_identificador_idx on bdns.concesiones (identificador) where not persona_fisica;
create index concesiones_numero_convocatoria_idx on bdns.concesiones (numero_convocatoria);
create index concesiones_fecha_alta_idx on bdns.concesiones (fecha_alta);
create function bdns.concesiones_as_of(moment timestamptz) returns setof bdns.concesiones
language sql stable parallel safe
as $$
  select id, cod_concesion, fecha_concesion, beneficiario, identificador, nombre, persona_fisica, dato_personal, instrumento, importe, ayuda_equivalente, url_br, tiene_proyecto, numero_convocatoria, id_convocatoria, convocatoria, descripcion_cooficial, nivel1, nivel2, nivel3, codigo_invente, id_persona, fecha_alta, extra, row_hash, valid_from from bdns.concesiones where valid_from <= moment
  union all
  select id, cod_concesion, fecha_concesion, beneficiario, identificador, nombre, persona_fisica, dato_personal, instrumento, importe, ayuda_equivalente, url_br, tiene_proyecto, numero_convocatoria, id_convocatoria, convocatoria, descripcion_cooficial, nivel1, nivel2, nivel3, codigo_invente, id_persona, fecha_alta, extra, row_hash, valid_from from bdns.concesiones_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.concesiones_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create index concesiones_history_fecha_alta_idx on bdns.concesiones_history (fecha_alta) where end_kind = 'withdrawn';

create table bdns.ayudas_estado (
  id_concesion bigint not null,
  numero_convocatoria text collate "C" not null,
  id_convocatoria bigint,
  convocatoria text,
  id_persona bigint,
  cod_concesion text,
  convocante text,
  reglamento text,
  objetivo text,
  instrumento text,
  tipo_beneficiario text,
  fecha_concesion date,
  fecha_alta date not null,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  importe numeric not null,
  ayuda_equivalente numeric not null,
  region text,
  sectores text,
  ayuda_estado text,
  url_ayuda_estado text,
  entidad text,
  intermediario text,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id_concesion)
);
comment on table bdns.ayudas_estado is 'Ayudas de Estado: Awards that are State aid under EU law.';
create table bdns.ayudas_estado_history (
  id_concesion bigint not null,
  numero_convocatoria text collate "C" not null,
  id_convocatoria bigint,
  convocatoria text,
  id_persona bigint,
  cod_concesion text,
  convocante text,
  reglamento text,
  objetivo text,
  instrumento text,
  tipo_beneficiario text,
  fecha_concesion date,
  fecha_alta date not null,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  importe numeric not null,
  ayuda_equivalente numeric not null,
  region text,
  sectores text,
  ayuda_estado text,
  url_ayuda_estado text,
  entidad text,
  intermediario text,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.ayudas_estado_history is 'Past versions. Ayudas de Estado: Awards that are State aid under EU law.';
create index ayudas_estado_history_key_idx on bdns.ayudas_estado_history (id_concesion, valid_to);
comment on column bdns.ayudas_estado.id_concesion is 'Award id';
comment on column bdns.ayudas_estado.numero_convocatoria is 'BDNS code of the call (convocatorias.codigo_bdns)';
comment on column bdns.ayudas_estado.id_convocatoria is 'Internal id of the call';
comment on column bdns.ayudas_estado.convocatoria is 'Title of the call';
comment on column bdns.ayudas_estado.id_persona is 'The source''s beneficiary id, stable across spellings; internal';
comment on column bdns.ayudas_estado.cod_concesion is 'Public award code';
comment on column bdns.ayudas_estado.convocante is 'The three organ levels joined; cannot be split reliably';
comment on column bdns.ayudas_estado.reglamento is 'EU regulation';
comment on column bdns.ayudas_estado.objetivo is 'State-aid objective';
comment on column bdns.ayudas_estado.instrumento is 'Aid instrument, raw: odd case and trailing blanks';
comment on column bdns.ayudas_estado.tipo_beneficiario is 'Type of beneficiary';
comment on column bdns.ayudas_estado.fecha_concesion is 'Award date';
comment on column bdns.ayudas_estado.fecha_alta is 'Registration date; never changes';
comment on column bdns.ayudas_estado.beneficiario is 'Identifier and name as published; re-spelled at random by the source';
comment on column bdns.ayudas_estado.identificador is 'Identifier alone; masked with asterisks for natural persons';
comment on column bdns.ayudas_estado.nombre is 'Name alone, without the identifier and its separator';
comment on column bdns.ayudas_estado.persona_fisica is 'Masked identifier, DNI, NIE or K/L/M number';
comment on column bdns.ayudas_estado.dato_personal is 'A public product must hide or aggregate the row (RD 130/2019)';
comment on column bdns.ayudas_estado.importe is 'Amount awarded [EUR]';
comment on column bdns.ayudas_estado.ayuda_equivalente is 'Gross grant equivalent; differs from importe for loans and guarantees [EUR]';
comment on column bdns.ayudas_estado.region is 'NUTS text, trailing blank on roots';
comment on column bdns.ayudas_estado.sectores is 'CNAE ''code - text'' joined with ''#'', as received';
comment on column bdns.ayudas_estado.ayuda_estado is 'State-aid case, SA.nnnnnn';
comment on column bdns.ayudas_estado.url_ayuda_estado is 'EU page of the case';
comment on column bdns.ayudas_estado.entidad is 'Financial entity';
comment on column bdns.ayudas_estado.intermediario is 'Tax id of the financial intermediary';
create index ayudas_estado_numero_convocatoria_idx on bdns.ayudas_estado (numero_convocatoria);
create index ayudas_estado_fecha_alta_idx on bdns.ayudas_estado (fecha_alta);
create index ayudas_estado_identificador_idx on bdns.ayudas_estado (identificador) where not persona_fisica;
create function bdns.ayudas_estado_as_of(moment timestamptz) returns setof bdns.ayudas_estado
language sql stable parallel safe
as $$
  select id_concesion, numero_convocatoria, id_convocatoria, convocatoria, id_persona, cod_concesion, convocante, reglamento, objetivo, instrumento, tipo_beneficiario, fecha_concesion, fecha_alta, beneficiario, identificador, nombre, persona_fisica, dato_personal, importe, ayuda_equivalente, region, sectores, ayuda_estado, url_ayuda_estado, entidad, intermediario, extra, row_hash, valid_from from bdns.ayudas_estado where valid_from <= moment
  union all
  select id_concesion, numero_convocatoria, id_convocatoria, convocatoria, id_persona, cod_concesion, convocante, reglamento, objetivo, instrumento, tipo_beneficiario, fecha_concesion, fecha_alta, beneficiario, identificador, nombre, persona_fisica, dato_personal, importe, ayuda_equivalente, region, sectores, ayuda_estado, url_ayuda_estado, entidad, intermediario, extra, row_hash, valid_from from bdns.ayudas_estado_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.ayudas_estado_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create index ayudas_estado_history_fecha_alta_idx on bdns.ayudas_estado_history (fecha_alta) where end_kind = 'withdrawn';

create table bdns.minimis (
  id_concesion bigint not null,
  numero_convocatoria text collate "C" not null,
  id_convocatoria bigint,
  id_persona bigint,
  codigo_concesion text,
  convocante text,
  reglamento text,
  sector_producto text,
  instrumento text,
  fecha_concesion date,
  fecha_registro date not null,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  sector_actividad text,
  ayuda_equivalente numeric not null,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id_concesion)
);
comment on table bdns.minimis is 'Minimis: De minimis aid.';
create table bdns.minimis_history (
  id_concesion bigint not null,
  numero_convocatoria text collate "C" not null,
  id_convocatoria bigint,
  id_persona bigint,
  codigo_concesion text,
  convocante text,
  reglamento text,
  sector_producto text,
  instrumento text,
  fecha_concesion date,
  fecha_registro date not null,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  sector_actividad text,
  ayuda_equivalente numeric not null,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.minimis_history is 'Past versions. Minimis: De minimis aid.';
create index minimis_history_key_idx on bdns.minimis_history (id_concesion, valid_to);
comment on column bdns.minimis.id_concesion is 'Award id';
comment on column bdns.minimis.numero_convocatoria is 'BDNS code of the call (convocatorias.codigo_bdns)';
comment on column bdns.minimis.id_convocatoria is 'Internal id of the call';
comment on column bdns.minimis.id_persona is 'The source''s beneficiary id, stable across spellings; internal';
comment on column bdns.minimis.codigo_concesion is 'Public award code';
comment on column bdns.minimis.convocante is 'The three organ levels joined';
comment on column bdns.minimis.reglamento is 'EU regulation';
comment on column bdns.minimis.sector_producto is 'Agricultural product sector';
comment on column bdns.minimis.instrumento is 'Aid instrument, raw: odd case and trailing blanks';
comment on column bdns.minimis.fecha_concesion is 'Award date';
comment on column bdns.minimis.fecha_registro is 'Registration date; never changes';
comment on column bdns.minimis.beneficiario is 'Identifier and name as published; re-spelled at random by the source';
comment on column bdns.minimis.identificador is 'Identifier alone; masked with asterisks for natural persons';
comment on column bdns.minimis.nombre is 'Name alone, without the identifier and its separator';
comment on column bdns.minimis.persona_fisica is 'Masked identifier, DNI, NIE or K/L/M number';
comment on column bdns.minimis.dato_personal is 'A public product must hide or aggregate the row (RD 130/2019)';
comment on column bdns.minimis.sector_actividad is 'CNAE ''code - text'' joined with ''; '', as received';
comment on column bdns.minimis.ayuda_equivalente is 'Gross grant equivalent; differs from importe for loans and guarantees [EUR]';
create index minimis_numero_convocatoria_idx on bdns.minimis (numero_convocatoria);
create index minimis_fecha_registro_idx on bdns.minimis (fecha_registro);
create index minimis_identificador_idx on bdns.minimis (identificador) where not persona_fisica;
create function bdns.minimis_as_of(moment timestamptz) returns setof bdns.minimis
language sql stable parallel safe
as $$
  select id_concesion, numero_convocatoria, id_convocatoria, id_persona, codigo_concesion, convocante, reglamento, sector_producto, instrumento, fecha_concesion, fecha_registro, beneficiario, identificador, nombre, persona_fisica, dato_personal, sector_actividad, ayuda_equivalente, extra, row_hash, valid_from from bdns.minimis where valid_from <= moment
  union all
  select id_concesion, numero_convocatoria, id_convocatoria, id_persona, codigo_concesion, convocante, reglamento, sector_producto, instrumento, fecha_concesion, fecha_registro, beneficiario, identificador, nombre, persona_fisica, dato_personal, sector_actividad, ayuda_equivalente, extra, row_hash, valid_from from bdns.minimis_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.minimis_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create index minimis_history_fecha_registro_idx on bdns.minimis_history (fecha_registro) where end_kind = 'withdrawn';

create table bdns.partidos_politicos (
  id bigint not null,
  cod_concesion text,
  fecha_concesion date,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  instrumento text,
  importe numeric not null,
  ayuda_equivalente numeric not null,
  url_br text,
  tiene_proyecto boolean,
  numero_convocatoria text collate "C" not null,
  id_convocatoria bigint,
  convocatoria text,
  nivel1 text,
  nivel2 text,
  nivel3 text,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.partidos_politicos is 'Partidos políticos: Awards to political parties.';
create table bdns.partidos_politicos_history (
  id bigint not null,
  cod_concesion text,
  fecha_concesion date,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  instrumento text,
  importe numeric not null,
  ayuda_equivalente numeric not null,
  url_br text,
  tiene_proyecto boolean,
  numero_convocatoria text collate "C" not null,
  id_convocatoria bigint,
  convocatoria text,
  nivel1 text,
  nivel2 text,
  nivel3 text,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.partidos_politicos_history is 'Past versions. Partidos políticos: Awards to political parties.';
create index partidos_politicos_history_key_idx on bdns.partidos_politicos_history (id, valid_to);
comment on column bdns.partidos_politicos.id is 'Award id';
comment on column bdns.partidos_politicos.cod_concesion is 'Public award code';
comment on column bdns.partidos_politicos.fecha_concesion is 'Award date';
comment on column bdns.partidos_politicos.beneficiario is 'Identifier and name as published; re-spelled at random by the source';
comment on column bdns.partidos_politicos.identificador is 'Identifier alone; masked with asterisks for natural persons';
comment on column bdns.partidos_politicos.nombre is 'Name alone, without the identifier and its separator';
comment on column bdns.partidos_politicos.persona_fisica is 'Masked identifier, DNI, NIE or K/L/M number';
comment on column bdns.partidos_politicos.dato_personal is 'A public product must hide or aggregate the row (RD 130/2019)';
comment on column bdns.partidos_politicos.instrumento is 'Aid instrument, raw: odd case and trailing blanks';
comment on column bdns.partidos_politicos.importe is 'Amount awarded [EUR]';
comment on column bdns.partidos_politicos.ayuda_equivalente is 'Gross grant equivalent; differs from importe for loans and guarantees [EUR]';
comment on column bdns.partidos_politicos.url_br is 'Regulatory bases';
comment on column bdns.partidos_politicos.tiene_proyecto is 'The award is for a project';
comment on column bdns.partidos_politicos.numero_convocatoria is 'BDNS code of the call (convocatorias.codigo_bdns)';
comment on column bdns.partidos_politicos.id_convocatoria is 'Internal id of the call';
comment on column bdns.partidos_politicos.convocatoria is 'Title of the call';
comment on column bdns.partidos_politicos.nivel1 is 'Administration type: ESTADO, AUTONOMICA, LOCAL, OTROS';
comment on column bdns.partidos_politicos.nivel2 is 'Ministry, region, municipality or body';
comment on column bdns.partidos_politicos.nivel3 is 'Body; null where the administration has two levels';
create index partidos_politicos_identificador_idx on bdns.partidos_politicos (identificador) where not persona_fisica;
create index partidos_politicos_numero_convocatoria_idx on bdns.partidos_politicos (numero_convocatoria);
create function bdns.partidos_politicos_as_of(moment timestamptz) returns setof bdns.partidos_politicos
language sql stable parallel safe
as $$
  select id, cod_concesion, fecha_concesion, beneficiario, identificador, nombre, persona_fisica, dato_personal, instrumento, importe, ayuda_equivalente, url_br, tiene_proyecto, numero_convocatoria, id_convocatoria, convocatoria, nivel1, nivel2, nivel3, extra, row_hash, valid_from from bdns.partidos_politicos where valid_from <= moment
  union all
  select id, cod_concesion, fecha_concesion, beneficiario, identificador, nombre, persona_fisica, dato_personal, instrumento, importe, ayuda_equivalente, url_br, tiene_proyecto, numero_convocatoria, id_convocatoria, convocatoria, nivel1, nivel2, nivel3, extra, row_hash, valid_from from bdns.partidos_politicos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.partidos_politicos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.grandes_beneficiarios (
  id_persona bigint not null,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  ejercicio integer not null,
  ayuda_e_total numeric not null,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id_persona, ejercicio)
);
comment on table bdns.grandes_beneficiarios is 'Grandes beneficiarios: Beneficiaries of large yearly totals.';
create table bdns.grandes_beneficiarios_history (
  id_persona bigint not null,
  beneficiario text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  ejercicio integer not null,
  ayuda_e_total numeric not null,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.grandes_beneficiarios_history is 'Past versions. Grandes beneficiarios: Beneficiaries of large yearly totals.';
create index grandes_beneficiarios_history_key_idx on bdns.grandes_beneficiarios_history (id_persona, ejercicio, valid_to);
comment on column bdns.grandes_beneficiarios.id_persona is 'The source''s beneficiary id';
comment on column bdns.grandes_beneficiarios.beneficiario is 'Identifier and name as published; re-spelled at random by the source';
comment on column bdns.grandes_beneficiarios.identificador is 'Identifier alone; masked with asterisks for natural persons';
comment on column bdns.grandes_beneficiarios.nombre is 'Name alone, without the identifier and its separator';
comment on column bdns.grandes_beneficiarios.persona_fisica is 'Masked identifier, DNI, NIE or K/L/M number';
comment on column bdns.grandes_beneficiarios.dato_personal is 'A public product must hide or aggregate the row (RD 130/2019)';
comment on column bdns.grandes_beneficiarios.ejercicio is 'Year';
comment on column bdns.grandes_beneficiarios.ayuda_e_total is 'Total aid of the year [EUR]';
create index grandes_beneficiarios_identificador_idx on bdns.grandes_beneficiarios (identificador) where not persona_fisica;
create function bdns.grandes_beneficiarios_as_of(moment timestamptz) returns setof bdns.grandes_beneficiarios
language sql stable parallel safe
as $$
  select id_persona, beneficiario, identificador, nombre, persona_fisica, dato_personal, ejercicio, ayuda_e_total, extra, row_hash, valid_from from bdns.grandes_beneficiarios where valid_from <= moment
  union all
  select id_persona, beneficiario, identificador, nombre, persona_fisica, dato_personal, ejercicio, ayuda_e_total, extra, row_hash, valid_from from bdns.grandes_beneficiarios_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.grandes_beneficiarios_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create index grandes_beneficiarios_history_ejercicio_idx on bdns.grandes_beneficiarios_history (ejercicio) where end_kind = 'withdrawn';

create index grandes_beneficiarios_ejercicio_idx on bdns.grandes_beneficiarios (ejercicio);

create table bdns.planes_estrategicos (
  id bigint not null,
  con_detalle boolean,
  descripcion text,
  descripcion_cooficial text,
  tipo_plan text,
  vigencia_desde integer,
  vigencia_hasta integer,
  fecha_aprobacion date,
  ambitos text[],
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id)
);
comment on table bdns.planes_estrategicos is 'Planes estratégicos: Strategic plans of subsidies and their follow-up documents.';
create table bdns.planes_estrategicos_history (
  id bigint not null,
  con_detalle boolean,
  descripcion text,
  descripcion_cooficial text,
  tipo_plan text,
  vigencia_desde integer,
  vigencia_hasta integer,
  fecha_aprobacion date,
  ambitos text[],
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.planes_estrategicos_history is 'Past versions. Planes estratégicos: Strategic plans of subsidies and their follow-up documents.';
create index planes_estrategicos_history_key_idx on bdns.planes_estrategicos_history (id, valid_to);
comment on column bdns.planes_estrategicos.id is 'Plan id (idPES)';
comment on column bdns.planes_estrategicos.con_detalle is 'The detail call answered; false: listing fields only';
comment on column bdns.planes_estrategicos.descripcion is 'Title';
comment on column bdns.planes_estrategicos.descripcion_cooficial is 'Title in the co-official language';
comment on column bdns.planes_estrategicos.tipo_plan is 'Plan, follow-up report, general report…';
comment on column bdns.planes_estrategicos.vigencia_desde is 'First year';
comment on column bdns.planes_estrategicos.vigencia_hasta is 'Last year';
comment on column bdns.planes_estrategicos.fecha_aprobacion is 'Approval';
comment on column bdns.planes_estrategicos.ambitos is 'Bodies that the plan covers';
create function bdns.planes_estrategicos_as_of(moment timestamptz) returns setof bdns.planes_estrategicos
language sql stable parallel safe
as $$
  select id, con_detalle, descripcion, descripcion_cooficial, tipo_plan, vigencia_desde, vigencia_hasta, fecha_aprobacion, ambitos, extra, row_hash, valid_from from bdns.planes_estrategicos where valid_from <= moment
  union all
  select id, con_detalle, descripcion, descripcion_cooficial, tipo_plan, vigencia_desde, vigencia_hasta, fecha_aprobacion, ambitos, extra, row_hash, valid_from from bdns.planes_estrategicos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.planes_estrategicos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.planes_estrategicos_documentos (
  id_plan bigint not null,
  id bigint not null,
  ejercicio integer,
  nombre_fic text,
  tipo_documento text,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (id_plan, id)
);
comment on table bdns.planes_estrategicos_documentos is 'Planes estratégicos: Documents of a plan';
create table bdns.planes_estrategicos_documentos_history (
  id_plan bigint not null,
  id bigint not null,
  ejercicio integer,
  nombre_fic text,
  tipo_documento text,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.planes_estrategicos_documentos_history is 'Past versions. Planes estratégicos: Documents of a plan';
create index planes_estrategicos_documentos_history_key_idx on bdns.planes_estrategicos_documentos_history (id_plan, id, valid_to);
comment on column bdns.planes_estrategicos_documentos.id is 'Document id, for /planesestrategicos/documentos';
comment on column bdns.planes_estrategicos_documentos.ejercicio is 'Year';
comment on column bdns.planes_estrategicos_documentos.nombre_fic is 'File name as uploaded';
comment on column bdns.planes_estrategicos_documentos.tipo_documento is 'What the document is';
create function bdns.planes_estrategicos_documentos_as_of(moment timestamptz) returns setof bdns.planes_estrategicos_documentos
language sql stable parallel safe
as $$
  select id_plan, id, ejercicio, nombre_fic, tipo_documento, row_hash, valid_from from bdns.planes_estrategicos_documentos where valid_from <= moment
  union all
  select id_plan, id, ejercicio, nombre_fic, tipo_documento, row_hash, valid_from from bdns.planes_estrategicos_documentos_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.planes_estrategicos_documentos_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.planes_estrategicos_vigencia (
  extremo text collate "C" not null,
  id bigint not null,
  descripcion integer,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (extremo, id)
);
comment on table bdns.planes_estrategicos_vigencia is 'Vigencia de los planes estratégicos: The years in which strategic plans may begin and end: the portal''s two selectors.';
create table bdns.planes_estrategicos_vigencia_history (
  extremo text collate "C" not null,
  id bigint not null,
  descripcion integer,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.planes_estrategicos_vigencia_history is 'Past versions. Vigencia de los planes estratégicos: The years in which strategic plans may begin and end: the portal''s two selectors.';
create index planes_estrategicos_vigencia_history_key_idx on bdns.planes_estrategicos_vigencia_history (extremo, id, valid_to);
comment on column bdns.planes_estrategicos_vigencia.extremo is 'desde or hasta';
comment on column bdns.planes_estrategicos_vigencia.id is 'Year';
comment on column bdns.planes_estrategicos_vigencia.descripcion is 'Year as shown';
create function bdns.planes_estrategicos_vigencia_as_of(moment timestamptz) returns setof bdns.planes_estrategicos_vigencia
language sql stable parallel safe
as $$
  select extremo, id, descripcion, extra, row_hash, valid_from from bdns.planes_estrategicos_vigencia where valid_from <= moment
  union all
  select extremo, id, descripcion, extra, row_hash, valid_from from bdns.planes_estrategicos_vigencia_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.planes_estrategicos_vigencia_as_of(timestamptz) is 'What the source published at that moment, as mirrored';

create table bdns.sanciones (
  clave text collate "C" not null,
  ordinal integer not null,
  repeticiones integer not null,
  numero_convocatoria text collate "C" not null,
  convocatoria text,
  nivel1 text,
  nivel2 text,
  nivel3 text,
  codigo_invente text,
  fecha_concesion date,
  infraccion text,
  importe numeric,
  sancionado text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  fecha_sancion date not null,
  importe_multa numeric,
  inicio_inhabilitacion date,
  fin_inhabilitacion date,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  primary key (clave, ordinal)
);
comment on table bdns.sanciones is 'Sanciones: Penalties imposed on beneficiaries.';
create table bdns.sanciones_history (
  clave text collate "C" not null,
  ordinal integer not null,
  repeticiones integer not null,
  numero_convocatoria text collate "C" not null,
  convocatoria text,
  nivel1 text,
  nivel2 text,
  nivel3 text,
  codigo_invente text,
  fecha_concesion date,
  infraccion text,
  importe numeric,
  sancionado text not null,
  identificador text collate "C",
  nombre text,
  persona_fisica boolean,
  dato_personal boolean,
  fecha_sancion date not null,
  importe_multa numeric,
  inicio_inhabilitacion date,
  fin_inhabilitacion date,
  extra jsonb,
  row_hash bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  end_kind text not null check (end_kind in ('superseded', 'withdrawn'))
);
comment on table bdns.sanciones_history is 'Past versions. Sanciones: Penalties imposed on beneficiaries.';
create index sanciones_history_key_idx on bdns.sanciones_history (clave, ordinal, valid_to);
comment on column bdns.sanciones.clave is 'Digest of what identifies the penalty';
comment on column bdns.sanciones.ordinal is 'Tells apart penalties with one clave';
comment on column bdns.sanciones.repeticiones is 'Byte-identical copies that the source publishes';
comment on column bdns.sanciones.numero_convocatoria is 'BDNS code of the call (convocatorias.codigo_bdns)';
comment on column bdns.sanciones.convocatoria is 'Title of the call';
comment on column bdns.sanciones.nivel1 is 'Administration type: ESTADO, AUTONOMICA, LOCAL, OTROS';
comment on column bdns.sanciones.nivel2 is 'Ministry, region, municipality or body';
comment on column bdns.sanciones.nivel3 is 'Body; null where the administration has two levels';
comment on column bdns.sanciones.codigo_invente is 'INVENTE code of the body';
comment on column bdns.sanciones.fecha_concesion is 'Award date';
comment on column bdns.sanciones.infraccion is 'Article and text';
comment on column bdns.sanciones.importe is 'Amount of the award [EUR]';
comment on column bdns.sanciones.sancionado is 'Identifier and name as published; re-spelled at random by the source';
comment on column bdns.sanciones.identificador is 'Identifier alone; masked with asterisks for natural persons';
comment on column bdns.sanciones.nombre is 'Name alone, without the identifier and its separator';
comment on column bdns.sanciones.persona_fisica is 'Masked identifier, DNI, NIE or K/L/M number';
comment on column bdns.sanciones.dato_personal is 'A public product must hide or aggregate the row (RD 130/2019)';
comment on column bdns.sanciones.fecha_sancion is 'Date of the penalty';
comment on column bdns.sanciones.importe_multa is 'Fine [EUR]';
comment on column bdns.sanciones.inicio_inhabilitacion is 'Disqualification, first day';
comment on column bdns.sanciones.fin_inhabilitacion is 'Disqualification, last day';
create index sanciones_numero_convocatoria_idx on bdns.sanciones (numero_convocatoria);
create index sanciones_identificador_idx on bdns.sanciones (identificador) where not persona_fisica;
create function bdns.sanciones_as_of(moment timestamptz) returns setof bdns.sanciones
language sql stable parallel safe
as $$
  select clave, ordinal, repeticiones, numero_convocatoria, convocatoria, nivel1, nivel2, nivel3, codigo_invente, fecha_concesion, infraccion, importe, sancionado, identificador, nombre, persona_fisica, dato_personal, fecha_sancion, importe_multa, inicio_inhabilitacion, fin_inhabilitacion, extra, row_hash, valid_from from bdns.sanciones where valid_from <= moment
  union all
  select clave, ordinal, repeticiones, numero_convocatoria, convocatoria, nivel1, nivel2, nivel3, codigo_invente, fecha_concesion, infraccion, importe, sancionado, identificador, nombre, persona_fisica, dato_personal, fecha_sancion, importe_multa, inicio_inhabilitacion, fin_inhabilitacion, extra, row_hash, valid_from from bdns.sanciones_history where valid_from <= moment and moment < valid_to
$$;
comment on function bdns.sanciones_as_of(timestamptz) is 'What the source published at that moment, as mirrored';
