"""How long insights take: 10,000 patients whose session was just completed, with twelve sessions each.

Measured: one run in a process of its own, from opening the database to its end: with facts alone, again with
nothing new, and for a fifth of the patients with a stand-in of the model that answers in 50 ms; peak memory for a
fifth of each and for all; notes a second through the scrubbing. Not measured: Dagster's start, and a real model,
which takes seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import time
from typing import Any

import psycopg

from bench.events import number
from bench.harness import WORK, BenchError, measured, parser, publish, table, verdict
from bench.messaging import said, variables, worker
from bench.stage import Stage, stage
from bench.stand_ins import stand_in
from fisio_ayida.clinic.model import Order
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import get_logger
from fisio_ayida.warehouse.engine import open_warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl

NOW = dt.datetime(2026, 3, 12, 18, tzinfo=dt.UTC)
LATENCY_MS = 50
IN_FLIGHT = 16
SESSIONS = 12
NOTES = 2_000
#: Memory for all patients over memory for a fifth of them.
MOST_GROWTH = 1.15
#: What the model's own time allows, with so many calls at once.
ALLOWED = IN_FLIGHT / (LATENCY_MS / 1000)
CORE_OF_MODEL = 1

# A session a week, the last one an hour ago; pain falls, loads rise, every tenth visit was missed.
_WORLD = """
insert into clinic.organizations (id, name)
  select 'org-' || n, 'Clínica ' || n from generate_series(0, %(clinics)s - 1) n;
insert into clinic.staff (user_id, organization_id, full_name)
  select 'staff-' || n, 'org-' || n, 'Dra. Helena Brandão ' || n from generate_series(0, %(clinics)s - 1) n;
insert into clinic.patients (id, organization_id, full_name, phone, email, date_of_birth)
  select 'patient-' || n, 'org-' || n %% %(clinics)s, 'Ana Beatriz Souza', '+55 11 98765-4321',
         'ana@example.com', date '1940-01-01' + (n * 37 %% 29000) from generate_series(0, %(patients)s - 1) n;
insert into clinic.patient_profiles (patient_id, organization_id, sex, complaint)
  select id, organization_id, 'F', 'Dor lombar há três meses' from clinic.patients;
insert into clinic.appointments (id, organization_id, patient_id, therapist_id, date, start_time, status)
  select 'visit-' || n || '-' || k, 'org-' || n %% %(clinics)s, 'patient-' || n, 'staff-' || n %% %(clinics)s,
         %(now)s::date - 7 * k, '09:00', case when (n + k) %% 10 = 0 and k > 0 then 'faltou' else 'atendido' end
  from generate_series(0, %(patients)s - 1) n, generate_series(0, %(sessions)s - 1) k;
insert into clinic.sessions (id, organization_id, patient_id, appointment_id, date, status, finalized_at)
  select 'session-' || n || '-' || k, 'org-' || n %% %(clinics)s, 'patient-' || n, 'visit-' || n || '-' || k,
         %(now)s::timestamptz - make_interval(days => 7 * k, hours => 1), 'finalized',
         %(now)s::timestamptz - make_interval(days => 7 * k, hours => 1, secs => n / 100.0)
  from generate_series(0, %(patients)s - 1) n, generate_series(0, %(sessions)s - 1) k;
insert into clinic.session_contents (session_id, organization_id, patient_id, pain_scale, note, procedures,
                                     exercises, measurements)
  select 'session-' || n || '-' || k, 'org-' || n %% %(clinics)s, 'patient-' || n, least(9, 1 + k %% 9),
         '<p>Paciente Ana refere melhora da dor lombar após os exercícios da semana. Realizado alongamento de '
         || 'isquiotibiais, ponte e fortalecimento de glúteo médio, sem queixas durante o atendimento. Orientada '
         || 'a manter os exercícios em casa e a retornar em sete dias; telefone 11 98765-4321.</p>',
         '["Terapia manual"]'::jsonb,
         jsonb_build_array(jsonb_build_object('name', 'Ponte', 'sets', 3, 'reps', 10, 'load', 20 - k)),
         jsonb_build_array(jsonb_build_object('name', 'Flexão do tronco', 'value', 60 - k, 'unit', 'graus'))
  from generate_series(0, %(patients)s - 1) n, generate_series(0, %(sessions)s - 1) k
"""


def main(arguments: list[str]) -> int:
    options = parser("insights", __doc__)
    options.add_argument("--clinics", type=int, default=100, help="(default %(default)s)")
    options.add_argument("--patients", type=int, default=10_000, help="(default %(default)s)")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.worker:
        print(json.dumps(work(**json.loads(chosen.worker))))
        return 0
    if chosen.quick:
        chosen.clinics, chosen.patients = 5, 200
    publish("insights", chosen, conclude(found := measure(chosen)), found)
    return 0


def work(what: str) -> dict[str, float]:
    """One process: a run, or scrubbing alone."""
    return scrubbing() if what == "scrub" else asyncio.run(_run())


async def _run() -> dict[str, float]:
    from fisio_ayida.clinic.service import open_desk
    from fisio_ayida.insights.model import Limits
    from fisio_ayida.insights.narrative.service import open_writer
    from fisio_ayida.insights.running import run

    settings, log = Settings.load(os.environ), get_logger("bench")
    began = time.perf_counter()
    with open_warehouse(settings) as warehouse, open_desk(settings, warehouse, log=log) as desk:
        async with open_writer(settings, warehouse, now=lambda: NOW, log=log) as writer:
            order = Order(nominal=NOW, now=NOW, run_id="bench")
            outcome = await run(
                desk, order, writer, now=lambda: NOW, limits=Limits.of(settings),
                in_flight=settings.insights_in_flight,
            )  # fmt: skip
    if outcome.failures:
        raise BenchError(f"patient_insights: {outcome.failures[0]}")
    return {"seconds": time.perf_counter() - began, **outcome.facts}


def scrubbing() -> dict[str, float]:
    """Notes of a hundred words, all different."""
    from fisio_ayida.insights.model import Identity
    from fisio_ayida.insights.privacy import Scrubber, leaks, plain

    identity = Identity(names=("Ana Beatriz Souza", "Helena Brandão"), numbers=("11987654321",))
    words = (
        "paciente Ana refere dor lombar há {n} dias melhora com alongamento de isquiotibiais e ponte 3x10 "
        "ADM de flexão {n} graus EVA 4/10 sem irradiação orientada pela Dra. Helena a manter os exercícios "
    )
    notes = [f"<p>{(words * 4).format(n=n)}</p>" for n in range(NOTES)]
    scrubber = Scrubber(identity)
    began = time.perf_counter()
    for note in notes:
        if leaks(scrubber.scrub(plain(note)).text, identity):
            raise BenchError("a name was left in a note")
    return {"notes_per_second": NOTES / (time.perf_counter() - began)}


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """All runs, each in a process of its own."""
    fifth = chosen.patients // 5
    with stage() as place, stand_in("llm", "--latency-ms", str(LATENCY_MS), core=CORE_OF_MODEL) as url:
        found: dict[str, Any] = {"scrub": _one(place, variables(place.url), "scrub")}
        model = {"OPENAI_BASE_URL": f"{url}/v1", "INSIGHTS_MODEL": "stand-in",
                 "INSIGHTS_IN_FLIGHT": str(IN_FLIGHT), "INSIGHTS_TOKENS_PER_DAY": "1000000000"}  # fmt: skip
        for name, patients, more in (
            ("facts, a fifth", fifth, {}), ("facts", chosen.patients, {}),
            ("narratives, a fifth", fifth // 5, model), ("narratives", fifth, model),
        ):  # fmt: skip
            database = place.database("bench_insights", migrated=True)
            with place.connect(database) as conn:
                fill(conn, chosen.clinics, patients)
            given = variables(database, **more)
            found[name] = _one(place, given, name)
            _made(place, database, patients, is_narrative=bool(more))
            if name == "facts":
                found["nothing new"] = _one(place, given, name)
    return found


def fill(conn: psycopg.Connection[Any], clinics: int, patients: int) -> None:
    """The world."""
    values = {"clinics": clinics, "patients": patients, "sessions": SESSIONS, "now": NOW}
    for statement in _WORLD.split(";\n"):
        conn.execute(statement, values)
    conn.execute("vacuum analyze")


def _made(place: Stage, database: DatabaseUrl, patients: int, *, is_narrative: bool) -> None:
    condition = "narrative = 'written'" if is_narrative else "true"
    with place.connect(database) as conn:
        made = number(conn, f"select count(*) from insights.generations where {condition}")
    if made != patients:
        raise BenchError(f"{made} of {patients} were made")


def _one(place: Stage, given: dict[str, str], what: str) -> dict[str, float]:
    place.settle()
    log = WORK / "logs" / "insights.log"
    cpu = place.cpu_seconds()
    taken = measured(worker("insights", {"what": what}), given, log)
    return {
        **said(log), "peak_mb": taken.peak_mb, "cpu_seconds": taken.cpu_seconds,
        "server_cpu_seconds": place.cpu_seconds() - cpu,
    }  # fmt: skip


def conclude(found: dict[str, Any]) -> list[str]:
    """The words of the result."""
    rows = []
    for name, each in found.items():
        if name == "scrub":
            continue
        made = each.get("generated", 0)
        rows.append((
            name, f"{made:,.0f}", f"**{each['seconds']:.1f}**", f"{made / each['seconds']:,.0f}",
            f"{each['cpu_seconds']:.1f}", f"{each['server_cpu_seconds']:.1f}", f"{each['peak_mb']:.0f}",
        ))  # fmt: skip
    header = ("run", "insights", "s", "insights/s", "CPU s", "server CPU s", "peak MB")
    growth = max(found[name]["peak_mb"] / found[f"{name}, a fifth"]["peak_mb"] for name in ("facts", "narratives"))
    return [
        *table(header, rows), "",
        f"Memory for five times the patients: {growth:.2f} times (limit {MOST_GROWTH}: "
        f"{verdict(growth < MOST_GROWTH)}). {IN_FLIGHT} calls at once and {LATENCY_MS} ms allow {ALLOWED:.0f}/s. "
        f"Scrubbing and looking again: {found['scrub']['notes_per_second']:,.0f} notes of 130 words a second.",
    ]  # fmt: skip
