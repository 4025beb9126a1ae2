"""What the benchmarks of events share: a gateway process, requests to it, canaries that wait in the inbox.

Here: a small HTTP client over asyncio's streams, so that the load costs less than what it measures. Not here:
measuring.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg

from bench.harness import ROOT, WORK, BenchError, environment
from fisio_ayida.events import canary
from fisio_ayida.warehouse.urls import DatabaseUrl

KEY = "key-of-the-benchmark"
READY_SECONDS = 60.0


def program(name: str) -> str:
    """One of the commands of this environment."""
    return str(Path(sys.executable).parent / name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def variables(database: DatabaseUrl, **more: str) -> dict[str, str]:
    """A clean environment with the database, the event key and a home without anything in it."""
    own = {
        "DATABASE_URL": database.psycopg,
        "INNGEST_EVENT_KEY": KEY,
        "FISIO_AYIDA_HOME": str(WORK / "no-dagster"),
    }
    return environment(**own, **more)


@contextlib.contextmanager
def started(
    command: Sequence[str], variables: Mapping[str, str], log: Path, *, core: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, on one core if wanted, that is asked to end afterwards and made to after a while."""
    log.parent.mkdir(parents=True, exist_ok=True)
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*pinned, *command],
            env=dict(variables),
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for end, seconds in ((signal.SIGINT, 20.0), (signal.SIGKILL, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, end)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                break


@contextlib.contextmanager
def gateway(database: DatabaseUrl, log: Path, *, core: int | None = None) -> Iterator[tuple[int, int]]:
    """The real gateway; its port and its process id."""
    port = free_port()
    command = [program("fisio-ayida"), "gateway", "--host", "127.0.0.1", "--port", str(port)]
    with started(command, variables(database), log, core=core) as process:
        limit = time.monotonic() + READY_SECONDS
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > limit:
                raise BenchError(f"the gateway does not start: {log.read_text()[-500:]}")
            time.sleep(0.05)
        yield port, process.pid


class Sender:
    """One connection to the gateway that is kept open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> Sender:
        self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def post(self, body: bytes) -> None:
        """Send as an SDK does, with a seed of its own; raises BenchError for any answer but 200."""
        assert self._streams is not None
        reader, writer = self._streams
        seed = f"{time.time_ns() // 1_000_000},{base64.b64encode(os.urandom(10)).decode()}"
        writer.write(
            f"POST /e/{KEY} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\ncontent-type: application/json\r\n"
            f"x-inngest-event-id-seed: {seed}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        answer = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise BenchError(f"{head.splitlines()[0]!r}: {answer[:300]!r}")

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


def body(count: int, number: int) -> bytes:
    """A request of so many canaries of one of fifty clinics; a single one is no array."""
    event = {"name": canary.NAME, "data": {"organizationId": f"clinic-{number % 50}", "note": "x" * 100}}
    return json.dumps([event] * count if count > 1 else event).encode()


def fill(conn: psycopg.Connection, count: int) -> None:
    """So many waiting canaries, as the gateway stores them."""
    conn.execute("truncate events.inbox, events.transitions, events.claims, events.echoes, events.conflicts")
    conn.execute(
        """
        insert into events.inbox (id, name, received_name, source, data, organization_id, admitted, state, due_at,
          received_at, changed_at)
        select 'bench-' || n, %(name)s, %(name)s, 'http',
          jsonb_build_object('organizationId', 'clinic-' || n %% 50, 'note', repeat('x', 100)),
          'clinic-' || n %% 50, true, 'received', now(), now(), now()
        from generate_series(1, %(count)s) as n
        """,
        {"name": canary.NAME, "count": count},
    )
    conn.execute("vacuum (analyze) events.inbox")


def number(conn: psycopg.Connection, query: str, *values: object) -> float:
    """The one number that the database answers."""
    row = conn.execute(query, values or None).fetchone()
    if row is None or row[0] is None:
        raise BenchError(f"no answer: {query}")
    return float(row[0])
