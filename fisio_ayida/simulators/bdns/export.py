"""`…/exportar` as CSV: windows-1252, Spanish header, dates dd/mm/yyyy, titles cut at 128 characters.

It pages like the search, 50 rows by default (Q35). Other document types are refused in routes.py.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Final

from fisio_ayida.simulators.bdns.query import Query
from fisio_ayida.simulators.bdns.world import World

TITLE_LENGTH: Final = 128
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_CONCESIONES: Final = {
    "Administración": "nivel1",
    "Departamento": "nivel2",
    "Órgano": "nivel3",
    "Código BDNS": "numeroConvocatoria",
    "Convocatoria": "convocatoria",
    "Bases reguladoras": "urlBR",
    "Código de concesión": "codConcesion",
    "Fecha de concesión": "fechaConcesion",
    "Fecha de registro": "fechaAlta",
    "Beneficiario": "beneficiario",
    "Importe": "importe",
    "Instrumento": "instrumento",
    "Ayuda equivalente": "ayudaEquivalente",
}


def export(world: World, query: Query, cap: int | None) -> bytes | None:
    """The CSV of one page, or None when no row matches."""
    selection = world.select(query)
    total = selection.total if cap is None else min(cap, selection.total)
    if not total:
        return None
    start = query.page * query.size
    rows = selection.slice(min(start, total), min(start + query.size, total), query.descending)
    values = [json.loads(text) for text in world.render(query.dataset, rows)]
    columns = _CONCESIONES if query.dataset == "concesiones" else {name: name for name in (values or [{}])[0]}
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(column, value.get(column)) for column in columns.values()] for value in values)
    return target.getvalue().encode("cp1252", "replace")


def _cell(column: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Sí" if value else "No"
    text = str(value)
    if column in ("convocatoria", "descripcion"):
        text = text[:TITLE_LENGTH]
    matched = _ISO.fullmatch(text)
    return f"{matched[3]}/{matched[2]}/{matched[1]}" if matched else text
