"""The disk is full in the middle of a load: a file system of a few megabytes, or a quota on the server's files."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fisio_ayida.bdns.datasets import CONCESIONES
from fisio_ayida.simulators.bdns import BdnsSimulator
from fisio_ayida.warehouse.embedded import attach
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.migrate import migrate
from fisio_ayida_tests.bdns.conftest import WEEK, Lab, assert_true, everything
from fisio_ayida_tests.conftest import TEST_TUNING

PAGES = {"BDNS_PAGE_SIZE": 50}
# More than a segment of the write-ahead log, which must still fit, and less than the load needs.
QUOTA_BYTES = 17 * 1024 * 1024
WORDS = ("No space left on device", "File too large")


@pytest.fixture
def disk(tmp_path: Path, limit: str) -> Iterator[Path | None]:
    """A file system of four megabytes; None where a quota is asked for, or where we may not mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if limit == "quota" or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        yield None
        return
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def private(disk: Path | None, sim: BdnsSimulator, tmp_path: Path) -> Iterator[Lab]:
    """A lab on a PostgreSQL server of its own, which may be filled up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if disk is None:
        # The server inherits it from us; files of ours are small.
        resource.setrlimit(resource.RLIMIT_FSIZE, (QUOTA_BYTES, before[1]))
    try:
        server = attach(tmp_path / "home", tuning=TEST_TUNING)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with server, Warehouse(server.url) as warehouse:
        migrate(server.url)
        opened = Lab(sim, warehouse)
        yield opened
        opened.close()


@pytest.mark.parametrize("limit", ["file system", "quota"])
def test_a_full_disk_leaves_the_tables_as_they_were(
    private: Lab, disk: Path | None, tmp_path: Path, limit: str
) -> None:
    lab = private
    lab.week("concesiones")
    # Compressed, a text of one letter needs no room.
    lab.connection.execute("alter table bdns.concesiones alter convocatoria set storage external")
    if disk is not None:
        (pid_file,) = (tmp_path / "home").rglob("postmaster.pid")
        os.chown(disk, pid_file.stat().st_uid, -1)
        lab.connection.execute(f"create tablespace tiny location '{disk}'")
        lab.connection.execute("alter table bdns.concesiones set tablespace tiny")
    before = everything(lab, CONCESIONES)
    lab.sim.step(changed=0.9, added=0.9, datasets=["concesiones"])
    lab.sim.fault("huge_string", "concesiones/busqueda", field="convocatoria", all=True, bytes=160_000)

    error = lab.fails("concesiones", *WEEK, **PAGES)

    assert any(words in str(error) for words in WORDS) and "\n" not in str(error)
    assert everything(lab, CONCESIONES) == before
    assert lab.rows("select distinct status from ops.loads order by 1") == [("failed",), ("ok",)]
    lab.sim.clear_faults()
    lab.connection.execute("alter table bdns.concesiones set tablespace pg_default")
    lab.week("concesiones", LOCK_WAIT_SECONDS=0)
    assert_true(lab, "concesiones", *WEEK)
