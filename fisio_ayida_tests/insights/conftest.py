"""Fixtures of the insights' tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic.conftest import emptied as emptied_clinic
from fisio_ayida_tests.clinic.conftest import fisioflow_database, flow
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.insights.lab import InsightsLab

__all__ = ["fisioflow_database", "flow"]

# One database for all tests of a file. Items go with their generations.
_ALSO = (
    "insights.cursor", "insights.seen", "insights.behind", "insights.queue", "insights.generations",
    "insights.calls", "insights.spending", "clinic.patient_insights", "clinic.session_contents",
    "clinic.patient_profiles",
)  # fmt: skip


def emptied(conn: psycopg.Connection[Any]) -> None:
    """The clinic's tables, and all of the insights', without rows."""
    conn.execute("; ".join(f"delete from {table}" for table in _ALSO))
    emptied_clinic(conn)


@pytest.fixture(scope="module")
def insights_warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """A database for the tests of one file."""
    with cloned(warehouse_server) as opened:
        yield opened


@pytest.fixture
def lab(insights_warehouse: Warehouse, settings: Settings) -> Iterator[InsightsLab]:
    """One clinic with one therapist and no patients."""
    opened = InsightsLab(insights_warehouse, settings)
    emptied(opened.conn)
    opened.clinic()
    opened.therapist()
    yield opened
    opened.close()
