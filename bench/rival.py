"""The peer, bdns-sync: installed into an environment of its own and started as a command.

It is under the GPL, so nothing of it is imported here. It has no setting for its source: a
``sitecustomize.py`` that only its own interpreter sees names the stand-in, lifts its request limit and
sets one call in flight, before its first line runs. Its pages hold 10,000 rows by default, as ours do.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import venv

from bench.harness import WORK, BenchError, environment
from bench.stage import PAGE_SIZE, Query
from fisio_ayida.warehouse.urls import DatabaseUrl

HOME = WORK / "peer"
# It documents psycopg2 as its PostgreSQL driver.
REQUIREMENTS = ("bdns-sync", "psycopg2-binary")
CHUNK_DAYS = 7
OFFICIAL = "https://www.infosubvenciones.es/bdnstrans/api"

_SITECUSTOMIZE = f"""\
# Written by bench/rival.py. Ends the process rather than let it go to the official service.
import os, sys, traceback
try:
    import inspect
    from bdns.fetch import client
    from bdns.fetch.utils import RateLimiter

    base, moved = os.environ["BENCH_BASE_URL"], 0
    for name, value in list(vars(client).items()):
        if name.startswith("BDNS_API") and isinstance(value, str):
            setattr(client, name, value.replace({OFFICIAL!r}, base))
            moved += 1
    assert moved > 10 and not any({OFFICIAL!r} in str(value) for value in vars(client).values())
    client.BDNSClient._rate_limiter = RateLimiter(rate=1e9)
    start = client.BDNSClient.__init__
    names = [p.name for p in inspect.signature(start).parameters.values() if p.default is not p.empty]
    start.__defaults__ = tuple(
        1 if name == "max_workers" else value for name, value in zip(names, start.__defaults__, strict=True)
    )
    assert inspect.signature(start).parameters["max_workers"].default == 1
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(70)
"""


def install(*, refresh: bool) -> dict[str, str]:
    """Make its environment, or bring it to the latest release; the versions that count."""
    python = HOME / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(HOME / "venv", with_pip=True, clear=True)
        refresh = True
    if refresh:
        done = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", *REQUIREMENTS],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BenchError(f"the peer could not be installed: {done.stderr.strip()[-500:]}")
    (HOME / "site").mkdir(exist_ok=True)
    (HOME / "site" / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
    words = "from importlib.metadata import version as v; print(*(f'{n}={v(n)}' for n in %r))"
    names = ("bdns-sync", "bdns-fetch", "psycopg2-binary")
    done = subprocess.run([python, "-c", words % (names,)], capture_output=True, text=True, check=True)
    return dict(pair.split("=") for pair in done.stdout.split())


def command(first: dt.date, last: dt.date) -> list[str]:
    """The whole command; both days are included."""
    program = str(HOME / "venv" / "bin" / "bdns-sync")
    return [program, "sync", "concesiones_busqueda", "--since", first.isoformat(), "--until", last.isoformat()]


def command_environment(database: DatabaseUrl, base_url: str) -> dict[str, str]:
    """Its settings. A proxy that does not exist keeps it away from the official service in any case."""
    return environment(
        BDNS_SYNC_TARGET_URL=database.dagster,
        BENCH_BASE_URL=base_url,
        PYTHONPATH=str(HOME / "site"),
        HTTPS_PROXY="http://127.0.0.1:9",
        NO_PROXY="127.0.0.1",
    )


def queries(first: dt.date, last: dt.date) -> list[Query]:
    """What it asks for, chunk by chunk, without the page number."""
    found: list[Query] = []
    day = first
    while day <= last:
        end = min(day + dt.timedelta(days=CHUNK_DAYS), last + dt.timedelta(days=1))
        dates = {"fechaRegInicio": f"{day:%d/%m/%Y}", "fechaRegFin": f"{end:%d/%m/%Y}"}
        found.append(("/concesiones/busqueda", {"pageSize": str(PAGE_SIZE), "vpd": "GE", **dates}))
        day = end
    return found


def rows_statement() -> str:
    """Counts of current and of closed rows."""
    counts = ", ".join(f"count(*) filter (where {test})" for test in ("_is_current", "not _is_current"))
    return f"select {counts} from concesiones_busqueda"
