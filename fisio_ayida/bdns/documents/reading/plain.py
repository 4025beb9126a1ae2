"""Plain text and CSV, in UTF-8, UTF-16 with its mark, or the code page of Spanish Windows."""

from __future__ import annotations

from typing import BinaryIO

from fisio_ayida.bdns.documents.reading.budget import Budget

EXTRACTOR = "text"


def read_plain(file: BinaryIO, budget: Budget) -> None:
    """Add the text of the file, as much of it as is wanted."""
    budget.used(EXTRACTOR)
    file.seek(0)
    # Four bytes are the longest character, and one more tells that there is more.
    budget.add(decoded(file.read(4 * budget.limits.chars + 1)))


def decoded(body: bytes) -> str:
    """The text that these bytes most likely are."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    for cut in range(4):  # the end may be in the middle of a character
        try:
            return body[: len(body) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
    return body.decode("cp1252", "replace")
