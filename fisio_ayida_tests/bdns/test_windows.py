"""Windows and the calendar of the source: every requested day once, at most seven together, both date families."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.bdns.datasets import DATASETS, dataset
from fisio_ayida.bdns.errors import BadRequest
from fisio_ayida.bdns.windows import (
    MADRID,
    Window,
    days,
    default_days,
    parse_day,
    requested_days,
    static_partitions,
    windows,
    yesterday,
)

CALLS, AWARDS = dataset("convocatorias"), dataset("concesiones")
NOW = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)
JANUARY = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
some_days = st.sets(st.dates(dt.date(2025, 12, 20), dt.date(2026, 4, 10)), max_size=60)


@given(some_days)
def test_windows_partition_the_requested_days(wanted: set[dt.date]) -> None:
    found = list(windows(AWARDS, [d.isoformat() for d in wanted]))
    assert [p for w in found for p in w.partitions] == sorted(d.isoformat() for d in wanted)
    for window in found:
        assert len(window.partitions) <= 7
        assert list(window.partitions) == days(window.start, window.end - dt.timedelta(days=1))


@given(some_days)
def test_the_parameters_of_both_families_cover_the_same_days(wanted: set[dt.date]) -> None:
    keys = [d.isoformat() for d in wanted]
    for calls, awards in zip(windows(CALLS, keys), windows(AWARDS, keys), strict=True):
        inclusive, exclusive = calls.parameters(), awards.parameters()
        assert set(inclusive) == {"fechaDesde", "fechaHasta"}
        assert set(exclusive) == {"fechaRegInicio", "fechaRegFin"}
        assert _day(inclusive["fechaDesde"]) == _day(exclusive["fechaRegInicio"]) == awards.start
        assert _day(inclusive["fechaHasta"]) + dt.timedelta(days=1) == _day(exclusive["fechaRegFin"]) == awards.end


def _day(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a day has no zone


@pytest.mark.parametrize(
    ("dates", "label", "lower", "upper"),
    [
        (("2025-12-29", "2026-01-04"), "2025-12-29..2026-01-04", "29/12/2025", "05/01/2026"),
        (("2025-12-31", "2025-12-31"), "2025-12-31", "31/12/2025", "01/01/2026"),
        (("2028-02-28", "2028-02-29"), "2028-02-28..2028-02-29", "28/02/2028", "01/03/2028"),
        (("2026-10-25", "2026-10-25"), "2026-10-25", "25/10/2026", "26/10/2026"),
        (("2026-03-29", "2026-03-29"), "2026-03-29", "29/03/2026", "30/03/2026"),
    ],
)
def test_year_ends_leap_days_and_clock_changes_are_days_like_others(
    dates: tuple[str, str], label: str, lower: str, upper: str
) -> None:
    (window,) = windows(AWARDS, days(*map(dt.date.fromisoformat, dates)))
    assert window.label == label
    assert window.parameters() == {"fechaRegInicio": lower, "fechaRegFin": upper}


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-10-05T21:59:00+00:00", "2026-10-04"), ("2026-10-05T22:01:00+00:00", "2026-10-05"),
        ("2026-12-31T22:59:00+00:00", "2026-12-30"), ("2026-12-31T23:01:00+00:00", "2026-12-31"),
        ("2026-03-29T00:30:00+00:00", "2026-03-28"), ("2026-10-24T22:30:00+00:00", "2026-10-24"),
    ],
)  # fmt: skip
def test_yesterday_is_madrids(moment: str, day: str) -> None:
    assert yesterday(dt.datetime.fromisoformat(moment)) == dt.date.fromisoformat(day)


def test_days_do_not_depend_on_clock_changes() -> None:
    for change in (dt.date(2026, 3, 29), dt.date(2026, 10, 25)):
        around = days(change - dt.timedelta(days=1), change + dt.timedelta(days=1))
        assert len(around) == 3
        morning = dt.datetime.combine(change + dt.timedelta(days=1), dt.time(0, 5), MADRID)
        assert yesterday(morning) == change


@given(some_days, st.integers(0, 119 * 24 * 60).map(lambda n: JANUARY + dt.timedelta(minutes=n)))
def test_a_default_run_leaves_no_hole_and_ends_at_yesterday(complete: set[dt.date], now: dt.datetime) -> None:
    last = yesterday(now)
    found = [dt.date.fromisoformat(d) for d in default_days(AWARDS, sorted(complete), now)]
    assert found == sorted(set(found)) and found[-1] == last
    known = {d for d in complete if d <= last}
    if not known:
        assert len(found) == 7
        return
    through = {min(known) + dt.timedelta(days=n) for n in range((last - min(known)).days + 1)}
    assert known | set(found) == through
    assert max(known) in found, "the last complete day is read again"
    assert known & set(found) == {max(known)}


def test_a_range_is_both_ends_included_and_one_end_is_enough() -> None:
    first, last = dt.date(2026, 9, 30), dt.date(2026, 10, 2)
    assert requested_days(AWARDS, first, last, NOW) == ["2026-09-30", "2026-10-01", "2026-10-02"]
    assert requested_days(AWARDS, dt.date(2026, 10, 4), None, NOW) == ["2026-10-04"]
    assert requested_days(AWARDS, None, first, NOW) == ["2026-09-30"]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (dt.date(2026, 10, 1), dt.date(2026, 9, 1), "reversed"),
        (dt.date(2026, 10, 1), dt.date(2026, 10, 5), "after yesterday (2026-10-04, Europe/Madrid)"),
        (dt.date(2027, 1, 1), None, "reversed"),
        (dt.date(2019, 12, 31), dt.date(2020, 1, 2), "before the first day of concesiones, 2020-01-01"),
    ],
)
def test_a_range_that_cannot_be_is_refused(first: dt.date, last: dt.date | None, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        requested_days(AWARDS, first, last, NOW)
    assert words in str(caught.value)


def test_a_dataset_without_days_takes_no_range() -> None:
    with pytest.raises(BadRequest, match="organos has no registration days"):
        requested_days(dataset("organos"), dt.date(2026, 9, 1), None, NOW)


@pytest.mark.parametrize("text", ["2026-9-1", "01/09/2026", "20260901", "2026-02-30", "2026-W36-1", "ayer", ""])
def test_a_malformed_day_is_refused_by_name_and_value(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_day("from", text)
    assert str(caught.value).startswith(f"from={text!r} is not a date: write YYYY-MM-DD")


def test_datasets_without_days_have_one_window_for_each_partition() -> None:
    assert static_partitions(dataset("organos")) == ["C", "A", "L", "O"]
    assert static_partitions(dataset("reglamentos")) == ["C", "A", "M", "S", "P", "G"]
    assert static_partitions(dataset("sanciones")) == ["all"]
    assert static_partitions(AWARDS) is None and static_partitions(dataset("grandes_beneficiarios")) is None
    assert [w.partitions for w in windows(dataset("organos"), ["L", "C", "L"])] == [("C",), ("L",)]
    assert Window(dataset("grandes_beneficiarios"), ("2024",)).parameters() == {"anios": "2024"}
    assert Window(dataset("organos"), ("L",)).parameters() == {"idAdmon": "L"}
    assert Window(dataset("reglamentos"), ("M",)).parameters() == {"ambito": "M"}
    assert Window(dataset("sanciones"), ("all",)).parameters() == {}


def test_every_window_asks_only_what_the_endpoint_knows() -> None:
    for of in DATASETS.values():
        partitions = days(dt.date(2026, 9, 1), dt.date(2026, 9, 9)) if of.is_windowed else ["2024"]
        for window in windows(of, static_partitions(of) or partitions):
            assert set(window.parameters()) <= set(of.parameters)
