"""Whether a database keeps the contract (``contract.py``): relations, columns, types, functions.

Here: one query of the catalogue, which every run asks first, and its comparison. Not here: row security
(``warehouse/clinic.py``), and whether rows make sense (``integrity/``).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from fisio_ayida.clinic.contract import FUNCTIONS, RELATIONS
from fisio_ayida.warehouse.clinic import ClinicError

_COLUMNS: Final = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = to_regnamespace('clinic') and c.relkind in ('r', 'p', 'v', 'm', 'f')
"""
_FUNCTIONS: Final = "select f from unnest(%s::text[]) f where to_regprocedure(f) is null"
#: Types that are as good where the first is due: what a view gives without a cast.
_AS_GOOD: Final = {"text": ("character varying", "character"), "integer": ("smallint",), "numeric": ("integer",)}
_LENGTH: Final = re.compile(r"\([0-9, ]+\)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. ``stops``: no job runs with it."""

    where: str
    what: str
    stops: bool


def findings(conn: psycopg.Connection[Any]) -> list[Finding]:
    """What is missing or of another type, in the order of the contract."""
    there: dict[str, dict[str, str]] = {}
    for relation, column, type in conn.execute(_COLUMNS):
        there.setdefault(relation, {})
        if column is not None:
            there[relation][column] = type
    found: list[Finding] = []
    for relation in RELATIONS.values():
        columns = there.get(relation.name)
        name = f"clinic.{relation.name}"
        if columns is None:
            found.append(Finding(name, "the relation is missing", relation.needed))
            continue
        for column in relation.columns:
            type = columns.get(column.name)
            if type is None:
                found.append(Finding(f"{name}.{column.name}", f"missing; {column.type} is due", relation.needed))
            elif not _is(type, column.type):
                what = f"is {type}; {column.type} is due"
                found.append(Finding(f"{name}.{column.name}", what, relation.needed))
    missing = {name for (name,) in conn.execute(_FUNCTIONS, [[each.name for each in FUNCTIONS]])}
    found += [
        Finding(each.name, "the function is missing", each.needed) for each in FUNCTIONS if each.name in missing
    ]
    return found


def require(conn: psycopg.Connection[Any]) -> None:
    """Raises :class:`ClinicError` with all that stops a job, one clause each."""
    stopping = [f"{each.where}: {each.what}" for each in findings(conn) if each.stops]
    if stopping:
        raise ClinicError(
            f"the clinic's database does not keep the contract: {'; '.join(stopping)}. `fisio-ayida clinic check`"
        )


def require_all(conn: psycopg.Connection[Any], *, relations: Collection[str], functions: Collection[str]) -> None:
    """For what needs more than other jobs do: these relations whole and readable, and these functions.

    Raises:
        ClinicError: with all that is missing, one clause each.
    """
    names = [*(f"clinic.{relation}" for relation in relations), *functions]
    faults = [f"{each.where}: {each.what}" for each in findings(conn) if _belongs(each.where, names)]
    faults = faults or [f"clinic.{each}: may not be read" for each in relations if not _may_read(conn, each)]
    if faults:
        raise ClinicError(
            f"the clinic's database lacks what this job needs: {'; '.join(faults)}. "
            "Run `fisio-ayida clinic mapping` on it again, with the grants that its head names"
        )


def _belongs(where: str, names: Collection[str]) -> bool:
    """Whether a finding is about one of these, or about a column of it."""
    return where in names or where.rpartition(".")[0] in names


def _may_read(conn: psycopg.Connection[Any], relation: str) -> bool:
    try:
        # Of its own: what is refused would end the transaction around it.
        with conn.transaction():
            conn.execute(f"select from clinic.{relation} limit 0".encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _is(type: str, due: str) -> bool:
    plain = _LENGTH.sub("", type)
    return plain == due or plain in _AS_GOOD.get(due, ())
