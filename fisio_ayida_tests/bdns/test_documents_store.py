"""The store by itself: digests for names, the same bytes once, nothing half-written to be seen."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import uuid
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fisio_ayida.bdns.documents.errors import MissingObject, StoreError
from fisio_ayida.bdns.documents.store import PARTIAL, DocumentStore, path_of

HALF_WRITER = """
import sys, time
from fisio_ayida.bdns.documents.store import DocumentStore
with DocumentStore(sys.argv[1]).scratch() as scratch:
    scratch.write(b"half" * 10_000)
    scratch.file.flush()
    print("written", flush=True)
    time.sleep(600)
"""


def put(store: DocumentStore, body: bytes) -> bool:
    with store.scratch() as scratch:
        scratch.write(body)
        return store.keep(scratch, sha256(body).hexdigest(), len(body))


def read(store: DocumentStore, body: bytes) -> bytes:
    with store.local(path_of(sha256(body).hexdigest())) as path:
        return path.read_bytes()


def visible(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.parent.name != PARTIAL)


@pytest.fixture(params=["folder", "memory", "url"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> DocumentStore:
    """A store of each kind."""
    addresses = {
        "folder": str(tmp_path), "memory": f"memory://{uuid.uuid4().hex}", "url": f"file://{tmp_path}/deep/er",
    }  # fmt: skip
    return DocumentStore(addresses[request.param])


def test_bytes_are_kept_once_under_their_digest_and_given_back(store: DocumentStore) -> None:
    body = b"una resolucion" * 1000
    digest = sha256(body).hexdigest()
    path = f"{digest[:2]}/{digest[2:4]}/{digest}"
    assert path_of(digest) == path
    assert store.size(path) is None
    assert [put(store, body), put(store, body)] == [True, False]
    assert store.size(path) == len(body)
    assert read(store, body) == body


def test_what_is_not_there_is_said(store: DocumentStore) -> None:
    words = "is not there; has the address changed"
    with pytest.raises(MissingObject, match=words), store.local(path_of("a" * 64)):
        pass


def test_another_try_starts_with_an_empty_file(store: DocumentStore) -> None:
    with store.scratch() as scratch:
        scratch.write(b"cut off")
        scratch.restart()
        scratch.write(b"ok")
        store.keep(scratch, sha256(b"ok").hexdigest(), 2)
    assert read(store, b"ok") == b"ok"


def test_a_scratch_file_that_is_not_kept_is_gone(tmp_path: Path) -> None:
    store = DocumentStore(str(tmp_path))
    with pytest.raises(RuntimeError), store.scratch() as scratch:
        scratch.write(b"half")
        raise RuntimeError
    assert list((tmp_path / PARTIAL).iterdir()) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=12))
def test_the_store_is_the_set_of_the_digests_whatever_the_order(bodies: list[bytes]) -> None:
    store = DocumentStore(f"memory://{uuid.uuid4().hex}")
    new = [put(store, body) for body in bodies]
    assert new == [body not in bodies[:at] for at, body in enumerate(bodies)]
    assert all(read(store, body) == body for body in bodies)


def test_a_process_killed_while_writing_leaves_nothing_to_be_seen_and_nothing_for_ever(tmp_path: Path) -> None:
    killed, living = (
        subprocess.Popen([sys.executable, "-c", HALF_WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(2)
    )
    try:
        for process in (killed, living):
            assert process.stdout is not None
            assert process.stdout.readline() == b"written\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert len(list((tmp_path / PARTIAL).iterdir())) == 2
        assert visible(tmp_path) == []
        # Whoever opens the store next cleans up behind the dead, and leaves the living their own.
        DocumentStore(str(tmp_path))
        assert len(list((tmp_path / PARTIAL).iterdir())) == 1
    finally:
        for process in (killed, living):
            process.kill()
            process.communicate()
    DocumentStore(str(tmp_path))
    assert list((tmp_path / PARTIAL).iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    store = DocumentStore(str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(StoreError) as caught:
            put(store, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == f"DOCUMENTS_URL={tmp_path} cannot be used: OSError: [Errno 27] File too large"
    assert visible(tmp_path) == [] and list((tmp_path / PARTIAL).iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://bucket/documentos", "DOCUMENTS_URL=s3://bucket/documentos needs the package s3fs, which is not"),
        ("gs://bucket", "DOCUMENTS_URL=gs://bucket needs the package gcsfs, which is not installed: pip install"),
        ("nothing://here", "DOCUMENTS_URL=nothing://here cannot be used: ValueError: Protocol not known"),
        ("/proc/documentos", "DOCUMENTS_URL=/proc/documentos cannot be used: "),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_that_says_why(url: str, words: str) -> None:
    with pytest.raises(StoreError) as caught:
        DocumentStore(url)
    assert str(caught.value).startswith(words) and "\n" not in str(caught.value)
