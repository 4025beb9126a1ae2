"""Every word of a text must be allowed to stay: known, and no name where it stands.

Here: one walk over the words, from left to right. A word that nobody knows goes; a name goes; a capital letter
inside a sentence makes a name of everything but clinical and everyday words; so does standing behind a relative, a
title or "conhecido como", beside a name, or before what only people do. Not here: the lists, shapes, names of
places (``places.py``), and names of tests (``eponyms.py``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from fisio_ayida.insights.privacy import everyday_words as everyday
from fisio_ayida.insights.privacy.clinical_words import CLINICAL
from fisio_ayida.insights.privacy.eponyms import is_of_a_test
from fisio_ayida.insights.privacy.names import CLINICAL_NAMES, PHRASES
from fisio_ayida.insights.privacy.place_words import ORGANISATIONS
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDERS
from fisio_ayida.insights.privacy.places import Places
from fisio_ayida.insights.privacy.plain_text import words
from fisio_ayida.insights.privacy.tokens import Word, tokens
from fisio_ayida.insights.privacy.vocabulary import (
    EPONYM,
    JOINT,
    KNOWN,
    LIKELY_PERSON,
    NAME,
    OFFICE,
    PEOPLE_DO,
    PEOPLE_DO_TOO,
    PERSON,
    PLACE,
    SAFE,
    STREET,
    UNCERTAIN,
    VERB,
    marks,
)

#: Longer numbers are no measure of anything.
LONGEST_NUMBER: Final = 4
#: So many letters that stand alone, one after the other, spell something.
SPELLED: Final = 5
SHORTEST_SPELLED: Final = 3
#: Words behind "Eva" among which a number makes a scale of it.
NEAR: Final = 4

_SIDES: Final = frozenset("de")
_ARTICLES: Final = frozenset({"a", "o", "as", "os"})
#: "A D e E" is no name.
_LONE_LETTERS: Final = frozenset("adeo")
_JOINED: Final = frozenset({" ", "-"})
#: Between letters that spell a word.
_SPELLED_BY: Final = frozenset({" ", "-", ".", ". ", "_", " - "})
#: Between words that are no everyday words; "há 3 dias, Ana" is one sentence.
_LOOSELY_JOINED: Final = frozenset({" ", "-", ", ", ". "})
_TITLES_WITH_DOT: Final = words("dr dra drs dras sr sra srs sras srta prof profa enf ft att ass fisio")
_TIMES: Final = frozenset({"dias"})
_HERS: Final = frozenset({"a", "da", "com", "pela", "para"})
_TELLING_PHRASES: Final = PHRASES | ORGANISATIONS
_PHRASES: Final = {
    first: sorted((phrase for phrase in _TELLING_PHRASES if phrase[0] == first), key=len, reverse=True)
    for first in {phrase[0] for phrase in _TELLING_PHRASES}
}
_UNITS: Final = (
    "kg|kgs|g|mg|mcg|ml|l|lb|lbs|cm|mm|m|km|mts|mt|s|seg|segs|min|mins|h|hs|hr|hrs|x|rep|reps|serie|series|hz|khz|mhz"
    "|ma|mw|j|w|v|n|bpm|mmhg|irpm|ipm|rpm|kcal|cal|ui|a|o|graus|grau|sem|d|anos|dias|vezes|pts|kmh|cmh2o|k|kgf|rm|us|ms"
)
#: Letters and digits together that are no number of anything: L4, 3x10, 10kg, 14h30.
_MEASURE: Final = re.compile(
    rf"[ctls]\d{{1,2}}|\d{{1,4}}(?:{_UNITS})|\d{{1,3}}x\d{{1,4}}(?:{_UNITS})?|x\d{{1,3}}|[1-5]x[1-9]x|\d{{1,3}}d\d{{1,3}}e"
    r"|\d{1,2}h\d{2}(?:min)?|\d{1,2}min\d{1,2}s?|b12|d3|h2o|co2|o2|spo2|vo2|vef1|fev1|k2|[mfq][1-5]|[gp][1-4]|[des]\d"
    r"|r[12]|sf36|tc6m?|covid19|\d{1,2}t|fc\d{2,3}|6mwt|10?rm|ap\d|dn4|(?:k?g|c?m|mm)[23]|\d{1,2}mwt|ultt\d|tsl\d|tc\dmin|eq\dd|sato2|fio2|cmh2o"
)


def without_names_and_unknown_words(text: str, hits: Counter[str]) -> str:
    """The text with a placeholder for each word that may not stay; counts them in ``hits``."""
    words = tokens(text)
    _Walk(text, words).go()
    parts: list[str] = []
    done = 0
    for word in words:
        if word.kind is not None:
            parts += text[done : word.start], PLACEHOLDERS[word.kind]
            done = word.end
            hits[word.kind] += 1
    return "".join((*parts, text[done:])) if parts else text


class _Walk:
    """The walk: what the words so far lead one to expect of the next."""

    def __init__(self, text: str, words: list[Word]) -> None:
        self._text = text
        self._words = words
        self._places = Places(words)
        self._is_name_expected = False
        self._is_nickname_expected = False

    def go(self) -> None:
        """Decides about each word."""
        _take_phrases(self._words)
        _take_spelled(self._words)
        for at, word in enumerate(self._words):
            if word.gap != " ":
                self._forget(at, word)
            if not word.is_gone and word.kind is None:
                word.kind = self._of_letters(at, word) if word.is_letters else self._of_digits(word)
            self._expect(at, word)

    def _of_digits(self, word: Word) -> str | None:
        if self._places.is_address:
            return "address"
        is_plain = word.text.isdigit() if len(word.text) <= LONGEST_NUMBER else False
        return None if is_plain or _MEASURE.fullmatch(word.folded) else "number"

    def _of_letters(self, at: int, word: Word) -> str | None:
        found = word.marks
        if len(word.text) == 1:
            return self._of_one_letter(at, word)
        if found & EPONYM and is_of_a_test(self._text, self._words, at):
            return None
        if found & OFFICE:
            return "word"
        if self._is_nickname_expected and not found & JOINT and word.folded not in CLINICAL | _ARTICLES:
            return self._named(word)
        if word.folded in CLINICAL_NAMES and self._is_nobodys_scale(at, word):
            return self._named(word)
        is_inside = word.is_inside
        # What may stay where a name is likely.
        is_safe = found & SAFE and not found & UNCERTAIN
        if not is_safe and not found & (PERSON | STREET | PLACE):
            is_action = found & VERB and not found & (NAME | UNCERTAIN) and not is_inside
            if self._is_name_expected and not is_action:
                return self._named(word)
        if self._places.has(word):
            return "address" if self._places.is_address else "word"
        if found & NAME:
            return self._named(word)
        if is_inside and not is_safe and not found & (PERSON | STREET | PLACE):
            word.is_named = True
            return "name" if found & UNCERTAIN else "word"
        if found & UNCERTAIN and self._looks_like_a_name(at, word):
            return self._named(word)
        if not found & KNOWN:
            word.is_named = word.is_capital
            return "word"
        if not found & (SAFE | VERB | PERSON | LIKELY_PERSON) and self._does_what_people_do(at, PEOPLE_DO):
            return self._named(word)
        return None

    def _of_one_letter(self, at: int, word: Word) -> str | None:
        is_initial = (
            word.is_capital
            and word.folded not in _SIDES
            and at + 1 < len(self._words)
            and self._words[at + 1].gap.startswith(".")
        )
        return "word" if is_initial or word.folded not in everyday.LETTERS else None

    def _named(self, word: Word) -> str:
        word.is_named = True
        return "name"

    def _looks_like_a_name(self, at: int, word: Word) -> bool:
        is_safe = word.marks & SAFE
        if not is_safe and (word.shouted or word.is_capital):
            return True
        if self._stands_behind_a_name(at) or self._stands_before_a_name(at):
            return True
        if self._does_what_people_do(at, PEOPLE_DO | PEOPLE_DO_TOO) and self._is_subject(at):
            return True
        if not is_safe and self._is_somebodys_appointment(at):
            return True
        return not is_safe and at > 0 and word.gap == " " and self._words[at - 1].marks & LIKELY_PERSON != 0

    def _is_subject(self, at: int) -> bool:
        """Whether a word before a verb is who does it: "Dias tem dor", not "há 3 dias tem dor"."""
        word = self._words[at]
        begins = word.begins_sentence or (word.gap == " " and self._words[at - 1].marks & LIKELY_PERSON != 0)
        if word.folded in _TIMES:
            return begins or word.is_capital
        if not word.marks & SAFE or self._does_what_people_do(at, PEOPLE_DO):
            return True
        return begins and word.folded not in CLINICAL

    def _is_somebodys_appointment(self, at: int) -> bool:
        if at < 2 or self._words[at].gap != " " or self._words[at - 1].gap != " ":
            return False
        joint, what = self._words[at - 1], self._words[at - 2]
        return joint.folded in ("de", "da", "do") and what.folded in everyday.NAMED_OF

    def _stands_behind_a_name(self, at: int) -> bool:
        words = self._words
        joined = _JOINED if words[at].marks & SAFE else _LOOSELY_JOINED
        while at > 0 and words[at].gap in joined:
            at -= 1
            if words[at].is_named:
                return True
            if not words[at].marks & JOINT:
                return False
        return False

    def _stands_before_a_name(self, at: int) -> bool:
        words = self._words
        joined = _JOINED if words[at].marks & SAFE else _LOOSELY_JOINED
        while at + 1 < len(words) and words[at + 1].gap in joined:
            at += 1
            after = words[at]
            if after.marks & NAME or after.is_named:
                return True
            if not after.marks & JOINT:
                return after.is_letters and after.is_capital and not after.marks & (SAFE | PERSON | STREET | PLACE)
        return False

    def _does_what_people_do(self, at: int, deeds: int) -> bool:
        after = self._words[at + 1] if at + 1 < len(self._words) else None
        return after is not None and after.gap == " " and after.marks & deeds != 0

    def _is_nobodys_scale(self, at: int, word: Word) -> bool:
        """Whether "Eva" is somebody: she does what a scale does not, or is written as a name without a number."""
        after = self._words[at + 1 : at + 1 + NEAR]
        if after and after[0].gap == " " and after[0].folded in everyday.DEEDS:
            return True
        before = self._words[at - 1].folded if at > 0 and word.gap == " " else ""
        is_title = word.is_inside and not word.text.isupper()
        return is_title and before in _HERS and not any(each.text[0].isdigit() for each in after)

    def _expect(self, at: int, word: Word) -> None:
        found = word.marks
        before = self._words[at - 1] if at > 0 and word.gap == " " else None
        if word.is_gone:
            self._is_name_expected = self._is_nickname_expected = False
            return
        if found & PERSON or (
            before and word.folded in everyday.NAMED_BEHIND_JOINTS and before.folded in everyday.NAMED_BEHIND
        ):
            self._is_name_expected = True
        elif not (word.kind is None and (found & JOINT or word.folded in _ARTICLES)):
            self._is_name_expected = False
        self._is_nickname_expected = (
            before is not None and before.folded in everyday.NICKNAMED and word.folded in everyday.NICKNAMED_JOINTS
        ) or (self._is_nickname_expected and word.kind is None and word.folded in _ARTICLES)
        self._places.expect(at, word)

    def _forget(self, at: int, word: Word) -> None:
        """What a sign between the words ends."""
        gap = word.gap
        before = self._words[at - 1].folded if at else ""
        self._is_nickname_expected = False
        if "\n" in gap or ";" in gap:
            self._is_name_expected = False
        elif "." in gap or "!" in gap or "?" in gap:
            self._is_name_expected = self._is_name_expected and before in _TITLES_WITH_DOT
        self._places.forget(at, word)


def _take_phrases(words: Sequence[Word]) -> None:
    """Marks what is a name by all of its words together: "belo horizonte"."""
    for at, word in enumerate(words):
        for phrase in _PHRASES.get(word.folded, ()):
            row = words[at : at + len(phrase)]
            if tuple(each.folded for each in row) == phrase and all(each.gap in _JOINED for each in row[1:]):
                for each in row:
                    each.kind = "word"
                break


def _take_spelled(words: Sequence[Word]) -> None:
    """Marks letters that spell a name: "J o a o"."""
    row: list[Word] = []
    for word in [*words, None]:
        is_letter = word is not None and word.is_letters and len(word.text) == 1
        if row and (word is None or not is_letter or word.gap not in _SPELLED_BY):
            if len(row) >= SHORTEST_SPELLED and _spell_a_name("".join(each.folded for each in row)):
                for each in row:
                    each.kind = "name"
            row = []
        if word is not None and is_letter:
            row.append(word)


def _spell_a_name(letters: str) -> bool:
    if marks(letters) & (NAME | UNCERTAIN):
        return True
    return len(letters) >= SPELLED or (len(letters) == SPELLED - 1 and not _LONE_LETTERS.issuperset(letters))
