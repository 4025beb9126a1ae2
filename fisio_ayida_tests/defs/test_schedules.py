"""Which days the schedules ask for, from nominal times at the edges of months, years and summer time."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from fisio_ayida.defs.bdns.schedules import last_month, last_week, last_year, schedules, yesterday

MADRID = ZoneInfo("Europe/Madrid")
BY_NAME = {schedule.name: schedule for schedule in schedules()}


def request(name: str, *moment: int) -> dg.RunRequest:
    """What the schedule asks for at a nominal time in Madrid."""
    context = dg.build_schedule_context(scheduled_execution_time=dt.datetime(*moment, tzinfo=MADRID))  # type: ignore[arg-type, misc]
    [found] = BY_NAME[name].evaluate_tick(context).run_requests or []
    return found


def days(name: str, *moment: int) -> tuple[str, str]:
    [op] = request(name, *moment).run_config["ops"].values()
    return op["config"]["date_from"], op["config"]["date_to"]


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ((2026, 11, 21, 10, 0), "2026-11-20"),
        ((2026, 1, 1, 10, 0), "2025-12-31"),
        ((2028, 3, 1, 10, 0), "2028-02-29"),
        # The days on which clocks change, and those after them.
        ((2026, 3, 29, 10, 0), "2026-03-28"),
        ((2026, 3, 30, 10, 0), "2026-03-29"),
        ((2026, 10, 25, 10, 0), "2026-10-24"),
        ((2026, 10, 26, 10, 0), "2026-10-25"),
    ],
)
def test_yesterday(moment: tuple[int, ...], wanted: str) -> None:
    assert days("concesiones_yesterday", *moment) == (wanted, wanted)


def test_the_week_before_is_monday_to_sunday() -> None:
    assert days("minimis_last_week", 2026, 11, 23, 11, 40) == ("2026-11-16", "2026-11-22")
    # Over a change of clocks and over a year's end.
    assert days("minimis_last_week", 2026, 10, 26, 11, 40) == ("2026-10-19", "2026-10-25")
    assert days("minimis_last_week", 2027, 1, 4, 11, 40) == ("2026-12-28", "2027-01-03")


def test_the_month_before() -> None:
    assert days("ayudas_estado_last_month", 2026, 3, 1, 12, 20) == ("2026-02-01", "2026-02-28")
    assert days("ayudas_estado_last_month", 2026, 1, 1, 12, 20) == ("2025-12-01", "2025-12-31")


def test_the_year_before() -> None:
    for month in (1, 5, 9):
        assert days("convocatorias_last_year", 2026, month, 2, 12, 30) == ("2025-01-01", "2025-12-31")


def test_a_year_that_lies_before_the_first_day_is_skipped_and_a_part_is_cut() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=dt.datetime(2020, 1, 2, 13, tzinfo=MADRID))
    assert not BY_NAME["concesiones_last_year"].evaluate_tick(context).run_requests
    assert days("concesiones_last_week", 2020, 1, 6, 11, 0) == ("2020-01-01", "2020-01-05")


def test_a_late_tick_asks_for_its_own_days() -> None:
    assert yesterday(dt.date(2026, 1, 1)) == (dt.date(2025, 12, 31),) * 2
    assert last_week(dt.date(2026, 11, 25)) == (dt.date(2026, 11, 16), dt.date(2026, 11, 22))
    assert last_month(dt.date(2026, 1, 15)) == (dt.date(2025, 12, 1), dt.date(2025, 12, 31))
    assert last_year(dt.date(2026, 5, 2)) == (dt.date(2025, 1, 1), dt.date(2025, 12, 31))


def test_run_keys_are_moments_with_their_offset() -> None:
    summer, winter = (
        request("sanciones_daily", 2026, 7, 1, 10, 55),
        request("sanciones_daily", 2026, 12, 1, 10, 55),
    )
    assert summer.run_key == "sanciones_daily 2026-07-01T10:55:00+02:00"
    assert winter.run_key == "sanciones_daily 2026-12-01T10:55:00+01:00"
    ranged = request("concesiones_yesterday", 2026, 7, 1, 10, 0)
    assert ranged.run_key == "concesiones yesterday 2026-07-01T10:00:00+02:00"
    assert ranged.partition_key is None
    assert ranged.tags["bdns/range"] == "2026-06-30..2026-06-30"


@pytest.mark.parametrize(
    ("suffix", "cron"),
    [
        ("yesterday", "0 10 * * *"), ("last_week", "0 11 * * 1"), ("last_month", "0 12 1 * *"),
        ("last_year", "0 13 2 1,5,9 *"),
    ],
)  # fmt: skip
def test_the_rhythm_is_the_official_cadence(suffix: str, cron: str) -> None:
    assert BY_NAME[f"concesiones_{suffix}"].cron_schedule == cron
