"""Kinds told by content, and names that no file system minds."""

from __future__ import annotations

import io
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.bdns.documents import kinds
from fisio_ayida.simulators.bdns import filekinds

LINES = ["Una línea", "Otra línea"]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def archive(**members: bytes) -> bytes:
    return filekinds.zipped_parts(members)


FILES = [
    (filekinds.pdf(LINES), "x.doc", "application/pdf"),
    (b"\n\njunk before " + filekinds.pdf(LINES), None, "application/pdf"),
    (filekinds.docx(LINES, 5000), "solicitud", kinds.DOCX.content_type),
    (filekinds.xlsx(LINES, 5000), "x.zip", kinds.XLSX.content_type),
    (filekinds.odt(LINES, 5000), "sin_extension", kinds.ODT.content_type),
    (archive(**{"a.txt": b"a", "word/document.xml": b"a"}), "x.docx", "application/zip"),
    (b"PK\x05\x06" + bytes(18), "vacio.zip", "application/zip"),
    (b"PK\x03\x04 and then nothing of an archive", "x.docx", "application/zip"),
    (OLE, "ACTA.DOC", "application/msword"),
    (OLE, "sin_extension", "application/x-ole-storage"),
    (b"\xef\xbb\xbf<!DOCTYPE html><p>hola", "x.pdf", "text/html"),
    (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', None, "text/html"),
    (b'<?xml version="1.0"?><factura/>', "x.xsig", "application/xml"),
    (b"{\\rtf1\\ansi hola}", "x.doc", "application/rtf"),
    ("código;año\r\n1;2\r\n".encode("cp1252"), "datos.CSV", "text/csv"),
    ("Resolución".encode(), "x.pdf", "text/plain"),
    ("Resolución".encode("utf-16"), None, "text/plain"),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "x.jpg", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n\x00\x00", None, "image/png"),
    (b"7z\xbc\xaf\x27\x1c\x00\x04", "x.zip", "application/x-7z-compressed"),
    (b"\x00\x01\x02\x03nobody knows", "x.pdf", "application/octet-stream"),
    (b"MZ\x00 hardly a program", None, "application/octet-stream"),
    (b"", "x.pdf", "application/octet-stream"),
]


@pytest.mark.parametrize(("body", "name", "expected"), FILES, ids=range(len(FILES)))
def test_the_kind_is_what_the_content_says(body: bytes, name: str | None, expected: str) -> None:
    assert kinds.kind_of(io.BytesIO(body), name).content_type == expected


@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", b"PK\x05\x06", OLE[:8], b"<?xml"]))
def test_no_content_is_too_odd_to_have_a_kind(body: bytes, head: bytes) -> None:
    assert "/" in kinds.kind_of(io.BytesIO(head + body), None).content_type


def test_an_archive_with_a_lying_directory_is_an_archive() -> None:
    body = bytearray(filekinds.docx(LINES))
    body[-10:-6] = b"\xff\xff\xff\xff"  # the directory is longer than the file
    assert kinds.kind_of(io.BytesIO(bytes(body)), None) is kinds.ZIP
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(bytes(body)))


@pytest.mark.parametrize(
    ("announced", "kind", "expected"),
    [
        ("Convocatoria (firmada) v2.pdf", kinds.PDF, "Convocatoria (firmada) v2.pdf"),
        ("BASES Año Ñ.PDF", kinds.PDF, "BASES Año Ñ.pdf"),
        ("sin_extension", kinds.ODT, "sin_extension.odt"),
        ("engañoso.pdf", kinds.ZIP, "engañoso.pdf.zip"),
        ("C:\\Documentos\\bases.pdf", kinds.PDF, "bases.pdf"),
        ("../../etc/passwd", kinds.TEXT, "passwd.txt"),
        ("a\x00b\nc\u202e.pdf", kinds.PDF, "abc.pdf"),
        ("datos.csv", kinds.TEXT, "datos.csv"),
        ("n.o 12/2026. Resolución de 3 de mayo", kinds.PDF, "2026. Resolución de 3 de mayo.pdf"),
        ("cualquier cosa.bin", kinds.UNKNOWN, "cualquier cosa.bin"),
        ("...", kinds.PDF, "documento 7.pdf"),
        (None, kinds.PDF, "documento 7.pdf"),
        ("Cafe\u0301.pdf", kinds.PDF, "Café.pdf"),
    ],
)
def test_a_name_is_cleaned_and_ends_as_its_kind(announced: str | None, kind: kinds.Kind, expected: str) -> None:
    assert kinds.file_name(announced, 7, kind) == expected


@given(st.text(), st.sampled_from([kinds.PDF, kinds.ZIP, kinds.TEXT]))
def test_every_name_is_safe(announced: str, kind: kinds.Kind) -> None:
    name = kinds.file_name(announced, 1, kind)
    assert name.rpartition(".")[2] in kind.extensions
    assert 0 < len(name.encode()) <= 215 and not name.startswith(".")
    assert not set(name) & set('/\\<>:"|?*') and not any(unicodedata.category(c)[0] == "C" for c in name)
