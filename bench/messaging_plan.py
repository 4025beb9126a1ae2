"""How fast messages are planned: reminders of 100,000 patients of 1,000 clinics, each rendered, sealed and stored.

Measured: ``Outbox.plan`` in a process of its own, over all drafts in one call, and in chunks as a job does it; the
drafts are there before the clock starts. Planned again, all keys are there and nothing changes. Peak memory of the
process, its drafts included. Not measured: finding out which reminders are due, which is the job's part.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import time
from typing import Any

from bench.events import number
from bench.harness import WORK, BenchError, measured, parser, publish, table, verdict
from bench.messaging import fill, plan, reminders, said, variables, worker
from bench.stage import Stage, stage
from fisio_ayida.messaging.service import open_outbox
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import connect
from fisio_ayida.warehouse.urls import DatabaseUrl

MOST_SECONDS = 20.0
CLINICS = 1_000
PROFILED = 40


def main(arguments: list[str]) -> int:
    options = parser("messaging-plan", __doc__)
    options.add_argument("--messages", type=int, default=100_000, help="(default %(default)s)")
    options.add_argument("--chunk", type=int, default=1_000, help="messages a call (default %(default)s)")
    options.add_argument("--profile", action="store_true", help="show where the time of one call goes, and end")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.worker:
        print(json.dumps(work(**json.loads(chosen.worker))))
        return 0
    if chosen.quick:
        chosen.messages = 5_000
    found = measure(chosen)
    if chosen.profile:
        print((WORK / "logs" / "messaging-plan-whole.log").read_text())
        return 0
    publish("messaging-plan", chosen, conclude(chosen, found), found)
    return 0


def work(messages: int, chunk: int, profile: bool) -> dict[str, float]:
    """One process: plan everything, then everything again."""
    settings = Settings.load(os.environ)
    database = settings.database()
    assert database is not None
    drafts = reminders(range(1, messages + 1), CLINICS)
    with connect(database, autocommit=True) as conn:
        outbox = open_outbox(conn, settings)
        # The template is read and compiled once a process.
        outbox._row(drafts[0], drafts[0].due_at or conn.execute("select now()").fetchone()[0])  # type: ignore[index]
        profiler = cProfile.Profile()
        if profile:
            profiler.enable()
        found = {}
        for name in ("seconds", "again_seconds"):
            began = time.perf_counter()
            for first in range(0, messages, chunk):
                plan(conn, outbox, drafts[first : first + chunk])
            found[name] = time.perf_counter() - began
        if profile:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(PROFILED)
    return found


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """One process for each way."""
    with stage() as place:
        database = place.database("bench_messaging_plan", migrated=True)
        with place.connect(database) as conn:
            fill(conn, CLINICS, chosen.messages)
        ways = {"whole": chosen.messages, "chunks": chosen.chunk}
        if chosen.profile:
            ways.pop("chunks")
        return {name: one_way(place, database, name, chosen, chunk) for name, chunk in ways.items()}


def one_way(
    place: Stage, database: DatabaseUrl, name: str, chosen: argparse.Namespace, chunk: int
) -> dict[str, float]:
    """Plan into an empty outbox, and see that all is there once."""
    with place.connect(database) as conn:
        conn.execute("truncate messaging.messages, messaging.transitions restart identity cascade")
        place.settle()
        cpu = place.cpu_seconds()
        log = WORK / "logs" / f"messaging-plan-{name}.log"
        order = {"messages": chosen.messages, "chunk": chunk, "profile": chosen.profile}
        taken = measured(worker("messaging-plan", order), variables(database), log)
        stored = number(
            conn, "select count(*) from messaging.messages where state = 'planned' and content is not null"
        )
        changes = number(conn, "select count(*) from messaging.transitions")
        if not stored == changes == chosen.messages:
            raise BenchError(f"{chosen.messages} were planned; {stored:.0f} are stored with {changes:.0f} changes")
        return {
            **said(log), "peak_mb": taken.peak_mb, "cpu_seconds": taken.cpu_seconds,
            "server_cpu_seconds": place.cpu_seconds() - cpu,
        }  # fmt: skip


def conclude(chosen: argparse.Namespace, found: dict[str, Any]) -> list[str]:
    """The words of the result."""
    names = {"whole": "one call", "chunks": f"calls of {chosen.chunk:,}"}
    rows = [
        (
            names[name], f"{each['seconds']:.1f}", f"**{chosen.messages / each['seconds']:,.0f}**",
            f"{each['again_seconds']:.1f}", f"{each['cpu_seconds']:.1f}", f"{each['server_cpu_seconds']:.1f}",
            f"{each['peak_mb']:.0f}",
        )
        for name, each in found.items()
    ]  # fmt: skip
    slowest = max(each["seconds"] for each in found.values())
    reached = verdict(slowest < MOST_SECONDS)
    header = ("", "s", "messages/s", "s, all there already", "CPU s", "server CPU s", "peak MB")
    about = f"{chosen.messages:,} WhatsApp reminders of {CLINICS:,} clinics, with MESSAGING_KEY."
    target = f"{slowest:.1f} s (target {MOST_SECONDS:g} s for 100,000: {reached})."
    return [about, "", *table(header, rows), "", target]
