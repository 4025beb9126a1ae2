"""Whole command against whole command: the mirror and bdns-sync, side by side into the same PostgreSQL.

Measured: a first load, a re-sync without changes, and one after 1 % of the rows changed and 0.1 % were
removed; the same rows from the same simulator, pages of 10,000 rendered beforehand, one call in flight, no
pacing; wall time, CPU and peak memory of the command, CPU of the server on its behalf. Process start and
everything the command prints is in it; the server's start is not. Not measured: the real API, which is slower
than either. In each round ours runs before and after the peer, so that drift of the machine hits both.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from bench import mirror, rival
from bench.harness import (
    WORK,
    BenchError,
    Usage,
    measured,
    median,
    parser,
    publish,
    table,
    verdict,
)
from bench.stage import (
    FIRST_DAY,
    Stage,
    kept_pages,
    last_day,
    our_queries,
    process_cpu_seconds,
    simulator,
    stage,
    warm,
)
from fisio_ayida.simulators.bdns import SimulatorProcess
from fisio_ayida.warehouse.urls import DatabaseUrl

PHASES: Mapping[str, str] = {
    "load": "first load",
    "same": "re-sync, nothing changed",
    "changed": "re-sync, 1 % changed, 0.1 % removed",
}
LEAST_RATIO = {"load": 8.0, "same": 12.0, "changed": 7.0}
MOST_MB = 300.0
FLAT = 1.1  # peak memory of a doubled window against the plain one


@dataclass(frozen=True, slots=True)
class Contender:
    """A command, and how to count what it stored: current rows, then past ones."""

    name: str
    migrated: bool
    command: Callable[[dt.date, dt.date], Sequence[str]]
    environment: Callable[[DatabaseUrl, str], Mapping[str, str]]
    rows: str


OURS = Contender(
    "ours", True, mirror.command, mirror.command_environment,
    "select (select count(*) from bdns.concesiones), (select count(*) from bdns.concesiones_history)",
)  # fmt: skip
PEER = Contender("peer", False, rival.command, rival.command_environment, rival.rows_statement())


@dataclass(frozen=True, slots=True)
class Phase:
    """One measured command. Server CPU is that of all its processes meanwhile."""

    contender: str
    phase: str
    rows: int
    usage: Usage
    server_cpu_seconds: float
    simulator_cpu_seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.usage.seconds


def run_phases(
    place: Stage,
    who: Contender,
    sources: Mapping[str, SimulatorProcess],
    days: int,
    phases: Sequence[str],
    tag: str,
) -> tuple[list[Phase], dict[str, int]]:
    """The phases one after the other in a fresh database; and what the re-sync did to our dataset tables."""
    first, last = FIRST_DAY, last_day(days)
    database = place.database(f"bench_{who.name}", migrated=who.migrated)
    done: list[Phase] = []
    touched: dict[str, int] = {}
    for phase in phases:
        source = sources[phase]
        truth = source.truth("concesiones", first, last + dt.timedelta(days=1))
        expected = int(truth["count"])
        place.settle()
        before = written(place, database) if who is OURS else {}
        pages, server, serving = kept_pages(), place.cpu_seconds(), process_cpu_seconds(source.pid)
        usage = measured(
            who.command(first, last),
            who.environment(database, source.base_url),
            WORK / "logs" / f"peer-{tag}-{who.name}-{phase}.log",
        )
        server, serving = place.cpu_seconds() - server, process_cpu_seconds(source.pid) - serving
        if kept_pages() != pages:
            raise BenchError(f"{who.name}, {phase}: the simulator had to render pages during the measurement")
        with place.connect(database) as conn:
            current, past = conn.execute(who.rows).fetchone() or (0, 0)
        if current != expected:
            raise BenchError(f"{who.name}, {phase}: {current} rows are stored, {expected} are published")
        changes = source.changes("concesiones", first, last + dt.timedelta(days=1)) if phase == "changed" else {}
        if past != (real := changes.get("changed", 0) + changes.get("removed", 0)):
            # The peer leaves names out of its comparison, and so does not see when one really changes.
            print(f"note: {who.name} closed {past} versions, {real} rows were changed or removed", flush=True)
        if who is OURS and phase == "same":
            after = written(place, database)
            touched = {name: after[name] - before[name] for name in after}
        done.append(Phase(who.name, phase, expected, usage, server, serving))
        print(_line(done[-1], days), flush=True)
    place.drop(f"bench_{who.name}")
    return done, touched


def written(place: Stage, database: DatabaseUrl) -> dict[str, int]:
    """Rows that were ever inserted, updated or deleted in the dataset's tables, by table and kind."""
    with place.connect(database) as conn:
        found = conn.execute(
            """
            select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables
            where schemaname = 'bdns' and relname like 'concesiones%' order by 1
            """
        ).fetchall()
    return {
        f"{t}.{kind}": n for t, *counts in found for kind, n in zip(("ins", "upd", "del"), counts, strict=True)
    }


def _line(phase: Phase, days: int) -> str:
    used = phase.usage
    return (
        f"{phase.contender:4}  {PHASES[phase.phase]:36} {days:3} days  {used.seconds:7.2f} s"
        f"  {phase.rows_per_second:9,.0f} rows/s  CPU {used.cpu_seconds:6.1f} s (server"
        f" {phase.server_cpu_seconds:5.1f}, simulator {phase.simulator_cpu_seconds:4.1f})  {used.peak_mb:5.0f} MB"
    )


def compare(done: Sequence[Phase]) -> list[str]:
    """The medians side by side."""
    rows = []
    for phase, words in PHASES.items():
        ours, peer = (_of(done, name, phase) for name in ("ours", "peer"))
        ratio = median([p.rows_per_second for p in ours]) / median([p.rows_per_second for p in peer])
        rows.append(
            (
                words,
                *(f"{median([p.usage.seconds for p in each]):.1f}" for each in (peer, ours)),
                *(f"{median([p.rows_per_second for p in each]):,.0f}" for each in (peer, ours)),
                f"**{ratio:.1f}**",
                f"{LEAST_RATIO[phase]:.0f} {verdict(ratio >= LEAST_RATIO[phase])}",
                *(f"{median([p.usage.cpu_seconds for p in each]):.0f}" for each in (peer, ours)),
                *(f"{median([p.server_cpu_seconds for p in each]):.0f}" for each in (peer, ours)),
                *(f"{max(p.usage.peak_mb for p in each):.0f}" for each in (peer, ours)),
            )
        )
    pairs = ("s", "rows/s", "CPU s", "server CPU s", "peak MB")
    names = [f"{unit}, {who}" for unit in pairs for who in ("peer", "ours")]
    return table(("phase", *names[:4], "ratio", "target", *names[4:]), rows)


def _of(done: Sequence[Phase], contender: str, phase: str) -> list[Phase]:
    return [each for each in done if each.contender == contender and each.phase == phase]


def main(arguments: list[str]) -> int:
    options = parser("peer", __doc__)
    options.add_argument("--days", type=int, default=20, help="registration days (default %(default)s)")
    options.add_argument("--rows-per-day", type=int, default=60_000, help="(default %(default)s)")
    options.add_argument("--repeat", type=int, default=1, help="rounds; ours runs twice in each")
    options.add_argument("--keep-peer", action="store_true", help="do not look for a newer release of the peer")
    chosen = options.parse_args(arguments)
    if chosen.quick:
        chosen.days, chosen.rows_per_day, chosen.keep_peer = 2, 5_000, True
    measure(chosen)
    return 0


def measure(chosen: argparse.Namespace) -> None:
    """Set up, run all rounds, publish."""
    versions = rival.install(refresh=not chosen.keep_peer)
    print(f"peer: {versions}", flush=True)
    days, twice = chosen.days, chosen.days * 2
    done: list[Phase] = []
    doubled: list[Phase] = []
    touched: dict[str, int] = {}
    with (
        stage() as place,
        simulator(chosen.rows_per_day) as now,
        simulator(chosen.rows_per_day, stepped=True) as later,
    ):
        sources = {"load": now, "same": now, "changed": later}
        print("rendering pages", flush=True)
        warm([now, later], [*our_queries(FIRST_DAY, last_day(days)), *rival.queries(FIRST_DAY, last_day(days))])
        warm([now], our_queries(FIRST_DAY, last_day(twice)))
        for number in range(chosen.repeat):
            for i, who in enumerate((OURS, PEER, OURS)):
                found, stats = run_phases(place, who, sources, days, tuple(PHASES), f"{number}{i}")
                done += found
                touched = {name: touched.get(name, 0) + n for name, n in stats.items()} or touched
        doubled, _ = run_phases(place, OURS, sources, twice, ("load", "same"), "doubled")
    publish(
        "peer", chosen, conclude(chosen, done, doubled, touched),
        {"phases": [asdict(p) for p in (*done, *doubled)], "touched": touched},
        **versions,
    )  # fmt: skip


def conclude(
    chosen: argparse.Namespace, done: Sequence[Phase], doubled: Sequence[Phase], touched: Mapping[str, int]
) -> list[str]:
    """The words of the result."""
    ours = {phase: max(p.usage.peak_mb for p in _of(done, "ours", phase)) for phase in PHASES}
    growth = {p.phase: p.usage.peak_mb / ours[p.phase] for p in doubled}
    flat = all(each <= FLAT for each in growth.values())
    most = max(ours.values())
    return [
        f"{chosen.days} days of {chosen.rows_per_day:,} concesiones ({done[0].rows:,} rows); medians of "
        f"{chosen.repeat} run(s) of the peer and {2 * chosen.repeat} of ours, memory the largest.",
        "",
        *compare(done),
        "",
        "Inserts, updates and deletes on our dataset tables in all re-syncs without changes: "
        + ", ".join(f"{name} {n}" for name, n in touched.items())
        + f" (target 0: {verdict(bool(touched) and not any(touched.values()))}).",
        f"Our peak memory {most:.0f} MB (target {MOST_MB:.0f}: {verdict(most <= MOST_MB)});"
        f" with {2 * chosen.days} days "
        + ", ".join(f"{p.usage.peak_mb:.0f} MB ({PHASES[p.phase]})" for p in doubled)
        + f", that is {max(growth.values()):.2f} times (flat: {verdict(flat)}).",
    ]
