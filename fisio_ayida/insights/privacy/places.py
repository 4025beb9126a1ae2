"""The names of places, employers, schools and insurers, which may be of any words: told by what announces them.

Here: what is announced at a word of the walk, and which words belong to it. Not here: the lists
(``place_words.py``), and names that are known as such (``names.py``).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

from fisio_ayida.insights.privacy import everyday_words as everyday
from fisio_ayida.insights.privacy import place_words as lists
from fisio_ayida.insights.privacy.clinical_words import CLINICAL
from fisio_ayida.insights.privacy.tokens import Word
from fisio_ayida.insights.privacy.vocabulary import JOINT, NAME, PERSON, PLACE, SAFE, STREET, UNCERTAIN, VERB

#: Words behind "trabalha na" or "rua" that may belong to the place's name.
LONGEST_PLACE: Final = 6

_ARTICLES: Final = frozenset({"a", "o", "as", "os"})
#: They stand for many things without their dot.
_STREETS_WITH_DOT: Final = frozenset({"r", "ed", "ap", "bl"})
_ABBREVIATED_STREETS: Final = frozenset({"av", "apt", "apto", "jd"})
_WITHIN: Final = frozenset({"na", "no", "nas", "nos"})
_OF_THE: Final = frozenset({"da", "do", "das", "dos"})
#: Second words of what announces a place by two.
_SECOND: Final = _OF_THE | _WITHIN | lists.GOING_JOINTS | everyday.PLACE_BEHIND_JOINTS | {"em", "saude"}


class _Kind(enum.Enum):
    """How sure it is that a name follows, and of what words."""

    #: Words and numbers.
    ADDRESS = enum.auto()
    #: All words but function words and what is said of any such place.
    ANY_WORDS = enum.auto()
    #: No clinical and no everyday words.
    RARE_WORDS = enum.auto()
    #: Only what a capital letter or the list of names tells.
    CAPITALS = enum.auto()


class Places:
    """What the words so far announce.

    Args:
        words: of the text, as the walk goes over them.
    """

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        #: So many words of a place's name may follow.
        self._left = 0
        self._kind = _Kind.RARE_WORDS

    @property
    def is_address(self) -> bool:
        """Whether an address goes on, which has numbers."""
        return self._left > 0 and self._kind is _Kind.ADDRESS

    def has(self, word: Word) -> bool:
        """Whether the word belongs to a place's name."""
        found, folded = word.marks, word.folded
        if not self._left or found & (PERSON | STREET | PLACE) or folded in lists.KINDS:
            return False
        if self._kind is _Kind.CAPITALS:
            is_clinical = folded in CLINICAL and folded not in lists.NAMED_AFTER
            return not found & JOINT and (
                found & NAME != 0
                or (found & UNCERTAIN != 0 and not found & SAFE)
                or (word.is_inside and not is_clinical)
            )
        if folded.endswith("mente") or (found & VERB and not found & (NAME | UNCERTAIN) and not word.is_inside):
            return self._kind is _Kind.ANY_WORDS and folded in lists.NAMED_AFTER
        if self._kind is not _Kind.ANY_WORDS:
            return (not found & SAFE or found & UNCERTAIN != 0) and folded not in lists.GENERAL
        if word.is_inside and not found & JOINT:
            return not (word.text.isupper() and folded in CLINICAL)
        if folded in lists.FUNCTION or folded in lists.GENERAL:
            return False
        return folded in lists.NAMED_AFTER or found & UNCERTAIN != 0 or folded not in CLINICAL

    def expect(self, at: int, word: Word) -> None:
        """What a word that was decided about lets one expect of the next."""
        before = self._words[at - 1] if at > 0 and word.gap == " " else None
        if self._left:
            self._go_on(word)
        if word.marks & STREET and self._is_street(at, word):
            self._left, self._kind = LONGEST_PLACE, _Kind.ADDRESS
        elif not self.is_address and (kind := self._announced(at, word, before)) is not None:
            self._left, self._kind = LONGEST_PLACE, kind

    def forget(self, at: int, word: Word) -> None:
        """What a sign between the words ends."""
        gap = word.gap
        before = self._words[at - 1].folded if at else ""
        if "\n" in gap or ";" in gap:
            self._left = 0
        elif "." in gap or "!" in gap or "?" in gap:
            self._left = self._left if before in _STREETS_WITH_DOT | _ABBREVIATED_STREETS else 0
        elif "," in gap and not (self.is_address and (not word.is_letters or word.marks & STREET)):
            self._left = 0

    def _go_on(self, word: Word) -> None:
        is_between = word.marks & JOINT or word.folded in lists.KINDS or word.folded in _ARTICLES
        self._left = 0 if word.kind is None and not is_between else self._left - 1
        if self._kind is _Kind.ANY_WORDS and word.kind is None:
            if word.folded == "de":
                self._kind = _Kind.RARE_WORDS
            elif word.folded == "e" or word.folded in _ARTICLES:
                self._kind = _Kind.CAPITALS

    def _is_street(self, at: int, word: Word) -> bool:
        return word.folded not in _STREETS_WITH_DOT or (
            at + 1 < len(self._words) and self._words[at + 1].gap.startswith(".")
        )

    def _announced(self, at: int, word: Word, before: Word | None) -> _Kind | None:
        folded = word.folded
        if word.marks & PLACE:
            if folded not in lists.NAMED:
                return _Kind.RARE_WORDS
            return _Kind.ANY_WORDS if _is_noun(word, before) else None
        if folded in lists.NAMED_BY_CAPITAL:
            return _Kind.CAPITALS
        if folded in lists.SELLERS:
            return _Kind.ANY_WORDS
        if before is None or folded not in _SECOND:
            return None
        return self._announced_by_two(at, folded, before.folded)

    def _announced_by_two(self, at: int, folded: str, before: str) -> _Kind | None:
        if before in lists.PROFESSIONS | lists.OFFICES and folded in _OF_THE | _WITHIN:
            return _Kind.ANY_WORDS
        if before in lists.LIVING and (folded in _WITHIN or folded == "em"):
            return _Kind.ANY_WORDS
        if before in lists.WORKING and folded in _WITHIN:
            return _Kind.ANY_WORDS
        if before in everyday.PLACE_BEHIND and folded in everyday.PLACE_BEHIND_JOINTS:
            return _Kind.RARE_WORDS
        if folded == "saude" and at > 1 and self._words[at - 2].folded in everyday.INSURANCES:
            return _Kind.RARE_WORDS
        return _Kind.CAPITALS if before in lists.GOING and folded in lists.GOING_JOINTS else None


def _is_noun(word: Word, before: Word | None) -> bool:
    """Whether "clínica" is no adjective ("melhora clínica"), and "bar" no unit ("2 bar")."""
    if word.folded == "bar":
        return before is None or before.is_letters
    if word.folded != "clinica":
        return True
    return before is None or before.folded in lists.FUNCTION or before.folded in lists.VISITING
