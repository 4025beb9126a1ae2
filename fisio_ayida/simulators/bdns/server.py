"""Running the simulator: inside this process on a thread, or as a process of its own.

Both listen on a loopback port and are directed with the same control calls.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

from fisio_ayida.simulators.bdns.app import BdnsApp
from fisio_ayida.simulators.bdns.client import SimulatorClient
from fisio_ayida.simulators.bdns.config import SimulatorConfig, SimulatorError
from fisio_ayida.simulators.listening import ServerThread


class BdnsSimulator(SimulatorClient):
    """A simulator on a daemon thread of this process; use it in a `with` block."""

    def __init__(self, config: SimulatorConfig, port: int = 0) -> None:
        self.app = BdnsApp(config)
        self._serving = ServerThread(self.app, port)
        super().__init__(self._serving.url)

    def start(self) -> BdnsSimulator:
        """Start serving and wait until it answers."""
        self._serving.__enter__()
        return self

    def stop(self) -> None:
        """Stop serving, dropping what is in flight."""
        self.close()
        self._serving.__exit__(None, None, None)

    def __enter__(self) -> BdnsSimulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class SimulatorProcess(SimulatorClient):
    """A simulator in a process of its own, so that client and server do not share one interpreter.

    Args:
        arguments: options of `python -m fisio_ayida.simulators.bdns`, without the port.
    """

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        command = [sys.executable, "-m", "fisio_ayida.simulators.bdns", "--port", "0", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            _, message = self._process.communicate(timeout=5)
            raise SimulatorError(f"the simulator process ended: {message.strip()}")
        super().__init__(json.loads(line)["root_url"])

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the process."""
        self.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()

    def __enter__(self) -> SimulatorProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
