"""The second look at what leaves and what comes back: could it tell who somebody is?

Here: a detector that knows nothing of how the scrubber works: no pattern of it, only the lists of words. It goes
over tokens of the folded text. Not here: taking anything out (``scrubber.py``), or what follows from a finding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy.clinical_words import CUES, EPONYMS
from fisio_ayida.insights.privacy.detector_shapes import kinds
from fisio_ayida.insights.privacy.detector_tokens import Token, tokens_of
from fisio_ayida.insights.privacy.everyday_words import ORGANISATIONS, PARTICLES
from fisio_ayida.insights.privacy.names import AMBIGUOUS, CLINICAL_NAMES, NAMES, PHRASES
from fisio_ayida.insights.privacy.nicknames import SHORT_NAMES
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDERS
from fisio_ayida.insights.privacy.plain_text import words
from fisio_ayida.insights.privacy.vocabulary import KNOWN, NAME, PEOPLE_DO, PEOPLE_DO_TOO, SAFE, UNCERTAIN, marks

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
_RESULTS: Final = words("positivo positivos positiva positivas negativo negativos negativa negativas")
_OWN: Final = words("de alcançado")
_EXERCISES: Final = words("ponte pontes barra barras passos")
#: Behind these stands a person.
_WITH: Final = words("do da com para por ao em no na pelo pela")
_PHRASES: Final = {
    first: tuple(phrase for phrase in PHRASES if phrase[0] == first) for first in {phrase[0] for phrase in PHRASES}
}
_PAGES: Final = (".com", ".net", ".org", ".br/", ".gov", "www.", "http", "://")


def leaks(text: str, identity: Identity) -> list[str]:
    """The kinds of what could identify somebody, sorted, each once; empty: there is none. Never what was found.

    ``name``: of the identity, or a word with a capital that nobody knows. ``number``: of the identity.
    ``listed_name``: of the list of names and places, with a capital. ``digits``: eight or more in a row.
    ``address``, ``age`` (above 89), ``date``, ``document``, ``email``, ``link``: of anybody.
    """
    text = unicodedata.normalize("NFKC", _UNESCAPED.sub(_unescape, text) if "\\" in text else text)
    for placeholder in PLACEHOLDERS.values():
        text = text.replace(placeholder, " | ")
    text = text.replace("°", " graus ")
    tokens = tokens_of(text)
    found: set[str] = set()
    if _has_name(tokens, identity) or any(_is_unknown(tokens, at) for at in range(len(tokens))):
        found.add("name")
    if _has_listed_name(tokens):
        found.add("listed_name")
    runs = list(_runs_of_digits(tokens))
    if any(len(run) >= DIGITS for run in runs):
        found.add("digits")
    if _has_number(tokens, runs, identity):
        found.add("number")
    found |= kinds(tokens)
    lower = text.lower()
    if "@" in lower or any(token.folded == "arroba" for token in tokens) or _has_handle(lower, identity):
        found.add("email")
    if any(page in lower for page in _PAGES):
        found.add("link")
    return sorted(found)


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else "\n"


def _has_name(tokens: Sequence[Token], identity: Identity) -> bool:
    parts: set[str] = set()
    shorts: set[str] = set()
    wholes: set[str] = set()
    for written in identity.names:
        named = [
            token.folded for token in tokens_of(unicodedata.normalize("NFKC", written)) if not token.is_number
        ]
        is_organisation = _is_of_an_organisation(named)
        telling = [
            word
            for word in named
            if len(word) >= SHORTEST_PART
            and word not in PARTICLES
            and not (is_organisation and (marks(word) & SAFE or word in ORGANISATIONS))
        ]
        parts.update(telling)
        if is_organisation:
            own = [word for word in named if word not in ORGANISATIONS]
            if len(own) > 1 and _has_pair(tokens, own[:2]):
                return True
        else:
            shorts.update(short for word in named for short in SHORT_NAMES.get(word, ()))
        if telling and len(named) > 1 and sum(map(len, named)) >= SHORTEST_WHOLE:
            wholes.add("".join(named))
    if any(_is_told(token, parts) or (token.has_capital and _is_told(token, shorts)) for token in tokens):
        return True
    if any(
        before.folded in parts and after.folded in parts and not after.before.strip(" -_'")
        for before, after in pairwise(tokens)
    ):
        return True
    letters = "".join("|" if "|" in token.before else "" if token.is_number else token.folded for token in tokens)
    return any(whole in letters for whole in wholes) or not parts.isdisjoint(_spaced(tokens))


def _is_of_an_organisation(named: Sequence[str]) -> bool:
    return not ORGANISATIONS.isdisjoint(named) or (
        len(named) > 1
        and CLINICAL_NAMES.isdisjoint(named)
        and all(marks(word) & SAFE and not marks(word) & UNCERTAIN for word in named)
    )


def _has_pair(tokens: Sequence[Token], pair: Sequence[str]) -> bool:
    """Whether two words that begin a clinic's own name stand together, both with a capital: "na Vida Ativa"."""
    return any(
        [before.folded, after.folded] == pair
        and before.has_capital
        and after.has_capital
        and after.before == " "
        and len(before.text) >= SHORTEST_PART
        and not before.text.isupper()
        for before, after in pairwise(tokens)
    )


def _is_told(token: Token, parts: set[str]) -> bool:
    """Whether a word is a part of a name: in any case if it is nothing else, otherwise with a capital."""
    if token.folded not in parts:
        return False
    found = marks(token.folded)
    if found & NAME or not found & KNOWN:
        return True
    return token.has_capital and not (found & SAFE and (token.begins or token.text.isupper()))


def _is_unknown(tokens: Sequence[Token], at: int) -> bool:
    """Whether a word is written like a name and nobody knows it as anything else."""
    token = tokens[at]
    if not token.has_capital or len(token.text) < (SHORTEST_PART if token.text.isupper() else 2):
        return False
    if marks(token.folded) & KNOWN or marks(token.text) & KNOWN:
        return False
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    # A sentence may begin with any word; "Wesley refere" is a person.
    if token.begins and not token.text.isupper():
        return (
            after is not None and after.before == " " and bool(marks(after.folded) & (PEOPLE_DO | PEOPLE_DO_TOO))
        )
    # SpO2, VEF1.
    if after is not None and after.is_number and after.before == "" and len(token.text) <= SHORTEST_PART:
        return False
    return not _is_of_a_test(tokens, at)


def _is_of_a_test(tokens: Sequence[Token], at: int) -> bool:
    """Whether a word is who gave a test, a scale or a disease its name, and is told as that."""
    if tokens[at].folded not in EPONYMS:
        return False
    rest = tokens[at + 1 : at + 4]
    if any(each.folded in _RESULTS for each in rest) or (rest and (rest[0].is_number or "+" in rest[0].before)):
        return True
    before = [token.folded for token in tokens[max(0, at - 5) : at]]
    return not _WITH.intersection(before[-1:]) and not CUES.isdisjoint(before)


def _has_listed_name(tokens: Sequence[Token]) -> bool:
    for at, token in enumerate(tokens):
        is_shouted = token.text.isupper()
        if not token.has_capital or len(token.text) < (SHORTEST_PART if is_shouted else 2):
            continue
        if _is_of_a_test(tokens, at):
            continue
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        # Our own words about facts: "Marco de visitas", "Marco alcançado".
        if token.folded == "marco" and token.begins and after is not None and after.folded in _OWN:
            continue
        found = marks(token.folded)
        if (found & NAME and token.folded in NAMES) or _begins_phrase(tokens, at):
            return True
        if token.folded not in AMBIGUOUS:
            continue
        if is_shouted:
            is_name = not found & SAFE
        elif token.begins:
            # "Clara relatou", not "Clara melhora".
            is_name = after is not None and after.before == " " and bool(marks(after.folded) & PEOPLE_DO)
        else:
            is_name = token.folded not in _EXERCISES
        if is_name:
            return True
    return False


def _begins_phrase(tokens: Sequence[Token], at: int) -> bool:
    """Whether a place of several words begins here, each with a capital that may have one."""
    for phrase in _PHRASES.get(tokens[at].folded, ()):
        piece = tokens[at : at + len(phrase)]
        if (
            tuple(token.folded for token in piece) == phrase
            and all(token.before in (" ", "-") for token in piece[1:])
            and piece[-1].has_capital
        ):
            return True
    return False


def _spaced(tokens: Sequence[Token]) -> Iterator[str]:
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


def _runs_of_digits(tokens: Sequence[Token]) -> Iterator[str]:
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


def _has_number(tokens: Sequence[Token], runs: Sequence[str], identity: Identity) -> bool:
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


def _has_handle(text: str, identity: Identity) -> bool:
    handles = (address.lower().partition("@")[0] for address in identity.addresses)
    return any(
        len(handle) >= SHORTEST_NUMBER and not marks(handle) & KNOWN and handle in text for handle in handles
    )
