"""How long FisioFlow's jobs take for all clinics: 1,000 organisations, 1,000,000 patients, 5,000,000 visits.

Measured: each job in a process of its own, from opening the database to the end of ``run``, with its messages
planned and encrypted; its statements over the clinic's relations, for all organisations and for ten of them;
peak memory. A Monday, so that the weekly jobs have work. Not measured: Dagster's start, and sending.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import time
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from bench.events import number
from bench.harness import WORK, BenchError, measured, parser, publish, table, verdict
from bench.messaging import said, variables, worker
from bench.stage import Stage, stage
from fisio_ayida.clinic.model import Order
from fisio_ayida.clinic.registry import JOBS, ZONE
from fisio_ayida.clinic.running import RUNNERS
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import get_logger
from fisio_ayida.warehouse.engine import open_warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl

MONDAY = dt.date(2026, 3, 16)
#: Seconds, for the whole size (issue of the jobs).
TARGETS = {
    "daily_reports": 60, "weekly_summary": 60, "birthday_messages": 15, "expiring_vouchers": 15,
    "appointment_reminders": 15, "data_integrity": 120,
}  # fmt: skip
MOST_MB = 400
#: With so few organisations no statement may be fewer.
FEW = 10
# By job: what it is asked to look at, where that is not its first hour of the Monday.
_AT = {"appointment_reminders": 10, "feedback_requests": 12, "appointment_confirmations": 12}

# 800 days around the Monday; a visit's clinic is its patient's; a few rows in a million contradict each other.
_WORLD = """
insert into clinic.organizations (id, name)
  select 'org-' || n, 'Clínica ' || n from generate_series(0, %(clinics)s - 1) n;
insert into messaging.policies (organization_id, zone)
  select 'org-' || n, (array['America/Sao_Paulo', 'America/Rio_Branco', 'America/Noronha'])[1 + n %% 3]
  from generate_series(0, %(clinics)s - 1) n where n %% 3 > 0;
insert into clinic.staff (user_id, organization_id, full_name, email, roles, wants_daily_report,
                          wants_weekly_summary)
  select 'staff-' || n || '-' || k, 'org-' || n, 'Dra. Helena ' || k, 'staff' || n || k || '@example.com',
         case k when 0 then array['admin'] else array['fisioterapeuta'] end, k < 2, k = 0
  from generate_series(0, %(clinics)s - 1) n, generate_series(0, 4) k;
insert into clinic.patients (id, organization_id, full_name, phone, email, date_of_birth, professional_id,
                             created_at)
  select 'patient-' || n, 'org-' || n %% %(clinics)s, 'Ana Beatriz Souza ' || n,
         '+55 11 9' || lpad((60000000 + n)::text, 8, '0'), 'ana' || n || '@example.com',
         date '1940-01-01' + (n::bigint * 37 %% 29000)::int, 'staff-' || n %% %(clinics)s || '-' || n %% 5,
         %(day)s::timestamp at time zone 'UTC' - make_interval(mins => n)
  from generate_series(0, %(patients)s - 1) n;
insert into clinic.appointments (id, organization_id, patient_id, therapist_id, date, start_time, end_time, status,
                                 created_at, updated_at)
  select 'visit-' || n, 'org-' || p %% %(clinics)s, 'patient-' || p, 'staff-' || p %% %(clinics)s || '-' || p %% 5,
         %(day)s::date + d, make_time(7 + n %% 12, 15 * (n %% 4), 0), make_time(8 + n %% 12, 15 * (n %% 4), 0),
         case when d >= 0 then case n %% 3 when 0 then 'presenca_confirmada' else 'agendado' end
              else (array['atendido', 'atendido', 'concluido', 'atendido', 'atendido', 'atendido', 'atendido',
                          'faltou', 'cancelado', 'remarcar'])[1 + n / 800 %% 10] end,
         (%(day)s::date + d - 9)::timestamp at time zone 'UTC', (%(day)s::date + d)::timestamp at time zone 'UTC'
  from generate_series(0, %(visits)s - 1) n
  cross join lateral (select n %% 800 - 770 as d, (abs(hashint4(n)::bigint) %% %(patients)s)::int as p) x;
insert into clinic.sessions (id, organization_id, patient_id, appointment_id, therapist_id, date, status,
                             created_at, updated_at, finalized_at)
  select 'session-' || id, organization_id, patient_id, id, therapist_id, (date + start_time) at time zone 'UTC',
         'finalized', updated_at, updated_at, updated_at
  from clinic.appointments where date between %(day)s::date - 150 and %(day)s::date - 1
    and clinic.status_class(status) = 'done';
insert into clinic.packages (id, organization_id, patient_id, name, total_sessions, used_sessions,
                             remaining_sessions, expires_on, expires_at)
  select 'package-' || n, 'org-' || n %% %(clinics)s, 'patient-' || n, 'Pilates', 10, n %% 10, 10 - n %% 10,
         case when n %% 2 = 0 then %(day)s::date + (n / 2 %% 400 - 100) end,
         case when n %% 2 = 1 then (%(day)s::date + (n / 2 %% 400 - 100))::timestamp at time zone 'UTC' end
  from generate_series(0, %(patients)s / 5 - 1) n;
insert into clinic.payments (id, organization_id, appointment_id, patient_id, amount, status, paid_at)
  select 'payment-' || id, organization_id, id, patient_id, 180, 'paid', date
  from clinic.appointments where date between %(day)s::date - 80 and %(day)s::date - 1;
update clinic.appointments set patient_id = 'nobody' where id in (select 'visit-' || 700 + 800 * n from
  generate_series(0, 40) n);
update clinic.packages set remaining_sessions = -1 where id in ('package-100', 'package-1100')
"""


def main(arguments: list[str]) -> int:
    options = parser("clinic-jobs", __doc__)
    options.add_argument("--clinics", type=int, default=1_000, help="(default %(default)s)")
    options.add_argument("--patients", type=int, default=1_000_000, help="(default %(default)s)")
    options.add_argument("--visits", type=int, default=5_000_000, help="(default %(default)s)")
    options.add_argument("--job", help="this one alone")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.worker:
        print(json.dumps(work(**json.loads(chosen.worker))))
        return 0
    if chosen.quick:
        chosen.clinics, chosen.patients, chosen.visits = 30, 20_000, 100_000
    publish("clinic-jobs", chosen, conclude(found := measure(chosen)), found)
    return 0


def work(job: str, dry: bool) -> dict[str, float]:
    """One process: one run of one job."""
    from fisio_ayida.clinic.running import run
    from fisio_ayida.clinic.service import open_desk

    settings = Settings.load(os.environ)
    nominal = JOBS[job].when.of(MONDAY)
    if job in _AT:
        nominal = dt.datetime.combine(MONDAY, dt.time(_AT[job]), ZoneInfo(ZONE))
    asked = _count_reads()
    began = time.perf_counter()
    with open_warehouse(settings) as warehouse, open_desk(settings, warehouse, log=get_logger("bench")) as desk:
        outcome = run(job, desk, Order(nominal=nominal, now=nominal, run_id="bench", is_dry=dry))
    seconds = time.perf_counter() - began
    if outcome.failures:
        raise BenchError(f"{job}: {outcome.failures[0]}")
    return {
        "seconds": seconds, "reads": len(asked), "planned": sum(outcome.planned.values()),
        "withheld": sum(outcome.withheld.values()),
    }  # fmt: skip


def _count_reads() -> list[str]:
    """Every statement over the clinic's relations from now on."""
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *arguments: Any, **more: Any) -> Any:
        if "clinic." in str(query):
            asked.append(str(query))
        return execute(self, query, *arguments, **more)

    psycopg.Cursor.execute = counted  # type: ignore[method-assign]
    return asked


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Every job over the whole world, and dry over ten of its clinics."""
    jobs = [chosen.job] if chosen.job else list(RUNNERS)
    with stage() as place:
        database = place.database("bench_clinic", migrated=True)
        began = time.perf_counter()
        with place.connect(database) as conn:
            fill(conn, chosen)
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
        place.settle()
        found = {name: one(place, database, name, dry=False) for name in jobs}
        with place.connect(database) as conn:
            few = [f"org-{n}" for n in range(FEW)]
            conn.execute("update clinic.organizations set is_active = id = any(%s)", [few])
        for name in jobs:
            found[name]["few_reads"] = one(place, database, name, dry=True)["reads"]
    return found


def fill(conn: psycopg.Connection[Any], chosen: argparse.Namespace) -> None:
    """The world."""
    values = {"clinics": chosen.clinics, "patients": chosen.patients, "visits": chosen.visits, "day": MONDAY}
    for statement in _WORLD.split(";"):
        conn.execute(statement, values if "%(" in statement else None)
    conn.execute("vacuum analyze")
    if number(conn, "select count(*) from clinic.appointments") != chosen.visits:
        raise BenchError("the world is not what it should be")


def one(place: Stage, database: DatabaseUrl, job: str, *, dry: bool) -> dict[str, float]:
    """One run of one job in a process of its own."""
    place.settle()
    log = WORK / "logs" / f"clinic-{job}{'-dry' if dry else ''}.log"
    cpu = place.cpu_seconds()
    taken = measured(worker("clinic-jobs", {"job": job, "dry": dry}), variables(database), log)
    return {
        **said(log), "peak_mb": taken.peak_mb, "cpu_seconds": taken.cpu_seconds,
        "server_cpu_seconds": place.cpu_seconds() - cpu,
    }  # fmt: skip


def conclude(found: dict[str, Any]) -> list[str]:
    """The words of the result."""
    rows = []
    for name, each in found.items():
        target = TARGETS.get(name)
        rows.append((
            name, f"**{each['seconds']:.1f}**",
            f"{target} ({verdict(each['seconds'] < target)})" if target else "–",
            f"{each['planned']:,.0f}", f"{each['withheld']:,.0f}", f"{each['reads']:.0f}",
            f"{each['few_reads']:.0f}",
            f"{each['cpu_seconds']:.1f}", f"{each['server_cpu_seconds']:.1f}", f"{each['peak_mb']:.0f}",
        ))  # fmt: skip
    header = (
        "job", "s", "target s", "planned", "withheld", "statements", f"with {FEW} clinics", "CPU s",
        "server CPU s", "peak MB",
    )  # fmt: skip
    peak = max(each["peak_mb"] for each in found.values())
    memory = f"Peak memory {peak:.0f} MB (limit {MOST_MB}: {verdict(peak < MOST_MB)})."
    return [*table(header, rows), "", memory]
