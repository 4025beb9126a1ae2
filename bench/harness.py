"""What all benchmarks share: running a command under measure, tables, the machine, keeping results.

Here: wall time, CPU and peak memory of one process as the kernel counts them. Not here: what is run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".bench"
RESULTS = ROOT / "bench" / "RESULTS.md"
PACKAGES = ("dagster", "httpx", "msgspec", "numpy", "psycopg", "sqlalchemy", "xxhash")


class BenchError(RuntimeError):
    """A measurement that could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one finished process took. CPU is user and system together; memory is the peak resident set."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    made = argparse.ArgumentParser(prog=f"python -m bench {name}", description=description)
    made.add_argument("--quick", action="store_true", help="a smoke run of seconds; its numbers mean little")
    made.add_argument("--no-record", action="store_true", help="do not append to bench/RESULTS.md")
    return made


def measured(
    command: Sequence[str | Path], environment: Mapping[str, str], log: Path, *, expect: int | None = 0
) -> Usage:
    """Run a command to its end, its output to ``log``; with its children's CPU, and the largest one's memory.

    Raises:
        BenchError: it ended with another code than ``expect``; the message quotes the end of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    result = log.with_suffix(".json")
    result.unlink(missing_ok=True)
    launcher = [sys.executable, "-I", "-S", str(ROOT / "bench" / "launch.py"), str(result), str(log)]
    subprocess.run(
        [*launcher, *map(str, command)], stdin=subprocess.DEVNULL, env=dict(environment), cwd=ROOT, check=True
    )
    found = json.loads(result.read_text())
    if expect is not None and found["code"] != expect:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise BenchError(f"{shlex.join(map(str, command))}\nended with {found['code']}:\n{tail}")
    return Usage(found["seconds"], found["cpu_seconds"], found["peak_mb"])


def environment(**variables: str) -> dict[str, str]:
    """A clean environment: nothing of the caller's settings, no proxies."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", **variables}


def median(values: Sequence[float]) -> float:
    return float(statistics.median(values))


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines of a table that reads well as text and as Markdown; numbers stand to the right."""
    cells = [[str(each) for each in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    padded = [
        [
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in cells
    ]
    head, *body = [f"| {' | '.join(row)} |" for row in padded]
    rule = "|" + "|".join("-" * (w + 1) + ("-" if i == 0 else ":") for i, w in enumerate(widths)) + "|"
    return [head, rule, *body]


def verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def commit() -> str:
    """The short commit, with a plus when the package differs from it."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "--", "fisio_ayida", "bench/*.py") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def machine() -> dict[str, str]:
    """What of the machine and the software decides the numbers."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.0f} GiB",
        "cpu": model,
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def publish(
    name: str, options: argparse.Namespace, lines: Sequence[str], numbers: Mapping[str, Any], **versions: str
) -> None:
    """Print a result, keep it as JSON below ``.bench/results``, and append it to RESULTS.md."""
    smoke = ["A smoke run: fixed costs weigh too much in these numbers.", ""] if options.quick else []
    print("\n".join(["", f"== {name}", "", *smoke, *lines, ""]), flush=True)
    now = dt.datetime.now(dt.UTC)
    about = {**machine(), **versions}
    command = shlex.join(["python", "-m", "bench", name, *sys.argv[2:]])
    found = {"name": name, "date": now.isoformat(), "commit": commit(), "command": command, "machine": about}
    folder = WORK / "results"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{now:%Y%m%dT%H%M%S}.json"
    path.write_text(json.dumps({**found, "numbers": numbers}, indent=1, default=str) + "\n", encoding="utf-8")
    if options.quick or options.no_record:
        return
    hardware = f"{about['cores']} cores, {about['memory']}, {about['cpu']}, Linux {about['kernel']}"
    software = ", ".join(f"{k} {v}" for k, v in about.items() if k not in ("cores", "memory", "cpu", "kernel"))
    words = [
        f"## {name}, {now:%Y-%m-%d %H:%M} UTC, commit {found['commit']}", "",
        f"`{command}` on {hardware}; {software}.", "", *lines, "",
    ]  # fmt: skip
    before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else _HEADER
    RESULTS.write_text(before.rstrip() + "\n\n" + "\n".join(words), encoding="utf-8")


_HEADER = """\
# Results

Appended by `make bench`; newest last. A plus after a commit: the code differed from it. What each
benchmark measures, and what not, stands at the top of its file.
"""
