"""From POST to effect under a running ``dagster dev``: one event when all is idle, and a burst of ten thousand.

Measured: canaries sent one at a time to a real gateway, at random moments, each after the run before has ended;
how long until each has its echo, and where the time goes: until a sensor has claimed it, until its run has begun,
until the effect. Then a burst in arrays of 100: until all have echoes, and how many runs that took. Dagster is as
the project ships it: SQLite storage, default launcher, the ``dagster.yaml`` of this folder. Not measured: other
launchers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from bench.events import Sender, body, free_port, gateway, number, program, started, variables
from bench.harness import ROOT, WORK, BenchError, median, parser, publish, table, verdict
from bench.stage import stage
from fisio_ayida.events import dispatch

MOST_SECONDS, MOST_RUNS = 8.0, 30
BURST, ARRAY = 10_000, 100
PATIENCE_SECONDS = 300.0
LEGS = ("POST to claimed", "claimed to run begun", "run begun to effect", "POST to effect")

# Times of the latest event: its claim by the sensor or by a run, the beginning of that claim's run, its effect.
TIMES = """
select extract(epoch from t.at), extract(epoch from c.started_at), extract(epoch from e.at)
from events.inbox i
join events.echoes e on e.event_id = i.id
join events.transitions t on t.seq = i.seq and t.state = 'claimed'
join lateral (
  select started_at from events.claims
  where run_id = e.run_id and started_at <= e.at order by started_at desc limit 1
) c on true
order by i.seq desc limit 1
"""
OPEN = "select count(*) from events.inbox where state in ('received', 'retry', 'claimed')"


def main(arguments: list[str]) -> int:
    options = parser("events-latency", __doc__)
    options.add_argument("--singles", type=int, default=20, help="idle events (default %(default)s)")
    chosen = options.parse_args(arguments)
    if chosen.quick:
        chosen.singles = 3
    found = measure(chosen)
    publish("events-latency", chosen, conclude(found), found)
    return 0


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Single events, then the burst, on one Dagster."""
    draw = random.Random(chosen.singles)
    home = WORK / "dagster-latency"
    logs = WORK / "logs"
    with stage() as place:
        database = place.database("bench_events_latency", migrated=True)
        with (
            place.connect(database) as conn,
            gateway(database, logs / "latency-gateway.log") as (port, _),
            dagster(home, variables(database, DAGSTER_HOME=str(home)), logs / "latency-dagster.log") as process,
        ):
            beat = "select count(*) from events.beats where name = %s"
            wait(process, lambda: number(conn, beat, dispatch.BEAT) > 0, "the sensor does not tick")
            single(conn, port, process)  # bytecode is compiled, caches are filled
            legs = []
            for place_in_row in range(chosen.singles):
                wait(process, lambda: not unfinished(home), "a run does not end")
                time.sleep(draw.uniform(1.0, 6.0))
                legs.append(single(conn, port, process))
                words = ", ".join(f"{name} {legs[-1][name]:.2f}" for name in LEGS)
                print(f"{place_in_row + 1:3}: {words}", flush=True)
            wait(process, lambda: not unfinished(home), "a run does not end")
            return {"singles": legs, "burst": burst(conn, port, home, process)}


@contextlib.contextmanager
def dagster(home: Path, own: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``dagster dev`` on an instance of its own."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    # Two processes that create SQLite storage at once can both stamp its version: it is made before either starts.
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs(limit=1)
    where = ("-h", "127.0.0.1", "-p", str(free_port()))
    with started([program("dagster"), "dev", "-m", "fisio_ayida.definitions", *where], own, log) as process:
        yield process


def wait(process: subprocess.Popen[bytes], done: Callable[[], bool], otherwise: str) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if process.poll() is not None:
            raise BenchError(f"{otherwise}: Dagster has ended")
        if time.monotonic() > limit:
            raise BenchError(f"{otherwise} within {PATIENCE_SECONDS:g} s")
        time.sleep(0.1)


def unfinished(home: Path) -> int:
    """Runs under way."""
    states = [state for state in dg.DagsterRunStatus if state not in FINISHED_STATUSES]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return instance.get_runs_count(dg.RunsFilter(statuses=states))


def post(port: int, count: int, size: int) -> None:
    """So many events, in requests of this size."""

    async def send() -> None:
        sender = await Sender(port).open()
        for place in range(count // size):
            await sender.post(body(size, place))
        sender.close()

    asyncio.run(send())


def single(conn: psycopg.Connection[Any], port: int, process: subprocess.Popen[bytes]) -> dict[str, float]:
    """One event; seconds of each leg. All processes have this machine's clock."""
    before = number(conn, "select count(*) from events.echoes")
    posted = dt.datetime.now(dt.UTC).timestamp()
    post(port, 1, 1)
    wait(process, lambda: number(conn, "select count(*) from events.echoes") > before, "no effect")
    row = conn.execute(TIMES).fetchone()
    assert row is not None
    claimed, begun, effect = map(float, row)
    return dict(zip(LEGS, (claimed - posted, begun - claimed, effect - begun, effect - posted), strict=True))


def burst(
    conn: psycopg.Connection[Any], port: int, home: Path, process: subprocess.Popen[bytes]
) -> dict[str, float]:
    """Ten thousand events; the seconds to send them, to the last effect, and the runs."""
    before = number(conn, "select count(*) from events.echoes")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        runs = instance.get_runs_count()
    started_at = time.perf_counter()
    post(port, BURST, ARRAY)
    sent = time.perf_counter() - started_at
    wait(process, lambda: number(conn, OPEN) == 0, "events do not end")
    seconds = time.perf_counter() - started_at
    effects = number(conn, "select count(*) from events.echoes") - before
    if effects != BURST:
        raise BenchError(f"{BURST} events have {effects:.0f} effects")
    wait(process, lambda: not unfinished(home), "a run does not end")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        runs = instance.get_runs_count() - runs
    return {"sent_seconds": sent, "seconds": seconds, "runs": runs}


def conclude(found: dict[str, Any]) -> list[str]:
    """The words of the result."""
    legs, at_once = found["singles"], found["burst"]
    rows = [
        (
            name,
            f"{median([each[name] for each in legs]):.2f}",
            f"{min(each[name] for each in legs):.2f}",
            f"{max(each[name] for each in legs):.2f}",
        )
        for name in LEGS
    ]
    typical = median([each[LEGS[-1]] for each in legs])
    return [
        f"{len(legs)} single events under `dagster dev`, seconds.",
        "",
        *table(("", "median", "best", "worst"), rows),
        "",
        f"POST to effect {typical:.1f} s (target < {MOST_SECONDS:g} s: {verdict(typical < MOST_SECONDS)}).",
        "",
        f"A burst of {BURST:,} in arrays of {ARRAY}: sent in {at_once['sent_seconds']:.1f} s, all effects after "
        f"{at_once['seconds']:.1f} s, in {at_once['runs']:.0f} runs (target < {MOST_RUNS}: "
        f"{verdict(at_once['runs'] < MOST_RUNS)}).",
    ]
