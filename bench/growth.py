"""What a row costs as the table grows: at 1, 5 and 27 million stored concesiones.

Measured, as calls inside this process: loading a new day, reading an unchanged day again, and reading it again
after 1 % of its rows changed and 0.1 % were removed; each day is a window of its own. The stored rows are
copies of one day that the mirror has loaded, moved to earlier days on the server; the table is logged, with all
its indexes, vacuumed and analysed before each size. Not measured: a history of that size, and how long the
copies take.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections.abc import Mapping, Sequence

import psycopg

from bench import mirror
from bench.harness import BenchError, median, parser, publish, table, verdict
from bench.stage import CONCESIONES, FIRST_DAY, Stage, our_queries, simulator, stage, warm
from fisio_ayida.simulators.bdns import SimulatorProcess
from fisio_ayida.warehouse.urls import DatabaseUrl

MOST_GROWTH = 1.2
BASE_DAY = FIRST_DAY - dt.timedelta(days=1)
KINDS = ("new day", "unchanged day", "1 % changed")
# The simulator numbers awards by day: a million numbers for each.
IDS_A_DAY = 1_000_000


def main(arguments: list[str]) -> int:
    options = parser("growth", __doc__)
    options.add_argument("--millions", default="1,5,27", help="stored rows in millions (default %(default)s)")
    options.add_argument("--rows-per-day", type=int, default=60_000, help="(default %(default)s)")
    options.add_argument("--days", type=int, default=5, help="days for each size; the median counts")
    chosen = options.parse_args(arguments)
    if chosen.quick:
        chosen.millions, chosen.rows_per_day, chosen.days = "0.1,0.3", 5_000, 2
    sizes = [float(each) for each in chosen.millions.split(",")]
    rows_a_day = chosen.rows_per_day
    every_day = [FIRST_DAY + dt.timedelta(days=i) for i in range(chosen.days)]
    seconds: dict[float, dict[str, list[float]]] = {}
    with stage() as place, simulator(rows_a_day) as now, simulator(rows_a_day, stepped=True) as later:
        queries = [query for day in (BASE_DAY, *every_day) for query in our_queries(day, day)]
        warm([now, later], queries)
        database = place.database("bench_growth", migrated=True)
        mirror.load(database, now.base_url, BASE_DAY, BASE_DAY)
        with place.connect(database) as conn:
            conn.execute(f"create table public.one_day as table {CONCESIONES.table}")
        for size in sizes:
            fill(place, database, int(size * 1_000_000), rows_a_day)
            # The first day after a fill pays for cold caches: it is taken out again and not counted.
            three_loads(place, database, now, later, every_day[0])
            forget(place, database, every_day[0])
            found = [three_loads(place, database, now, later, day) for day in every_day]
            seconds[size] = {kind: [each[kind] for each in found] for kind in KINDS}
            words = ", ".join(f"{kind} {median(each):.2f} s" for kind, each in seconds[size].items())
            print(f"{size:g} million: {words}", flush=True)
    numbers = {"seconds": seconds, "rows_per_day": rows_a_day}
    publish("growth", chosen, conclude(chosen, sizes, seconds), numbers)
    return 0


def fill(place: Stage, database: DatabaseUrl, rows: int, day_rows: int) -> None:
    """Exactly so many rows before the measured days, day after day, in one transaction.

    A table that is emptied in the same transaction needs no log at ``wal_level=minimal``, and its indexes are
    made at the end, so this is as fast as the disk.
    """
    started = time.perf_counter()
    moved = {
        "id": f"id - %(k)s::bigint * {IDS_A_DAY}",
        "cod_concesion": f"'SB' || (id - %(k)s::bigint * {IDS_A_DAY})",
        "fecha_alta": "fecha_alta - %(k)s::integer",
        "fecha_concesion": "fecha_concesion - %(k)s::integer",
        "id_persona": "id_persona + %(k)s::bigint * 7",
        "row_hash": "hashint8extended(row_hash, %(k)s::bigint)",
    }
    with place.connect(database) as conn:
        columns = [
            str(row[0])
            for row in conn.execute(
                """
                select attname from pg_attribute
                where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
                """,
                [CONCESIONES.table],
            )
        ]
        values = ", ".join(moved.get(name, name) for name in columns)
        with conn.transaction():
            conn.execute(f"truncate {CONCESIONES.table}, {CONCESIONES.table}_history")
            made_again = drop_indexes(conn)
            insert = f"insert into {CONCESIONES.table} ({', '.join(columns)}) select {values} from public.one_day"
            missing, back = rows, -(-rows // day_rows)
            while missing > 0:
                back -= 1
                missing -= conn.execute(f"{insert} limit {missing}", {"k": back}).rowcount
            for statement in made_again:
                conn.execute(statement)
        conn.execute(f"vacuum (analyze) {CONCESIONES.table}")
        size = conn.execute("select pg_size_pretty(pg_total_relation_size(%s))", [CONCESIONES.table]).fetchone()
    seconds = time.perf_counter() - started
    print(f"{rows:,} rows generated, {size[0] if size else '?'}, in {seconds:.0f} s", flush=True)


def drop_indexes(conn: psycopg.Connection) -> list[str]:
    """Drop the table's indexes and keys; the statements that make them again."""
    constraints = conn.execute(
        """
        select conname, pg_get_constraintdef(oid) from pg_constraint
        where conrelid = %s::regclass and contype in ('p', 'u')
        """,
        [CONCESIONES.table],
    ).fetchall()
    indexes = conn.execute(
        """
        select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) from pg_index i
        where i.indrelid = %s::regclass
          and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
        """,
        [CONCESIONES.table],
    ).fetchall()
    for name, _ in constraints:
        conn.execute(f"alter table {CONCESIONES.table} drop constraint {name}")
    for name, _ in indexes:
        conn.execute(f"drop index {name}")
    keys = [f"alter table {CONCESIONES.table} add constraint {name} {text}" for name, text in constraints]
    return [*keys, *(text for _, text in indexes)]


def three_loads(
    place: Stage, database: DatabaseUrl, now: SimulatorProcess, later: SimulatorProcess, day: dt.date
) -> dict[str, float]:
    """Seconds of each kind of load of one day."""
    found: dict[str, float] = {}
    for kind, source in zip(KINDS, (now, now, later), strict=True):
        place.settle()
        taken, report = mirror.load(database, source.base_url, day, day)
        new, changed = report.total("rows_new"), report.total("rows_changed")
        right = {KINDS[0]: new > 0, KINDS[1]: not new and not changed, KINDS[2]: changed > 0 and not new}
        if not right[kind]:
            raise BenchError(f"{kind}, {day}: {new} new and {changed} changed rows")
        found[kind] = taken
    return found


def forget(place: Stage, database: DatabaseUrl, day: dt.date) -> None:
    """Take a day out again."""
    with place.connect(database) as conn:
        for name in (CONCESIONES.table, f"{CONCESIONES.table}_history"):
            conn.execute(f"delete from {name} where fecha_alta = %s", [day])
        conn.execute(f"vacuum {CONCESIONES.table}")


def conclude(
    chosen: argparse.Namespace, sizes: Sequence[float], seconds: Mapping[float, Mapping[str, Sequence[float]]]
) -> list[str]:
    """The words of the result."""
    rows, worst = [], 0.0
    for kind in KINDS:
        costs = [median(seconds[size][kind]) / chosen.rows_per_day * 1e6 for size in sizes]
        growth = costs[-1] / costs[0]
        worst = max(worst, growth)
        rows.append((kind, *(f"{cost:.1f}" for cost in costs), f"{growth:.2f}"))
    header = ("µs a row", *(f"{size:g} million" for size in sizes), "growth")
    return [
        f"Days of {chosen.rows_per_day:,} rows, medians of {chosen.days}; growth is the last size by the first.",
        "",
        *table(header, rows),
        "",
        f"Largest growth {worst:.2f} (target {MOST_GROWTH}: {verdict(worst <= MOST_GROWTH)}).",
    ]
