"""Bytes of documents: attachments of an announced size, the generated sheet of a call, its zip.

All content is invented filler that begins as a file of its kind does.
"""

from __future__ import annotations

import io
import zipfile

from fisio_ayida.simulators.bdns.calls import Call
from fisio_ayida.simulators.bdns.details import files

_PDF_HEAD = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
_PDF_TAIL = b"\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def document(name: str, size: int) -> bytes:
    """A file of exactly `size` bytes whose first bytes fit its name."""
    lower = name.lower()
    if lower.endswith((".zip", ".docx")):
        comment = size - 22
        return b"PK\x05\x06" + b"\x00" * 16 + comment.to_bytes(2, "little") + b"x" * comment
    if lower.endswith(".pdf"):
        return _PDF_HEAD + b"%" + b"x" * (size - len(_PDF_HEAD) - len(_PDF_TAIL) - 1) + _PDF_TAIL
    return (f"{name}: contenido inventado. ".encode() * (size // 20 + 1))[:size]


def sheet(code: str, title: str) -> bytes:
    """The generated sheet of a call."""
    return _PDF_HEAD + f"% {code} {title}\n".encode() + _PDF_TAIL


def zipped(call: Call) -> bytes:
    """All attachments of a call in one archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for id_, _, name, size in files(call):
            archive.writestr(zipfile.ZipInfo(f"{id_} {name}"), document(name, size))
    return target.getvalue()
