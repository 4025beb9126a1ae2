"""Trends whose direction is clear and that go on, and nothing of those that are not.

Whether more is better, only the professional knows. Not here: first against newest values (``comparison.py``), and
trends that ended a while ago (``summary.py``).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.facts.series import is_current
from fisio_ayida.insights.model import Fact, Item
from fisio_ayida.insights.wording.formats import count, sentence
from fisio_ayida.insights.wording.units import VERDICTS
from fisio_ayida.insights.wording.view import View, ends, slope, subject

#: Measurements that one text tells.
_MOST: Final = 2


def trends(view: View) -> Item | None:
    """Of pain first, then of measurements; None: nothing has a direction now."""
    pain, measured = (
        [fact for fact in view.several(name) if is_clear(fact) and is_current(fact, view.facts.today)]
        for name in ("pain_trend", "measurement_trend")
    )
    found = [*pain, *measured[:_MOST]]
    if not found:
        return None
    text = " ".join(sentence(_told(view, fact)) for fact in found)
    return view.item("trend_alert", text, found, of=found[0])


def is_clear(fact: Fact) -> bool:
    """Whether a series has a direction."""
    return fact.verdict in ("rising", "falling")


def _told(view: View, fact: Fact) -> str:
    what = f"{subject(fact)}:" if fact.subject else "dor registrada"
    direction = VERDICTS[fact.verdict] if fact.verdict else ""
    days = count(fact.count, "dia com registro", "dias com registro")
    return f"{what} {direction} {slope(fact)}; {ends(view, fact)}; {days}"
