"""A running gateway: one for all tests of a file, its tables and its log empty at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.events.conftest import EMPTYING, events_warehouse  # noqa: F401  a fixture
from fisio_ayida_tests.gateway.running import Running, running


@pytest.fixture
def warehouse(events_warehouse: Warehouse) -> Warehouse:  # noqa: F811
    """An empty inbox, in the database of this file's tests."""
    with events_warehouse.connect(autocommit=True) as connection:
        ((statements,),) = connection.execute(EMPTYING).fetchall()
        connection.execute(statements)
    return events_warehouse


@pytest.fixture(scope="module")
def served(events_warehouse: Warehouse) -> Iterator[Running]:  # noqa: F811
    """A gateway with usual limits."""
    with running(events_warehouse) as found:
        yield found


@pytest.fixture
def gateway(served: Running, warehouse: Warehouse) -> Running:
    """The file's gateway, as if it had just been started."""
    served.log.seek(0)
    served.log.truncate()
    return served
