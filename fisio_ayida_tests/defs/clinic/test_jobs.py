"""The clinic's jobs as Dagster runs them: without config, with it, by partition, and when something is wrong."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import pytest

from fisio_ayida.clinic.registry import JOBS
from fisio_ayida.defs.clinic.specs import asset_key
from fisio_ayida.defs.clinic.work import raise_if_any
from fisio_ayida_tests.clinic.lab import CLINIC, MAIL, PHONE
from fisio_ayida_tests.defs.clinic.conftest import Floor
from fisio_ayida_tests.defs.conftest import failure_words

WITH_ASSETS = [name for name, job in JOBS.items() if job.makes == "asset"]
BORN = dt.date(1990, 3, 12)
BIRTHDAYS, KEY = "birthday_messages", "birthday:patient-1:2026:whatsapp"


@pytest.mark.parametrize("name", WITH_ASSETS)
def test_a_job_runs_without_config_where_there_is_no_clinic_yet(floor: Floor, name: str) -> None:
    floor.lab.conn.execute("delete from clinic.organizations")
    result = floor.run(name)
    assert result.success, failure_words(result)
    [shown] = floor.recorded(result).values()
    assert (shown["clinics"], shown["planned"], shown["failures"]) == (0, 0, 0)


@pytest.mark.parametrize("name", WITH_ASSETS)
def test_a_job_runs_without_config_for_a_clinic_in_which_nothing_happens(floor: Floor, name: str) -> None:
    result = floor.run(name)
    assert result.success, failure_words(result)
    [shown] = floor.recorded(result).values()
    assert (shown["clinics"], shown["planned"], shown["mode"]) == (1, 0, "live")


def test_a_page_tells_who_was_planned_and_who_was_not_and_why(floor: Floor) -> None:
    floor.lab.patient(date_of_birth=BORN)
    floor.lab.patient("mute", date_of_birth=BORN, phone=None, email=None)
    result = floor.run(BIRTHDAYS)
    [shown] = floor.recorded(result).values()
    assert (shown["planned_whatsapp"], shown["withheld"]) == (1, 1)
    assert floor.decisions(result) == {KEY: "", "birthday:mute:2026:whatsapp": "no_address"}
    assert "| withheld | no_address | 1 |" in shown["summary"]


def test_a_page_names_nobody(floor: Floor) -> None:
    floor.lab.patient(date_of_birth=BORN)
    page = floor.page(floor.run(BIRTHDAYS))
    assert KEY in page
    for secret in ("Ana", "Beatriz", "Helena", PHONE, PHONE[-9:], MAIL, "São João"):
        assert secret not in page


def test_a_run_for_another_day_does_that_day(floor: Floor) -> None:
    floor.lab.patient(date_of_birth=dt.date(1990, 3, 5))
    result = floor.run(BIRTHDAYS, {"day": "2026-03-05"})
    [shown] = floor.recorded(result).values()
    assert (shown["planned"], shown["withheld"]) == (0, 1)
    assert floor.lab.reasons() == {KEY: "stale"}


def test_a_run_for_one_organisation_is_an_observation(floor: Floor) -> None:
    floor.lab.clinic("org-2")
    floor.lab.patient(date_of_birth=BORN)
    floor.lab.patient("patient-2", "org-2", date_of_birth=BORN)
    result = floor.run(BIRTHDAYS, {"organization": CLINIC})
    [shown] = floor.observed(result)
    assert (shown["clinics"], floor.lab.keys(), floor.recorded(result)) == (1, [KEY], {})


def test_a_dry_run_writes_nothing_and_is_an_observation(floor: Floor) -> None:
    floor.lab.patient(date_of_birth=BORN)
    result = floor.run(BIRTHDAYS, {"dry_run": True})
    [shown] = floor.observed(result)
    assert (shown["planned"], shown["mode"]) == (1, "dry run")
    assert (floor.lab.keys(), floor.recorded(result)) == ([], {})


def test_in_shadow_mode_a_job_plans_and_nothing_is_sent(floor: Floor) -> None:
    floor.lab.patient(date_of_birth=BORN)
    [shown] = floor.recorded(floor.run(BIRTHDAYS, CLINIC_SHADOW="expiring_vouchers, birthday_messages")).values()
    assert (shown["planned"], shown["mode"], floor.lab.keys()) == (1, "shadow", [])


def test_a_job_that_shadow_mode_does_not_know_fails_the_run(floor: Floor) -> None:
    result = floor.run(BIRTHDAYS, CLINIC_SHADOW="birthdays")
    assert failure_words(result).startswith("CLINIC_SHADOW: job='birthdays' is not a job of the clinic; known: ")


@pytest.mark.parametrize(
    ("name", "config", "said"),
    [
        (BIRTHDAYS, {"day": "yesterday"}, "day='yesterday' is not a day of the calendar: YYYY-MM-DD is expected"),
        (BIRTHDAYS, {"organization": "org-9"}, "organization='org-9' does not exist or is not visible"),
        ("daily_cleanup", {"cleanup_type": "x"}, "cleanup_type='x' is not allowed; allowed: all, notifications, "
         "sessions, tokens, own"),
    ],
)  # fmt: skip
def test_a_wrong_order_is_one_line(floor: Floor, name: str, config: dict[str, str], said: str) -> None:
    result = floor.run(name, config)
    assert (result.success, failure_words(result)) == (False, said)


def test_relations_that_are_not_as_agreed_are_one_line(floor: Floor) -> None:
    floor.lab.conn.execute("alter table clinic.packages rename column expires_on to valid_until")
    try:
        said = failure_words(floor.run(BIRTHDAYS))
    finally:
        floor.lab.conn.execute("alter table clinic.packages rename column valid_until to expires_on")
    assert "clinic.packages.expires_on: missing; date is due" in said and "\n" not in said


# Days and weeks


def test_without_a_partition_the_day_that_was_over_last_is_made(floor: Floor) -> None:
    assert set(floor.recorded(floor.run("daily_reports"))) == {"2026-03-11"}
    assert set(floor.recorded(floor.run("weekly_summary"))) == {"2026-03-02"}
    assert "2026-03-11" in floor.partitions("daily_reports")


def test_a_range_of_days_is_one_run_with_each_day_recorded(floor: Floor) -> None:
    result = floor.run("daily_reports", days=("2026-01-30", "2026-02-02"))
    assert result.success, failure_words(result)
    wanted = {"2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"}
    assert set(floor.recorded(result)) == wanted and wanted <= floor.partitions("daily_reports")


def test_a_partition_is_the_day_that_its_numbers_and_its_picture_are_of(floor: Floor) -> None:
    floor.lab.patient()
    floor.lab.visit("2026-03-10T14:00")
    result = floor.run("daily_reports", partition="2026-03-10")
    shown = floor.recorded(result)["2026-03-10"]
    assert shown["scheduled"] == 1 and shown["visits"].startswith("![Visits](data:image/png;base64,")
    [row] = floor.lab.rows("select * from jobs.reports where kind = 'daily' and therapist_id = ''")
    assert (row["first_day"], row["scheduled"]) == (dt.date(2026, 3, 10), 1)


# Clinics that fail


def test_a_clinic_that_fails_is_listed_and_the_others_are_done(floor: Floor) -> None:
    floor.lab.clinic("org-2", zone="BRT3")
    floor.lab.patient(date_of_birth=BORN)
    result = floor.run(BIRTHDAYS)
    assert not result.success
    assert failure_words(result) == (
        "birthday_messages was done, but not for these organisations: org-2: zone='BRT3' is not an IANA time zone"
    )
    [shown] = floor.recorded(result).values()
    assert (shown["planned"], shown["failures"], floor.lab.keys()) == (1, 1, [KEY])
    assert floor.instance.get_latest_materialization_event(asset_key(JOBS[BIRTHDAYS])) is not None


def test_a_long_list_of_failures_is_cut_and_shows_no_rows() -> None:
    failures = [(f"org-{n}", "broken\nDETAIL:  (Ana Beatriz)") for n in range(22)]
    with pytest.raises(dg.Failure) as raised:
        raise_if_any(JOBS[BIRTHDAYS], failures)
    said = str(raised.value.description)
    assert said.count("broken") == 20 and said.endswith("(and 2 more in jobs.failures)") and "Ana" not in said
    assert raised.value.allow_retries is False
