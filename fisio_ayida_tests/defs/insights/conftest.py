"""The insights in a real Dagster: one instance for the tests of a file, runs in this process.

Here: fixtures. Not here: expectations; what tests ask of a run is the clinic's ``Floor``.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.defs.clinic.conftest import Floor
from fisio_ayida_tests.insights.conftest import insights_warehouse, lab
from fisio_ayida_tests.insights.lab import InsightsLab

__all__ = ["insights_warehouse", "lab"]


@pytest.fixture(scope="module")
def whole(insights_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """One instance for the tests of one file."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Floor(insights_warehouse, tmp_path_factory.mktemp("home"), instance)


@pytest.fixture
def floor(whole: Floor, lab: InsightsLab) -> Floor:
    """One clinic with one therapist."""
    whole.lab = lab
    return whole
