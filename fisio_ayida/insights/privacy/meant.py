"""Whether a word that is a part of somebody's name, and a word of notes, is meant as the word.

Here: the words beside it decide: "há 3 dias" of a clinic where Sra. Dias works. Not here: finding the names
(``known.py``).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from fisio_ayida.insights.privacy import everyday_words as everyday
from fisio_ayida.insights.privacy.names import CLINICAL_NAMES
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDER
from fisio_ayida.insights.privacy.plain_text import words
from fisio_ayida.insights.privacy.vocabulary import (
    LIKELY_PERSON,
    NAME,
    PEOPLE_DO,
    PEOPLE_DO_TOO,
    PERSON,
    SAFE,
    marks,
)

#: Words of the body that no list of clinical words has.
_OF_THE_BODY: Final = words("costa peito palma planta")
#: Behind these it is the word: articles, prepositions, possessives, numerals.
_BEFORE_WORDS: Final = words("""
    a à as às o os um uma uns umas ao aos de da do das dos em na no nas nos num numa por pela pelo pelas pelos
    para pra com sem sob sobre entre até desde após há faz a cada este esta estes estas esse essa esses essas
    nesta neste nestes nestas meu minha meus minhas seu sua seus suas alguns algumas vários várias muitos muitas
    poucos poucas todos todas últimos últimas próximos próximas primeiros primeiras outros outras ambos ambas
    dois duas três quatro cinco seis sete oito nove dez onze doze treze quatorze catorze quinze vinte trinta
    quarenta sessenta noventa mil meio meia mais menos tantos quantos quantas
""")
_WORD: Final = re.compile(rf"{PLACEHOLDER.pattern}|[^\W_]+")
#: Characters on both sides that are looked at.
_NEAR: Final = 60
_SIDES: Final = words("direita direito esquerda esquerdo superior inferior bilateral")
_ARTICLES: Final = frozenset({"a", "o"})
_JOINED: Final = re.compile(r"[ \-_']{1,3}")
#: "EVA 7".
_SCORE: Final = re.compile(r"\s?[:=]?\s?\d")
_ENDS: Final = re.compile(r"[.!?:;,\n(]")


class Meant:
    """Decides for the parts of the names of one identity.

    Args:
        parts: of all of its names, folded.
    """

    def __init__(self, parts: Collection[str]) -> None:
        self._parts = frozenset(parts)
        self._words = frozenset(part for part in parts if is_also_a_word(part))

    def is_word(self, text: str, folded: str, span: tuple[int, int]) -> bool:
        """Whether the word at a place is the word and no name. ``folded``: the text, folded."""
        start, end = span
        word = folded[start:end]
        if word not in self._words:
            return False
        if word in CLINICAL_NAMES and text[start:end].isupper() and _SCORE.match(text, end):
            return True
        if not _is_small(text, span):
            return False
        before = _last_words(folded[max(0, start - _NEAR) : start])
        after = _WORD.match(_JOINED.sub("", folded[end : end + _NEAR], count=1))
        if after is not None and self._is_name(after[0]) and _JOINED.match(folded, end):
            return False
        if before and (self._is_name(before[-1]) and _JOINED.match(folded[start - 1 : start])):
            return False
        if after is not None and after[0] in _SIDES:
            return True
        # "A costa relatou dor", but "nos últimos dias relatou dor".
        does = after is not None and marks(after[0]) & (PEOPLE_DO | PEOPLE_DO_TOO)
        if not before or (does and before[-1] in _ARTICLES):
            return False
        return _introduces(before)

    def _is_name(self, word: str) -> bool:
        return word in self._parts or word == "[nome]" or bool(marks(word) & NAME)


def is_also_a_word(part: str) -> bool:
    """Whether notes need a part of a name as a word."""
    return part in _OF_THE_BODY or bool(marks(part) & SAFE)


def _is_small(text: str, span: tuple[int, int]) -> bool:
    """Whether it is written without a capital; where all is in capitals, too."""
    start, end = span
    if text[start:end].islower():
        return True
    line = text[text.rfind("\n", 0, start) + 1 :].partition("\n")[0]
    return bool(marks(text[start:end]) & SAFE) and line.isupper()


def _last_words(text: str) -> list[str]:
    """The words of the sentence so far."""
    return _WORD.findall(_ENDS.split(text)[-1])


def _introduces(before: list[str]) -> bool:
    last = before[-1]
    if not (last.isdigit() or last in _BEFORE_WORDS):
        return False
    # "A filha da costa", "falei com dias", "a paciente dos campos".
    earlier = before[-2] if len(before) > 1 else last
    if marks(earlier) & (PERSON | LIKELY_PERSON) and not last.isdigit():
        return False
    return not (earlier in everyday.NAMED_BEHIND and last in everyday.NAMED_BEHIND_JOINTS)
