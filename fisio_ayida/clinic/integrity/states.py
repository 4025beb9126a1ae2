"""What is true of each organisation and check now, against what was true before: ``jobs.integrity``.

Here: reading, comparing and writing the rows. Not here: running the checks (``looking.py``), and who is told of
what is new (``alerts.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import class_row

from fisio_ayida.clinic.integrity.checks import CHECKS
from fisio_ayida.clinic.integrity.looking import SAMPLE, Found, Look
from fisio_ayida.clinic.model import Order

_READ: Final = """
select organization_id, check_name, problems, sample_ids, digest, nominal, checked_at, error, bad_since, alerted_at
from jobs.integrity where organization_id = any(%s)
"""
# Of one in which nothing was ever found nothing is stored: the others' runs were its runs.
_LATEST: Final = """
select o.id from unnest(%(organizations)s::text[]) o (id)
where not coalesce((select max(i.nominal) from jobs.integrity i where i.organization_id = o.id),
                   (select max(nominal) from jobs.integrity), '-infinity') > %(nominal)s
order by o.id
"""
_WRITE: Final = """
insert into jobs.integrity (organization_id, check_name, problems, sample_ids, digest, error, bad_since,
                            alerted_at, nominal, checked_at, run_id)
select r.organization_id, r.check_name, r.problems, r.sample_ids, r.digest, r.error, r.bad_since, r.alerted_at,
       r.nominal, r.checked_at, %(run_id)s
from json_to_recordset(convert_from(%(rows)b, 'UTF8')::json)
  as r (organization_id text, check_name text, problems bigint, sample_ids text[], digest text, error text,
        bad_since timestamptz, alerted_at timestamptz, nominal timestamptz, checked_at timestamptz)
order by r.organization_id, r.check_name
on conflict (organization_id, check_name) do update set
  problems = excluded.problems, sample_ids = excluded.sample_ids, digest = excluded.digest, error = excluded.error,
  bad_since = excluded.bad_since, alerted_at = excluded.alerted_at, nominal = excluded.nominal,
  checked_at = excluded.checked_at, run_id = excluded.run_id
where jobs.integrity.nominal <= excluded.nominal
"""


@dataclass(slots=True)
class State:
    """A row of ``jobs.integrity``.

    Args:
        problems: None if the check could not run.
        nominal: the moment that the run stood for.
        error: why it could not.
        alerted_at: the moment of the last run that told of this; empty: nobody was told. On a check that finds
            nothing any more: that it had been told, and that its end was not.
    """

    organization_id: str
    check_name: str
    problems: int | None
    sample_ids: list[str]
    digest: str
    nominal: dt.datetime
    checked_at: dt.datetime
    error: str | None = None
    bad_since: dt.datetime | None = None
    alerted_at: dt.datetime | None = None

    @property
    def is_bad(self) -> bool:
        """Something was found, or nothing could be looked for."""
        return self.problems != 0


def is_news(before: State, now: State) -> bool:
    """Whether what is bad now is worse than before or other; fewer of the same rows are none."""
    if not before.is_bad or (before.problems is None) != (now.problems is None):
        return True
    if before.problems is None or now.problems is None or now.problems == before.problems:
        return now.digest != before.digest
    if now.problems > before.problems:
        return True
    # Ids are named in order: all of them, or else up to the last one that is.
    named, last = set(before.sample_ids), max(before.sample_ids)
    return any(id not in named and (before.problems <= SAMPLE or id < last) for id in now.sample_ids)


def read(conn: psycopg.Connection[Any], looked: Look, order: Order) -> dict[str, list[State]]:
    """By organisation, what is true of each check that finds something, or did; in the registry's order.

    Of a check that could not run this time, what was true last. An organisation of which a run for a later moment
    has been is left out: what is found now is not what is true of it.
    """
    asked = sorted(looked.looked_at | {organization for organization, _ in looked.errors})
    values = {"organizations": asked, "nominal": order.nominal}
    concerned = [organization for (organization,) in conn.execute(_LATEST, values)]
    with conn.cursor(row_factory=class_row(State)) as cur:
        stored = {(row.organization_id, row.check_name): row for row in cur.execute(_READ, [concerned])}
    states: dict[str, list[State]] = {}
    for organization in concerned:
        for check in CHECKS:
            before = stored.get((organization, check))
            now = _now(looked, organization, check, before, order)
            if now is not None:
                states.setdefault(organization, []).append(_followed(before, now, order))
    return states


def write(conn: psycopg.Connection[Any], states: Mapping[str, Iterable[State]], order: Order) -> None:
    """Keep the states."""
    rows = [state for each in states.values() for state in each]
    conn.execute(_WRITE, {"rows": msgspec.json.encode(rows), "run_id": order.run_id})


def _now(looked: Look, organization: str, check: str, before: State | None, order: Order) -> State | None:
    error = looked.errors.get((organization, check))
    if error is not None:
        return State(organization, check, None, [], error, order.nominal, order.now, error)
    if not looked.is_known(organization, check):
        return before
    found = looked.found.get((organization, check), None if before is None else Found(0, (), ""))
    if found is None:
        return None
    ids = list(found.sample_ids)
    return State(organization, check, found.problems, ids, found.digest, order.nominal, order.now)


def _followed(before: State | None, now: State, order: Order) -> State:
    """With its past: since when it is bad, and when that was told."""
    if now.is_bad:
        now.bad_since = (before.bad_since if before else None) or order.nominal
    if before is not None and not (now.is_bad and is_news(before, now)):
        now.alerted_at = before.alerted_at
    return now
