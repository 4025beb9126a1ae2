"""What a run stands for: from config, partitions or nothing at all to nominal moments, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fisio_ayida.clinic.model import BadOrder
from fisio_ayida.clinic.registry import JOBS, ROWS, ZONE, Job
from fisio_ayida.defs.clinic.asking import CleanupConfig, JobConfig, asked, organization_of, partition_of, parts_of

SAO_PAULO = ZoneInfo(ZONE)
#: A Thursday.
NOW = dt.datetime(2026, 3, 12, 14, 20, tzinfo=SAO_PAULO)


def asks(name: str, *partitions: str, now: dt.datetime = NOW, **config: Any) -> list[tuple[str, str | None]]:
    """The moments of a run, in São Paulo's time, with their partitions."""
    found = asked(JOBS[name], JobConfig(**config), partitions, now)
    return [(f"{each.nominal.astimezone(SAO_PAULO):%Y-%m-%dT%H:%M}", each.partition) for each in found]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("birthday_messages", ("2026-03-12T09:00", None)),
        ("daily_reports", ("2026-03-12T08:00", "2026-03-11")),
        ("weekly_summary", ("2026-03-09T09:00", "2026-03-02")),
        ("reactivation_campaign", ("2026-03-09T10:00", None)),
        ("data_integrity", ("2026-03-12T12:00", None)),
        ("appointment_reminders", ("2026-03-12T14:00", None)),
        ("feedback_requests", ("2026-03-12T14:15", None)),
    ],
)
def test_without_config_a_run_stands_for_what_was_due_last(name: str, wanted: tuple[str, str | None]) -> None:
    assert asks(name) == [wanted]


def test_before_its_hour_a_run_stands_for_the_day_before() -> None:
    early = NOW.replace(hour=7)
    assert asks("daily_reports", now=early) == [("2026-03-11T08:00", "2026-03-10")]


def test_a_day_stands_for_the_hour_of_the_job_on_it() -> None:
    assert asks("birthday_messages", day="2026-02-28") == [("2026-02-28T09:00", None)]
    assert asks("daily_reports", day="2026-01-01") == [("2026-01-01T08:00", "2025-12-31")]


def test_any_day_of_a_week_stands_for_its_monday() -> None:
    days = ("2026-01-05", "2026-01-07", "2026-01-11")
    assert {asks("weekly_summary", day=day)[0] for day in days} == {("2026-01-05T09:00", "2025-12-29")}


def test_a_moment_stands_for_the_last_one_that_was_due_then() -> None:
    assert asks("feedback_requests", at="2026-03-12T13:59:59-03:00") == [("2026-03-12T13:45", None)]
    assert asks("daily_reports", at="2026-03-12T10:59:00Z") == [("2026-03-11T08:00", "2026-03-10")]


def test_partitions_are_the_days_and_weeks_reported_on_in_order() -> None:
    assert asks("daily_reports", "2026-03-02", "2026-02-28") == [
        ("2026-03-01T08:00", "2026-02-28"), ("2026-03-03T08:00", "2026-03-02"),
    ]  # fmt: skip
    assert asks("weekly_summary", "2025-12-29") == [("2026-01-05T09:00", "2025-12-29")]


@pytest.mark.parametrize(
    ("name", "config", "said"),
    [
        ("birthday_messages", {"day": "2026-02-30"}, "day='2026-02-30' is not a day of the calendar"),
        ("birthday_messages", {"day": "2026-03-13"}, "day='2026-03-13' has not come yet"),
        ("appointment_reminders", {"day": "2026-03-12"}, "appointment_reminders is due many times a day; give at"),
        ("feedback_requests", {"at": "noon"}, "at='noon' is not a moment"),
        ("feedback_requests", {"at": "2026-03-12T09:00"}, "at='2026-03-12T09:00' has no offset"),
        ("feedback_requests", {"at": "2026-03-12T14:30-03:00"}, "has not come yet"),
        ("birthday_messages", {"day": "2026-03-12", "at": "2026-03-12T09:00Z"}, "day and at are given"),
        ("daily_cleanup", {"day": "0001-01-01"}, "day='0001-01-01' is before 2000-01-01"),
        ("daily_reports", {"day": "1999-12-31"}, "day='1999-12-31' is before 2000-01-01"),
        ("feedback_requests", {"at": "0001-01-01T00:00:00+03:00"}, "at='0001-01-01T00:00:00+03:00' is before"),
        ("feedback_requests", {"at": "9999-12-31T23:59:59-12:00"}, "has not come yet"),
    ],
)
def test_a_wrong_value_is_named(name: str, config: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOrder) as raised:
        asks(name, **config)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_day_beside_partitions_is_refused() -> None:
    with pytest.raises(BadOrder, match="day and the partitions are given"):
        asks("daily_reports", "2026-03-02", day="2026-03-02")


@pytest.mark.parametrize("blank", ["", "  "])
def test_an_organisation_without_an_id_is_not_all_of_them(blank: str) -> None:
    with pytest.raises(BadOrder, match=f"organization='{blank}' names none"):
        organization_of(JobConfig(organization=blank))
    assert organization_of(JobConfig()) is None and organization_of(JobConfig(organization=" org-1 ")) == "org-1"


def test_the_parts_of_the_clean_up() -> None:
    assert parts_of(JobConfig()) == parts_of(CleanupConfig(cleanup_type="all")) == ()
    assert parts_of(CleanupConfig(cleanup_type="tokens")) == ("tokens",)
    with pytest.raises(BadOrder, match="cleanup_type='some' is not allowed; allowed: all, notifications"):
        parts_of(CleanupConfig(cleanup_type="some"))


@pytest.mark.parametrize("job", [row for row in ROWS if row.period], ids=lambda row: row.name)
def test_a_tick_and_its_partition_mean_the_same(job: Job) -> None:
    nominal = job.when.latest(NOW)
    partition = partition_of(job, nominal)
    assert partition is not None
    [of_partition] = asked(job, JobConfig(), [partition], NOW)
    assert (of_partition.nominal, of_partition.partition) == (nominal, partition)
