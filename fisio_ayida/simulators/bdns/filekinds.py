"""Small valid files written by hand: PDF, Word, OpenDocument, Excel, plain text, zip, of a given size.

Only formats; what stands in them comes from files.py. The same input gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_OFFICE: Final = "http://schemas.openxmlformats.org"
_DOCUMENT: Final = f"{_OFFICE}/officeDocument/2006/relationships"
_PACKAGE: Final = f"{_OFFICE}/package/2006"
_ODF: Final = "urn:oasis:names:tc:opendocument:xmlns"
_ODT_TYPE: Final = "application/vnd.oasis.opendocument.text"
_LINE_POINTS: Final = 16


def pdf(lines: Sequence[str], size: int | None = None, pages: int = 1) -> bytes:
    """A PDF with these lines on every page, in a font that every reader has.

    Raises:
        ValueError: the content alone is larger than `size`.
    """
    shown = " ".join(f"({_pdf_text(line)}) Tj 0 -{_LINE_POINTS} Td" for line in lines)
    stream = f"BT /F1 11 Tf 50 780 Td {shown} ET".encode("cp1252", "replace")
    kids = " ".join(f"{5 + at} 0 R" for at in range(pages))
    page = b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 4 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} /MediaBox [0 0 595 842] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        *[page] * pages,
    ]
    fixed = _pdf_file(objects, 0)
    # Where objects are is written in ten digits each: filler before them changes no other length.
    return fixed if size is None else _pdf_file(objects, _filler(size, len(fixed)))


def _pdf_file(objects: Sequence[bytes], filler: int) -> bytes:
    parts = [b"%PDF-1.4\n"]
    if filler:
        parts.append((b"%" + b"x" * (filler - 2))[: filler - 1] + b"\n")
    offsets, at = [], sum(map(len, parts))
    for number, body in enumerate(objects, 1):
        offsets.append(at)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        at += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table))
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%010d\n%%%%EOF\n" % (count, at))
    return b"".join(parts)


def _pdf_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def docx(lines: Sequence[str], size: int | None = None) -> bytes:
    """A Word document, one paragraph a line; the last one is a field of a form (a content control)."""
    *body, last = (f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in lines)
    document = (
        f'{_XML}<w:document xmlns:w="{_OFFICE}/wordprocessingml/2006/main"><w:body>{"".join(body)}'
        f"<w:sdt><w:sdtContent>{last}</w:sdtContent></w:sdt></w:body></w:document>"
    )
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return zipped_parts({**_office("word/document.xml", main), "word/document.xml": document.encode()}, size)


def xlsx(lines: Sequence[str], size: int | None = None) -> bytes:
    """An Excel workbook, one cell a line, all texts shared."""
    main = f"{_OFFICE}/spreadsheetml/2006/main"
    cells = "".join(f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c></row>' for n in range(len(lines)))
    strings = "".join(f"<si><t>{escape(line)}</t></si>" for line in lines)
    sheet = f'<sheet name="Datos" sheetId="1" r:id="rId1" xmlns:r="{_DOCUMENT}"/>'
    targets = {"worksheet": "worksheets/sheet1.xml", "sharedStrings": "sharedStrings.xml"}
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_DOCUMENT}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets.items(), 1)
    )
    links = f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    parts = {
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{main}"><sheets>{sheet}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"{_XML}{links}",
        "xl/sharedStrings.xml": f'{_XML}<sst xmlns="{main}">{strings}</sst>',
        "xl/worksheets/sheet1.xml": f'{_XML}<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    encoded = {name: text.encode() for name, text in parts.items()}
    return zipped_parts({**_office("xl/workbook.xml", kind), **encoded}, size)


def _office(main: str, content_type: str) -> dict[str, bytes]:
    types = (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{content_type}"/></Types>'
    )
    links = (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="{main}"/></Relationships>'
    )
    return {"[Content_Types].xml": types.encode(), "_rels/.rels": links.encode()}


def odt(lines: Sequence[str], size: int | None = None) -> bytes:
    """An OpenDocument text, one paragraph a line."""
    paragraphs = "".join(f"<text:p>{escape(line)}</text:p>" for line in lines)
    content = (
        f'{_XML}<office:document-content xmlns:office="{_ODF}:office:1.0" xmlns:text="{_ODF}:text:1.0" '
        f'office:version="1.3"><office:body><office:text>{paragraphs}</office:text></office:body>'
        "</office:document-content>"
    )
    entry = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="{}"/>'
    manifest = (
        f'{_XML}<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0" manifest:version="1.3">'
        f"{entry.format('/', _ODT_TYPE)}{entry.format('content.xml', 'text/xml')}</manifest:manifest>"
    )
    parts = {
        "mimetype": _ODT_TYPE.encode(),
        "content.xml": content.encode(),
        "META-INF/manifest.xml": manifest.encode(),
    }
    return zipped_parts(parts, size, stored=("mimetype",))


def zipped_parts(parts: Mapping[str, bytes], size: int | None = None, stored: Sequence[str] = ()) -> bytes:
    """An archive of these members; its comment fills it up to `size`.

    Raises:
        ValueError: the members alone are larger than `size`.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
        if size is not None:
            # The archive itself is complete before its comment: the end record has 22 bytes.
            directory = sum(46 + len(each.filename.encode()) for each in archive.infolist())
            archive.comment = b"x" * _filler(size, target.tell() + directory + 22)
    return target.getvalue()


def plain(lines: Sequence[str], size: int) -> bytes:
    """Text in the code page of Spanish Windows, cut or repeated to `size`."""
    text = "\r\n".join((*lines, "")).encode("cp1252", "replace")
    return (text * (size // len(text) + 1))[:size]


def _filler(size: int, content: int) -> int:
    if content > size:
        raise ValueError(f"the content alone has {content} bytes, {size} are wanted")
    return size - content
