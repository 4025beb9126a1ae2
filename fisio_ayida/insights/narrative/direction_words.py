"""Words of directions: which rise, which fall, and which only wish, ask or tell of a moment.

Here: vocabulary, without accents and in lower case. Not here: of what a sentence says them, and whether it is so
(``directions.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

UP, DOWN, LEVEL = "rising", "falling", "steady"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Finite verbs, gerunds and nouns: "aumentar" and "aumente" are wishes.
_UPS: Final = _words(
    """
    subiu subiram subindo sobe sobem aumentou aumentaram aumentando aumenta aumentam cresceu cresceram crescendo
    cresce elevou elevaram elevando ganhou ganharam aumento elevacao subida crescimento crescente ascendente
    ascensao incremento
    """
)
_DOWNS: Final = _words(
    """
    caiu cairam caindo cai caem diminuiu diminuiram diminuindo diminui diminuem reduziu reduziram reduzindo reduz
    reduzem baixou baixaram baixando decresceu decaiu recuou recuaram cedeu cederam perdeu perderam queda reducao
    diminuicao decrescimo declinio recuo decrescente descendente
    """
)
_BETTER: Final = _words("melhora melhorou melhoraram melhorando melhoria alivio aliviou aliviaram aliviando")
_WORSE: Final = _words(
    "piora piorou pioraram piorando agravou agravaram agravando agravamento intensificou intensificaram"
)
_LEVELS: Final = _words("estavel estaveis estabilizou estabilizada inalterada inalterado inalteradas")
_INFINITIVES: Final = {
    "subir": UP, "aumentar": UP, "crescer": UP, "cair": DOWN, "diminuir": DOWN, "reduzir": DOWN, "baixar": DOWN,
    "piorar": "worse", "melhorar": "better",
}  # fmt: skip
_TENDS: Final = _words("voltou voltaram passou passaram comecou comecaram tende tendeu continua continuou")
NOUNS: Final = _words(
    """
    aumento elevacao subida crescimento incremento queda reducao diminuicao decrescimo declinio recuo melhora
    melhoria alivio piora agravamento
    """
)
_SENSES: Final = (
    dict.fromkeys(_UPS, UP) | dict.fromkeys(_DOWNS, DOWN) | dict.fromkeys(_LEVELS, LEVEL)
    | dict.fromkeys(_BETTER, "better") | dict.fromkeys(_WORSE, "worse")
)  # fmt: skip
# "Está pior", "é mais forte"; "era pior" tells of what was.
_IS: Final = _words("e esta estao ficou ficaram segue seguem encontra tornou")
_COMPARED: Final = {"maior": UP, "menor": DOWN, "pior": "worse", "melhor": "better"}
_DEGREES: Final = dict.fromkeys(_words("forte intensa intenso alta elevada"), UP) | dict.fromkeys(
    _words("fraca leve baixa branda"), DOWN
)
NOT: Final = _words("nao sem nem nenhum nenhuma ausencia nunca tampouco")
IF: Final = _words(
    """
    caso se evitar prevenir eventual eventuais possivel possiveis qualquer visando visar objetivo meta buscar para
    favorecer promover priorizar sinais
    """
)
SUGGESTS: Final = _words("considerar avaliar reavaliar planejar util sugere-se recomenda-se propor discutir")
UNSURE = re.compile(
    r"\b(?:sem (?:uma )?(?:direcao|tendencia)|incert\w*|oscil\w+|inconclusiv\w*"
    r"|nao (?:e|ha|permite|esta) \w*|varia\w*|ainda nao)\b"
)
SITUATION = re.compile(
    r"^(?:\s\w+){0,2}?\s(?:ao \w+r\b|quando\b|(?:com|sob) (?:o )?(?:esforco|movimento|frio|carga|apoio)"
    r"|apos (?:a |o |os |as )?(?:caminhad|trein|exerc|esforc|ativ|corrid|trabalh)|a noite|pela manha|em repouso)"
)
TOLD_BY = re.compile(
    r"\b(?:relat\w+|refer(?:e|iu|em|ida)|segundo|conforme|not[ae]s?|descrev\w+|percep\w+|inform\w+)\b"
)
# What the sentence speaks of is not named: it is what was named before, or the one thing that is cited.
GENERIC: Final = _words(
    """
    tendencia intensidade quadro sintoma sintomas evolucao paciente escala registro registros valor valores serie
    media pontuacao periodo trajetoria linha
    """
)
PASSING: Final = _words(
    "ultima ultimas ultimos primeiras periodo sessoes semanas tratamento comparacao mesma mesmo"
)


def sense(words: Sequence[str], place: int) -> str:
    """The direction that a word says: one of a series, ``better``, ``worse``, or none."""
    word = words[place]
    if word in _INFINITIVES and place > 1 and words[place - 1] == "a" and words[place - 2] in _TENDS:
        return _INFINITIVES[word]
    if word in ("alta", "baixa"):
        return {"alta": UP, "baixa": DOWN}[word] if place and words[place - 1] == "em" else ""
    if word in ("alteracao", "alteracoes", "mudanca", "mudancas", "variacao"):
        return LEVEL if place and words[place - 1] == "sem" else ""
    if word in _COMPARED and place and words[place - 1] in _IS:
        return _COMPARED[word]
    if word in _DEGREES and place > 1 and words[place - 1] == "mais" and words[place - 2] in _IS:
        return _DEGREES[word]
    return _SENSES.get(word, "")


def is_idle(words: Sequence[str], place: int, after: str) -> bool:
    """Whether a word of direction is none here: a wish, a case, stairs."""
    close = set(words[max(place - 4, 0) : place])
    stairs = re.match(r" (?:e desce )?(?:as )?(?:escadas?|ladeiras?|rampas?|degraus)\b", after)
    return bool(IF & close or stairs)
