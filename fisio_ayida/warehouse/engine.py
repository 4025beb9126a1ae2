"""The warehouse: one PostgreSQL, given or embedded, opened and known to have our tables.

Here: choosing the server, opening connections with our conventions, the cheap check of the migrations.
Not here: how the embedded server lives (embedded.py) or what a migration does (migrate.py).
"""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

import psycopg

from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.embedded import EmbeddedServer, attach
from fisio_ayida.warehouse.revisions import applied_revision, head, revisions
from fisio_ayida.warehouse.urls import DatabaseUrl

if TYPE_CHECKING:
    from sqlalchemy import Engine

CONNECT_TIMEOUT = timedelta(seconds=30)
APPLICATION_NAME = "fisio_ayida"


class WarehouseError(RuntimeError):
    """The database cannot be used; one line, the URL without its password."""


class Warehouse:
    """One database. Close it, or use it as a context manager; connections are the caller's own."""

    def __init__(self, url: DatabaseUrl, server: EmbeddedServer | None = None) -> None:
        self.url = url
        self._server = server
        self._engine: Engine | None = None

    @property
    def is_embedded(self) -> bool:
        """True when this machine's own server holds the data."""
        return self._server is not None

    def connect(
        self, *, autocommit: bool = False, application_name: str = APPLICATION_NAME
    ) -> psycopg.Connection[Any]:
        """A new psycopg 3 connection with the session's time zone set to UTC.

        Behind a transaction pooler no statement is prepared, because the next one may reach another server.

        Raises:
            WarehouseError: the database does not answer or refuses us.
        """
        return connect(self.url, autocommit=autocommit, application_name=application_name)

    def sqlalchemy_engine(self) -> Engine:
        """An SQLAlchemy engine on psycopg 3, made at the first call. It keeps no idle connections."""
        if self._engine is None:
            self._engine = sqlalchemy_engine(self.url)
        return self._engine

    def close(self) -> None:
        """Give back the embedded server, if this is one. Safe to call twice."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_warehouse(settings: Settings, *, require_migrated: bool = True) -> Warehouse:
    """Open the database of DATABASE_URL or, without one, this machine's embedded server.

    The embedded server's tables are brought up to date here; a given database is only checked, because
    changing it is its operator's decision. `require_migrated=False` is for the command that migrates.

    Raises:
        WarehouseError: no answer, wrong credentials, or tables older or newer than this release.
        EmbeddedServerError: the embedded server does not start.
    """
    given = settings.database()
    if given is not None:
        warehouse = Warehouse(given)
        if require_migrated:
            _check(warehouse)
        return warehouse

    server = attach(settings.home)
    warehouse = Warehouse(server.url, server)
    try:
        applied = _revision(warehouse) if require_migrated else head()
        if applied != head() and (applied is None or _is_known(applied)):
            from fisio_ayida.warehouse.migrate import migrate  # Alembic costs 0.3 s, rarely needed

            migrate(warehouse.url)
        if applied != head():
            _check(warehouse)
    except BaseException:
        warehouse.close()
        raise
    return warehouse


def connect(
    url: DatabaseUrl, *, autocommit: bool = False, application_name: str = APPLICATION_NAME
) -> psycopg.Connection[Any]:
    """As `Warehouse.connect`, for a URL at hand."""
    try:
        connection = psycopg.connect(url.psycopg, **connection_arguments(url, application_name), autocommit=True)
        connection.execute("SET TIME ZONE 'UTC'")
        connection.autocommit = autocommit
    except psycopg.Error as error:
        problem = unreachable(url, error)
    else:
        return connection
    raise problem


def connection_arguments(url: DatabaseUrl, application_name: str) -> dict[str, Any]:
    """What every psycopg connection of ours is opened with, beside its URL."""
    arguments: dict[str, Any] = {"connect_timeout": int(CONNECT_TIMEOUT.total_seconds())}
    if not url.host.startswith("/"):
        # A peer that vanished without a word is noticed within a minute instead of hours.
        arguments |= {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    # What the URL says itself wins.
    arguments = {name: value for name, value in arguments.items() if name not in dict(url.parameters)}
    arguments["application_name"] = application_name[:63]
    if url.behind_transaction_pooler:
        arguments["prepare_threshold"] = None
    return arguments


def unreachable(url: DatabaseUrl, error: BaseException) -> WarehouseError:
    """The one line for a driver's error, without the password wherever the driver put it."""
    text = " ".join(str(error).split())
    if url.password:
        text = text.replace(url.password, "***")
    return WarehouseError(f"the database {url.masked} cannot be used: {text}")


def sqlalchemy_engine(url: DatabaseUrl) -> Engine:
    """An engine without a pool for a URL at hand."""
    from sqlalchemy import create_engine  # 0.3 s, and most commands do without it
    from sqlalchemy.pool import NullPool

    arguments = connection_arguments(url, APPLICATION_NAME)
    return create_engine(url.sqlalchemy, poolclass=NullPool, connect_args=arguments, hide_parameters=True)


def _revision(warehouse: Warehouse) -> str | None:
    with warehouse.connect(autocommit=True) as connection:
        return applied_revision(connection)


def _is_known(revision: str) -> bool:
    return any(each.number == revision for each in revisions())


def _check(warehouse: Warehouse) -> None:
    applied = _revision(warehouse)
    if applied == head():
        return
    if applied is not None and not _is_known(applied):
        problem = f"its tables are of release {applied}, newer than this program's {head()}: update the program"
    elif applied is None:
        problem = "it has none of our tables: run `fisio-ayida db migrate`"
    else:
        problem = f"its tables are of {applied}, this program needs {head()}: run `fisio-ayida db migrate`"
    raise WarehouseError(f"the database {warehouse.url.masked} cannot be used: {problem}")
