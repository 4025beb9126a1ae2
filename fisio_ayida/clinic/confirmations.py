"""Confirmations: a word to each patient whose visit was just booked (CONTRACT clinic §5.6).

Here: which bookings since the last pass are told, and which belong to a series or an import. Not here: when a pass
is worth a run (a sensor asks :func:`has_news`), and reading the visit again, which happens when it is sent.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from psycopg.rows import namedtuple_row

from fisio_ayida.clinic import planning
from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Outcome, Proposal
from fisio_ayida.clinic.old_messages import WHY, sent_by_fisioflow
from fisio_ayida.clinic.telling import PERSON, TOLD, Telling, once, tell, withhold
from fisio_ayida.clinic.visits import Manners, civil, manners, new_decisions, staff_names, start_of
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import CHANNELS, Cause, Channel
from fisio_ayida.messaging.outbox import LONGEST_WAIT
from fisio_ayida.warehouse.clinic import ClinicDoor

JOB: Final = "appointment_confirmations"
TEMPLATE: Final = "appointment_confirmation"
#: Time for second thoughts.
WAIT: Final = dt.timedelta(seconds=60)
#: Bookings whose transaction was long show up late.
OVERLAP: Final = dt.timedelta(minutes=30)
#: What the first pass looks back, and a run for an earlier moment or for one clinic.
FIRST: Final = dt.timedelta(hours=2)
#: Visits of one patient that are booked within this time are one series.
SERIES: Final = dt.timedelta(minutes=5)
#: Who books more visits of a clinic within a minute is no person.
BULK: Final = 30
#: A date further away is a mistake; some of them no clock can tell.
FARTHEST: Final = dt.timedelta(days=731)

_LAST: Final = "select up_to, since from jobs.passes where job = %s"
_PASSED: Final = """
insert into jobs.passes (job, up_to, since, run_id) values (%s, %s, %s, %s)
on conflict (job) do update set up_to = excluded.up_to, since = excluded.since, run_id = excluded.run_id
where jobs.passes.up_to < excluded.up_to
"""
_NEWS: Final = "select exists (select from clinic.appointments where created_at > %s and created_at <= %s)"
_ACTIVE: Final = "select id from clinic.organizations where is_active order by id"

_SINCE: Final = "a.created_at > %(after)s and a.created_at <= %(until)s"
_THESE: Final = "a.id = any(%(only)s)"
# With what the patient booked at the same time, and whether the clinic's minute was a person's.
_QUERY: Final = f"""
with asked as materialized (
  select a.id, a.organization_id, a.patient_id, a.created_at from clinic.appointments a
  where {{which}} and a.organization_id = any(%(ids)s)),
minutes as (select distinct organization_id, date_trunc('minute', created_at) as minute from asked),
busy as (
  select m.organization_id, m.minute from minutes m
  join clinic.appointments a on a.organization_id = m.organization_id
    and a.created_at >= m.minute and a.created_at < m.minute + interval '1 minute'
  group by m.organization_id, m.minute having count(*) > %(bulk)s),
family as (
  select a.id, bool_or(a.id = s.id) as is_asked from asked s
  join clinic.appointments a on a.patient_id = s.patient_id and a.organization_id = s.organization_id
    and a.created_at between s.created_at - %(series)s and s.created_at + %(series)s
  group by a.id)
select a.id, a.organization_id, a.date, a.start_time, a.created_at, f.is_asked, b.minute is not null as is_bulk,
       a.therapist_id, {PERSON}
from family f join clinic.appointments a using (id)
join clinic.patients p on p.id = a.patient_id and p.organization_id = a.organization_id and p.deleted_at is null
left join busy b on b.organization_id = a.organization_id and b.minute = date_trunc('minute', a.created_at)
where a.deleted_at is null and a.start_time is not null and a.date between %(first)s and %(last)s
  and clinic.status_class(a.status, a.organization_id) = 'upcoming'
order by a.patient_id, a.date, a.start_time, a.id
"""
_TOLD: Final = f"select key from messaging.messages where key = any(%s) and {TOLD}"
_DECIDED: Final = "select key from jobs.decisions where job = %s and outcome = 'shadow' and key = any(%s)"


def run(desk: Desk, order: Order) -> Outcome:
    """The job: what was booked since the last pass, a minute ago or earlier."""
    until = order.nominal - WAIT
    row = desk.conn.execute(_LAST, [JOB]).fetchone()
    since = until - FIRST
    if row is not None and until >= row[0] and order.organization is None:
        since = row[1]
    find = partial(_find, which=_SINCE, values={"after": _after(since, until), "until": until})
    outcome = planning.plan(JOB, find, desk, order)
    if not order.is_dry and order.organization is None:
        # Where a clinic failed, all are looked at again from there: what was told is not told again.
        desk.conn.execute(_PASSED, [JOB, until, since if outcome.failures else until, order.run_id])
    return outcome


def confirm(desk: Desk, order: Order, appointments: Sequence[str]) -> Outcome:
    """The same for these appointments, whenever they were booked."""
    find = partial(_find, which=_THESE, values={"only": list(appointments)})
    return planning.plan(JOB, find, desk, order)


def has_news(conn: Connection, door: ClinicDoor, *, now: dt.datetime) -> bool:
    """Whether anything was booked since the last pass and its minute is over.

    Half an hour after a pass also whether there is anything that it may not have seen: bookings whose transaction
    was long, and those of clinics for which it could not be done.

    Args:
        conn: to our own tables.
    """
    row = conn.execute(_LAST, [JOB]).fetchone()
    until = now - WAIT
    if row is None:
        after = until - FIRST
    elif until - row[0] < OVERLAP:
        after = row[0]
    else:
        after = _after(row[1], until)
    there = door.on(conn)
    ids = [] if door.tenant is None else [id for (id,) in there.execute(_ACTIVE)]

    def look(clinic: Connection, _: list[str]) -> bool:
        found = clinic.execute(_NEWS, [after, until]).fetchone()
        return found is not None and bool(found[0])

    return look(there, ids) if door.tenant is None else any(door.each(conn, ids, look, must_see=False))


def _after(since: dt.datetime, until: dt.datetime) -> dt.datetime:
    """From where a pass looks; what is older than any message waits is not told any more."""
    return max(since - OVERLAP, until - LONGEST_WAIT)


def _find(
    desk: Desk, there: Connection, clinics: Sequence[Clinic], order: Order, *, which: str,
    values: Mapping[str, Any],
) -> Proposal:  # fmt: skip
    by_id = {clinic.id: clinic for clinic in clinics if clinic.rules.confirms_bookings}
    today = order.nominal.date()
    given = {
        "ids": list(by_id), "bulk": BULK, "series": SERIES, "first": today - FARTHEST, "last": today + FARTHEST,
        **values,
    }  # fmt: skip
    with there.cursor(row_factory=namedtuple_row) as cur:
        rows: list[Any] = cur.execute(_QUERY.format(which=which), given).fetchall()
    theirs = _sent_by_fisioflow(there, rows, order)
    told = _told(desk.conn, rows, order) | {_key(row, "whatsapp") for row in rows if row.id in theirs}
    families: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        families[row.patient_id].append(row)
    ways, names, proposal = manners(desk.conn, clinics), staff_names(there, clinics) if rows else {}, Proposal()
    for row in rows:
        if row.is_asked:
            clinic = by_id[row.organization_id]
            message = _telling(clinic, ways[clinic.id], row, names.get((clinic.id, row.therapist_id)))
            if row.is_bulk:
                detail = f"more than {BULK} visits were booked in the same minute"
                withhold(message, row.patient_id, "imported", detail, proposal)
            elif row.id in theirs:
                withhold(message, row.patient_id, *WHY, proposal)
            elif (leader := _leader(row, families[row.patient_id], clinic, order, told)) is not row:
                withhold(message, row.patient_id, "merged", f"booked together with {leader.id}", proposal)
            else:
                tell(message, row, proposal)
    return new_decisions(desk.conn, JOB, once(desk.conn, proposal))


def _told(ours: Connection, rows: Sequence[Any], order: Order) -> set[str]:
    wanted = [_key(row, channel) for row in rows for channel in CHANNELS]
    if not wanted:
        return set()
    told = {key for (key,) in ours.execute(_TOLD, [wanted])}
    # In shadow mode, what would have been sent was sent.
    return told | {key for (key,) in ours.execute(_DECIDED, [JOB, wanted])} if order.is_shadow else told


def _sent_by_fisioflow(there: Connection, rows: Sequence[Any], order: Order) -> set[str]:
    """The visits that FisioFlow confirmed."""
    if not rows:
        return set()
    since = min(row.created_at for row in rows)
    return {each.appointment_id or "" for each in sent_by_fisioflow(there, JOB, rows, order, since=since)}


def _leader(row: Any, family: Sequence[Any], clinic: Clinic, order: Order, told: Collection[str]) -> Any:
    """The visit of a series that is confirmed: one that was already, else the first that is not too soon."""
    together = [each for each in family if abs(each.created_at - row.created_at) <= SERIES]
    known = [each for each in together if any(_key(each, channel) in told for channel in CHANNELS)]
    if known:
        return row if row in known else known[0]
    in_time = [each for each in together if _useless(clinic, each) > order.now]
    return in_time[0] if in_time and row in in_time else row


def _key(row: Any, channel: Channel) -> str:
    return keys.confirmation(row.id, civil(row.date, row.start_time), channel)


def _useless(clinic: Clinic, row: Any) -> dt.datetime:
    return clinic.instant(row.date, row.start_time) - clinic.rules.confirmation_lead


def _telling(clinic: Clinic, ways: Manners, row: Any, professional: str | None) -> Telling:
    due_at: dt.datetime = row.created_at + WAIT
    return Telling(
        clinic=clinic, job=JOB, template=TEMPLATE, key=lambda channel: _key(row, channel),
        cause=Cause("appointment", row.id, start_of(row.date, row.start_time)),
        variables={
            "data": row.date, "hora": f"{row.start_time:%H:%M}", "profissional": professional,
            "endereco": ways.address, "telefone": ways.phone,
        },
        due_at=due_at, not_after=min(due_at + LONGEST_WAIT, _useless(clinic, row)),
    )  # fmt: skip
