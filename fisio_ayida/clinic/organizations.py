"""The clinics that a run works for: FisioFlow's organisations with their zones and rules, in two queries.

Here: reading them, and keeping aside one whose rules cannot be used. Not here: setting rules (``policies.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from fisio_ayida.clinic.model import BadOrder, Clinic, Rules
from fisio_ayida.messaging.model import CHANNELS, Channel
from fisio_ayida.messaging.quiet import DEFAULT
from fisio_ayida.warehouse.clinic import ClinicDoor, ClinicError

_ORGANIZATIONS: Final = """
select id, coalesce(name, '') as name, is_active, coalesce(settings, '{}') as settings from clinic.organizations
where %(only)s::text is null or id = %(only)s order by id
"""
_ZONES: Final = "select organization_id, zone from messaging.policies where organization_id = any(%s)"
_RULES: Final = f"""
select organization_id, {", ".join(each.name for each in dataclasses.fields(Rules))}
from jobs.policies where organization_id = any(%s)
"""
_IS_TABLE: Final = "select relkind in ('r', 'p') from pg_class where oid = to_regclass('clinic.organizations')"


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """The active clinics, those whose rules cannot be used with the reason, and how many are inactive."""

    clinics: list[Clinic]
    unusable: list[tuple[str, str]]
    inactive: int


def load(ours: psycopg.Connection[Any], door: ClinicDoor, *, only: str | None = None) -> Loaded:
    """The clinics of a run.

    Raises:
        BadOrder: ``only`` is no organisation.
        ClinicError: no organisation is visible at all: a job that went on would report nothing to do.
    """
    conn = door.on(ours)
    with conn.cursor(row_factory=dict_row) as cur:
        rows = cur.execute(_ORGANIZATIONS, {"only": only}).fetchall()
    if not rows and only is not None:
        raise BadOrder(f"organization={only!r} does not exist or is not visible")
    if not rows:
        _nothing_yet(conn, door)
    active = [row for row in rows if row["is_active"]]
    ids = [row["id"] for row in active]
    zones: dict[str, str] = dict(ours.execute(_ZONES, [ids]).fetchall())
    with ours.cursor(row_factory=dict_row) as cur:
        rules = {row.pop("organization_id"): row for row in cur.execute(_RULES, [ids]).fetchall()}
    clinics, unusable = [], []
    for row in active:
        try:
            clinics.append(_clinic(row, zones.get(row["id"], DEFAULT.zone), rules.get(row["id"], {})))
        except (KeyError, ValueError, OSError):
            unusable.append((row["id"], f"zone={zones[row['id']]!r} is not an IANA time zone"))
    return Loaded(clinics, unusable, len(rows) - len(active))


def days(clinics: list[Clinic], nominal: dt.datetime) -> tuple[list[str], list[dt.date]]:
    """The clinics' ids, and beside them the civil day that the moment is in each."""
    return [clinic.id for clinic in clinics], [clinic.day(nominal) for clinic in clinics]


def _clinic(row: dict[str, Any], zone: str, rules: dict[str, Any]) -> Clinic:
    settings = row["settings"] if isinstance(row["settings"], dict) else {}
    off: set[Channel] = {channel for channel in CHANNELS if settings.get(f"{channel}_enabled") in (False, "false")}
    return Clinic(
        id=row["id"], name=row["name"].strip(), zone=ZoneInfo(zone), channels_off=frozenset(off),
        rules=Rules(**rules), settings=settings,
    )  # fmt: skip


def _nothing_yet(conn: psycopg.Connection[Any], door: ClinicDoor) -> None:
    """An empty table of ours is a machine before its first clinic; an empty view is a role without rights."""
    row = conn.execute(_IS_TABLE).fetchone()
    if door.is_beside and door.tenant is None and row is not None and row[0]:
        return
    raise ClinicError("clinic.organizations shows no row: the mapping is wrong, or the role may not read it")
