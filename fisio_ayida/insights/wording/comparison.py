"""Numbers beside earlier ones: adherence, measurements, the load of a session. A difference, not a judgement.

Not here: whether a difference is more than chance (``trends.py`` tells what is).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.facts.limits import ATTENDANCE, EXERCISES
from fisio_ayida.insights.model import Fact, Item
from fisio_ayida.insights.wording.formats import count, number, percent, sentence
from fisio_ayida.insights.wording.units import with_unit
from fisio_ayida.insights.wording.view import View, ends, subject

#: Measurements that one text tells.
_MOST: Final = 3


def comparison(view: View) -> Item | None:
    """None: there is nothing earlier to compare with."""
    told: list[tuple[str, list[Fact], float | None, float | None]] = []
    rate, before = view.fact("attendance_rate_90d"), view.fact("attendance_rate_90d_before")
    if rate.value is not None and before.value is not None:
        told.append((_attendance(rate, before), [rate, before], rate.value, before.value))
    measured = [fact for fact in view.several("measurement_trend") if "first" in fact.of][:_MOST]
    told += [
        (f"{subject(fact)}: {ends(view, fact)}", [fact], fact.of["newest"], fact.of["first"]) for fact in measured
    ]
    for name, what in (("exercise_volume", "carga"), ("exercise_repetitions", "repetições sem carga")):
        fact = view.fact(name)
        if fact.value is not None and "earlier" in fact.of:
            told.append((_exercises(view, fact, what), [fact], fact.value, fact.of["earlier"]))
    if not told:
        return None
    _, (of, *_), value, earlier = told[0]
    text = " ".join(sentence(each) for each, *_ in told)
    used = [fact for _, facts, *_ in told for fact in facts]
    return view.item("comparison", text, used, of=of, value=value, comparison=earlier)


def _attendance(rate: Fact, before: Fact) -> str:
    return (
        f"comparecimento: {_share(rate)} nos últimos {ATTENDANCE.days} dias; "
        f"{_share(before)} nos {ATTENDANCE.days} dias anteriores"
    )


def _share(rate: Fact) -> str:
    return f"{percent(rate.value or 0.0)} ({number(rate.of['done'])} de {count(rate.count, 'visita', 'visitas')})"


def _exercises(view: View, fact: Fact, what: str) -> str:
    earlier = count(fact.count - 1, "dia anterior", "dias anteriores")
    return (
        f"{what} em {view.day(fact.last)}: {with_unit(fact.value or 0.0, fact.unit)}; "
        f"mediana ({earlier}, em {EXERCISES.days} dias): {with_unit(fact.of['earlier'], fact.unit)}"
    )
