"""Diseases in a passage: whether they are somebody's words in the record, and told as such.

Here: words of diseases by their stems, and words that claim one. Not here: what else a passage may not say
(``speech.py``).
"""

from __future__ import annotations

import re
from typing import Final

from fisio_ayida.insights.narrative.lines import bare

# Compared without accents, in lower case.
_NAMED = re.compile(
    r"\b(?:\w{2,}(?:ites?|oses?|patias?|malacias?|plegias?|paresias?|listeses?|penias?)|hernias?|herniacao"
    r"|protrus(?:ao|oes)|rupturas?|roturas?|les(?:ao|oes)|lesionad[oa]s?|fraturas?|sindromes?|doencas?|patologias?"
    r"|tumor(?:es)?|cancer|neoplasias?|metastases?|luxac(?:ao|oes)|entorses?|fibromialgia|discopatias?|esporao"
    r"|diabetes|parkinson|alzheimer|avc|derrame articular)\b"
)
# What ends like a disease and is none.
_ORDINARY_WORDS: Final = """
    limite limites permite permites transmite emite omite admite demite imite remite apetite convite convites elite
    noite noites leite enfeite aceite deleite visite evite evites facilite solicite habilite possibilite necessite
    palpite site sites suite cite recite excite hesite explicite incite felicite debilite reabilite capacite medite
    acredite respeite aproveite deite granite satelite grafite mobilite imobilite delimite digite agite dite
    edite quite credite habite grite vomite suscite exercite
    dose doses pose poses close glicose lactose frutose sacarose celulose hipnose superdose osmose simbiose
    apoptose metamorfose virtuose aponeurose aponeuroses anastomose anastomoses diartrose sinartrose anfiartrose
    lordose lordoses cifose cifoses hiperlordose hipercifose ptose diagnose
    simpatia empatia antipatia apatia telepatia osteopatia homeopatia naturopatia quiropatia
"""
ORDINARY: Final = frozenset(_ORDINARY_WORDS.split())
_CLAIMS = re.compile(
    r"\b(?:suger\w+|sugest\w+|provavel|provavelmente|provaveis|compativel|compativeis|evidente|evidencia\w*"
    r"|confirma\w*|comprova\w*|indica|indicam|indicando|indicativ\w+|aponta|apontam|apontando|revela|revelam"
    r"|demonstra\w*|caracteriza\w*|consistentes? com|trata-se|sofre|sofrendo|portadora?|acometid[oa]|padece"
    r"|diagnos\w+|tipic[oa] de|desenvolveu)\b"
)
_UNSURE = re.compile(
    r"\b(?:investig\w+|suspeit\w+|hipotes\w+|descart\w+|afastar|possivel|possiveis|duvida|averiguar|a esclarecer"
    r"|excluir)\b"
)
_ATTRIBUTED = re.compile(
    r"\b(?:not[ae]s?|anotac\w+|citad\w+|cita|citam|relat\w+|referid\w+|refere|registrad\w+|queixa|segundo"
    r"|conforme)\b"
)
_PREVENTED = re.compile(r"\b(?:preven\w+|evitar|evitando|reincidencia|recidiva)\b(?: \w+){0,4} $")
_ACHES = re.compile(r"\b\w+algias?\b")
_DIAGNOSIS = re.compile(r"\bdiagnos(?:tic\w+|e)\b(?! (?:diferencial|por imagem|nao|de imagem))")
_SENTENCES = re.compile(r"[.!?](?=\s|$)|[;\n]")


def is_claimed(text: str, written: str) -> bool:
    """Whether a passage names a disease that nobody wrote, or as more certain than it was written.

    Args:
        written: the complaint, and what somebody wrote in what the passage cites.
    """
    source = bare(written)
    return any(_claims(sentence, source) for sentence in _SENTENCES.split(bare(text)))


def _claims(sentence: str, source: str) -> bool:
    if re.search(r"\bdiagnostico (?:clinico |provavel )?(?:e|seria) d[aeo]\b", sentence):
        return True
    claims = _CLAIMS.search(sentence) is not None
    if _ACHES.search(sentence) and (
        _DIAGNOSIS.search(sentence) or re.search(r"\b(?:sofre|padece|portadora?)\b", sentence)
    ):
        return True
    for match in _NAMED.finditer(sentence):
        if match[0] in ORDINARY or _PREVENTED.search(sentence[: match.start()]):
            continue
        places = [each.start() for each in re.finditer(rf"\b{re.escape(_stem(match[0]))}", source)]
        if not places or claims:
            return True
        doubted = all(_UNSURE.search(_around(source, at)) for at in places)
        if doubted and not _UNSURE.search(sentence) and not _ATTRIBUTED.search(sentence):
            return True
    return False


def _stem(word: str) -> str:
    """Without the ending that changes with number."""
    one = re.sub(r"oes$", "ao", word).removesuffix("s")
    return one[: max(4, len(one) - 2)] if not one.endswith("ao") else one[:-2]


def _around(text: str, at: int) -> str:
    """The sentence in which something stands."""
    start = max((match.end() for match in _SENTENCES.finditer(text, 0, at)), default=0)
    end = _SENTENCES.search(text, at)
    return text[start : end.start() if end else len(text)]
