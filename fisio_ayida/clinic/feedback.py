"""Feedback: how was it? Asked some hours after a visit, at most once in a while (CONTRACT clinic §5.7).

Here: which visits are asked about in a run, and what the question says of their day. Not here: the text, and what
an answer means (``messaging/replies.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from psycopg.rows import namedtuple_row

from fisio_ayida.clinic import planning
from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Outcome, Proposal
from fisio_ayida.clinic.old_messages import WHY, sent_by_fisioflow
from fisio_ayida.clinic.telling import PERSON, TOLD, Telling, tell, withhold
from fisio_ayida.clinic.visits import DAY, MIDNIGHT, Manners, manners, new_decisions
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import Cause

JOB: Final = "feedback_requests"
TEMPLATE: Final = "feedback_request"
#: The next run's moment: until then this one plans.
AHEAD: Final = dt.timedelta(minutes=15)
#: A visit without an end, or with one before its start.
LENGTH: Final = dt.timedelta(hours=1)

# A visit of longer ago whose record is edited now is nobody's memory.
_QUERY: Final = f"""
select a.id, a.organization_id, a.date, a.start_time, a.end_time,
       coalesce(a.updated_at, 'epoch') as updated_at, {PERSON}
from unnest(%(ids)s::text[], %(days)s::date[]) o (id, day)
join clinic.appointments a on a.organization_id = o.id and a.date between o.day - 1 and o.day
join clinic.patients p on p.id = a.patient_id and p.organization_id = a.organization_id and p.deleted_at is null
where a.date between %(first)s and %(last)s and a.start_time is not null and a.deleted_at is null
  and clinic.status_class(a.status, a.organization_id) = 'done'
  and (%(only)s::text[] is null or a.id = any(%(only)s))
"""
# A stale one may be planned again; what the rules stopped, or failed, was decided, but asked nobody.
_ASKED: Final = f"""
select patient_id, cause_id, due_at, {TOLD}
from messaging.messages
where patient_id = any(%s) and template = %s and not (state = 'skipped' and reason like 'stale:%%')
"""
# In shadow mode, what would have been asked was asked.
_DECIDED: Final = """
select patient_id, cause_id, due_at, true from jobs.decisions
where patient_id = any(%s) and template = %s and outcome = 'shadow'
"""

_DONE: Final = "select appointment_id, done_at from jobs.done_visits where appointment_id = any(%s)"
_SEEN: Final = """
insert into jobs.done_visits (appointment_id, organization_id, done_at, seen_at)
select v.id, v.organization_id, v.done_at, %s
from unnest(%s::text[], %s::text[], %s::timestamptz[]) v (id, organization_id, done_at)
order by v.id on conflict do nothing
"""


def run(desk: Desk, order: Order) -> Outcome:
    """The job: the visits whose moment has come, or comes before the next run."""
    return planning.plan(JOB, partial(_find, only=None), desk, order)


def ask(desk: Desk, order: Order, appointments: Sequence[str]) -> Outcome:
    """The same for these appointments, however far their moment is."""
    return planning.plan(JOB, partial(_find, only=appointments), desk, order)


def _find(
    desk: Desk, there: Connection, clinics: Sequence[Clinic], order: Order, *, only: Sequence[str] | None
) -> Proposal:
    by_id = {clinic.id: clinic for clinic in clinics if clinic.rules.asks_feedback}
    if not by_id:
        return Proposal()
    days = [clinic.day(order.nominal) for clinic in by_id.values()]
    values = {
        "ids": list(by_id), "days": days, "first": min(days) - DAY, "last": max(days),
        "only": None if only is None else list(only),
    }  # fmt: skip
    with there.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_QUERY, values).fetchall()
    done = _done(desk.conn, rows, order)
    dues = [(due_at(by_id[row.organization_id], row, done[row.id]), row) for row in rows]
    if only is None:
        horizon = order.nominal + AHEAD
        dues = [
            (due, row) for due, row in dues
            if due <= horizon or due >= _closes(by_id[row.organization_id], row)
        ]  # fmt: skip
    asked = _asked(desk.conn, [row for _, row in dues], is_shadow=order.is_shadow)
    theirs = _sent_by_fisioflow(there, [row for _, row in dues], list(by_id.values()), order)
    ways, proposal = manners(desk.conn, clinics), Proposal()
    # The latest visit of a patient first: the others give way to it.
    for due, row in sorted(dues, key=lambda each: (each[1].date, each[1].start_time, each[1].id), reverse=True):
        others = asked[row.patient_id]
        if row.id in others:
            continue
        clinic = by_id[row.organization_id]
        question = _telling(clinic, ways[clinic.id], row, due)
        every = clinic.rules.feedback_every
        if row.patient_id in theirs and due - theirs[row.patient_id] < every:
            withhold(question, row.patient_id, *WHY, proposal)
            continue
        if recent := [id for id, at in others.items() if at is not None and abs(due - at) < every]:
            detail = f"asked about {recent[0]} within {every.days} days"
            withhold(question, row.patient_id, "too_often", detail, proposal)
            continue
        if question.not_after <= order.now or due >= _closes(clinic, row):
            withhold(question, row.patient_id, "stale", "its day is over", proposal)
            continue
        planned = len(proposal.drafts)
        tell(question, row, proposal)
        if len(proposal.drafts) > planned:
            others[row.id] = due
    return new_decisions(desk.conn, JOB, proposal)


def due_at(clinic: Clinic, row: Any, done_at: dt.datetime) -> dt.datetime:
    """When a visit is asked about: some hours after its end, or after its status was set, if that was later."""
    begins = clinic.instant(row.date, row.start_time)
    has_end = row.end_time is not None and row.end_time > row.start_time
    ends = clinic.instant(row.date, row.end_time) if has_end else begins + LENGTH
    return max(ends, done_at) + clinic.rules.feedback_after


def _closes(clinic: Clinic, row: Any) -> dt.datetime:
    """From then on no run looks at the visit: the query's days."""
    return clinic.instant(row.date + 2 * DAY, MIDNIGHT)


def _done(ours: Connection, rows: Sequence[Any], order: Order) -> dict[str, dt.datetime]:
    """Since when each of these visits is done: a later save of the row, for whatever reason, puts nothing off."""
    ids = [row.id for row in rows]
    known: dict[str, dt.datetime] = dict(ours.execute(_DONE, [ids]).fetchall()) if ids else {}
    new = [row for row in rows if row.id not in known]
    if new and not order.is_dry:
        columns = ([getattr(row, name) for row in new] for name in ("id", "organization_id", "updated_at"))
        ours.execute(_SEEN, [order.now, *columns])
    return {row.id: row.updated_at for row in new} | known


def _sent_by_fisioflow(
    there: Connection, rows: Sequence[Any], clinics: Sequence[Clinic], order: Order
) -> dict[str, dt.datetime]:
    """When FisioFlow last asked, by patient."""
    patients = {row.id: row.patient_id for row in rows}
    since = order.now - max(clinic.rules.feedback_every for clinic in clinics)
    found: dict[str, dt.datetime] = {}
    for each in sent_by_fisioflow(there, JOB, rows, order, since=since):
        patient = each.patient_id or patients.get(each.appointment_id or "", "")
        found[patient] = max(each.sent_at, found.get(patient, each.sent_at))
    return found


def _asked(ours: Connection, rows: Sequence[Any], *, is_shadow: bool) -> dict[str, dict[str, dt.datetime | None]]:
    """When each patient was asked about which visit; None: it was decided, but nobody was asked."""
    found: dict[str, dict[str, dt.datetime | None]] = defaultdict(dict)
    patients = sorted({row.patient_id for row in rows})
    for query in (_DECIDED, _ASKED) if is_shadow else (_ASKED,):
        for patient, visit, at, was_asked in ours.execute(query, [patients, TEMPLATE]) if patients else ():
            found[patient][visit] = at if was_asked else None
    return found


def _telling(clinic: Clinic, ways: Manners, row: Any, due: dt.datetime) -> Telling:
    day = clinic.day(ways.sent_at(due))
    return Telling(
        clinic=clinic, job=JOB, template=TEMPLATE, key=lambda channel: keys.feedback(row.id, channel),
        cause=Cause("visit", row.id, None),
        # The next morning it is no longer today's visit.
        variables={"data": row.date if day != row.date else None},
        due_at=due, not_after=clinic.instant(day + DAY, MIDNIGHT),
    )  # fmt: skip
