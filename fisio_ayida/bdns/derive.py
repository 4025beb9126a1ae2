"""Columns that are computed from others: the parts of a beneficiary string, NUTS codes, keys.

Every function takes the columns of a batch (name -> list of values) and gives one list as long.
Formats are those of CONTRACT §3.11, §3.14 and §5.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import xxhash

from fisio_ayida.bdns.canon import name_key, normal_text


class Columns(Protocol):
    """The columns of a batch, and a place for what several derivations share (``codec.Frame``)."""

    def __getitem__(self, name: str, /) -> Sequence[Any]: ...

    def shared(self, name: str, compute: Callable[[], Any]) -> Any: ...


Derivation = Callable[[Columns, str | None], list[Any]]

_DNI_NIE_KLM = re.compile(r"\d{8}[A-Z]|[XYZ]\d{7}[A-Z]|[KLM]\d{7}[0-9A-Z]")
_ORGANISATION = re.compile(r"[ABCDFGHNPQRSUVW]\d{7}[0-9A-Z]")
_NUTS = re.compile(r"\s*([A-Z]{2}[0-9A-Z]{0,3})\s+-\s+(.*\S)\s*", re.DOTALL)


def split_beneficiary(text: str | None) -> tuple[str | None, str | None]:
    """Identifier and name: the first blank-delimited token, and the rest less one leading ``- ``."""
    parts = text.split(None, 1) if text else ()
    if len(parts) < 2:
        return (parts[0] if parts else None), None
    identifier, name = parts
    name = name.rstrip()
    if name[:1] == "-" and (name == "-" or name[1] == " "):
        name = name[1:].lstrip()
    return identifier, name or None


def _split_plain(texts: Sequence[str | None]) -> tuple[list[Any], list[Any]] | None:
    """The same for many texts at once, where all are of the usual form; None when any is not."""
    if None in texts:
        return None
    cut = [text.partition(" ") for text in texts if text is not None]
    identifiers = [c[0] for c in cut]
    names = [c[2].strip() for c in cut]
    usual = (
        "" not in identifiers
        and "" not in names
        and "".join(identifiers).isprintable()  # no other blank came before the first one
        and "\n-" not in "\n" + "\n".join(names)
    )
    return (identifiers, names) if usual else None


def is_natural_person(identifier: str | None) -> bool:
    """Masked with asterisks, or a DNI, NIE or K/L/M number."""
    return identifier is not None and ("*" in identifier or _DNI_NIE_KLM.fullmatch(identifier) is not None)


def is_personal(identifier: str | None) -> bool:
    """Whether a public product must hide the row: anything but a recognised organisation (§1.3)."""
    return identifier is None or "*" in identifier or _ORGANISATION.fullmatch(identifier) is None


def _from(cols: Columns, source: str | None) -> Sequence[Any]:
    if source is None:
        raise ValueError("this derivation needs the column it is derived from")
    return cols[source]


def _parts(cols: Columns, source: str | None) -> tuple[list[Any], list[Any]]:
    """Identifiers and names, split once for the two columns."""

    def split() -> tuple[list[Any], list[Any]]:
        texts = _from(cols, source)
        if plain := _split_plain(texts):
            return plain
        pairs = list(map(split_beneficiary, texts))
        return [p[0] for p in pairs], [p[1] for p in pairs]

    parts: tuple[list[Any], list[Any]] = cols.shared(f"parts of {source}", split)
    return parts


def _identifier(cols: Columns, source: str | None) -> list[Any]:
    return _parts(cols, source)[0]


def _name(cols: Columns, source: str | None) -> list[Any]:
    return _parts(cols, source)[1]


def _natural_person(cols: Columns, _: str | None) -> list[Any]:
    return [is_natural_person(v) for v in cols["identificador"]]


def _personal(cols: Columns, _: str | None) -> list[Any]:
    return [is_personal(v) for v in cols["identificador"]]


def _normal_text(cols: Columns, source: str | None) -> list[Any]:
    return [normal_text(v) for v in _from(cols, source)]


def _nuts(cols: Columns, source: str | None) -> list[Any]:
    return [m[1] if v and (m := _NUTS.fullmatch(v)) else None for v in _from(cols, source)]


def _nuts_name(cols: Columns, source: str | None) -> list[Any]:
    return [m[2] if v and (m := _NUTS.fullmatch(v)) else v for v in _from(cols, source)]


def _penalty_key(cols: Columns, _: str | None) -> list[Any]:
    """What identifies a penalty, spelling-blind, as 32 hex digits."""
    keys = []
    for call, person, name, penalty, award, infringement in zip(
        cols["numero_convocatoria"], cols["identificador"], cols["nombre"], cols["fecha_sancion"],
        cols["fecha_concesion"], cols["infraccion"], strict=True,
    ):  # fmt: skip
        parts = (call, person, (name_key(name) or b"").decode("utf-8", "replace"), penalty, award,
                 normal_text(infringement))  # fmt: skip
        keys.append(xxhash.xxh3_128_hexdigest("\x1f".join(str(p or "") for p in parts).encode()))
    return keys


DERIVATIONS: dict[str, Derivation] = {
    "identifier": _identifier,
    "name": _name,
    "natural_person": _natural_person,
    "personal": _personal,
    "normal_text": _normal_text,
    "nuts": _nuts,
    "nuts_name": _nuts_name,
    "penalty_key": _penalty_key,
}
