"""A patient's page as one HTML file: a chart, facts, flags, what is missing, and the narrative if there is one.

Here: what the page shows, and in which words and order. The page needs no network and no script. Not here: how it
looks (``page.html.j2``), the places in its chart (``chart.py``), facts in words (``wording/``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fisio_ayida.insights.card import chart, words
from fisio_ayida.insights.card.formulas import formulas
from fisio_ayida.insights.facts.kinds import Method
from fisio_ayida.insights.facts.rules import FLAGS, WORDS
from fisio_ayida.insights.facts.usable import pain_of
from fisio_ayida.insights.model import Facts, Item, Record, Session
from fisio_ayida.insights.wording.risks import risks
from fisio_ayida.insights.wording.rows import FactRow
from fisio_ayida.insights.wording.rows import rows as rows_of
from fisio_ayida.insights.wording.view import View

if TYPE_CHECKING:
    from jinja2 import Template

PAIN_TREND: Final = "pain_trend"
TITLES: Final = {flag.name: flag for flag in FLAGS}
_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a patient's insights stand.

    Args:
        model: that wrote the narrative.
        reason: why there is none, a word of ``model.REASONS``.
        is_waiting: it is tried again.
        is_behind: newer sessions are finalized.
        is_stored: facts and items are those that the clinic has.
    """

    model: str = ""
    reason: str = ""
    is_waiting: bool = False
    is_behind: bool = False
    is_stored: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A citation: where it leads, and what it says."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Words and what they rest on. ``source``: as of items."""

    title: str
    text: str
    source: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A fact. ``anchor``: by which citations lead to it."""

    anchor: str
    label: str
    value: str
    interval: str
    count: int
    window: str
    detail: str
    reason: str


@dataclass(frozen=True, slots=True)
class Day:
    """A visit or a session, in the list behind the chart."""

    day: dt.date
    visit: str
    pain: str
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template shows."""

    heading: str
    about: str
    chart: chart.Chart | None
    chart_title: str
    chart_words: str
    chart_note: str
    flags: tuple[Passage, ...]
    evidence: str
    said: tuple[Passage, ...]
    notices: tuple[str, ...]
    why_not: str
    rows: tuple[Row, ...]
    unsaid: tuple[Row, ...]
    missing: tuple[str, ...]
    formulas: tuple[Method, ...]
    days: tuple[Day, ...]
    footer: str


def render(
    record: Record, facts: Facts, items: Sequence[Item], standing: Standing, *, shows_id: bool = True
) -> str:
    """The page of a record with its facts and items.

    Args:
        shows_id: the patient's id stands in the heading; no name ever does.
    """
    return _template().render(
        page=compose(record, facts, items, standing, shows_id=shows_id),
        top=chart.TOP, bottom=chart.BOTTOM, left=chart.LEFT,
    )  # fmt: skip


def compose(
    record: Record, facts: Facts, items: Sequence[Item], standing: Standing, *, shows_id: bool = True
) -> Page:
    """What the page shows, in words."""
    anchors = {each.id: f"sessao-{place}" for place, each in enumerate(record.sessions, start=1)}
    trend = next((fact for fact in facts.facts if fact.name == PAIN_TREND), None)
    drawn = chart.draw(record, trend, anchors)
    rows = [_row(row) for row in rows_of(facts)]
    refs = _Refs(
        {row.anchor: row.label for row in rows}, {each.id: each for each in record.sessions}, anchors
    )  # fmt: skip
    # Each part of a narrative says it; here once is enough.
    notes = dict.fromkeys(filter(None, (_parted(item)[1] for item in items)))
    is_written = any(item.source == "narrative" for item in items)
    return Page(
        heading=f"Evolução do paciente {record.patient_id}" if shows_id else "Evolução do paciente",
        about=_about(record, facts, standing),
        chart=drawn,
        chart_title="Dor e comparecimento ao longo do tempo",
        chart_words="" if drawn is None else _described(drawn),
        chart_note=_noted(record, drawn),
        flags=tuple(
            Passage(TITLES[flag.name].portuguese, "", "facts", refs.links(f"fact:{ref}" for ref in flag.facts))
            for flag in facts.flags
        ),
        evidence=_evidence(record, facts),
        said=tuple(
            Passage(words.TITLES[item.type], _parted(item)[0], item.source, refs.links(item.citations))
            for item in sorted(items, key=_place)
            # The evidence of flags says it.
            if item.source == "narrative" or item.type != "risk_detected"
        ),
        notices=(words.NOTICE.format(model=standing.model), *notes) if is_written else (),
        why_not="" if is_written or not standing.reason else _why_not(standing),
        rows=tuple(row for row in rows if row.value),
        unsaid=tuple(row for row in rows if not row.value),
        missing=tuple(dict.fromkeys(WORDS[word].advice for word in facts.missing)),
        formulas=tuple(formulas()),
        days=tuple(_days(record, drawn, anchors)),
        footer=_footer(facts, standing),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Refs:
    """Citations as links: of facts to their row, of sessions to their dot or their line of the list."""

    labels: Mapping[str, str]
    sessions: Mapping[str, Session]
    anchors: Mapping[str, str]

    def links(self, citations: Iterable[str]) -> tuple[Link, ...]:
        """Those of facts first, then of sessions by day; one that there is not, is not there."""
        cited = [each.partition(":")[::2] for each in citations]
        facts = [_anchor(ref) for kind, ref in cited if kind == "fact"]
        known = [self.sessions[ref] for kind, ref in cited if kind == "session" and ref in self.sessions]
        return (
            *(Link(f"#{anchor}", self.labels[anchor]) for anchor in facts if anchor in self.labels),
            *(Link(f"#{self.anchors[each.id]}", f"sessão de {_day(each.day)}")
              for each in sorted(known, key=lambda each: each.day)),
        )  # fmt: skip


def _row(row: FactRow) -> Row:
    label = f"{row.title}: {row.subject}" if row.subject else row.title
    return Row(
        _anchor(row.ref), label, row.value, row.interval, row.count, row.window, row.detail, row.reason
    )  # fmt: skip


def _place(item: Item) -> tuple[bool, int]:
    return item.source != "narrative", words.ORDER.index(item.type)


def _parted(item: Item) -> tuple[str, str]:
    """The words, and the last line of a narrative, which says what it is."""
    text, blank, note = item.text.rpartition("\n")
    return (text, note) if item.source == "narrative" and blank else (item.text, "")


def _evidence(record: Record, facts: Facts) -> str:
    """What flags were seen in, always from the rules and never from a model."""
    item = risks(View(record, facts))
    return item.text if item is not None else ""


def _about(record: Record, facts: Facts, standing: Standing) -> str:
    sessions = "1 sessão finalizada" if facts.sessions == 1 else f"{facts.sessions} sessões finalizadas"
    parts = [f"Situação em {_day(facts.today)}", sessions]
    if record.age is not None:
        parts.append(f"{record.age} anos")
    text = "; ".join(parts) + "."
    if standing.is_behind:
        text += " Há sessões mais novas, que entram na próxima atualização."
    return text


def _why_not(standing: Standing) -> str:
    pattern = words.NOT_YET if standing.is_waiting else words.NOT_WRITTEN
    return pattern.format(why=words.WHY_NOT[standing.reason])


def _described(drawn: chart.Chart) -> str:
    """The picture for who does not see it."""
    counted = Counter(mark.kind.word for mark in drawn.marks)
    visits = ", ".join(f"{word}: {many}" for word, many in counted.items())
    text = f"De {_day(drawn.first)} a {_day(drawn.last)}."
    if drawn.dots:
        first, last = drawn.dots[0], drawn.dots[-1]
        text += f" Dor {first.pain} em {_day(first.day)} e {last.pain} em {_day(last.day)}."
    return f"{text} Visitas: {visits}." if visits else text


def _noted(record: Record, drawn: chart.Chart | None) -> str:
    is_older = drawn is not None and any(each.day < drawn.first for each in record.sessions)
    return "Registros mais antigos não aparecem." if is_older or record.earlier else ""


def _days(record: Record, drawn: chart.Chart | None, anchors: Mapping[str, str]) -> Iterator[Day]:
    """Visits and sessions by day, newest first; a session without a dot has its anchor here."""
    dots = {dot.anchor for dot in drawn.dots} if drawn else set()
    marks: dict[dt.date, list[str]] = {}
    for mark in drawn.marks if drawn else ():
        marks.setdefault(mark.day, []).append(mark.kind.word)
    sessions: dict[dt.date, list[Session]] = {}
    for each in record.sessions:
        sessions.setdefault(each.day, []).append(each)
    for day in sorted(marks.keys() | sessions.keys(), reverse=True):
        visit = ", ".join(marks.pop(day, []))
        for each in sessions.get(day, ()):
            anchor = anchors[each.id]
            pain = pain_of(each)
            shown = "–" if pain is None else f"{pain:g}"
            yield Day(day, visit or "sessão", shown, "" if anchor in dots else anchor)
            visit = "outra sessão"
        if day not in sessions:
            yield Day(day, visit, "")


def _footer(facts: Facts, standing: Standing) -> str:
    stored = "" if standing.is_stored else " Calculado agora; nada foi guardado."
    return f"Fórmulas, janelas e limites, versão {facts.version}: em “Como é calculado”.{stored}"


def _anchor(ref: str) -> str:
    return f"fato-{ref}"


def _day(day: dt.date) -> str:
    return f"{day:%d/%m/%Y}"


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.filters["day"] = _day
    return environment.get_template("page.html.j2")
