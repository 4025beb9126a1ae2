"""What a single word is: known or not, clinical, everyday, a name, or a word that says that a name follows.

Here: one look-up for each word, remembered, as a sum of the marks below. Not here: what stands around a word
(``walk.py``).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Final

from fisio_ayida.insights.dictionaries import is_known, lemma
from fisio_ayida.insights.privacy import everyday_words as everyday
from fisio_ayida.insights.privacy.clinical_words import CLINICAL, CUES, EPONYMS
from fisio_ayida.insights.privacy.names import AMBIGUOUS, NAMES
from fisio_ayida.insights.privacy.place_words import OFFICES
from fisio_ayida.insights.privacy.plain_text import fold, words

# Plain numbers: members of an IntFlag cost a microsecond for each `&`, and every word of a note asks ten of them.
KNOWN: Final = 1 << 0
#: A clinical or an everyday word: stays even where a name might stand.
SAFE: Final = 1 << 1
NAME: Final = 1 << 2
#: An everyday word that is also a name.
UNCERTAIN: Final = 1 << 3
VERB: Final = 1 << 4
EPONYM: Final = 1 << 5
CUE: Final = 1 << 6
PERSON: Final = 1 << 7
LIKELY_PERSON: Final = 1 << 8
STREET: Final = 1 << 9
PLACE: Final = 1 << 10
PEOPLE_DO: Final = 1 << 11
PEOPLE_DO_TOO: Final = 1 << 12
JOINT: Final = 1 << 13
#: An office that few hold.
OFFICE: Final = 1 << 14

_SAFE_WORDS: Final = CLINICAL | everyday.EVERYDAY
_MARKS: Final = (
    (_SAFE_WORDS, SAFE | KNOWN),
    ((NAMES | everyday.SHORT_NAMES) - _SAFE_WORDS, NAME | KNOWN),
    (AMBIGUOUS | everyday.ALSO_NAMES, UNCERTAIN | KNOWN),
    (EPONYMS - _SAFE_WORDS, EPONYM),
    (CUES, CUE | KNOWN),
    (everyday.PERSONS, PERSON | KNOWN),
    (everyday.LIKELY_PERSONS, LIKELY_PERSON | KNOWN),
    (everyday.STREETS, STREET | KNOWN),
    (everyday.PLACES, PLACE | KNOWN),
    (everyday.PEOPLE_DO, PEOPLE_DO | VERB | KNOWN),
    (everyday.PEOPLE_DO_TOO, PEOPLE_DO_TOO | VERB | KNOWN),
    (everyday.JOINTS, JOINT),
    (OFFICES, OFFICE),
)
#: What may be missing where somebody writes without accents.
_ACCENTED: Final = {"a": "áãâà", "e": "éê", "i": "í", "o": "óõô", "u": "ú", "c": "ç"}
#: Endings that carry two signs at once, or whose sign is the only one of the word.
_ENDINGS: Final = (("cao", "ção"), ("coes", "ções"), ("ao", "ão"), ("oes", "ões"), ("aes", "ães"))
#: Endings of terms that no name has; a dictionary knows few of the terms.
_TERMS: Final = tuple(
    words("""
    algia algias algico algica plegia plegico plegica paresia paretico paretica ectomia plastia scopia grafia
    grafico grafica terapia terapico terapica terapeutico metria metrico metrica patia patico patica trofia trofico
    trofica tomia centrico centrica articular muscular
    """)
)
SHORTEST_TERM: Final = 8


@functools.lru_cache(maxsize=1 << 16)
def marks(word: str) -> int:
    """The marks of a word, in whatever case it is written; 0: nobody knows it."""
    lower = word.lower()
    folded = fold(lower)
    found = 0
    for listed, mark in _MARKS:
        if folded in listed:
            found |= mark
    if len(folded) >= SHORTEST_TERM and folded.endswith(_TERMS):
        found |= KNOWN
    spelling = _spelling(lower)
    if spelling is not None:
        found |= KNOWN
        listed_as = lemma(spelling)
        # "pôr" and its family are verbs as well; a noun in -or is its own lemma.
        if listed_as.endswith(("ar", "er", "ir", "pôr", "por")) and listed_as != lower:
            found |= VERB
        # Plurals and inflected forms of clinical words.
        if not found & (NAME | UNCERTAIN) and fold(listed_as) in CLINICAL:
            found |= SAFE
    return found


def _spelling(word: str) -> str | None:
    """The word as the dictionary spells it, with the accents that may be missing; None if it does not know it."""
    if not word.isascii():
        return word if _is_known(word) else None
    return next(filter(_is_known, itertools.chain((word,), _with_accents(word))), None)


def _is_known(word: str) -> bool:
    return is_known(word, "pt")


def _with_accents(word: str) -> Iterator[str]:
    for bare, ending in _ENDINGS:
        if word.endswith(bare):
            yield word.removesuffix(bare) + ending
    for place, letter in enumerate(word):
        for accented in _ACCENTED.get(letter, ""):
            yield word[:place] + accented + word[place + 1 :]
