"""Bringing a database to this release's tables, with Alembic driven from Python.

Here: upgrade, status, and the helper that runs a frozen .sql file beside its migration.
Not here: the tables themselves (migrations/versions) or the check at every start (revisions.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fisio_ayida.warehouse.engine import Warehouse, WarehouseError, connect, sqlalchemy_engine, unreachable
from fisio_ayida.warehouse.revisions import applied_revision, head, revisions
from fisio_ayida.warehouse.urls import DatabaseUrl

__all__ = ["head", "migrate", "run_sql_file", "script_directory", "status"]

# Any fixed number: two migrations of one database at once would both try to make the same table.
MIGRATION_LOCK = 0x6669_7369_6F00_0001


def migrate(target: Warehouse | DatabaseUrl) -> None:
    """Apply what is missing, in one transaction; a second process waits and then finds nothing to do.

    Raises:
        WarehouseError: the database does not answer, or a statement of a migration failed (nothing is kept).
    """
    url = target.url if isinstance(target, Warehouse) else target
    engine = sqlalchemy_engine(url)
    try:
        # A lock of the transaction, not of the session: it works behind a transaction pooler too.
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        # The database is at a revision that this release does not know.
        problem = WarehouseError(f"the database {url.masked} cannot be used: {error}: update the program")
    except DBAPIError as error:
        problem = unreachable(url, error.orig or error)
    except psycopg.Error as error:
        problem = unreachable(url, error)
    else:
        return
    finally:
        engine.dispose()
    raise problem


def status(target: Warehouse | DatabaseUrl) -> list[tuple[str, str, bool]]:
    """(number, title, applied) of each migration, oldest first.

    Raises:
        WarehouseError: the database does not answer.
    """
    url = target.url if isinstance(target, Warehouse) else target
    with connect(url, autocommit=True) as connection:
        applied = applied_revision(connection) or ""
    return [(each.number, each.title, each.number <= applied) for each in revisions()]


def run_sql_file(op: Operations | Any, migration: str, name: str) -> None:
    """Run every statement of the file `name` that lies beside the migration (`__file__`).

    The file goes to the server as it is: `:` and `%` mean nothing special.
    """
    statements = (Path(migration).parent / name).read_text(encoding="utf-8")
    driver_connection: Any = op.get_bind().connection.driver_connection
    driver_connection.execute(statements)


def script_directory() -> ScriptDirectory:
    """Alembic's own view of the migrations, for tests and tools."""
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
