"""Text of office files and of HTML: one listener for everything that is tags with text between them.

Content controls, tracked insertions, text boxes, headers and notes are read, which libraries that model
paragraphs leave out. A file with entities of its own is refused, and nothing is fetched.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, BinaryIO

from lxml import etree

from fisio_ayida.bdns.documents import kinds
from fisio_ayida.bdns.documents.reading.budget import Budget, Unreadable

EXTRACTOR = f"lxml {etree.__version__}"
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Format:
    """Which members hold text, in order; inside which tags it stands, where lines end, what is left out."""

    members: tuple[str, ...]
    inside: frozenset[str]
    breaks: frozenset[str]
    blanks: frozenset[str] = frozenset({"tab", "s"})
    skipped: frozenset[str] = frozenset()


_OOXML = _Format(
    (), frozenset({"t"}), frozenset({"p", "br", "cr", "si", "is"}),
    # A picture's second description, the reading aid of a Japanese cell.
    skipped=frozenset({"Fallback", "rPh"}),
)  # fmt: skip
_ODF = _Format(
    (r"content\.xml",), frozenset({"p", "h"}), frozenset({"p", "h", "line-break"}),
    skipped=frozenset({"tracked-changes"}),  # what was deleted
)  # fmt: skip
_PARTS: Mapping[kinds.Kind, tuple[str, ...]] = {
    kinds.DOCX: (
        r"word/document\d*\.xml", r"word/(?:foot|end)notes\.xml", r"word/header\d*\.xml", r"word/footer\d*\.xml",
        r"word/comments\.xml",
    ),
    kinds.XLSX: (r"xl/sharedStrings\.xml", r"xl/worksheets/sheet\d+\.xml"),
    kinds.PPTX: (r"ppt/slides/slide\d+\.xml", r"ppt/notesSlides/notesSlide\d+\.xml"),
}  # fmt: skip
_HTML = _Format(
    (), frozenset({"html"}),
    frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "title", "table", "section"}),
    blanks=frozenset({"td", "th"}), skipped=frozenset({"script", "style", "noscript", "template"}),
)  # fmt: skip
OFFICE = frozenset({kinds.DOCX, kinds.XLSX, kinds.PPTX, kinds.ODT, kinds.ODS, kinds.ODP})


def read_office(file: BinaryIO, kind: kinds.Kind, budget: Budget) -> None:
    """Add the text of an office file; raises :class:`Unreadable` for a broken one, or the budget's end."""
    budget.used(EXTRACTOR)
    form = _OOXML if kind in _PARTS else _ODF
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            found = [n for p in _PARTS.get(kind, form.members) for n in _natural(names) if re.fullmatch(p, n)]
            if not found:
                raise Unreadable("none of the parts that hold its text is there")
            for name in found:
                with archive.open(name) as member:
                    parser = etree.XMLParser(
                        target=_Listener(form, budget), resolve_entities=False, no_network=True, load_dtd=False,
                        recover=True,
                    )  # fmt: skip
                    _feed(member, parser, budget, strict=True)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def read_html(file: BinaryIO, budget: Budget) -> None:
    """Add the text of an HTML page, without scripts and styles."""
    budget.used(EXTRACTOR)
    file.seek(0)
    head = file.read(kinds.HEAD_BYTES)
    file.seek(0)
    encoding = "utf-8" if _is_utf8(head) else "windows-1252"
    parser = etree.HTMLParser(target=_Listener(_HTML, budget), encoding=encoding, huge_tree=True)
    _feed(file, parser, budget, strict=False)


def _feed(source: IO[bytes], parser: etree.XMLParser | etree.HTMLParser, budget: Budget, *, strict: bool) -> None:
    try:
        while chunk := source.read(_CHUNK):
            budget.unpacked(len(chunk))
            if strict and b"<!DOCTYPE" in chunk:
                raise Unreadable("it declares entities, which no office file does")
            parser.feed(chunk)
        parser.close()
    except etree.LxmlError as error:
        raise Unreadable(f"{type(error).__name__}: {str(error)[:200]}") from None


class _Listener:
    """What lxml tells while it parses, piece by piece: no tree is ever built."""

    def __init__(self, form: _Format, budget: Budget) -> None:
        self._form = form
        self._budget = budget
        self._inside = self._skipped = 0

    def start(self, tag: str, _: object) -> None:
        name = tag.rpartition("}")[2]
        self._inside += name in self._form.inside
        self._skipped += name in self._form.skipped
        if name in self._form.blanks:
            self._budget.add(" ")

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        self._inside -= name in self._form.inside
        self._skipped -= name in self._form.skipped
        if name in self._form.breaks:
            self._budget.add("\n")

    def data(self, text: str) -> None:
        if self._inside and not self._skipped:
            self._budget.add(text)

    def close(self) -> None: ...


def _natural(names: list[str]) -> list[str]:
    """slide2 before slide10."""
    return sorted(names, key=lambda name: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)])


def _is_utf8(head: bytes) -> bool:
    try:
        head[: head.rfind(b"<") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
