"""Patients' records from the clinic's relations: as much of them as insights are made from, and no more.

Here: which sessions and visits count, by what a patient may be known, and whose record is not read at all. Not
here: what lists in a session mean (``contents.py``), and what follows from a record (``facts/``, ``narrative/``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import namedtuple_row

from fisio_ayida.clinic import checking
from fisio_ayida.clinic.contract import STORE_INSIGHTS
from fisio_ayida.insights import contents
from fisio_ayida.insights.model import Identity, Record, Session, Visit

Connection = psycopg.Connection[Any]
#: An organisation and a patient.
Pair = tuple[str, str]

#: How far back visits and sessions are read, the day itself not counted.
WINDOW: Final = dt.timedelta(days=400)
#: Sessions of a patient, the newest ones.
MOST_SESSIONS: Final = 40
#: Characters of a note that are read.
LONGEST_NOTE: Final = 50_000
#: Characters of a list; a longer one cannot be read.
LONGEST_LIST: Final = 200_000
#: With fewer, something with digits is a name.
_DIGITS: Final = 5
_OLDEST: Final = 130

_RELATIONS: Final = ("session_contents", "patient_profiles")

# Both ids decide: a patient of another organisation is none, even where all rows are visible. Each relation is
# looked through once and then joined: without statistics, or under row security, PostgreSQL would do it for each
# patient.
_PATIENTS: Final = """
with people as materialized (
  select p.* from clinic.patients p where p.id = any(%(patients)s) and p.deleted_at is null),
profiles as materialized (
  select f.* from clinic.patient_profiles f where f.patient_id = any(%(patients)s))
select p.organization_id, p.id as patient_id, p.full_name, p.social_name, p.phone, p.email, p.date_of_birth,
       o.name as clinic, f.sex, f.complaint, coalesce(f.identifiers, '{}') as identifiers,
       coalesce(f.allows_insights, true) as allows_insights, coalesce(f.consents, false) as consents
from unnest(%(organizations)s::text[], %(patients)s::text[]) w (organization_id, patient_id)
join people p on p.id = w.patient_id and p.organization_id = w.organization_id
left join profiles f on f.patient_id = p.id and f.organization_id = p.organization_id
left join clinic.organizations o on o.id = p.organization_id
"""
_STAFF: Final = """
select organization_id, full_name from clinic.staff where organization_id = any(%s) order by user_id
"""
# The civil day of a visit is its appointment's; of a session without one, or with somebody else's, its own. No
# session was held after it was finalized: then the visit was moved, or its day is wrong. A patient's newest
# session is read however old it is: it tells too old from none.
_SESSIONS: Final = """
with finalized as (
  select s.id, s.organization_id, s.patient_id, s.finalized_at, w.since, w.today,
         least(coalesce(a.date, (s.date at time zone w.zone)::date), (s.finalized_at at time zone w.zone)::date)
           as day
  from unnest(%(organizations)s::text[], %(patients)s::text[], %(since)s::date[], %(todays)s::date[],
              %(zones)s::text[]) w (organization_id, patient_id, since, today, zone)
  join clinic.sessions s on s.patient_id = w.patient_id and s.organization_id = w.organization_id
    and s.patient_id = any(%(patients)s) and s.status = 'finalized' and s.finalized_at is not null
    and s.deleted_at is null
  left join clinic.appointments a on a.id = s.appointment_id and a.organization_id = s.organization_id
    and a.patient_id = s.patient_id),
ranked as (
  select *, count(*) over patient as many,
         row_number() over (patient order by day desc, finalized_at desc, id desc) as place
  from finalized where day <= today window patient as (partition by organization_id, patient_id))
select id, organization_id, patient_id, finalized_at, day, since, many from ranked
where place <= %(most)s and (day >= since or place = 1) order by day, finalized_at, id
"""
# As text: some JSON has no value in Python.
_CONTENTS: Final = """
select c.session_id, c.pain_scale, left(c.note, %(note)s) as note,
       left(c.procedures::text, %(list)s) as procedures, left(c.exercises::text, %(list)s) as exercises,
       left(c.measurements::text, %(list)s) as measurements,
       left(c.home_exercises::text, %(list)s) as home_exercises
from unnest(%(sessions)s::text[], %(organizations)s::text[], %(patients)s::text[])
  w (session_id, organization_id, patient_id)
join clinic.session_contents c on c.session_id = w.session_id and c.organization_id = w.organization_id
  and c.patient_id = w.patient_id
"""
_VISITS: Final = """
select a.organization_id, a.patient_id, a.id, a.date as day,
       clinic.status_class(a.status, a.organization_id) as status
from unnest(%(organizations)s::text[], %(patients)s::text[], %(since)s::date[])
  w (organization_id, patient_id, since)
join clinic.appointments a on a.patient_id = w.patient_id and a.organization_id = w.organization_id
  and a.patient_id = any(%(patients)s) and a.deleted_at is null and a.date >= w.since
order by a.date, a.start_time, a.id
"""


@dataclass(frozen=True, slots=True)
class Read:
    """Records, and of the other patients why theirs were not read: words of ``model.REASONS``."""

    records: dict[Pair, Record]
    withheld: dict[Pair, str]


class _Found(NamedTuple):
    """The sessions of a patient, none if all are too old, and how many there are beside them."""

    sessions: tuple[Session, ...] = ()
    earlier: int = 0


def require(there: Connection) -> None:
    """That the clinic's database has what only insights need.

    Raises:
        ClinicError: it has not; the text names what, and what to do.
    """
    checking.require_all(there, relations=_RELATIONS, functions=(STORE_INSIGHTS,))


def read(
    there: Connection, wanted: Sequence[Pair], today: Mapping[str, dt.date], zones: Mapping[str, ZoneInfo]
) -> Read:
    """The records of patients, in a fixed number of statements.

    Args:
        there: a connection on which these organisations' rows are visible.
        today: civil day on which windows end, by organisation; later sessions do not count.
        zones: by organisation.

    Of whom nothing may be used, nothing but that is read.
    """
    pairs = list(dict.fromkeys(wanted))
    known = _patients(there, pairs)
    withheld = _refusals(pairs, known)
    allowed = [pair for pair in pairs if pair not in withheld]
    if not allowed:
        return Read({}, withheld)
    some = _sessions(there, allowed, today, zones)
    found = {pair: each for pair, each in some.items() if each.sessions}
    withheld |= {pair: "too_old" if pair in some else "no_session" for pair in allowed if pair not in found}
    visits = _visits(there, list(found), today)
    staff = _staff(there, sorted({organization for organization, _ in found}))
    records = {
        pair: _record(known[pair], today[pair[0]], found[pair], visits[pair], staff[pair[0]])
        for pair in allowed if pair in found
    }  # fmt: skip
    return Read(records, withheld)


def refusals(there: Connection, wanted: Sequence[Pair]) -> dict[Pair, str]:
    """Of these patients those of whom nothing may be used, and why; what there is of the others is not read."""
    return _refusals(wanted, _patients(there, wanted))


def _patients(there: Connection, pairs: Sequence[Pair]) -> dict[Pair, Any]:
    return {(row.organization_id, row.patient_id): row for row in _rows(there, _PATIENTS, _columns(pairs))}


def _refusals(pairs: Sequence[Pair], known: Mapping[Pair, Any]) -> dict[Pair, str]:
    return {pair: reason for pair in pairs if (reason := _refusal(known.get(pair)))}


def _refusal(row: Any | None) -> str:
    if row is None:
        return "unknown_patient"
    if not row.allows_insights:
        return "ai_off_patient"
    return "" if row.consents else "no_consent"


def _sessions(
    there: Connection, pairs: Sequence[Pair], today: Mapping[str, dt.date], zones: Mapping[str, ZoneInfo]
) -> dict[Pair, _Found]:
    """By patient; who has none is not in it."""
    values = _columns(pairs) | {
        "since": [today[organization] - WINDOW for organization, _ in pairs],
        "todays": [today[organization] for organization, _ in pairs],
        "zones": [zones[organization].key for organization, _ in pairs],
        "most": MOST_SESSIONS,
    }
    newest = _rows(there, _SESSIONS, values)
    rows = [row for row in newest if row.day >= row.since]
    said = _rows(there, _CONTENTS, {
        "sessions": [row.id for row in rows], "organizations": [row.organization_id for row in rows],
        "patients": [row.patient_id for row in rows], "note": LONGEST_NOTE, "list": LONGEST_LIST,
    })  # fmt: skip
    by_session = {row.session_id: row for row in said}
    groups: dict[Pair, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.organization_id, row.patient_id].append(row)
    return {(row.organization_id, row.patient_id): _Found() for row in newest} | {
        pair: _Found(tuple(_session(row, by_session.get(row.id)) for row in own), own[0].many - len(own))
        for pair, own in groups.items()
    }


def _session(row: Any, said: Any | None) -> Session:
    if said is None:
        return Session(id=row.id, day=row.day, finalized_at=row.finalized_at)
    content = contents.read(
        pain=said.pain_scale, procedures=said.procedures, exercises=said.exercises,
        home_exercises=said.home_exercises, measurements=said.measurements,
    )  # fmt: skip
    return Session(
        id=row.id, day=row.day, finalized_at=row.finalized_at, note=said.note or "", pain=content.pain,
        procedures=content.procedures, exercises=content.exercises, home_exercises=content.home_exercises,
        measurements=content.measurements, unusable=content.unusable,
    )  # fmt: skip


def _visits(
    there: Connection, pairs: Sequence[Pair], today: Mapping[str, dt.date]
) -> Mapping[Pair, Sequence[Visit]]:
    since = [today[organization] - WINDOW for organization, _ in pairs]
    visits: dict[Pair, list[Visit]] = defaultdict(list)
    for row in _rows(there, _VISITS, _columns(pairs) | {"since": since}):
        visits[row.organization_id, row.patient_id].append(Visit(id=row.id, day=row.day, status=row.status))
    return visits


def _staff(there: Connection, organizations: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The names of who works or has worked in a clinic: notes mention them."""
    names: dict[str, list[str]] = defaultdict(list)
    for organization, name in there.execute(_STAFF, [organizations]):
        names[organization].append(name)
    return names


def _record(row: Any, today: dt.date, found: _Found, visits: Sequence[Visit], staff: Sequence[str]) -> Record:
    sex = (row.sex or "").strip().upper()
    return Record(
        organization_id=row.organization_id, patient_id=row.patient_id, today=today, visits=tuple(visits),
        sessions=found.sessions, age=_age(row.date_of_birth, today), sex=sex if sex in ("F", "M", "O") else "",
        complaint=row.complaint or "", identity=_identity(row, staff), earlier=found.earlier,
    )  # fmt: skip


def _age(born: dt.date | None, today: dt.date) -> int | None:
    """Years completed; none of an impossible day."""
    if born is None:
        return None
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return years if 0 <= years <= _OLDEST else None


def _identity(row: Any, staff: Sequence[str]) -> Identity:
    names, numbers, addresses = [row.full_name, row.social_name], [row.phone], [row.email]
    for identifier in row.identifiers:
        if "@" in (identifier or ""):
            addresses.append(identifier)
        elif sum(sign.isdigit() for sign in identifier or "") >= _DIGITS:
            numbers.append(identifier)
        else:
            names.append(identifier)
    return Identity(
        names=_said([*names, row.clinic, *staff]), numbers=_said(numbers), addresses=_said(addresses)
    )  # fmt: skip


def _said(values: Iterable[str | None]) -> tuple[str, ...]:
    """Each that there is, once."""
    return tuple(dict.fromkeys(value.strip() for value in values if value and value.strip()))


def _columns(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {"organizations": [pair[0] for pair in pairs], "patients": [pair[1] for pair in pairs]}


def _rows(there: Connection, query: str, values: Mapping[str, Any]) -> list[Any]:
    with there.cursor(row_factory=namedtuple_row) as cur:
        return cur.execute(query, values).fetchall()
