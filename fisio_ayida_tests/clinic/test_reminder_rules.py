"""Rules of reminders: what a clinic may say, FisioFlow's own settings in the same words, and their moments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.clinic.model import Clinic, Rules
from fisio_ayida.clinic.reminder_rules import (
    DEFAULT,
    Band,
    Bands,
    DayBefore,
    HoursBefore,
    Rule,
    RuleError,
    moment,
    parse,
    rules_of,
)

DAY = dt.date(2026, 3, 13)
NINE_TO_TEN: dict[str, Any] = {"from_hour": 9, "to_hour": 10, "send_day_offset": 0, "send_at": "09:00"}


def clinic(
    zone: str = "America/Sao_Paulo", rules: Any = None, settings: Mapping[str, Any] | None = None
) -> Clinic:
    return Clinic(
        id="org-1", name="Clínica São João", zone=ZoneInfo(zone), channels_off=frozenset(),
        rules=Rules(reminder_rules=rules), settings=settings or {},
    )  # fmt: skip


def local(rule: Rule, start: str, where: Clinic | None = None, date: dt.date = DAY) -> str | None:
    """A rule's moment for a visit, as the clinic's clock shows it."""
    where = where or clinic()
    at = moment(rule, where, date, dt.time.fromisoformat(start))
    return None if at is None else f"{at.astimezone(where.zone):%Y-%m-%d %H:%M}"


# Moments


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "America/Rio_Branco", "America/Noronha"])
def test_a_day_before_is_at_the_clinics_own_hour(zone: str) -> None:
    where = clinic(zone)
    assert local(DayBefore(id="a", at="10:00"), "00:30", where) == "2026-03-12 10:00"
    assert local(DayBefore(id="a", at="10:00"), "23:45", where) == "2026-03-12 10:00"


def test_hours_before_count_back_from_the_start() -> None:
    assert local(HoursBefore(id="a", hours=5), "14:30") == "2026-03-13 09:30"
    assert local(HoursBefore(id="a", hours=5), "00:30") == "2026-03-12 19:30"


def test_fisioflows_bands_are_announced_as_fisioflow_does() -> None:
    (rule,) = rules_of(clinic(settings={"crm_whatsapp": {"reminders": {"tzOffsetMinutes": 60}}}))

    starts = ["07:00", "08:59", "09:30", "12:59", "14:00", "06:30"]

    assert [local(rule, start) for start in starts] == [
        "2026-03-12 19:00", "2026-03-12 19:00", "2026-03-13 07:00", "2026-03-13 08:00", "2026-03-13 09:00",
        "2026-03-13 01:30",
    ]  # fmt: skip


def test_a_start_outside_all_bands_and_without_hours_has_no_moment() -> None:
    rule = Bands(id="a", bands=(Band(from_hour=9, to_hour=10, send_day_offset=0, send_at="07:00"),))
    assert local(rule, "11:00") is None


def test_a_day_of_twenty_three_hours_does_not_put_a_reminder_two_days_back() -> None:
    # In 2018 the clocks of São Paulo went from 4 November 00:00 to 01:00.
    assert local(HoursBefore(id="a", hours=24), "00:30", date=dt.date(2018, 11, 5)) == "2018-11-04 01:00"


def test_an_hour_that_the_clocks_skipped_is_the_one_after_it() -> None:
    assert local(DayBefore(id="a", at="00:30"), "09:00", date=dt.date(2018, 11, 5)) == "2018-11-04 01:30"


clocks = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
hours = st.integers(1, 24)
bands = st.builds(
    lambda first, length, eve, clock: Band(
        from_hour=first, to_hour=min(23, first + length), send_day_offset=-1 if eve else 0, send_at=clock
    ),
    st.integers(0, 23), st.integers(0, 5), st.booleans(), clocks,
)  # fmt: skip
rules = st.one_of(
    st.builds(lambda at: DayBefore(id="a", at=at), clocks),
    st.builds(lambda n: HoursBefore(id="a", hours=n), hours),
    st.builds(lambda found, n: Bands(id="a", bands=tuple(found), hours_before=n), st.lists(bands), hours),
)
zones = st.sampled_from(["America/Rio_Branco", "America/Noronha", "America/Sao_Paulo", "America/Manaus"])


@given(rules, zones, st.dates(dt.date(2000, 1, 3), dt.date(2030, 12, 31)), st.times())
def test_a_moment_is_before_the_start_and_not_before_the_day_before(
    rule: Rule, zone: str, date: dt.date, start: dt.time
) -> None:
    where = clinic(zone)
    at = moment(rule, where, date, start.replace(second=0, microsecond=0, tzinfo=None))
    if at is not None:
        assert at < where.instant(date, start)
        assert date - dt.timedelta(days=1) <= where.day(at) <= date


@given(rules, zones, st.dates(dt.date(2020, 1, 3), dt.date(2030, 12, 31)), st.times())
def test_clocks_that_do_not_change_show_the_same_hour_every_day(
    rule: Rule, zone: str, date: dt.date, start: dt.time
) -> None:
    where, next_day = clinic(zone), date + dt.timedelta(days=1)
    today, tomorrow = moment(rule, where, date, start), moment(rule, where, next_day, start)
    assert (today and today + dt.timedelta(days=1)) == tomorrow


# What a clinic may say


def test_a_clinics_own_rules_come_first() -> None:
    own = [{"id": "eve", "kind": "day_before", "at": "19:00"}, {"id": "h3", "kind": "hours_before", "hours": 3}]
    where = clinic(rules=own, settings={"crm_whatsapp": {"reminders": {}}})
    assert rules_of(where) == (DayBefore(id="eve", at="19:00"), HoursBefore(id="h3", hours=3))


@pytest.mark.parametrize("settings", [{}, {"crm_whatsapp": {}}, {"crm_whatsapp": None}, {"crm_whatsapp": []}])
def test_a_clinic_that_says_nothing_is_reminded_on_the_day_before(settings: dict[str, Any]) -> None:
    assert rules_of(clinic(settings=settings)) == DEFAULT


def test_a_clinic_may_want_no_reminders() -> None:
    assert rules_of(clinic(rules=[])) == ()
    assert rules_of(clinic(settings={"crm_whatsapp": {"reminders": {"enabled": False}}})) == ()


def test_conditions_choose_visits() -> None:
    given = {"id": "a", "kind": "hours_before", "hours": 2, "types": ["evaluation"], "therapists": ["t"]}
    (rule,) = parse([given])
    assert rule.applies("evaluation", "t")
    assert not rule.applies("session", "t") and not rule.applies("evaluation", None)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"kind": "day_before", "at": "25:00"}, r"reminder_rules\[0\]\.at='25:00': "),
        ({"kind": "day_before", "at": "10:00", "days": 2}, "unknown field `days`"),
        ({"kind": "hours_before", "hours": 48}, r"reminder_rules\[0\]\.hours=48: .* <= 24"),
        ({"kind": "weeks_before"}, r"reminder_rules\[0\]\.kind='weeks_before': "),
        ({"kind": "hours_before"}, "missing required field `hours`"),
        ({"kind": "hours_before", "hours": 2, "channels": ["sms"]}, r"reminder_rules\[0\]\.channels\[0\]='sms': "),
        (
            {"kind": "bands", "bands": [NINE_TO_TEN | {"send_day_offset": -2}]},
            r"reminder_rules\[0\]\.bands\[0\]\.send_day_offset=-2: ",
        ),
        (
            {"kind": "bands", "bands": [NINE_TO_TEN]},
            r"reminder_rules\[0\]\.bands\[0\]: send_at='09:00' is not before from_hour=9",
        ),
        ({"kind": "hours_before", "hours": 2, "id": "manual"}, "id='manual' is kept for reminders by hand"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_followed_is_named_with_its_value(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(RuleError, match=said):
        parse([{"id": "a", **rule}])


def test_two_rules_of_one_id_could_not_be_told_apart() -> None:
    rule = {"id": "a", "kind": "hours_before", "hours": 2}
    with pytest.raises(RuleError, match=r"reminder_rules\[1\]\.id='a' is another rule's"):
        parse([rule, rule])


def test_fisioflows_settings_that_say_two_days_are_named() -> None:
    where = clinic(settings={"crm_whatsapp": {"reminders": {"defaultHoursBefore": 48}}})
    with pytest.raises(RuleError, match=r"settings\.crm_whatsapp\.reminders\.defaultHoursBefore=48: "):
        rules_of(where)
