"""Ten thousand histories of a clinic and its messages, each checked against what really reached people.

A history is drawn by Hypothesis: bookings, moves, cancellations, opt-outs, clock jumps, plans, dispatchers that
are killed anywhere, providers that fail in every way, reports in any order. The dispatcher, rules and PostgreSQL
are the real ones; the providers remember in memory what reached whom. Broken rules are shown with their steps and
the command that repeats them. Not measured: speed, although it is told.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from bench.events import started
from bench.harness import WORK, BenchError, environment, parser, publish, table
from bench.messaging import said, worker
from bench.stage import stage
from fisio_ayida.warehouse.urls import DatabaseUrl
from fisio_ayida_tests.messaging.telling import CHUNK, opened, told

# What must have happened in ten thousand histories, or they prove nothing.
TROUBLES = (
    "moved", "killed before the call", "killed before the record", "once retry", "once deferred", "once unknown",
    "found again", "on another channel", "ended accepted", "ended delivered", "ended read", "ended skipped",
    "ended expired", "ended failed", "ended unknown",
)  # fmt: skip
ENOUGH = 2_000
LEAST_SHARE = 0.95
# A process has a seed for every few hundred histories.
SEEDS_APART = 1_000_000
MOST_LINES = 80


def main(arguments: list[str]) -> int:
    options = parser("messaging-histories", __doc__)
    options.add_argument("--histories", type=int, default=10_000, help="(default %(default)s)")
    options.add_argument("--seed", type=int, help="of the first process (default: by chance)")
    options.add_argument("--processes", type=int, default=2, help="(default %(default)s)")
    options.add_argument(
        "--shrink", action="store_true", help="make a history that breaks a rule shorter: minutes"
    )
    options.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.worker:
        print(json.dumps(work(**json.loads(chosen.worker))))
        return 0
    if chosen.quick:
        chosen.histories = 200
    if chosen.seed is None:
        chosen.seed = secrets.randbits(31)
    if chosen.histories <= CHUNK:
        # One seed, one process: the same histories again.
        chosen.processes = 1
    print(f"seed {chosen.seed}, {chosen.processes} process(es)", flush=True)
    began = time.perf_counter()
    with stage() as place:
        databases = [
            place.database(f"bench_messaging_histories_{nth}", migrated=True) for nth in range(chosen.processes)
        ]
        seen = run(chosen, databases)
    seconds = time.perf_counter() - began
    missing = [trouble for trouble in TROUBLES if not seen[trouble]]
    if seen["histories"] < LEAST_SHARE * chosen.histories:
        raise BenchError(f"only {seen['histories']} of {chosen.histories} histories could be told")
    if chosen.histories >= ENOUGH and missing:
        raise BenchError(f"it never happened that a message {', '.join(missing)}: nothing is proved of that")
    publish(
        "messaging-histories", chosen, conclude(chosen, seen, seconds),
        {"seed": chosen.seed, "processes": chosen.processes, "seconds": seconds, **seen},
    )  # fmt: skip
    return 0


def work(url: str, histories: int, seed: int, shrink: bool) -> dict[str, int]:
    """One process and its database."""
    with opened(DatabaseUrl.parse(url)) as world:
        return dict(told(world, histories, seed, shrink=shrink))


def run(chosen: argparse.Namespace, databases: list[DatabaseUrl]) -> Counter[str]:
    """All processes; the first one that finds a broken rule ends it."""
    share = -(-chosen.histories // chosen.processes)
    seen: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        waiting: dict[subprocess.Popen[bytes], tuple[int, Path]] = {}
        for nth, url in enumerate(databases):
            seed, log = chosen.seed + nth * SEEDS_APART, WORK / "logs" / f"messaging-histories-{nth}.log"
            order = {"url": url.psycopg, "histories": share, "seed": seed, "shrink": chosen.shrink}
            # Sets of texts in the same order each time: the same seed, the same histories.
            own = environment(PYTHONHASHSEED="0")
            waiting[stack.enter_context(started(worker("messaging-histories", order), own, log))] = seed, log
        while waiting:
            time.sleep(0.2)
            for process in [process for process in waiting if process.poll() is not None]:
                seed, log = waiting.pop(process)
                if process.returncode:
                    print("\n".join(log.read_text().splitlines()[-MOST_LINES:]), file=sys.stderr)
                    raise BenchError(
                        f"a rule was broken after seed {seed}; the last line tells how to see it again"
                    )
                seen.update(said(log))
    return seen


def conclude(chosen: argparse.Namespace, seen: Counter[str], seconds: float) -> list[str]:
    """The words of the result."""
    rows = [(what, f"{seen[what]:,}") for what in ("messages", "calls", "reached", *TROUBLES)]
    about = f"{seen['histories']:,} histories in {seconds:,.0f} s, {chosen.processes} process(es)"
    return [f"{about}, seed {chosen.seed}: no rule was broken.", "", *table(("", "how many"), rows)]
