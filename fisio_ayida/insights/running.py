"""One run of ``patient_insights``: collect, make and publish facts of whoever is due, then have words written.

Here: the order of these, in groups, so that memory does not grow with the work and no facts wait for a model. Not
here: what is done with a group (``working.py``), and with an answer (``narrating.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Final

import psycopg

from fisio_ayida.clinic import planning
from fisio_ayida.clinic.model import BadOrder, Desk, Order, Outcome
from fisio_ayida.insights import claiming, reading
from fisio_ayida.insights.claiming import Claimed, Scope
from fisio_ayida.insights.collecting import JOB, ask_for_days, collect
from fisio_ayida.insights.making import withheld
from fisio_ayida.insights.model import Limits, Writer
from fisio_ayida.insights.narrating import Narrator
from fisio_ayida.insights.wishes import Wish, put
from fisio_ayida.insights.working import Work

#: Patients whose records are in memory at once.
GROUP: Final = 200
#: The same while a model is asked; after each such group, facts of who became due meanwhile come first.
WORDS: Final = 50

_USED: Final = """
select count(*) as calls, coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint as tokens,
       (coalesce(sum(cost), 0) * 1000000)::bigint as cost_micro
from insights.calls where run_id = %s
"""


async def run(
    desk: Desk, order: Order, writer: Writer | None, *, limits: Limits, in_flight: int,
    patients: Sequence[str] = (), days: Sequence[dt.date] = (),
) -> Outcome:  # fmt: skip
    """Make the insights of whoever is due.

    Args:
        writer: None: no model is configured, and facts are all.
        in_flight: narratives that are written at once.
        patients: of the order's organisation: these alone, at once.
        days: civil days in São Paulo: those alone who had a session finalized on them and have no insight of it.

    Raises:
        ClinicError: the relations are not as agreed, or hidden: nothing was done.
        BadOrder: the organisation does not exist, or patients are given without theirs.
    """
    if patients and order.organization is None:
        raise BadOrder(f"{len(patients)} patients are given without their organization")
    outcome, clinics = planning.begin(JOB, desk, order)
    reading.require(desk.clinic.on(desk.conn))
    outcome.clinics = len(clinics)
    by_id, model = {each.id: each for each in clinics}, writer.model if writer is not None else ""
    work = Work(desk, order, by_id, model, outcome, dict(outcome.failures))
    if order.is_dry:
        _look(work, patients, days)
    else:
        await _do(work, writer, limits, in_flight, patients, days)
    outcome.failures[:] = work.failures.items()
    planning.finish(desk, order, outcome)
    return outcome


async def _do(
    work: Work, writer: Writer | None, limits: Limits, in_flight: int, patients: Sequence[str],
    days: Sequence[dt.date],
) -> None:  # fmt: skip
    order, desk = work.order, work.desk
    clock = asyncio.get_running_loop().time
    begun, scope = clock(), _asked(work, order, patients, days)
    _facts(work, scope, order.now)
    narrator = Narrator(desk, order, writer, limits, in_flight) if writer is not None else None
    while taken := claiming.claim(desk.conn, scope, "narrative", now=order.now, run_id=order.run_id, most=WORDS):
        claim, rows = taken
        with _in_hand(desk, claim):
            unsaid = work.treat(claim, rows, order.now)
            if narrator is not None:
                await narrator.narrate(claim, unsaid, partial(work.ended, claim))
        if not patients and not days:
            # A model may be slow, and this run the only one.
            now = order.now + dt.timedelta(seconds=clock() - begun)
            _facts(work, _asked(work, replace(order, now=now), (), ()), now)
    with desk.conn.cursor() as cur:
        cur.execute(_USED, [order.run_id])
        names = [each.name for each in cur.description or ()]
        for name, number in zip(names, cur.fetchone() or (), strict=False):
            work.count(name, number)


def _look(work: Work, patients: Sequence[str], days: Sequence[dt.date]) -> None:
    """What a run would do; nothing is written, and no model is asked."""
    conn, now = work.desk.conn, work.order.now
    with conn.transaction(force_rollback=True):
        scope = _asked(work, work.order, patients, days)
        due = [*claiming.due(conn, scope, "record", now=now), *claiming.due(conn, scope, "narrative", now=now)]
    for first in range(0, len(due), GROUP):
        group = work.examine(due[first : first + GROUP], now)
        for name, found in (("generated", group.made), ("waiting", group.unsaid), ("failed", group.troubles)):
            work.count(name, len(found))


def _asked(work: Work, order: Order, patients: Sequence[str], days: Sequence[dt.date]) -> Scope:
    """What a run is for, put into the queue; which of the queue it may take."""
    desk, clinics = work.desk, list(work.clinics.values())
    scope = Scope(sorted({*work.clinics, *work.failures}))
    if patients:
        named = list(dict.fromkeys(patients))
        wishes = [Wish(clinic.id, each, order.now, order.now) for clinic in clinics for each in named]
        put(desk.conn, wishes, "hand")
        if not scope.organizations and order.organization is not None:
            of_nobody = [Claimed(order.organization, each, order.now, 0, 0) for each in named]
            work.withhold([withheld(who, "inactive_clinic") for who in of_nobody])
        return replace(scope, patients=named)
    if days:
        found, failures = ask_for_days(desk, order, clinics, days)
        work.fail(dict(failures))
        return replace(scope, patients=sorted(found))
    collected = collect(desk, order, clinics, unusable=[*work.failures])
    work.count("collected", collected.sessions)
    work.fail(dict(collected.failures))
    if order.organization is None:
        strangers = claiming.strangers(desk.conn, scope.organizations, now=order.now)
        work.withhold([withheld(who, "inactive_clinic") for who in strangers])
    return scope


def _facts(work: Work, scope: Scope, now: dt.datetime) -> None:
    """Facts of whoever is due, stored and published."""
    desk = work.desk
    while taken := claiming.claim(desk.conn, scope, "record", now=now, run_id=work.order.run_id, most=GROUP):
        claim, rows = taken
        with _in_hand(desk, claim):
            unsaid = work.treat(claim, rows, now)
            # Words come when nobody waits for facts any more.
            claiming.settle(desk.conn, claim, now=now, later=[each.later(now) for each in unsaid])


@contextmanager
def _in_hand(desk: Desk, claim: uuid.UUID) -> Iterator[None]:
    """Whatever of the claim is left at the end is given back; a lost connection leaves that to the lease."""
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):
            claiming.release(desk.conn, claim)
