"""Asking for insights by hand and by event, and whether there is anything to do.

Here: the ways in. Not here: the queue (``wishes.py``), collecting sessions (``collecting.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal

import psycopg

from fisio_ayida.clinic.model import Connection
from fisio_ayida.insights import claiming
from fisio_ayida.insights.collecting import wish_for
from fisio_ayida.insights.finalized import PAGE, Finalized, pages, since
from fisio_ayida.insights.wishes import Wish, put
from fisio_ayida.warehouse.clinic import ClinicDoor, ClinicError

_ACTIVE: Final = "select id from clinic.organizations where is_active order by id"
_UNSEEN: Final = """
select s.id, s.finalized_at from unnest(%s::text[], %s::timestamptz[]) s (id, finalized_at)
where not exists (select from insights.seen n where n.session_id = s.id and n.finalized_at = s.finalized_at)
"""


def ask(
    conn: Connection, organization: str, patients: Sequence[str], *, cause: Literal["event", "hand"],
    now: dt.datetime,
) -> int:  # fmt: skip
    """Ask for these patients' insights, due at once; gives how many patients.

    Whether they are the organisation's is looked at when their insights are made.
    """
    return put(conn, [Wish(organization, each, now, now) for each in dict.fromkeys(patients)], cause)


def has_news(conn: Connection, door: ClinicDoor, *, now: dt.datetime) -> bool:
    """Whether anybody's insights are due now, counting sessions that no run has collected.

    A session that was just finalized is no news until its patient's record is quiet. A clinic that cannot be read
    is news: a run says so.

    Args:
        conn: to our own tables, in autocommit.
    """
    there = door.on(conn)
    ids = [id for (id,) in there.execute(_ACTIVE)]
    start = since(conn, now)

    def look(clinic: Connection, members: list[str]) -> list[Finalized]:
        found: list[Finalized] = []
        for page in pages(clinic, {each: start.of(each) for each in members}, now):
            found += _unseen(conn, page)
            if len(found) >= PAGE:
                break
        return found

    try:
        new = [each for part in door.each(conn, ids, look, must_see=False) for each in part]
    except (ClinicError, psycopg.DataError, psycopg.ProgrammingError, psycopg.InternalError):
        return True
    # As a run would collect them: the rule by which they are due stands in one place.
    with conn.transaction(force_rollback=True):
        wish_for(conn, new)
        return claiming.is_due(conn, now=now)


def _unseen(conn: Connection, page: Sequence[Finalized]) -> list[Finalized]:
    rows = conn.execute(_UNSEEN, [[each.id for each in page], [each.finalized_at for each in page]])
    new = set(rows.fetchall())
    return [each for each in page if (each.id, each.finalized_at) in new]
