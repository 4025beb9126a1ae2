"""What this machine allows a pipeline to do, and how much of it a load reaches.

Measured in one run against the same warm pages: fetching alone; with typed decoding; with a hash of each
record; with a bulk write into a logged table with its primary key, without history, proof or comparison. The
next page is fetched on a thread meanwhile, one call in flight. The limit is the fastest of the ways to fetch,
decode and write: rows handed to psycopg's COPY, lines handed to COPY, Arrow by ADBC where it can be installed.
Then our own first load and re-sync as a call inside this process. Not measured: process start, memory.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import msgspec
import xxhash

from bench import mirror
from bench.harness import ROOT, WORK, BenchError, median, parser, publish, table, verdict
from bench.stage import CONCESIONES, FIRST_DAY, Stage, last_day, our_queries, simulator, stage, warm
from fisio_ayida.bdns.records import record_type
from fisio_ayida.warehouse.urls import DatabaseUrl

LEAST_SHARE = 0.70
PAGES_A_COMMIT = 42  # a week of 60,000 rows a day
ARROW = WORK / "arrow"
ARROW_REQUIREMENTS = ("adbc-driver-postgresql", "pyarrow", "msgspec")
# The fields as the source sends them; derived columns are the mirror's own work.
COLUMNS = [c for c in CONCESIONES.columns if c.derive is None]
TABLE = "bulk"
NULL = "\x01"
PIECE = 256 * 1024  # in pieces, so that the server works while the rest is handed over

Record = Any
Write = Callable[[list[Record]], None]


class Page(msgspec.Struct):
    """What is decoded of a page."""

    content: list[record_type(CONCESIONES)]  # type: ignore[valid-type]


def bodies(urls: Sequence[str]) -> Iterator[bytes]:
    """All pages in order, the next one on its way while one is used."""
    parts = urlsplit(urls[0])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def get(url: str) -> bytes:
        connection.request("GET", url[url.index("/", 8) :])
        return connection.getresponse().read()

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(get, urls[0])
        for url in (*urls[1:], None):
            body = coming.result()
            if url is not None:
                coming = pool.submit(get, url)
            yield body
    connection.close()


def fetch(urls: Sequence[str]) -> None:
    for _ in bodies(urls):
        pass


def fetch_decode(urls: Sequence[str]) -> None:
    decode = msgspec.json.Decoder(Page).decode
    for body in bodies(urls):
        decode(body)


def fetch_decode_hash(urls: Sequence[str]) -> None:
    decode = msgspec.json.Decoder(Page).decode
    for body in bodies(urls):
        hashes(decode(body).content)


def hashes(records: list[Record]) -> list[int]:
    pack, digest = msgspec.msgpack.Encoder().encode, xxhash.xxh3_64_intdigest
    return [digest(pack(record)) for record in records]


def fetch_decode_write(
    place: Stage, database: DatabaseUrl, urls: Sequence[str], *, lines: bool, hashed: bool = False
) -> None:
    """Pages into the table, a commit for each week."""
    decode = msgspec.json.Decoder(Page).decode
    statement = f"copy {TABLE} from stdin" + (" (null E'\\x01')" if lines else "")
    with place.connect(database) as conn, conn.cursor() as cursor:
        conn.autocommit = False
        for number, body in enumerate(bodies(urls), start=1):
            records = decode(body).content
            if hashed:
                hashes(records)
            with cursor.copy(statement) as copy:
                if lines:
                    data = as_lines(records)
                    for start in range(0, len(data), PIECE):
                        copy.write(data[start : start + PIECE])
                else:
                    for record in records:
                        copy.write_row([getattr(record, c.field) for c in COLUMNS])
            if number % PAGES_A_COMMIT == 0:
                conn.commit()
        conn.commit()


def as_lines(records: list[Record]) -> bytes:
    """COPY's text format, column by column; only lines with a backslash are escaped."""
    columns = []
    for column in COLUMNS:
        values = [getattr(record, column.field) for record in records]
        if column.type == "boolean":
            columns.append([NULL if v is None else "t" if v else "f" for v in values])
        elif column.type in ("text", "date"):
            columns.append([NULL if v is None else v for v in values])
        else:
            columns.append([NULL if v is None else str(v) for v in values])
    lines = map("\t".join, zip(*columns, strict=True))
    text = "\n".join([line.replace("\\", "\\\\") if "\\" in line else line for line in lines]) + "\n"
    if text.count("\n") != len(records) or text.count("\t") != len(records) * (len(COLUMNS) - 1) or "\r" in text:
        raise BenchError("a value with a tab or a line break: this shortest of ways cannot write it")
    return text.encode()


def arrow_available() -> bool:
    """Install ADBC beside us once; without it the limit is the better of the others."""
    python = ARROW / "bin" / "python"
    if python.exists():
        return True
    venv.create(ARROW, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *ARROW_REQUIREMENTS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        python.unlink()
        print(f"ADBC left out: {done.stderr.strip()[-300:]}", flush=True)
    return done.returncode == 0


def arrow_seconds(database: DatabaseUrl, urls: Sequence[str]) -> float:
    """Fetch, decode and write by Arrow, in the environment that has it."""
    order = {
        "dsn": database.psycopg, "table": TABLE, "urls": list(urls), "pages_a_commit": PAGES_A_COMMIT,
        "columns": [[c.field, c.name, c.type] for c in COLUMNS],
    }  # fmt: skip
    done = subprocess.run(
        [ARROW / "bin" / "python", ROOT / "bench" / "arrow_limit.py"],
        input=json.dumps(order), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchError(f"ADBC: {done.stderr.strip()[-500:]}")
    return float(json.loads(done.stdout)["seconds"])


def main(arguments: list[str]) -> int:
    options = parser("limits", __doc__)
    options.add_argument("--days", type=int, default=14, help="registration days (default %(default)s)")
    options.add_argument("--rows-per-day", type=int, default=60_000, help="(default %(default)s)")
    options.add_argument("--repeat", type=int, default=3, help="the median counts (default %(default)s)")
    chosen = options.parse_args(arguments)
    if chosen.quick:
        chosen.days, chosen.rows_per_day, chosen.repeat = 2, 5_000, 1
    with stage() as place, simulator(chosen.rows_per_day) as source:
        urls = warm([source], our_queries(FIRST_DAY, last_day(chosen.days)))
        rows = chosen.days * chosen.rows_per_day
        seconds = measure(chosen, place, source.base_url, urls, rows)
    speeds = {name: rows / median(each) for name, each in seconds.items()}
    publish("limits", chosen, conclude(chosen, rows, speeds), {"seconds": seconds, "rows": rows})
    return 0


_WRITES = ("fetch, decode, COPY of rows", "fetch, decode, COPY of lines", "fetch, decode, ADBC")
_HASH, _ALL = "fetch, decode, hash", "fetch, decode, hash, COPY of lines"
_OUR_LOAD, _OUR_RESYNC = "our first load", "our re-sync without changes"


def measure(
    chosen: argparse.Namespace, place: Stage, base_url: str, urls: Sequence[str], rows: int
) -> dict[str, list[float]]:
    """Seconds of each stage, once for each round."""
    bulk = place.database("bench_limits", migrated=False)
    with place.connect(bulk) as conn:
        own = ", ".join(f"{c.name} {c.type}" for c in COLUMNS)
        conn.execute(f"create table {TABLE} ({own}, primary key (id))")

    def into_table(run: Callable[[], Any]) -> Callable[[], float]:
        def timed() -> float:
            with place.connect(bulk) as conn:
                conn.execute(f"truncate {TABLE}")
            place.settle()
            given = clocked(run)
            with place.connect(bulk) as conn:
                stored = conn.execute(f"select count(*) from {TABLE}").fetchone()
            if stored != (rows,):
                raise BenchError(f"{stored} rows were written, {rows} were published")
            return given

        return timed

    def clocked(run: Callable[[], Any]) -> float:
        started = time.perf_counter()
        given = run()
        return given if isinstance(given, float) else time.perf_counter() - started

    stages: dict[str, Callable[[], float]] = {
        "fetch": lambda: clocked(lambda: fetch(urls)),
        "fetch, decode": lambda: clocked(lambda: fetch_decode(urls)),
        _HASH: lambda: clocked(lambda: fetch_decode_hash(urls)),
        _WRITES[0]: into_table(lambda: fetch_decode_write(place, bulk, urls, lines=False)),
        _WRITES[1]: into_table(lambda: fetch_decode_write(place, bulk, urls, lines=True)),
        _ALL: into_table(lambda: fetch_decode_write(place, bulk, urls, lines=True, hashed=True)),
    }
    if arrow_available():
        stages[_WRITES[2]] = into_table(lambda: arrow_seconds(bulk, urls))
    seconds: dict[str, list[float]] = {}
    for _ in range(chosen.repeat):
        for name, run in stages.items():
            seconds.setdefault(name, []).append(run())
            print(f"{name:40} {seconds[name][-1]:7.2f} s", flush=True)
        ours = place.database("bench_ours", migrated=True)
        for name in (_OUR_LOAD, _OUR_RESYNC):
            place.settle()
            taken, report = mirror.load(ours, base_url, FIRST_DAY, last_day(chosen.days))
            if report.total("rows_received") != rows:
                raise BenchError(f"{name}: {report.total('rows_received')} rows, {rows} were published")
            seconds.setdefault(name, []).append(taken)
            print(f"{name:40} {taken:7.2f} s", flush=True)
    return seconds


def conclude(chosen: argparse.Namespace, rows: int, speeds: dict[str, float]) -> list[str]:
    """The words of the result."""
    best = max((name for name in _WRITES if name in speeds), key=speeds.__getitem__)
    share = speeds[_OUR_LOAD] / speeds[best]
    return [
        f"{rows:,} concesiones, medians of {chosen.repeat} run(s).",
        "",
        *table(("stage", "rows/s"), [(name, f"{speed:,.0f}") for name, speed in speeds.items()]),
        "",
        f"The limit is '{best}', {speeds[best]:,.0f} rows/s. Our first load, with comparison, proof and history, "
        f"reaches {share:.0%} of it (target {LEAST_SHARE:.0%}: {verdict(share >= LEAST_SHARE)}); our re-sync "
        f"without changes reaches {speeds[_OUR_RESYNC] / speeds[_HASH]:.0%} of '{_HASH}'.",
    ]
