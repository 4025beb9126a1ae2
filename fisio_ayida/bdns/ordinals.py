"""Rows that nothing identifies: equal keys are told apart by an ordinal, copies are counted.

Only `sanciones` is such a dataset (CONTRACT §3.11). What makes a key is in the registry; comparing and
storing are ``load.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fisio_ayida.bdns.codec import Codec
from fisio_ayida.bdns.records import Batch, Record
from fisio_ayida.bdns.stored import Stored


class Unnumbered:
    """All rows of a window, held back until the last has come: before that none can be numbered."""

    def __init__(self) -> None:
        self.repeats = 0
        self._records: list[Record] = []
        self._extras: dict[int, dict[str, Any]] = {}

    def add(self, batch: Batch) -> None:
        start = len(self._records)
        self._records += batch.records
        self._extras |= {start + i: extra for i, extra in batch.extras.items()}

    def numbered(self, codec: Codec, stored: Stored) -> Batch:
        """One record for each key and content, with its ordinal and the number of its copies.

        Rows that are stored keep the ordinal they have, so that of two penalties with one key only the one
        that differs is a change.
        """
        copies: dict[tuple[str, int], list[int]] = {}
        for i, identity in enumerate(_identities(codec, self._records)):
            copies.setdefault(identity, []).append(i)
        records: list[Record] = []
        extras: dict[int, dict[str, Any]] = {}
        for same in copies.values():
            first = self._records[same[0]]
            first.repeticiones = len(same)
            if same[0] in self._extras:
                extras[len(records)] = self._extras[same[0]]
            records.append(first)
        self.repeats = len(self._records) - len(records)
        groups: dict[str, list[tuple[int, Record]]] = {}
        for (key, value), record in zip(_identities(codec, records), records, strict=True):
            groups.setdefault(key, []).append((value, record))
        taken = _stored_ordinals(stored)
        for key, members in groups.items():
            _number(members, taken.get(key, {}))
        return Batch(records, extras=extras)


def _identities(codec: Codec, records: Sequence[Record]) -> list[tuple[str, int]]:
    """Key and hash of each record."""
    frame = codec.frame(records)
    return list(zip(frame[codec.dataset.key[0]], codec.hashes(frame).tolist(), strict=True))


def _stored_ordinals(stored: Stored) -> dict[str, dict[int, int]]:
    """For each stored key, which hash has which ordinal."""
    out: dict[str, dict[int, int]] = {}
    for key, value in zip(stored.keys or (), stored.hashes.tolist(), strict=True):
        name, _, ordinal = key.rpartition("|")
        out.setdefault(name, {})[value] = int(ordinal)
    return out


def _number(members: Sequence[tuple[int, Record]], taken: Mapping[int, int]) -> None:
    """Give each record of one key its ordinal: the one its hash is stored under, else the lowest free."""
    used = {taken[value] for value, _ in members if value in taken}
    for value, record in sorted(members, key=lambda m: m[0]):
        if value in taken:
            record.ordinal = taken[value]
            continue
        ordinal = next(n for n in range(len(members) + len(used) + 1) if n not in used)
        used.add(ordinal)
        record.ordinal = ordinal
