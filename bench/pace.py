"""Detail calls of several processes against a source that rejects bursts.

Measured: three processes of ours ask for details of calls for aid through the client and the shared request
clock at the default settings, for a minute; the stand-in answers 429 to a start closer than 100 ms to the one
before (Q14). The stand-in counts: calls a second from the first to the last start, rejections, the closest
spacing, the most calls in flight. Not measured: the time the processes need to start.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import logging
import os
import random
import subprocess
import sys
from itertools import cycle
from typing import Any

import httpx

from bench.harness import ROOT, WORK, BenchError, environment, parser, publish, table, verdict
from bench.stage import simulator, stage
from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.service import Caller, open_context
from fisio_ayida.bdns.sweep import fetch_detail
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse

LEAST_CALLS_A_SECOND = 9.3
CODES = 500


def main(arguments: list[str]) -> int:
    options = parser("pace", __doc__)
    options.add_argument("--seconds", type=float, default=60.0, help="(default %(default)s)")
    options.add_argument("--processes", type=int, default=3, help="(default %(default)s)")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.worker:
        order = json.loads(chosen.worker)
        print(json.dumps(asyncio.run(work(order["seconds"], order["codes"]))))
        return 0
    if chosen.quick:
        chosen.seconds = 10.0
    found = measure(chosen)
    publish("pace", chosen, conclude(chosen, found), found)
    return 0


async def work(seconds: float, codes: list[str]) -> dict[str, int]:
    """One process: details one after the other; begins when its standard input is closed."""
    settings = Settings.load(os.environ)
    database = settings.database()
    assert database is not None
    calls = 0
    with Warehouse(database) as warehouse:
        async with open_context(
            settings, warehouse, now=lambda: dt.datetime.now(dt.UTC), jitter=random.random,
            log=logging.getLogger("bench"), caller=Caller(job_name="bench"),
        ) as context:  # fmt: skip
            print("ready", flush=True)
            sys.stdin.read()
            until = asyncio.get_running_loop().time() + seconds
            for code in cycle(codes):
                if asyncio.get_running_loop().time() > until:
                    break
                if await fetch_detail(DATASETS["convocatorias"], code, context.client) is None:
                    raise BenchError(f"no detail for {code}")
                calls += 1
            return {"calls": calls, "retries": context.client.traffic.retries}


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run the processes together; what they say and what the stand-in saw."""
    with stage() as place, simulator(400) as source:
        database = place.database("bench_pace", migrated=True)
        listing = httpx.get(
            f"{source.base_url}/convocatorias/busqueda",
            params={"pageSize": str(CODES)},
            trust_env=False,
            timeout=60,
        ).json()
        order = {"seconds": chosen.seconds, "codes": [row["numeroConvocatoria"] for row in listing["content"]]}
        # Nothing but the address is set: the pace is the default one.
        variables = environment(
            DATABASE_URL=database.psycopg, BDNS_BASE_URL=source.base_url, FISIO_AYIDA_HOME=str(WORK / "no-dagster")
        )
        source.quirks(Q14=True)
        command = [sys.executable, "-m", "bench", "pace", "--worker", json.dumps(order)]
        workers = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=variables, cwd=ROOT,
            )
            for _ in range(chosen.processes)
        ]  # fmt: skip
        try:
            for worker in workers:
                assert worker.stdout is not None
                if worker.stdout.readline().strip() != "ready":
                    raise BenchError(f"a process did not start: {worker.communicate()[1].strip()[-500:]}")
            source.reset_requests()
            answers = [worker.communicate("") for worker in _released(workers)]
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        seen = source.requests()
    for worker, (_, errors) in zip(workers, answers, strict=True):
        if worker.returncode:
            raise BenchError(f"a process failed: {errors.strip()[-500:]}")
    said = [json.loads(output) for output, _ in answers]
    seconds = seen["last_start"] - seen["first_start"]
    return {
        "calls_a_second": (seen["count"] - 1) / seconds,
        "rejected": seen["by_status"].get("429", 0),
        **{name: seen[name] for name in ("count", "by_status", "min_spacing_ms", "spacing_ms", "max_in_flight")},
        "workers": said,
    }


def _released(workers: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """All at once; each waits for the end of its input."""
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.close()
        worker.stdin = None
    return workers


def conclude(chosen: argparse.Namespace, found: dict[str, Any]) -> list[str]:
    """The words of the result."""
    speed, rejected = found["calls_a_second"], found["rejected"]
    rows = [
        ("calls a second", f"{speed:.2f}", f"{LEAST_CALLS_A_SECOND} {verdict(speed >= LEAST_CALLS_A_SECOND)}"),
        ("answers 429", str(rejected), f"0 {verdict(rejected == 0)}"),
        ("closest spacing of starts, ms", f"{found['min_spacing_ms']:.1f}", "at least 100"),
        ("most calls in flight", str(found["max_in_flight"]), "1"),
        ("calls of each process", " ".join(str(each["calls"]) for each in found["workers"]), ""),
    ]
    about = f"{chosen.processes} processes for {chosen.seconds:g} s, default pacing, burst rejection on."
    return [about, "", *table(("", "seen", "target"), rows)]
