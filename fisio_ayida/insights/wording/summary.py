"""The summary: what happened since when, in numbers; or that there is too little to say, and what to record.

Not here: trends that are clear and go on (``trends.py``), and risks (``risks.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fisio_ayida.insights.facts.limits import ATTENDANCE, LEAST_SESSIONS, WORST_PAIN
from fisio_ayida.insights.facts.rules import WORDS
from fisio_ayida.insights.facts.series import is_current
from fisio_ayida.insights.model import Fact, Item
from fisio_ayida.insights.wording.formats import ago, ahead, count, joined, number, percent, sentence
from fisio_ayida.insights.wording.trends import is_clear
from fisio_ayida.insights.wording.units import CONTRADICTING, PAST, VERDICTS
from fisio_ayida.insights.wording.view import View, ends, subject

#: Measurements whose trend has ended that are told.
_MEASURED: Final = 2
#: What to record is said of so many things, the most needed first.
_ADVICES: Final = 2


def summary(view: View) -> Item:
    """There is always one."""
    rate, before = view.fact("attendance_rate_90d"), view.fact("attendance_rate_90d_before")
    trend, newest = view.fact("pain_trend"), view.fact("pain_newest")
    since, coming = view.fact("days_since_visit"), view.fact("days_to_next_visit")
    text = " ".join(sentence(each) for each in _sentences(view))
    used = (rate, since, coming, trend if "first" in trend.of else newest, *_ended(view))
    if rate.value is not None:
        return view.item("progress_summary", text, used, of=rate, comparison=before.value)
    return view.item("progress_summary", text, used, of=newest)


def _sentences(view: View) -> Iterator[str]:
    sessions = view.facts.sessions
    if not sessions:
        yield "ainda não há sessão finalizada"
    elif sessions < LEAST_SESSIONS:
        there = count(sessions, "sessão finalizada", "sessões finalizadas")
        yield f"há {there}: é pouco para descrever a evolução"
    rate = view.fact("attendance_rate_90d")
    yield f"desde {view.day(rate.first)} (últimos {ATTENDANCE.days} dias): {_visits(rate, sessions)}"
    yield _around(view)
    pain = _pain(view)
    if pain:
        yield pain
    for fact in _ended(view):
        yield f"{subject(fact)}: {ends(view, fact)}; {_how(view, fact)}"
    advices = list(dict.fromkeys(WORDS[word].advice for word in view.facts.missing))[:_ADVICES]
    if advices:
        yield f"para dizer mais: {'; '.join(advices)}"


def _visits(rate: Fact, sessions: int) -> str:
    said = [
        count(rate.of[name], one, other)
        for name, one, other in (
            ("done", "visita realizada", "visitas realizadas"),
            ("absent", "falta", "faltas"),
            ("cancelled", "visita cancelada", "visitas canceladas"),
            ("to_rebook", "visita a remarcar", "visitas a remarcar"),
            ("without_outcome", "visita sem desfecho registrado", "visitas sem desfecho registrado"),
            ("contradicting", *CONTRADICTING),
        )
        if rate.of[name]
    ]
    if not said:
        there = f"; {count(sessions, 'sessão finalizada', 'sessões finalizadas')} ao todo" if sessions else ""
        # Of today there may be one whose outcome nobody has told yet.
        return f"nenhuma visita {'com desfecho' if rate.inputs else 'na agenda'}{there}"
    return joined(said) + (f" (comparecimento de {percent(rate.value)})" if rate.value is not None else "")


def _around(view: View) -> str:
    since, coming = view.fact("days_since_visit"), view.fact("days_to_next_visit")
    last = "nenhum atendimento registrado" if since.value is None else f"último atendimento {ago(since.value)}"
    following = "nenhuma visita marcada" if coming.value is None else f"próxima visita {ahead(coming.value)}"
    return f"{last}; {following}"


def _pain(view: View) -> str:
    trend, newest = view.fact("pain_trend"), view.fact("pain_newest")
    if newest.value is None:
        return ""
    scale = f"dor (0 a {WORST_PAIN})"
    if "first" not in trend.of:
        return f"{scale}: {number(newest.value)} em {view.day(newest.last)}"
    how = f"; {_how(view, trend)}" if trend.verdict else ""
    return f"{scale}: {ends(view, trend)}{how}"


def _ended(view: View) -> list[Fact]:
    """Measurements that had a direction when they were last recorded, a while ago."""
    clear = [fact for fact in view.several("measurement_trend") if is_clear(fact)]
    return [fact for fact in clear if not is_current(fact, view.facts.today)][:_MEASURED]


def _how(view: View, fact: Fact) -> str:
    """How a series goes, or, if it has ended, how it went until when."""
    if not fact.verdict:
        return ""
    if is_current(fact, view.facts.today):
        return VERDICTS[fact.verdict]
    return f"{PAST[fact.verdict]} até {view.day(fact.last)}"
