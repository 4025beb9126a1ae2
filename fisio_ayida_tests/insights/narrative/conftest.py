"""A model server and a ledger for the tests of this folder.

Here: the stand-in's life, and what the ledger's tables say. Not here: what the stand-in is told to answer.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from fisio_ayida.insights.model import Commission
from fisio_ayida.insights.narrative.ledger import USED_COST, USED_TOKENS, Ledger
from fisio_ayida.insights.narrative.prices import Prices
from fisio_ayida.simulators.llm import LlmSimulator
from fisio_ayida.telemetry import get_logger
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.session import Session
from fisio_ayida_tests.conftest import cloned

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 10)


@pytest.fixture(scope="session")
def running_llm() -> Iterator[LlmSimulator]:
    """One stand-in for all tests."""
    with LlmSimulator() as simulator:
        yield simulator


@pytest.fixture
def llm(running_llm: LlmSimulator) -> LlmSimulator:
    """The stand-in as on its first day: it wants no key, and every answer is valid."""
    running_llm.settings(api_key=None, models=[], rates={}, latency_ms=0, requests_per_second=0)
    running_llm.forget()
    return running_llm


@dataclass(slots=True)
class Books:
    """The ledger's tables, for a clinic of a test's own.

    Args:
        moment: what the ledger's clock says; tests move it.
    """

    warehouse: Warehouse
    organization: str
    moment: dt.datetime = NOW

    def ledger(self, prices: str = "") -> Ledger:
        """A ledger as of one more process."""
        session = Session(lambda: self.warehouse.connect(autocommit=True), lambda _: None, get_logger(__name__))
        return Ledger(session, Prices.parse(prices), lambda: self.moment)

    def commission(self, *, tokens: int = 10**9, cost: str | None = None, day: dt.date = DAY) -> Commission:
        """One narrative of the clinic's."""
        limit = None if cost is None else Decimal(cost)
        return Commission(
            key=f"insight:{self.organization}:s:p:m",
            organization_id=self.organization,
            patient_id=f"patient of {self.organization}",
            day=day,
            tokens_per_day=tokens,
            cost_per_day=limit,
            run_id="run",
        )

    def calls(self, columns: str = "state, outcome") -> list[tuple[Any, ...]]:
        """The clinic's calls, in order."""
        return self._rows(f"select {columns} from insights.calls where organization_id = %s order by id")

    def spending(self, day: dt.date = DAY) -> tuple[int, Decimal, int, int]:
        """Tokens, cost, calls and refusals of a day."""
        rows = self._rows(
            "select tokens, cost, calls, refused from insights.spending "
            f"where organization_id = %s and day = '{day}'"
        )
        return rows[0] if rows else (0, Decimal(0), 0, 0)

    def sums(self, day: dt.date = DAY) -> tuple[int, Decimal, int]:
        """The same, counted from the calls."""
        return self._rows(
            f"select coalesce(sum({USED_TOKENS}), 0), coalesce(sum({USED_COST}), 0), count(*) from insights.calls "
            f"where organization_id = %s and day = '{day}'"
        )[0]

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect(autocommit=True) as conn:
            return conn.execute(statement.encode(), (self.organization,)).fetchall()


@pytest.fixture(scope="session")
def ledger_database(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    """One database for all of this folder's ledgers; each test is a clinic of its own in it."""
    with cloned(warehouse_server) as opened:
        yield opened


@pytest.fixture
def books(ledger_database: Warehouse) -> Books:
    """The books of a new clinic."""
    return Books(ledger_database, f"clinic-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def new_books(ledger_database: Warehouse) -> Callable[[], Books]:
    """Books of more clinics."""
    return lambda: Books(ledger_database, f"clinic-{uuid.uuid4().hex[:12]}")
