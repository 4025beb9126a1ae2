"""A text as a row of words, each with what stands before it and what a single look at it tells.

Here: cutting, sentences, and lines in capitals. Not here: what becomes of a word (``walk.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fisio_ayida.insights.privacy.placeholders import PLACEHOLDER, PLACEHOLDERS
from fisio_ayida.insights.privacy.plain_text import fold
from fisio_ayida.insights.privacy.vocabulary import marks

#: A line with more of its words in capitals than this says nothing by its capitals.
SHOUTED: Final = 0.6

_TOKEN: Final = re.compile(rf"{PLACEHOLDER.pattern}|[^\W_]+")
_BEGINS_SENTENCE: Final = re.compile(r"[.!?:;\n•(\[\"“”«→>=]| [\-–—+] ")
_CAPITALS: Final = re.compile(r"[^\W\d_a-zà-ÿ]{2}")


@dataclass(slots=True)
class Word:
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
        """Whether a capital letter says something."""
        return not self.shouted and self.text[0].isupper()

    @property
    def is_inside(self) -> bool:
        """Whether it has a capital letter that no sentence gave it."""
        return not self.begins_sentence and self.is_capital


def tokens(text: str) -> list[Word]:
    """The words, numbers and placeholders of a text."""
    found: list[Word] = []
    done = 0
    for match in _TOKEN.finditer(text):
        token, start, end = match[0], match.start(), match.end()
        is_gone = token[0] == "["
        is_letters = not is_gone and token.isalpha()
        gap = text[done:start]
        word = Word(token, start, end, gap, marks(token) if is_letters else 0, fold(token), is_letters, is_gone)
        word.begins_sentence = not found or (gap != " " and _BEGINS_SENTENCE.search(gap) is not None)
        word.is_named = token == PLACEHOLDERS["name"]
        found.append(word)
        done = end
    if _CAPITALS.search(text):
        _mark_shouted(found)
    return found


def _mark_shouted(words: list[Word]) -> None:
    line: list[Word] = []
    for word in [*words, None]:
        if word is None or "\n" in word.gap:
            long = [each for each in line if each.is_letters and len(each.text) > 1]
            if long and sum(each.text.isupper() for each in long) > SHOUTED * len(long):
                for each in line:
                    each.shouted = True
            line = []
        if word is not None:
            line.append(word)
