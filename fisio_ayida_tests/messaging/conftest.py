"""Fixtures of messaging's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.messaging.lab import Lab

# One database for all tests of a file. The salt of the hashes stays.
TABLES = (
    "messaging.deliveries", "messaging.tasks", "messaging.replies", "messaging.messages", "messaging.transitions",
    "messaging.preferences", "messaging.suppressions", "messaging.circuits", "messaging.policies",
    "clinic.appointments", "clinic.push_tokens", "clinic.patients", "clinic.staff", "clinic.organizations",
    "events.conflicts", "events.transitions", "events.inbox",
)  # fmt: skip


@pytest.fixture(scope="module")
def messaging_warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """A database for the tests of one file."""
    with cloned(warehouse_server) as opened:
        yield opened


@pytest.fixture
def lab(messaging_warehouse: Warehouse, tmp_path: Path) -> Iterator[Lab]:
    """An empty outbox, one clinic and one patient."""
    opened = Lab(messaging_warehouse, tmp_path)
    opened.conn.execute("; ".join(f"delete from {table}" for table in TABLES))
    opened.clinic()
    opened.patient()
    yield opened
    opened.close()
