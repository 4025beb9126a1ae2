"""What a clinic's database is like before jobs run on it: contract, rights, row security, organisations, words.

Here: one look at everything, for a person. Not here: what every run asks first (``checking.require``), and whether
rows make sense (``integrity/``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from fisio_ayida.clinic import organizations
from fisio_ayida.clinic.checking import Finding, findings
from fisio_ayida.clinic.contract import RELATIONS
from fisio_ayida.clinic.registry import shadowed
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse import clinic
from fisio_ayida.warehouse.engine import Warehouse, connect

Connection = psycopg.Connection[Any]

# Counted before it is classified: a clinic has many visits and few words.
_WORDS: Final = """
select w.organization_id, w.word, clinic.status_class(w.word, w.organization_id) as class, w.visits
from (select a.organization_id, coalesce(a.status, '') as word, count(*) as visits from clinic.appointments a
      where a.organization_id = any(%s) group by 1, 2) w
where clinic.status_class(w.word, w.organization_id) in ('unknown', 'other')
order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Word:
    """A status word of a clinic's visits that no job understands.

    Args:
        is_known: the clinic has made it (class ``other``); else nobody knows it.
    """

    organization_id: str
    word: str
    is_known: bool
    visits: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen.

    Args:
        database: its URL without a password.
        secured: tables of which row security hides rows from us, so that work goes organisation by organisation.
        visible, inactive: organisations; None: they could not be counted.
        words: empty where something stops.
    """

    database: str
    secured: list[str]
    findings: list[Finding]
    visible: int | None
    inactive: int | None
    words: list[Word]
    shadowed: frozenset[str]

    @property
    def stops(self) -> bool:
        """Whether no job would run."""
        return any(each.stops for each in self.findings)


def survey(settings: Settings, warehouse: Warehouse) -> Survey:
    """Look at the clinic's database of these settings; nothing is changed.

    Raises:
        WarehouseError: CLINIC_DATABASE_URL does not answer.
        UnknownJob: CLINIC_SHADOW names a job that there is not.
    """
    given = settings.clinic_database()
    in_shadow = shadowed(settings.clinic_shadow)
    with _there(settings, warehouse) as there:
        found = [*findings(there), *_unreadable(there)]
        found += [
            Finding(table, f"row security hides all of its rows from us: {why}", stops=True)
            for table, why in clinic.row_security_faults(there, settings.clinic_tenant_setting)
        ]
        secured = clinic.row_secured(there)
    visible, inactive, words = None, None, list[Word]()
    if not any(each.stops for each in found):
        with warehouse.connect(autocommit=True) as ours, clinic.open_clinic(settings, warehouse) as door:
            try:
                loaded = organizations.load(ours, door)
                found += [Finding(f"organization {id}", why, stops=False) for id, why in loaded.unusable]
                ids = [each.id for each in loaded.clinics]
                visible, inactive = len(ids) + len(loaded.unusable) + loaded.inactive, loaded.inactive
                words = [word for group in door.each(ours, ids, _words) for word in group]
            except clinic.ClinicError as error:
                found.append(Finding("clinic.organizations", str(error), stops=True))
    database = (given or warehouse.url).masked
    return Survey(database, secured, found, visible, inactive, words, in_shadow)


@contextmanager
def _there(settings: Settings, warehouse: Warehouse) -> Iterator[Connection]:
    # Not through the door: it does not open where row security is at fault.
    given = settings.clinic_database()
    with connect(given or warehouse.url, autocommit=True, application_name="fisio_ayida clinic") as conn:
        yield conn


def _unreadable(conn: Connection) -> Iterator[Finding]:
    """Relations that our role has no right to read."""
    for relation in RELATIONS.values():
        try:
            conn.execute(f"select from clinic.{relation.name} limit 0".encode())
        except psycopg.errors.InsufficientPrivilege as error:
            what = f"may not be read: {error.diag.message_primary}"
            yield Finding(f"clinic.{relation.name}", what, relation.needed)
        except psycopg.errors.UndefinedTable:
            pass  # A finding already.


def _words(conn: Connection, ids: list[str]) -> list[Word]:
    rows = conn.execute(_WORDS, [ids]).fetchall()
    return [Word(organization, word, kind == "other", visits) for organization, word, kind, visits in rows]
