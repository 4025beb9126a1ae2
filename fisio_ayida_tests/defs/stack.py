"""A real Dagster of two processes, code server and daemon, whose parts tests kill.

Here: starting, killing, and what the instance knows. Not here: expectations.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import dagster as dg

T = TypeVar("T")

READY_SECONDS = 90.0
_PID = re.compile(r"Started process for run \(pid: (\d+)\)")


class Stack:
    """Both processes; a context manager that leaves none behind.

    Args:
        home: DAGSTER_HOME, with its dagster.yaml.
        variables: the environment of both.
    """

    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self._home, self._variables = home, dict(variables)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = f"{{host: 127.0.0.1, port: {port}, location_name: fisio_ayida}}"
        (home / "workspace.yaml").write_text(f"load_from: [grpc_server: {server}]\n")
        self._port = port
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start_daemon(self) -> None:
        """The daemon, on the same instance."""
        self._start("daemon", "dagster-daemon", "run", "-w", str(self._home / "workspace.yaml"))

    def kill_daemon(self) -> None:
        """Without a warning."""
        self._processes["daemon"].kill()
        self._processes["daemon"].wait()

    def kill_run(self, run_id: str) -> None:
        """Kill the process of a run, which is a child of the code server."""
        with self.instance() as instance:
            messages = [str(entry.message) for entry in instance.all_logs(run_id)]
        pid = int(next(found[1] for message in messages if (found := _PID.search(message))))
        assert _parent(pid) == self._processes["code"].pid
        os.kill(pid, signal.SIGKILL)

    def instance(self) -> dg.DagsterInstance:
        """The instance, for questions; close it."""
        return dg.DagsterInstance.from_config(str(self._home))

    def run(self, run_id: str) -> dg.DagsterRun:
        """A run as Dagster knows it."""
        with self.instance() as instance:
            found = instance.get_run_by_id(run_id)
        assert found is not None
        return found

    def logs(self) -> str:
        """The last words of the processes."""
        return "\n".join(f"{p.name}:\n{p.read_text()[-3000:]}" for p in sorted(self._home.glob("*.log")))

    def _start(self, name: str, program: str, *arguments: str) -> None:
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        with (self._home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, env=self._variables, stdout=log, stderr=log, start_new_session=True, cwd=self._home
            )

    def __enter__(self) -> Stack:
        # No web server: what it would be asked, the instance answers.
        address = ("-h", "127.0.0.1", "-p", str(self._port))
        self._start("code", "dagster", "api", "grpc", "-m", "fisio_ayida.definitions", *address)
        try:
            until(lambda: _answers(self._port), "the code server does not answer", self.logs)
            self.start_daemon()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill what is left; the code server's runs are of its group."""
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(found: Callable[[], T], otherwise: str, logs: Callable[[], str], seconds: float = READY_SECONDS) -> T:
    """What ``found`` gives, as soon as it is something."""
    limit = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < limit, f"{otherwise}\n{logs()}"
        time.sleep(0.05)
    return value


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
