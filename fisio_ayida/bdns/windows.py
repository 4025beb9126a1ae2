"""Partitions, windows and the calendar of the source.

A partition is the source's own grain; a window is what one transaction loads: up to seven
registration days in a row, or one year, administration type or ámbito. Days are Europe/Madrid's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fisio_ayida.bdns.errors import BadRequest
from fisio_ayida.bdns.registry import ADMINISTRATIONS, AMBITOS, WHOLE, Dataset, Grain

MADRID = ZoneInfo("Europe/Madrid")
LONGEST_WINDOW = dt.timedelta(days=7)  # CONTRACT §1.4: longer ranges fail at random depths
FIRST_SYNC_DAYS = 7
_DAY = dt.timedelta(days=1)
_DAY_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Window:
    """Partitions that are fetched, proven and committed together, in order."""

    dataset: Dataset
    partitions: tuple[str, ...]

    @property
    def start(self) -> dt.date:
        """First registration day, inclusive; only for day partitions."""
        return dt.date.fromisoformat(self.partitions[0])

    @property
    def end(self) -> dt.date:
        """The day after the last one: windows are half-open."""
        return dt.date.fromisoformat(self.partitions[-1]) + _DAY

    @property
    def label(self) -> str:
        first, last = self.partitions[0], self.partitions[-1]
        return first if first == last else f"{first}..{last}"

    def parameters(self) -> dict[str, str]:
        """The query parameters that select this window at the source."""
        dataset = self.dataset
        if dataset.dates is not None and dataset.is_windowed:
            last = self.end - _DAY if dataset.dates.upper_inclusive else self.end
            return {dataset.dates.lower: f"{self.start:%d/%m/%Y}", dataset.dates.upper: f"{last:%d/%m/%Y}"}
        if dataset.partition_parameter is not None:
            return {dataset.partition_parameter: self.partitions[0]}
        return {}


def yesterday(now: dt.datetime) -> dt.date:
    """The last day whose registrations are final, in Madrid (CONTRACT §2.5)."""
    return now.astimezone(MADRID).date() - _DAY


def days(first: dt.date, last: dt.date) -> list[str]:
    """All days from ``first`` to ``last``, both included, as partition keys."""
    return [(first + i * _DAY).isoformat() for i in range((last - first).days + 1)]


def static_partitions(dataset: Dataset) -> list[str] | None:
    """The partitions that need no look-up; None for days and for years, which the source lists."""
    if dataset.grain is Grain.WHOLE:
        return [WHOLE]
    if dataset.grain is Grain.ADMINISTRATION:
        return list(ADMINISTRATIONS)
    if dataset.grain is Grain.AMBITO:
        return list(AMBITOS)
    return None


def windows(dataset: Dataset, partitions: Iterable[str]) -> Iterator[Window]:
    """Partitions grouped into windows: runs of at most seven days in a row, else one by one."""
    ordered = sorted(set(partitions))
    if not dataset.is_windowed:
        yield from (Window(dataset, (p,)) for p in ordered)
        return
    group: list[str] = []
    for key in ordered:
        if group and (
            len(group) == LONGEST_WINDOW.days
            or dt.date.fromisoformat(key) - dt.date.fromisoformat(group[-1]) != _DAY
        ):
            yield Window(dataset, tuple(group))
            group = []
        group.append(key)
    if group:
        yield Window(dataset, tuple(group))


def default_days(dataset: Dataset, complete: Sequence[dt.date], now: dt.datetime) -> list[str]:
    """The days that a run without orders loads.

    ``complete`` are the days with evidence. From the last one (read again, for what changed since)
    through yesterday, and before it every hole since the first; with no evidence, the last seven days.
    """
    last = yesterday(now)
    known = sorted(d for d in set(complete) if d <= last)
    if not known:
        first = max(last - (FIRST_SYNC_DAYS - 1) * _DAY, dataset.first_day or last)
        return days(first, last)
    have = {d.isoformat() for d in known}
    holes = [d for d in days(known[0], known[-1]) if d not in have]
    return holes + days(known[-1], last)


def requested_days(
    dataset: Dataset, date_from: dt.date | None, date_to: dt.date | None, now: dt.datetime
) -> list[str]:
    """The days from ``date_from`` to ``date_to``, both included; raises :class:`BadRequest`."""
    if not dataset.is_windowed:
        raise BadRequest(
            f"{dataset.name} has no registration days, so no range can be asked for: leave the dates out"
        )
    last = yesterday(now)
    start = date_from or (date_to or last)
    end = date_to or last
    if end > last:
        raise BadRequest(f"to={end} is after yesterday ({last}, Europe/Madrid): a day is final the morning after")
    if start > end:
        raise BadRequest(f"from={start} is after to={end}: the range is reversed")
    if dataset.first_day and start < dataset.first_day:
        raise BadRequest(f"from={start} is before the first day of {dataset.name}, {dataset.first_day}")
    return days(start, end)


def parse_day(name: str, text: str) -> dt.date:
    """A day as people type it, YYYY-MM-DD; raises :class:`BadRequest` naming the field and the value."""
    try:
        if not _DAY_TEXT.fullmatch(text):  # fromisoformat alone would take week dates too
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{name}={text!r} is not a date: write YYYY-MM-DD, as 2026-11-07") from None
