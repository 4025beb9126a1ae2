"""Fixtures of the events' tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from fisio_ayida.cli import app
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.events.lab import Lab

Run = Callable[..., Result]

# One database for all tests of a file. A few rows are deleted faster than seven tables are truncated; by their
# names, conflicts go before the inbox.
EMPTYING = """
select string_agg(format('delete from %I.%I', schemaname, tablename), '; ' order by tablename)
from pg_tables where schemaname = 'events'
"""


@pytest.fixture(scope="module")
def events_warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """A database for the tests of one file."""
    with cloned(warehouse_server) as opened:
        yield opened


@pytest.fixture
def lab(events_warehouse: Warehouse) -> Iterator[Lab]:
    """An empty inbox."""
    opened = Lab(events_warehouse)
    opened.conn.execute(opened.value(EMPTYING))
    yield opened
    opened.conn.close()


@pytest.fixture
def run(lab: Lab, events_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``fisio-ayida events`` on the lab's database, at the real time."""
    monkeypatch.setenv("DATABASE_URL", events_warehouse.url.psycopg)
    lab.moment = dt.datetime.now(dt.UTC)

    def command(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, ["events", *words], input=stdin)

    return command
