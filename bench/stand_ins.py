"""A provider's stand-in as a process of its own, on a core of its own if wanted.

Here: starting it and learning its address. Not here: what it answers (``fisio_ayida/simulators``).
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

from bench.events import program, started
from bench.harness import WORK, BenchError, environment

READY_SECONDS = 60.0


@contextlib.contextmanager
def stand_in(name: str, *options: str, core: int | None = None) -> Iterator[str]:
    """The address of a running ``fisio-ayida simulate`` of this name, without a path."""
    ready, log = WORK / f"{name}.json", WORK / "logs" / f"{name}.log"
    ready.parent.mkdir(parents=True, exist_ok=True)
    ready.unlink(missing_ok=True)
    command = [program("fisio-ayida"), "simulate", name, "--port", "0", "--ready-file", str(ready), *options]
    with started(command, environment(), log, core=core) as process:
        limit = time.monotonic() + READY_SECONDS
        while not ready.exists() or not ready.read_text().strip():
            if process.poll() is not None or time.monotonic() > limit:
                raise BenchError(f"the stand-in of {name} does not start: {log.read_text()[-500:]}")
            time.sleep(0.05)
        yield str(json.loads(ready.read_text())["root_url"])
