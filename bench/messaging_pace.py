"""E-mails of several dispatchers that share one account's limit of 10 requests a second.

Measured: three processes with the real dispatcher and its shared request clock drain one backlog for a minute; the
Resend stand-in answers 429 to the eleventh request of any second, and counts: e-mails a second from the first to
the last, refusals, the closest two. No e-mail may go out twice. Not measured: the start of the processes.
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
from itertools import pairwise
from typing import Any

from bench.harness import ROOT, BenchError, parser, publish, table, verdict
from bench.messaging import fill, plan, reminders, variables, worker
from bench.stage import stage
from bench.stand_ins import stand_in
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.service import open_dispatcher, open_outbox
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.resend import ResendControl
from fisio_ayida.warehouse.engine import Warehouse

LEAST_EMAILS_A_SECOND = 9.5
LIMIT = 10
CLINICS = 20
LATENCY_MS = 100


def main(arguments: list[str]) -> int:
    options = parser("messaging-pace", __doc__)
    options.add_argument("--seconds", type=float, default=60.0, help="(default %(default)s)")
    options.add_argument("--processes", type=int, default=3, help="(default %(default)s)")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.worker:
        print(json.dumps(asyncio.run(work(**json.loads(chosen.worker)))))
        return 0
    if chosen.quick:
        chosen.seconds = 10.0
    found = measure(chosen)
    publish("messaging-pace", chosen, conclude(chosen, found), found)
    return 0


async def work(seconds: float, name: str) -> dict[str, int]:
    """One process; begins when its standard input is closed."""
    settings = Settings.load(os.environ)
    database = settings.database()
    assert database is not None
    with Warehouse(database) as warehouse:
        async with open_dispatcher(
            settings, warehouse, run_id=name, now=lambda: dt.datetime.now(dt.UTC), jitter=random.random,
            log=logging.getLogger("bench"),
        ) as dispatcher:  # fmt: skip
            print("ready", flush=True)
            sys.stdin.read()
            tally = await dispatch(dispatcher, most=dt.timedelta(seconds=seconds))
            return {"accepted": tally.total("accepted"), "calls": tally.total()}


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run the processes together; what they say and what the stand-in saw."""
    backlog = int(chosen.seconds * LIMIT * 1.5)
    options = ("--requests-per-second", str(LIMIT), "--latency-ms", str(LATENCY_MS))
    with stage() as place, stand_in("resend", *options) as url:
        database = place.database("bench_messaging_pace", migrated=True)
        own = variables(
            database, RESEND_BASE_URL=url, RESEND_API_KEY="bench", RESEND_REQUESTS_PER_SECOND=str(LIMIT)
        )
        with place.connect(database) as conn:
            fill(conn, CLINICS, backlog)
            plan(conn, open_outbox(conn, Settings.load(own)), reminders(range(1, backlog + 1), CLINICS, "email"))
        said = run_together(chosen, own)
        provider = ResendControl(url)
        sent, state = provider.sent, provider.state()
    if len({each["key"] for each in sent}) != len(sent):
        raise BenchError("an e-mail has gone out twice")
    if sum(each["accepted"] for each in said) != len(sent):
        raise BenchError(f"{len(sent)} have gone out, the processes know of {said}")
    times = [dt.datetime.fromisoformat(each["at"]) for each in sent]
    return {
        "emails": len(sent),
        "emails_a_second": (len(sent) - 1) / (times[-1] - times[0]).total_seconds(),
        "rejected": state["refused_by_limit"],
        "closest_ms": min((after - before).total_seconds() for before, after in pairwise(times)) * 1000,
        "processes": said,
    }


def run_together(chosen: argparse.Namespace, own: dict[str, str]) -> list[dict[str, int]]:
    """Start all, let them go at once, and hear what they say in the end."""
    processes = [
        subprocess.Popen(
            worker("messaging-pace", {"seconds": chosen.seconds, "name": f"process-{nth}"}),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own, cwd=ROOT,
        )
        for nth in range(chosen.processes)
    ]  # fmt: skip
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise BenchError(f"a process did not start: {process.communicate()[1].strip()[-500:]}")
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None
        ended = [process.communicate() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for process, (_, errors) in zip(processes, ended, strict=True):
        if process.returncode:
            raise BenchError(f"a process failed: {errors.strip()[-500:]}")
    return [json.loads(output) for output, _ in ended]


def conclude(chosen: argparse.Namespace, found: dict[str, Any]) -> list[str]:
    """The words of the result."""
    speed, rejected = found["emails_a_second"], found["rejected"]
    rows = [
        ("e-mails a second", f"{speed:.2f}", f"{LEAST_EMAILS_A_SECOND} {verdict(speed >= LEAST_EMAILS_A_SECOND)}"),
        ("answers 429", str(rejected), f"0 {verdict(rejected == 0)}"),
        ("closest two, ms", f"{found['closest_ms']:.1f}", ""),
        ("e-mails of each process", " ".join(str(each["accepted"]) for each in found["processes"]), ""),
    ]
    about = f"{chosen.processes} processes for {chosen.seconds:g} s, a limit of {LIMIT} requests in any second."
    return [about, "", *table(("", "seen", "target"), rows)]
