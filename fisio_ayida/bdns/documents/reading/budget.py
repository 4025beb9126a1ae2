"""What one file may still cost while it is read, and the text that has come so far."""

from __future__ import annotations

import re
import time

from fisio_ayida.bdns.documents.reading.protocol import Limits

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BLANKS = re.compile(r"[ \t\f\r\xa0]+")
_EMPTY_LINES = re.compile(r" ?\n(?: ?\n)+")


class Exhausted(Exception):
    """A limit is reached: what was read so far is what there is. The message says which."""


class Unreadable(Exception):
    """The file is of a kind or in a state that cannot be read; the message says why."""


class Budget:
    """Text, notes and limits of one file with all that is inside it; clocked from its making."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.notes: list[str] = []
        self.extractors: list[str] = []
        self.pages: int | None = None
        self.truncated = False
        self._parts: list[str] = []
        self._heading = ""
        self._chars = 0
        self._unpacked = 0
        self._ends = time.monotonic() + limits.seconds

    def heading(self, name: str) -> None:
        """Whose text comes next; without any it stays away."""
        self._heading = f"\n\n{name}\n\n"

    def add(self, text: str) -> None:
        """Raises :class:`Exhausted` when there is more text than wanted, or no time left."""
        if self._heading and text.strip():
            text, self._heading = self._heading + text, ""
        self._parts.append(text)
        self._chars += len(text)
        if self._chars > self.limits.chars:
            raise Exhausted(f"more than {self.limits.chars} characters")
        self.check_time()

    def unpacked(self, size: int) -> None:
        """Count bytes that came out of an archive; raises :class:`Exhausted`."""
        self._unpacked += size
        if self._unpacked > self.limits.unpacked_bytes:
            raise Exhausted(f"more than {self.limits.unpacked_bytes} bytes when unpacked")
        self.check_time()

    def check_time(self) -> None:
        """Raises :class:`Exhausted` when the time is over."""
        if time.monotonic() > self._ends:
            raise Exhausted(f"longer than {self.limits.seconds:g} s")

    def note(self, words: str) -> None:
        """Something that is missing in the text; the first few are told."""
        self.notes.append(words)

    def used(self, extractor: str) -> None:
        if extractor not in self.extractors:
            self.extractors.append(extractor)

    def text(self) -> str:
        """All text: no characters that a database refuses, single blanks, at most one empty line in a row."""
        whole = "".join(self._parts)[: self.limits.chars]
        whole = _BLANKS.sub(" ", _NOT_TEXT.sub("", whole.replace("\r\n", "\n")))
        return _EMPTY_LINES.sub("\n\n", whole).strip()
