"""The command: it starts, says so, ends when told to and finishes what it has begun."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.gateway.running import ENVIRONMENT, KEY, until
from fisio_ayida_tests.gateway.test_database_trouble import note

WAITS = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


class Command:
    """`fisio-ayida gateway` in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.process = process
        self.log = log
        self.url = f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            assert self.process.poll() is None, self.log.read_text()
            return False


@contextmanager
def command(folder: Path, **environment: str) -> Iterator[Command]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = str(Path(sys.executable).with_name("fisio-ayida"))
    variables = {
        "PATH": os.environ["PATH"],
        "FISIO_AYIDA_HOME": str(folder / "home"),
        **ENVIRONMENT,
        **environment,
    }
    with (folder / "log").open("wb") as log:
        # Whoever runs the tests in the background has told this process to ignore Ctrl-C.
        process = subprocess.Popen(
            [program, "gateway", "--port", str(port)], env=variables, stdout=log, stderr=log,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        try:
            started = Command(process, folder / "log", port)
            until(started.answers, "the gateway answers", within=60)
            yield started
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_it_has_begun_and_ends(
    warehouse: Warehouse, tmp_path: Path, signum: signal.Signals
) -> None:
    with (
        command(tmp_path, DATABASE_URL=warehouse.url.psycopg) as gateway,
        warehouse.connect() as other,
        warehouse.connect(autocommit=True) as looking,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("lock table events.inbox in share mode")
        answer = pool.submit(httpx.post, f"{gateway.url}/e/{KEY}", json=note("late"), timeout=30, trust_env=False)
        until(lambda: looking.execute(WAITS).fetchall(), "the request is being written")
        gateway.process.send_signal(signum)
        until(lambda: not listens(gateway), "nobody is let in any more")
        assert gateway.process.poll() is None
        other.rollback()
        assert answer.result(30).json() == {"ids": ["late"], "status": 200}
        code = gateway.process.wait(30)
        assert looking.execute("select id from events.inbox").fetchall() == [("late",)]
        lines = [json.loads(line) for line in gateway.log.read_text().splitlines()]
    # Ctrl-C is the terminal's way to end a program, and its code says so.
    assert code == (0 if signum == signal.SIGTERM else 130)
    assert [line["status"] for line in lines if line.get("route", "").startswith("/e/")] == [200]


def listens(gateway: Command) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(gateway.url.rsplit(":", 1)[1])), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_given_database_that_is_away_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    with command(tmp_path, DATABASE_URL="postgresql://nobody:hidden@127.0.0.1:9/none") as gateway:
        ready = httpx.get(f"{gateway.url}/readyz", trust_env=False, timeout=30)
        sent = httpx.post(f"{gateway.url}/e/{KEY}", json=note("a"), trust_env=False, timeout=30)
        text = gateway.log.read_text()
    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    assert (sent.status_code, sent.json()["ids"]) == (503, [])
    assert "hidden" not in text and KEY not in text


def test_it_raises_its_limit_of_sockets(warehouse: Warehouse, tmp_path: Path) -> None:
    with command(tmp_path, DATABASE_URL=warehouse.url.psycopg) as gateway:
        limits = Path(f"/proc/{gateway.process.pid}/limits").read_text()
    (line,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
    soft, hard = line.split()[3:5]
    assert soft == hard
