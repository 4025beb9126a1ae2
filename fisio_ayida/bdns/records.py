"""Typed records: one msgspec struct for each dataset, built from its declaration; strict first,
lenient record by record when a page does not fit, so that one bad record costs only itself.

What cannot be decoded becomes a :class:`Reject` with the whole record; what the contract does not
know goes to ``extra`` and is reported as :class:`Drift`. No database, no network.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

import msgspec

from fisio_ayida.bdns.registry import Child, Column, Dataset, SqlType

Record = Any  # an instance of the struct that `record_type` builds

_INT8 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_INT4 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_TYPES: dict[SqlType, Any] = {
    "text": str,
    "bigint": _INT8,
    "integer": _INT4,
    # Shortest round-trip floats give back up to 15 significant digits exactly, cents of 13 digits
    # of euros; a longer amount is caught by `_amount_is_exact`.
    "numeric": float,
    "date": str,  # validated by value: a page has few distinct days
    "boolean": bool,
    "text[]": list[str],
    "jsonb": Any,
}
_KEY_LENGTH = 2000  # longer texts do not fit a b-tree entry


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be used, whole, with the reason."""

    reason: str
    payload: str
    key: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference between the payload and the contract."""

    field: str
    kind: str  # unknown_field, type_changed
    json_type: str
    sample: str


@dataclass(slots=True)
class Batch:
    """The records of one page (or of one whole answer)."""

    records: list[Record]
    received: int = 0
    total: int | None = None
    extras: dict[int, dict[str, Any]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    #: The source says that nothing comes after this page.
    last: bool | None = None
    #: Records that hold less than what may be stored already: only taken when nothing is.
    partial: set[int] = field(default_factory=set)


class Envelope(msgspec.Struct):
    """What is read of a page besides its rows."""

    content: list[msgspec.Raw] | None = None
    totalElements: int | None = None
    last: bool | None = None
    codigo: str | None = None
    error: str | None = None
    errores: Any = None


def _fields(columns: Sequence[Column], children: Sequence[Child] = ()) -> list[tuple[str, Any, Any]]:
    required: list[tuple[str, Any, Any]] = []
    optional: list[tuple[str, Any, Any]] = []
    for column in columns:
        if column.derive is not None:
            continue
        kind = _TYPES[column.type]
        if column.type == "text" and column.required:
            kind = Annotated[str, msgspec.Meta(min_length=1, max_length=_KEY_LENGTH)]
        if column.required and column.name not in ("ordinal", "repeticiones"):
            required.append((column.field, kind, msgspec.NODEFAULT))
        else:
            default = {"ordinal": 0, "repeticiones": 1}.get(column.name)
            optional.append((column.field, kind | None, default))
    optional += [(c.source, list[dict[str, Any]] | None, None) for c in children]
    return required + optional


@cache
def record_type(dataset: Dataset) -> type[msgspec.Struct]:
    """The struct of one record of ``dataset``; unknown fields are refused, for the slow path to see."""
    return msgspec.defstruct(
        f"{dataset.name.title().replace('_', '')}Record",
        [
            (n, t) if d is msgspec.NODEFAULT else (n, t, d)
            for n, t, d in _fields(dataset.columns, dataset.children)
        ],
        forbid_unknown_fields=True,
        gc=False,
    )


@cache
def child_type(child: Child) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        f"{child.name.title().replace('_', '')}Row",
        [(n, t) if d is msgspec.NODEFAULT else (n, t, d) for n, t, d in _fields(child.columns)],
        forbid_unknown_fields=True,
        gc=False,
    )


@cache
def _page_decoder(dataset: Dataset) -> msgspec.json.Decoder[Any]:
    page = msgspec.defstruct(
        "Page",
        [
            ("content", list[record_type(dataset)]),  # type: ignore[misc]
            ("totalElements", int),
            ("last", bool | None, None),
        ],
    )
    return msgspec.json.Decoder(page)


_ENVELOPE = msgspec.json.Decoder(Envelope)


def decode_envelope(body: bytes) -> Envelope:
    """The page's envelope with its rows unparsed; raises ``msgspec.DecodeError`` on anything else."""
    try:
        return _ENVELOPE.decode(body)
    except msgspec.DecodeError:
        # Half a surrogate pair is no text but valid JSON; it must not cost the page.
        mended = _ESCAPE.sub(_whole_characters, body)
        if mended == body:
            raise
        return _ENVELOPE.decode(mended)


_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)", re.DOTALL)


def _whole_characters(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if len(escape[0]) == 6 else escape[0]


def decode_page(dataset: Dataset, body: bytes, url: str = "") -> Batch:
    """Rows of a search page; raises ``msgspec.DecodeError`` if it is no JSON.

    A page without ``content`` or ``totalElements`` gives a batch without ``total``.
    """
    try:
        page = _page_decoder(dataset).decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        page = None
    if page is not None and _values_are_sound(dataset, page.content):
        return Batch(page.content, received=len(page.content), total=page.totalElements, last=page.last)
    envelope = decode_envelope(body)
    if envelope.content is None:
        return Batch([])
    batch = Batch([], received=len(envelope.content), total=envelope.totalElements, last=envelope.last)
    for raw in envelope.content:
        _decode_one(dataset, bytes(raw), batch, url)
    return batch


def decode_objects(dataset: Dataset, objects: Sequence[Mapping[str, Any]], url: str = "") -> Batch:
    """Records that a sweep has put together itself: details, list items, tree nodes."""
    batch = Batch([], received=len(objects), total=None)
    for item in objects:
        _decode_one(dataset, msgspec.json.encode(item), batch, url)
    return batch


def _decode_one(dataset: Dataset, raw: bytes, batch: Batch, url: str) -> None:
    kind = record_type(dataset)
    try:
        record = msgspec.json.decode(raw, type=kind)
        if _values_are_sound(dataset, [record]) and _children_are_sound(dataset, record):
            batch.records.append(record)
            return
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        pass
    try:
        record, extra = _lenient(dataset, raw, batch.drifts)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, ValueError) as error:
        batch.rejects.append(
            Reject(str(error), raw.decode("utf-8", "backslashreplace"), _key_of(dataset, raw), url)
        )
        return
    if extra:
        batch.extras[len(batch.records)] = extra
    batch.records.append(record)


def _lenient(dataset: Dataset, raw: bytes, drifts: list[Drift]) -> tuple[Record, dict[str, Any]]:
    item = msgspec.json.decode(raw)
    if not isinstance(item, dict):
        raise ValueError(f"expected an object, got {_json_type(item)}")
    known, extra = _sort_fields(dataset.columns, dataset.children, item, "", drifts)
    for child in dataset.children:
        rows = known.get(child.source)
        if rows is None:
            continue
        if not isinstance(rows, list):
            raise ValueError(f"{child.source}: expected an array, got {_json_type(rows)}")
        clean = []
        for row in rows:
            if not isinstance(row, dict):
                raise ValueError(f"{child.source}: expected objects, got {_json_type(row)}")
            fields, more = _sort_fields(child.columns, (), row, f"{child.source}[].", drifts)
            clean.append(
                msgspec.to_builtins(_convert(child.columns, fields, child_type(child), drifts, child.source))
            )
            for name, value in more.items():
                extra.setdefault(f"{child.source}[].{name}", []).append(value)
        known[child.source] = clean
    return _convert(dataset.columns, known, record_type(dataset), drifts, ""), extra


def _sort_fields(
    columns: Sequence[Column],
    children: Sequence[Child],
    item: dict[str, Any],
    prefix: str,
    drifts: list[Drift],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Known fields and the rest; a known name in other capitals is that name (CONTRACT §5.1)."""
    names = {c.field for c in columns if c.derive is None} | {c.source for c in children}
    by_case = {n.casefold(): n for n in names}
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in item.items():
        if name in names:
            known[name] = value
        elif (alias := by_case.get(name.casefold())) and alias not in item:
            known[alias] = value
        else:
            extra[name] = value
            drifts.append(Drift(prefix + name, "unknown_field", _json_type(value), _sample(value)))
    return known, extra


def _convert(
    columns: Sequence[Column], fields: dict[str, Any], kind: type[msgspec.Struct], drifts: list[Drift], where: str
) -> Record:
    prefix = f"{where}[]." if where else ""
    for column in columns:
        value = fields.get(column.field)
        if value is None:
            continue
        if column.type == "date":
            day = _day(value)
            if day is None:
                raise ValueError(f"{prefix}{column.field}: {_sample(value)!r} is not a date YYYY-MM-DD")
            if day != value:
                drifts.append(Drift(prefix + column.field, "type_changed", _json_type(value), _sample(value)))
            fields[column.field] = day
        elif column.type == "text" and isinstance(value, int | float) and not isinstance(value, bool):
            drifts.append(Drift(prefix + column.field, "type_changed", _json_type(value), _sample(value)))
            fields[column.field] = str(value)
        elif column.type in ("numeric", "bigint", "integer", "boolean") and isinstance(value, str):
            drifts.append(Drift(prefix + column.field, "type_changed", "string", _sample(value)))
        if column.type == "numeric" and not _amount_is_exact(value):
            raise ValueError(f"{prefix}{column.field}: {_sample(value)} has more digits than can be kept exactly")
    return msgspec.convert(fields, kind, strict=False)


def _values_are_sound(dataset: Dataset, records: Sequence[Record]) -> bool:
    """Whether all dates parse and all amounts are exact; cheap, because values repeat."""
    for column in dataset.columns:
        if column.derive is not None:
            continue
        if column.type == "date":
            name = column.field
            if not all(v is None or _day(v) == v for v in {getattr(r, name) for r in records}):
                return False
        elif column.type == "numeric":
            name = column.field
            values = [v for r in records if (v := getattr(r, name)) is not None]
            if values and max(map(abs, values)) >= _EXACT_LIMIT:
                return False
    return True


def _children_are_sound(dataset: Dataset, record: Record) -> bool:
    """Whether every child row fits its own struct; raises the decoder's error when one does not."""
    for child in dataset.children:
        rows = getattr(record, child.source) or ()
        for row in rows:
            parsed = msgspec.convert(row, child_type(child))
            for column in child.columns:
                if column.type == "date" and column.derive is None:
                    value = getattr(parsed, column.field)
                    if value is not None and _day(value) != value:
                        return False
    return True


_EXACT_LIMIT = 1e13  # below it, cents survive a float's 15 significant digits


def _amount_is_exact(value: Any) -> bool:
    try:
        return not isinstance(value, int | float | str) or abs(float(value)) < _EXACT_LIMIT  # NaN is not
    except ValueError:
        return True  # no number at all: the conversion says so


_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T.*)?")


def _day(value: Any) -> str | None:
    """``YYYY-MM-DD`` of a date, or of one of the offset date-times of 2024 (CONTRACT §1.8)."""
    if not isinstance(value, str) or not (match := _DAY.fullmatch(value)):
        return None
    try:
        dt.date.fromisoformat(match[1])
    except ValueError:
        return None
    return match[1]


def _key_of(dataset: Dataset, raw: bytes) -> str | None:
    """The key of a record that could not be decoded, where it can still be read."""
    try:
        item = msgspec.json.decode(raw)
        values = [item.get(dataset.column(k).field) for k in dataset.key]
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        return None
    if any(v is None or v == "" or isinstance(v, list | dict) for v in values):
        return None
    return "|".join(str(v) for v in values)


def _json_type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _sample(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "…"
