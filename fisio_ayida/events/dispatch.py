"""One tick: what came is judged, what runs is looked after, what is due is claimed and asked for.

It may be killed at any moment: a claim whose run was never asked for goes back when its first lease is over. Not
here: Dagster, which is behind :class:`Runs`; handling (``work.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import psycopg

from fisio_ayida.events import claims
from fisio_ayida.events.claims import Claim, OpenClaim
from fisio_ayida.events.inbox import admit
from fisio_ayida.events.registry import EVENTS, Launch, jobs_of_batches, names_with_work
from fisio_ayida.telemetry import Log

Connection = psycopg.Connection[Any]

BEAT = "events_inbox"
#: Runs of one kind that may be open at once: a burst becomes few large runs, and one waits while another works.
MOST_OPEN = 2
#: How long events wait whose run failed before it could take them.
NOT_STARTED_PAUSE = dt.timedelta(minutes=1)
# Events through SQL that one tick looks at.
_ADMIT, _ADMIT_ROUNDS = 500, 20

BEATING = """
insert into events.beats (name, at) values (%s, %s)
on conflict (name) do update set at = excluded.at
"""
IS_DUE = """
select exists (select 1 from events.inbox where admitted is null)
    or exists (
      select 1 from unnest(%(names)s::text[]) as n(name) where exists (
        select 1 from events.inbox i
        where i.name = n.name and i.state in ('received', 'retry') and i.admitted and i.due_at <= %(now)s))
"""


class Status(Enum):
    """What became of a run, as far as events care."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DIED = "died"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a claim; ``message`` says why it failed."""

    id: str
    status: Status
    message: str = ""


class Runs(Protocol):
    """The orchestrator's runs."""

    def of(self, claims: Collection[OpenClaim]) -> Mapping[uuid.UUID, Run]:
        """The run that took each claim, or the newest one that was asked to; nothing where there is none."""
        ...

    def bury(self, run: Run, why: str) -> None:
        """Mark a run as failed whose process is gone."""
        ...


def tick(
    conn: Connection,
    runs: Runs,
    *,
    now: dt.datetime,
    log: Log,
    lease: dt.timedelta = claims.REQUEST_LEASE,
) -> list[Claim]:
    """The claims for which a run is to be started now.

    Args:
        conn: in autocommit; each step commits by itself.
        lease: how long to wait for a run that was asked for to be there.
    """
    conn.execute(BEATING, [BEAT, now])
    for _ in range(_ADMIT_ROUNDS):
        if admit(conn, now=now, limit=_ADMIT) < _ADMIT:
            break
    look_after(conn, runs, now=now, log=log, lease=lease)
    return [*_batches(conn, now, lease), *_launches(conn, now, lease)]


def look_after(
    conn: Connection,
    runs: Runs,
    *,
    now: dt.datetime,
    log: Log,
    lease: dt.timedelta = claims.REQUEST_LEASE,
) -> None:
    """Keep the leases of runs that wait, end the claims of runs that have ended, bury runs that say nothing."""
    open_now = claims.open_claims(conn)
    known = runs.of(open_now) if open_now else {}
    for claim in open_now:
        run = known.get(claim.id)
        if run is None:
            if claim.expired:
                _lose(conn, claim, claim.run_id or "none", now, log)
        elif run.status is Status.WAITING:
            claims.extend(conn, [claim.id], lease)
        elif run.status is Status.RUNNING:
            if claim.kind == "launch" and claim.started_at is None:
                claims.start(conn, claim.id, run.id, claims.LAUNCH_LEASE, now)
            elif claim.expired:
                runs.bury(run, "its process gave no sign of life")
                _lose(conn, claim, run.id, now, log)
        elif claim.kind == "launch":
            _end_launch(conn, claim, run, now, log)
        else:
            _end_batch(conn, claim, run, now, log)


def is_due(conn: Connection, now: dt.datetime) -> bool:
    """Whether a tick would find something to judge or to claim."""
    row = conn.execute(IS_DUE, {"names": names_with_work(), "now": now}).fetchone()
    return bool(row and row[0])


def wait(
    conn: Connection,
    now: Callable[[], dt.datetime],
    pause: Callable[[float], None],
    *,
    rounds: int,
    seconds: float,
) -> bool:
    """Look for due events up to ``rounds`` times, ``seconds`` apart; True as soon as there is one."""
    for _ in range(rounds):
        if is_due(conn, now()):
            return True
        pause(seconds)
    return False


def _batches(conn: Connection, now: dt.datetime, lease: dt.timedelta) -> list[Claim]:
    open_now = claims.open_claims(conn)
    found = []
    for work, events in jobs_of_batches().items():
        mine = [claim for claim in open_now if claim.kind == "batch" and claim.job == work.job]
        # A run that has not begun will take more when it does.
        if len(mine) >= MOST_OPEN or any(claim.started_at is None for claim in mine):
            continue
        if claim := claims.claim_batch(conn, work, events, now=now, lease=lease):
            found.append(claim)
    return found


def _launches(conn: Connection, now: dt.datetime, lease: dt.timedelta) -> list[Claim]:
    rows = sorted((row for row in EVENTS.values() if isinstance(row.work, Launch)), key=lambda r: -r.priority)
    return [claim for row in rows for claim in claims.claim_launches(conn, row, now=now, lease=lease)]


def _end_batch(
    conn: Connection,
    claim: OpenClaim,
    run: Run,
    now: dt.datetime,
    log: Log,
) -> None:
    """A run that has ended holds nothing, unless it died or never got as far as its claim."""
    failed = run.status in (Status.FAILED, Status.DIED)
    if not failed or claim.started_at is not None:
        _lose(conn, claim, run.id, now, log, lost=failed)
        return
    # A release that does not start, a wrong setting: asking again at once would fail again at once.
    why = f"the run {run.id} failed before it began: {run.message or 'its process died'}"
    claims.release(conn, claim.id, now=now, why=why, lost=False, postpone=NOT_STARTED_PAUSE)
    log.error("%s; its events wait for %s", why, NOT_STARTED_PAUSE)


def _end_launch(
    conn: Connection,
    claim: OpenClaim,
    run: Run,
    now: dt.datetime,
    log: Log,
) -> None:
    if run.status is Status.SUCCEEDED:
        claims.end_launch(conn, claim.id, "done", None, run_id=run.id, now=now)
    elif run.status is Status.DIED:
        _lose(conn, claim, run.id, now, log)
    else:
        why = "the run was cancelled" if run.status is Status.CANCELLED else run.message or "the run failed"
        claims.end_launch(conn, claim.id, "dead", why, run_id=run.id, now=now)


def _lose(
    conn: Connection,
    claim: OpenClaim,
    run_id: str,
    now: dt.datetime,
    log: Log,
    *,
    lost: bool = True,
) -> None:
    why = f"the run {run_id} that handled it ended without a word"
    back = claims.release(conn, claim.id, now=now, why=why, lost=lost and claim.started_at is not None)
    if back:
        log.warning("claim %s (%s): %s events given back", claim.id, claim.job, back)
