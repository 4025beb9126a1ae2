"""A record as facts are made of it: each visit and session once, in order, and none of a day to come.

Here: what counts at all, and windows of civil days. Not here: any number (the modules beside).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from fisio_ayida.insights.facts.limits import LEAST_SESSIONS, USABLE, WORST_PAIN
from fisio_ayida.insights.model import Record, Session, StatusClass, Visit

#: Of a visit that is expected to take place.
_EXPECTED: Final[frozenset[StatusClass]] = frozenset({"upcoming", "confirmed"})


@dataclass(frozen=True, slots=True)
class Window:
    """Civil days, both included."""

    first: dt.date
    last: dt.date

    def __contains__(self, day: dt.date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """What counts of a record.

    Args:
        visits: of days up to today, by (day, id).
        booked: those that are expected, from today on; from tomorrow on, if the patient was there today: the
            status of a visit is often set after its session is finalized.
        sessions: finalized ones of days up to today, by (day, finalized_at, id).
        earlier: finalized sessions that there are beside those.
    """

    today: dt.date
    visits: tuple[Visit, ...]
    booked: tuple[Visit, ...]
    sessions: tuple[Session, ...]
    earlier: int

    @property
    def total(self) -> int:
        """Finalized sessions."""
        return len(self.sessions) + self.earlier

    @property
    def has_sessions(self) -> bool:
        """Whether there are enough of them to look for a trend."""
        return self.total >= LEAST_SESSIONS

    @property
    def present(self) -> dict[dt.date, tuple[str, ...]]:
        """Days on which the patient was there, in order: the visit is done, or a session of it is finalized.

        A session is enough, because the visit's status is often set later, and some sessions have no visit.
        """
        days: dict[dt.date, list[str]] = {}
        for day, id in sorted(
            [(each.day, each.id) for each in self.visits if each.status == "done"]
            + [(each.day, each.id) for each in self.sessions]
        ):
            days.setdefault(day, []).append(id)
        return {day: tuple(ids) for day, ids in days.items()}

    @property
    def contradicting(self) -> tuple[Visit, ...]:
        """Visits that are said to be missed, of days on which a session is finalized, and no visit is done.

        Which of both is wrong, only the clinic knows.
        """
        done = {each.day for each in self.visits if each.status == "done"}
        days = {each.day for each in self.sessions} - done
        return tuple(each for each in self.visits if each.status == "absent" and each.day in days)

    def within(self, window: Window) -> tuple[Session, ...]:
        return tuple(each for each in self.sessions if each.day in window)


def usable(record: Record) -> Usable:
    """What counts of it. Of rows with the same id the last one, by day and status or moment, is taken."""
    visits = {each.id: each for each in sorted(record.visits, key=lambda each: (each.day, each.status, each.id))}
    sessions = {
        each.id: each for each in sorted(record.sessions, key=lambda each: (each.day, each.finalized_at, each.id))
    }
    counted = Usable(
        today=record.today,
        visits=_by_day(each for each in visits.values() if each.day <= record.today),
        booked=_by_day(each for each in visits.values() if each.day >= record.today and each.status in _EXPECTED),
        sessions=tuple(each for each in sessions.values() if each.day <= record.today),
        earlier=max(record.earlier, 0),
    )
    if record.today not in counted.present:
        return counted
    return replace(counted, booked=tuple(each for each in counted.booked if each.day > record.today))


def until(last: dt.date, length: dt.timedelta) -> Window:
    """The window of so many days that ends on this one; it ends with the calendar, if that is nearer."""
    return Window(dt.date.fromordinal(max(last.toordinal() - length.days + 1, 1)), last)


def is_usable(value: float | None) -> bool:
    """Whether a number of a session can be one."""
    return value is not None and math.isfinite(value) and abs(value) <= USABLE


def pain_of(session: Session) -> float | None:
    """Its pain, 0 to 10."""
    return float(session.pain) if session.pain is not None and 0 <= session.pain <= WORST_PAIN else None


def expected_before(usable: Usable, day: dt.date) -> tuple[Visit, ...]:
    """Visits of days before this one that are still expected: nobody has said what became of them."""
    return tuple(each for each in usable.visits if each.day < day and each.status in _EXPECTED)


def _by_day(visits: Iterable[Visit]) -> tuple[Visit, ...]:
    return tuple(sorted(visits, key=lambda each: (each.day, each.id)))
