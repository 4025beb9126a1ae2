"""Every word of a text must be allowed to stay: known, and no name where it stands.

Here: one walk over the words, from left to right. A word that nobody knows goes; a name goes; a capital letter
inside a sentence makes a name of everything but clinical and everyday words; so does standing behind a relative, a
title or "trabalha na", beside a name, or before what only people do. Not here: the lists, and shapes.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from fisio_ayida.insights.privacy import everyday_words as everyday
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDER, PLACEHOLDERS
from fisio_ayida.insights.privacy.plain_text import fold, words
from fisio_ayida.insights.privacy.vocabulary import (
    CUE,
    EPONYM,
    JOINT,
    KNOWN,
    LIKELY_PERSON,
    NAME,
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

#: A line with more of its words in capitals than this says nothing by its capitals.
SHOUTED: Final = 0.6
#: Words behind "trabalha na" or "rua" that may belong to the place's name.
LONGEST_PLACE: Final = 6
#: Words between "teste de" and the name of who invented it.
LONGEST_CUE: Final = 4

#: Longer numbers are no measure of anything.
LONGEST_NUMBER: Final = 4

_SIDES: Final = frozenset("de")
_ARTICLES: Final = frozenset({"a", "o", "as", "os"})
_JOINED: Final = frozenset({" ", "-"})
#: Between words that are no everyday words; "há 3 dias, Ana" is one sentence.
_LOOSELY_JOINED: Final = frozenset({" ", "-", ", ", ". "})
_TITLES_WITH_DOT: Final = words("dr dra drs dras sr sra srs sras srta prof profa enf ft att ass fisio")
#: They stand for many things without their dot.
_STREETS_WITH_DOT: Final = frozenset({"r", "ed", "ap", "bl"})
_ABBREVIATED_STREETS: Final = frozenset({"av", "apt", "apto", "jd"})
_TOKEN: Final = re.compile(rf"{PLACEHOLDER.pattern}|[^\W_]+")
_BEGINS_SENTENCE: Final = re.compile(r"[.!?:;\n•(\[\"“”«→>=]| [\-–—+] ")
_CAPITALS: Final = re.compile(r"[^\W\d_a-zà-ÿ]{2}")
_UNITS: Final = (
    "kg|kgs|g|mg|mcg|ml|l|lb|lbs|cm|mm|m|km|mts|mt|s|seg|segs|min|mins|h|hs|hr|hrs|x|rep|reps|serie|series|hz|khz|mhz"
    "|ma|mw|j|w|v|n|bpm|mmhg|irpm|ipm|rpm|kcal|cal|ui|a|o|graus|grau|sem|d|anos|dias|vezes|pts|kmh|cmh2o|k|kgf|rm|us|ms"
)
#: Letters and digits together that are no number of anything: L4, 3x10, 10kg, 14h30.
_MEASURE: Final = re.compile(
    rf"[ctls]\d{{1,2}}|\d{{1,4}}(?:{_UNITS})|\d{{1,3}}x\d{{1,4}}(?:{_UNITS})?|x\d{{1,3}}|[1-5]x[1-9]x|\d{{1,3}}d\d{{1,3}}e"
    r"|\d{1,2}h\d{2}(?:min)?|\d{1,2}min\d{1,2}s?|b12|d3|h2o|co2|o2|spo2|vo2|vef1|fev1|k2|[mfq][1-5]|[gp][1-4]|[des]\d"
    r"|r[12]|sf36|tc6m?|covid19|\d{1,2}t|fc\d{2,3}|6mwt|10?rm|ap\d|dn4"
)


@dataclass(slots=True)
class _Word:
    """A word, where it stands, and what is found out about it."""

    text: str
    start: int
    end: int
    #: What stands between the word before and this one.
    gap: str
    marks: int
    folded: str
    is_letters: bool
    #: A placeholder of an earlier step.
    is_gone: bool
    begins_sentence: bool = True
    shouted: bool = False
    #: As what it goes; None: it stays.
    kind: str | None = None
    #: It was, or stands for, somebody's name.
    is_named: bool = False

    @property
    def is_capital(self) -> bool:
        return not self.shouted and self.text[0].isupper()


def without_names_and_unknown_words(text: str, hits: Counter[str]) -> str:
    """The text with a placeholder for each word that may not stay; counts them in ``hits``."""
    words = _words(text)
    _Walk(words).go()
    parts: list[str] = []
    done = 0
    for word in words:
        if word.kind is not None:
            parts += text[done : word.start], PLACEHOLDERS[word.kind]
            done = word.end
            hits[word.kind] += 1
    return "".join((*parts, text[done:])) if parts else text


def _words(text: str) -> list[_Word]:
    found: list[_Word] = []
    done = 0
    for match in _TOKEN.finditer(text):
        token, start, end = match[0], match.start(), match.end()
        is_gone = token[0] == "["
        is_letters = not is_gone and token.isalpha()
        gap = text[done:start]
        word = _Word(token, start, end, gap, marks(token) if is_letters else 0, fold(token), is_letters, is_gone)
        word.begins_sentence = not found or (gap != " " and _BEGINS_SENTENCE.search(gap) is not None)
        word.is_named = token == PLACEHOLDERS["name"]
        found.append(word)
        done = end
    if _CAPITALS.search(text):
        _mark_shouted(found)
    return found


def _mark_shouted(words: list[_Word]) -> None:
    line: list[_Word] = []
    for word in [*words, None]:
        if word is None or "\n" in word.gap:
            long = [each for each in line if each.is_letters and len(each.text) > 1]
            if long and sum(each.text.isupper() for each in long) > SHOUTED * len(long):
                for each in line:
                    each.shouted = True
            line = []
        if word is not None:
            line.append(word)


class _Walk:
    """The walk: what the words so far lead one to expect of the next."""

    def __init__(self, words: list[_Word]) -> None:
        self._words = words
        self._is_name_expected = False
        #: So many words of a place's name may follow.
        self._place = 0
        #: The place is an address, which has numbers.
        self._is_address = False
        self._since_cue = LONGEST_CUE + 1

    def go(self) -> None:
        """Decides about each word."""
        for at, word in enumerate(self._words):
            if word.gap != " ":
                self._forget(at, word)
            if not word.is_gone:
                word.kind = self._of_letters(at, word) if word.is_letters else self._of_digits(word)
            self._expect(at, word)

    def _of_digits(self, word: _Word) -> str | None:
        if self._place and self._is_address:
            return "address"
        is_plain = word.text.isdigit() if len(word.text) <= LONGEST_NUMBER else False
        return None if is_plain or _MEASURE.fullmatch(word.folded) else "number"

    def _of_letters(self, at: int, word: _Word) -> str | None:
        found = word.marks
        if len(word.text) == 1:
            return self._of_one_letter(at, word)
        if found & EPONYM and self._since_cue <= LONGEST_CUE:
            return None
        is_inside = word.is_capital and not word.begins_sentence
        # What may stay where a name is likely.
        is_safe = found & SAFE and not found & UNCERTAIN
        if not is_safe and not found & (PERSON | STREET | PLACE):
            is_action = found & VERB and not found & (NAME | UNCERTAIN) and not is_inside
            if self._is_name_expected and not is_action:
                return self._named(word)
            if self._place and not is_action and not word.folded.endswith("mente"):
                return "address" if self._is_address else "word"
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

    def _of_one_letter(self, at: int, word: _Word) -> str | None:
        is_initial = (
            word.is_capital
            and word.folded not in _SIDES
            and at + 1 < len(self._words)
            and self._words[at + 1].gap.startswith(".")
        )
        return "word" if is_initial or word.folded not in everyday.LETTERS else None

    def _named(self, word: _Word) -> str:
        word.is_named = True
        return "name"

    def _looks_like_a_name(self, at: int, word: _Word) -> bool:
        is_safe = word.marks & SAFE
        if not is_safe and (word.shouted or word.is_capital):
            return True
        if self._stands_behind_a_name(at) or self._stands_before_a_name(at):
            return True
        if self._does_what_people_do(at, PEOPLE_DO if is_safe else PEOPLE_DO | PEOPLE_DO_TOO):
            return True
        return not is_safe and at > 0 and word.gap == " " and self._words[at - 1].marks & LIKELY_PERSON != 0

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

    def _expect(self, at: int, word: _Word) -> None:
        found = word.marks
        self._since_cue = 0 if found & CUE else self._since_cue + 1
        before = self._words[at - 1] if at > 0 and word.gap == " " else None
        if word.is_gone:
            self._is_name_expected = False
            return
        if found & PERSON or (
            before and word.folded in everyday.NAMED_BEHIND_JOINTS and before.folded in everyday.NAMED_BEHIND
        ):
            self._is_name_expected = True
        elif not (word.kind is None and (found & JOINT or word.folded in _ARTICLES)):
            self._is_name_expected = False
        if self._place:
            self._place = 0 if word.kind is None and not found & JOINT else self._place - 1
        if self._is_street(at, word):
            self._place, self._is_address = LONGEST_PLACE, True
        elif not (self._place and self._is_address) and self._is_of_a_place(at, word, before):
            self._place, self._is_address = LONGEST_PLACE, False

    def _is_street(self, at: int, word: _Word) -> bool:
        if not word.marks & STREET:
            return False
        return word.folded not in _STREETS_WITH_DOT or (
            at + 1 < len(self._words) and self._words[at + 1].gap.startswith(".")
        )

    def _is_of_a_place(self, at: int, word: _Word, before: _Word | None) -> bool:
        if word.marks & PLACE:
            return True
        if before is None:
            return False
        if word.folded in everyday.PLACE_BEHIND_JOINTS:
            return before.folded in everyday.PLACE_BEHIND
        return word.folded == "saude" and at > 1 and self._words[at - 2].folded in everyday.INSURANCES

    def _forget(self, at: int, word: _Word) -> None:
        """What a sign between the words ends."""
        gap = word.gap
        before = self._words[at - 1].folded if at else ""
        if "\n" in gap or ";" in gap:
            self._is_name_expected, self._place = False, 0
        elif "." in gap or "!" in gap or "?" in gap:
            self._is_name_expected = self._is_name_expected and before in _TITLES_WITH_DOT
            self._place = self._place if before in _STREETS_WITH_DOT | _ABBREVIATED_STREETS else 0
        elif "," in gap and not (self._is_address and (not word.is_letters or word.marks & STREET)):
            self._place = 0
