"""Numbers, days and lists as Brazilians read them."""

from __future__ import annotations

import datetime as dt

import pytest

from fisio_ayida.insights.wording import formats
from fisio_ayida.insights.wording.units import with_unit
from fisio_ayida_tests.insights.facts.records import TODAY


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-0.001, "0"),
        (3, "3"),
        (1.4, "1,4"),
        (2.125, "2,12"),
        (12.34, "12,3"),
        (1234.5, "1.234"),
        (-2.5, "-2,5"),
    ],
)
def test_numbers_have_commas_and_no_more_decimals_than_mean_something(value: float, shown: str) -> None:
    assert formats.number(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0, "0%"), (0.001, "1%"), (0.8182, "82%"), (0.999, "99%"), (1, "100%")]
)
def test_only_all_is_told_as_all(share: float, shown: str) -> None:
    assert formats.percent(share) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(28 / 47, "59,6%"), (0.5999, "59,99%"), (0.6, "60%"), (0.604, "60%"), (0.7957, "79,6%"), (0.595, "59,5%")],
)
def test_what_is_less_than_a_rules_threshold_is_not_told_as_that(share: float, shown: str) -> None:
    assert formats.percent(share) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 sessões"), (1, "1 sessão"), (1.5, "1,5 sessão"), (2, "2 sessões"), (1000, "1.000 sessões")],
)
def test_nouns_have_their_plural(value: float, shown: str) -> None:
    assert formats.count(value, "sessão", "sessões") == shown


@pytest.mark.parametrize(
    ("days", "past", "future"), [(0, "hoje", "hoje"), (1, "ontem", "amanhã"), (12, "há 12 dias", "em 12 dias")]
)
def test_days_are_told_from_today(days: int, past: str, future: str) -> None:
    assert (formats.ago(days), formats.ahead(days)) == (past, future)


def test_a_day_far_away_has_its_year() -> None:
    assert formats.day(dt.date(2025, 12, 1), TODAY) == "01/12"
    assert formats.day(dt.date(2025, 3, 12), TODAY) == "12/03/2025"
    assert formats.day(dt.date(3, 3, 12), TODAY) == "12/03/0003"


def test_words_are_joined() -> None:
    assert [formats.joined(list(words)) for words in ("", "a", "ab", "abc")] == ["", "a", "a e b", "a, b e c"]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(0.8182, "ratio", "82%"), (1, "days", "1 dia"), (3, "points", "3 pontos"), (110, "°", "110°"), (630, "kg",
    "630 kg"),
     (12.5, "", "12,5"), (-2.1429, "points/30 d", "-2,1 pontos a cada 30 dias"),
     (1.96, "points/30 d", "2 pontos a cada 30 dias"), (-1.94, "points/14 d", "-1,9 ponto em 14 dias"),
     (128.57, "kg/30 d", "129 kg a cada 30 dias"),
     (0.25, "°/30 d", "0,25° a cada 30 dias")],
)  # fmt: skip
def test_values_have_their_unit(value: float, unit: str, shown: str) -> None:
    assert with_unit(value, unit) == shown
