"""The numbers of reports as pandas frames: one shape for what was counted and for what is stored.

A frame has the columns of :data:`DTYPES`, one row for each clinic's whole period (``therapist_id`` empty,
:data:`WHOLE`) and one for each professional who had something in it; :data:`NOBODY` stands for visits and patients
without one. ``scheduled`` counts every visit, whatever became of it; ``other`` those whose status word has no
class. pandas is imported inside the functions. Not here: the query (``counting.py``), and the table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

COUNTS: Final = ("scheduled", "done", "absent", "cancelled", "to_rebook", "other", "new_patients")
KEYS: Final = ("organization_id", "first_day", "therapist_id")
#: Columns of every frame of this room.
DTYPES: Final = {
    "organization_id": "str", "first_day": "datetime64[s]", "therapist_id": "str",
    **dict.fromkeys(COUNTS, "int64"),
}  # fmt: skip
WHOLE: Final = ""
NOBODY: Final = "-"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a frame."""

    organization_id: str
    first_day: dt.date
    therapist_id: str
    scheduled: int = 0
    done: int = 0
    absent: int = 0
    cancelled: int = 0
    to_rebook: int = 0
    other: int = 0
    new_patients: int = 0

    @property
    def open(self) -> int:
        """Visits of which no status tells what became of them."""
        return self.scheduled - self.done - self.absent - self.cancelled - self.to_rebook

    @property
    def is_empty(self) -> bool:
        """Nothing happened."""
        return not self.scheduled and not self.new_patients


def frame(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """A frame of rows with the columns of :data:`DTYPES`, in their order."""
    import pandas as pd

    return pd.DataFrame.from_records(list(rows), columns=list(DTYPES)).astype(DTYPES)


def complete(counted: pd.DataFrame) -> pd.DataFrame:
    """What was counted in parts, summed by professional, with each clinic's whole; ordered by :data:`KEYS`.

    A row of zeros with :data:`WHOLE` makes a period in which nothing happened one of zeros.
    """
    import pandas as pd

    parts = counted[counted["therapist_id"] != WHOLE]
    wholes = counted.assign(therapist_id=WHOLE)
    return (
        pd.concat([wholes, parts])
        .groupby(list(KEYS), sort=True, as_index=False)[list(COUNTS)]
        .sum()
        .astype(DTYPES)
    )


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    """All clinics together: one row a ``first_day``, with ``organizations`` (how many) and :data:`COUNTS`."""
    wholes = frame[frame["therapist_id"] == WHOLE]
    grouped = wholes.groupby("first_day", sort=True)
    summed = grouped[list(COUNTS)].sum()
    summed.insert(0, "organizations", grouped["organization_id"].nunique())
    return summed.reset_index()


def busiest(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """The clinics with the most visits in a frame: one row each with :data:`COUNTS`, the busiest first."""
    wholes = frame[frame["therapist_id"] == WHOLE]
    summed = wholes.groupby("organization_id", sort=True, as_index=False)[list(COUNTS)].sum()
    return summed.sort_values("scheduled", ascending=False, kind="stable").head(most).reset_index(drop=True)


def lines(frame: pd.DataFrame) -> Iterator[Line]:
    """The rows of a frame, one by one."""
    for row in frame[list(DTYPES)].itertuples(index=False, name=None):
        organization, first_day, therapist, *counts = row
        yield Line(organization, first_day.date(), therapist, *counts)
