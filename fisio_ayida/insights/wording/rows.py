"""Facts as rows of words, for a table on a page or a model's input. No date: days are told from today.

What is measured is free text of the clinic and stands apart, so that it can be scrubbed. Not here: sentences.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from fisio_ayida.insights.facts.kinds import FactKind
from fisio_ayida.insights.facts.registry import KINDS
from fisio_ayida.insights.facts.rules import WORDS
from fisio_ayida.insights.facts.series import is_current
from fisio_ayida.insights.model import Fact, Facts
from fisio_ayida.insights.wording.formats import ago, count, number
from fisio_ayida.insights.wording.units import CONTRADICTING, PAST, VERDICTS, base, rate, with_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One fact in Portuguese.

    Args:
        ref: how it is cited.
        title: without what is measured.
        subject: what is measured, where there are several of one title: free text, as it was written.
        value: with its unit; empty if there is none.
        interval: with 95 % certainty; empty if there is none, or its ends are told as the same.
        window: which days it looks at; empty: it is no window that makes it.
        count: records it was made from.
        detail: further numbers, and the verdict.
        reason: why there is no value; else empty.
    """

    ref: str
    title: str
    subject: str = field(repr=False)
    value: str
    interval: str
    window: str
    count: int
    detail: str
    reason: str


def rows(facts: Facts) -> list[FactRow]:
    """A row for each fact, in the registry's order."""
    return [_row(fact, facts.today) for fact in facts.facts]


def window_of(kind: FactKind) -> str:
    """Which days a fact looks at; empty: all that are read."""
    if kind.window is None:
        return ""
    return f"{kind.window.days} dias anteriores" if kind.skipped else f"últimos {kind.window.days} dias"


def _row(fact: Fact, today: dt.date) -> FactRow:
    ends = [_end(fact, each) for each in (fact.low, fact.high) if each is not None]
    return FactRow(
        ref=fact.ref, title=KINDS[fact.name].portuguese, subject=fact.subject,
        value="" if fact.value is None else with_unit(fact.value, fact.unit),
        interval=" a ".join(ends) if len(set(ends)) > 1 else "",
        window=window_of(KINDS[fact.name]), count=fact.count, detail="; ".join(_details(fact, today)),
        reason=WORDS[fact.missing].portuguese if fact.missing else "",
    )  # fmt: skip


def _end(fact: Fact, value: float) -> str:
    return with_unit(value, "ratio") if fact.unit == "ratio" else rate(value)


def _details(fact: Fact, today: dt.date) -> Iterator[str]:
    unit, of = base(fact.unit), fact.of
    if "first" in of:
        first, newest = (with_unit(of[name], "" if unit == "points" else unit) for name in ("first", "newest"))
        yield f"{first} {_ago(fact.first, today)}, {newest} {_ago(fact.last, today)}"
    elif "newest" in of:
        yield f"um só registro: {with_unit(of['newest'], '' if unit == 'points' else unit)}"
    if fact.verdict:
        yield VERDICTS[fact.verdict] if is_current(fact, today) else f"{PAST[fact.verdict]} até então"
    if "done" in of:
        yield count(of["done"], "realizada", "realizadas")
        yield count(of["absent"], "falta", "faltas")
        yield count(of["cancelled"], "cancelada", "canceladas")
        yield f"{number(of['to_rebook'])} a remarcar"
        yield f"{number(of['without_outcome'])} sem desfecho"
    if of.get("contradicting"):
        yield count(of["contradicting"], *CONTRADICTING)
    if "longest" in of:
        yield f"o mais longo: {with_unit(of['longest'], 'days')}"
    if "recorded" in of:
        yield f"{number(of['recorded'])} de {count(fact.count, 'sessão', 'sessões')}"
    if "earlier" in of:
        yield f"mediana anterior: {with_unit(of['earlier'], unit)}"
    if "days_since" in of:
        yield f"alcançado {ago(of['days_since'])}"
    if fact.name == "pain_newest" and fact.last:
        yield _ago(fact.last, today)


def _ago(day: dt.date | None, today: dt.date) -> str:
    return ago((today - day).days) if day else ""
