"""Milestones, for as long as they are news.

Not here: when one is reached (``facts/visits.py``, ``facts/pain.py``).
"""

from __future__ import annotations

from fisio_ayida.insights.facts.limits import FRESH
from fisio_ayida.insights.model import Fact, Item
from fisio_ayida.insights.wording.formats import count, number, sentence
from fisio_ayida.insights.wording.view import View


def milestones(view: View) -> Item | None:
    """None: none was reached in the last 30 days."""
    sessions, pain = view.fact("milestone_sessions"), view.fact("milestone_pain_free")
    told = [
        (fact, text)
        for fact, text in ((sessions, _sessions(view, sessions)), (pain, _pain(view, pain)))
        if "days_since" in fact.of and fact.of["days_since"] < FRESH.days
    ]
    if not told:
        return None
    text = " ".join(sentence(each) for _, each in told)
    return view.item("milestone_achieved", text, [fact for fact, _ in told], of=told[0][0])


def _sessions(view: View, fact: Fact) -> str:
    reached = count(fact.value or 0.0, "sessão finalizada", "sessões finalizadas")
    return f"marco alcançado em {view.day(fact.last)}: {reached}"


def _pain(view: View, fact: Fact) -> str:
    worst = f"{number(fact.value or 0.0)} em {view.day(fact.first)}"
    return (
        f"dor 0 nos registros mais recentes, pela segunda vez seguida em {view.day(fact.last)}; antes, até {worst}"
    )
