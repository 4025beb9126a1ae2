"""Fixtures of the clinic's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic.lab import ClinicLab
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.messaging.conftest import TABLES

# One database for all tests of a file.
_ALSO = (
    "clinic.sessions", "clinic.packages", "clinic.payments", "clinic.appointment_statuses",
    "clinic.notification_history", "clinic.password_reset_tokens", "clinic.system_health_logs",
    "clinic.old_messages", "messaging.notices", "jobs.policies", "jobs.decisions", "jobs.failures", "jobs.passes",
    "jobs.reports", "jobs.integrity",
)  # fmt: skip


@pytest.fixture(scope="module")
def clinic_warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """A database for the tests of one file."""
    with cloned(warehouse_server) as opened:
        yield opened


@pytest.fixture
def lab(clinic_warehouse: Warehouse, settings: Settings) -> Iterator[ClinicLab]:
    """One clinic with one therapist and no patients."""
    opened = ClinicLab(clinic_warehouse, settings)
    opened.conn.execute("; ".join(f"delete from {table}" for table in (*_ALSO, *TABLES)))
    opened.clinic()
    opened.therapist()
    yield opened
    opened.close()
