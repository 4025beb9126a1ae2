"""Fixtures that every room's tests share: a real PostgreSQL, a fresh migrated database for each test, settings.

Here: the embedded server without fsync and with little memory, one for all workers of a test run.
Not here: fakes of outside services; those are the simulators.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import psycopg
import pytest

from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.embedded import EmbeddedServer, Tuning, attach
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.migrate import migrate

# How long an example takes says nothing on a machine that does other things, too.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

TEMPLATE = "template_migrated"
TEST_TUNING = Tuning(fsync=False, shared_buffers_mb=64)


@pytest.fixture(scope="session")
def warehouse_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[EmbeddedServer]:
    """A server with the database `template_migrated`; the workers of one run share it."""
    base = tmp_path_factory.getbasetemp()
    home = (base if worker_id == "master" else base.parent) / "warehouse"
    with attach(home, tuning=TEST_TUNING) as server:
        with psycopg.connect(server.url.psycopg, autocommit=True) as connection:
            # Session lock: another worker waits here until the template is complete.
            connection.execute("SELECT pg_advisory_lock(1)")
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
            if row is None:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
                migrate(server.url.with_database(TEMPLATE))
            connection.execute("SELECT pg_advisory_unlock(1)")
        yield server


@contextmanager
def cloned(server: EmbeddedServer) -> Iterator[Warehouse]:
    """A warehouse on a database of its own, cloned from the template and dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url.psycopg, autocommit=True) as connection:
        # Half the time of writing the copy to the log, which matters at a thousand databases.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        with Warehouse(server.url.with_database(name)) as opened:
            yield opened
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """A database for one test."""
    with cloned(warehouse_server) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings as on a fresh machine, with their home in the test's own folder."""
    return Settings.load({"FISIO_AYIDA_HOME": str(tmp_path / "home")})
