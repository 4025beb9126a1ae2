"""``docs/data-dictionary.md``, from the registry: what each table is, where it comes from, every column.

``python -m fisio_ayida.bdns.dictionary`` prints the page; a test holds the committed one against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.documents.tables import DOCUMENTOS, DOCUMENTOS_TEXTO, Table
from fisio_ayida.bdns.registry import Canon, Column, Dataset, Grain

_GRAINS = {
    Grain.DAY: "registration day (Europe/Madrid)",
    Grain.YEAR: "year, from the source's own list",
    Grain.ADMINISTRATION: "administration type: C, A, L, O",
    Grain.AMBITO: "ámbito: C, A, M, S, P, G",
    Grain.WHOLE: "one whole",
}
_COMPARED = {
    Canon.PLAIN: "yes",
    Canon.OFF: "no",
    Canon.NAME: "normal form of a name",
    Canon.HASH_LIST: "as a set, split at #",
    Canon.CODED_LIST: "as a set, split before a code",
    Canon.SET: "as a set",
}

_INTRODUCTION = """\
# Data dictionary

Generated from the registry (`fisio_ayida/bdns/datasets.py`) by `make docs`; do not edit.

Source: Base de Datos Nacional de Subvenciones (BDNS), published by the Intervención General de la
Administración del Estado through the Sistema Nacional de Publicidad de Subvenciones y Ayudas Públicas. Whoever
reuses the data cites that source and the date of its last update (`ops.loads.finished_at`), does not distort
its meaning, and shows no rows about natural persons to the public (`dato_personal`, RD 130/2019 art. 7.7).

Every table `bdns.<dataset>` holds exactly what the source publishes now. Beside it stand
`bdns.<dataset>_history` (past versions, with `valid_to` and `end_kind`: `superseded` or `withdrawn`) and the
function `bdns.<dataset>_as_of(timestamptz)`, which reads both. All have three more columns: `valid_from` (when
this version was first seen), `row_hash` (of what is compared), and `extra` (fields that the contract does not
know; not in child tables). *Compared* says how a column decides whether a record has changed. *Flaps*: the
source drops the value now and then, so its absence is believed at the second reading. *Personal*: may name a
person.
"""


_DOCUMENTS = """\
## documentos

The files attached to calls and plans, from `GET /convocatorias/documentos` and
`GET /planesestrategicos/documentos`. What the source announces of them is in `bdns.convocatorias_documentos` and
`bdns.planes_estrategicos_documentos`; these tables say what was fetched, where the bytes are, and what is written
in them. `bdns.documentos_history` holds past versions (`valid_to`, `end_kind`: `superseded`, or `withdrawn` for
one that was gone and came back), and `bdns.documentos_as_of(timestamptz)` what was stored at a moment. Nothing is
deleted. Names and texts of documents may name people: whoever publishes them observes RD 130/2019 art. 7.7.
"""


def page() -> str:
    """The whole page, markdown."""
    datasets = (line for d in DATASETS.values() for line in _dataset(d))
    tables = (line for table in (DOCUMENTOS, DOCUMENTOS_TEXTO) for line in _table(table))
    return "\n".join([_INTRODUCTION, *datasets, _DOCUMENTS, *tables]) + "\n"


def _dataset(dataset: Dataset) -> Iterator[str]:
    yield f"## {dataset.name}"
    yield ""
    yield f"{dataset.title}. {dataset.description}"
    yield ""
    yield f"- Source: `GET {dataset.path}`" + (f", then `GET {dataset.detail.path}`" if dataset.detail else "")
    yield f"- Key: {', '.join(f'`{k}`' for k in dataset.key)}"
    yield f"- Partitions: {_GRAINS[dataset.grain]}" + (f", from {dataset.first_day}" if dataset.first_day else "")
    yield f"- Cadence: {dataset.cadence.value}"
    if dataset.retention.years:
        person = dataset.retention.natural_person_years
        yield f"- The source withdraws rows after {dataset.retention.years} years" + (
            f" (natural persons: {person})" if person else ""
        )
    if dataset.quirks:
        yield f"- Quirks: {dataset.quirks}"
    yield ""
    yield from _columns(dataset.columns)
    for child in dataset.children:
        yield f"### {dataset.name}_{child.name}"
        yield ""
        yield f"{child.description}. Key: {', '.join(f'`{k}`' for k in (child.parent, *child.key))}."
        yield ""
        yield from _columns(child.columns)


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name.removeprefix('bdns.')}"
    yield ""
    yield f"{table.description}. Key: {', '.join(f'`{k}`' for k in table.key)}."
    yield ""
    yield "| column | type | description |"
    yield "| --- | --- | --- |"
    for c in table.columns:
        yield f"| `{c.name}` | {c.type}{'' if c.required else ', nullable'} | {c.description} |"
    yield ""


def _columns(columns: Iterable[Column]) -> Iterator[str]:
    yield "| column | type | API field | compared | description |"
    yield "| --- | --- | --- | --- | --- |"
    for c in columns:
        notes = [c.description + (f" ({c.unit})" if c.unit else "")]
        notes += ["*flaps*"] if c.flaps else []
        notes += ["*personal*"] if c.personal else []
        field = f"from `{c.derived_from}`" if c.derived_from else "computed" if c.derive else f"`{c.field}`"
        required = "" if c.required else ", nullable"
        yield f"| `{c.name}` | {c.type}{required} | {field} | {_COMPARED[c.canon]} | {'. '.join(notes)} |"
    yield ""


if __name__ == "__main__":
    print(page(), end="")
