"""What came and is no work: requests that held no usable event, and other bodies under the id of an event.

Lists without bodies, and the one body that somebody asks for. Not here: keeping them (``inbox.py``).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

Connection = psycopg.Connection[Any]

_PREFIX = re.compile("[0-9a-f]{8,64}")

REFUSED = """
select encode(digest, 'hex') as digest, null::text as event_id, last_at as at, times, source,
       status || ': ' || reason as what, length(body) as size
from events.refused
where last_at >= coalesce(%(since)s, '-infinity'::timestamptz) and encode(digest, 'hex') like %(digest)s
order by last_at desc limit %(limit)s
"""
CONFLICTS = """
select encode(digest, 'hex') as digest, event_id, received_at as at, times, source, name as what,
       coalesce(octet_length(data::text), length(raw)) as size
from events.conflicts
where received_at >= coalesce(%(since)s, '-infinity'::timestamptz) and encode(digest, 'hex') like %(digest)s
  and (%(event_id)s::text is null or event_id = %(event_id)s)
order by received_at desc limit %(limit)s
"""
BODY = """
select body from events.refused where digest = decode(%(digest)s, 'hex')
union all
select coalesce(raw, convert_to(data::text, 'UTF8')) from events.conflicts where digest = decode(%(digest)s, 'hex')
"""


@dataclass(frozen=True, slots=True)
class Unaccepted:
    """One of them. ``event_id`` is that of the event in the inbox, for another body under its id.

    ``what`` is the status and reason of a refused request, or the name of the other body; ``size`` in bytes.
    """

    digest: str
    event_id: str | None
    at: dt.datetime
    times: int
    source: str
    what: str
    size: int


def refused(
    conn: Connection, *, digest: str = "", since: dt.datetime | None = None, limit: int = 100
) -> list[Unaccepted]:
    """Requests that held nothing usable, the latest first; ``digest`` is the beginning of one, in hexadecimal."""
    with conn.cursor(row_factory=class_row(Unaccepted)) as cur:
        return cur.execute(REFUSED, {"since": since, "digest": f"{digest}%", "limit": limit}).fetchall()


def conflicts(
    conn: Connection,
    *,
    digest: str = "",
    event_id: str | None = None,
    since: dt.datetime | None = None,
    limit: int = 100,
) -> list[Unaccepted]:
    """Other bodies under the ids of events, the latest first."""
    values = {"since": since, "digest": f"{digest}%", "event_id": event_id, "limit": limit}
    with conn.cursor(row_factory=class_row(Unaccepted)) as cur:
        return cur.execute(CONFLICTS, values).fetchall()


def find(conn: Connection, prefix: str) -> list[Unaccepted]:
    """Those whose digest begins so, with at least 8 digits."""
    if not _PREFIX.fullmatch(prefix):
        return []
    return [*refused(conn, digest=prefix), *conflicts(conn, digest=prefix)]


def body(conn: Connection, digest: str) -> bytes:
    """The whole body; it may be about patients."""
    row = conn.execute(BODY, {"digest": digest}).fetchone()
    return bytes(row[0]) if row else b""
