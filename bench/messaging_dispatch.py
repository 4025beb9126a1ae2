"""How fast one dispatcher drains a backlog: WhatsApp reminders of 200 clinics, a provider that takes 100 ms.

Measured: one process on one core with the real dispatcher, its rules, its HTTP; the Evolution stand-in, without a
rate limit, in another process on the other core; PostgreSQL (fsync on) wherever the kernel puts it. Messages a
second from the first claim to the last answer written down, by the outbox's own times; how long claims take; peak
memory for a small and for a large backlog, which must be the same. Each message must have gone out once. Not
measured: the start of a run, receipts.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import datetime as dt
import json
import logging
import os
import pstats
import random
import statistics
import time
from typing import Any
from unittest.mock import patch

from bench.events import number
from bench.harness import WORK, BenchError, measured, parser, publish, table, verdict
from bench.messaging import fill, plan, reminders, said, variables, worker
from bench.stage import Stage, stage
from bench.stand_ins import stand_in
from fisio_ayida.messaging import claims, lane
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.service import open_dispatcher, open_outbox
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.evolution import EvolutionControl
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl

LEAST_MESSAGES_A_SECOND = 300
CLINICS = 200
LATENCY_MS = 100
DISPATCHER_CORE, PROVIDER_CORE = 0, 1
# Peak memory of the large backlog by that of the small one: the interpreter's own noise is below this.
FLAT = 1.15
PROFILED = 45


def main(arguments: list[str]) -> int:
    options = parser("messaging-dispatch", __doc__)
    options.add_argument("--backlogs", default="5000,20000,50000", help="how many wait (default %(default)s)")
    options.add_argument("--profile", action="store_true", help="show where the time of the first goes, and end")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.worker:
        print(json.dumps(asyncio.run(work(**json.loads(chosen.worker)))))
        return 0
    if chosen.quick:
        chosen.backlogs = "1000,3000"
    sizes = [int(each) for each in chosen.backlogs.split(",")]
    found = measure(sizes, profile=chosen.profile)
    if chosen.profile:
        print((WORK / "logs" / f"messaging-dispatch-{sizes[0]}.log").read_text())
        return 0
    publish(
        "messaging-dispatch", chosen, conclude(sizes, found), {str(size): each for size, each in found.items()}
    )
    return 0


async def work(profile: bool) -> dict[str, Any]:
    """One process: send what is due until nothing is."""
    os.sched_setaffinity(0, {DISPATCHER_CORE})
    settings = Settings.load(os.environ)
    database = settings.database()
    assert database is not None
    took: list[float] = []
    claim = claims.claim

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        claimed = claim(*args, **kwargs)
        took.append(time.perf_counter() - began)
        return claimed

    profiler = cProfile.Profile()
    with Warehouse(database) as warehouse, patch.object(lane, "claim", timed):
        async with open_dispatcher(
            settings, warehouse, run_id="bench", now=lambda: dt.datetime.now(dt.UTC), jitter=random.random,
            log=logging.getLogger("bench"),
        ) as dispatcher:  # fmt: skip
            if profile:
                profiler.enable()
            tally = await dispatch(dispatcher)
            if profile:
                profiler.disable()
                pstats.Stats(profiler).sort_stats("tottime").print_stats(PROFILED)
    hundredths = statistics.quantiles(took, n=100)
    return {
        "accepted": tally.total("accepted"), "calls": tally.total(), "claims": len(took),
        "claim_p50_ms": hundredths[49] * 1000, "claim_p99_ms": hundredths[98] * 1000,
    }  # fmt: skip


def measure(sizes: list[int], *, profile: bool) -> dict[int, dict[str, Any]]:
    """One run for each backlog, after one that is not counted."""
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchError("two cores are needed: one for the dispatcher and one for the provider")
    options = ("--latency-ms", str(LATENCY_MS), "--api-key", "bench")
    with stage() as place, stand_in("evolution", *options, core=PROVIDER_CORE) as url:
        database = place.database("bench_messaging_dispatch", migrated=True)
        with place.connect(database) as conn:
            fill(conn, CLINICS, max(sizes))
        provider = EvolutionControl(url)
        if profile:
            sizes = sizes[:1]
        else:
            drain(place, database, provider, 200, profile=False)
        return {size: drain(place, database, provider, size, profile=profile) for size in sizes}


def drain(
    place: Stage, database: DatabaseUrl, provider: EvolutionControl, size: int, *, profile: bool
) -> dict[str, Any]:
    """Plan, drain, and see that each message has gone out once."""
    own = variables(database, EVOLUTION_BASE_URL=provider.url, EVOLUTION_API_KEY="bench")
    provider.forget()
    with place.connect(database) as conn:
        conn.execute("truncate messaging.messages, messaging.transitions restart identity cascade")
        outbox = open_outbox(conn, Settings.load(own))
        for first in range(0, size, 5_000):
            plan(conn, outbox, reminders(range(first + 1, min(first + 5_000, size) + 1), CLINICS))
        conn.execute("vacuum (analyze) messaging.messages")
        place.settle()
        cpu = place.cpu_seconds()
        log = WORK / "logs" / f"messaging-dispatch-{size}.log"
        taken = measured(worker("messaging-dispatch", {"profile": profile}), own, log)
        accepted = number(conn, "select count(*) from messaging.messages where state = 'accepted' and attempt = 1")
        if not provider.count == accepted == size:
            raise BenchError(f"{size} waited, {accepted:.0f} are accepted and {provider.count} have gone out")
        query = "select extract(epoch from max(accepted_at) - min(claimed_at)) from messaging.messages"
        seconds = number(conn, query)
        server = place.cpu_seconds() - cpu
    found = {
        **said(log), "seconds": seconds, "messages_a_second": size / seconds, "peak_mb": taken.peak_mb,
        "cpu_seconds": taken.cpu_seconds, "server_cpu_seconds": server,
    }  # fmt: skip
    print(f"{size:7,} messages: {found['messages_a_second']:,.0f}/s, peak {found['peak_mb']:.0f} MB", flush=True)
    return found


def conclude(sizes: list[int], found: dict[int, dict[str, Any]]) -> list[str]:
    """The words of the result."""
    rows = [
        (
            f"{size:,}", f"{each['seconds']:.1f}", f"**{each['messages_a_second']:,.0f}**",
            f"{each['claim_p50_ms']:.1f}", f"{each['claim_p99_ms']:.1f}", f"{each['cpu_seconds']:.1f}",
            f"{each['server_cpu_seconds']:.1f}", f"{each['peak_mb']:.0f}",
        )
        for size, each in ((size, found[size]) for size in sizes)
    ]  # fmt: skip
    slowest = min(each["messages_a_second"] for each in found.values())
    growth = found[sizes[-1]]["peak_mb"] / found[sizes[0]]["peak_mb"]
    header = ("backlog", "s", "messages/s", "claim p50 ms", "p99 ms", "CPU s", "server CPU s", "peak MB")
    return [
        f"{CLINICS} clinics, one dispatcher on one core, a provider that takes {LATENCY_MS} ms.",
        "",
        *table(header, rows),
        "",
        f"{slowest:,.0f} messages/s (target {LEAST_MESSAGES_A_SECOND}: "
        f"{verdict(slowest >= LEAST_MESSAGES_A_SECOND)}); peak memory {growth:.2f} times that of the small "
        f"backlog (flat: {verdict(growth < FLAT)}).",
    ]
