-- FisioFlow's own tables (schema public) as the relations that fisio_ayida reads (schema clinic).
--
-- Who runs it, and when: FisioFlow's operator, once, and again after a change of FisioFlow's tables; as the role
-- that owns those tables (app_migration). It may be repeated: it is one transaction, makes its views anew and
-- keeps their grants. Where FisioFlow's database is also ours, `fisio-ayida db migrate` comes first; our tables of
-- the same names give way if they are empty. PostgreSQL 15 or newer. What it could not make it warns of, and
-- `fisio-ayida clinic check` names; no job runs until it is there. Then change a line below, or the table.
--
-- The views are security_invoker: whoever reads them needs rights of his own to FisioFlow's tables, and its
-- row security applies to him, not to the owner of the views. Give the jobs a role of their own that can read no
-- clinical text (where a table or column is not there, leave it out):
--
--   create role fisio_ayida login;
--   grant usage on schema public, clinic to fisio_ayida;
--   grant select on all tables in schema clinic to fisio_ayida;
--   grant select (id, name, is_active, settings) on public.organizations to fisio_ayida;
--   grant select (user_id, organization_id, full_name, name, email, role, roles, is_active, preferences)
--     on public.profiles to fisio_ayida;
--   grant select (id, organization_id, user_id, full_name, social_name, phone, email, date_of_birth,
--     professional_id, primary_professional_id, ai_preferences, is_active, archived, deleted_at, created_at)
--     on public.patients to fisio_ayida;
--   grant select (id, organization_id, patient_id, therapist_id, date, start_time, end_time, type, status,
--     confirmed_at, confirmed_via, reminder_sent_at, created_at, updated_at, deleted_at),
--     update (status, confirmed_at, confirmed_via, updated_at) on public.appointments to fisio_ayida;
--   grant select (id, organization_id, patient_id, appointment_id, therapist_id, date, status, created_at,
--     updated_at, finalized_at, deleted_at) on public.sessions to fisio_ayida;
--   grant select (id, organization_id, appointment_id, patient_id, amount, status, paid_at)
--     on public.payments to fisio_ayida;
--   grant select on public.patient_packages, public.user_vouchers, public.vouchers to fisio_ayida;
--   grant select (organization_id, key) on public.appointment_status_settings to fisio_ayida;
--   grant select (token, user_id, active), update (active) on public.fcm_tokens to fisio_ayida;
--   grant select on public.appointment_reminder_log to fisio_ayida;
--   grant select (id, organization_id, conversation_id, direction, status, template_name, metadata, created_at)
--     on public.wa_messages to fisio_ayida;
--   grant select (id, patient_id) on public.wa_conversations to fisio_ayida;
--
-- Insights about patients read clinical text, which nothing else does. Only where they are wanted:
--
--   grant select (pain_scale, observacao, procedures, exercises, measurements, home_exercises)
--     on public.sessions to fisio_ayida;
--   grant select (gender, main_condition, consent_data, nickname, cpf, rg, phone_secondary)
--     on public.patients to fisio_ayida;
--   grant select (id, organization_id, patient_id, expires_at), insert, update (expires_at, updated_at)
--     on public.patient_insights to fisio_ayida;
--
-- and, where daily_cleanup is to empty one of FisioFlow's logs: grant select, delete on it.
-- Policies that are limited to a role (authenticated) bind this one if it is a member: grant authenticated to
-- fisio_ayida. A role that bypasses row security (alter role fisio_ayida bypassrls) makes jobs ask once for all
-- organisations instead of once for each.
--
-- Ids are given as text. Where there are hundreds of thousands of visits, let PostgreSQL look them up as such:
--
--   create index concurrently if not exists appointments_id_text on public.appointments ((id::text));
--   create index concurrently if not exists appointments_patient_text on public.appointments ((patient_id::text));
--   create index concurrently if not exists patients_id_text on public.patients ((id::text));
--   create index concurrently if not exists sessions_appointment_text on public.sessions ((appointment_id::text));
--   create index concurrently if not exists sessions_id_text on public.sessions ((id::text));
--   create index concurrently if not exists sessions_patient_text on public.sessions ((patient_id::text));
--   create index concurrently if not exists patients_organization_text on public.patients ((organization_id::text));
--   create index concurrently if not exists appointments_organization_text
--     on public.appointments ((organization_id::text), date);
--   create index concurrently if not exists sessions_organization_text on public.sessions ((organization_id::text));
--   create index concurrently if not exists sessions_finalized_text
--     on public.sessions ((finalized_at at time zone 'UTC'), (id::text));
--
-- The last one is for a finalized_at without a zone; with one it is (finalized_at, (id::text)). Under row security
-- PostgreSQL looks an organisation's rows up by what its policies compare, and by nothing else: patients and sessions
-- need an index that begins with that, appointments one with that and date, in this order.

begin;

-- 1. What comes from where.

-- A relation that has several parts is their union. needs: columns without which the part is not read at all,
-- of its table or, with a dot, of another one. is_optional: the table may be absent. lines: whose lines are its
-- columns, where not its table's.
create temporary table fisioflow_part (
  place integer generated always as identity, relation text, source text, is_optional boolean, needs text,
  rows text, lines text
) on commit drop;
insert into fisioflow_part (relation, source, is_optional, needs, rows) values
  ('organizations', 'organizations', false, '', 'public.organizations t'),
  -- Patients with a login have a profile, too; they do not work there.
  ('staff', 'profiles', false, 'user_id role',
    $$public.profiles t where t.user_id is not null and t.role::text is distinct from 'paciente'$$),
  ('patients', 'patients', false, '', 'public.patients t'),
  ('appointments', 'appointments', false, '', 'public.appointments t'),
  ('sessions', 'sessions', false, '', 'public.sessions t'),
  ('packages', 'patient_packages', true, '', 'public.patient_packages t'),
  -- A voucher belongs to a login; it is shown with each patient of that login, each time with an id of its own.
  ('packages', 'user_vouchers', true, 'user_id patients.id patients.user_id',
    'public.user_vouchers t join public.patients p on p.user_id::text = t.user_id::text'),
  ('payments', 'payments', false, '', 'public.payments t'),
  ('appointment_statuses', 'appointment_status_settings', true, 'organization_id',
    'public.appointment_status_settings t where t.organization_id is not null'),
  ('push_tokens', 'fcm_tokens', true, '', 'public.fcm_tokens t'),
  ('notification_history', 'notification_history', true, '', 'public.notification_history t'),
  ('password_reset_tokens', 'password_reset_tokens', true, '', 'public.password_reset_tokens t'),
  ('system_health_logs', 'system_health_logs', true, '', 'public.system_health_logs t'),
  ('old_messages', 'appointment_reminder_log', true, 'appointment_id kind appointments.id',
    'public.appointment_reminder_log t left join public.appointments a on a.id = t.appointment_id'),
  -- Reminders are in the log above.
  ('old_messages', 'wa_messages', true, 'conversation_id direction status template_name wa_conversations.id',
    $$public.wa_messages t left join public.wa_conversations c on c.id = t.conversation_id
     where t.direction::text = 'outbound' and t.status::text is distinct from 'failed'
       and t.template_name not like '%lembrete%'$$);
-- What only the insights read stands apart, so that nothing else needs a right to it.
insert into fisioflow_part (relation, source, is_optional, needs, rows, lines) values
  ('session_contents', 'sessions', false, '', 'public.sessions t', 'session_contents'),
  ('patient_profiles', 'patients', false, '', 'public.patients t', 'patient_profiles');

-- Of the lines of a column, the first counts whose needs are all there. gives: 'same', 'text' or 'instant' of the
-- one column that is needed, or an expression over t. An instant without a zone is UTC.
create temporary table fisioflow_line (
  place integer generated always as identity, source text, name text, needs text, gives text
) on commit drop;
insert into fisioflow_line (source, name, needs, gives) values
  ('organizations', 'id', 'id', 'text'),
  ('organizations', 'name', 'name', 'same'),
  ('organizations', 'is_active', 'is_active', 'coalesce(t.is_active, true)'),
  ('organizations', 'settings', 'settings', $$coalesce(t.settings, '{}')$$),

  ('profiles', 'user_id', 'user_id', 'text'),
  ('profiles', 'organization_id', 'organization_id', 'text'),
  ('profiles', 'full_name', 'full_name name', $$coalesce(nullif(btrim(t.full_name), ''), t.name)$$),
  ('profiles', 'full_name', 'full_name', 'same'),
  ('profiles', 'email', 'email', 'same'),
  ('profiles', 'roles', 'roles role',
    $$case when t.role is null or t.role::text = any (t.roles::text[]) then coalesce(t.roles::text[], '{}')
          else coalesce(t.roles::text[], '{}') || t.role::text end$$),
  ('profiles', 'roles', 'role', 'array_remove(array[t.role::text], null)'),
  ('profiles', 'is_active', 'is_active role',
    $$coalesce(t.is_active, true) and t.role::text is distinct from 'pending'$$),
  -- FisioFlow has named neither of these yet; receive_daily_reports is what its older accounts had.
  ('profiles', 'wants_daily_report', 'preferences', $$exists (
    select from unnest(array['receive_daily_reports', 'receiveDailyReports', 'daily_reports', 'dailyReports',
      'daily_report', 'dailyReport']) k (name)
    where lower(coalesce(t.preferences ->> k.name, t.preferences -> 'notifications' ->> k.name))
      in ('true', '1', 'yes', 'on'))$$),
  ('profiles', 'wants_weekly_summary', 'preferences', $$exists (
    select from unnest(array['receive_weekly_summary', 'receiveWeeklySummary', 'weekly_summary', 'weeklySummary',
      'weekly_report', 'weeklyReport', 'receive_weekly_reports', 'receiveWeeklyReports']) k (name)
    where lower(coalesce(t.preferences ->> k.name, t.preferences -> 'notifications' ->> k.name))
      in ('true', '1', 'yes', 'on'))$$),

  ('patients', 'id', 'id', 'text'),
  ('patients', 'organization_id', 'organization_id', 'text'),
  ('patients', 'user_id', 'user_id', 'text'),
  ('patients', 'full_name', 'full_name', 'same'),
  ('patients', 'social_name', 'social_name', 'same'),
  ('patients', 'phone', 'phone', 'same'),
  ('patients', 'email', 'email', 'same'),
  ('patients', 'date_of_birth', 'date_of_birth', 'same'),
  ('patients', 'professional_id', 'primary_professional_id professional_id',
    'coalesce(t.primary_professional_id, t.professional_id)::text'),
  ('patients', 'professional_id', 'primary_professional_id', 'text'),
  ('patients', 'professional_id', 'professional_id', 'text'),
  ('patients', 'preferred_channel', 'ai_preferences', $$lower(t.ai_preferences ->> 'preferredContactMethod')$$),
  -- Whoever was put away in the archive gets no messages either.
  ('patients', 'is_active', 'is_active archived', 't.is_active and not coalesce(t.archived, false)'),
  ('patients', 'is_active', 'is_active', 'same'),
  ('patients', 'deleted_at', 'deleted_at', 'instant'),
  ('patients', 'created_at', 'created_at', 'instant'),

  ('appointments', 'id', 'id', 'text'),
  ('appointments', 'organization_id', 'organization_id', 'text'),
  ('appointments', 'patient_id', 'patient_id', 'text'),
  ('appointments', 'therapist_id', 'therapist_id', 'text'),
  ('appointments', 'date', 'date', 'same'),
  ('appointments', 'start_time', 'start_time', 'same'),
  ('appointments', 'end_time', 'end_time', 'same'),
  ('appointments', 'type', 'type', 'text'),
  ('appointments', 'status', 'status', 'text'),
  ('appointments', 'confirmed_at', 'confirmed_at', 'instant'),
  ('appointments', 'confirmed_via', 'confirmed_via', 'same'),
  ('appointments', 'reminder_sent_at', 'reminder_sent_at', 'instant'),
  ('appointments', 'created_at', 'created_at', 'instant'),
  ('appointments', 'updated_at', 'updated_at', 'instant'),
  ('appointments', 'deleted_at', 'deleted_at', 'instant'),

  ('sessions', 'id', 'id', 'text'),
  ('sessions', 'organization_id', 'organization_id', 'text'),
  ('sessions', 'patient_id', 'patient_id', 'text'),
  ('sessions', 'appointment_id', 'appointment_id', 'text'),
  ('sessions', 'therapist_id', 'therapist_id', 'text'),
  ('sessions', 'date', 'date', 'instant'),
  ('sessions', 'status', 'status', 'text'),
  ('sessions', 'created_at', 'created_at', 'instant'),
  ('sessions', 'updated_at', 'updated_at', 'instant'),
  ('sessions', 'finalized_at', 'finalized_at', 'instant'),
  ('sessions', 'deleted_at', 'deleted_at', 'instant'),

  ('session_contents', 'session_id', 'id', 'text'),
  ('session_contents', 'organization_id', 'organization_id', 'text'),
  ('session_contents', 'patient_id', 'patient_id', 'text'),
  ('session_contents', 'pain_scale', 'pain_scale', 'same'),
  ('session_contents', 'note', 'observacao', 'same'),
  ('session_contents', 'procedures', 'procedures', 'same'),
  ('session_contents', 'exercises', 'exercises', 'same'),
  ('session_contents', 'measurements', 'measurements', 'same'),
  ('session_contents', 'home_exercises', 'home_exercises', 'same'),

  ('patient_profiles', 'patient_id', 'id', 'text'),
  ('patient_profiles', 'organization_id', 'organization_id', 'text'),
  ('patient_profiles', 'sex', 'gender', 'text'),
  ('patient_profiles', 'complaint', 'main_condition', 'text'),
  -- Who has said nothing has not switched it off; who has not consented has not consented.
  ('patient_profiles', 'allows_insights', 'ai_preferences',
    $$coalesce(lower(t.ai_preferences ->> 'aiSummaryEnabled') not in ('false', '0', 'no', 'off'), true)$$),
  ('patient_profiles', 'consents', 'consent_data', 'coalesce(t.consent_data, false)'),
  -- All of them or none, which stops the insights: what is not known here is not taken out of texts.
  ('patient_profiles', 'identifiers', 'nickname cpf rg phone_secondary',
    'array_remove(array[t.nickname::text, t.cpf::text, t.rg::text, t.phone_secondary::text], null)'),

  -- Two shapes of both tables are about; see which one is there.
  ('patient_packages', 'id', 'id', 'text'),
  ('patient_packages', 'kind', '', $$'package'::text$$),
  ('patient_packages', 'organization_id', 'organization_id', 'text'),
  ('patient_packages', 'patient_id', 'patient_id', 'text'),
  ('patient_packages', 'name', 'name', 'text'),
  ('patient_packages', 'name', '', 'null::text'),
  ('patient_packages', 'total_sessions', 'total_sessions', 'same'),
  ('patient_packages', 'used_sessions', 'used_sessions', 'same'),
  ('patient_packages', 'used_sessions', 'total_sessions remaining_sessions',
    't.total_sessions - t.remaining_sessions'),
  ('patient_packages', 'remaining_sessions', 'remaining_sessions', 'same'),
  ('patient_packages', 'remaining_sessions', 'total_sessions used_sessions', 't.total_sessions - t.used_sessions'),
  ('patient_packages', 'expires_on', 'expiry_date', 'same'),
  ('patient_packages', 'expires_on', 'expires_at', 'null::date'),
  ('patient_packages', 'expires_at', 'expires_at', 'instant'),
  ('patient_packages', 'expires_at', 'expiry_date', 'null::timestamptz'),
  ('patient_packages', 'is_active', 'status', $$coalesce(t.status::text in ('ativo', 'active'), false)$$),
  ('patient_packages', 'deleted_at', 'deleted_at', 'instant'),
  ('patient_packages', 'deleted_at', '', 'null::timestamptz'),

  ('user_vouchers', 'id', 'id', $$t.id::text || '/' || p.id::text$$),
  ('user_vouchers', 'kind', '', $$'voucher'::text$$),
  ('user_vouchers', 'organization_id', 'patients.organization_id', 'p.organization_id::text'),
  ('user_vouchers', 'patient_id', '', 'p.id::text'),
  ('user_vouchers', 'name', 'voucher_id vouchers.id vouchers.name',
    '(select v.name::text from public.vouchers v where v.id::text = t.voucher_id::text)'),
  ('user_vouchers', 'name', '', 'null::text'),
  ('user_vouchers', 'total_sessions', 'total_sessions', 'same'),
  ('user_vouchers', 'total_sessions', 'sessoes_totais', 'same'),
  ('user_vouchers', 'used_sessions', 'used_sessions', 'same'),
  ('user_vouchers', 'used_sessions', 'total_sessions remaining_sessions',
    't.total_sessions - t.remaining_sessions'),
  ('user_vouchers', 'used_sessions', 'sessoes_totais sessoes_restantes', 't.sessoes_totais - t.sessoes_restantes'),
  ('user_vouchers', 'remaining_sessions', 'remaining_sessions', 'same'),
  ('user_vouchers', 'remaining_sessions', 'sessoes_restantes', 'same'),
  ('user_vouchers', 'expires_on', '', 'null::date'),
  ('user_vouchers', 'expires_at', 'expires_at', 'instant'),
  ('user_vouchers', 'expires_at', 'data_expiracao', 'instant'),
  ('user_vouchers', 'is_active', 'is_active', 'same'),
  ('user_vouchers', 'is_active', 'ativo', 'same'),
  ('user_vouchers', 'deleted_at', 'deleted_at', 'instant'),
  ('user_vouchers', 'deleted_at', '', 'null::timestamptz'),

  ('payments', 'id', 'id', 'text'),
  ('payments', 'organization_id', 'organization_id', 'text'),
  ('payments', 'appointment_id', 'appointment_id', 'text'),
  ('payments', 'patient_id', 'patient_id', 'text'),
  ('payments', 'amount', 'amount', 'same'),
  ('payments', 'status', 'status', 'text'),
  ('payments', 'paid_at', 'paid_at', 'same'),

  ('appointment_status_settings', 'organization_id', 'organization_id', 'text'),
  ('appointment_status_settings', 'key', 'key', 'lower(btrim(t.key))'),
  -- FisioFlow does not say what a clinic's own word means: class 'other'. Say it here as a case over t.key.
  ('appointment_status_settings', 'class', '', 'null::text'),

  ('fcm_tokens', 'token', 'token', 'same'),
  ('fcm_tokens', 'user_id', 'user_id', 'text'),
  ('fcm_tokens', 'active', 'active', 'same'),

  ('notification_history', 'id', 'id', 'text'),
  ('notification_history', 'created_at', 'created_at', 'instant'),
  ('notification_history', 'created_at', 'sent_at', 'instant'),
  ('password_reset_tokens', 'id', 'id', 'text'),
  ('password_reset_tokens', 'created_at', 'created_at', 'instant'),
  ('system_health_logs', 'id', 'id', 'text'),
  ('system_health_logs', 'created_at', 'created_at', 'instant'),

  ('appointment_reminder_log', 'id', '', $$t.appointment_id::text || ':' || t.kind::text$$),
  ('appointment_reminder_log', 'kind', '', $$'appointment_reminders'::text$$),
  ('appointment_reminder_log', 'organization_id', 'appointments.organization_id', 'a.organization_id::text'),
  ('appointment_reminder_log', 'patient_id', 'appointments.patient_id', 'a.patient_id::text'),
  ('appointment_reminder_log', 'appointment_id', 'appointment_id', 'text'),
  ('appointment_reminder_log', 'channel', '', $$'whatsapp'::text$$),
  ('appointment_reminder_log', 'sent_at', 'sent_at', 'instant'),
  ('appointment_reminder_log', 'sent_at', 'created_at', 'instant'),
  ('wa_messages', 'id', 'id', 'text'),
  ('wa_messages', 'kind', '',
    $$case when t.template_name = 'consulta_confirmada' then 'appointment_confirmations'
          when t.template_name ~ 'anivers|birthday' then 'birthday_messages'
          when t.template_name ~ 'feedback|pesquisa' then 'feedback_requests'
          when t.template_name ~ 'reativ|recall|saudade' then 'reactivation_campaign'
          when t.template_name ~ 'voucher|pacote' then 'expiring_vouchers'
          else t.template_name::text end$$),
  ('wa_messages', 'organization_id', 'organization_id', 'text'),
  ('wa_messages', 'organization_id', 'wa_conversations.organization_id', 'c.organization_id::text'),
  ('wa_messages', 'patient_id', 'wa_conversations.patient_id', 'c.patient_id::text'),
  ('wa_messages', 'appointment_id', 'metadata',
    $$coalesce(t.metadata ->> 'appointment_id', t.metadata ->> 'appointmentId')$$),
  ('wa_messages', 'channel', '', $$'whatsapp'::text$$),
  ('wa_messages', 'sent_at', 'created_at', 'instant'),
  ('wa_messages', 'sent_at', 'sent_at', 'instant');

-- 2. Making way. Nothing is removed that anybody could miss.

create schema if not exists clinic;

create temporary table fisioflow_grant on commit drop as
select c.relname as relation, g.rolname as role, a.privilege_type as privilege
from pg_class c, aclexplode(c.relacl) a join pg_roles g on g.oid = a.grantee
where c.relnamespace = 'clinic'::regnamespace and c.relkind = 'v' and a.grantee <> c.relowner;

do $$
declare
  found record;
  has_rows boolean;
begin
  if current_setting('server_version_num')::integer < 150000 then
    raise exception 'PostgreSQL 15 or newer is needed: before, a view could not apply row security to its reader';
  end if;
  if to_regclass('public.organizations') is null or to_regclass('public.patients') is null
      or to_regclass('public.appointments') is null then
    raise exception 'this is not FisioFlow''s database: public.organizations, patients or appointments is missing';
  end if;
  -- These know the relations by their numbers; section 4 makes them anew.
  drop function if exists clinic.status_class(text, text), clinic.disable_push_token(text);
  for found in
    select c.relname as relation, c.relkind as kind, obj_description(c.oid, 'pg_class') as words
    from pg_class c
    where c.relnamespace = 'clinic'::regnamespace and c.relname in (select p.relation from fisioflow_part p)
  loop
    if found.kind = 'v' and found.words like 'fisio_ayida, mapping fisioflow:%' then
      execute format('drop view clinic.%I', found.relation);
    elsif found.kind in ('r', 'p') then
      execute format('lock table clinic.%I in access exclusive mode', found.relation);
      execute format('select exists (select from clinic.%I)', found.relation) into has_rows;
      if has_rows then
        raise exception 'clinic.% is a table with rows: nothing was changed. Empty it, or use another database',
          found.relation;
      end if;
      execute format('drop table clinic.%I', found.relation);
    else
      raise exception 'clinic.% was not made by this mapping: nothing was changed. Drop it first', found.relation;
    end if;
  end loop;
end $$;

-- 3. The views.

do $$
declare
  part record;
  line record;
  missing text;
  type text;
  columns text;
  done text[];
  gives text;
  relation text;
  queries jsonb := '{}';
  sources jsonb := '{}';
begin
  create function pg_temp.fisioflow_missing(source text, needs text) returns text language sql as $missing$
    select string_agg('public.' || n.source || '.' || n.name, ', ')
    from (select coalesce(substring(need from '^(.+)\.'), $1) as source, substring(need from '[^.]+$') as name
          from unnest(string_to_array($2, ' ')) need) n
    where not exists (select from pg_attribute a where a.attrelid = to_regclass('public.' || quote_ident(n.source))
                      and a.attname = n.name and a.attnum > 0 and not a.attisdropped)
  $missing$;
  for part in select * from fisioflow_part order by place loop
    if to_regclass('public.' || part.source) is null then
      if not part.is_optional then
        raise warning 'public.% is not there: there will be no clinic.%', part.source, part.relation;
      end if;
      continue;
    end if;
    missing := pg_temp.fisioflow_missing(part.source, part.needs);
    if missing is not null then
      raise warning '% is not there: clinic.% is made without public.%', missing, part.relation, part.source;
      continue;
    end if;
    columns := null;
    done := '{}';
    for line in
      select l.*, pg_temp.fisioflow_missing(part.source, l.needs) as missing,
             first_value(l.needs) over (partition by l.name order by l.place) as best,
             first_value(l.place) over (partition by l.name order by l.place) as rank
      from fisioflow_line l where l.source = coalesce(part.lines, part.source) order by rank, l.place
    loop
      continue when line.name = any (done);
      if line.missing is not null then
        if not exists (select from fisioflow_line l where l.source = line.source and l.name = line.name
                       and l.place > line.place) then
          raise warning '% is not there: clinic.% is made without %',
            pg_temp.fisioflow_missing(part.source, line.best), part.relation, line.name;
        end if;
        continue;
      end if;
      done := done || line.name;
      gives := case line.gives when 'same' then 't.' || line.needs when 'text' then 't.' || line.needs || '::text'
                    when 'instant' then 't.' || line.needs else line.gives end;
      if line.gives = 'instant' then
        select format_type(a.atttypid, null) into type from pg_attribute a
        where a.attrelid = to_regclass('public.' || part.source) and a.attname = line.needs;
        if type = 'timestamp without time zone' then
          gives := gives || ' at time zone ''UTC''';
        end if;
      end if;
      columns := concat_ws(', ', columns, gives || ' as ' || quote_ident(line.name));
    end loop;
    queries := queries || jsonb_build_object(
      part.relation,
      concat_ws(' union all ', queries ->> part.relation, 'select ' || columns || ' from ' || part.rows));
    sources := sources || jsonb_build_object(
      part.relation, concat_ws(', ', sources ->> part.relation, 'public.' || part.source));
  end loop;

  -- A FisioFlow without these has no words of clinics and no devices.
  if not queries ? 'appointment_statuses' and to_regclass('public.appointment_status_settings') is null then
    queries := queries || jsonb_build_object('appointment_statuses',
      'select null::text as organization_id, null::text as key, null::text as class where false');
  end if;
  if not queries ? 'push_tokens' and to_regclass('public.fcm_tokens') is null then
    queries := queries || jsonb_build_object('push_tokens',
      'select null::text as token, null::text as user_id, null::boolean as active where false');
  end if;

  for relation in select jsonb_object_keys(queries) loop
    begin
      execute format('create view clinic.%I with (security_invoker = true) as %s', relation, queries ->> relation);
      execute format('comment on view clinic.%I is %L', relation,
        'fisio_ayida, mapping fisioflow: ' || coalesce(sources ->> relation, 'nothing there'));
    exception when others then
      raise warning 'clinic.% cannot be made of %: %', relation, sources ->> relation, sqlerrm;
    end;
  end loop;
  if not queries ? 'packages' then
    raise warning 'neither public.patient_packages nor public.user_vouchers can be used: no clinic.packages';
  end if;
end $$;

do $$
declare
  kept record;
begin
  for kept in
    select g.* from fisioflow_grant g where to_regclass('clinic.' || quote_ident(g.relation)) is not null
  loop
    execute format('grant %s on clinic.%I to %I', kept.privilege, kept.relation, kept.role);
  end loop;
end $$;

-- 4. The functions, with the rights of whoever calls them.

create or replace function clinic.status_class(status text) returns text language sql immutable parallel safe
return case
  when lower(btrim(status)) in ('agendado', 'scheduled', 'aguardando', 'aguardando_confirmacao') then 'upcoming'
  when lower(btrim(status)) in ('presenca_confirmada', 'confirmed', 'confirmado') then 'confirmed'
  when lower(btrim(status)) in ('atendido', 'completed', 'concluido', 'in_progress', 'em_andamento', 'avaliacao',
    'evaluation', 'realizado', 'realizada', 'attended') then 'done'
  when lower(btrim(status)) in ('faltou', 'no_show', 'falta', 'faltou_com_aviso', 'faltou_sem_aviso',
    'nao_atendido', 'nao_atendido_sem_cobranca') then 'absent'
  when lower(btrim(status)) in ('cancelado', 'cancelled') then 'cancelled'
  when lower(btrim(status)) in ('remarcar', 'rescheduled', 'remarcado', 'reagendado') then 'to_rebook'
  else 'unknown' end;
comment on function clinic.status_class(text) is 'The class of a status word, aliases included';

do $$
declare
  instant text;
  moments text := '';
  moment text;
  version text := '';
begin
  if to_regclass('clinic.appointment_statuses') is not null then
    create function clinic.status_class(status text, organization text) returns text
    language sql stable parallel safe
    return case clinic.status_class(status) when 'unknown' then coalesce(
      (select coalesce(s.class, 'other') from clinic.appointment_statuses s
       where s.organization_id = organization and s.key = lower(btrim(status))), 'unknown')
      else clinic.status_class(status) end;
    comment on function clinic.status_class(text, text) is
      'The class of a status word in a clinic, which may have words of its own';
  end if;

  foreach moment in array array['confirmed_at', 'updated_at'] loop
    select case format_type(a.atttypid, null) when 'timestamp without time zone' then '$2 at time zone ''UTC'''
           else '$2' end into instant
    from pg_attribute a where a.attrelid = 'public.appointments'::regclass and a.attname = moment
      and not a.attisdropped;
    moments := moments || format(', %I = %s', moment, coalesce(instant, '$2'));
  end loop;
  if exists (select from pg_attribute a where a.attrelid = 'public.appointments'::regclass
             and a.attname = 'version' and not a.attisdropped) then
    version := ', version = coalesce(a.version, 0) + 1';
  end if;
  execute format($make$
    create or replace function clinic.confirm_appointment(appointment text, at timestamptz, via text)
    returns boolean language plpgsql as $body$
    declare
      wanted public.appointments.id%%type;
    begin
      begin
        wanted := appointment;
      exception when data_exception then
        return false;  -- No id of FisioFlow's: there is no such visit.
      end;
      update public.appointments a
      set status = 'presenca_confirmada', confirmed_via = via%s%s
      where a.id = wanted and a.deleted_at is null
        and clinic.status_class(a.status::text, a.organization_id::text) = 'upcoming';
      return found;
    end $body$ $make$, moments, version);
  comment on function clinic.confirm_appointment(text, timestamptz, text) is
    'The patient confirms; false if it was not waiting for that';

  if to_regclass('public.fcm_tokens') is null then
    create function clinic.disable_push_token(gone text) returns void language sql as '';
  else
    create function clinic.disable_push_token(gone text) returns void language sql as
      'update public.fcm_tokens set active = false where token = gone and active';
  end if;
  comment on function clinic.disable_push_token(text) is 'The device says that it is no longer registered';
end $$;

-- Called again it changes nothing: rows have the ids that they are given. What is withdrawn is not deleted, because
-- somebody may have acted on it: it expires.
do $$
declare
  missing text := pg_temp.fisioflow_missing('patient_insights', 'id organization_id patient_id insight_type '
    'insight_text related_metric metric_value comparison_value expires_at created_at updated_at');
  types jsonb;
  utc text := ' at time zone ''UTC''';
begin
  if missing is not null then
    raise warning '% is not there: clinic.store_insights is not made, and no insights will be', missing;
    return;
  end if;
  select jsonb_object_agg(a.attname, format_type(a.atttypid, null)) into types from pg_attribute a
  where a.attrelid = 'public.patient_insights'::regclass and a.attnum > 0 and not a.attisdropped;
  execute format($make$
    create or replace function clinic.store_insights(
      organization text, patient text, items jsonb, withdrawn text[], at timestamptz)
    returns integer language plpgsql as $body$
    declare
      owner public.patients.organization_id%%type;
      wanted public.patients.id%%type;
      stored integer;
    begin
      begin
        wanted := $2;
        select p.organization_id into owner from public.patients p
        where p.id = wanted and p.organization_id::text = $1;
      exception when data_exception then
        owner := null;  -- No id of FisioFlow's.
      end;
      -- Also of who is another organisation's now, or gone.
      update public.patient_insights i set expires_at = $5%2$s, updated_at = $5%4$s
      where i.id = any ($4::%1$s[]) and i.patient_id = wanted and i.organization_id::text = $1
        and (i.expires_at is null or i.expires_at > $5%2$s);
      if jsonb_array_length($3) = 0 then
        return 0;
      end if;
      if owner is null then
        raise exception 'patient %% is none of organization %%', $2, $1 using errcode = 'check_violation';
      end if;
      insert into public.patient_insights (id, organization_id, patient_id, insight_type, insight_text,
        related_metric, metric_value, comparison_value, expires_at, created_at, updated_at)
      select n.id, owner, wanted, n.insight_type, n.insight_text, n.related_metric, n.metric_value,
        n.comparison_value, n.expires_at%2$s, $5%3$s, $5%4$s
      from jsonb_to_recordset($3) as n (id %1$s, insight_type text, insight_text text, related_metric text,
        metric_value numeric, comparison_value numeric, expires_at timestamptz)
      on conflict (id) do nothing;
      select count(*) into stored from public.patient_insights i
      where i.patient_id = wanted and i.organization_id = owner
        and i.id in (select n.id from jsonb_to_recordset($3) as n (id %1$s));
      return stored;
    end $body$ $make$,
    types ->> 'id',
    case types ->> 'expires_at' when 'timestamp without time zone' then utc else '' end,
    case types ->> 'created_at' when 'timestamp without time zone' then utc else '' end,
    case types ->> 'updated_at' when 'timestamp without time zone' then utc else '' end);
  comment on function clinic.store_insights(text, text, jsonb, text[], timestamptz) is
    'Writes a patient''s insights and lets those expire that they replace; gives how many of them stand there';
end $$;
drop function pg_temp.fisioflow_missing(text, text);

commit;
