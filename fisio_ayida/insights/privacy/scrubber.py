"""Takes out of a note whatever could tell who somebody is, and what nobody knows: deny by default (CONTRACT §9.4).

Here: the order of the three steps and the note's length. Not here: the steps (``known.py``, ``patterns.py``,
``walk.py``), and the second look at what leaves (``detector.py``).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy.known import Known
from fisio_ayida.insights.privacy.patterns import without_shapes
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDER
from fisio_ayida.insights.privacy.plain_text import plain
from fisio_ayida.insights.privacy.walk import without_names_and_unknown_words

#: Characters of a note after scrubbing.
LONGEST: Final = 1_500
#: A note is cut to so many times its longest length before it is read, so that no note costs much time.
_READ: Final = 4
#: What would be markup if the text were read again.
_MARKUP: Final = re.compile(r"<(?=[A-Za-z/!?])|&")
_SET: Final = r"(?:[5-9]|[12]\d|30)"
#: Repetitions of one set after the other, "10 12 10 12" or "15-12-12-10": with commas they are no telephone.
_SETS: Final = re.compile(
    rf"(?<![\w./,\-])(?<!\d ){_SET}(?:(?:-{_SET}){{3,7}}|(?: {_SET}){{3,7}})(?![\w/\-]|[., ]\d)"
)
_REPEATED: Final = re.compile(rf"({PLACEHOLDER.pattern})(?:[ ,\-]{{0,3}}\1)+")


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text that may leave, and what was taken out of it, by kind."""

    text: str
    hits: Counter[str] = field(default_factory=Counter)


class Scrubber:
    """Scrubs texts about one patient.

    Args:
        identity: what the clinic knows the patient by; made ready once, so keep it for all texts of a patient.
        longest: characters that a text has at most afterwards.
    """

    def __init__(self, identity: Identity, *, longest: int = LONGEST) -> None:
        self._known = Known(identity)
        self._longest = longest

    def scrub(self, text: str) -> Scrubbed:
        """The text, plain or with HTML, without what could identify anybody.

        Scrubbed again, it stays as it is. Never raises.
        """
        hits: Counter[str] = Counter()
        text = _MARKUP.sub("+", _cut(plain(text), self._longest * _READ))
        text = _SETS.sub(lambda match: re.sub("[ -]", ", ", match[0]), text)
        before = None
        # What goes may tell what stands beside it: until nothing changes. Each turn takes something out.
        while text != before:
            before = text
            text = self._known.without_numbers(text, hits)
            text = without_shapes(text, hits)
            text = self._known.without_names(text, hits)
            text = _REPEATED.sub(r"\1", without_names_and_unknown_words(text, hits))
        return Scrubbed(_cut(text, self._longest), hits)


def _cut(text: str, longest: int) -> str:
    """The text, or as many whole words of it as there is room for, and three dots."""
    if len(text) <= longest:
        return text
    whole, _, _ = text[: longest - 2].rpartition(" ")
    return f"{whole.rstrip()}..." if whole else "..."
