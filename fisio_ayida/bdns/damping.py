"""Values that vanish and come back: a null is believed the second time it is seen.

The source drops deadlines and sector lists now and then (CONTRACT §3.2, §3.7). Until a second reading
agrees, the stored value stands and the sighting is kept in ``ops.null_sightings``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from fisio_ayida.bdns import evidence
from fisio_ayida.bdns.records import Record
from fisio_ayida.bdns.stored import flapping_values
from fisio_ayida.bdns.windows import Window


class Damper:
    """What is known of vanished values in one window, before and after this load."""

    def __init__(self, conn: psycopg.Connection[Any], window: Window) -> None:
        self._conn = conn
        self._dataset = window.dataset
        self._columns = window.dataset.flapping
        self._sighted = evidence.sightings(conn, window.dataset, window.partitions) if self._columns else set()
        self._waiting = {key for key, _ in self._sighted}
        self._first: list[tuple[str, str, str]] = []
        self._settled: list[tuple[str, str]] = []

    @property
    def applies(self) -> bool:
        """The dataset has such columns at all."""
        return bool(self._columns)

    @property
    def awaits(self) -> bool:
        """Some value of this window was missing at the last reading."""
        return bool(self._waiting)

    def see(self, keys: Sequence[str], records: Sequence[Record]) -> None:
        """A value that is back, after one null, was never gone."""
        for key, record in zip(keys, records, strict=True):
            if key not in self._waiting:
                continue
            for column in self._columns:
                if (key, column.name) in self._sighted and getattr(record, column.field) is not None:
                    self._settled.append((key, column.name))
                    self._sighted.discard((key, column.name))

    def damp(self, keys: Sequence[str], partitions: Sequence[str], records: Sequence[Record]) -> list[int]:
        """Put back, in these changed records, what has vanished for the first time; gives their positions.

        What is missing for the second time is left missing: it is believed.
        """
        before = flapping_values(self._conn, self._dataset, list(keys))
        touched: list[int] = []
        for i, (key, partition, record) in enumerate(zip(keys, partitions, records, strict=True)):
            old = before.get(key, {})
            for column in self._columns:
                if getattr(record, column.field) is not None or old.get(column.name) is None:
                    continue
                if (key, column.name) in self._sighted:
                    self._settled.append((key, column.name))
                    continue
                setattr(record, column.field, old[column.name])
                self._first.append((partition, key, column.name))
                if not touched or touched[-1] != i:
                    touched.append(i)
        return touched

    def save(self, now: dt.datetime) -> None:
        """Keep what was seen for the first time, forget what is settled."""
        if self._first or self._settled:
            evidence.update_sightings(self._conn, self._dataset, first=self._first, over=self._settled, now=now)
