"""Publishing: the clinic's table gets the items that are current, and lets those expire that they replace.

Where the clinic's tables are beside ours it is one transaction; elsewhere theirs comes first, and what a crash
leaves between the two is done again, which changes nothing. Not here: which items there are (``storing.py``), and
whose are looked at (``working.py``, ``revisiting.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import psycopg

from fisio_ayida.clinic.model import Connection, Desk
from fisio_ayida.insights.claiming import Claimed
from fisio_ayida.insights.making import OF_A_CLINIC, OF_A_PATIENT
from fisio_ayida.warehouse.errors import said

#: Of an item: the clinic's table has to get it, or to let it expire.
NEW: Final = "published_at is null and superseded_at is null and expires_at > %(now)s"
OLD: Final = "published_at is not null and superseded_at is not null and withdrawn_at is null"
_WAITING: Final = f"""
select distinct i.organization_id, i.patient_id
from unnest(%(organizations)s::text[], %(patients)s::text[]) w (organization_id, patient_id)
join insights.items i using (organization_id, patient_id)
where i.patient_id = any(%(patients)s) and ({NEW} or {OLD})
"""
# Locked until it is marked: who supersedes one of them meanwhile waits, and then withdraws it.
_SHELF: Final = f"""
select id::text, superseded_at is not null,
       jsonb_build_object('id', id, 'insight_type', insight_type, 'insight_text', insight_text,
         'related_metric', related_metric, 'metric_value', metric_value, 'comparison_value', comparison_value,
         'expires_at', expires_at)::text
from insights.items
where organization_id = %(organization)s and patient_id = %(patient)s and ({NEW} or {OLD})
order by created_at, id for update
"""
_STORE: Final = "select clinic.store_insights(%s, %s, %s::jsonb, %s::text[], %s)"
_PUBLISHED: Final = "update insights.items set published_at = %s where id = any(%s::uuid[])"
_WITHDRAWN: Final = "update insights.items set withdrawn_at = %s where id = any(%s::uuid[])"


@dataclass(slots=True)
class Published:
    """What came of it. ``troubles``, ``clinics``: as of a group."""

    items: int = 0
    withdrawn: int = 0
    troubles: list[tuple[Claimed, str]] = field(default_factory=list)
    clinics: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Shelf:
    items: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    old: list[str] = field(default_factory=list)


def publish(desk: Desk, patients: Sequence[Claimed], *, now: dt.datetime) -> Published:
    """Bring the clinics' tables up to date with our items of these patients, each on its own.

    Of each, what its own organisation has: a patient who is another's now is withdrawn where it was shown.
    """
    found = Published()
    values = {
        "organizations": [who.organization_id for who in patients],
        "patients": [who.patient_id for who in patients], "now": now,
    }  # fmt: skip
    waiting = set(desk.conn.execute(_WAITING, values).fetchall())
    for who in patients:
        if who.pair not in waiting or who.organization_id in found.clinics:
            continue
        try:
            shelf = _publish(desk, who, now)
        except OF_A_CLINIC as error:
            found.clinics[who.organization_id] = said(error)
        except OF_A_PATIENT as error:
            if desk.conn.closed:
                raise psycopg.OperationalError("the connection was lost") from error
            found.troubles.append((who, said(error)))
        else:
            found.items += len(shelf.new)
            found.withdrawn += len(shelf.old)
    return found


def _publish(desk: Desk, who: Claimed, now: dt.datetime) -> _Shelf:
    with desk.conn.transaction():
        shelf = _shelf(desk.conn, who, now)
        if shelf.new or shelf.old:
            _write(desk, who, shelf, now)
        return shelf


def _shelf(conn: Connection, who: Claimed, now: dt.datetime) -> _Shelf:
    shelf, values = _Shelf(), {"organization": who.organization_id, "patient": who.patient_id, "now": now}
    for id, is_superseded, item in conn.execute(_SHELF, values):
        if is_superseded:
            shelf.old.append(id)
        else:
            shelf.new.append(id)
            shelf.items.append(item)
    return shelf


def _write(desk: Desk, who: Claimed, shelf: _Shelf, now: dt.datetime) -> None:
    items = msgspec.json.encode([msgspec.Raw(each.encode()) for each in shelf.items]).decode()

    def store(there: Connection) -> int:
        given: list[Any] = [who.organization_id, who.patient_id, items, shelf.old, now]
        row = there.execute(_STORE, given).fetchone()
        return int(row[0]) if row is not None else 0

    stored = desk.clinic.within(desk.conn, who.organization_id, store)
    if stored != len(shelf.new):
        raise ValueError(f"{stored} of {len(shelf.new)} insights stand in clinic.patient_insights")
    desk.conn.execute(_PUBLISHED, [now, shelf.new])
    desk.conn.execute(_WITHDRAWN, [now, shelf.old])
