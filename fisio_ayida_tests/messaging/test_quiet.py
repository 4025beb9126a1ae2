"""Quiet hours by the clinic's own clock, through nights, weekends and clock changes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fisio_ayida.messaging.model import MessagingError
from fisio_ayida.messaging.quiet import DEFAULT, Quiet, until
from fisio_ayida.warehouse.engine import Warehouse

SAO_PAULO = "America/Sao_Paulo"
ZONES = (
    SAO_PAULO, "America/Noronha", "America/Rio_Branco", "America/Manaus", "Europe/Madrid", "America/New_York",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "UTC",
)  # fmt: skip

times = st.one_of(st.times(), st.builds(dt.time, st.integers(0, 23), st.sampled_from((0, 30))))
quiets = st.builds(Quiet, st.sampled_from(ZONES), times, times, st.booleans())
seconds = st.integers(1_104_537_600, 2_051_222_400)  # 2005 to 2034
moments = seconds.map(lambda second: dt.datetime.fromtimestamp(second, dt.UTC))


def at(zone: str, text: str, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def night(zone: str = SAO_PAULO, *, weekends: bool = False) -> Quiet:
    return Quiet(zone, dt.time(21), dt.time(8), weekends)


def shown(moment: dt.datetime | None, zone: str = SAO_PAULO) -> str | None:
    return moment and moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2026-07-01T20:59", None),
        ("2026-07-01T21:00", "2026-07-02T08:00-03:00"),
        ("2026-07-02T00:00", "2026-07-02T08:00-03:00"),
        ("2026-07-02T07:59", "2026-07-02T08:00-03:00"),
        ("2026-07-02T08:00", None),
    ],
)
def test_a_night_is_quiet_until_its_morning(now: str, allowed: str | None) -> None:
    assert shown(until(night(), at(SAO_PAULO, now))) == allowed


def test_a_pause_at_noon_is_quiet_until_its_end() -> None:
    pause = Quiet(SAO_PAULO, dt.time(12), dt.time(13, 30), weekends=False)
    assert shown(until(pause, at(SAO_PAULO, "2026-07-01T12:10"))) == "2026-07-01T13:30-03:00"
    assert until(pause, at(SAO_PAULO, "2026-07-01T00:00")) is None


def test_a_quiet_weekend_lasts_from_friday_night_to_monday_morning() -> None:
    friday = at(SAO_PAULO, "2026-07-03T21:30")
    assert shown(until(night(weekends=True), friday)) == "2026-07-06T08:00-03:00"
    assert shown(until(night(weekends=False), friday)) == "2026-07-04T08:00-03:00"


def test_a_quiet_weekend_without_quiet_hours_ends_at_midnight() -> None:
    weekend = Quiet(SAO_PAULO, dt.time(0), dt.time(0), weekends=True)
    assert shown(until(weekend, at(SAO_PAULO, "2026-07-05T12:00"))) == "2026-07-06T00:00-03:00"


@given(times, moments)
def test_equal_ends_are_never_quiet(time: dt.time, now: dt.datetime) -> None:
    assert until(Quiet(SAO_PAULO, time, time, weekends=False), now) is None


def test_the_clinics_clock_decides_and_not_sao_paulos() -> None:
    nine = at(SAO_PAULO, "2026-07-01T09:00")
    assert until(night(SAO_PAULO), nine) is None
    assert shown(until(night("America/Rio_Branco"), nine)) == "2026-07-01T10:00-03:00"


@pytest.mark.parametrize(
    ("zone", "quiet_to", "now", "fold", "allowed"),
    [
        # 2018-11-04 began at 01:00 in Sao Paulo.
        (SAO_PAULO, "08:00", "2018-11-03T23:30", 0, "2018-11-04T08:00-02:00"),
        (SAO_PAULO, "00:30", "2018-11-03T23:30", 0, "2018-11-04T01:30-02:00"),
        # 2018-02-17 had the hour before midnight twice.
        (SAO_PAULO, "23:30", "2018-02-17T23:10", 0, "2018-02-17T23:30-02:00"),
        (SAO_PAULO, "23:30", "2018-02-17T23:10", 1, "2018-02-17T23:30-03:00"),
        ("Europe/Madrid", "02:30", "2026-03-29T01:30", 0, "2026-03-29T03:30+02:00"),
        ("Europe/Madrid", "08:00", "2026-10-25T02:30", 1, "2026-10-25T08:00+01:00"),
    ],
)
def test_clock_changes(zone: str, quiet_to: str, now: str, fold: int, allowed: str) -> None:
    quiet = Quiet(zone, dt.time(21), dt.time.fromisoformat(quiet_to), weekends=False)
    assert shown(until(quiet, at(zone, now, fold)), zone) == allowed


@given(quiets, moments)
@example(Quiet("Europe/Madrid", dt.time(3, 15), dt.time(2, 30), True), at("UTC", "2026-03-28T22:00"))
@example(Quiet("Pacific/Apia", dt.time(21), dt.time(8), True), at("UTC", "2011-12-30T09:30"))
def test_what_is_allowed_is_later_in_utc_and_not_quiet(quiet: Quiet, now: dt.datetime) -> None:
    allowed = until(quiet, now)
    if allowed is not None:
        assert now < allowed < now + dt.timedelta(days=5)
        assert allowed.tzinfo is dt.UTC
        assert until(quiet, allowed) is None


@given(quiets, moments, st.floats(0, 1, exclude_max=True))
def test_between_now_and_then_it_stays_quiet(quiet: Quiet, now: dt.datetime, part: float) -> None:
    allowed = until(quiet, now)
    if allowed is None:
        return
    between = now + (allowed - now) * part
    zone = ZoneInfo(quiet.zone)
    # Rounding may reach the end itself.
    if between < allowed and len({moment.astimezone(zone).utcoffset() for moment in (now, between, allowed)}) == 1:
        assert until(quiet, between) == allowed


@pytest.mark.parametrize("zone", ["America/Atlantis", "", "../etc/passwd", "São Paulo"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    with pytest.raises(MessagingError, match="is not an IANA time zone"):
        Quiet(zone, dt.time(21), dt.time(8), weekends=False)


def test_the_default_is_that_of_a_new_policy(warehouse: Warehouse) -> None:
    with warehouse.connect() as conn:
        row = conn.execute(
            "insert into messaging.policies (organization_id) values ('o') "
            "returning zone, quiet_from, quiet_to, quiet_weekends"
        ).fetchone()
    assert row is not None
    assert Quiet(*row) == DEFAULT
