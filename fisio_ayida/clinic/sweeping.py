"""Applying a rule of retention: batch by batch, each in its own transaction, so that a kill keeps what is done.

Names of tables and columns come from the registry, never from input, and are looked up in the catalogue before
anything is deleted. Not here: the rules (``retention.py``), and in what order and when (``cleanup.py``).
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg

from fisio_ayida.clinic.model import Connection
from fisio_ayida.clinic.retention import Rule
from fisio_ayida.messaging.model import CHANNELS
from fisio_ayida.warehouse.clinic import ClinicError

_COLUMNS: Final = """
select n.nspname || '.' || c.relname, coalesce(array_agg(a.attname) filter (where a.attname is not null), '{}')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p', 'v') and n.nspname || '.' || c.relname = any(%s)
group by 1
"""


class RetentionError(ClinicError):
    """A rule names a table or a column that is not there."""


def absent(conn: psycopg.Connection[Any], rules: Sequence[Rule]) -> set[str]:
    """The relations of these rules that are not there, which only FisioFlow's may be.

    Raises:
        RetentionError: a table of ours is missing, or a column.
    """
    needed: dict[str, set[str]] = {}
    for rule in rules:
        for table, columns in rule.columns.items():
            needed.setdefault(table, set()).update(columns)
    there = {table: set(columns) for table, columns in conn.execute(_COLUMNS, [sorted(needed)])}
    away = needed.keys() - there.keys()
    missing = sorted(table for table in away if not table.startswith("clinic."))
    missing += [f"{t}.{column}" for t in sorted(there) for column in sorted(needed[t] - there[t])]
    if missing:
        raise RetentionError(f"the registry of retention names what is not there: {', '.join(missing)}")
    return away


def count(conn: Connection, rule: Rule, before: dt.datetime) -> int:
    """How many rows a rule applies to."""
    row = conn.execute(f"select count(*) from {rule.table} t where {_where(rule)}", {"before": before}).fetchone()
    return 0 if row is None else int(row[0])


def sweep(within: Callable[[Callable[[Connection], Any]], Any], rule: Rule, before: dt.datetime) -> int:
    """Apply a rule; gives the number of rows.

    Args:
        within: does a batch's work on a connection, in a transaction of its own.
    """
    done, after = 0, None
    while True:
        row = within(lambda conn, after=after: _batch(conn, rule, before, after))  # type: ignore[misc]
        if row is None:
            return done
        many, *after = row
        done += many


def sweep_files(folder: Path, before: dt.datetime, *, is_dry: bool) -> int:
    """Delete the files of the channels' folders that changed last before a moment; gives their number."""
    deleted = 0
    for channel in CHANNELS:
        place = folder / channel
        for entry in os.scandir(place) if place.is_dir() else ():
            about = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(about.st_mode) or about.st_mtime >= before.timestamp():
                continue
            deleted += 1
            if not is_dry:
                Path(entry).unlink(missing_ok=True)
    return deleted


def _batch(
    conn: Connection, rule: Rule, before: dt.datetime, after: Sequence[Any] | None
) -> tuple[Any, ...] | None:
    """How many rows it was done to, and the key of the last one that was looked at; None: there are no more."""
    values = {"before": before, "batch": rule.batch, **{f"after{n}": value for n, value in enumerate(after or ())}}
    return conn.execute(_statement(rule, is_first=after is None), values).fetchone()


def _statement(rule: Rule, *, is_first: bool) -> str:
    own = ", ".join(f"t.{name}" for name in rule.key)
    holes = ", ".join(f"%(after{n})s" for n in range(len(rule.key)))
    further = "true" if is_first else f"({own}) > ({holes})"
    # What somebody else is just writing is not old. FisioFlow may not let us lock its rows.
    lock = "" if rule.in_clinic else "for update skip locked"
    same = " and ".join(f"t.{name} = old.{name}" for name in rule.key)
    kept = ", ".join(f"t.{name}" for name in dict.fromkeys((*rule.key, *(each.of for each in rule.followers))))
    if rule.empties:
        sets = ", ".join(f"{name} = {value}" for name, value in rule.empties.items())
        act = f"update {rule.table} t set {sets} from old where {same} returning {kept}"
    else:
        act = f"delete from {rule.table} t using old where {same} returning {kept}"
    followed = "".join(
        f", follower{n} as (delete from {each.table} f using acted where f.{each.column} = acted.{each.of})"
        for n, each in enumerate(rule.followers)
    )
    order = ", ".join(f"old.{name} desc" for name in rule.key)
    return f"""
with old as materialized (
  select {own} from {rule.table} t where {further} and {_where(rule)} order by {own} limit %(batch)s {lock}),
acted as ({act}){followed}
select (select count(*) from acted), old.* from old order by {order} limit 1
"""


def _where(rule: Rule) -> str:
    full = " or ".join(f"t.{name} is distinct from {value}" for name, value in rule.empties.items())
    return f"t.{rule.column} < %(before)s and {rule.condition}" + (f" and ({full})" if full else "")
