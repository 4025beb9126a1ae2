"""What the benchmarks of messaging share: clinics with patients and visits, settings, reminders to be planned.

Here: the world that is measured in. Not here: measuring.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench.harness import WORK, environment
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import Cause, Channel, Draft
from fisio_ayida.messaging.outbox import Outbox
from fisio_ayida.warehouse.urls import DatabaseUrl

#: Bodies are stored encrypted, as in production. 32 bytes that everybody knows.
KEY = "YmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmU="
#: A person's reminder may go at any hour of a measurement.
VISIT_DAYS = 2
# Numbers of São Paulo, one for each patient.
_WORLD = """
insert into clinic.organizations (id, name)
  select 'org-' || n, 'Clínica ' || n from generate_series(1, %(clinics)s) n;
insert into clinic.staff (user_id, organization_id, full_name)
  select 'staff-' || n, 'org-' || n, 'Dra. Helena ' || n from generate_series(1, %(clinics)s) n;
insert into clinic.patients (id, organization_id, full_name, phone, email)
  select 'patient-' || n, 'org-' || 1 + n %% %(clinics)s, 'Ana Beatriz Souza ' || n,
         '+55 11 9' || lpad((60000000 + n)::text, 8, '0'), 'ana' || n || '@example.com'
  from generate_series(1, %(patients)s) n;
insert into clinic.appointments (id, organization_id, patient_id, therapist_id, date, start_time)
  select 'visit-' || n, 'org-' || 1 + n %% %(clinics)s, 'patient-' || n, 'staff-' || 1 + n %% %(clinics)s,
         %(day)s, make_time(8 + n %% 10, 15 * (n %% 4), 0)
  from generate_series(1, %(patients)s) n;
analyze clinic.organizations; analyze clinic.staff; analyze clinic.patients; analyze clinic.appointments
"""


def variables(database: DatabaseUrl, **more: str) -> dict[str, str]:
    """A clean environment with the database, keys, and no pace anywhere."""
    own = {
        "DATABASE_URL": database.psycopg, "FISIO_AYIDA_HOME": str(WORK / "no-dagster"), "MESSAGING_KEY": KEY,
        "RESEND_REQUESTS_PER_SECOND": "0", "EVOLUTION_REQUESTS_PER_SECOND": "0",
    }  # fmt: skip
    return environment(**{**own, **more})


def visit_day() -> dt.date:
    """Of all visits."""
    return dt.datetime.now(dt.UTC).date() + dt.timedelta(days=VISIT_DAYS)


def fill(conn: psycopg.Connection[Any], clinics: int, patients: int) -> None:
    """So many patients of so many clinics, each with a visit."""
    values = {"clinics": clinics, "patients": patients, "day": visit_day()}
    for statement in _WORLD.split(";"):
        conn.execute(statement, values if "%(" in statement else None)


def reminders(numbers: Sequence[int], clinics: int, channel: Channel = "whatsapp") -> list[Draft]:
    """The reminders of these patients' visits; they go at any hour."""
    day = visit_day()
    made = []
    for n in numbers:
        clinic, start = 1 + n % clinics, dt.datetime.combine(day, dt.time(8 + n % 10, 15 * (n % 4)))
        made.append(
            Draft(
                key=keys.reminder(f"visit-{n}", start, "d1", channel), job="bench", channel=channel,
                category="transactional", organization_id=f"org-{clinic}", patient_id=f"patient-{n}",
                template="appointment_reminder",
                variables={
                    "nome": f"Ana Beatriz Souza {n}", "clinica": f"Clínica {clinic}", "data": day,
                    "hora": start.time(), "profissional": f"Dra. Helena {clinic}",
                },
                cause=Cause("appointment", f"visit-{n}", f"{start:%Y-%m-%dT%H:%M}"), heeds_quiet=False,
            )
        )  # fmt: skip
    return made


def plan(conn: psycopg.Connection[Any], outbox: Outbox, drafts: Sequence[Draft]) -> None:
    """In one transaction, as a job does it."""
    with conn.transaction():
        outbox.plan(conn, drafts, now=dt.datetime.now(dt.UTC))


def worker(module: str, order: dict[str, Any]) -> list[str]:
    """The command of this benchmark's own other process."""
    return [sys.executable, "-m", "bench", module, "--worker", json.dumps(order)]


def said(log: Path) -> dict[str, Any]:
    """The last line of a worker's output."""
    found: dict[str, Any] = json.loads(log.read_text().strip().splitlines()[-1])
    return found
