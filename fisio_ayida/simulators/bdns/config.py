"""What a simulated BDNS is made of: seed, calendar, sizes and the undocumented choices.

One frozen value that everything else is computed from. Quirks that change while the server runs
live in quirks.py, steps of time in timeline.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

from fisio_ayida.simulators.listening import SimulatorError as SimulatorError

EPOCH: Final = date(2000, 1, 1)
EPOCH_ORDINAL: Final = EPOCH.toordinal()

DAILY: Final = ("convocatorias", "concesiones", "ayudas_estado", "minimis", "partidos_politicos")
SEARCHED: Final = (*DAILY, "grandes_beneficiarios", "planes_estrategicos", "sanciones")
CATALOGUES: Final = (
    "organos",
    "organos_agrupacion",
    "regiones",
    "finalidades",
    "tipos_beneficiario",
    "instrumentos",
    "reglamentos",
    "sectores",
    "actividades",
    "objetivos",
)
DATASETS: Final = (*SEARCHED, *CATALOGUES)

DEFAULT_ROWS_PER_DAY: Final[Mapping[str, int]] = {
    "convocatorias": 12,
    "concesiones": 400,
    "ayudas_estado": 60,
    "minimis": 80,
}
DEFAULT_SIZES: Final[Mapping[str, int]] = {
    "partidos_politicos": 60,
    "sanciones": 40,
    "planes_estrategicos": 40,
    "grandes_beneficiarios": 300,  # a year
    "grandes_beneficiarios_years": 5,
}
MAX_ROWS_PER_DAY: Final[Mapping[str, int]] = {
    "convocatorias": 5_000,
    "concesiones": 500_000,
    "ayudas_estado": 500_000,
    "minimis": 500_000,
}


def day_number(day: date) -> int:
    """Days since 2000-01-01, the simulator's internal calendar."""
    return day.toordinal() - EPOCH_ORDINAL


def day_date(number: int) -> date:
    """The date of an internal day number."""
    return date.fromordinal(number + EPOCH_ORDINAL)


@dataclass(frozen=True)
class Choices:
    """Behaviours that nobody has documented (CONTRACT §4, last paragraph); defaults are design choices."""

    unknown_detail_status: int = 204
    unknown_pdf_status: int = 204
    sanciones_date_column: str = "fechaSancion"
    bad_page_status: int = 400
    past_the_end_status: int = 200
    default_direction: str = "asc"
    newest_first_without_order: bool = True
    vigencia_by_plan: bool = False
    burst_body: str = ""

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> Choices:
        """Choices from option texts such as unknown_detail_status=404.

        Raises:
            SimulatorError: an unknown name or a value of the wrong kind.
        """
        known = {item.name: item.default for item in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in texts.items():
            if name not in known:
                raise SimulatorError(f"choice {name}: one of {', '.join(known)} is allowed")
            usual = known[name]
            if isinstance(usual, bool):
                if text not in ("true", "false"):
                    raise SimulatorError(f"choice {name}={text}: true or false is allowed")
                values[name] = text == "true"
            elif isinstance(usual, int):
                if not text.isdigit() or not 200 <= int(text) <= 599:
                    raise SimulatorError(f"choice {name}={text}: an HTTP status from 200 to 599 is allowed")
                values[name] = int(text)
            else:
                values[name] = text
        if values.get("sanciones_date_column", "fechaSancion") not in ("fechaSancion", "fechaConcesion"):
            raise SimulatorError("choice sanciones_date_column: fechaSancion or fechaConcesion is allowed")
        if values.get("default_direction", "asc") not in ("asc", "desc"):
            raise SimulatorError("choice default_direction: asc or desc is allowed")
        return cls(**values)


@dataclass(frozen=True)
class SimulatorConfig:
    """Seed, calendar and sizes; two equal values give two equal services."""

    today: date
    seed: int = 7
    first_day: Mapping[str, date] = field(default_factory=dict)
    rows_per_day: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    weekend_factor: float = 0.1
    today_fraction: float = 0.6
    natural_share: float = 0.94
    dangling_rate: float = 0.001
    page_cache_dir: Path | None = None
    quirks: Mapping[str, object] = field(default_factory=dict)
    choices: Choices = Choices()

    def __post_init__(self) -> None:
        for name, rows in self.rows_per_day.items():
            limit = MAX_ROWS_PER_DAY.get(name)
            if limit is None:
                raise SimulatorError(f"rows_per_day {name}: one of {', '.join(MAX_ROWS_PER_DAY)} is allowed")
            if not 0 <= rows <= limit:
                raise SimulatorError(f"rows_per_day {name}={rows}: 0 to {limit} is allowed")
        for name, size in self.sizes.items():
            if name not in DEFAULT_SIZES:
                raise SimulatorError(f"sizes {name}: one of {', '.join(DEFAULT_SIZES)} is allowed")
            if not 0 <= size <= 1_000_000:
                raise SimulatorError(f"sizes {name}={size}: 0 to 1000000 is allowed")
        for name in self.first_day:
            if name not in DAILY:
                raise SimulatorError(f"first_day {name}: one of {', '.join(DAILY)} is allowed")
        for label, value in (
            ("weekend_factor", self.weekend_factor),
            ("today_fraction", self.today_fraction),
            ("natural_share", self.natural_share),
            ("dangling_rate", self.dangling_rate),
        ):
            if not 0 <= value <= 1:
                raise SimulatorError(f"{label}={value}: 0 to 1 is allowed")

    def rows(self, dataset: str) -> int:
        """Rows registered on a working day."""
        return self.rows_per_day.get(dataset, DEFAULT_ROWS_PER_DAY[dataset])

    def size(self, dataset: str) -> int:
        """Rows of a dataset that has no daily volume."""
        return self.sizes.get(dataset, DEFAULT_SIZES[dataset])

    def start(self, dataset: str) -> date:
        """First registration day of a dataset."""
        if dataset in self.first_day:
            return self.first_day[dataset]
        years_back = {"concesiones": 4, "ayudas_estado": 9, "minimis": 9, "partidos_politicos": 4}
        if dataset not in years_back:
            return min(date(2014, 1, 1), self.today)
        return date(self.today.year - years_back[dataset], 1, 1)
