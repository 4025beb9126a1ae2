"""Whom no session asks for and a run looks at again: what is not shown yet, and what may be shown no more.

Both only ask: what is done with a patient stands in one place (``working.py``). Not here: sessions
(``collecting.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from psycopg.rows import class_row

from fisio_ayida.clinic import planning
from fisio_ayida.clinic.model import Clinic, Connection, Desk, Outcome
from fisio_ayida.insights.collecting import JOB
from fisio_ayida.insights.numbers import civil_day
from fisio_ayida.insights.publishing import NEW, OLD
from fisio_ayida.insights.reading import Pair, refusals
from fisio_ayida.insights.storing import EXPIRES
from fisio_ayida.insights.wishes import Wish, put

#: Patients that one run asks for because of what is not shown yet; the next one goes on.
MOST: Final = 2000
PAGE: Final = 1000

# Who waits for a record is published with it; what failed has its own next try.
_PENDING: Final = f"""
select organization_id, patient_id from (
  select organization_id, patient_id from insights.items
  where {NEW} and organization_id = any(%(organizations)s)
  union
  select organization_id, patient_id from insights.items
  where {OLD} and organization_id = any(%(organizations)s)) i
where not exists (
  select from insights.queue q
  where q.organization_id = i.organization_id and q.patient_id = i.patient_id
    and (q.step = 'record' or q.error is not null or q.dead_at is not null or q.lease_until > clock_timestamp()))
order by organization_id, patient_id limit %(most)s
"""
_SHOWN: Final = """
select key, organization_id, patient_id, session_id, finalized_at, created_at from insights.generations
where superseded_at is null and created_at > %(since)s and organization_id = any(%(organizations)s)
  and (created_at, key) > (%(at)s, %(key)s)
order by created_at, key limit %(page)s
"""
# The session that an insight is of may have been opened again, deleted, or given to somebody else.
_GONE: Final = """
with found as materialized (
  select s.id, s.organization_id, s.patient_id, s.finalized_at from clinic.sessions s
  where s.id = any(%(sessions)s) and s.status = 'finalized' and s.deleted_at is null)
select w.organization_id, w.patient_id
from unnest(%(organizations)s::text[], %(patients)s::text[], %(sessions)s::text[], %(finalized)s::timestamptz[])
  w (organization_id, patient_id, session_id, finalized_at)
where not exists (
  select from found f where (f.id, f.organization_id, f.patient_id, f.finalized_at)
    = (w.session_id, w.organization_id, w.patient_id, w.finalized_at))
"""
_IS_DUE: Final = "select exists (select from insights.cursor where looked_again_on is distinct from %s)"
_IS_ANY: Final = "select exists (select from insights.generations where superseded_at is null and created_at > %s)"
_DONE: Final = "update insights.cursor set looked_again_on = %s"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A generation that stands."""

    key: str
    organization_id: str
    patient_id: str
    session_id: str
    finalized_at: dt.datetime
    created_at: dt.datetime

    @property
    def pair(self) -> Pair:
        return self.organization_id, self.patient_id


def ask_for_pending(conn: Connection, organizations: Sequence[str], *, now: dt.datetime) -> int:
    """Ask for whoever has items that were not published, or not withdrawn; gives how many patients.

    A live run after one in shadow mode, or after a failure, makes that good.
    """
    values = {"organizations": list(organizations), "now": now, "most": MOST}
    return _ask(conn, conn.execute(_PENDING, values).fetchall(), now)


def is_due(conn: Connection, *, now: dt.datetime) -> bool:
    """Whether nobody has looked today, in São Paulo, if what is shown may still be."""
    return _is(conn, _IS_DUE, civil_day(now))


def is_news(conn: Connection, *, now: dt.datetime) -> bool:
    """Whether that is due, and anything is shown."""
    return is_due(conn, now=now) and _is(conn, _IS_ANY, now - EXPIRES)


def ask_for_changed(
    desk: Desk, clinics: Sequence[Clinic], *, now: dt.datetime
) -> tuple[int, list[tuple[str, str]]]:
    """Ask for everybody whose insights stand although they may not, or not as they are.

    Gives how many patients, and the organisations that could not be read. Of nobody more is read than that.
    """
    by_id = {each.id: each for each in clinics}

    def work(there: Connection, members: Sequence[Clinic], part: Outcome) -> None:
        for page in _pages(desk.conn, [each.id for each in members], now):
            part.facts["asked"] = part.facts.get("asked", 0) + _ask(desk.conn, _changed(there, page, by_id), now)

    scratch = Outcome(JOB)
    planning.for_each_group(desk, clinics, work, scratch)
    desk.conn.execute(_DONE, [civil_day(now)])
    return scratch.facts.get("asked", 0), scratch.failures


def _is(conn: Connection, query: LiteralString, value: dt.date) -> bool:
    row = conn.execute(query, [value]).fetchone()
    return row is not None and bool(row[0])


def _pages(conn: Connection, organizations: Sequence[str], now: dt.datetime) -> Iterator[list[_Shown]]:
    values: dict[str, Any] = {
        "organizations": list(organizations), "since": now - EXPIRES, "at": now - EXPIRES, "key": "", "page": PAGE,
    }  # fmt: skip
    while True:
        with conn.cursor(row_factory=class_row(_Shown)) as cur:
            page = cur.execute(_SHOWN, values).fetchall()
        if page:
            yield page
            values |= {"at": page[-1].created_at, "key": page[-1].key}
        if len(page) < PAGE:
            return


def _changed(there: Connection, page: Sequence[_Shown], clinics: Mapping[str, Clinic]) -> list[Pair]:
    off = {each.pair for each in page if clinics[each.organization_id].rules.insights == "off"}
    others = [each for each in page if each.pair not in off]
    gone = there.execute(_GONE, {
        "organizations": [each.organization_id for each in others],
        "patients": [each.patient_id for each in others], "sessions": [each.session_id for each in others],
        "finalized": [each.finalized_at for each in others],
    }).fetchall()  # fmt: skip
    return sorted({*off, *gone, *refusals(there, [each.pair for each in others])})


def _ask(conn: Connection, pairs: Sequence[Pair], now: dt.datetime) -> int:
    return put(conn, [Wish(*pair, now, now) for pair in pairs], "event")
