"""Bytes of documents: attachments of an announced size, the generated sheet of a call, its zip.

All content is invented; every file is a valid one of its kind, with text that a reader can find. How kinds are
written is in filekinds.py.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

from fisio_ayida.simulators.bdns.calls import Call
from fisio_ayida.simulators.bdns.details import FORM, Attachment, files
from fisio_ayida.simulators.bdns.filekinds import docx, odt, pdf, plain, xlsx, zipped_parts

_SENTENCES: Final = (
    "La presente convocatoria es ficticia y no concede ninguna subvención.",
    "Podrán solicitar la ayuda las asociaciones inventadas de Villaficción.",
    "El plazo de presentación termina cuando se agote el crédito imaginario.",
    "La comisión de valoración examinará la memoria económica y el presupuesto.",
    "Contra esta resolución cabe recurso ante el órgano que no existe.",
)


def document(file: Attachment) -> bytes:
    """A file of exactly `file.size` bytes, of the kind that its name says; without an extension, ODF text."""
    extension = file.name.lower().rpartition(".")[2]
    return _WRITERS.get(extension, _odt)(file)


def lines_of(file: Attachment) -> list[str]:
    """The text inside a file, line by line; the form is the same for all calls."""
    if file.name == FORM:
        return ["Modelo de solicitud", "Nombre o razón social:", *_SENTENCES[:2]]
    version = f" (versión {file.version})" if file.version else ""
    return [f"{file.title.strip()}{version}", file.description, *_SENTENCES]


def sheet(code: str, title: str) -> bytes:
    """The generated sheet of a call."""
    return pdf([f"Convocatoria {code}", title])


def zipped(call: Call) -> bytes:
    """All attachments of a call in one archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for file in files(call):
            archive.writestr(zipfile.ZipInfo(f"{file.id} {file.name}"), document(file))
    return target.getvalue()


def _pdf(file: Attachment) -> bytes:
    return pdf(lines_of(file), file.size, pages=1 + file.size % 3)


def _docx(file: Attachment) -> bytes:
    return docx(lines_of(file), file.size)


def _odt(file: Attachment) -> bytes:
    return odt(lines_of(file), file.size)


def _xlsx(file: Attachment) -> bytes:
    return xlsx(lines_of(file), file.size)


def _txt(file: Attachment) -> bytes:
    return plain(lines_of(file), file.size)


def _zip(file: Attachment) -> bytes:
    lines = lines_of(file)
    members = {
        "Anexo I.pdf": pdf([*lines, "Anexo I de la convocatoria"]),
        "anexos/Anexo II.docx": docx([*lines[:2], "Anexo II, declaración responsable"]),
        "anexos/Anexo III.odt": odt([*lines[:2], "Anexo III, memoria de actividades"]),
        "léeme.txt": "Léame: los anexos son inventados.\n".encode(),
    }
    return zipped_parts(members, file.size)


_WRITERS: Final[Mapping[str, Callable[[Attachment], bytes]]] = {
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
    "txt": _txt,
    "zip": _zip,
}
