"""Flags with their evidence, and what a professional might do: a suggestion, never a diagnosis, never a score.

Not here: when a flag holds (``facts/flags.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from fisio_ayida.insights.facts.limits import ATTENDANCE, CONFIDENCE, NO_PAIN
from fisio_ayida.insights.model import Flag, Item
from fisio_ayida.insights.wording.formats import ago, count, joined, number, percent
from fisio_ayida.insights.wording.view import View, ends

_CONTACT: Final = "entrar em contato e combinar o próximo horário"
_IF_NOT_ENDED: Final = f"se o tratamento não foi concluído, {_CONTACT}"
_LOOK: Final = "reavaliar a dor e o que mudou desde então"
_RECORD: Final = "registrar a dor nas próximas sessões"


def risks(view: View) -> Item | None:
    """None: no rule holds."""
    flags = [flag for flag in view.facts.flags if flag.name in _WORDS]
    if not flags:
        return None
    evidence = "; ".join(_WORDS[flag.name][0](view, flag) for flag in flags)
    hints = list(dict.fromkeys(_WORDS[flag.name][1] for flag in flags))
    if _IF_NOT_ENDED in hints:
        hints = [hint for hint in hints if hint != _CONTACT]
    text = f"Pontos de atenção para avaliação do profissional: {evidence}. Sugestão: {'; '.join(hints)}."
    of = view.fact(flags[0].facts[0])
    return view.item("risk_detected", text, flags, of=of)


def _missed(view: View, flag: Flag) -> str:
    days = sorted({visit.day for visit in view.record.visits if visit.id in flag.inputs})
    return f"as duas últimas visitas com desfecho foram faltas ({joined([view.day(each) for each in days])})"


def _gap(view: View, flag: Flag) -> str:
    limit = count(flag.of["limit"], "dia", "dias")
    return f"último atendimento {ago(flag.of['days'])}, mais que {limit}, sem visita marcada"


def _early(view: View, flag: Flag) -> str:
    visits = count(flag.of["visits"], "atendimento", "atendimentos")
    return f"{visits} até agora, o último {ago(flag.of['days'])}, sem visita marcada"


def _low(view: View, flag: Flag) -> str:
    rate = view.fact("attendance_rate_90d")
    visits = count(rate.count, "visita com desfecho", "visitas com desfecho")
    least, most = percent(rate.low or 0.0), percent(rate.high or 0.0)
    sure = f"entre {least} e {most}, com {percent(CONFIDENCE)} de confiança"
    share = f"{percent(flag.of['rate'])} ({number(rate.of['done'])} de {visits}; {sure})"
    return f"comparecimento de {share} nos últimos {ATTENDANCE.days} dias"


def _rising(view: View, flag: Flag) -> str:
    return f"dor registrada subindo ({ends(view, view.fact('pain_trend'))})"


def _unrecorded(view: View, flag: Flag) -> str:
    sessions = count(flag.of["sessions"], "sessão", "sessões")
    return f"nenhum registro de dor em {sessions} dos últimos {NO_PAIN.days} dias"


#: How a flag is told, and what might be done.
_WORDS: Final[Mapping[str, tuple[Callable[[View, Flag], str], str]]] = {
    "missed_last_two": (_missed, _CONTACT),
    "long_gap": (_gap, _IF_NOT_ENDED),
    "early_dropout": (_early, _IF_NOT_ENDED),
    "low_adherence": (_low, _CONTACT),
    "pain_rising": (_rising, _LOOK),
    "no_pain_record": (_unrecorded, _RECORD),
}
