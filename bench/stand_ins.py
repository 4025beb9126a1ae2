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

READY_SECONDS = 30.0


@contextlib.contextmanager
def stand_in(name: str, *options: str, core: int | None = None) -> Iterator[str]:
    """The address of a running ``fisio-ayida simulate`` of this name."""
    ready = WORK / f"{name}.ready"
    ready.parent.mkdir(parents=True, exist_ok=True)
    ready.unlink(missing_ok=True)
    command = [program("fisio-ayida"), "simulate", name, "--port", "0", *options, "--ready-file", str(ready)]
    with started(command, environment(), WORK / "logs" / f"{name}.log", core=core) as process:
        until = time.monotonic() + READY_SECONDS
        while not ready.exists() or not ready.read_text().strip():
            if process.poll() is not None or time.monotonic() > until:
                raise BenchError(f"the stand-in of {name} does not start")
            time.sleep(0.05)
        yield str(next(iter(json.loads(ready.read_text()).values())))
