"""Batches of records as columns: keys, hashes and COPY lines, computed column by column.

This is the hot path of the mirror: whole lists instead of single values, C functions instead of
Python per field. What counts as a change is declared in the registry and defined in ``canon.py``.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from fisio_ayida.bdns.canon import coded_list, hash_list, name_key, unordered
from fisio_ayida.bdns.derive import DERIVATIONS
from fisio_ayida.bdns.records import child_type
from fisio_ayida.bdns.registry import WHOLE, Canon, Child, Column, Dataset
from fisio_ayida.warehouse.copying import NULL

Int64s = npt.NDArray[np.int64]

_pack = msgspec.msgpack.Encoder().encode


def signed(value: int) -> int:
    """An unsigned 64-bit hash as the bigint that PostgreSQL stores."""
    return value - (1 << 64) if value >= (1 << 63) else value


def text_id(key: str) -> int:
    """A 64-bit stand-in for a text key, to compare keys in arrays."""
    return signed(xxhash.xxh3_64_intdigest(key.encode("utf-8", "surrogatepass")))


def extra_text(extra: Mapping[str, Any]) -> str:
    """Unknown fields as jsonb takes them: a NUL character becomes U+FFFD."""
    return msgspec.json.encode(extra).decode().replace("\\u0000", "\\ufffd")


def _plain(values: Sequence[Any]) -> list[Any]:
    """Texts without blanks at their ends, an empty one as None."""
    if None in values:
        return [v.strip() or None if v else None for v in values]
    trimmed = list(map(str.strip, values))
    return [v or None for v in trimmed] if "" in trimmed else trimmed


_CANONICAL: dict[Canon, Callable[[Sequence[Any]], Sequence[Any]]] = {
    Canon.PLAIN: _plain,
    Canon.NAME: lambda values: [name_key(v) for v in values],
    Canon.HASH_LIST: lambda values: [hash_list(v) for v in values],
    Canon.CODED_LIST: lambda values: [coded_list(v) for v in values],
    Canon.SET: lambda values: [unordered(v) for v in values],
}


class Frame(Mapping[str, Sequence[Any]]):
    """Records of one dataset (or rows of one child) as lazily computed columns."""

    def __init__(self, columns: Sequence[Column], records: Sequence[Any]) -> None:
        self._declared = {c.name: c for c in columns}
        self.records = records
        self._computed: dict[str, Sequence[Any]] = {}
        self._shared: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Sequence[Any]:
        if name not in self._computed:
            column = self._declared[name]
            if column.derive is None:
                self._computed[name] = self.shared("fields", self._fields)[column.field]
            else:
                self._computed[name] = DERIVATIONS[column.derive](self, column.derived_from)
        return self._computed[name]

    def _fields(self) -> dict[str, Sequence[Any]]:
        if not self.records:
            return defaultdict(tuple)
        names = self.records[0].__struct_fields__
        return dict(zip(names, zip(*map(msgspec.structs.astuple, self.records), strict=True), strict=True))

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)

    def shared(self, name: str, compute: Callable[[], Any]) -> Any:
        """A value that several derived columns need, computed once."""
        if name not in self._shared:
            self._shared[name] = compute()
        return self._shared[name]

    def forget(self) -> None:
        """Drop what was computed, after a record was changed in place."""
        self._computed.clear()
        self._shared.clear()


def _tuples(frame: Frame, columns: Sequence[Column]) -> Iterator[tuple[Any, ...]]:
    compared = [c for c in columns if c.canon is not Canon.OFF]
    return zip(*(_canonical(frame[c.name], c) for c in compared), strict=True)


def _canonical(values: Sequence[Any], column: Column) -> Sequence[Any]:
    if column.canon is Canon.PLAIN and column.type not in ("text", "date"):
        return values
    return _CANONICAL[column.canon](values)


class Codec:
    """How the records of one dataset become keys, hashes and lines for COPY."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.children = tuple(ChildCodec(dataset, child) for child in dataset.children)
        self.stored_columns = (*(c.name for c in dataset.columns), "extra", "row_hash", "valid_from")

    def frame(self, records: Sequence[Any]) -> Frame:
        return Frame(self.dataset.columns, records)

    def hashes(self, frame: Frame) -> Int64s:
        """One hash for each record: equal exactly when nothing that counts has changed."""
        tuples: Iterator[Any] = _tuples(frame, self.dataset.columns)
        if self.children:
            of_children = (child.digests(frame.records) for child in self.children)
            tuples = zip(tuples, *of_children, strict=True)
        digest = xxhash.xxh3_64_intdigest
        unsigned = np.fromiter((digest(_pack(t)) for t in tuples), dtype=np.uint64, count=len(frame.records))
        return unsigned.view(np.int64)

    def keys(self, frame: Frame) -> list[str]:
        """Keys as text, the parts of a composite one joined by ``|``."""
        parts = [map(str, frame[name]) for name in self.dataset.key]
        return list(parts[0]) if len(parts) == 1 else list(map("|".join, zip(*parts, strict=True)))

    def ids(self, frame: Frame) -> Int64s:
        """One 64-bit integer for each key: the key itself where it is one, else its hash."""
        if self.dataset.integer_key:
            return np.array(frame[self.dataset.key[0]], dtype=np.int64)
        return np.fromiter(map(text_id, self.keys(frame)), dtype=np.int64, count=len(frame.records))

    def partitions(self, frame: Frame) -> Sequence[str]:
        """The partition that each record belongs to by its own value."""
        column = self.dataset.partition_column
        if column is None:
            return [WHOLE] * len(frame.records)
        return list(map(str, frame[column]))

    def lines(
        self, frame: Frame, hashes: Int64s, extras: Mapping[int, Mapping[str, Any]], valid_from: dt.datetime
    ) -> bytes:
        """COPY lines of all columns of the table, in the order of ``stored_columns``."""
        n = len(frame.records)
        columns: list[Sequence[str]] = [_as_text(frame[c.name], c.type) for c in self.dataset.columns]
        extra = [NULL] * n
        for index, value in extras.items():
            extra[index] = extra_text(value)
        columns += [extra, _numbers(hashes.tolist()), [valid_from.isoformat()] * n]
        return _lines(columns)


class ChildCodec:
    """The same for the rows of a child list, which carry their parent's key."""

    def __init__(self, dataset: Dataset, child: Child) -> None:
        self.dataset = dataset
        self.child = child
        self.table = f"{dataset.table}_{child.name}"
        self._key_columns = [c for c in child.columns if c.name in child.key]
        self.stored_columns = (
            child.parent,
            *(c.name for c in child.columns),
            "row_hash",
            "valid_from",
        )

    @property
    def key(self) -> tuple[str, ...]:
        return (self.child.parent, *self.child.key)

    def rows(self, record: Any) -> list[Any]:
        """The child rows of one record, decoded, one for each key."""
        kind = child_type(self.child)
        found = [msgspec.convert(row, kind) for row in getattr(record, self.child.source) or ()]
        frame = Frame(self.child.columns, found)
        keys = zip(*(_canonical(frame[c.name], c) for c in self._key_columns), strict=True)
        return list(dict(zip(keys, found, strict=True)).values())

    def digests(self, records: Sequence[Any]) -> list[list[int]]:
        """For each record, the sorted hashes of its child rows: their order means nothing."""
        return [sorted(self._hashes(self.rows(record))) for record in records]

    def _hashes(self, rows: Sequence[Any]) -> list[int]:
        tuples = _tuples(Frame(self.child.columns, rows), self.child.columns)
        return [signed(xxhash.xxh3_64_intdigest(_pack(t))) for t in tuples]

    def lines(self, frame: Frame, valid_from: dt.datetime) -> bytes:
        """COPY lines of the child rows of all records of ``frame``."""
        out: list[bytes] = []
        parents = frame[self.dataset.key[0]]
        for parent, record in zip(parents, frame.records, strict=True):
            rows = self.rows(record)
            if not rows:
                continue
            child = Frame(self.child.columns, rows)
            columns: list[Sequence[str]] = [[str(parent)] * len(rows)]
            columns += [_as_text(child[c.name], c.type) for c in self.child.columns]
            columns += [_numbers(self._hashes(rows)), [valid_from.isoformat()] * len(rows)]
            out.append(_lines(columns))
        return b"".join(out)


@cache
def codec(dataset: Dataset) -> Codec:
    return Codec(dataset)


def _numbers(values: Sequence[float | None]) -> list[str]:
    """Numbers as text, shortest form, whole ones without a fraction; one call for the whole column."""
    text = msgspec.json.encode(values).decode()[1:-1] + ","
    if ".0," in text:
        text = text.replace(".0,", ",")
    if "null" in text:
        text = text.replace("null", NULL)
    return text[:-1].split(",") if values else []


def _array(values: Sequence[str]) -> str:
    quoted = (v.replace("\\", "\\\\").replace('"', '\\"') for v in values)
    return "{" + ",".join(f'"{q}"' for q in quoted) + "}"


def _as_text(values: Sequence[Any], kind: str) -> Sequence[str]:
    if kind in ("text", "date"):
        return [NULL if v is None else v for v in values] if None in values else values
    if kind in ("bigint", "integer", "numeric"):
        return _numbers(values)
    if kind == "boolean":
        return [NULL if v is None else "t" if v else "f" for v in values]
    if kind == "text[]":
        return [NULL if v is None else _array(v) for v in values]
    raise ValueError(f"no COPY text for columns of type {kind}")


_TAB, _NEWLINE = 9, 10
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\ufffd"})


def _lines(columns: Sequence[Sequence[str]]) -> bytes:
    """Lines for COPY. Tabs and newlines inside values show in their number; the rest is escaped in one go."""
    n, width = len(columns[0]), len(columns)
    if n == 0:
        return b""
    text = "\n".join(map("\t".join, zip(*columns, strict=True)))
    for special, escape in (("\\", "\\\\"), ("\r", "\\r"), ("\x00", "\ufffd")):
        if special in text:
            text = text.replace(special, escape)
    lines = text.encode("utf-8", "replace") + b"\n"
    octets = np.frombuffer(lines, dtype=np.uint8)
    if np.count_nonzero(octets == _TAB) == n * (width - 1) and np.count_nonzero(octets == _NEWLINE) == n:
        return lines
    escaped = ([v.translate(_ESCAPES) for v in column] for column in columns)
    return "\n".join(map("\t".join, zip(*escaped, strict=True))).encode("utf-8", "replace") + b"\n"
