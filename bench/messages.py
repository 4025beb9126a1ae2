"""What the benchmarks of messages share: clinics, patients and tomorrow's visits, and reminders that wait.

Here: filling a database, and dispatchers as processes. Not here: measuring.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from bench.events import program
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import Cause, Channel, Draft
from fisio_ayida.messaging.sealing import new_key
from fisio_ayida.messaging.service import open_outbox
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.urls import DatabaseUrl

TABLES = (
    "messaging.deliveries, messaging.messages, messaging.transitions, messaging.circuits, messaging.policies, "
    "clinic.appointments, clinic.patients, clinic.staff, clinic.organizations"
)
KEY = new_key()
START = dt.datetime.combine(dt.date.today() + dt.timedelta(days=1), dt.time(23, 30))  # noqa: DTZ011  civil time
DISPATCH = [program("fisio-ayida"), "messages", "dispatch"]


def settings(database: DatabaseUrl, **more: str) -> Settings:
    """Those of the benchmark's processes."""
    return Settings.load({"DATABASE_URL": database.psycopg, "MESSAGING_KEY": KEY, **more})


def people(conn: psycopg.Connection[Any], patients: int, clinics: int) -> None:
    """Clinics that are never quiet; their patients, each with a visit tomorrow at the same civil time."""
    conn.execute(f"truncate {TABLES} cascade")
    values = {"patients": patients, "clinics": clinics, "day": START.date(), "hour": START.time()}
    for statement in (
        "insert into clinic.organizations (id, name) select 'clinic-' || n, 'Clínica São João ' || n "
        "from generate_series(0, %(clinics)s - 1) n",
        "insert into messaging.policies (organization_id, quiet_from, quiet_to) select id, '00:00', '00:00' "
        "from clinic.organizations",
        "insert into clinic.patients (id, organization_id, full_name, phone, email) "
        "select 'patient-' || n, 'clinic-' || n %% %(clinics)s, 'Maria da Conceição ' || n, "
        "'+55 27 9' || lpad((90000000 + n)::text, 8, '0'), 'p' || n || '@example.com' "
        "from generate_series(0, %(patients)s - 1) n",
        "insert into clinic.appointments (id, organization_id, patient_id, date, start_time) "
        "select 'visit-' || n, 'clinic-' || n %% %(clinics)s, 'patient-' || n, %(day)s, %(hour)s "
        "from generate_series(0, %(patients)s - 1) n",
    ):
        conn.execute(statement, values)
    conn.execute("analyze clinic.patients, clinic.appointments, clinic.organizations, messaging.policies")


def reminders(patients: int, clinics: int, channel: Channel) -> Iterator[Draft]:
    """A reminder for everybody, as a job drafts them."""
    version = f"{START:%Y-%m-%dT%H:%M}"
    for n in range(patients):
        yield Draft(
            key=keys.reminder(f"visit-{n}", START, "d1", channel), job="bench", channel=channel,
            category="transactional", organization_id=f"clinic-{n % clinics}", patient_id=f"patient-{n}",
            template="appointment_reminder",
            variables={
                "nome": f"Maria da Conceição {n}", "clinica": f"Clínica São João {n % clinics}",
                "data": START.date(), "hora": START.time(),
            },
            cause=Cause("appointment", f"visit-{n}", version),
        )  # fmt: skip


def plan(conn: psycopg.Connection[Any], drafts: Sequence[Draft], own: Settings) -> int:
    """Plan in one transaction; gives the number of new messages."""
    with conn.transaction():
        planned = open_outbox(conn, own).plan(conn, drafts, now=dt.datetime.now(dt.UTC))
    return sum(each.is_new for each in planned)
