"""Sessions that were finalized since the cursor, page by page, as the clinic's relations tell them.

Here: reading them, and from when on. Not here: what becomes of them (``collecting.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from psycopg.rows import class_row

from fisio_ayida.clinic.model import Connection
from fisio_ayida.insights.wishes import Wish

#: Sessions whose transaction was long show up late.
OVERLAP: Final = dt.timedelta(minutes=30)
#: What is collected when nothing ever was.
FIRST: Final = dt.timedelta(hours=24)
PAGE: Final = 1000

_CURSOR: Final = "select finalized_at from insights.cursor"
_BEHIND: Final = "select organization_id, since from insights.behind"
# The constant lower end is for the index; each organisation may have one of its own.
_PAGE: Final = """
select s.id, s.organization_id, s.patient_id, s.finalized_at
from clinic.sessions s
join unnest(%(ids)s::text[], %(since)s::timestamptz[]) as o (id, since)
  on s.organization_id = o.id and s.finalized_at >= o.since
where s.status = 'finalized' and s.deleted_at is null and s.patient_id is not null
  and (s.finalized_at, s.id) > (%(after)s, %(id)s) and s.finalized_at <= %(until)s
order by s.finalized_at, s.id limit %(page)s
"""


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


@dataclass(frozen=True, slots=True)
class Since:
    """From when on organisations' sessions are looked at. ``cursor``: how far all were, without the overlap."""

    cursor: dt.datetime
    behind: Mapping[str, dt.datetime]

    def of(self, organization: str) -> dt.datetime:
        """Of one organisation: with the overlap behind the cursor, or behind where it could be read last."""
        return min(self.behind.get(organization, self.cursor), self.cursor) - OVERLAP


def since(ours: Connection, now: dt.datetime) -> Since:
    """From when on sessions are to be looked at now."""
    row = ours.execute(_CURSOR).fetchone()
    cursor = row[0] if row else now - FIRST
    return Since(cursor, dict(ours.execute(_BEHIND).fetchall()))


def pages(there: Connection, starts: Mapping[str, dt.datetime], until: dt.datetime) -> Iterator[list[Finalized]]:
    """Sessions of organisations, in the order of (finalized_at, id).

    Args:
        starts: by organisation, the first moment.
        until: the last moment.
    """
    if not starts:
        return
    after, id = min(starts.values()), ""
    while True:
        page = _page(there, starts, after, id, until)
        if page:
            yield page
        if len(page) < PAGE:
            return
        after, id = page[-1].finalized_at, page[-1].id


def _page(
    there: Connection, starts: Mapping[str, dt.datetime], after: dt.datetime, id: str, until: dt.datetime
) -> list[Finalized]:
    values: dict[str, Any] = {
        "ids": list(starts), "since": list(starts.values()), "after": after, "id": id, "until": until,
        "page": PAGE,
    }  # fmt: skip
    with there.cursor(row_factory=class_row(Finalized)) as cur:
        return cur.execute(_PAGE, values).fetchall()
