"""Takes what the clinic knows a patient by out of a text, wherever it stands.

Here: names as whole words in any case, with or without accents, apart or together; numbers by their digits,
however they are grouped or spelled. Not here: which names and numbers those are (``identifiers.py``), and what
anybody might be known by (``patterns.py``, ``walk.py``).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy.clinical_words import CLINICAL
from fisio_ayida.insights.privacy.everyday_words import ORGANISATIONS
from fisio_ayida.insights.privacy.identifiers import (
    SHORTEST_NUMBER,
    TAIL,
    Name,
    beginnings,
    handles,
    names,
    numbers,
    parts_of,
    short_names,
)
from fisio_ayida.insights.privacy.meant import Meant
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDER, PLACEHOLDERS
from fisio_ayida.insights.privacy.plain_text import fold
from fisio_ayida.insights.privacy.vocabulary import KNOWN, NAME, SAFE, marks

#: Parts of a name from this length on are recognised with blanks anywhere among their letters.
SHORTEST_SPLIT: Final = 5
#: A name whose letters stand together, or apart in some unforeseen way, is recognised from this many letters on.
SHORTEST_WHOLE: Final = 8
#: What may stand between two digits of a number that is read out: "nove, traco, oito".
LONGEST_GAP: Final = 25

_LETTERS: Final = re.compile(r"[^\W\d_]+")
_LETTERS_OR_PLACEHOLDER: Final = re.compile(rf"{PLACEHOLDER.pattern}|[^\W\d_]+")
_WORDS_OF_DIGITS: Final = {
    "zero": "0", "um": "1", "uma": "1", "dois": "2", "duas": "2", "tres": "3", "quatro": "4", "cinco": "5",
    "seis": "6", "meia": "6", "sete": "7", "oito": "8", "nove": "9",
}  # fmt: skip
_DIGIT: Final = re.compile("[0-9]")
# Literals alone: then the search jumps from one first letter to the next, which makes it ten times as fast.
_WORD_OF_DIGIT: Final = re.compile("|".join(sorted(_WORDS_OF_DIGITS, key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class _Form:
    """How a name may be written: letters that a text needs to have it, a pattern, whether only with a capital."""

    needed: str
    pattern: re.Pattern[str]
    is_proper: bool = False


class Known:
    """Takes out of texts what one identity is known by."""

    def __init__(self, identity: Identity) -> None:
        known = names(identity)
        self._wholes = sorted({name.letters for name in known if _is_telling(name)}, key=len, reverse=True)
        parts = {part for name in known for part in parts_of(name)}
        shorts = {short for name in known for short in short_names(name)} - parts
        wholes = dict.fromkeys(name.parts for name in known if len(name.parts) > 1)
        called = sorted({each for name in known for each in beginnings(name)} - {*wholes}, key=len, reverse=True)
        # "Clínica Coluna Lombar": only with capitals.
        proper = {each for each in called if len(each) == 2 and CLINICAL.issuperset(each)}
        #: For each name the letters that a text must have one after the other if it has the name, however written.
        self._names = [
            *(_Form("".join(each), _pattern(_together(each)), each in proper) for each in (*wholes, *called)),
            *(
                _Form(part[:-1], _pattern(_apart(part)))
                for part in sorted(parts, key=lambda part: (-len(part), part))
            ),
            *(_Form(short, _pattern(short), _is_a_word(short)) for short in sorted(shorts)),
        ]
        self._meant = Meant(parts)
        self._handles = [(each, _pattern(re.escape(each))) for each in handles(identity)]
        self._numbers = numbers(identity)

    def without_numbers(self, text: str, hits: Counter[str]) -> str:
        """The text without the identity's numbers and addresses; before anything else is taken out of it."""
        folded = fold(text)
        for handle, pattern in self._handles:
            if handle in folded:
                text = _replace(pattern, "email", text, hits)
                folded = fold(text)
        if not self._numbers:
            return text
        digits = _digits(folded)
        if len(digits) < SHORTEST_NUMBER:
            return text
        return _cut(text, self._spans_of_numbers(digits), "number", hits)

    def without_names(self, text: str, hits: Counter[str]) -> str:
        """The text without the identity's names."""
        letters = _letters(text)
        # Whole names first: without one of its parts, nothing would tell what the others are.
        if any(whole in letters for whole in self._wholes):
            text = self._without_wholes(text, hits)
        for form in self._names:
            if form.needed in letters:
                text = self._without(form, text, hits)
        return text

    def _without(self, form: _Form, text: str, hits: Counter[str]) -> str:
        folded = fold(text)
        spans = [match.span() for match in form.pattern.finditer(folded) if match["it"] is not None]
        if form.is_proper:
            spans = [span for span in spans if text[span[0]].isupper()]
        spans = [span for span in spans if not self._meant.is_word(text, folded, span)]
        return _cut(text, spans, "name", hits)

    def _spans_of_numbers(self, digits: Sequence[tuple[str, int, int]]) -> list[tuple[int, int]]:
        row = "".join(digit for digit, _, _ in digits)
        taken: list[tuple[int, int]] = []
        for number in self._numbers:
            place = row.find(number)
            while place >= 0:
                piece = digits[place : place + len(number)]
                span = piece[0][1], piece[-1][2]
                if _is_one(piece, digits, place) and not any(
                    span[0] < end and start < span[1] for start, end in taken
                ):
                    taken.append(span)
                place = row.find(number, place + 1)
        return sorted(taken)

    def _without_wholes(self, text: str, hits: Counter[str]) -> str:
        folded = fold(text)
        # A placeholder becomes a bar, so that what stands on both sides of it is not read as one.
        runs = [(match.start(), match[0]) for match in _LETTERS_OR_PLACEHOLDER.finditer(folded)]
        row = "".join("|" if run[0] == "[" else run for _, run in runs)
        places = [
            place
            for start, run in runs
            for place in ((start,) if run[0] == "[" else range(start, start + len(run)))
        ]
        taken: list[tuple[int, int]] = []
        for whole in self._wholes:
            at = row.find(whole)
            while at >= 0:
                span = places[at], places[at + len(whole) - 1] + 1
                if not any(span[0] < end and start < span[1] for start, end in taken):
                    taken.append(span)
                at = row.find(whole, at + 1)
        return _cut(text, sorted(taken), "name", hits)


def _is_telling(name: Name) -> bool:
    """Whether its letters in a row are a name and not the end of a word and the beginning of the next."""
    return (
        len(name.parts) > 1
        and len(name.letters) >= SHORTEST_WHOLE
        and not all(marks(part) & SAFE or part in ORGANISATIONS for part in name.parts)
    )


def _is_a_word(short: str) -> bool:
    """Whether a short name is a word too: "mau", "dito". "Zé" is one for dictionaries only."""
    return short != "ze" and bool(marks(short) & KNOWN) and not marks(short) & NAME


def _is_one(piece: Sequence[tuple[str, int, int]], digits: Sequence[tuple[str, int, int]], place: int) -> bool:
    """Whether digits are one number: near each other; a short number stands alone as well."""
    longest = LONGEST_GAP if len(piece) >= TAIL else 2
    if any(after[1] - before[2] > longest for before, after in itertools.pairwise(piece)):
        return False
    if len(piece) >= TAIL:
        return True
    end = place + len(piece)
    return (place == 0 or digits[place - 1][2] < piece[0][1]) and (
        end == len(digits) or piece[-1][2] < digits[end][1]
    )


def _apart(part: str) -> str:
    """A part of a name: as a word, broken by signs, all letters apart, or made small ("Aninha")."""
    letters = [re.escape(letter) for letter in part]
    if len(part) >= SHORTEST_SPLIT:
        forms = [r"[\W_]{0,3}".join(letters)]
    else:
        # "A na perna" is no Ana.
        forms = [r"[\-._*'’|]?".join(letters), r"[\W_]{1,3}".join(letters)]
    if part[-1] in "aeo":
        # "Evita" and "leito" are no diminutives.
        forms.append(re.escape(part[:-1]) + (r"(?:z?inh|it)[ao]s?" if len(part) > 3 else r"z?inh[ao]s?"))
    forms.append(re.escape(part.removesuffix("s")) + r"zinh[ao]s?")
    return "|".join(forms)


def _together(parts: Iterable[str]) -> str:
    """A whole name, however its parts are joined."""
    return r"[\W_]{0,3}".join(re.escape(part) for part in parts)


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(rf"{PLACEHOLDER.pattern}|(?<![^\W\d_])(?P<it>{form})(?![^\W\d_])")


def _letters(text: str) -> str:
    return "".join(_LETTERS.findall(fold(text)))


def _digits(folded: str) -> list[tuple[str, int, int]]:
    """The digits of a folded text, spelled ones too, each with where it begins and ends."""
    found = [(match[0], match.start(), match.end()) for match in _DIGIT.finditer(folded)]
    for match in _WORD_OF_DIGIT.finditer(folded):
        start, end = match.span()
        if not (folded[start - 1 : start].isalpha() or folded[end : end + 1].isalpha()):
            found.append((_WORDS_OF_DIGITS[match[0]], start, end))
    return sorted(found, key=lambda digit: digit[1])


def _replace(pattern: re.Pattern[str], kind: str, text: str, hits: Counter[str]) -> str:
    spans = [match.span() for match in pattern.finditer(fold(text)) if match["it"] is not None]
    return _cut(text, spans, kind, hits)


def _cut(text: str, spans: Sequence[tuple[int, int]], kind: str, hits: Counter[str]) -> str:
    if not spans:
        return text
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += text[done:start], PLACEHOLDERS[kind]
        done = end
    hits[kind] += len(spans)
    return "".join((*parts, text[done:]))
