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

from fisio_ayida.clinic.model import BadOrder, Clinic, Connection, Desk, Order
from fisio_ayida.clinic.registry import ZONE
from fisio_ayida.insights.finalized import COVERS, FAR, ROWS, Finalized, columns, pages, since
from fisio_ayida.insights.wishes import TURN, Wish, folded, put

JOB: Final = "patient_insights"
#: Days that are asked for at once: whoever asks for years means something else, and a model costs.
MOST_DAYS: Final = 31

_SEEN: Final = f"""
insert into insights.seen (session_id, finalized_at, organization_id, patient_id)
select distinct * from {ROWS} s order by 1, 2, 3, 4
on conflict do nothing returning session_id, finalized_at, organization_id, patient_id
"""
_MOVE: Final = """
insert into insights.cursor as c (finalized_at, session_id, run_id, moved_at, looked_far_at)
values (%(finalized_at)s, %(session)s, %(run_id)s, %(now)s, coalesce(%(far)s, %(now)s::timestamptz))
on conflict (is_one) do update set finalized_at = excluded.finalized_at, session_id = excluded.session_id,
  run_id = excluded.run_id, moved_at = excluded.moved_at
where (c.finalized_at, c.session_id) < (excluded.finalized_at, excluded.session_id)
"""
_LOOKED_FAR: Final = "update insights.cursor set looked_far_at = %(far)s where %(far)s::timestamptz is not null"
# What a look behind the cursor cannot meet again.
_FORGET: Final = "delete from insights.seen where finalized_at < (select finalized_at from insights.cursor) - %s"
_FALL_BEHIND: Final = """
insert into insights.behind as b (organization_id, since, run_id, looked_at)
select id, %(since)s, %(run_id)s, case when id = any(%(failed)s) then %(now)s::timestamptz end
from unnest(%(ids)s::text[]) id order by id
on conflict (organization_id) do update set
  run_id = excluded.run_id, looked_at = coalesce(excluded.looked_at, b.looked_at)
"""
_CATCH_UP: Final = "delete from insights.behind where organization_id = any(%s)"
# One whose words failed because nobody could be asked is asked for again.
_WITHOUT: Final = f"""
select distinct s.organization_id, s.patient_id
from {ROWS} s (id, finalized_at, organization_id, patient_id)
where not exists (
  select from insights.generations g
  where {COVERS} and g.superseded_at is null
    and not (g.narrative = 'none' and g.reason in
             ('unreachable', 'rate_limited', 'server_error', 'rejected', 'no_price', 'over_budget')))
"""


@dataclass(slots=True)
class Collected:
    """What came of collecting. ``sessions``: new ones; ``failures``: organisations that could not be read."""

    sessions: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


def collect(desk: Desk, order: Order, clinics: Sequence[Clinic], *, unusable: Collection[str] = ()) -> Collected:
    """Ask for the insights of everybody whose session was finalized since the last time.

    Each page is committed by itself: a run that dies has collected what it read. An organisation that cannot be
    read keeps its place: it is looked at again from there, while the others go on.

    Args:
        unusable: active organisations that cannot be worked for, whose sessions wait.
    """
    is_for_all = order.organization is None
    start, found = since(desk.conn, order.now, all_behind=not is_for_all), Collected()
    last, failures = (start.cursor, ""), dict[str, str]()
    looks = start.looks([each.id for each in clinics])
    for starts in looks:
        for page in pages(desk.clinic, desk.conn, starts, order.now, failures):
            found.sessions += wish_for(desk.conn, page)
            last = max(last, (page[-1].finalized_at, page[-1].id))
    found.failures = sorted(failures.items())
    values: dict[str, Any] = {
        "finalized_at": last[0], "session": last[1], "run_id": order.run_id, "now": order.now,
        "far": order.now if start.is_far else None, "ids": sorted({*failures, *unusable}),
        "failed": list(failures), "since": start.cursor,
    }  # fmt: skip
    with desk.conn.transaction():
        # Organisations that rest, or cannot be used, stay behind.
        desk.conn.execute(_CATCH_UP, [sorted({id for starts in looks for id in starts if id not in failures})])
        if is_for_all:
            desk.conn.execute(_MOVE, values)
            desk.conn.execute(_LOOKED_FAR, values)
            desk.conn.execute(_FORGET, [FAR])
            desk.conn.execute(_FALL_BEHIND, values)
    return found


def wish_for(conn: Connection, sessions: Sequence[Finalized]) -> int:
    """Ask for the insights of these sessions' patients; gives how many sessions were not seen before.

    What was seen and what is asked for belong together: both are committed, or none.
    """
    with conn.transaction():
        conn.execute(TURN)
        new = set(conn.execute(_SEEN, columns(sessions)).fetchall())
        put(conn, folded(each.wish for each in sessions if each.row in new), "session")
    return len(new)


def ask_for_days(
    desk: Desk, order: Order, clinics: Sequence[Clinic], days: Sequence[dt.date]
) -> list[tuple[str, str]]:
    """Ask at once for who had a session finalized on these days, in São Paulo, and has no insight of it.

    They are wanted by the order's run. Gives the organisations that could not be read.

    Raises:
        BadOrder: these are more than :data:`MOST_DAYS`.
    """
    if len(days) > MOST_DAYS:
        raise BadOrder(
            f"{len(days)} days are asked for, {min(days)} to {max(days)}: at most {MOST_DAYS} at once. Insights "
            "of everybody who had a session on them are made"
        )
    asked, failures, zone = set[tuple[str, str]](), dict[str, str](), ZoneInfo(ZONE)
    for day in days:
        first, last = (dt.datetime.combine(day, time, zone) for time in (dt.time.min, dt.time.max))
        starts = {each.id: first for each in clinics if each.id not in failures}
        for page in pages(desk.clinic, desk.conn, starts, min(last, order.now), failures):
            wanted = sorted(set(desk.conn.execute(_WITHOUT, columns(page)).fetchall()) - asked)
            wishes = [Wish(clinic, patient, order.now, order.now) for clinic, patient in wanted]
            put(desk.conn, wishes, "hand", wanted_by=order.run_id)
            asked.update(wanted)
    return sorted(failures.items())
