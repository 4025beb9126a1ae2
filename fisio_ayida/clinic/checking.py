"""Whether a database keeps the contract (``contract.py``): relations, columns, types, functions.

Here: one query of the catalogue, which every run asks first, and its comparison. Not here: row security
(``warehouse/clinic.py``), and whether rows make sense (``integrity/``).
"""

from __future__ import annotations

import re
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
    for (function,) in conn.execute(_FUNCTIONS, [list(FUNCTIONS)]):
        found.append(Finding(function, "the function is missing", True))
    return found


def require(conn: psycopg.Connection[Any]) -> None:
    """Raises :class:`ClinicError` with all that stops a job, one clause each."""
    stopping = [f"{each.where}: {each.what}" for each in findings(conn) if each.stops]
    if stopping:
        raise ClinicError(
            f"the clinic's database does not keep the contract: {'; '.join(stopping)}. `fisio-ayida clinic check`"
        )


def _is(type: str, due: str) -> bool:
    plain = _LENGTH.sub("", type)
    return plain == due or plain in _AS_GOOD.get(due, ())
