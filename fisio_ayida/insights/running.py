"""One run of ``patient_insights``: collect, make and publish facts of whoever is due, then have words written.

Here: the order of these, in groups, so that memory does not grow with the work and no facts wait for a model. Not
here: what is done with a group (``working.py``), and with an answer (``narrating.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Final

import psycopg

from fisio_ayida.clinic import planning
from fisio_ayida.clinic.model import BadOrder, Desk, Order, Outcome
from fisio_ayida.insights import claiming, reading, revisiting
from fisio_ayida.insights.claiming import Claimed, Scope, Step
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
    desk: Desk, order: Order, writer: Writer | None, *, now: Callable[[], dt.datetime], limits: Limits,
    in_flight: int, patients: Sequence[str] = (), days: Sequence[dt.date] = (),
    longest: dt.timedelta | None = None, model: str = "",
) -> Outcome:  # fmt: skip
    """Make the insights of whoever is due.

    Args:
        writer: None: no model is configured, and facts are all.
        now: the order's ``now`` and whatever follows: a run may take hours, and go on after midnight.
        in_flight: narratives that are written at once.
        patients: of the order's organisation: these alone, at once.
        days: civil days in São Paulo: those alone who had a session finalized on them and have no insight of it.
        longest: after so long nobody is taken any more; who is left is due for the next run, and counted.
        model: of a dry run, which needs no writer: whose words would be asked for; empty: nobody's.

    Raises:
        ClinicError: the relations are not as agreed, or hidden: nothing was done.
        BadOrder: the organisation does not exist, or patients are given without theirs.
    """
    if patients and order.organization is None:
        raise BadOrder(f"{len(patients)} patients are given without their organization")
    outcome, clinics = planning.begin(JOB, desk, order)
    reading.require(desk.clinic.on(desk.conn))
    outcome.clinics = len(clinics)
    work = Work(
        desk, order, {each.id: each for each in clinics}, writer.model if writer is not None else model, outcome,
        now, None if longest is None else order.now + longest, dict(outcome.failures),
    )  # fmt: skip
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
    scope, is_for_all = _asked(work, order, patients, days), not patients and not days
    if is_for_all:
        _revisit(work)
    _facts(work, scope)
    narrator = None
    if writer is not None:
        narrator = Narrator(desk, order, writer, limits, in_flight, now=work.now, until=work.until)
    while (taken := _taken(work, scope, "narrative", WORDS)) is not None:
        claim, rows = taken
        with _in_hand(desk, claim):
            if narrator is not None:
                rows = narrator.put_off(claim, rows, work.clinics, partial(work.ended, claim))
            unsaid = work.treat(claim, rows, work.now())
            if narrator is not None:
                await narrator.narrate(claim, unsaid, partial(work.ended, claim))
        if is_for_all and not work.is_over:
            # A model may be slow, and this run the only one.
            _facts(work, _asked(work, replace(order, now=work.now()), (), ()))
    if work.is_over:
        steps: tuple[Step, ...] = ("record", "narrative")
        work.count("left", sum(len(claiming.due(desk.conn, scope, step, now=work.now())) for step in steps))
    with desk.conn.cursor() as cur:
        cur.execute(_USED, [order.run_id])
        names = [each.name for each in cur.description or ()]
        for name, number in zip(names, cur.fetchone() or (), strict=False):
            work.count(name, number)


def _revisit(work: Work) -> None:
    """Ask for those whom no session asks for: what is not shown yet, and, once a day, what may be no more."""
    conn, now, clinics = work.desk.conn, work.now(), list(work.clinics.values())
    if not work.order.is_shadow:
        work.count("unpublished", revisiting.ask_for_pending(conn, [each.id for each in clinics], now=now))
    if work.order.organization is None and revisiting.is_due(conn, now=now):
        asked, failures = revisiting.ask_for_changed(work.desk, clinics, now=now)
        work.count("revisited", asked)
        work.fail(dict(failures))


def _taken(work: Work, scope: Scope, step: Step, most: int) -> tuple[uuid.UUID, list[Claimed]] | None:
    if work.is_over:
        return None
    return claiming.claim(work.desk.conn, scope, step, now=work.now(), run_id=work.order.run_id, most=most)


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
        put(desk.conn, wishes, "hand", wanted_by=order.run_id)
        if not scope.organizations and order.organization is not None:
            of_nobody = [Claimed(order.organization, each, order.now, 0, 0) for each in named]
            work.withhold([withheld(who, "inactive_clinic") for who in of_nobody])
        return replace(scope, wanted_by=order.run_id)
    if days:
        work.fail(dict(ask_for_days(desk, order, clinics, days)))
        return replace(scope, wanted_by=order.run_id)
    collected = collect(desk, order, clinics, unusable=[*work.failures])
    work.count("collected", collected.sessions)
    work.fail(dict(collected.failures))
    if order.organization is None:
        strangers = claiming.strangers(desk.conn, scope.organizations, now=order.now)
        work.withhold([withheld(who, "inactive_clinic") for who in strangers])
        claiming.forget(desk.conn, strangers)
    return scope


def _facts(work: Work, scope: Scope) -> None:
    """Facts of whoever is due, stored and published."""
    desk = work.desk
    while (taken := _taken(work, scope, "record", GROUP)) is not None:
        (claim, rows), now = taken, work.now()
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
