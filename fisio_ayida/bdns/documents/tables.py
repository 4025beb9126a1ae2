"""The tables of documents, described once: the UI, the data dictionary and a test of the database read this.

The words are those of the frozen migration; what the columns are for is in ``ledger.py`` and ``texts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableColumn:
    name: str
    type: str
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[TableColumn, ...]


_C = TableColumn
_MOMENT = "timestamp with time zone"

DOCUMENTOS = Table(
    "bdns.documentos",
    "Documents of calls and plans: what the source announces, and where the bytes are",
    ("origen", "id"),
    (
        _C("origen", "text", "convocatoria or plan: ids of the two are apart", True),
        _C("id", "bigint", "Document id at the source", True),
        _C("codigo_bdns", "text", "The call that has it (convocatorias.codigo_bdns)"),
        _C("id_plan", "bigint", "The plan that has it (planes_estrategicos.id)"),
        _C("nombre_fic", "text", "File name as announced"),
        _C("long", "bigint", "Size as announced; plans announce none [bytes]"),
        _C("dat_mod", "date", "Last change as announced"),
        _C("dat_publicacion", "date", "Publication as announced"),
        _C("ejercicio", "integer", "Year as announced; plans only"),
        _C("tipo_documento", "text", "What the document is, as announced; plans only"),
        _C(
            "fingerprint", "text", "Digest of the announcement; another one makes the document due again", True
        ),
        _C(
            "state", "text",
            "stored; failed: tried again at next_attempt_at; refused: larger than we take; gone: not at the source"
            " any more", True,
        ),
        _C("file_name", "text", "A safe file name with the extension of what the file really is"),
        _C("path", "text", "Where the bytes are, below DOCUMENTS_URL; the same for equal bytes"),
        _C("size_bytes", "bigint", "Size of the stored bytes [bytes]"),
        _C("sha256", "text", "Digest of the stored bytes (documentos_texto.sha256)"),
        _C("content_type", "text", "Media type, told by the content"),
        _C("fetched_at", _MOMENT, "When the stored bytes were received"),
        _C("valid_from", _MOMENT, "When this version was first stored"),
        _C("gone_at", _MOMENT, "When it was found to be gone; the bytes stay"),
        _C(
            "gone_reason", "text",
            "refused: still announced, and the source answers that it does not exist; unlisted: not announced any"
            " more",
        ),
        _C("attempts", "integer", "Failed tries of this announcement", True),
        _C("attempted_at", _MOMENT, "The last try"),
        _C("next_attempt_at", _MOMENT, "When a failed one is due again; null: no try is left"),
        _C("last_error", "text", "Why the last try failed, or why it was refused or is gone"),
        _C(
            "doubtful_sha256", "text",
            "Digest of a body whose size was not the announced one; believed when the same comes a second time",
        ),
        _C("refused_over", "bigint", "The limit that it was over; a higher one makes it due [bytes]"),
        _C("run_id", "text", "The run of the last try"),
    ),
)  # fmt: skip

DOCUMENTOS_TEXTO = Table(
    "bdns.documentos_texto",
    "The text inside documents, once for equal bytes; also those without, and why",
    ("sha256",),
    (
        _C("sha256", "text", "Digest of the file (documentos.sha256)", True),
        _C(
            "outcome", "text",
            "text; empty: nothing to read, as in a scan; unsupported: no reader for the kind; limit: it took too"
            " much; failed", True,
        ),
        _C("reason", "text", "Why there is no text, or what of it is missing"),
        _C("texto", "text", "The text; may name people"),
        _C("pages", "integer", "Pages of the file; null for kinds without"),
        _C("truncated", "boolean", "The file has more pages, members or text than were read", True),
        _C("extractor", "text", "The library that read it, with its version", True),
        _C("extracted_at", _MOMENT, "When it was read", True),
        _C(
            "indexed_chars", "integer",
            "How much from the beginning is in the two indexes: PostgreSQL takes a mebibyte of different words",
        ),
        _C("buscable", "tsvector", "For queries in Spanish: bdns.espanol"),
        _C("buscable_neutro", "tsvector", "For any language: bdns.neutro"),
    ),
)  # fmt: skip
