"""Canonical forms: what of a value counts when two readings of a record are compared.

Pure functions over text. The noise they remove is the source's own (CONTRACT §1.6, §3.5–3.7, §5.1):
re-spelled names, shuffled lists, odd blanks. What is stored stays as received.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_LEGAL_FORMS: tuple[tuple[bytes, bytes], ...] = tuple(
    sorted(
        (
            (b"SOCIEDADDERESPONSABILIDADLIMITADA", b"SL"),
            (b"SOCIEDADLIMITADAUNIPERSONAL", b"SLU"),
            (b"SOCIEDADLIMITADAPROFESIONAL", b"SLP"),
            (b"SOCIEDADLIMITADALABORAL", b"SLL"),
            (b"SOCIEDADLIMITADA", b"SL"),
            (b"SOCIEDADANONIMAUNIPERSONAL", b"SAU"),
            (b"SOCIEDADANONIMALABORAL", b"SAL"),
            (b"SOCIEDADANONIMA", b"SA"),
            (b"SOCIEDADCOOPERATIVA", b"SCOOP"),
            (b"SOCCOOP", b"SCOOP"),
            (b"SDADCOOP", b"SCOOP"),
            (b"SOCIEDADCIVIL", b"SC"),
            (b"SOCIEDADAGRARIADETRANSFORMACION", b"SAT"),
            (b"COMUNIDADDEBIENES", b"CB"),
        ),
        key=lambda form: -len(form[0]),
    )
)
_LEGAL_SUFFIXES = tuple(long for long, _ in _LEGAL_FORMS)


def _fold_latin1() -> tuple[bytes, bytes]:
    """Translation table for one latin-1 byte (accents off, upper case) and the bytes to delete."""
    table = bytearray(range(256))
    delete = bytearray()
    for code in range(256):
        folded = unicodedata.normalize("NFKD", chr(code)).upper()[:1]
        if folded.isascii() and folded.isalnum():
            table[code] = ord(folded)
        else:
            delete.append(code)
    return bytes(table), bytes(delete)


_TABLE, _DELETE = _fold_latin1()


def name_key(name: str | None) -> bytes | None:
    """The normal form in which two spellings of one name are equal; None for a blank name.

    Accents, case, dots, hyphens, asterisks, blanks and the spelling of a final legal form are noise.
    One pass in C for latin-1 names, which nearly all are.
    """
    if not name:
        return None
    try:
        key = name.encode("latin-1").translate(_TABLE, _DELETE)
    except UnicodeEncodeError:
        folded = "".join(c for c in unicodedata.normalize("NFKD", name) if c.isalnum()).upper()
        key = folded.encode("utf-8", "surrogatepass")
    if key.endswith(_LEGAL_SUFFIXES):
        for long, short in _LEGAL_FORMS:
            if key.endswith(long):
                key = key[: -len(long)] + short
                break
    return key or None


# What PostgreSQL's [[:space:]] knows and a compatibility decomposition leaves.
_BLANKS = re.compile("[\t-\r \x85\xa0\u1680\u2028\u2029]+")


def normal_text(text: str | None) -> str | None:
    """Lower case, no accents, single blanks: the form in which texts join catalogues (CONTRACT §3.18).

    ``bdns.normal(text)`` in the database computes the same.
    """
    if text is None:
        return None
    folded = "".join(c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f")
    # A final sigma is a matter of spelling, of which the database knows nothing.
    return _BLANKS.sub(" ", folded.replace("Σ", "σ").lower()).strip(" ") or None


def hash_list(text: str | None) -> str | None:
    """``a#b#c`` with its elements trimmed and sorted."""
    if not text:
        return None
    if "#" not in text:
        return text.strip() or None
    return "#".join(sorted(part.strip() for part in text.split("#")))


# An element starts with a capital letter or digits with dots, then " - ". A semicolon that is not
# followed by such a code belongs to the text (CONTRACT §3.7, splitting trap).
_CODE_AHEAD = re.compile(r";\s*(?=(?:[A-Z]|\d+(?:\.\d+)*)\s+-\s)")


def coded_list(text: str | None) -> str | None:
    """``A - text; 1.2 - text`` with its elements trimmed and sorted."""
    if not text:
        return None
    if ";" not in text:
        return text.strip() or None
    return ";".join(sorted(part.strip().rstrip(";").strip() for part in _CODE_AHEAD.split(text)))


def unordered(values: Iterable[str] | None) -> list[str] | None:
    """A JSON array of texts as a sorted list; None when empty."""
    if not values:
        return None
    return sorted(v.strip() for v in values)
