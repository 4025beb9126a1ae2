"""Running the checks: one pass over the clinic's relations for each, for all organisations, or for one at a time.

Here: exact counts with the first ids for each organisation, and the errors of checks that cannot run. Not here:
the checks (``checks.py``), and what follows from their results (``alerts.py``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from fisio_ayida.clinic.integrity.checks import REMINDED_WITHIN, ROWS, SESSION_AFTER, SESSION_DAYS, Check
from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order
from fisio_ayida.clinic.registry import ZONE
from fisio_ayida.clinic.reminded import REMINDERS
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida.warehouse.errors import said

#: Ids that are named of each organisation and check.
SAMPLE: Final = 20
#: Rows that belong to no organisation, and checks that could not run for any.
NOBODY: Final = ""

# Few rows are wrong, whatever the number of those that are looked at; the rest is done with those few.
_COUNT: Final = """
with wrong as materialized (
  select coalesce(o.id, '') as organization_id, x.id
  from ({check}) x left join clinic.organizations o on o.id = x.organization_id
  where {scope}),
counted as (
  select organization_id, count(*) as problems, sum(hashtextextended(id, 0))::text as digest
  from wrong group by organization_id),
named as (
  select organization_id, array_agg(id order by place) as ids
  from (select organization_id, id,
               row_number() over (partition by organization_id order by id collate "C") as place from wrong) w
  where place <= %(sample)s group by organization_id)
select organization_id, problems, ids, digest from counted join named using (organization_id)
"""
_LIST: Final = "select organization_id, id from ({check}) x where {scope}"
_FIRST_REMINDERS: Final = """
select organization_id, min(planned_at) from messaging.messages where template = any(%s) group by organization_id
"""
_REMINDED: Final = """
select distinct visit from messaging.messages m cross join lateral unnest(string_to_array(m.cause_id, ',')) visit
where m.template = any(%(templates)s) and m.cause_kind in ('appointment', 'appointments')
  and m.planned_at >= %(since)s
"""
# A reminder is planned at most so long before the visit is marked.
_PLANNED_BEFORE: Final = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found in one organisation. ``digest``: tells whether these are the same rows as before."""

    problems: int
    sample_ids: tuple[str, ...]
    digest: str


@dataclass(slots=True)
class Look:
    """What was found: by organisation (or :data:`NOBODY`) and name of the check.

    Args:
        looked_at: organisations that were looked at.
        errors: checks that could not run, for an organisation or for all (:data:`NOBODY`).
        hidden: organisations that row security hides although they were named, with the error.
    """

    looked_at: set[str] = field(default_factory=set)
    found: dict[tuple[str, str], Found] = field(default_factory=dict)
    errors: dict[tuple[str, str], str] = field(default_factory=dict)
    hidden: list[tuple[str, str]] = field(default_factory=list)

    def is_known(self, organization: str, check: str) -> bool:
        """Whether the check could run for it."""
        return not {(organization, check), (NOBODY, check)} & self.errors.keys()


def look(desk: Desk, clinics: Sequence[Clinic], order: Order) -> Look:
    """Run every check; none of them stops another one."""
    looked = Look()
    reminded = _Reminded(desk.conn, clinics, order)
    if desk.clinic.tenant is not None:
        for clinic in clinics:
            try:
                desk.clinic.each(desk.conn, [clinic.id], lambda there, _, c=clinic: _look(
                    there, [c], order, reminded, looked, only=c.id, nobody=c.id
                ))  # type: ignore[misc]  # fmt: skip
                looked.looked_at.add(clinic.id)
            except ClinicError as error:
                looked.hidden.append((clinic.id, str(error)))
        return looked
    _look(desk.clinic.on(desk.conn), clinics, order, reminded, looked, only=order.organization,
          nobody=order.organization or NOBODY)  # fmt: skip
    known = {clinic.id for clinic in clinics}
    looked.looked_at = known | (set() if order.organization else {NOBODY})
    looked.found = {key: each for key, each in looked.found.items() if key[0] in looked.looked_at}
    return looked


def _look(
    there: Connection, clinics: Sequence[Clinic], order: Order, reminded: _Reminded, looked: Look, *,
    only: str | None, nobody: str,
) -> None:  # fmt: skip
    values = _values(clinics, order, reminded) | {"only": only}
    scope = "true" if only is None else "x.organization_id = %(only)s"
    for check in ROWS:
        try:
            # Under row security a part of the transaction that names the organisation.
            with there.transaction():
                found = _found(there, check, scope, values, reminded)
        except psycopg.Error as error:
            if there.closed:
                raise
            looked.errors[nobody, check.name] = said(error)
        else:
            looked.found |= {(organization, check.name): each for organization, each in found.items()}


def _found(
    there: Connection, check: Check, scope: str, values: Mapping[str, Any], reminded: _Reminded
) -> dict[str, Found]:
    if check.in_outbox:
        if not values["reminding"]:
            return {}
        rows = there.execute(_LIST.format(check=check.sql, scope=scope), values)
        return _gathered(row for row in rows if row[1] not in reminded.visits)
    counted = there.execute(_COUNT.format(check=check.sql, scope=scope), values)
    return {organization: Found(many, tuple(ids), digest) for organization, many, ids, digest in counted}


def _gathered(rows: Iterable[tuple[str, str]]) -> dict[str, Found]:
    by_organization: dict[str, list[str]] = defaultdict(list)
    for organization, id in rows:
        by_organization[organization].append(id)
    return {
        organization: Found(len(ids), tuple(sorted(ids)[:SAMPLE]), _digest(sorted(ids)))
        for organization, ids in by_organization.items()
    }


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _values(clinics: Sequence[Clinic], order: Order, reminded: _Reminded) -> dict[str, Any]:
    reminding = [clinic.id for clinic in clinics if clinic.id in reminded.since]
    return {
        "ids": [clinic.id for clinic in clinics], "zones": [clinic.zone.key for clinic in clinics],
        "nominal": order.nominal, "day": order.nominal.astimezone(ZoneInfo(ZONE)).date(),
        "session_days": SESSION_DAYS, "session_after": SESSION_AFTER, "sample": SAMPLE,
        "reminding": reminding, "since": [reminded.since[id] for id in reminding],
    }  # fmt: skip


class _Reminded:
    """What the outbox knows of reminders; it may be in another database than the visits."""

    def __init__(self, ours: Connection, clinics: Sequence[Clinic], order: Order) -> None:
        first = dict(ours.execute(_FIRST_REMINDERS, [REMINDERS]).fetchall())
        earliest = order.nominal - REMINDED_WITHIN
        #: Since when each clinic's visits are compared.
        self.since = {c.id: max(first[c.id], earliest) for c in clinics if c.id in first}
        #: The visits that some reminder speaks of.
        self.visits: set[str] = set()
        if self.since:
            since = min(self.since.values()) - _PLANNED_BEFORE
            rows = ours.execute(_REMINDED, {"templates": REMINDERS, "since": since})
            self.visits = {visit for (visit,) in rows}
