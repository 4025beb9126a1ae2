"""The vocabulary in which a BDNS dataset is declared: columns, children, sweeps, partitions.

The declarations themselves are in ``datasets.py``. Tables, assets, the command line's help and the
data dictionary are all derived from them; nothing here reads a clock, a database or the network.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

SqlType = Literal["text", "bigint", "integer", "numeric", "date", "boolean", "text[]", "jsonb"]


class Canon(StrEnum):
    """How a value enters the hash that decides whether a record has changed (CONTRACT §3, §5)."""

    PLAIN = "plain"  # trimmed, blank equals null
    OFF = "off"  # never compared: raw text beside its parsed form, or the legal notice
    NAME = "name"  # accents, case, punctuation, blanks and legal-form spelling are noise
    HASH_LIST = "hash_list"  # "a#b#c", shuffled between calls
    CODED_LIST = "coded_list"  # "A - text; 1.2 - text; with its own ;", shuffled between calls
    SET = "set"  # a JSON array whose order means nothing


class Index(StrEnum):
    """Which rows of a column are indexed; every index makes each row of a load dearer."""

    NONE = "none"
    ALL = "all"
    # Nobody looks up a masked identifier, and nine awards of ten are about natural persons.
    ORGANISATIONS = "organisations"


class Sweep(StrEnum):
    """How all the rows of a window are obtained."""

    PAGES = "pages"  # a …/busqueda, page by page
    PAGES_AND_DETAIL = "pages_and_detail"  # the same, then one call for each record
    LIST = "list"  # one call, a bare array
    TREE = "tree"  # one call, nested arrays, every node a row


class Grain(StrEnum):
    """What one partition of a dataset is."""

    DAY = "day"  # registration day, Europe/Madrid
    YEAR = "year"  # a year of the source's own list
    ADMINISTRATION = "administration"  # C, A, L, O
    AMBITO = "ambito"  # C, A, M, S, P, G
    WHOLE = "whole"


class Cadence(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"


ADMINISTRATIONS: dict[str, str] = {
    "C": "Estado",
    "A": "Comunidad autónoma",
    "L": "Entidad local",
    "O": "Otros",
}
AMBITOS: dict[str, str] = {
    "C": "Concesiones",
    "A": "Ayudas de Estado",
    "M": "Minimis",
    "S": "Sanciones",
    "P": "Partidos políticos",
    "G": "Grandes beneficiarios",
}
WHOLE = "all"


@dataclass(frozen=True, slots=True)
class Column:
    """One stored column.

    ``source`` is the API's field name. A column with ``derive`` has none: the function of that name
    in ``derive.py`` computes it, from the column ``derived_from`` where it needs only one.
    """

    name: str
    type: SqlType
    description: str
    source: str | None = None
    unit: str | None = None
    required: bool = False
    canon: Canon = Canon.PLAIN
    flaps: bool = False
    personal: bool = False
    index: Index = Index.NONE
    derived_from: str | None = None
    derive: str | None = None

    @property
    def field(self) -> str:
        """The attribute that holds the value in a decoded record."""
        return self.source or self.name


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """A list inside a record, kept as rows of a table of its own (``bdns.<dataset>_<name>``).

    ``parent`` names the column there that holds the record's key.
    """

    name: str
    source: str
    parent: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    description: str


@dataclass(frozen=True, slots=True)
class DateFilter:
    """The pair of query parameters that selects a registration window (CONTRACT §2.5)."""

    lower: str
    upper: str
    upper_inclusive: bool


REG_DATES = DateFilter("fechaRegInicio", "fechaRegFin", upper_inclusive=False)
CALL_DATES = DateFilter("fechaDesde", "fechaHasta", upper_inclusive=True)


@dataclass(frozen=True, slots=True)
class Detail:
    """The second call that completes a listed record."""

    path: str
    parameter: str
    listing_field: str


@dataclass(frozen=True, slots=True)
class Retention:
    """What the source itself withdraws with time (CONTRACT §1.3); our history outlives it."""

    years: int | None
    natural_person_years: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """One dataset of the BDNS: everything that the rest of the house derives from.

    ``sections`` maps the keys of an answer that is an object of lists to the value of its first column;
    ``ordinal`` says that no column identifies a row, so equal keys are told apart by a number.
    """

    name: str
    title: str
    description: str
    path: str
    sweep: Sweep
    grain: Grain
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    parameters: tuple[str, ...] = ()
    order: str | None = None
    dates: DateFilter | None = None
    partition_column: str | None = None
    partition_parameter: str | None = None
    first_day: dt.date | None = None
    amount: str | None = None
    children: tuple[Child, ...] = ()
    detail: Detail | None = None
    ordinal: bool = False
    sections: tuple[tuple[str, str], ...] = ()
    group: str = "bdns"
    cadence: Cadence = Cadence.WEEKLY
    retention: Retention = Retention(None)
    volatile: tuple[str, ...] = ("advertencia",)
    section: str = ""
    quirks: str = ""
    _by_name: dict[str, Column] = field(default_factory=dict, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        self._by_name.update({c.name: c for c in self.columns})
        unknown = [k for k in (*self.key, self.partition_column, self.amount) if k and k not in self._by_name]
        if unknown:
            raise ValueError(f"dataset {self.name}: no such column {unknown}")

    def column(self, name: str) -> Column:
        return self._by_name[name]

    @property
    def table(self) -> str:
        return f"bdns.{self.name}"

    @property
    def is_windowed(self) -> bool:
        """Partitions are registration days, so a re-read of a range finds its edits and withdrawals."""
        return self.grain is Grain.DAY

    @property
    def integer_key(self) -> bool:
        return len(self.key) == 1 and self.column(self.key[0]).type == "bigint"

    @property
    def flapping(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.flaps)

    @property
    def preview_columns(self) -> tuple[Column, ...]:
        """Columns that may be shown to whoever opens the UI: no personal names."""
        return tuple(c for c in self.columns if not c.personal)
