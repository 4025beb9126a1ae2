"""What a call of a model costs: a table kept in the setting INSIGHTS_PRICES, with the days from which prices hold.

Here: reading the table, and arithmetic in decimals. Not here: budgets (``ledger.py``). No price is built in: none
could be relied upon (CONTRACT clinic §9.3).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from fisio_ayida.settings import SettingsError

_SETTING: Final = "INSIGHTS_PRICES"
_MILLION: Final = Decimal(1_000_000)
#: The ledger keeps six places. Rounded up: a budget must hold in spite of roundings.
_PLACES: Final = Decimal("0.000001")
_CURRENCY: Final = "USD"
_FIELDS: Final = ("model", "from", "input", "cached", "output", "currency")
#: Nobody asks more for a million tokens.
_HIGHEST: Final = Decimal(100_000)


class PricesError(SettingsError):
    """One line: INSIGHTS_PRICES, which field of which price, what was given and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens of a model cost from a day on.

    Args:
        input: of prompts; ``cached``: of their tokens that the server remembered.
        output: of answers.
    """

    model: str
    since: dt.date
    input: Decimal
    cached: Decimal
    output: Decimal


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices, in one currency."""

    table: tuple[Price, ...] = ()
    currency: str = _CURRENCY

    @classmethod
    def parse(cls, text: str) -> Prices:
        """Read the setting; empty: no prices.

        Raises:
            PricesError: what is wrong with it.
        """
        if not text.strip():
            return cls()
        try:
            rows = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        except ValueError:
            rows = None
        if not isinstance(rows, list):
            raise PricesError(f"{_SETTING}: a JSON list of prices is allowed")
        table = tuple(_price(f"{_SETTING}[{place}]", row) for place, row in enumerate(rows))
        currencies = {
            _text(f"{_SETTING}[{place}]", {"currency": _CURRENCY, **row}, "currency")
            for place, row in enumerate(rows)
        }
        if len(currencies) > 1:
            raise PricesError(f"{_SETTING}: one currency is allowed, not {', '.join(sorted(currencies))}")
        if len({(price.model, price.since) for price in table}) < len(table):
            raise PricesError(f"{_SETTING}: each model has one price from one day on")
        return cls(table, *currencies)

    def at(self, model: str, day: dt.date) -> Price | None:
        """The price of that day; None: there is none."""
        of_model = (price for price in self.table if price.model == model and price.since <= day)
        return max(of_model, key=lambda price: price.since, default=None)

    def cost(self, model: str, day: dt.date, *, prompt: int, cached: int, completion: int) -> Decimal | None:
        """What a call costs, in the table's currency; None: no price is known.

        Args:
            prompt: tokens, with the cached ones.
            completion: tokens of the answer.
        """
        price = self.at(model, day)
        if price is None:
            return None
        cached = max(0, min(cached, prompt))
        millionths = (prompt - cached) * price.input + cached * price.cached + completion * price.output
        return (millionths / _MILLION).quantize(_PLACES, ROUND_CEILING)


def _price(where: str, row: Any) -> Price:
    if not isinstance(row, Mapping):
        raise PricesError(f"{where}: an object with {', '.join(_FIELDS)} is allowed")
    if unknown := sorted(set(row) - set(_FIELDS)):
        raise PricesError(f"{where}: {unknown[0]!r} is not allowed; allowed: {', '.join(_FIELDS)}")
    return Price(
        model=_text(where, row, "model"),
        since=_day(where, row),
        input=_number(where, row, "input"),
        cached=_number(where, row, "cached" if "cached" in row else "input"),
        output=_number(where, row, "output"),
    )


def _text(where: str, row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise _wrong(where, name, value, "a text")
    return value


def _day(where: str, row: Mapping[str, Any]) -> dt.date:
    value = row.get("from")
    try:
        return dt.date.fromisoformat(value)  # type: ignore[arg-type]  # what is no text is refused below
    except (TypeError, ValueError):
        raise _wrong(where, "from", value, "a day as 2026-01-31") from None


def _number(where: str, row: Mapping[str, Any], name: str) -> Decimal:
    value = row.get(name)
    if not isinstance(value, Decimal) or not value.is_finite() or not 0 <= value <= _HIGHEST:
        raise _wrong(where, name, value, f"a number from 0 to {_HIGHEST}, for a million tokens,")
    return value


def _wrong(where: str, name: str, value: Any, allowed: str) -> PricesError:
    shown = str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)
    return PricesError(f"{where}.{name}: {allowed} is allowed, not {shown[:60]}")
