"""What a file really is, told by its content, and a file name that is safe to use.

Looks at the beginning and, for archives, at the directory at the end: bounded work on hostile input. Reading
what is inside is the business of ``reading``.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

HEAD_BYTES = 64 * 1024
_TAIL_BYTES = 65_536 + 22  # the longest comment of an archive and the record before it
_LARGEST_DIRECTORY = 4 * 1024 * 1024
_LONGEST_STEM_BYTES = 200  # file systems take 255
_LEAST_CONFIDENCE = 0.3  # puremagic's own scale; below are guesses from two bytes


@dataclass(frozen=True, slots=True)
class Kind:
    """A media type and the extensions of its files, the usual one first; none for what nobody knows."""

    content_type: str
    extensions: tuple[str, ...] = ()


_OFFICE = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
PDF = Kind("application/pdf", ("pdf",))
ZIP = Kind("application/zip", ("zip",))
DOCX = Kind(f"{_OFFICE}.wordprocessingml.document", ("docx", "docm", "dotx"))
XLSX = Kind(f"{_OFFICE}.spreadsheetml.sheet", ("xlsx", "xlsm", "xltx"))
PPTX = Kind(f"{_OFFICE}.presentationml.presentation", ("pptx", "ppsx"))
ODT = Kind(f"{_ODF}.text", ("odt", "ott"))
ODS = Kind(f"{_ODF}.spreadsheet", ("ods",))
ODP = Kind(f"{_ODF}.presentation", ("odp",))
HTML = Kind("text/html", ("html", "htm", "xhtml"))
XML = Kind("application/xml", ("xml", "xsig"))
RTF = Kind("application/rtf", ("rtf",))
CSV = Kind("text/csv", ("csv",))
TEXT = Kind("text/plain", ("txt", "csv", "log", "md"))
UNKNOWN = Kind("application/octet-stream")

# One container for all that Office wrote before 2007: only the name tells them apart.
_OLE_HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE = {
    "doc": Kind("application/msword", ("doc",)),
    "xls": Kind("application/vnd.ms-excel", ("xls",)),
    "ppt": Kind("application/vnd.ms-powerpoint", ("ppt",)),
}
_OLE_OTHER = Kind("application/x-ole-storage")
_OFFICE_PARTS = (("word/", DOCX), ("xl/", XLSX), ("ppt/", PPTX))
_ODF_TYPES = {kind.content_type: kind for kind in (ODT, ODS, ODP)} | {f"{ODT.content_type}-template": ODT}


def kind_of(file: BinaryIO, name: str | None) -> Kind:
    """The kind of a seekable file; ``name`` only helps where content cannot tell."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive_kind(file, head)
    if head.startswith(_OLE_HEAD):
        return _OLE.get(extension_of(name), _OLE_OTHER)
    if is_text(head):
        return _text_kind(head, name)
    return _listed_kind(head)


def is_page(head: bytes) -> bool:
    """Whether these are the first bytes of an HTML page."""
    start = head[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def is_text(head: bytes) -> bool:
    """Whether these bytes are text in UTF-8, UTF-16 with its mark, or a code page of one byte."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    control = sum(head.count(bytes([code])) for code in (*range(1, 9), *range(14, 27), *range(28, 32)))
    return bool(head) and b"\x00" not in head and control * 1000 <= len(head)


def extension_of(name: str | None) -> str:
    """The extension of a name, lower case; empty when it has none."""
    stem, dot, extension = (name or "").strip().rpartition(".")
    return extension.lower() if dot and stem and extension.isalnum() and len(extension) <= 5 else ""


def file_name(announced: str | None, id_: int, kind: Kind) -> str:
    """A name without folders, control characters or what file systems refuse, ending as its kind does."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", announced or ""))[-1]
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*')
    plain = " ".join(plain.split()).strip(". ") or f"documento {id_}"
    extension = extension_of(plain)
    stem = plain[: -len(extension) - 1] if extension else plain
    ends = [extension] if extension else []
    if kind.extensions and extension not in kind.extensions:
        ends.append(kind.extensions[0])
    cut = stem.encode()[:_LONGEST_STEM_BYTES].decode(errors="ignore")
    return ".".join((cut.rstrip(". "), *ends))


def _archive_kind(file: BinaryIO, head: bytes) -> Kind:
    """ODF says what it is in its first member; Office's formats are known by their folders."""
    if head[30:38] == b"mimetype":
        declared = head[38 : 38 + 80].decode("ascii", "replace")
        for content_type in sorted(_ODF_TYPES, key=len, reverse=True):
            if declared.startswith(content_type):
                return _ODF_TYPES[content_type]
    names = set(_member_names(file))
    if "[Content_Types].xml" in names:
        for folder, kind in _OFFICE_PARTS:
            if any(name.startswith(folder) for name in names):
                return kind
    return ZIP


def _member_names(file: BinaryIO) -> Iterator[str]:
    """Names in an archive's directory; none if it is broken or too large to be that of an office file."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        return
    (length,) = struct.unpack_from("<I", tail, end + 12)
    start = size - len(tail) + end - length
    if start < 0 or length > _LARGEST_DIRECTORY:
        return
    file.seek(start)
    directory = file.read(length)
    at = 0
    while directory[at : at + 4] == b"PK\x01\x02" and len(directory) >= at + 46:
        name, extra, comment = struct.unpack_from("<HHH", directory, at + 28)
        yield directory[at + 46 : at + 46 + name].decode("utf-8", "replace")
        at += 46 + name + extra + comment


def _text_kind(head: bytes, name: str | None) -> Kind:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{\\rtf"):
        return RTF
    if is_page(head):
        return HTML
    if start.startswith(b"<?xml"):
        return HTML if b"<html" in start[:2048].lower() else XML
    return CSV if extension_of(name) == "csv" else TEXT


def _listed_kind(head: bytes) -> Kind:
    """The long tail of pictures, archives and whatever else people attach."""
    import puremagic  # a table of a thousand signatures, needed for few files

    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    for each in found:
        if each.confidence >= _LEAST_CONFIDENCE and each.mime_type:
            return Kind(each.mime_type, (each.extension.lstrip("."),) if each.extension else ())
    return UNKNOWN
