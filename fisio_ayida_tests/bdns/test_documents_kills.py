"""Runs of documents killed without warning: nothing half-written, progress kept, the rerun completes."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from fisio_ayida_tests.bdns.conftest import MONDAY, Lab
from fisio_ayida_tests.bdns.papers import Papers
from fisio_ayida_tests.bdns.test_history import assert_one_line_of_time
from fisio_ayida_tests.bdns.test_kills import Killer

KILLS = 6


@pytest.fixture
def papers(lab: Lab, tmp_path: Path) -> Papers:
    """An empty store and the calls of one day."""
    return Papers(lab, tmp_path / "documents").announced()


def test_runs_killed_at_random_moments_keep_their_progress_and_leave_nothing_half_written(papers: Papers) -> None:
    lab, draw = papers.lab, random.Random(20261005)
    order = f"documentos {papers.folder} -"
    killer = Killer(lab)
    try:
        begun = time.monotonic()
        assert killer.send(order) == 0
        length = time.monotonic() - begun
        killed = 0
        while killed < KILLS:
            lab.sim.step(changed=0.6, datasets=["convocatorias"])
            lab.sync("convocatorias", MONDAY, LOCK_WAIT_SECONDS=5)
            ended = killer.send(order, after=draw.uniform(0.05, 0.9) * length)
            assert ended in (0, -signal.SIGKILL)
            killed += ended == -signal.SIGKILL
            # What the table says is stored is there, whatever the moment.
            stored = lab.rows("select path, size_bytes from bdns.documentos where sha256 is not null")
            files = papers.files()
            assert all(len(files[path]) == size for path, size in stored)
    finally:
        killer.close()
    assert lab.count("bdns.documentos_history") > 0, "some were done before the kill"

    lab.moment = max(lab.moment, lab.value("select max(attempted_at) from bdns.documentos"))
    papers.run()
    assert papers.states() == {"stored": len(papers.listed())}
    papers.assert_sound()
    assert_one_line_of_time(lab, "bdns.documentos", ("origen", "id"))
    unread = "sha256 not in (select sha256 from bdns.documentos_texto)"
    assert lab.count("bdns.documentos", unread) == 0
