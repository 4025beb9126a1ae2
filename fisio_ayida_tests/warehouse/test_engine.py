"""Opening the warehouse: embedded or given, migrated or not, and what is said when it cannot be."""

from __future__ import annotations

import subprocess
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.embedded import EmbeddedServer, attach
from fisio_ayida.warehouse.engine import Warehouse, WarehouseError, connection_arguments, open_warehouse
from fisio_ayida.warehouse.migrate import migrate
from fisio_ayida.warehouse.revisions import head
from fisio_ayida.warehouse.urls import DatabaseUrl
from fisio_ayida_tests.conftest import TEST_TUNING


def given(url: DatabaseUrl) -> Settings:
    return Settings.load({"DATABASE_URL": url.psycopg})


def test_a_fresh_machine_gets_a_migrated_embedded_warehouse(settings: Settings) -> None:
    with attach(settings.home, tuning=TEST_TUNING), open_warehouse(settings) as warehouse:
        assert warehouse.is_embedded
        with warehouse.connect() as connection:
            assert connection.execute("SELECT version_num FROM ops.alembic_version").fetchone() == (head(),)


def test_a_given_database_is_used_as_it_is(warehouse: Warehouse) -> None:
    with open_warehouse(given(warehouse.url)) as opened, opened.connect() as connection:
        assert not opened.is_embedded
        assert connection.info.dbname == warehouse.url.database


def test_a_given_database_without_our_tables_says_what_to_run(warehouse_server: EmbeddedServer) -> None:
    with pytest.raises(WarehouseError, match="run `fisio-ayida db migrate`"):
        open_warehouse(given(warehouse_server.url))
    open_warehouse(given(warehouse_server.url), require_migrated=False).close()


def test_tables_of_a_newer_release_say_to_update(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("UPDATE ops.alembic_version SET version_num = '9999'")
    with pytest.raises(WarehouseError, match="update the program"):
        open_warehouse(given(warehouse.url))
    with pytest.raises(WarehouseError, match="update the program"):
        migrate(warehouse)


def test_an_embedded_warehouse_of_a_newer_release_says_to_update(settings: Settings) -> None:
    with attach(settings.home, tuning=TEST_TUNING):
        with open_warehouse(settings) as opened, opened.connect() as connection:
            connection.execute("UPDATE ops.alembic_version SET version_num = '9999'")
        with pytest.raises(WarehouseError, match="update the program"):
            open_warehouse(settings)


def test_what_the_url_says_about_its_connections_wins() -> None:
    url = DatabaseUrl.parse("postgresql://u:p@h/d?connect_timeout=3&keepalives_idle=5")
    arguments = connection_arguments(url, "x" * 100)
    assert "connect_timeout" not in arguments
    assert "keepalives_idle" not in arguments
    assert arguments["keepalives_interval"] == 10
    assert len(arguments["application_name"]) == 63


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@127.0.0.1:1/database",
        "postgresql://user:s3cret@no-such-host.invalid/database",
        "postgresql://user:s3cret@/database?host=/no/such/folder",
    ],
)
def test_an_unreachable_database_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        open_warehouse(Settings.load({"DATABASE_URL": url}))
    assert "\n" not in str(caught.value)
    assert "postgresql://user:***@" in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in shown
    assert "psycopg.OperationalError" not in shown


def test_a_failed_migration_shows_no_password() -> None:
    url = DatabaseUrl("127.0.0.1", 1, "user", "".join(["s3", "cret"]), "database")
    with pytest.raises(WarehouseError) as caught:
        migrate(url)
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in shown
    assert "sqlalchemy" not in shown.partition("WarehouseError")[2]


def test_sessions_are_in_utc_and_say_who_they_are(warehouse: Warehouse) -> None:
    with warehouse.connect(application_name="load of concesiones") as connection:
        row = connection.execute("SELECT now(), current_setting('application_name')").fetchone()
        assert row is not None
        assert isinstance(row[0], datetime)
        assert row[0].utcoffset() == datetime.now(UTC).utcoffset()
        assert row[1] == "load of concesiones"


def test_a_connection_is_in_a_transaction_unless_asked_otherwise(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("CREATE TABLE public.gone (a int)")
        connection.rollback()
        assert connection.execute("SELECT to_regclass('public.gone')").fetchone() == (None,)
    with warehouse.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE public.kept (a int)")
    with warehouse.connect() as connection:
        assert connection.execute("SELECT to_regclass('public.kept')::text").fetchone() == ("kept",)


def test_the_sqlalchemy_engine_reaches_the_same_database(warehouse: Warehouse) -> None:
    with warehouse.sqlalchemy_engine().connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar() == warehouse.url.database
        assert connection.dialect.driver == "psycopg"


def test_behind_a_transaction_pooler_nothing_is_prepared(warehouse: Warehouse) -> None:
    url = DatabaseUrl.parse(f"{warehouse.url.psycopg}&pgbouncer=true")
    with Warehouse(url).connect() as connection:
        assert connection.prepare_threshold is None


def test_opening_a_migrated_warehouse_does_not_import_alembic_or_sqlalchemy(settings: Settings) -> None:
    program = (
        "import sys\nfrom fisio_ayida.settings import Settings\n"
        "from fisio_ayida.warehouse.engine import open_warehouse\n"
        f"open_warehouse(Settings.load({{'FISIO_AYIDA_HOME': {str(settings.home)!r}}})).close()\n"
        "assert not {'alembic', 'sqlalchemy', 'dagster'} & set(sys.modules)\n"
    )
    with attach(settings.home, tuning=TEST_TUNING), open_warehouse(settings):
        subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
