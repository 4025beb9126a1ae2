"""Which days a report is about: civil days of each clinic, made of the moment that the run stands for.

Here: the day before, and the ISO week before with the four weeks that it is compared with. Not here: counting.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

from fisio_ayida.clinic.model import Clinic

Kind = Literal["daily", "weekly"]

#: The week asked for is compared with so many before it.
WEEKS_BEFORE: Final = 4
_DAY: Final = dt.timedelta(days=1)
_WEEK: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Period:
    """Civil days of one clinic, half-open, and the instants in UTC at which they begin and end there.

    Args:
        is_asked: the report is about it; else it is only compared with.
    """

    organization_id: str
    first_day: dt.date
    end_day: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    is_asked: bool = True


def day_before(clinic: Clinic, nominal: dt.datetime) -> list[Period]:
    """The civil day before the one that the moment is in."""
    return [_period(clinic, clinic.day(nominal) - _DAY, _DAY)]


def week_before(clinic: Clinic, nominal: dt.datetime) -> list[Period]:
    """The week, Monday to Sunday, before the one that the moment is in; then those before it, newest first."""
    today = clinic.day(nominal)
    monday = today - _DAY * today.weekday() - _WEEK
    asked = _period(clinic, monday, _WEEK)
    before = [_period(clinic, monday - _WEEK * (n + 1), _WEEK, is_asked=False) for n in range(WEEKS_BEFORE)]
    return [asked, *before]


def _period(clinic: Clinic, first_day: dt.date, length: dt.timedelta, *, is_asked: bool = True) -> Period:
    end = first_day + length
    starts_at, ends_at = (clinic.instant(day, dt.time()) for day in (first_day, end))
    return Period(clinic.id, first_day, end, starts_at, ends_at, is_asked)
