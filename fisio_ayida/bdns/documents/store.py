"""Where bytes are kept: an fsspec address, below it one file for each digest, ``ab/cd/<sha256>``.

A file is visible only when it is whole: written under a temporary name, flushed and moved, or handed over in one
piece where the store is remote. What is in a file is not known here; rows are ``ledger.py``'s.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from fisio_ayida.bdns.documents.errors import MissingObject, StoreError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PARTIAL = ".partial"
# Stores whose put is atomic and that have no folders, and the package that fsspec needs for each.
_OBJECT_STORES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}


def path_of(sha256: str) -> str:
    """Where the bytes with this digest are, below the address."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


class Scratch:
    """A file of this process alone, to write what may be kept; gone when its block ends."""

    def __init__(self, path: Path, file: BinaryIO, url: str) -> None:
        self.path = path
        self.file = file
        self._url = url

    def restart(self) -> None:
        """Forget what was written."""
        with _explained(self._url):
            self.file.seek(0)
            self.file.truncate()

    def write(self, chunk: bytes) -> None:
        """Raises :class:`StoreError`, on a full disk for one."""
        with _explained(self._url):
            self.file.write(chunk)


class DocumentStore:
    """One address. Safe to use from several processes and hosts at once: equal digests have equal bytes."""

    def __init__(self, url: str) -> None:
        """Raises :class:`StoreError` when the address cannot be used."""
        self.url = url
        self._fs, self._root = _open(url)
        protocols = (self._fs.protocol,) if isinstance(self._fs.protocol, str) else tuple(self._fs.protocol)
        self._puts_whole = not _OBJECT_STORES.keys().isdisjoint(protocols)
        self._local = Path(self._root) if "file" in protocols else None
        with _explained(url):
            if self._local is not None:
                (self._local / PARTIAL).mkdir(parents=True, exist_ok=True)
                _sweep(self._local / PARTIAL)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """A new empty file, on the same disk as the store where that is local. Raises :class:`StoreError`."""
        folder = self._local / PARTIAL if self._local is not None else Path(tempfile.gettempdir())
        with _explained(self.url):
            path, file = _claim(folder)
        try:
            yield Scratch(path, file, self.url)
        finally:
            path.unlink(missing_ok=True)
            # Only now: a file that nobody holds belongs to a dead process.
            file.close()

    def keep(self, scratch: Scratch, sha256: str, size: int) -> bool:
        """Keep the scratch file's bytes under their digest; False when they were there already.

        Raises :class:`StoreError` when they cannot be written; nothing of them is visible then.
        """
        path = path_of(sha256)
        with _explained(self.url):
            scratch.file.flush()
            if self.size(path) == size:
                return False
            if self._local is not None:
                _move(scratch, self._local, path)
            elif self._puts_whole:
                self._fs.put_file(str(scratch.path), f"{self._root}/{path}")
            else:
                partial = f"{self._root}/{PARTIAL}/{scratch.path.name}"
                self._fs.put_file(str(scratch.path), partial)
                self._fs.makedirs(f"{self._root}/{path}".rpartition("/")[0], exist_ok=True)
                self._fs.mv(partial, f"{self._root}/{path}")
            return True

    def size(self, path: str) -> int | None:
        """Bytes of what is stored under ``path``; None when nothing is. Raises :class:`StoreError`."""
        with _explained(self.url):
            try:
                return int(self._fs.size(f"{self._root}/{path}") or 0)
            except FileNotFoundError:
                return None

    @contextlib.contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """A file of this machine with the stored bytes, only to be read. Raises :class:`MissingObject`."""
        if self.size(path) is None:
            raise MissingObject(f"DOCUMENTS_URL={self.url}: {path} is not there; has the address changed?")
        if self._local is not None:
            yield self._local / path
            return
        with self.scratch() as copy:
            with _explained(self.url):
                self._fs.get_file(f"{self._root}/{path}", str(copy.path))
            yield copy.path


def _open(url: str) -> tuple[AbstractFileSystem, str]:
    import fsspec  # 0.1 s

    protocol = url.partition("://")[0] if "://" in url else "file"
    try:
        fs, root = fsspec.core.url_to_fs(url)
    except ImportError:
        package = _OBJECT_STORES.get(protocol, f"the fsspec implementation of {protocol}")
        raise StoreError(
            f"DOCUMENTS_URL={url} needs the package {package}, which is not installed: pip install {package}"
        ) from None
    except ValueError as error:
        raise StoreError(f"DOCUMENTS_URL={url} cannot be used: {_line(error)}") from None
    return fs, str(root).rstrip("/")


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    """Whatever a file system says becomes one line that names the setting."""
    try:
        yield
    except Exception as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"DOCUMENTS_URL={url} cannot be used: {_line(error)}") from error


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _claim(folder: Path) -> tuple[Path, BinaryIO]:
    """A new file that this process holds until it closes it, or dies."""
    while True:
        path = folder / f"fisio-ayida-{uuid.uuid4().hex}"
        file = cast(BinaryIO, path.open("x+b"))
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            return path, file
        # Somebody who cleans up was faster than the lock.
        file.close()


def _sweep(folder: Path) -> None:
    """Remove what dead processes have left: files that nobody holds."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)


def _move(scratch: Scratch, root: Path, path: str) -> None:
    """Bytes first, then the name, then the folders that lead to it: a power cut leaves all or nothing."""
    target = root / path
    os.fsync(scratch.file.fileno())
    if not target.parent.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _flush(target.parent.parent)
        _flush(root)
    scratch.path.replace(target)
    _flush(target.parent)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
