"""The second look at what leaves and what comes back: could it tell who somebody is?

Here: a detector that knows nothing of how the scrubber works: no pattern of it, only the lists of words. It goes
over tokens of the folded text. Not here: taking anything out (``scrubber.py``), or what follows from a finding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy.clinical_words import CUES, EPONYMS
from fisio_ayida.insights.privacy.everyday_words import ORGANISATIONS, PARTICLES
from fisio_ayida.insights.privacy.names import AMBIGUOUS, CLINICAL_NAMES, NAMES
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDERS
from fisio_ayida.insights.privacy.plain_text import words
from fisio_ayida.insights.privacy.vocabulary import KNOWN, NAME, SAFE, UNCERTAIN, marks

#: So many digits in a row, whatever stands between them, are a telephone or a document.
DIGITS: Final = 8
#: Parts of names that are shorter are too common (CONTRACT §9.4).
SHORTEST_PART: Final = 3
#: Letters of a whole name that may be found across the borders of words.
SHORTEST_WHOLE: Final = 8
#: Shorter numbers may be anything.
SHORTEST_NUMBER: Final = 5
#: Words from one digit of a number that is read out to the next.
NEAR: Final = 3

_SPELLED: Final = {
    **{"zero": "0", "um": "1", "uma": "1", "dois": "2", "duas": "2", "tres": "3", "quatro": "4", "cinco": "5"},
    **{"seis": "6", "meia": "6", "sete": "7", "oito": "8", "nove": "9"},
}
#: What JSON writes for a character.
_UNESCAPED: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[ntrbf])")
_PAGES: Final = (".com", ".net", ".org", ".br/", ".gov", "www.", "http", "://")
_MONTHS: Final = words("janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro")
_ENDS: Final = frozenset(".!?:;\n\"'([{•>|-–—")


def leaks(text: str, identity: Identity) -> list[str]:
    """The kinds of what could identify somebody, sorted, each once; empty: there is none. Never what was found.

    ``name`` and ``number``: of the identity. ``listed_name``: of the list of names, with a capital. ``digits``:
    eight or more in a row. ``date``, ``email``, ``link``: of anybody.
    """
    text = unicodedata.normalize("NFKC", _UNESCAPED.sub(_unescape, text) if "\\" in text else text)
    for placeholder in PLACEHOLDERS.values():
        text = text.replace(placeholder, " | ")
    tokens = _tokens(text)
    found: set[str] = set()
    if _has_name(tokens, identity):
        found.add("name")
    if _has_listed_name(tokens):
        found.add("listed_name")
    runs = list(_runs_of_digits(tokens))
    if any(len(run) >= DIGITS for run in runs):
        found.add("digits")
    if _has_number(tokens, runs, identity):
        found.add("number")
    if _has_date(tokens):
        found.add("date")
    lower = text.lower()
    if "@" in lower or any(token.folded == "arroba" for token in tokens) or _has_handle(lower, identity):
        found.add("email")
    if any(page in lower for page in _PAGES):
        found.add("link")
    return sorted(found)


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else "\n"


@dataclass(frozen=True, slots=True)
class _Token:
    """A run of letters or of digits, and the signs before it."""

    text: str
    folded: str
    before: str

    @property
    def is_number(self) -> bool:
        return self.folded.isdigit()

    @property
    def has_capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def begins(self) -> bool:
        """Whether a sentence, a line or a quoted word begins with it."""
        return not _ENDS.isdisjoint(self.before)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    # As if a sentence had just ended.
    before, is_digits = ["."], False
    run: list[str] = []
    for character in text + " ":
        category = unicodedata.category(character)
        if category in ("Mn", "Cf", "Cc") and character not in "\n\t\r":
            continue
        is_digit = category == "Nd"
        if run and (is_digit != is_digits or not (is_digit or category[0] == "L")):
            found.append(_token(run, before))
            before, run = [], []
        if is_digit or category[0] == "L":
            run.append(str(unicodedata.digit(character)) if is_digit else character)
            is_digits = is_digit
        else:
            before.append(character)
    return found


def _token(run: Sequence[str], before: Sequence[str]) -> _Token:
    text = "".join(run)
    parts = unicodedata.normalize("NFD", text.lower())
    return _Token(text, "".join(part for part in parts if not unicodedata.combining(part)), "".join(before))


def _has_name(tokens: Sequence[_Token], identity: Identity) -> bool:
    parts: set[str] = set()
    wholes: set[str] = set()
    for written in identity.names:
        words = [token.folded for token in _tokens(unicodedata.normalize("NFKC", written)) if not token.is_number]
        is_organisation = not ORGANISATIONS.isdisjoint(words) or (
            len(words) > 1
            and CLINICAL_NAMES.isdisjoint(words)
            and all(marks(word) & SAFE and not marks(word) & UNCERTAIN for word in words)
        )
        telling = [
            word
            for word in words
            if len(word) >= SHORTEST_PART
            and word not in PARTICLES
            and not (is_organisation and (marks(word) & SAFE or word in ORGANISATIONS))
        ]
        parts.update(telling)
        if telling and len(words) > 1 and sum(map(len, words)) >= SHORTEST_WHOLE:
            wholes.add("".join(words))
    if any(_is_told(token, parts) for token in tokens):
        return True
    if any(before.folded in parts and after.folded in parts for before, after in pairwise(tokens)):
        return True
    letters = "".join("|" if "|" in token.before else "" if token.is_number else token.folded for token in tokens)
    return any(whole in letters for whole in wholes) or not parts.isdisjoint(_spaced(tokens))


def _is_told(token: _Token, parts: set[str]) -> bool:
    """Whether a word is a part of a name: in any case if it is nothing else, otherwise with a capital."""
    if token.folded not in parts:
        return False
    found = marks(token.folded)
    if found & NAME or not found & KNOWN:
        return True
    return token.has_capital and not (found & SAFE and (token.begins or token.text.isupper()))


def _has_listed_name(tokens: Sequence[_Token]) -> bool:
    for at, token in enumerate(tokens):
        # Names in capitals alone are abbreviations as often.
        if not token.has_capital or len(token.text) < SHORTEST_PART or token.text.isupper():
            continue
        if token.folded in EPONYMS and any(cue.folded in CUES for cue in tokens[max(0, at - 5) : at]):
            continue
        if marks(token.folded) & NAME and token.folded in NAMES:
            return True
        if token.folded in AMBIGUOUS and not token.begins and not marks(token.folded) & SAFE:
            return True
    return False


def _spaced(tokens: Sequence[_Token]) -> Iterator[str]:
    """Words whose letters stand apart."""
    run: list[str] = []
    for token in tokens:
        if len(token.folded) == 1 and not token.is_number:
            run.append(token.folded)
            continue
        if len(run) >= SHORTEST_PART:
            yield "".join(run)
        run = []
    if len(run) >= SHORTEST_PART:
        yield "".join(run)


def _runs_of_digits(tokens: Sequence[_Token]) -> Iterator[str]:
    """Digits between which there are only blanks, dots, hyphens or brackets; spelled ones too."""
    run = ""
    for token in tokens:
        digits = token.folded if token.is_number else _SPELLED.get(token.folded, "")
        if run and (not digits or token.before.strip(" .-()+")):
            yield run
            run = ""
        run += digits
    if run:
        yield run


def _has_number(tokens: Sequence[_Token], runs: Sequence[str], identity: Identity) -> bool:
    row: list[tuple[str, int]] = []
    for at, token in enumerate(tokens):
        row += [(digit, at) for digit in (token.folded if token.is_number else _SPELLED.get(token.folded, ""))]
    digits = "".join(digit for digit, _ in row)
    for written in identity.numbers:
        number = "".join(str(unicodedata.digit(each)) for each in written if each.isdecimal())
        if len(number) < DIGITS:
            if len(number) >= SHORTEST_NUMBER and number in runs:
                return True
            continue
        tail = number[-DIGITS:]
        place = digits.find(tail)
        while place >= 0:
            places = [at for _, at in row[place : place + DIGITS]]
            if all(after - before <= NEAR for before, after in pairwise(places)):
                return True
            place = digits.find(tail, place + 1)
    return False


def _has_date(tokens: Sequence[_Token]) -> bool:
    for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if first.is_number and second.folded == "de" and third.folded in _MONTHS:
            return True
        if not (first.is_number and second.is_number and third.is_number and second.before == third.before):
            continue
        day, month, year = first.folded, second.folded, third.folded
        if len(day) == 4:
            day, year = year, day
        # 12-10-08 are repetitions as well; with strokes it is a date.
        is_year = len(year) == 4 or (len(year) == 2 and second.before == "/")
        if second.before in ("/", "-", ".") and is_year and 1 <= int(day) <= 31 and 1 <= int(month) <= 12:
            return True
    return False


def _has_handle(text: str, identity: Identity) -> bool:
    handles = (address.lower().partition("@")[0] for address in identity.addresses)
    return any(
        len(handle) >= SHORTEST_NUMBER and not marks(handle) & KNOWN and handle in text for handle in handles
    )
