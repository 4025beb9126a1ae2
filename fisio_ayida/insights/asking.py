"""Asking for insights by hand and by event, and whether there is anything to do.

Here: the ways in. Not here: the queue (``wishes.py``), collecting sessions (``collecting.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal

from fisio_ayida.clinic import organizations
from fisio_ayida.clinic.model import Connection
from fisio_ayida.clinic.planning import OF_SOMEBODYS_ROWS
from fisio_ayida.insights import claiming, revisiting, wishes
from fisio_ayida.insights.finalized import ROWS, Finalized, columns, pages, since
from fisio_ayida.insights.wishes import Wish, folded, put
from fisio_ayida.warehouse.clinic import ClinicDoor, ClinicError

# The same that collecting asks when it keeps them, but for reading alone.
_UNSEEN: Final = f"""
select s.* from {ROWS} s (session_id, finalized_at, organization_id, patient_id)
left join insights.seen n using (session_id, finalized_at, organization_id, patient_id)
where n.session_id is null
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
    is news: a run says so, and then it rests. Nothing is written. The clinics are looked at only where the queue
    has nobody who is due.

    Args:
        conn: to our own tables, in autocommit.
    """
    if claiming.is_due(conn, now=now) or revisiting.is_news(conn, now=now):
        return True
    try:
        ids = [each.id for each in organizations.load(conn, door).clinics]
    except (ClinicError, *OF_SOMEBODYS_ROWS):
        return True
    failures: dict[str, str] = {}
    for starts in since(conn, now).looks(ids):
        for page in pages(door, conn, starts, now, failures):
            if wishes.would_be_due(conn, folded(each.wish for each in _unseen(conn, page)), now=now):
                return True
    return bool(failures)


def _unseen(conn: Connection, page: Sequence[Finalized]) -> list[Finalized]:
    new = set(conn.execute(_UNSEEN, columns(page)).fetchall())
    return [each for each in page if each.row in new]
