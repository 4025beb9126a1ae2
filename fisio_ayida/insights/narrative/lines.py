"""Texts on one line, with nothing in them that is not seen."""

from __future__ import annotations

import unicodedata
from typing import Final

# Controls, invisible format characters (some turn the direction of reading), halves of pairs, private ones.
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co")


def one_line(text: str) -> str:
    """Composed, any white space as one space, without controls and invisible characters."""
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(each for each in spaced if unicodedata.category(each) not in _UNSEEN).strip()


def bare(text: str) -> str:
    """In lower case, without accents, in the characters' plain forms: how words are compared."""
    decomposed = unicodedata.normalize("NFKD", text).lower()
    return "".join(each for each in decomposed if not unicodedata.combining(each))
