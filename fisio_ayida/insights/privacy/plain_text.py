"""A note as FisioFlow keeps it, with HTML and whatever was pasted into it, to plain characters.

Here: markup away, one way to write each letter and digit, nothing invisible. Not here: what may stay
(``scrubber.py``).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer"}
    | {
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
    }
    | {"table", "td", "th", "tr", "ul"}
)
_SILENT: Final = frozenset(
    {"script", "style", "template", "head", "title", "noscript", "iframe", "object", "svg", "math"}
)
# html.parser takes a minute for a note of tags that never end; here no character is read more than twice.
_MARKUP: Final = re.compile(
    r"<!--.*?(?:-->|\Z)|<[!?][^<>]*>"
    r"|<(?P<closes>/?)(?P<tag>[a-z][\w:\-]*)(?>[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+>"
    r"|<[a-z/][^<>]*>|<[a-z/!?][^<>]*\Z",
    re.DOTALL | re.IGNORECASE,
)
_BLANKS: Final = re.compile(r"[ \t\f\v]+")
_LINES: Final = re.compile(r" ?\n[ \n]*")


def plain(note: str) -> str:
    """The text of a note: a line for each block, no markup, comment, script or attribute, nothing invisible.

    Never raises.
    """
    if "<" in note:
        note = "".join(_pieces(note))
    return tidy(html.unescape(note) if "&" in note else note)


def tidy(text: str) -> str:
    """The same text with plain letters, digits and blanks, also for styled and wide ones; nothing invisible."""
    if not text.isascii():
        # NFKC makes letters of the ordinal signs, which stand for degrees in notes.
        text = text.replace("º", "°").replace("ª", "°").replace("\N{FRACTION SLASH}", "/")
        text = unicodedata.normalize("NFKC", text).replace("\N{FRACTION SLASH}", "/")
    text = text.translate(_CHARACTERS)
    return _LINES.sub("\n", _BLANKS.sub(" ", text)).strip()


def fold(text: str) -> str:
    """Lower case without accents, character for character: what stands at a place stands there afterwards."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


def words(block: str) -> frozenset[str]:
    """The folded words of a block, for lists."""
    return frozenset(fold(block).split())


def _pieces(note: str) -> Iterator[str]:
    """What stands between the marks, and a line's end for each block."""
    silent: str | None = None
    done = 0
    for match in _MARKUP.finditer(note):
        if silent is None:
            yield note[done : match.start()]
        done = match.end()
        tag = (match["tag"] or "").lower()
        if match["closes"] and tag == silent:
            silent = None
        elif silent is None and tag in _SILENT and not match["closes"] and not match[0].endswith("/>"):
            silent = tag
        if tag in _BLOCKS:
            yield "\n"
    if silent is None:
        yield note[done:]


class _Characters(dict[int, str]):
    """What becomes of a character; remembered."""

    def __missing__(self, code: int) -> str:
        new = self[code] = _character(chr(code))
        return new


class _Folded(dict[int, str]):
    """A character's lower-case base letter; remembered."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        base = unicodedata.normalize("NFD", character)[0].lower()
        new = self[code] = base if len(base) == 1 else character
        return new


def _character(character: str) -> str:
    category = unicodedata.category(character)
    if character in "\n\r\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}":
        return "\n"
    if character.isspace():
        return " "
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category[0] in "LP" or category in ("Sm", "Sc") or character == "°":
        return character
    # What joins letters without being seen goes without a trace, so that the letters are read as one word.
    return "" if category[0] == "M" or category in ("Cc", "Cf", "Cn", "Co", "Cs") else " "


_CHARACTERS: Final = _Characters()
_FOLDED: Final = _Folded(
    {ord("ø"): "o", ord("Ø"): "o", ord("ł"): "l", ord("Ł"): "l", ord("đ"): "d", ord("Đ"): "d"}
)
