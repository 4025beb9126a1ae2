"""Collecting: each session that was finalized puts its patient into the queue, once.

Here: the cursor, its overlap, what was seen, and clinics that could not be read. Not here: reading the clinic's
relations (``finalized.py``), and when a patient is due (``wishes.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from fisio_ayida.clinic import planning
from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Outcome
from fisio_ayida.clinic.registry import ZONE
from fisio_ayida.insights.finalized import OVERLAP, Finalized, pages, since
from fisio_ayida.insights.wishes import Wish, folded, put

JOB: Final = "patient_insights"

_SEEN: Final = """
insert into insights.seen (session_id, finalized_at)
select distinct id, finalized_at from unnest(%s::text[], %s::timestamptz[]) s (id, finalized_at) order by 1, 2
on conflict do nothing returning session_id, finalized_at
"""
_MOVE: Final = """
insert into insights.cursor as c (finalized_at, session_id, run_id, moved_at)
values (%(finalized_at)s, %(session)s, %(run_id)s, %(now)s)
on conflict (is_one) do update set finalized_at = excluded.finalized_at, session_id = excluded.session_id,
  run_id = excluded.run_id, moved_at = excluded.moved_at
where (c.finalized_at, c.session_id) < (excluded.finalized_at, excluded.session_id)
"""
# What a look behind the cursor cannot meet again.
_FORGET: Final = "delete from insights.seen where finalized_at < (select finalized_at from insights.cursor) - %s"
_FALL_BEHIND: Final = """
insert into insights.behind (organization_id, since, run_id)
select id, %(since)s, %(run_id)s from unnest(%(ids)s::text[]) id order by id
on conflict (organization_id) do update set run_id = excluded.run_id
"""
_CATCH_UP: Final = "delete from insights.behind where organization_id = any(%s)"
# A generation is made of all sessions until the one that was finalized last.
_WITHOUT: Final = """
select s.organization_id, s.patient_id
from unnest(%s::text[], %s::text[], %s::timestamptz[]) s (organization_id, patient_id, finalized_at)
where not exists (
  select from insights.generations g where g.patient_id = s.patient_id and g.finalized_at >= s.finalized_at)
"""


@dataclass(slots=True)
class Collected:
    """What came of collecting. ``sessions``: new ones; ``failures``: organisations that could not be read."""

    sessions: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


def collect(desk: Desk, order: Order, clinics: Sequence[Clinic], *, unusable: Collection[str] = ()) -> Collected:
    """Ask for the insights of everybody whose session was finalized since the last time.

    An organisation that cannot be read keeps its place: it is looked at again from there, while the others go on.

    Args:
        unusable: active organisations that cannot be worked for, whose sessions wait.
    """
    start, found = since(desk.conn, order.now), Collected()
    last = start.cursor, ""

    def work(there: Connection, members: Sequence[Clinic], part: Outcome) -> None:
        nonlocal last
        starts = {each.id: start.of(each.id) for each in members}
        for page in pages(there, starts, order.now):
            part.facts["sessions"] = part.facts.get("sessions", 0) + wish_for(desk.conn, page)
            last = max(last, (page[-1].finalized_at, page[-1].id))

    scratch = Outcome(JOB)
    planning.for_each_group(desk, clinics, work, scratch)
    found.sessions, found.failures = scratch.facts.get("sessions", 0), scratch.failures
    if order.organization is None:
        failed = sorted({*(id for id, _ in found.failures), *unusable})
        values: dict[str, Any] = {
            "finalized_at": last[0], "session": last[1], "run_id": order.run_id, "now": order.now, "ids": failed,
            "since": start.cursor,
        }  # fmt: skip
        with desk.conn.transaction():
            desk.conn.execute(_MOVE, values)
            desk.conn.execute(_FORGET, [OVERLAP])
            desk.conn.execute(_CATCH_UP, [[each.id for each in clinics if each.id not in failed]])
            desk.conn.execute(_FALL_BEHIND, values)
    return found


def wish_for(conn: Connection, sessions: Sequence[Finalized]) -> int:
    """Ask for the insights of these sessions' patients; gives how many sessions were not seen before.

    What was seen and what is asked for belong together: both are committed, or none.
    """
    with conn.transaction():
        rows = conn.execute(_SEEN, [[each.id for each in sessions], [each.finalized_at for each in sessions]])
        new = set(rows.fetchall())
        put(conn, folded(each.wish for each in sessions if (each.id, each.finalized_at) in new), "session")
    return len(new)


def ask_for_days(
    desk: Desk, order: Order, clinics: Sequence[Clinic], days: Sequence[dt.date]
) -> tuple[set[str], list[tuple[str, str]]]:
    """Ask at once for who had a session finalized on these days, in São Paulo, and has no insight of it.

    Gives the patients, and the organisations that could not be read.
    """
    patients: set[str] = set()
    zone = ZoneInfo(ZONE)

    def work(there: Connection, members: Sequence[Clinic], part: Outcome) -> None:
        for day in days:
            first, last = (dt.datetime.combine(day, time, zone) for time in (dt.time.min, dt.time.max))
            for page in pages(there, {each.id: first for each in members}, min(last, order.now)):
                columns = [each.organization_id for each in page], [each.patient_id for each in page]
                rows = desk.conn.execute(_WITHOUT, [*columns, [each.finalized_at for each in page]])
                wanted = {Wish(clinic, patient, order.now, order.now) for clinic, patient in rows}
                put(desk.conn, list(wanted), "hand")
                patients.update(each.patient_id for each in wanted)

    scratch = Outcome(JOB)
    planning.for_each_group(desk, clinics, work, scratch)
    return patients, scratch.failures
