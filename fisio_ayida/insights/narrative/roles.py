"""Of what a number is a number: percent, kilograms, missed visits; told from the words beside it.

Here: roles of the numbers of a text, of what was sent as of what was answered, and which may stand for which. Not
here: finding numbers (``numerals.py``), and the rule of numbers (``validation.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fisio_ayida.insights.facts.limits import PER
from fisio_ayida.insights.narrative.numerals import Said, numbers, plain

#: How the ends of an interval are marked in what was sent; an answer may say them as a range only.
INTERVAL: Final = "faixa"
_SLOPE: Final = f"/{PER.days} d"
#: Of a number that says by how much something changed, without saying in which time: nothing that is sent is that.
_CHANGE: Final = " more or less"
_ROUGH: Final = " of an interval"

_VISITS = r"(?:visitas?|sess(?:ao|oes)|consultas?|atendimentos?)"
# Which unit or noun follows a number, in texts as ``plain`` has them; the first that does.
_UNITS: Final = tuple(
    (role, re.compile(pattern))
    for role, pattern in (
        ("percent", r"\s*(?:%|por cento\b)"),
        ("degrees", r"\s*(?:°|graus?\b)|o\b(?! \w)"),
        ("kg", r"\s*(?:kg|kilos?|quilos?|quilogramas?)\b"),
        ("cm", r"\s*(?:cm|centimetros?)\b"),
        ("mm", r"\s*(?:mm|milimetros?)\b"),
        ("m", r"\s*(?:m|metros?)\b"),
        ("points", r"\s*pontos?\b"),
        ("sets", r"\s*series?\b|\s*x\s*(?=\d)"),
        ("repetitions", r"\s*(?:repeticao|repeticoes|reps?)\b"),
        ("times", r"\s*(?:vez|vezes)\b|x\b"),
        ("seconds", r"\s*(?:segundos?|seg|s)\b"),
        ("minutes", r"\s*(?:minutos?|min)\b"),
        ("hours", r"\s*(?:horas?|h)\b"),
        ("absent", rf"\s*(?:faltas?|ausencias?)\b|\s*{_VISITS} (?:perdidas?|nao realizadas?|faltadas?)\b"
            rf"|\s*(?:ultimas? )?{_VISITS} (?:com desfecho )?foram faltas\b"),
        ("done", rf"\s*(?:{_VISITS} )?(?:foram )?realizad[ao]s?\b|\s*(?:comparecimentos?|presencas?)\b"),
        ("cancelled", rf"\s*(?:{_VISITS} )?(?:foram )?(?:canceladas?|cancelados?|cancelamentos?)\b"),
        ("to_rebook", rf"\s*(?:{_VISITS} )?a remarcar\b"),
        ("without_outcome", rf"\s*(?:{_VISITS} )?sem desfecho\b"),
        ("records", r"\s*(?:dias? com )?(?:registros?|medidas|medicoes|avaliacao|avaliacoes)\b"),
        ("sessions", r"\s*(?:(?:ultim|primeir|proxim)[ao]s? )?(?:sessao|sessoes)\b"),
        ("visits", rf"\s*(?:(?:ultim|primeir|proxim)[ao]s? )?{_VISITS}"),
        ("in a row", r"\s*dias? (?:seguid|consecutiv)os?\b"),
        ("days", r"\s*(?:dia|dias|d)\b"),
        ("weeks", r"\s*(?:semanas?\b|sem\b(?=\s*(?:$|[.,;)])))"),
        ("months", r"\s*(?:mes|meses)\b"),
        ("years", r"\s*anos?\b"),
    )
)  # fmt: skip
_ABOUT = r"(?:a |as |aos? |em |por |de |duas |)(?:cerca de |apenas |somente |so |mais de |menos de |quase |ate )?$"
_MISSED = re.compile(rf"\b(?:faltou|faltaram|faltava|faltando|ausentou-se|ausente) {_ABOUT}|\bfaltas?\s*:\s*$")
_CAME = re.compile(
    rf"\b(?:compareceu|compareceram|comparecendo|realizou|presente) {_ABOUT}|\brealizad[ao]s?\s*:\s*$"
)
_CHANGED = re.compile(
    r"\b(?:(?:caiu|cairam|caindo|reduziu|reduzindo|diminuiu|diminuiram|melhorou|melhoraram|subiu|subiram|subindo"
    r"|aumentou|aumentaram|piorou|ganhou|ganharam|perdeu|recuou|baixou|cresceu|evoluiu|avancou)(?:-se)?(?: em)?"
    r"|(?:melhora|reducao|queda|aumento|ganho|diminuicao|piora|alivio|perda|variacao|diferenca|elevacao) de)"
    r"(?: (?:cerca de|aproximadamente|apenas|mais de|menos de|quase|uns|umas))? $"
)
_EVERY = re.compile(r"\b(?:a )?cada $")
_RATE = re.compile(
    rf"\s*(?:a cada {PER.days} dias|por mes|ao mes|a cada mes|mensais|mensal|/\s*{PER.days} ?d)\b|"
    r"(?P<other>\s*(?:a cada|por|ao?|/)\s*(?:\w+ )?(?:semanas?|dias?|sess(?:ao|oes)|anos?|mes|meses)\b)"
)
_BETWEEN = re.compile(r"\s*(?:a|e|ate|para|ou|-|–|—|->|→|/)\s*(?:cerca de )?-?")
_BACK = re.compile(r"\s*(?:a|ate|para|-|–|—|->|→)\s*(?:cerca de )?-?")
_RANGE = re.compile(r"\s*(?:a|e|ate|-|–|—)\s*-?")
_TO = re.compile(r"\s*(?:para|a|->|→)\s*(?:cerca de )?\d")
# What may follow a number that is one of nothing in particular.
_ALONE = re.compile(
    r"\s*(?:$|[^\w\s]|(?:para|a|e|ou|em|na|no|nas|nos|ha|com|ao|aos|apos|de|da|do|desde|hoje|ontem|ate|por|pela"
    r"|quando|durante|segundo|agora|entre|mas|que)\b)"
)
_OF_INTERVAL = re.compile(r"\b(?:intervalo|margem|incerteza)\b[^;]{0,30}$")
_TOPICS = re.compile(
    r"\b(?:(?P<pain>dor|dores|eva|end|nprs)|(?P<kg>cargas?|pesos?)|(?P<other>comparecimento|adesao|frequencia|flexao"
    r"|extensao|abducao|aducao|rotacao|amplitude|adm|forca|perimetria|goniometria|teste|escala|questionario|berg|tug"
    r"|volume|escadas?|idade))\b"
)
_SCALE = re.compile(r"\b(?:0|zero)\s*(?:a|ate|-|–)\s*(?:10|dez)\b")
_OF_SCALE = re.compile(r"\b(10|\d(?:[.,]\d+)?)\s*(?:/|de)\s*10\b")
_BREAKS = re.compile(r"[.!?](?=\s|$)|[;\n•]")
_LABEL = re.compile(r"[a-z]-?$")

#: What an answer's number of a role may stand for, beside the same.
_ALSO: Final = {
    "sessions": {"records", "done"}, "visits": {"records", "done"}, "all": {"records", "visits", "sessions"},
    "records": {"sessions"}, "days": {"every"}, "pain": {"points of pain"}, "points": {"points of pain"},
}  # fmt: skip
# Of these the data always say that a number is one; others may stand in a note without a word beside them.
_SURE: Final = frozenset(
    {
        "percent", "points", "pain", "points of pain", "absent", "done", "cancelled", "to_rebook", "records",
        "all", "without_outcome", "sessions", "visits", "days", "every", "in a row", "label",
    }
)  # fmt: skip
_TIME: Final = frozenset({"days", "every"})


@dataclass(frozen=True, slots=True)
class Told:
    """A number with its role; empty: the words beside it do not tell. ``is_range``: one of two ends."""

    said: Said
    role: str
    is_range: bool = False


def told(text: str) -> tuple[Told, ...]:
    """The numbers of a text with their roles, in order."""
    found = plain(text)
    said = numbers(text)
    units = [_unit(found, each) for each in said]
    result: list[Told] = []
    for place, each in enumerate(said):
        role, end = units[place]
        following, before = said[place + 1 : place + 2], said[max(place - 1, 0) : place]
        after = found[end : following[0].start] if following else ""
        ahead = found[units[place - 1][1] : each.start] if before else ""
        if not role and following and _BETWEEN.fullmatch(after):
            role = units[place + 1][0]
        if not role and before and _BACK.fullmatch(ahead):
            role = units[place - 1][0]
        is_range = bool((following and _RANGE.fullmatch(after)) or (before and _RANGE.fullmatch(ahead)))
        role = _placed(found, each, role, end)
        if not role and before and re.fullmatch(r"\s*x\s*", found[before[0].end : each.start]):
            role = "repetitions"
        result.append(Told(each, role, is_range))
    return tuple(result)


def of_sent(text: str) -> Iterator[Told]:
    """The same of what was sent: days in words count, and points of pain are both."""
    found = re.sub(r"\bontem\b", "ha 1 dia", re.sub(r"\bhoje\b", "ha 0 dias", plain(text)))
    for each in told(found):
        role = each.role
        start = _start(found, each.said.start)
        segment = found[start:]
        if role == "pain" or (role == "points" and _topic(found[start : each.said.start]) == "pain"):
            role = "points of pain"
        if role == "days" and "intervalo habitual" in segment[:40]:
            role = "every"
        if segment.lstrip().startswith(INTERVAL):
            role += _ROUGH
        yield Told(each.said, role, each.is_range)


def may_stand(answered: Told, sent: Told) -> bool:
    """Whether a number of an answer may be that number of what was sent, as far as roles tell."""
    role, of = answered.role, sent.role
    if of.endswith(_ROUGH):
        of = of.removesuffix(_ROUGH)
        if not answered.is_range:
            return False
        if not role:
            return True
    if not role:
        return of not in _TIME and not of.endswith(_SLOPE)
    if role == of or of in _ALSO.get(role, ()):
        return True
    return not of and role not in _SURE and "/" not in role and not role.endswith(_CHANGE)


def scaled(text: str) -> str:
    """A text without the ends of the pain scale: "7/10" are 7 points."""
    return _OF_SCALE.sub(r"\1 pontos", _SCALE.sub(" ", plain(text)))


def topic_before(text: str, said: Said) -> str:
    """What a sentence speaks of where it says a number: ``pain``, ``kg``, ``other`` or nothing that is known.

    Args:
        text: as :func:`numerals.plain` has it.
    """
    return _topic(text[_start(text, said.start) : said.start])


def _unit(text: str, said: Said) -> tuple[str, int]:
    """What follows a number, and where that ends."""
    if _LABEL.search(text[: said.start]) and not re.search(r"\d\s*x$", text[: said.start]):
        return "label", said.end
    for role, pattern in _UNITS:
        match = pattern.match(text, said.end)
        if match:
            end = match.end()
            rate = _RATE.match(text, end)
            if rate and role not in ("days", "weeks", "months", "years", "times", "sets"):
                return role + ("/other" if rate["other"] else _SLOPE), rate.end()
            return role, end
    return "", said.end


def _placed(text: str, said: Said, role: str, end: int) -> str:
    """The role, after a look at the words before the number."""
    before = text[_start(text, said.start) : said.start]
    if role in ("", "visits", "sessions", "times", "days"):
        if _MISSED.search(before) and role != "days":
            return "absent"
        if _CAME.search(before) and role != "days":
            return "done"
    if role in ("visits", "sessions") and re.search(r"\d de $", before):
        return "all"
    if role == "days" and _EVERY.search(before):
        return "every"
    if role in ("percent", "degrees", "kg", "cm", "points", "repetitions") and _CHANGED.search(before):
        return role if _TO.match(text, end) else role + _CHANGE
    if not role and _ALONE.match(text, said.end) and not _OF_INTERVAL.search(before):
        return {"pain": "pain", "kg": "kg"}.get(_topic(before), "")
    return role


def _start(text: str, at: int) -> int:
    """Where the sentence begins in which something stands."""
    return max((match.end() for match in _BREAKS.finditer(text, 0, at)), default=0)


def _topic(before: str) -> str:
    found = [match.lastgroup or "" for match in _TOPICS.finditer(before)]
    return found[-1] if found else ""
