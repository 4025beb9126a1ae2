"""The price table: what it says, from which day on, and that a wrong one is told of by field and value."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.insights.narrative.prices import Prices, PricesError
from fisio_ayida.settings import SettingsError

ROW = {"model": "m", "from": "2026-01-01", "input": 0.1, "cached": 0.05, "output": 2, "currency": "BRL"}
DAY = dt.date(2026, 2, 1)


def table(*rows: Any) -> Prices:
    return Prices.parse(json.dumps(rows))


def test_a_call_costs_its_tokens_times_the_price_of_a_million() -> None:
    cost = table(ROW).cost("m", DAY, prompt=3_000_000, cached=1_000_000, completion=500_000)
    assert cost == Decimal("1.25")


def test_a_cost_is_rounded_up_to_what_the_ledger_keeps() -> None:
    assert table(ROW).cost("m", DAY, prompt=1, cached=0, completion=0) == Decimal("0.000001")


def test_cached_tokens_cost_as_others_where_no_price_is_said_for_them() -> None:
    prices = table({name: value for name, value in ROW.items() if name != "cached"})
    assert prices.cost("m", DAY, prompt=1_000_000, cached=1_000_000, completion=0) == Decimal("0.1")


def test_a_price_holds_from_its_day_until_the_next_one() -> None:
    prices = table({**ROW, "from": "2026-02-01", "output": 4}, ROW)
    days = (dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 1, 31), dt.date(2026, 2, 1))
    costs = [prices.cost("m", day, prompt=0, cached=0, completion=1_000_000) for day in days]
    assert costs == [None, 2, 2, 4]


def test_an_unknown_model_has_no_cost() -> None:
    assert table(ROW).cost("other", DAY, prompt=1, cached=0, completion=1) is None


def test_an_empty_setting_is_no_prices() -> None:
    assert Prices.parse(" ") == Prices()


def test_the_table_tells_its_currency() -> None:
    assert table(ROW).currency == "BRL"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "INSIGHTS_PRICES: a JSON list"),
        ('{"m": 1}', "INSIGHTS_PRICES: a JSON list"),
        ("[3]", "INSIGHTS_PRICES[0]: an object"),
        (json.dumps([{**ROW, "price": 1}]), "INSIGHTS_PRICES[0]: 'price' is not allowed"),
        (json.dumps([ROW, {**ROW, "model": ""}]), 'INSIGHTS_PRICES[1].model: a text is allowed, not ""'),
        (
            json.dumps([{**ROW, "from": "01/02/2026"}]),
            'INSIGHTS_PRICES[0].from: a day as 2026-01-31 is allowed, not "01',
        ),
        (json.dumps([{**ROW, "from": 20260101}]), "INSIGHTS_PRICES[0].from"),
        (json.dumps([{**ROW, "input": -1}]), "INSIGHTS_PRICES[0].input: a number from 0"),
        (json.dumps([{**ROW, "output": "2"}]), "INSIGHTS_PRICES[0].output: a number from 0"),
        (json.dumps([{**ROW, "output": None}]), "not null"),
        (json.dumps([{**ROW, "cached": True}]), "INSIGHTS_PRICES[0].cached"),
        ('[{"model": "m", "from": "2026-01-01", "input": NaN, "output": 1}]', "INSIGHTS_PRICES[0].input"),
        (
            json.dumps([ROW, {**ROW, "from": "2026-02-01", "currency": "USD"}]),
            "one currency is allowed, not BRL, USD",
        ),
        (json.dumps([{**ROW, "currency": 3}]), "INSIGHTS_PRICES[0].currency"),
        (json.dumps([ROW, ROW]), "one price from one day on"),
    ],
)
def test_a_wrong_table_is_a_wrong_setting_told_in_one_line(text: str, line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Prices.parse(text)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, PricesError)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_more_tokens_never_cost_less(prompt: int, cached: int, completion: int) -> None:
    prices = table(ROW)
    cost = prices.cost("m", DAY, prompt=prompt, cached=min(cached, prompt), completion=completion)
    more = prices.cost("m", DAY, prompt=prompt + 1, cached=min(cached, prompt), completion=completion + 1)
    assert cost is not None
    assert more is not None
    assert 0 <= cost <= more
