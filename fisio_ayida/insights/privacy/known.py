"""What the clinic knows a patient by: names, numbers and addresses of an identity, wherever they stand in a text.

Here: names as whole words in any case, with or without accents, apart or together; numbers by their digits,
however they are grouped or spelled. Not here: what anybody might be known by (``patterns.py``, ``walk.py``).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy.everyday_words import ORGANISATIONS, PARTICLES
from fisio_ayida.insights.privacy.names import CLINICAL_NAMES
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDER, PLACEHOLDERS
from fisio_ayida.insights.privacy.plain_text import fold, tidy
from fisio_ayida.insights.privacy.vocabulary import KNOWN, SAFE, UNCERTAIN, marks

#: Shorter parts of a name are removed only with the whole of it (CONTRACT §9.4).
SHORTEST_PART: Final = 3
#: Parts of a name from this length on are recognised with blanks anywhere among their letters.
SHORTEST_SPLIT: Final = 5
#: A name whose letters stand together, or apart in some unforeseen way, is recognised from this many letters on.
SHORTEST_WHOLE: Final = 8
#: Of a number that is known, its last digits are as good as all: without country and area code, for instance.
TAIL: Final = 8
#: Shorter numbers are too common to be anybody's.
SHORTEST_NUMBER: Final = 4
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
class Name:
    """A name as it was written: its folded parts, and whether it is an organisation's."""

    parts: tuple[str, ...]
    is_organisation: bool

    @property
    def letters(self) -> str:
        """All of its letters, together."""
        return "".join(self.parts)


def names(identity: Identity) -> list[Name]:
    """The names of an identity, each once."""
    found: dict[Name, None] = {}
    for written in identity.names:
        parts = tuple(_LETTERS.findall(fold(tidy(written))))
        if parts:
            found[Name(parts, is_organisation=_is_of_an_organisation(parts))] = None
    return list(found)


def _is_of_an_organisation(parts: Sequence[str]) -> bool:
    # "Corpo em Movimento" is nobody: no person's name is of several clinical words, none of which is also a name.
    return not ORGANISATIONS.isdisjoint(parts) or (
        len(parts) > 1
        and all(marks(part) & (SAFE | UNCERTAIN) == SAFE and part not in CLINICAL_NAMES for part in parts)
    )


def parts_of(name: Name) -> list[str]:
    """The parts by which somebody is known; of an organisation's name, those that notes do not need."""
    return [
        part
        for part in name.parts
        if len(part) >= SHORTEST_PART
        and part not in PARTICLES
        and not (name.is_organisation and (marks(part) & SAFE or part in ORGANISATIONS))
    ]


def numbers(identity: Identity) -> list[str]:
    """The digits of the numbers of an identity and their tails, the longest first."""
    found: set[str] = set()
    for written in identity.numbers:
        digits = "".join(filter(str.isdigit, tidy(written)))
        if len(digits) >= SHORTEST_NUMBER:
            found.add(digits)
        found |= {digits[-length:] for length in range(TAIL, len(digits))}
    return sorted(found, key=lambda digits: (-len(digits), digits))


def handles(identity: Identity) -> list[str]:
    """What stands before the @ of addresses, if it is no word: "anasilva82", not "contato"."""
    before = (fold(tidy(address)).partition("@")[0] for address in identity.addresses)
    return sorted({each for each in before if len(each) >= SHORTEST_NUMBER and not marks(each) & KNOWN})


class Known:
    """Takes out of texts what one identity is known by."""

    def __init__(self, identity: Identity) -> None:
        known = names(identity)
        self._wholes = sorted({name.letters for name in known if _is_telling(name)}, key=len, reverse=True)
        parts = {part for name in known for part in parts_of(name)}
        #: For each name the letters that a text must have one after the other if it has the name, however written.
        self._names = [
            *((name.letters, _pattern(_together(name.parts))) for name in known if len(name.parts) > 1),
            *((part[:-1], _pattern(_apart(part))) for part in sorted(parts, key=lambda part: (-len(part), part))),
        ]
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
        for needed, pattern in self._names:
            if needed in letters:
                text = _replace(pattern, "name", text, hits)
        return text

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
