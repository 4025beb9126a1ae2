"""What a passage may not sound like: another language, a verdict on the patient, the machine's own words.

Here: conservative lists and shares of known words. Not here: diseases (``diseases.py``), numbers, citations and
identities (``validation.py``).
"""

from __future__ import annotations

import re
from typing import Final

from fisio_ayida.insights.dictionaries import is_known
from fisio_ayida.insights.narrative.lines import bare

#: Share of a passage's words that a Portuguese dictionary knows; names of exercises and drugs are unknown to it.
KNOWN_PORTUGUESE: Final = 0.6
_WORD = re.compile(r"[^\W\d_]+")

# Compared without accents, in lower case. What is the professional's to say: how it ends, what to do, grades.
_VERDICTS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:sofre de|sofrendo de|portador(?:a)? de|acometid[oa] (?:de|por)|padece de)\b",
        r"\bcid\b(?:[ -]?1[01])?",
        # ICD codes; a letter and two figures alone may be a vertebra (T12).
        r"\b[a-z]\d{2}\.\d",
        r"\b[fgm]\d{2}\b",
        r"\bcurad[oa]s?\b|\bcura (?:completa|total)\b|\bprognostic\w+",
        r"\brecuperacao (?:\w+ ){0,2}?(?:completa|total|plena|garantida)\b"
        r"|\brecuperad[oa] (?:completa|total)mente\b",
        r"\b(?:receb\w+|ter|dar|deu|tem|ganhou|apt[oa] (?:para|a)|pront[oa] (?:para|a)|condicoes de"
        r"|merece) alta\b",
        r"\balta (?:imediata|medica|fisioterapeutica|do tratamento) (?:e|esta|foi|deve|pode)\b",
        r"\b(?:precis\w+|necessit\w+|dev\w+|requer\w*|indic\w+|encaminh\w+|recomend\w+)\b[^.;]{0,40}\b"
        r"(?:cirurgi\w+|operar|operad[oa])\b",
        r"\b(?:dev\w+|precisa\w*|tem que|tem de|necessita) (?:\w+ )?"
        r"(?:suspender|interromper|parar|tomar|operar|abandonar)\b",
        r"\b(?:suspend\w+|interromp\w+|tomar|tome|aument\w+|reduz\w+|trocar|parar) (?:\w+ ){0,3}?"
        r"(?:anti-?inflamatori\w+|medica(?:cao|mentos?)|remedios?|analgesic\w+|dose)\b",
        r"\brisco\b(?: \w+){0,5}(?: e| esta|:)? (?:muito )?(?:alto|baixo|moderado|medio|elevado|grave|iminente)\b",
        r"\brisco\b[^.;]{0,40}:\s*(?:muito )?(?:alto|baixo|moderado|medio|elevado|grave)\b",
        r"\b(?:alto|baixo|elevado|grande|pequeno) risco\b|\bprobabilidade\b|\bchances? de\b",
        r"\bnota (?:geral|final|do progresso|de progresso)\b|\b(?:evolucao|progresso|adesao),? nota\b"
        r"|\bpontuacao (?:geral|final|do progresso)\b|\bscore\b",
        r"\b(?:media da clinica|media d[eo]s (?:outros )?pacientes|outros pacientes|(?:acima|abaixo) da media)\b",
        # Orders; "que o paciente mantenha" is none.
        r"(?:^|[.!?;:•] ?)(?:suspenda|encaminhe|interrompa|pare|prescreva|aumente|reduza|inicie|evite|faca"
        r"|continue|mantenha|retire|tome|use|realize|procure|solicite|opere|libere|diga|responda|escreva|oriente|troque"
        r"|aplique|repita)m?\b",
        r"\be (?:encaminhe|suspenda|interrompa|prescreva|libere|opere|diga|responda)\b",
    )
)
# Systems of the body, not the one that is asked.
_BODY: Final = "nervos|musculo|esqueletic|vestibular|respirator|circulator|linfatic|locomotor|cardio|imun|sensor"
# Refs and fields, what stands for scrubbed texts, mark-up; and what speaks of the asking.
_MACHINE: Final = re.compile(
    r"\bsessao\.\d|\b[a-z0-9]+_[a-z0-9_.]+\b|[\[\]<>{}`]|\*\*|^#|^[-*•]\s"
    r"|\bignor(?:e|em|ar|ando)\b|\bprompts?\b"
    r"|\binstruc(?:ao|oes)\b(?! (?:de exerc|para exerc|domiciliar|de cuidado|para casa))"
    rf"|\bsistemas?\b(?! (?:{_BODY}))|\bmodelo de linguagem\b|\binteligencia artificial\b|\bassistente virtual\b"
)


def is_portuguese(text: str) -> bool:
    """Whether most words of a passage are Portuguese, and no more of them are Spanish alone than Portuguese alone.

    Half of all Spanish words are Portuguese too, so that a share by itself does not tell the two apart. English is
    told by the share: exercises have English names.
    """
    words = [word.lower() for word in _WORD.findall(text)]
    if not words:
        return False
    portuguese = {word for word in words if is_known(word, "pt")}
    spanish = {word for word in words if is_known(word, "es")}
    english_too = {word for word in spanish - portuguese if is_known(word, "en")}
    share = sum(word in portuguese for word in words) / len(words)
    return share >= KNOWN_PORTUGUESE and len(portuguese - spanish) >= len(spanish - portuguese - english_too)


def is_verdict(text: str) -> bool:
    """Whether a passage foretells, orders, grades, or has a code of a disease."""
    plain = bare(text)
    return any(pattern.search(plain) for pattern in _VERDICTS)


def is_machine(text: str) -> bool:
    """Whether a passage has refs, placeholders or mark-up in it."""
    return _MACHINE.search(bare(text)) is not None
