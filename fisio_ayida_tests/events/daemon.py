"""A stand-in for the orchestrator that may be killed in all its parts: a loop of ticks, a process for each run.

Run as ``python -m fisio_ayida_tests.events.daemon URL FOLDER [cured]``. What is known of the runs is in files of
the folder, as Dagster has its storage: a run whose process was killed is believed to run until it is buried.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import random
import signal
import sys
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from fisio_ayida.events import canary, dispatch
from fisio_ayida.events.claims import Claim, OpenClaim
from fisio_ayida.events.dispatch import Run, Status
from fisio_ayida.events.outcomes import GiveUp, Skip
from fisio_ayida.events.registry import PROCESS
from fisio_ayida.events.work import Inside, Result, Taken, Worker, drain
from fisio_ayida.warehouse.engine import WarehouseError, connect
from fisio_ayida.warehouse.urls import DatabaseUrl

LOG = logging.getLogger("fisio_ayida_tests.events.daemon")
# Short, so that the events of a killed run come back within the test's patience.
LEASE = dt.timedelta(seconds=1.5)
WORKS_FOR = dt.timedelta(seconds=3)
BETWEEN_TICKS_SECONDS = 0.15
# So that a batch takes long enough to be killed in the middle of it.
SECONDS_AN_EVENT = 0.001
# What a payload's note asks of the handler.
FLAKY, NEVER, UNWANTED = "flaky", "never", "unwanted"


@dataclass(frozen=True, slots=True)
class Kept:
    """A run as its file has it."""

    id: str
    claim: uuid.UUID
    status: Status
    pid: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class FolderRuns:
    """The runs of a folder."""

    folder: Path

    def all(self) -> list[Kept]:
        return [msgspec.json.decode(path.read_bytes(), type=Kept) for path in self.folder.glob("*.json")]

    def keep(self, run: Kept) -> None:
        """Write a run's file, whole or not at all."""
        new = self.folder / f"{run.id}.{os.getpid()}"
        new.write_bytes(msgspec.json.encode(run))
        new.rename(self.folder / f"{run.id}.json")

    def of(self, claims: Collection[OpenClaim]) -> Mapping[uuid.UUID, Run]:
        known = self.all()
        by_id, by_claim = {run.id: run for run in known}, {run.claim: run for run in known}
        found = {claim.id: by_id.get(claim.run_id or "") or by_claim.get(claim.id) for claim in claims}
        return {claim: Run(run.id, self._status(run), run.message) for claim, run in found.items() if run}

    def bury(self, run: Run, why: str) -> None:
        kept = next(each for each in self.all() if each.id == run.id)
        self.keep(Kept(kept.id, kept.claim, Status.DIED, kept.pid, why))

    def _status(self, run: Kept) -> Status:
        """A run that does not begin never will: the daemon was killed before it had made the process."""
        age = time.time() - (self.folder / f"{run.id}.json").stat().st_mtime
        return Status.DIED if run.status is Status.WAITING and age > LEASE.total_seconds() else run.status


def handler(cured: bool) -> Inside:
    """The canary's, with troubles that the event's note asks for; without those that last if it is cured."""

    def handle(conn: psycopg.Connection[Any], event: Taken, now: dt.datetime, run_id: str | None) -> Result:
        result = canary.echo(conn, event, now, run_id)
        time.sleep(SECONDS_AN_EVENT)
        note = event.data.get("note") or ""
        if note.startswith(FLAKY) and event.attempt == 1:
            raise RuntimeError("not this time")
        if note.startswith(NEVER) and not cured:
            raise GiveUp("this can never be done")
        if note.startswith(UNWANTED):
            raise Skip("not wanted")
        return result

    return Inside(handle)


def work(url: DatabaseUrl, runs: FolderRuns, run: Kept, cured: bool) -> None:
    """One run, in a process of its own."""
    run = Kept(run.id, run.claim, Status.RUNNING, os.getpid())
    runs.keep(run)
    worker = Worker(
        connect=lambda: connect(url, autocommit=True, application_name="worker"),
        handlers={canary.NAME: handler(cured)},
        now=utc_now,
        jitter=random.random,
        monotonic=time.monotonic,
        pause=lambda length: time.sleep(length.total_seconds() / 5),
        log=LOG,
        run_id=run.id,
        lease=LEASE,
    )
    try:
        asyncio.run(drain(worker, (PROCESS,), run.claim, most=WORKS_FOR))
        runs.keep(Kept(run.id, run.claim, Status.SUCCEEDED, run.pid))
    except Exception as error:
        LOG.exception("run %s failed", run.id)
        runs.keep(Kept(run.id, run.claim, Status.FAILED, run.pid, repr(error)))


def start(url: DatabaseUrl, runs: FolderRuns, claim: Claim, cured: bool) -> None:
    """Write the run down, then make its process: it outlives this one."""
    run = Kept(str(uuid.uuid4()), claim.id, Status.WAITING)
    runs.keep(run)
    if os.fork():
        return
    try:
        os.setsid()
        work(url, runs, run, cured)
    finally:
        # Without a clean-up: the parent's connection is the parent's.
        os._exit(0)


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def main(database: str, folder: str, cured: bool) -> None:
    """Tick until killed; a tick that fails is tried again, as a sensor's."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    url, runs = DatabaseUrl.parse(database), FolderRuns(Path(folder))
    while True:
        try:
            with connect(url, autocommit=True, application_name="daemon") as conn:
                while True:
                    for claim in dispatch.tick(conn, runs, now=utc_now(), log=LOG, lease=LEASE):
                        start(url, runs, claim, cured)
                    time.sleep(BETWEEN_TICKS_SECONDS)
        except (psycopg.OperationalError, WarehouseError) as error:
            LOG.warning("a tick failed: %s", error)
            time.sleep(BETWEEN_TICKS_SECONDS)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main(sys.argv[1], sys.argv[2], "cured" in sys.argv[3:])
