"""A small simulated BDNS for the tests of this folder, and how they read it over HTTP.

Here: fixtures and the paging loop. Not here: expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import httpx
import pytest

from fisio_ayida.simulators.bdns import BdnsSimulator, SimulatorConfig

TODAY = date(2026, 10, 5)
FIRST = date(2026, 8, 1)
# A Tuesday in the middle of the data.
DAY = date(2026, 9, 15)
PATHS = {
    "convocatorias": "convocatorias/busqueda",
    "concesiones": "concesiones/busqueda",
    "ayudas_estado": "ayudasestado/busqueda",
    "minimis": "minimis/busqueda",
    "partidos_politicos": "partidospoliticos/busqueda",
    "grandes_beneficiarios": "grandesbeneficiarios/busqueda",
    "planes_estrategicos": "planesestrategicos/busqueda",
    "sanciones": "sanciones/busqueda",
}


def small(**changes: Any) -> SimulatorConfig:
    """A service with two months of data."""
    values: dict[str, Any] = {
        "today": TODAY,
        "first_day": dict.fromkeys(("convocatorias", "concesiones", "ayudas_estado", "minimis"), FIRST),
        "rows_per_day": {"concesiones": 90, "ayudas_estado": 40, "minimis": 40, "convocatorias": 12},
    }
    return SimulatorConfig(**{**values, **changes})


class Reader:
    """Reads a simulator as a client of the BDNS would."""

    def __init__(self, sim: BdnsSimulator) -> None:
        self.sim = sim
        self.http = httpx.Client(timeout=20.0, headers={"Accept": "application/json"}, trust_env=False)

    def get(self, path: str, headers: Mapping[str, str] | None = None, **params: object) -> httpx.Response:
        """One request."""
        values = {name: str(value) for name, value in params.items()}
        return self.http.get(f"{self.sim.base_url}/{path}", params=values, headers=headers)

    def page(self, dataset: str, **params: object) -> dict[str, Any]:
        """One page of a search."""
        answer = self.get(PATHS[dataset], **params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def rows(self, dataset: str, size: int = 10_000, **params: object) -> list[dict[str, Any]]:
        """All rows of a search, page by page."""
        found: list[dict[str, Any]] = []
        number = 0
        while True:
            body = self.page(dataset, page=number, pageSize=size, **params)
            found += body["content"]
            if body["last"]:
                assert len(found) == body["totalElements"]
                return found
            number += 1


def es(day: date) -> str:
    """A date as the queries want it."""
    return day.strftime("%d/%m/%Y")


@pytest.fixture(scope="module")
def sim() -> Iterator[BdnsSimulator]:
    """A running simulator that the tests of a module share and leave as they found it."""
    with BdnsSimulator(small()) as running:
        yield running


@pytest.fixture(scope="module")
def reader(sim: BdnsSimulator) -> Reader:
    """A reader of the shared simulator."""
    return Reader(sim)


@pytest.fixture
def fresh() -> Iterator[Callable[..., Reader]]:
    """Makes simulators of a test's own, stopped when it ends."""
    running: list[BdnsSimulator] = []

    def make(**changes: Any) -> Reader:
        sim = BdnsSimulator(small(**changes)).start()
        running.append(sim)
        return Reader(sim)

    yield make
    for sim in running:
        sim.stop()
