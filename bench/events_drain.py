"""How fast one run works off what waits: 100,000 canaries, handled by ``process_events`` as Dagster runs it.

Measured: the drain, from the first claim to the end of the last one, by the clock of the run; the whole command
``dagster job execute`` with the process's start and the asset's report; peak memory, for 20,000 and for all, which
must be the same. Every event must have one echo in the end. Not measured: the daemon and its queue.
"""

from __future__ import annotations

import shutil
from typing import Any

from bench.events import fill, number, program, variables
from bench.harness import ROOT, WORK, BenchError, measured, parser, publish, table, verdict
from bench.stage import Stage, stage
from fisio_ayida.warehouse.urls import DatabaseUrl

LEAST_EVENTS_A_SECOND = 1_500
# Peak memory of the large drain by that of the small one: the interpreter's own noise is below this.
FLAT = 1.15


def main(arguments: list[str]) -> int:
    options = parser("events-drain", __doc__)
    options.add_argument("--events", default="20000,100000", help="how many wait (default %(default)s)")
    chosen = options.parse_args(arguments)
    if chosen.quick:
        chosen.events = "2000,10000"
    sizes = [int(each) for each in chosen.events.split(",")]
    found = measure(sizes)
    publish("events-drain", chosen, conclude(sizes, found), {str(size): each for size, each in found.items()})
    return 0


def measure(sizes: list[int]) -> dict[int, dict[str, float]]:
    """One run for each size, after one that is not counted."""
    home = WORK / "dagster-events"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    with stage() as place:
        database = place.database("bench_events_drain", migrated=True)
        own = variables(database, DAGSTER_HOME=str(home))
        drain(place, database, 100, own)
        return {size: drain(place, database, size, own) for size in sizes}


def drain(place: Stage, database: DatabaseUrl, size: int, own: dict[str, str]) -> dict[str, float]:
    """Fill, run the job by hand, and see that each event has its effect."""
    with place.connect(database) as conn:
        fill(conn, size)
        place.settle()
        cpu = place.cpu_seconds()
        command = [
            program("dagster"),
            *("job", "execute", "-m", "fisio_ayida.definitions", "-j", "process_events"),
        ]
        taken = measured(command, own, WORK / "logs" / f"events-drain-{size}.log")
        echoes = number(conn, "select count(distinct event_id) from events.echoes")
        every = number(conn, "select count(*) from events.echoes")
        done = number(conn, "select count(*) from events.inbox where state = 'done'")
        if not echoes == every == done == size:
            raise BenchError(f"{size} events waited, {done:.0f} are done with {echoes:.0f} effects")
        query = "select extract(epoch from max(ended_at) - min(started_at)) from events.claims"
        seconds = number(conn, query)
    found = {
        "seconds": seconds,
        "events_a_second": size / seconds,
        "command_seconds": taken.seconds,
        "command_events_a_second": size / taken.seconds,
        "cpu_seconds": taken.cpu_seconds,
        "server_cpu_seconds": place.cpu_seconds() - cpu,
        "peak_mb": taken.peak_mb,
    }
    print(f"{size:7,} events: {found['events_a_second']:,.0f}/s, peak {found['peak_mb']:.0f} MB", flush=True)
    return found


def conclude(sizes: list[int], found: dict[int, dict[str, Any]]) -> list[str]:
    """The words of the result."""
    rows = [
        (
            f"{size:,}",
            f"{each['seconds']:.1f}",
            f"**{each['events_a_second']:,.0f}**",
            f"{each['command_seconds']:.1f}",
            f"{each['command_events_a_second']:,.0f}",
            f"{each['cpu_seconds']:.1f}",
            f"{each['server_cpu_seconds']:.1f}",
            f"{each['peak_mb']:.0f}",
        )
        for size, each in ((size, found[size]) for size in sizes)
    ]
    speed = found[sizes[-1]]["events_a_second"]
    growth = found[sizes[-1]]["peak_mb"] / found[sizes[0]]["peak_mb"]
    header = ("events", "s", "events/s", "s, command", "events/s, command", "CPU s", "server CPU s", "peak MB")
    return [
        "One run of `process_events` by `dagster job execute`.",
        "",
        *table(header, rows),
        "",
        f"{speed:,.0f} events/s (target {LEAST_EVENTS_A_SECOND:,}: {verdict(speed >= LEAST_EVENTS_A_SECOND)}); "
        f"peak memory {growth:.2f} times that of the small drain (flat: {verdict(growth < FLAT)}).",
    ]
