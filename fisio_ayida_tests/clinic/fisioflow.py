"""FisioFlow's tables as far as the mapping reads them, and rows in them: our own DDL after CONTRACT clinic §2.

Here: both shapes of what is undecided, row security in both styles, a role as the mapping's head proposes it. Not
here: expectations.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, Literal

import psycopg

from fisio_ayida.clinic import mappings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl

Conn = psycopg.Connection[Any]
Shape = Literal[1, 2]

#: Tables with an organisation, that row security binds.
TENANT_TABLES: Final = (
    "profiles", "patients", "appointments", "sessions", "patient_packages", "payments",
    "appointment_status_settings", "patient_insights",
)  # fmt: skip

_TABLES = """
create schema if not exists public;
create type public.appointment_type as enum ('evaluation', 'session', 'reassessment', 'group', 'return');
create type public.session_status as enum ('draft', 'under_review', 'finalized', 'cancelled');
create type public.gender as enum ('M', 'F', 'O');
create table public.organizations (
  id uuid primary key default gen_random_uuid(), name varchar(255), slug varchar(255), settings jsonb default '{}',
  metadata jsonb, is_active boolean default true, type varchar(50) default 'clinic', parent_id uuid,
  created_at timestamp default now(), updated_at timestamp default now());
create table public.profiles (
  id uuid primary key default gen_random_uuid(), user_id text, name varchar(150), full_name varchar(150),
  email varchar(255), phone varchar(20), role varchar(50), roles text[], organization_id uuid, crefito varchar(20),
  preferences jsonb default '{}', is_active boolean default true, birth_date date);
create table public.patients (
  id uuid primary key default gen_random_uuid(), full_name varchar(150) not null, social_name varchar(150),
  nickname varchar(100), cpf varchar(14) unique, rg varchar(20), phone varchar(20), phone_secondary varchar(20),
  gender public.gender, email varchar(255), date_of_birth date, organization_id uuid,
  user_id text, professional_id uuid, primary_professional_id uuid, is_active boolean not null default true,
  status varchar(100), archived boolean, consent_data boolean default true, ai_preferences jsonb,
  main_condition text, version integer default 1,
  deleted_at timestamp, created_at timestamp default now(), updated_at timestamp default now());
create table public.appointments (
  id uuid primary key default gen_random_uuid(), patient_id uuid, organization_id uuid, therapist_id uuid not null,
  date date, start_time time, end_time time, duration_minutes integer default 60,
  status varchar(80) default 'agendado', type public.appointment_type, confirmed_at timestamp,
  confirmed_via varchar(50), reminder_sent_at timestamp, notes text,
  deleted_at timestamp, created_at timestamp default now(), updated_at timestamp default now());
create table public.sessions (
  id uuid primary key default gen_random_uuid(), patient_id uuid, appointment_id uuid, therapist_id uuid,
  organization_id uuid, date timestamp, observacao text, blocks jsonb, pain_scale smallint, procedures jsonb,
  exercises jsonb, measurements jsonb, home_exercises jsonb, status public.session_status default 'draft',
  last_auto_save_at timestamp, finalized_at timestamp, version integer default 1,
  deleted_at timestamp, created_at timestamp default now(), updated_at timestamp default now());
create table public.payments (
  id uuid primary key default gen_random_uuid(), organization_id uuid, appointment_id uuid, patient_id uuid,
  amount numeric(10,2), payment_method text, status text default 'paid', paid_at date, metadata jsonb);
create table public.patient_insights (
  id uuid primary key default gen_random_uuid(), organization_id uuid not null, patient_id uuid not null,
  insight_type text not null, insight_text text not null, confidence_score numeric(3,2), related_metric text,
  metric_value numeric(10,2), comparison_value numeric(10,2), is_acknowledged boolean default false,
  acknowledged_at timestamp, acknowledged_by text, action_taken text, expires_at timestamp,
  created_at timestamp not null default now(), updated_at timestamp not null default now());
create table public.vouchers (id uuid primary key default gen_random_uuid(), name text, sessions integer);
create table public.appointment_status_settings (
  organization_id uuid not null, key varchar(80) not null, label text, is_active boolean default true,
  primary key (organization_id, key));
create table public.fcm_tokens (
  id uuid primary key default gen_random_uuid(), token text unique, user_id text, tenant_id text, platform text,
  active boolean default true);
create table public.appointment_reminder_log (
  appointment_id uuid, kind text, created_at timestamptz default now(), primary key (appointment_id, kind));
create table public.wa_conversations (id uuid primary key default gen_random_uuid(), patient_id uuid);
create table public.wa_messages (
  id uuid primary key default gen_random_uuid(), organization_id uuid, conversation_id uuid, direction text,
  template_name text, status text, metadata jsonb, created_at timestamptz default now());
"""
_SHAPES: Final[dict[Shape, str]] = {
    1: """
create table public.patient_packages (
  id uuid primary key default gen_random_uuid(), organization_id uuid, patient_id uuid, package_id uuid,
  total_sessions integer, used_sessions integer,
  remaining_sessions integer generated always as (total_sessions - used_sessions) stored,
  purchase_date date, expiry_date date, amount_paid numeric(10,2), status text default 'ativo');
create table public.user_vouchers (
  id uuid primary key default gen_random_uuid(), user_id text, voucher_id uuid, sessoes_totais integer,
  sessoes_restantes integer, data_compra timestamptz, data_expiracao timestamptz, ativo boolean default true,
  valor_pago numeric(10,2));
""",
    2: """
create type public.package_status as enum ('active', 'expired', 'used', 'cancelled');
create table public.patient_packages (
  id uuid primary key default gen_random_uuid(), organization_id uuid, patient_id uuid, package_template_id uuid,
  name varchar(150), total_sessions integer, used_sessions integer, remaining_sessions integer,
  purchased_at timestamptz, expires_at timestamptz, price numeric(10,2),
  status public.package_status default 'active', last_used_at timestamptz);
create table public.user_vouchers (
  id uuid primary key default gen_random_uuid(), user_id text, voucher_id uuid, total_sessions integer,
  remaining_sessions integer, purchased_at timestamptz, expires_at timestamptz, is_active boolean default true,
  amount_paid numeric(10,2), deleted_at timestamptz);
""",
}
_BY_TEXT = "organization_id::text = current_setting('app.org_id', true)"
_BY_UUID = "organization_id = current_setting('app.org_id', true)::uuid"


def create(conn: Conn, shape: Shape = 2) -> None:
    """FisioFlow's tables, empty."""
    conn.execute((_TABLES + _SHAPES[shape]).encode())


def drop(conn: Conn) -> None:
    """All of it away, and what the mapping has made."""
    conn.execute("drop schema if exists clinic cascade; drop schema public cascade; create schema public")


def add(conn: Conn, table: str, /, **columns: Any) -> str:
    """A row of schema public; gives its id, where it has one."""
    names, holes = ", ".join(columns), ", ".join(["%s"] * len(columns))
    query = f"insert into public.{table} ({names}) values ({holes}) returning to_jsonb({table}) ->> 'id'"
    row = conn.execute(query.encode(), list(columns.values())).fetchone()
    assert row is not None
    return str(row[0])


def secure(conn: Conn, style: Literal["text", "uuid"] = "text", tables: tuple[str, ...] = TENANT_TABLES) -> None:
    """Row security that binds the owner, too: by text for every role, or by uuid for ``authenticated``."""
    rule, to = (_BY_TEXT, "public") if style == "text" else (_BY_UUID, "authenticated")
    for table in tables:
        conn.execute(
            f"alter table public.{table} enable row level security, force row level security; "
            f"create policy {table}_tenant on public.{table} for all to {to} using ({rule}) with check ({rule})"
        )


def proposed_rights(role: str, *, insights: bool = False) -> str:
    """The lines of the mapping's head that make a role for the jobs and say what it may do."""
    head = mappings.sql("fisioflow").partition("\nbegin;")[0]
    jobs, mark, more = head.partition("Only where they are wanted:")
    assert mark
    head = jobs + more if insights else jobs
    lines = re.findall(r"^--   ((?:create role|grant)[^;]*;)", head, re.MULTILINE)
    return re.sub(r"\n-- +", " ", "\n".join(lines)).replace("fisio_ayida", role)


def proposed_indexes() -> list[str]:
    """The indexes of the mapping's head, for a database that nobody else uses."""
    head = mappings.sql("fisioflow").partition("\nbegin;")[0]
    lines = re.findall(r"^--   (create index[^;]*;)", head, re.MULTILINE)
    return [re.sub(r"\n-- +", " ", line).replace(" concurrently", "") for line in lines]


@contextmanager
def reader(warehouse: Warehouse, *, insights: bool = False) -> Iterator[DatabaseUrl]:
    """The database as the role that the mapping's head proposes; ``insights``: with what only they need."""
    role = f"jobs_{uuid.uuid4().hex[:12]}"
    with warehouse.connect(autocommit=True) as conn:
        conn.execute(proposed_rights(role, insights=insights).encode())
        try:
            yield replace(warehouse.url, user=role)
        finally:
            conn.execute(f"drop owned by {role}; drop role {role}")


def authenticated(conn: Conn) -> None:
    """Make the role ``authenticated``, which databases of one server share."""
    with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        conn.execute("create role authenticated")
