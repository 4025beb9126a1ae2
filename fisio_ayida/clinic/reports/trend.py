"""A week against the weeks before it, in plain Portuguese.

Here: the comparison with their mean, and its words. Not here: the numbers, and the table they stand in.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

#: A change of less than so many percent is none: a handful of visits more or less.
ALIKE_PERCENT: Final = 5
_TENTH: Final = Decimal("0.1")
_WHOLE: Final = Decimal(1)


def mean(before: Sequence[int]) -> str:
    """The mean with at most one decimal: "19", "19,3"."""
    rounded = (Decimal(sum(before)) / len(before)).quantize(_TENTH, ROUND_HALF_UP)
    return str(rounded).removesuffix(".0").replace(".", ",")


def words(now: int, before: Sequence[int]) -> str:
    """How a number stands to the mean of those before it: "12% acima", "perto da média"."""
    usual = Decimal(sum(before)) / len(before)
    if not usual:
        return "antes nenhuma" if now else "como antes"
    percent = ((now / usual - 1) * 100).quantize(_WHOLE, ROUND_HALF_UP)
    if abs(percent) < ALIKE_PERCENT:
        return "perto da média"
    return f"{abs(percent)}% {'acima' if percent > 0 else 'abaixo'}"
