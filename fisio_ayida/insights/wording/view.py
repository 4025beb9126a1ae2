"""Facts of a record as sentences need them: by name, with the words that several sentences share, and citations.

Not here: the sentences (the modules beside).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fisio_ayida.insights.facts.limits import CONFIDENCE
from fisio_ayida.insights.model import Fact, Facts, Flag, InsightType, Item, Record
from fisio_ayida.insights.wording.formats import day, percent
from fisio_ayida.insights.wording.units import base, every, rate, with_unit

#: Free text of the clinic is cut here.
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class View:
    """What sentences are made of."""

    record: Record
    facts: Facts

    def fact(self, name: str) -> Fact:
        """The fact of this name, of which there is one."""
        return next(fact for fact in self.facts.facts if fact.name == name)

    def several(self, name: str) -> list[Fact]:
        """Facts of this name, by place."""
        return [fact for fact in self.facts.facts if fact.name == name]

    def day(self, value: dt.date | None) -> str:
        return day(value, self.facts.today) if value else ""

    def item(
        self, type: InsightType, text: str, used: Iterable[Fact | Flag], *,
        of: Fact | None = None, value: float | None = None, comparison: float | None = None,
    ) -> Item:  # fmt: skip
        """An item that cites what it was made from.

        Args:
            of: the fact whose number it is about; one without a number is none.
            value: that number; else the fact's own.
        """
        value = of.value if of and value is None else value
        return Item(
            source="facts", type=type, text=text, citations=self._citations(list(used)),
            metric=of.name if of and value is not None else None, value=value, comparison=comparison,
        )  # fmt: skip

    def _citations(self, used: list[Fact | Flag]) -> tuple[str, ...]:
        """Facts, and of each the first and the newest session that it was made from."""
        refs = [ref for each in used for ref in ((each.ref,) if isinstance(each, Fact) else each.facts)]
        order = [session.id for session in self.record.sessions]
        ends: list[str] = []
        for each in used:
            inputs = set(each.inputs)
            mine = [id for id in order if id in inputs]
            ends += [*mine[:1], *mine[-1:]]
        return tuple(dict.fromkeys([f"fact:{ref}" for ref in refs] + [f"session:{id}" for id in ends]))


def subject(fact: Fact) -> str:
    """What is measured, short enough to be read."""
    return fact.subject if len(fact.subject) <= _LONGEST else f"{fact.subject[: _LONGEST - 1].rstrip()}…"


def ends(view: View, fact: Fact) -> str:
    """The two ends of a series, which need not be what its slope leads from and to: ``8 em 12/03, 3 em 30/05``."""
    unit = "" if base(fact.unit) == "points" else base(fact.unit)
    first, newest = (with_unit(fact.of[name], unit) for name in ("first", "newest"))
    return f"{first} em {view.day(fact.first)}, {newest} em {view.day(fact.last)}"


def slope(fact: Fact) -> str:
    """A slope whose direction is said: ``cerca de 1,4 ponto a cada 30 dias (entre 0,8 e 1,9, com ...)``.

    An interval whose ends are told as the same number is not told.
    """
    unit = base(fact.unit)
    least, most = (rate(each) for each in sorted(abs(each or 0.0) for each in (fact.low, fact.high)))
    sure = f" (entre {least} e {most}, com {percent(CONFIDENCE)} de confiança)" if least != most else ""
    return f"cerca de {rate(abs(fact.value or 0.0), unit)} {every(fact.unit)}{sure}"
