"""Sessions that were finalized since the cursor, page by page, as the clinic's relations tell them.

Here: reading them, and from when on. Not here: what becomes of them (``collecting.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from fisio_ayida.clinic.model import Connection
from fisio_ayida.clinic.planning import OF_SOMEBODYS_ROWS
from fisio_ayida.insights.wishes import Wish
from fisio_ayida.warehouse.clinic import ClinicDoor, ClinicError
from fisio_ayida.warehouse.errors import said

#: Sessions whose transaction was long show up late.
OVERLAP: Final = dt.timedelta(minutes=30)
#: Some show up later than that; so far it is looked behind the cursor...
FAR: Final = dt.timedelta(hours=24)
#: ...not sooner than so long after the last time. A clinic that could not be read rests as long.
PAUSE: Final = dt.timedelta(hours=1)
#: What is collected when nothing ever was.
FIRST: Final = dt.timedelta(hours=24)
PAGE: Final = 1000

_CURSOR: Final = "select finalized_at, looked_far_at from insights.cursor"
_BEHIND: Final = "select organization_id, since, looked_at from insights.behind"
# The constant lower end is for the index; each organisation may have one of its own.
QUERY: Final = """
select s.id, s.organization_id, s.patient_id, s.finalized_at
from clinic.sessions s
join unnest(%(ids)s::text[], %(since)s::timestamptz[]) as o (id, since)
  on s.organization_id = o.id and s.finalized_at >= o.since
where s.status = 'finalized' and s.deleted_at is null and s.patient_id is not null
  and (s.finalized_at, s.id) > (%(after)s, %(id)s) and s.finalized_at <= %(until)s
order by s.finalized_at, s.id limit %(page)s
"""

#: The arrays of :func:`columns`, in a query.
ROWS: Final = "unnest(%s::text[], %s::timestamptz[], %s::text[], %s::text[])"
#: Whether a generation ``g`` is of a session ``s``: it is made of all until the one that was finalized last.
COVERS: Final = """
g.patient_id = s.patient_id and g.organization_id = s.organization_id
and (g.finalized_at, g.session_id collate "C") >= (s.finalized_at, s.id collate "C")
"""

#: By organisation, the first moment that is looked at.
Starts = Mapping[str, dt.datetime]


@dataclass(frozen=True, slots=True)
class Finalized:
    """A session that is finalized."""

    id: str
    organization_id: str
    patient_id: str
    finalized_at: dt.datetime

    @property
    def wish(self) -> Wish:
        """What it asks for."""
        return Wish(self.organization_id, self.patient_id, self.finalized_at, self.finalized_at)

    @property
    def row(self) -> tuple[str, dt.datetime, str, str]:
        """As it is kept when it was collected: of another patient it is another one."""
        return self.id, self.finalized_at, self.organization_id, self.patient_id


@dataclass(frozen=True, slots=True)
class Since:
    """From when on organisations' sessions are looked at.

    Args:
        cursor: how far all were looked at, without the overlap.
        overlap: how far behind it.
        behind: of organisations that could not be read, where they could be last.
        resting: those of them that are not looked at now.
    """

    cursor: dt.datetime
    overlap: dt.timedelta
    behind: Starts
    resting: Collection[str]

    @property
    def is_far(self) -> bool:
        return self.overlap > OVERLAP

    def looks(self, organizations: Collection[str]) -> list[Starts]:
        """Where each of these begins. Those that are behind stand apart: they would pull back all others."""
        others = dict.fromkeys((id for id in organizations if id not in self.behind), self.cursor - self.overlap)
        behind = {
            id: min(self.behind[id] - OVERLAP, self.cursor - self.overlap)
            for id in organizations if id in self.behind and id not in self.resting
        }  # fmt: skip
        return [each for each in (others, behind) if each]


def since(ours: Connection, now: dt.datetime, *, all_behind: bool = False) -> Since:
    """From when on sessions are to be looked at now.

    Args:
        all_behind: no organisation rests.
    """
    row = ours.execute(_CURSOR).fetchone()
    cursor, far = row or (now - FIRST, now)
    behind = {id: (start, looked) for id, start, looked in ours.execute(_BEHIND)}
    return Since(
        cursor=cursor, overlap=FAR if far is None or far <= now - PAUSE else OVERLAP,
        behind={id: start for id, (start, _) in behind.items()},
        resting=set() if all_behind else {
            id for id, (_, looked) in behind.items() if looked is not None and looked > now - PAUSE
        },
    )  # fmt: skip


def pages(
    door: ClinicDoor, ours: Connection, starts: Starts, until: dt.datetime, failures: dict[str, str]
) -> Iterator[list[Finalized]]:
    """Sessions of organisations, in the order of (finalized_at, id): of all together, or one after another.

    Each page is read in a transaction of its own: whoever works on it has nothing of the clinic's in hand.

    Args:
        until: the last moment.
        failures: gets the organisations that cannot be read, with the error.
    """
    groups = [starts] if door.tenant is None else [{id: start} for id, start in starts.items()]
    while groups:
        group, *groups = groups
        if not group:
            continue
        after: tuple[dt.datetime, str] = min(group.values()), ""
        while True:
            try:
                page = _page(door, ours, group, after, until)
            except (ClinicError, *OF_SOMEBODYS_ROWS) as error:
                if ours.closed or door.on(ours).closed:
                    raise psycopg.OperationalError("the connection was lost") from error
                if len(group) == 1:
                    failures.update(dict.fromkeys(group, said(error)))
                else:
                    # Until it is known whose rows they are; what was read before is read again.
                    ids, half = list(group), len(group) // 2
                    groups = [{id: group[id] for id in part} for part in (ids[:half], ids[half:])] + groups
                break
            if page:
                yield page
            if len(page) < PAGE:
                break
            after = page[-1].finalized_at, page[-1].id


def columns(sessions: Sequence[Finalized]) -> list[list[Any]]:
    """Their rows as four arrays."""
    return [list(column) for column in zip(*(each.row for each in sessions), strict=True)]


def _page(
    door: ClinicDoor, ours: Connection, starts: Starts, after: tuple[dt.datetime, str], until: dt.datetime
) -> list[Finalized]:
    values: dict[str, Any] = {
        "ids": list(starts), "since": list(starts.values()), "after": after[0], "id": after[1], "until": until,
        "page": PAGE,
    }  # fmt: skip

    def read(there: Connection, _: list[str]) -> list[Finalized]:
        # Of its own: a failed statement would end the transaction around it.
        with there.transaction(), there.cursor(row_factory=class_row(Finalized)) as cur:
            return cur.execute(QUERY, values).fetchall()

    [page] = door.each(ours, list(starts), read)
    return page
