"""Which migrations exist and which one a database is at, told without Alembic.

Here: the file names `NNNN_name.py`, each one's title, one query. It runs at every start of every process.
Not here: applying them (migrate.py). A test holds this against Alembic's own reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

VERSIONS = Path(__file__).parent / "migrations" / "versions"
VERSION_TABLE = "alembic_version"
VERSION_SCHEMA = "ops"


@dataclass(frozen=True, slots=True)
class Revision:
    """One migration: its number (Alembic's revision) and the first line of its docstring."""

    number: str
    title: str


@cache
def revisions() -> tuple[Revision, ...]:
    """All migrations of this release, oldest first."""
    found = []
    for path in sorted(VERSIONS.glob("[0-9][0-9][0-9][0-9]_*.py")):
        first_line = path.read_text(encoding="utf-8").partition("\n")[0]
        found.append(Revision(path.name[:4], re.sub(r'^"""|"""$|\.$', "", first_line.strip()).rstrip('."')))
    return tuple(found)


def head() -> str:
    """The newest migration's number."""
    return max(path.name[:4] for path in VERSIONS.glob("[0-9][0-9][0-9][0-9]_*.py"))


def applied_revision(connection: psycopg.Connection[Any]) -> str | None:
    """The number that the database is at, None when it has none of our tables. One query; needs autocommit."""
    try:
        row = connection.execute("SELECT version_num FROM ops.alembic_version").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    return row[0] if row else None
