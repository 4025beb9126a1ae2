"""Records for the tests of facts: by days before today, and arbitrary ones.

Not here: expectations.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, get_args

from hypothesis import strategies as st

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.model import (
    Exercise,
    Fact,
    Flag,
    Measurement,
    Record,
    Session,
    StatusClass,
    Visit,
)

TODAY = dt.date(2026, 3, 12)
STATUSES: tuple[StatusClass, ...] = get_args(StatusClass)
_NOON = dt.time(12)


def day(ago: int) -> dt.date:
    """So many days before today."""
    return TODAY - dt.timedelta(days=ago)


def visit(ago: int, status: StatusClass = "done", id: str = "") -> Visit:
    return Visit(id=id or f"visit-{ago}-{status}", day=day(ago), status=status)


def session(ago: int, pain: int | None = None, id: str = "", **content: Any) -> Session:
    return Session(
        id=id or f"session-{ago}", day=day(ago), finalized_at=dt.datetime.combine(day(ago), _NOON, dt.UTC),
        pain=pain,
        **content,
    )  # fmt: skip


def weekly(pains: Sequence[int | None], last: int = 0) -> tuple[Session, ...]:
    """A session a week with these values, the newest one so many days ago."""
    return tuple(session(last + 7 * place, pain) for place, pain in enumerate(reversed(pains)))[::-1]


def record(
    *, visits: Sequence[Visit] = (), sessions: Sequence[Session] = (), today: dt.date = TODAY, **more: Any
) -> Record:
    return Record(
        organization_id="clinic", patient_id="patient", today=today, visits=tuple(visits),
        sessions=tuple(sessions),
        **more,
    )  # fmt: skip


def fact(of: Record, ref: str) -> Fact:
    return next(each for each in compute(of).facts if each.ref == ref)


def flag(of: Record, name: str) -> Flag | None:
    return next((each for each in compute(of).flags if each.name == name), None)


#: Any day that there is, and many that are near.
days = st.one_of(st.dates(day(400), day(-30)), st.dates())
_numbers = st.one_of(st.none(), st.integers(-2, 60).map(float), st.floats())
_exercises = st.builds(Exercise, name=st.text(max_size=3), sets=_numbers, repetitions=_numbers, load=_numbers)
_measurements = st.builds(
    Measurement, name=st.sampled_from(["Flexão", " flexao ", "Força D", "", "É"]),
    value=st.one_of(st.integers(0, 180).map(float), st.floats()), unit=st.sampled_from(["", "°", "graus", "kg",
    "dedos"]),
)  # fmt: skip
_moments = st.datetimes(timezones=st.just(dt.UTC))
_ids = st.integers(0, 40).map(str)


def sessions(least: int = 0, most: int = 12) -> st.SearchStrategy[list[Session]]:
    """Sessions with any content; some share an id."""
    return st.lists(
        st.builds(
            Session, id=_ids, day=days, finalized_at=_moments, pain=st.one_of(st.none(), st.integers(-1, 12)),
            exercises=st.lists(_exercises, max_size=2).map(tuple), home_exercises=st.lists(_exercises,
            max_size=1).map(tuple),
            measurements=st.lists(_measurements, max_size=3).map(tuple),
            unusable=st.sampled_from([(), ("pain: a number was expected",)]),
        ),
        min_size=least, max_size=most,
    )  # fmt: skip


def visits() -> st.SearchStrategy[list[Visit]]:
    """Visits of any day and status; some share an id."""
    return st.lists(st.builds(Visit, id=_ids, day=days, status=st.sampled_from(STATUSES)), max_size=12)


def arbitrary() -> st.SearchStrategy[Record]:
    """Any record that the types allow."""
    return st.builds(
        record, visits=visits(), sessions=sessions(), today=st.one_of(st.just(TODAY), st.dates()),
        earlier=st.integers(0, 60),
    )  # fmt: skip
