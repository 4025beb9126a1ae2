"""Whether a name is that of a test, a scale or a disease, which notes need, or that of somebody.

Here: what stands directly before and behind it. Not here: the names (``clinical_words.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from fisio_ayida.insights.privacy.clinical_words import METHODS, SCALES
from fisio_ayida.insights.privacy.tokens import Word
from fisio_ayida.insights.privacy.vocabulary import CUE, EPONYM, NAME, SAFE

#: "+", "positivo à D", "15°". No hyphen: before another word it is a dash.
_RESULT: Final = re.compile(
    r"\s?\(?\+{1,4}\)?(?=[^\w\[]*[\w])(?!\s?[A-ZÀ-Ý][a-zà-ÿ])(?! ?\[)"
    r"|(?:\s(?:à\s)?(?:[DdE]|direita|esquerda|bilateral))?:?\s(?:positiv|negativ)[oa]s?\b|\s?\d{1,3}\s?[°%]"
)
#: What a scale gave: "46/56", ": 42".
_SCORE: Final = re.compile(r"\s?[:=]?\s?\d")


def is_of_a_test(text: str, words: Sequence[Word], at: int) -> bool:
    """Whether a word that is marked as an eponym stays."""
    word = words[at]
    if _is_cued(words, at):
        return True
    # A name of the list of names is found by the second detector, too, wherever nothing announces it.
    if word.marks & NAME:
        return False
    if word.folded in SCALES and _SCORE.match(text, word.end):
        return True
    return _RESULT.match(text, word.end) is not None


def _is_cued(words: Sequence[Word], at: int) -> bool:
    """Whether it stands directly behind "teste de", "sinal clínico de", "Neer e" ..."""
    if words[at].gap != " " or at < 2:
        return False
    before = words[at - 1]
    if words[at].gap == " " and before.folded in ("e", "ou") and before.gap == " ":
        beside = words[at - 2]
        if beside.marks & EPONYM or beside.folded in METHODS:
            return _is_cued(words, at - 2)
    if before.folded != "de" or before.gap != " ":
        return False
    if words[at - 2].marks & CUE:
        return True
    is_adjective = at > 2 and words[at - 2].gap == " " and words[at - 2].marks & SAFE != 0
    return is_adjective and words[at - 3].marks & CUE != 0
