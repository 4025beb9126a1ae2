"""What the gateway takes on one core: events a second in arrays of 100 and one by one, and how fast it answers.

Measured: a real ``fisio-ayida gateway`` pinned to the first core, the load generator on the second, PostgreSQL
(fsync on) wherever the kernel puts it. Arrays and single events from connections that send as soon as they are
answered; then single events at a fixed rate, whose latency counts from the moment when each was to be sent, so
that a pause of the gateway is not hidden by senders that wait for it. Every answer is checked, and so is the
number of rows in the end. Not measured: TLS, a network.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any

from bench.events import Sender, body, gateway, number
from bench.harness import WORK, BenchError, parser, publish, table, verdict
from bench.stage import process_cpu_seconds, stage

ARRAY = 100
LEAST_IN_ARRAYS, LEAST_SINGLE, MOST_P99_MS = 2_000, 400, 50
GATEWAY_CORE, LOAD_CORE = 0, 1


def main(arguments: list[str]) -> int:
    options = parser("events-gateway", __doc__)
    options.add_argument("--seconds", type=float, default=20.0, help="of each phase (default %(default)s)")
    options.add_argument("--rate", type=float, default=400.0, help="single events a second (default %(default)s)")
    chosen = options.parse_args(arguments)
    if chosen.quick:
        chosen.seconds = 4.0
    found = measure(chosen)
    publish("events-gateway", chosen, conclude(chosen, found), found)
    return 0


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """All phases against one gateway."""
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchError("two cores are needed: one for the gateway and one for the load")
    with stage() as place:
        database = place.database("bench_events_gateway", migrated=True)
        with gateway(database, WORK / "logs" / "events-gateway.log", core=GATEWAY_CORE) as (port, pid):
            # Only now: the server that was started above must not inherit it.
            os.sched_setaffinity(0, {LOAD_CORE})
            asyncio.run(closed(port, 1, 0.5, 4))  # connections and statements are prepared
            found: dict[str, Any] = {}
            for name, size, senders in (("arrays", ARRAY, 8), ("single", 1, 32)):
                before, cpu = process_cpu_seconds(pid), place.cpu_seconds()
                found[name] = asyncio.run(closed(port, size, chosen.seconds, senders))
                found[name]["gateway_cpu_seconds"] = process_cpu_seconds(pid) - before
                found[name]["server_cpu_seconds"] = place.cpu_seconds() - cpu
            found["paced"] = asyncio.run(paced(port, chosen.rate, chosen.seconds))
        with place.connect(database) as conn:
            found["rows"] = number(conn, "select count(*) from events.inbox")
        sent = sum(found[name]["events"] for name in ("arrays", "single", "paced"))
        if found["rows"] < sent:
            raise BenchError(f"{sent} events were answered 200 and {found['rows']:.0f} are stored")
    return found


@contextlib.asynccontextmanager
async def opened(port: int, senders: int) -> AsyncIterator[list[Sender]]:
    made = [await Sender(port).open() for _ in range(senders)]
    try:
        yield made
    finally:
        for sender in made:
            sender.close()


async def closed(port: int, size: int, seconds: float, senders: int) -> dict[str, Any]:
    """Each sender sends again as soon as it is answered."""
    bodies = [body(size, n) for n in range(50)]
    taken: list[float] = []

    async def send(sender: Sender, until: float) -> None:
        while (begun := time.perf_counter()) < until:
            await sender.post(bodies[len(taken) % len(bodies)])
            taken.append(time.perf_counter() - begun)

    async with opened(port, senders) as each:
        started = time.perf_counter()
        await asyncio.gather(*(send(sender, started + seconds) for sender in each))
        return summary(taken, size, time.perf_counter() - started)


async def paced(port: int, rate: float, seconds: float) -> dict[str, Any]:
    """Single events at a fixed rate, however fast they are answered."""
    taken: list[float] = []
    bodies = [body(1, n) for n in range(50)]
    free: asyncio.Queue[Sender] = asyncio.Queue()

    async def send(due: float, place: int) -> None:
        sender = await free.get()
        await sender.post(bodies[place % len(bodies)])
        taken.append(time.perf_counter() - due)
        free.put_nowait(sender)

    async with opened(port, 64) as senders, asyncio.TaskGroup() as group:
        for sender in senders:
            free.put_nowait(sender)
        started = time.perf_counter()
        for place in range(int(rate * seconds)):
            due = started + place / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(send(due, place))
    return summary(taken, 1, time.perf_counter() - started)


def summary(taken: list[float], size: int, seconds: float) -> dict[str, Any]:
    hundredths = statistics.quantiles(taken, n=100)
    return {
        "events": len(taken) * size, "seconds": seconds, "events_a_second": len(taken) * size / seconds,
        "p50_ms": hundredths[49] * 1000, "p99_ms": hundredths[98] * 1000, "worst_ms": max(taken) * 1000,
    }  # fmt: skip


def conclude(chosen: argparse.Namespace, found: dict[str, Any]) -> list[str]:
    """The words of the result."""
    arrays, single, at_rate = found["arrays"], found["single"], found["paced"]
    reached = {
        "arrays": f"{LEAST_IN_ARRAYS:,} events/s {verdict(arrays['events_a_second'] >= LEAST_IN_ARRAYS)}",
        "single": f"{LEAST_SINGLE} events/s {verdict(single['events_a_second'] >= LEAST_SINGLE)}",
        "paced": f"p99 < {MOST_P99_MS} ms {verdict(at_rate['p99_ms'] < MOST_P99_MS)}",
    }
    names = {
        "arrays": f"arrays of {ARRAY}, 8 senders",
        "single": "one by one, 32 senders",
        "paced": f"one by one at {chosen.rate:g}/s",
    }
    rows = [
        (
            names[name],
            f"{each['events_a_second']:,.0f}",
            *(f"{each[key]:.1f}" for key in ("p50_ms", "p99_ms", "worst_ms")),
            f"{each['gateway_cpu_seconds'] / each['seconds']:.0%}" if "gateway_cpu_seconds" in each else "",
            reached[name],
        )
        for name, each in ((name, found[name]) for name in names)
    ]
    header = ("", "events/s", "p50 ms", "p99 ms", "worst ms", "of its core", "target")
    return [f"{chosen.seconds:g} s each; one gateway process on one core.", "", *table(header, rows)]
