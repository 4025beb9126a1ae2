"""A text as the second detector reads it: runs of letters and of digits, and the signs between them.

Here: cutting a text up, whatever is hidden in it. Not here: what is found (``detector.py``,
``detector_shapes.py``). The scrubber does not use this.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_ENDS: Final = frozenset(".!?:;\n\"'([{•>|-–—")


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters or of digits, and the signs before it."""

    text: str
    folded: str
    before: str

    @property
    def is_number(self) -> bool:
        """Whether it is of digits."""
        return self.folded.isdigit()

    @property
    def has_capital(self) -> bool:
        """Whether it begins with one."""
        return self.text[0].isupper()

    @property
    def begins(self) -> bool:
        """Whether a sentence, a line or a quoted word begins with it."""
        return not _ENDS.isdisjoint(self.before)


def tokens_of(text: str) -> list[Token]:
    """The words and numbers of a text."""
    found: list[Token] = []
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


def _token(run: Sequence[str], before: Sequence[str]) -> Token:
    text = "".join(run)
    parts = unicodedata.normalize("NFD", text.lower())
    return Token(text, "".join(part for part in parts if not unicodedata.combining(part)), "".join(before))
