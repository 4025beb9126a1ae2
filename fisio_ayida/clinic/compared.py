"""The two sides of a comparison: what a job decided or planned, and what FisioFlow's old cron sent.

Here: reading both, from the tables or a CSV file, with each clinic's civil day. Not here: matching
(``comparing.py``). The clinic's relations may be in another database than our tables.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import namedtuple_row

from fisio_ayida.clinic.comparing import Comparison, Ours, Theirs, match
from fisio_ayida.clinic.model import BadOrder, Connection
from fisio_ayida.clinic.telling import TOLD
from fisio_ayida.messaging.quiet import DEFAULT
from fisio_ayida.warehouse.clinic import ClinicDoor, ClinicError

#: What a CSV file must have; ``appointment_id`` and ``channel`` may be empty.
COLUMNS: Final = ("patient_id", "appointment_id", "channel", "sent_at")

_DAY: Final = dt.timedelta(days=1)
_VISITS: Final = ("appointment", "appointments", "visit")

_DECIDED: Final = """
select key, outcome = 'shadow' as is_planned, organization_id, patient_id, cause_kind, cause_id, channel,
       case outcome when 'shadow' then coalesce(due_at, at) end as moment, day, reason, detail
from jobs.decisions
where job = %(job)s
  and case outcome when 'shadow' then coalesce(due_at, at) >= %(from)s and coalesce(due_at, at) < %(to)s
      else day between %(first)s and %(last)s end
order by id
"""
_PLANNED: Final = f"""
select key, {TOLD} as is_planned, organization_id, patient_id, cause_kind, cause_id, channel,
       coalesce(accepted_at, due_at) as moment, null::date as day,
       case state when 'skipped' then split_part(reason, ':', 1) else state end as reason, reason as detail
from messaging.messages
where job = %(job)s and coalesce(accepted_at, due_at) >= %(from)s and coalesce(accepted_at, due_at) < %(to)s
order by id
"""
_ORGANIZATIONS: Final = "select id from clinic.organizations order by id"
_ZONES: Final = "select organization_id, zone from messaging.policies"
_SENT: Final = """
select organization_id, patient_id, appointment_id, coalesce(channel, '') as channel, sent_at
from clinic.old_messages
where kind = %(job)s and organization_id = any(%(ids)s) and patient_id is not null
  and sent_at >= %(from)s and sent_at < %(to)s
"""
_CLINICS_OF: Final = """
select id, organization_id from clinic.patients where id = any(%s) and organization_id = any(%s)
"""


class Zones:
    """Each clinic's zone; of a clinic that has told none, and of one that nobody knows, São Paulo's."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._made: dict[str, ZoneInfo] = {}

    def day(self, organization: str, moment: dt.datetime) -> dt.date:
        """The civil day of a moment in a clinic."""
        name = self._names.get(organization, DEFAULT.zone)
        if name not in self._made:
            self._made[name] = _zone(name)
        return moment.astimezone(self._made[name]).date()


def compare(
    conn: Connection, clinic: ClinicDoor, job: str, first: dt.date, last: dt.date, *,
    sent: Iterable[Mapping[str, str]] | None = None,
) -> Comparison:  # fmt: skip
    """What ``job`` planned, or would have in shadow mode, against the old cron, from ``first`` to ``last``.

    Args:
        conn: to our own tables, in autocommit.
        sent: rows of a file (:func:`rows_of`) instead of ``clinic.old_messages``.

    Raises:
        BadOrder: the days are the wrong way round or no days of ours, or a row of the file cannot be read.
        ClinicError: there is no ``clinic.old_messages``.
    """
    if last < first:
        raise BadOrder(f"to={last} is before from={first}")
    zones = Zones(dict(conn.execute(_ZONES).fetchall()))
    ids = [id for (id,) in clinic.on(conn).execute(_ORGANIZATIONS)]
    values = {
        "job": job, "first": first, "last": last,
        # No zone is further from UTC than this.
        "from": _shifted("from", first, -_DAY), "to": _shifted("to", last, 2 * _DAY),
    }  # fmt: skip
    if sent is None:
        theirs = _from_table(conn, clinic, ids, values, zones)
    else:
        theirs = _from_rows(conn, clinic, ids, list(sent), zones)
    ours = [each for each in _ours(conn, values, zones) if first <= each.day <= last]
    return match(job, ours, [each for each in theirs if first <= each.day <= last])


def rows_of(lines: Iterable[str]) -> list[Mapping[str, str]]:
    """The rows of a CSV file with a line of names.

    Raises:
        BadOrder: a column is missing.
    """
    reader = csv.DictReader(lines, strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise BadOrder(f"the file has no column {', '.join(missing)}; due are {', '.join(COLUMNS)}")
        return list(reader)
    except csv.Error as error:
        raise BadOrder(f"the file is not CSV: line {reader.line_num}: {error}") from None


def _shifted(name: str, day: dt.date, by: dt.timedelta) -> dt.datetime:
    try:
        return dt.datetime.combine(day, dt.time(), dt.UTC) + by
    except OverflowError:
        raise BadOrder(f"{name}={day} is too near to the end of all years") from None


def _ours(conn: Connection, values: Mapping[str, Any], zones: Zones) -> list[Ours]:
    rows: list[Any] = []
    with conn.cursor(row_factory=namedtuple_row) as cur:
        rows += cur.execute(_DECIDED, values).fetchall()
        rows += cur.execute(_PLANNED, values).fetchall()
    return [
        Ours(
            key=row.key, organization_id=row.organization_id, patient_id=row.patient_id, channel=row.channel,
            day=row.day if row.moment is None else zones.day(row.organization_id, row.moment),
            visit_ids=tuple(row.cause_id.split(",")) if row.cause_kind in _VISITS else (),
            reason="" if row.is_planned else row.reason,
            detail="" if row.is_planned else _beyond(row.reason, row.detail),
        )
        for row in rows
    ]  # fmt: skip


def _beyond(reason: str, detail: str) -> str:
    """What a detail says more than its reason; the outbox writes both as one."""
    return detail.removeprefix(f"{reason}: ")


def _from_table(
    conn: Connection, clinic: ClinicDoor, ids: Sequence[str], values: Mapping[str, Any], zones: Zones
) -> list[Theirs]:
    def sent(there: Connection, organizations: list[str]) -> list[Any]:
        with there.cursor(row_factory=namedtuple_row) as cur:
            return cur.execute(_SENT, {**values, "ids": organizations}).fetchall()

    try:
        groups = clinic.each(conn, ids, sent)
    except psycopg.errors.UndefinedTable:
        raise ClinicError(
            "clinic.old_messages is not there: add it to the mapping, or give --file with a CSV of what was sent"
        ) from None
    return [
        Theirs(
            organization_id=row.organization_id, day=zones.day(row.organization_id, row.sent_at),
            patient_id=row.patient_id, visit_id=row.appointment_id, channel=row.channel,
        )
        for rows in groups for row in rows
    ]  # fmt: skip


def _from_rows(
    conn: Connection, clinic: ClinicDoor, ids: Sequence[str], rows: Sequence[Mapping[str, str]], zones: Zones
) -> list[Theirs]:
    patients = sorted({_cell(row, "patient_id") for row in rows})

    def clinics_of(there: Connection, organizations: list[str]) -> list[Any]:
        return there.execute(_CLINICS_OF, [patients, organizations]).fetchall()

    of: dict[str, str] = dict(row for group in clinic.each(conn, ids, clinics_of) for row in group)
    theirs = []
    # The first line has the names.
    for number, row in enumerate(rows, start=2):
        patient = _cell(row, "patient_id")
        if not patient:
            raise BadOrder(f"line {number}: patient_id is empty")
        organization = of.get(patient, "")
        theirs.append(Theirs(
            organization_id=organization, day=zones.day(organization, _moment(_cell(row, "sent_at"), number)),
            patient_id=patient, visit_id=_cell(row, "appointment_id") or None, channel=_cell(row, "channel"),
        ))  # fmt: skip
    return theirs


def _cell(row: Mapping[str, str], name: str) -> str:
    # A line that is too short has None.
    return (row.get(name) or "").strip()


def _moment(text: str, number: int) -> dt.datetime:
    """An instant; without a zone it is UTC, as FisioFlow's timestamps are."""
    try:
        found = dt.datetime.fromisoformat(text)
        # Whatever the clinic's zone, it has a day there.
        if not dt.MINYEAR < found.year < dt.MAXYEAR:
            raise ValueError
    except ValueError:
        what = f"line {number}: sent_at={text[:40]!r} is not a moment such as 2026-03-12T09:00:00Z"
        raise BadOrder(what) from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(DEFAULT.zone)
