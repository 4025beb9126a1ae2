"""Running the simulator: inside this process on a thread, or as a process of its own.

Both listen on a loopback port and are directed with the same control calls.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final

import uvicorn

from fisio_ayida.simulators.bdns.app import BdnsApp
from fisio_ayida.simulators.bdns.client import SimulatorClient
from fisio_ayida.simulators.bdns.config import SimulatorConfig, SimulatorError

START_SECONDS: Final = 20.0


def make_server(app: BdnsApp, host: str) -> uvicorn.Server:
    """A quiet uvicorn server for the application."""
    config = uvicorn.Config(
        app,
        host=host,
        log_config=None,
        log_level="critical",  # a cut answer is made by an error that nobody needs to read about
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=0,
    )
    return uvicorn.Server(config)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    # With its protocol named, or asyncio would not switch off Nagle's delay: 40 ms for every chunked answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SimulatorError(f"port {port} on {host} cannot be used: {error.strerror}") from None
    listener.listen(128)
    return listener


class BdnsSimulator(SimulatorClient):
    """A simulator on a daemon thread of this process; use it in a `with` block."""

    def __init__(self, config: SimulatorConfig, port: int = 0) -> None:
        self.app = BdnsApp(config)
        self._listener = bind("127.0.0.1", port)
        self._server = make_server(self.app, "127.0.0.1")
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True, name="bdns-simulator"
        )
        super().__init__(f"http://127.0.0.1:{self._listener.getsockname()[1]}")

    def start(self) -> BdnsSimulator:
        """Start serving and wait until it answers."""
        self._thread.start()
        limit = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > limit or not self._thread.is_alive():
                raise SimulatorError("the simulator did not start")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        """Stop serving, dropping what is in flight."""
        self.close()
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=2.0)
        self._listener.close()

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
