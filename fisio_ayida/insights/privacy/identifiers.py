"""What the clinic knows a patient by: the names, numbers and addresses of an identity, in all their parts.

Here: which parts of a name tell who somebody is, and what else they are called. Not here: finding them in a text
(``known.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy.everyday_words import JOINTS, ORGANISATIONS, PARTICLES
from fisio_ayida.insights.privacy.names import CLINICAL_NAMES
from fisio_ayida.insights.privacy.nicknames import SHORT_NAMES
from fisio_ayida.insights.privacy.plain_text import fold, tidy
from fisio_ayida.insights.privacy.vocabulary import KNOWN, SAFE, UNCERTAIN, marks

#: Shorter parts of a name are removed only with the whole of it (CONTRACT §9.4).
SHORTEST_PART: Final = 3
#: Of a number that is known, its last digits are as good as all: without country and area code, for instance.
TAIL: Final = 8
#: Shorter numbers are too common to be anybody's.
SHORTEST_NUMBER: Final = 4

_LETTERS: Final = re.compile(r"[^\W\d_]+")


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


def short_names(name: Name) -> list[str]:
    """What somebody of that name may be called."""
    return [] if name.is_organisation else [short for part in name.parts for short in SHORT_NAMES.get(part, ())]


def beginnings(name: Name) -> list[tuple[str, ...]]:
    """Of an organisation's name, without the words that say what it is: as much of it as it may be called by.

    "Clínica Corpo em Movimento Vila Nova": the last four words, three, and "Corpo em Movimento".
    """
    if not name.is_organisation:
        return []
    parts = tuple(part for part in name.parts if part not in ORGANISATIONS)
    while parts and _is_joint(parts[0]):
        parts = parts[1:]
    return [
        parts[:length]
        for length in range(len(parts), 1, -1)
        if not _is_joint(parts[length - 1]) and sum(not _is_joint(part) for part in parts[:length]) > 1
    ]


def _is_joint(part: str) -> bool:
    return part in JOINTS or part in PARTICLES or len(part) < SHORTEST_PART


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
