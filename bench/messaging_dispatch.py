"""How fast one dispatcher sends: WhatsApp reminders through Evolution's stand-in, which answers after 100 ms.

Measured: `fisio-ayida messages dispatch` on one core, from the first claim to the last answer by the outbox's own
times, without any pace to keep; the whole command; peak memory, which must not grow with the backlog.
Every message must have reached its phone once. The stand-in and the database run on the other core.
"""

from __future__ import annotations

from bench import messages
from bench.events import number, variables
from bench.harness import WORK, BenchError, measured, parser, publish, table, verdict
from bench.stage import Stage, stage
from bench.stand_ins import stand_in
from fisio_ayida.simulators.evolution import EvolutionControl

LEAST_A_SECOND = 300
FLAT = 1.15
CLINICS = 200


def main(arguments: list[str]) -> int:
    options = parser("messaging-dispatch", __doc__)
    options.add_argument("--messages", default="5000,30000", help="how many wait (default %(default)s)")
    chosen = options.parse_args(arguments)
    sizes = [500, 2_000] if chosen.quick else [int(each) for each in chosen.messages.split(",")]
    with stage() as place, stand_in("evolution", "--latency-ms", "100", core=1) as url:
        drain(place, 200, url)
        found = {size: drain(place, size, url) for size in sizes}
    rows = [
        (f"{size:,}", f"{each['seconds']:.1f}", f"**{each['rate']:,.0f}**", f"{each['command_seconds']:.1f}",
         f"{each['cpu_seconds']:.1f}", f"{each['peak_mb']:.0f}")
        for size, each in found.items()
    ]  # fmt: skip
    rate, growth = found[sizes[-1]]["rate"], found[sizes[-1]]["peak_mb"] / found[sizes[0]]["peak_mb"]
    header = ("messages", "s", "messages/s", "s, command", "CPU s", "peak MB")
    lines = [
        f"One dispatcher on one core, {CLINICS} clinics, answers after 100 ms.",
        "",
        *table(header, rows),
        "",
        f"{rate:,.0f} messages/s (target {LEAST_A_SECOND}: {verdict(rate >= LEAST_A_SECOND)}); "
        f"peak memory {growth:.2f} times that of the small backlog (flat: {verdict(growth < FLAT)}).",
    ]
    publish("messaging-dispatch", chosen, lines, {str(size): each for size, each in found.items()})
    return 0


def drain(place: Stage, size: int, url: str) -> dict[str, float]:
    """Plan, send with a process of its own, and count what has reached phones."""
    database = place.database("bench_messaging_dispatch", migrated=True)
    own = variables(
        database, MESSAGING_KEY=messages.KEY, EVOLUTION_BASE_URL=url, EVOLUTION_API_KEY="evolution-key",
        EVOLUTION_REQUESTS_PER_SECOND="0",
    )  # fmt: skip
    control = EvolutionControl(url)
    control.forget()
    with place.connect(database) as conn:
        messages.people(conn, size, min(CLINICS, size))
        messages.plan(
            conn, list(messages.reminders(size, min(CLINICS, size), "whatsapp")), messages.settings(database)
        )
        conn.execute("analyze messaging.messages")
        place.settle()
        taken = measured(
            ["taskset", "--cpu-list", "0", *messages.DISPATCH],
            own,
            WORK / "logs" / f"messaging-dispatch-{size}.log",
        )
        accepted = number(conn, "select count(*) from messaging.messages where state = 'accepted'")
        seconds = number(
            conn,
            "select extract(epoch from max(accepted_at) - min(claimed_at)) from messaging.messages",
        )
    if accepted != size or control.count != size:
        raise BenchError(f"{size} planned, {accepted:.0f} accepted, {control.count} reached a phone")
    control.close()
    print(f"{size:,} messages: {size / seconds:,.0f}/s, peak {taken.peak_mb:.0f} MB", flush=True)
    return {
        "seconds": seconds, "rate": size / seconds, "command_seconds": taken.seconds,
        "cpu_seconds": taken.cpu_seconds, "peak_mb": taken.peak_mb,
    }  # fmt: skip
