"""The checks on the insights: what failed, what is late, what was spent, what the clinic has not got yet.

Read only, and of the clinic's tables only the sessions of a week. A check that cannot look says so, and stops no
other. Not here: whether narratives still agree with the records (``agreeing.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import psycopg

from fisio_ayida.clinic import organizations
from fisio_ayida.clinic.model import Clinic, Connection, Desk
from fisio_ayida.insights import agreeing, reading
from fisio_ayida.insights.checks import CHECKS, SAMPLE, Finding
from fisio_ayida.insights.collecting import JOB
from fisio_ayida.insights.finalized import COVERS, ROWS, Finalized, columns, pages
from fisio_ayida.insights.model import Limits
from fisio_ayida.insights.narrative.ledger import USED_COST, USED_TOKENS
from fisio_ayida.insights.publishing import NEW, OLD
from fisio_ayida.insights.showing import Spent, spending
from fisio_ayida.telemetry import excerpt
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida.warehouse.errors import said

#: Failed runs of organisations are those of so long.
FAILING: Final = dt.timedelta(days=1)
#: Sessions are looked at from a week ago on; what was finalized just now may still be on its way.
RECENT: Final = dt.timedelta(days=7)
STALE: Final = dt.timedelta(hours=2)
#: A call takes a minute, its run at most two hours, and the next run settles what it left.
OPEN: Final = dt.timedelta(hours=1)
UNPUBLISHED: Final = dt.timedelta(hours=1)
NEARLY_SPENT: Final = Decimal("0.8")
_ALL: Final = 1_000_000
#: Patients whose records are in memory at once.
_AT_ONCE: Final = 200
# A check must say whatever went wrong; what is no fault of data or database is one of the program.
_FAULTS: Final = (psycopg.Error, ClinicError, ValueError, TypeError, LookupError, ArithmeticError)

_QUEUE: Final = """
select organization_id, patient_id, dead_at is not null, tries, coalesce(error, ''), count(*) over ()
from insights.queue where dead_at is not null or tries > 0 and error is not null
order by dead_at is null, asked_at limit %s
"""
_FAILURES: Final = """
select organization_id, error, count(*) over () from (
  select distinct on (organization_id) organization_id, error, at from jobs.failures
  where job = %(job)s and at >= %(since)s order by organization_id, at desc) f
order by at desc limit %(sample)s
"""
# A queue in which a patient has been due for too long is no excuse, nor is that a patient had no session: there is
# one.
_STALE: Final = f"""
select s.id from {ROWS} s (id, finalized_at, organization_id, patient_id)
where not exists (select from insights.generations g where {COVERS})
  and not exists (
    select from insights.queue q where q.organization_id = s.organization_id and q.patient_id = s.patient_id
      and q.dead_at is null and (q.due_at > %s or q.lease_until > %s))
  and not exists (
    select from jobs.decisions d where d.patient_id = s.patient_id and d.organization_id = s.organization_id
      and d.job = %s and d.outcome = 'withheld' and d.reason <> 'no_session' and d.at >= s.finalized_at)
"""
_DIFFERENT: Final = f"""
with counted as (
  select organization_id, day, sum({USED_TOKENS}) as tokens, sum({USED_COST}) as cost, count(*) as calls
  from insights.calls where started_at >= %(since)s::date - 2 and day >= %(since)s
  group by organization_id, day)
select organization_id, day, coalesce(s.tokens, 0), coalesce(c.tokens, 0)
from (select * from insights.spending where day >= %(since)s) s full join counted c using (organization_id, day)
where (coalesce(s.tokens, 0), coalesce(s.cost, 0), coalesce(s.calls, 0))
  <> (coalesce(c.tokens, 0), coalesce(c.cost, 0), coalesce(c.calls, 0))
order by day desc, organization_id
"""
_OPEN: Final = "select id, key from insights.calls where state = 'open' and started_at < %s order by started_at"
_UNPUBLISHED: Final = f"""
select key, published_at is null as is_missing, count(*) over ()
from insights.items
where {NEW} and created_at < %(late)s or {OLD} and superseded_at < %(late)s
order by created_at limit %(sample)s
"""


def examine(
    desk: Desk, limits: Limits, wanted: Collection[str], *, now: dt.datetime, is_shadow: bool, salt: str
) -> Iterator[Finding]:
    """What the wanted checks say, in the registry's order.

    Args:
        is_shadow: nothing is written to the clinic's table, and so nothing is missing there.
        salt: which narratives are compared with the records follows from it.
    """
    looks = {
        "failures": lambda: _failures(desk.conn, now),
        "stale_sessions": lambda: _stale(desk, now),
        "budget": lambda: _budget(desk, limits, now),
        "narratives_agree": lambda: agreeing.look(desk, now=now, salt=salt),
        "unpublished": lambda: Finding(check="unpublished") if is_shadow else _unpublished(desk.conn, now),
    }
    for name in CHECKS:
        if name in wanted:
            try:
                yield looks[name]()
            except _FAULTS as error:
                yield Finding(check=name, error=said(error))


def _failures(conn: Connection, now: dt.datetime) -> Finding:
    queued = conn.execute(_QUEUE, [SAMPLE]).fetchall()
    values = {"job": JOB, "since": now - FAILING, "sample": SAMPLE}
    failed = conn.execute(_FAILURES, values).fetchall()
    lines = [
        f"{organization} `{patient}`: {'given up' if is_dead else f'{tries} tries'}: {excerpt(error, 200)}"
        for organization, patient, is_dead, tries, error, _ in queued
    ]
    lines += [f"{organization or 'all'}: {excerpt(error, 200)}" for organization, error, _ in failed]
    return Finding(
        check="failures", problems=_total(queued) + _total(failed), lines=tuple(lines[:SAMPLE]),
        is_grave=any(is_dead for _, _, is_dead, *_ in queued) or bool(failed),
    )  # fmt: skip


def _stale(desk: Desk, now: dt.datetime) -> Finding:
    clinics = {clinic.id: clinic for clinic in _clinics(desk) if clinic.rules.insights != "off"}

    failures: dict[str, str] = {}
    starts = dict.fromkeys(clinics, now - RECENT)
    found = [
        each for page in pages(desk.clinic, desk.conn, starts, now - STALE, failures)
        for each in _uncovered(desk.conn, page, now)
    ]  # fmt: skip
    if failures:
        raise ClinicError("; ".join(f"organization {id}: {why}" for id, why in sorted(failures.items())[:SAMPLE]))

    def look(there: Connection, ids: list[str]) -> set[str]:
        mine = [each for each in found if each.organization_id in ids]
        return _used(there, mine, {id: clinics[id] for id in ids}, now)

    concerned = sorted({each.organization_id for each in found})
    used = set[str]().union(*desk.clinic.each(desk.conn, concerned, look))
    stale = [each.id for each in found if each.id in used]
    lines = tuple(f"session `{id}`" for id in stale[:SAMPLE])
    return Finding(check="stale_sessions", problems=len(stale), lines=lines, is_grave=True)


def _uncovered(conn: Connection, page: Sequence[Finalized], now: dt.datetime) -> list[Finalized]:
    found = {id for (id,) in conn.execute(_STALE, [*columns(page), now - STALE, now, JOB])}
    return [each for each in page if each.id in found]


def _used(
    there: Connection, sessions: Sequence[Finalized], clinics: Mapping[str, Clinic], now: dt.datetime
) -> set[str]:
    """The sessions of which insights would be made: neither too old, nor of whom nothing may be read."""
    used: set[str] = set()
    pairs = list(dict.fromkeys((each.organization_id, each.patient_id) for each in sessions))
    today = {id: clinic.day(now) for id, clinic in clinics.items()}
    zones = {id: clinic.zone for id, clinic in clinics.items()}
    for first in range(0, len(pairs), _AT_ONCE):
        read = reading.read(there, pairs[first : first + _AT_ONCE], today, zones)
        used |= {session.id for record in read.records.values() for session in record.sessions}
    return used


def _budget(desk: Desk, limits: Limits, now: dt.datetime) -> Finding:
    clinics = _clinics(desk)
    today = {(clinic.id, clinic.day(now)) for clinic in clinics}
    used = [
        each for day in {day for _, day in today}
        for each in spending(desk.conn, limits, day=day, organization=None, limit=_ALL)
        if (each.organization_id, each.day) in today
    ]  # fmt: skip
    spent = [each for each in used if _is_spent(each)]
    nearly = [each for each in used if not _is_spent(each) and _share(each) > NEARLY_SPENT]
    values = {"since": (now - RECENT).date()}
    different = [
        f"{id}: {day} has {tokens} tokens, its calls {counted}"
        for id, day, tokens, counted in desk.conn.execute(_DIFFERENT, values)
    ]
    open_calls = [f"call {id} `{key}` is open" for id, key in desk.conn.execute(_OPEN, [now - OPEN])]
    lines = [
        *different, *open_calls,
        *(f"{e.organization_id}: {e.day} is spent; {e.refused} narratives were not asked for" for e in spent),
        *(f"{e.organization_id}: {_share(e):.0%} of {e.day}" for e in nearly),
    ]  # fmt: skip
    return Finding(
        check="budget", problems=len(lines), lines=tuple(lines[:SAMPLE]), is_grave=bool(different or open_calls),
        facts={
            "spent": len(spent), "nearly_spent": len(nearly), "different": len(different),
            "open_calls": len(open_calls),
        },
    )  # fmt: skip


def _is_spent(used: Spent) -> bool:
    return used.refused > 0 or _share(used) >= 1


def _share(used: Spent) -> Decimal:
    """How much of the day's budget was used, of tokens or money, whichever is more; of none, all."""
    shares = [Decimal(used.tokens) / used.tokens_per_day if used.tokens_per_day else Decimal(1)]
    if used.cost_per_day is not None:
        shares.append(used.cost / used.cost_per_day if used.cost_per_day else Decimal(1))
    return max(shares)


def _unpublished(conn: Connection, now: dt.datetime) -> Finding:
    rows = conn.execute(_UNPUBLISHED, {"now": now, "late": now - UNPUBLISHED, "sample": SAMPLE}).fetchall()
    lines = [f"`{key}`: {'not written' if is_missing else 'not withdrawn'}" for key, is_missing, _ in rows]
    return Finding(check="unpublished", problems=_total(rows), lines=tuple(lines), is_grave=True)


def _clinics(desk: Desk) -> list[Clinic]:
    return organizations.load(desk.conn, desk.clinic).clinics


def _total(rows: Sequence[tuple[Any, ...]]) -> int:
    """The number of all rows, of which these are the first; each has it at its end."""
    return int(rows[0][-1]) if rows else 0
