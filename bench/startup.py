"""What it costs to begin: Dagster's validation of the definitions, and a run that finds nothing to do.

Measured: wall time (median), CPU and peak memory of ``dagster definitions validate`` and of ``dagster job
execute -j sync_regiones`` against a stand-in whose regions are loaded already; what one of the heavy modules
is imported when the definitions are, beyond what Dagster itself imports; the same for the command line.
Not measured: Dagster's daemon and web server.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import mirror
from bench.harness import ROOT, WORK, Usage, environment, measured, median, parser, publish, table, verdict
from bench.stage import simulator, stage

MOST_SECONDS = {"validate": 6.0, "no-op run": 10.0}
HEAVY = (
    "matplotlib",
    "numpy",
    "httpx",
    "psycopg",
    "psycopg2",
    "sqlalchemy",
    "alembic",
    "msgspec",
    "rich",
    "uvicorn",
)
IMPORTS = {
    "definitions": "fisio_ayida.definitions",
    "command line": "fisio_ayida.cli",
    "Dagster alone": "dagster",
}


def main(arguments: list[str]) -> int:
    options = parser("startup", __doc__)
    options.add_argument("--repeat", type=int, default=3, help="the median counts (default %(default)s)")
    chosen = options.parse_args(arguments)
    if chosen.quick:
        chosen.repeat = 1
    used = measure(chosen)
    imported = {name: imports(module) for name, module in IMPORTS.items()}
    numbers = {"usage": {k: [vars_of(u) for u in v] for k, v in used.items()}, "imports": imported}
    publish("startup", chosen, conclude(chosen, used, imported), numbers)
    return 0


def vars_of(usage: Usage) -> dict[str, float]:
    return {"seconds": usage.seconds, "cpu_seconds": usage.cpu_seconds, "peak_mb": usage.peak_mb}


def measure(chosen: argparse.Namespace) -> dict[str, list[Usage]]:
    """Run each command; the first run of the job loads the regions and is not counted."""
    home = WORK / "dagster"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    dagster = str(Path(sys.executable).parent / "dagster")
    module = ["-m", "fisio_ayida.definitions"]
    commands = {
        "validate": [dagster, "definitions", "validate", *module],
        "no-op run": [dagster, "job", "execute", *module, "-j", "sync_regiones"],
    }
    used: dict[str, list[Usage]] = {name: [] for name in commands}
    with stage() as place, simulator(400) as source:
        database = place.database("bench_startup", migrated=True)
        own = mirror.variables(database, source.base_url, FISIO_AYIDA_HOME=str(WORK / "dagster-home"))
        variables = environment(**own, DAGSTER_HOME=str(home))
        for number in range(chosen.repeat + 1):
            for name, command in commands.items():
                place.settle()
                taken = measured(command, variables, WORK / "logs" / f"startup-{name.replace(' ', '-')}.log")
                print(f"{name:10} {taken.seconds:6.2f} s  {taken.peak_mb:5.0f} MB", flush=True)
                if number:
                    used[name].append(taken)
    return used


_COUNT = """
import sys, time
started = time.perf_counter()
import {module}
seconds = time.perf_counter() - started
import json
heavy = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps({{"seconds": seconds, "modules": len(sys.modules), "heavy": heavy}}))
"""


def imports(module: str) -> dict[str, Any]:
    """Seconds, number of modules, and which of the heavy ones one import brings."""
    code = _COUNT.format(module=module, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment(), cwd=ROOT
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def conclude(
    chosen: argparse.Namespace, used: dict[str, list[Usage]], imported: dict[str, dict[str, Any]]
) -> list[str]:
    """The words of the result."""
    rows = []
    for name, each in used.items():
        seconds, most = median([u.seconds for u in each]), MOST_SECONDS[name]
        cpu, peak = median([u.cpu_seconds for u in each]), max(u.peak_mb for u in each)
        rows.append((name, f"{seconds:.2f}", f"< {most:g} {verdict(seconds < most)}", f"{cpu:.1f}", f"{peak:.0f}"))
    by_dagster = set(imported["Dagster alone"]["heavy"])
    brought = [name for name in imported["definitions"]["heavy"] if name not in by_dagster]
    about = [
        (name, f"{each['seconds']:.2f}", each["modules"], ", ".join(each["heavy"]) or "none")
        for name, each in imported.items()
    ]
    return [
        f"Medians of {chosen.repeat} run(s).",
        "",
        *table(("command", "s", "target", "CPU s", "peak MB"), rows),
        "",
        *table(("import of", "s", "modules", "heavy modules"), about),
        "",
        f"Heavy modules that our definitions bring beyond Dagster's own: {', '.join(brought) or 'none'} "
        f"(target none: {verdict(not brought)}).",
    ]
