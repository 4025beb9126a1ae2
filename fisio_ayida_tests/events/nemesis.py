"""A whole house of processes on a server of its own, and the one who kills them at random.

Here: gateway, daemon, runs and PostgreSQL, started, killed and started again. Not here: what must be true
afterwards (``checker.py``).
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from fisio_ayida.events.dispatch import Status
from fisio_ayida.warehouse.embedded import EmbeddedServer, attach
from fisio_ayida.warehouse.embedded_files import Layout, Postmaster
from fisio_ayida.warehouse.engine import WarehouseError, connect
from fisio_ayida.warehouse.migrate import migrate
from fisio_ayida_tests.conftest import TEST_TUNING
from fisio_ayida_tests.events.daemon import FolderRuns

KEY = "key-of-the-test"
DAEMON = "fisio_ayida_tests.events.daemon"
READY_SECONDS = 60.0
# On a slow machine every restart is slow too: the test must end.
MOST_DEEDS = 35


class House:
    """All processes; a context manager that leaves none behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._home = folder / "home"
        self._server = attach(self._home, tuning=TEST_TUNING)
        migrate(self._server.url)
        self.url = self._server.url
        self.runs = FolderRuns(folder / "runs")
        self.runs.folder.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start_gateway(self) -> None:
        """The real one, always on the same port."""
        program = str(Path(sys.executable).with_name("fisio-ayida"))
        self._start("gateway", program, "gateway", "--host", "127.0.0.1", "--port", str(self.port))

    def start_daemon(self, *options: str) -> None:
        """The loop of ticks."""
        command = (sys.executable, "-m", DAEMON, self.url.psycopg, str(self.runs.folder), *options)
        self._start("daemon", *command)

    def _start(self, name: str, *command: str) -> None:
        variables = {
            "PATH": os.environ["PATH"], "DATABASE_URL": self.url.psycopg, "INNGEST_EVENT_KEY": KEY,
            "FISIO_AYIDA_HOME": str(self._home), "LOG_LEVEL": "WARNING",
        }  # fmt: skip
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(command, env=variables, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """Without a warning."""
        process = self._processes[name]
        process.kill()
        process.wait()

    def wait_for_gateway(self) -> None:
        """Until it takes connections."""
        limit = time.monotonic() + READY_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert time.monotonic() < limit, "the gateway does not start"
            assert self._processes["gateway"].poll() is None, "the gateway has ended by itself"
            time.sleep(0.02)

    def working(self) -> list[int]:
        """The processes of runs that are at work, and really are ours."""
        pids = [run.pid for run in self.runs.all() if run.status is Status.RUNNING]
        return [pid for pid in pids if DAEMON.encode() in _command_line(pid)]

    def end_connections(self) -> int:
        """All but those that ask; gives how many."""
        return self.number(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where datname = current_database() and application_name <> 'nemesis'"
        )

    def number(self, query: str) -> int:
        """The number that the database answers, as soon as it does."""
        while True:
            with suppress(psycopg.OperationalError), self.connect() as conn:
                return int(next(iter(conn.execute(query)))[0])

    def crash_server(self) -> None:
        """PostgreSQL ends without a farewell and comes back."""
        layout = Layout(self._home)
        postmaster = Postmaster.read(layout.data)
        assert postmaster is not None
        os.kill(postmaster.pid, signal.SIGQUIT)
        limit = time.monotonic() + READY_SECONDS
        while postmaster.is_alive(layout.data):
            assert time.monotonic() < limit
            time.sleep(0.01)
        old: EmbeddedServer = self._server
        self._server = attach(self._home, tuning=TEST_TUNING)
        old.close()

    def connect(self) -> psycopg.Connection[Any]:
        """For questions; waits for a server that comes back."""
        limit = time.monotonic() + READY_SECONDS
        while True:
            try:
                return connect(self.url, autocommit=True, application_name="nemesis")
            except WarehouseError:
                assert time.monotonic() < limit
                time.sleep(0.05)

    def logs(self) -> str:
        """The last words of the processes."""
        return "\n".join(f"{p.name}:\n{p.read_text()[-2000:]}" for p in sorted(self._folder.glob("*.log")))

    def __enter__(self) -> House:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._processes:
            self.kill(name)
        for pid in self.working():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.close()


class Nemesis:
    """Kills one thing after another, in a thread of its own, until it is told that it is enough."""

    def __init__(self, house: House, draw: random.Random, *, crash_after: int) -> None:
        self._house, self._draw = house, draw
        self._enough = threading.Event()
        self._crash_after = crash_after
        self._thread = threading.Thread(target=self._rage)
        self.deeds: Counter[str] = Counter()
        self.error: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What was killed last is running again when this returns."""
        self._enough.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _rage(self) -> None:
        deeds: dict[str, Callable[[], bool]] = {
            "gateway": self._gateway, "daemon": self._daemon, "run": self._run, "connections": self._connections,
        }  # fmt: skip
        # Each kind once, then by chance.
        first = self._draw.sample(list(deeds), len(deeds))
        try:
            while self.deeds.total() < MOST_DEEDS and not self._enough.wait(self._draw.uniform(0.1, 0.7)):
                if self.deeds.total() == self._crash_after and not self.deeds["server"]:
                    self._house.crash_server()
                    self.deeds["server"] += 1
                    continue
                name = first.pop() if first else self._draw.choices(list(deeds), (2, 2, 4, 2))[0]
                self.deeds[name] += deeds[name]()
        except BaseException as error:
            self.error = error

    def _gateway(self) -> bool:
        self._house.kill("gateway")
        self._house.start_gateway()
        self._house.wait_for_gateway()
        return True

    def _daemon(self) -> bool:
        self._house.kill("daemon")
        self._house.start_daemon()
        return True

    def _run(self) -> bool:
        limit = time.monotonic() + 5
        while not (pids := self._house.working()):
            if time.monotonic() > limit or self._enough.is_set():
                return False
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.kill(self._draw.choice(pids), signal.SIGKILL)
        return True

    def _connections(self) -> bool:
        return self._house.end_connections() > 0


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
