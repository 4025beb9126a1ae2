"""Fixtures of the clinic's tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from fisio_ayida.cli import app
from fisio_ayida.settings import Settings, variables
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.lab import ClinicLab
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.messaging.conftest import TABLES

# One database for all tests of a file.
_ALSO = (
    "clinic.sessions", "clinic.packages", "clinic.payments", "clinic.appointment_statuses",
    "clinic.notification_history", "clinic.password_reset_tokens", "clinic.system_health_logs",
    "clinic.old_messages", "messaging.notices", "jobs.policies", "jobs.decisions", "jobs.failures", "jobs.passes",
    "jobs.reports", "jobs.integrity", "jobs.done_visits",
)  # fmt: skip


def emptied(conn: psycopg.Connection[Any]) -> None:
    """Our tables without rows."""
    conn.execute("; ".join(f"delete from {table}" for table in (*_ALSO, *TABLES)))


@pytest.fixture(scope="module")
def clinic_warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """A database for the tests of one file."""
    with cloned(warehouse_server) as opened:
        yield opened


@pytest.fixture
def lab(clinic_warehouse: Warehouse, settings: Settings) -> Iterator[ClinicLab]:
    """One clinic with one therapist and no patients."""
    opened = ClinicLab(clinic_warehouse, settings)
    emptied(opened.conn)
    opened.clinic()
    opened.therapist()
    yield opened
    opened.close()


@pytest.fixture
def clinic_command(lab: ClinicLab, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs ``fisio-ayida clinic`` on the lab's database, with no other variable set."""
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", lab.warehouse.url.psycopg)
    monkeypatch.setenv("FISIO_AYIDA_HOME", str(lab.settings.home))
    return lambda *words, **more: CliRunner().invoke(app, ["clinic", *words], **more)


@pytest.fixture(scope="module")
def fisioflow_database(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """A database without any table, to be FisioFlow's for the tests of one file."""
    name = f"fisioflow_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(warehouse_server.url.psycopg, autocommit=True) as connection:
        connection.execute(f"create database {name}")
        with Warehouse(warehouse_server.url.with_database(name)) as opened:
            yield opened
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def flow(fisioflow_database: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    """FisioFlow's database as its owner, empty."""
    with fisioflow_database.connect(autocommit=True) as conn:
        fisioflow.drop(conn)
        yield conn
