"""One window inside one transaction: compare what comes with what is stored, write the difference,
prove that it is all there.

Batches go in by :meth:`WindowLoad.add`; :meth:`WindowLoad.finish` checks the sums, moves withdrawn
and superseded versions to history and gives the counts. Fetching and committing are the caller's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import msgspec
import numpy as np
import psycopg

from fisio_ayida.bdns import evidence, merge, stored
from fisio_ayida.bdns.codec import Frame, Int64s, codec, extra_text, text_id
from fisio_ayida.bdns.damping import Damper
from fisio_ayida.bdns.errors import ContractBroken, IncompleteWindow, WindowHeld
from fisio_ayida.bdns.ordinals import Unnumbered
from fisio_ayida.bdns.records import Batch, Drift, Reject
from fisio_ayida.bdns.windows import Window
from fisio_ayida.warehouse.copying import Copying

Bools = np.typing.NDArray[np.bool_]

SLICE = 512  # rows that are compared and written at a time: they stay in the processor's cache
MOST_ASIDE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Guard:
    """How much a load may remove by itself: more than ``share`` and more than ``rows`` needs a person."""

    share: float = 0.05
    rows: int = 100
    allow: bool = False

    def exceeded(self, count: int, of: int) -> bool:
        """Whether so many of so many are more than may pass unseen."""
        return count > self.rows and count > self.share * of

    def holds(self, removed: int, of: int) -> bool:
        """Whether a removal waits for a person, who has not yet allowed it."""
        return not self.allow and self.exceeded(removed, of)


@dataclass(slots=True)
class Counts:
    """What happened to the rows of one partition."""

    received: int = 0
    new: int = 0
    changed: int = 0
    removed: int = 0
    restored: int = 0
    unchanged: int = 0
    rejected: int = 0
    repeated: int = 0
    damped: int = 0
    would_remove: int = 0


@dataclass(slots=True)
class Outcome:
    """The sums of a window, and the counts of each of its partitions."""

    counts: dict[str, Counts]
    received: int
    outside: int  # rows at the window's midnight, left to the next one
    unusable: int  # received and neither stored nor a copy of what is
    total_first: int | None
    total_last: int | None
    rejects: list[Reject] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)


class WindowLoad:
    """The comparison of one window, in an open transaction that holds the window's locks.

    ``skip`` are partitions that are read but not written (held for a person). With ``staged`` new rows
    go by way of a temporary table, which can take a key that is stored under another partition; else
    they are copied straight into the table, and ``UniqueViolation`` says that the other way is needed.
    """

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        window: Window,
        *,
        now: dt.datetime,
        guard: Guard,
        staged: bool = False,
        skip: frozenset[str] = frozenset(),
    ) -> None:
        self.conn = conn
        self.window = window
        self.dataset = window.dataset
        self.now = now
        self.guard = guard
        self.staged = staged
        self.codec = codec(window.dataset)
        self.stored = stored.read(conn, window)
        self.counts = {p: Counts() for p in window.partitions}
        self.received = self.outside = 0
        self.total_first: int | None = None
        self.total_last: int | None = None
        self.rejects: list[Reject] = []
        self.drifts: list[Drift] = []
        self._index = {p: i for i, p in enumerate(window.partitions)}
        self._skipped = [self._index[p] for p in skip if p in self._index]
        self._ids: list[Int64s] = []
        self._new_ids: list[Int64s] = []
        self._new_parts: list[Int64s] = []
        self._has_stage = False
        self._copying = Copying(conn)
        self._aside: dict[str | None, list[bytes]] = {}
        self._aside_bytes = 0
        self._damper = Damper(conn, window)
        self._unnumbered = Unnumbered()

    def __enter__(self) -> WindowLoad:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._copying.abort(error)

    # -- taking rows in ---------------------------------------------------------------------------

    def add(self, batch: Batch) -> None:
        """Compare the rows of one batch and write those that differ."""
        self.received += batch.received
        if batch.total is not None:
            self.total_first = batch.total if self.total_first is None else self.total_first
            self.total_last = batch.total
        self.rejects += batch.rejects
        self.drifts += batch.drifts
        if self.dataset.ordinal:
            self._unnumbered.add(batch)
        else:
            self._take(batch)

    def _take(self, batch: Batch) -> None:
        if batch.extras or batch.partial:
            self._compare(batch)
            return
        for start in range(0, len(batch.records), SLICE):
            self._compare(Batch(batch.records[start : start + SLICE]))

    def _compare(self, batch: Batch) -> None:
        if not batch.records:
            return
        frame = self.codec.frame(batch.records)
        ids = self.codec.ids(frame)
        self._ids.append(ids)
        parts, inside = self._parts(frame)
        hashes = self.codec.hashes(frame)
        positions, found = self.stored.find(ids)
        found &= inside
        for i in batch.partial:
            if found[i]:
                # What is stored is more than what came: it stands.
                hashes[i] = self.stored.hashes[positions[i]]
        same = found.copy()
        same[found] = self.stored.hashes[positions[found]] == hashes[found]
        self.stored.seen[positions[found]] = True
        if self._damper.awaits:
            whole = [i for i in range(len(ids)) if i not in batch.partial]
            keys = self.codec.keys(frame)
            self._damper.see([keys[i] for i in whole], [batch.records[i] for i in whole])
        changed = found & ~same
        if self._damper.applies and changed.any():
            changed, same = self._damp(batch, frame, parts, hashes, positions, changed, same)
        new = inside & ~found
        self._count(parts, new, changed, same)
        self._write(batch, frame, parts, ids, hashes, new, changed)
        if batch.extras:
            self._refresh_extras(batch, frame, same)

    def _parts(self, frame: Frame) -> tuple[Int64s, Bools]:
        """Position of each row's partition, and whether the row belongs to this window at all.

        A row stamped at midnight of the day after is answered by both neighbours (CONTRACT §2.5, Q2); it
        is left to the window that owns it. Any other stranger means that the filter was not applied.
        """
        names = self.codec.partitions(frame)
        parts = np.fromiter((self._index.get(n, -1) for n in names), dtype=np.int64, count=len(names))
        strangers = np.flatnonzero(parts < 0).tolist()
        for i in strangers:
            if not self.dataset.is_windowed or names[i] != self.window.end.isoformat():
                raise ContractBroken(
                    f"{self.dataset.name} {self.window.label}: a row with {self.dataset.partition_column}="
                    f"{names[i]} came, so the source did not apply our filter; nothing was written"
                )
        self.outside += len(strangers)
        inside = parts >= 0
        if self._skipped:
            inside &= ~np.isin(parts, self._skipped)
        return parts, inside

    def _count(self, parts: Int64s, new: Bools, changed: Bools, same: Bools) -> None:
        size = len(self.window.partitions)
        known = parts >= 0
        for name, mask in (("received", known), ("new", new), ("changed", changed), ("unchanged", same)):
            if mask.any():
                for i, n in enumerate(np.bincount(parts[mask], minlength=size)):
                    if n:
                        counts = self.counts[self.window.partitions[i]]
                        setattr(counts, name, getattr(counts, name) + int(n))

    def _write(
        self, batch: Batch, frame: Frame, parts: Int64s, ids: Int64s, hashes: Int64s, new: Bools, changed: Bools
    ) -> None:
        if new.any():
            self._new_ids.append(ids[new])
            self._new_parts.append(parts[new])
        straight = not self.staged and not self.codec.children
        if straight and new.any():
            lines = self._lines(batch, frame, hashes, new)
            self._copying.write(self.dataset.table, self.codec.stored_columns, lines)
        aside = changed if straight else changed | new
        if aside.any():
            self._stage(batch, frame, hashes, aside)

    def _stage(self, batch: Batch, frame: Frame, hashes: Int64s, rows: Bools) -> None:
        """Put rows aside for the end of the window, in memory until they are worth a COPY of their own."""
        self._aside.setdefault(None, []).append(self._lines(batch, frame, hashes, rows))
        for child in self.codec.children:
            subset = self.codec.frame([batch.records[i] for i in np.flatnonzero(rows)])
            self._aside.setdefault(child.child.name, []).append(child.lines(subset, self.now))
        self._aside_bytes += sum(len(lines[-1]) for lines in self._aside.values())
        if self._aside_bytes > MOST_ASIDE_BYTES:
            self._flush_aside()

    def _flush_aside(self) -> None:
        self._copying.finish()
        if not self._aside:
            return
        if not self._has_stage:
            merge.create_stage(self.conn, self.codec)
            self._has_stage = True
        columns = {None: self.codec.stored_columns} | {c.child.name: c.stored_columns for c in self.codec.children}
        for name, lines in self._aside.items():
            self._copying.write(merge.stage_table(self.dataset, name), columns[name], b"".join(lines))
        self._copying.finish()
        self._aside.clear()
        self._aside_bytes = 0

    def _lines(self, batch: Batch, frame: Frame, hashes: Int64s, rows: Bools) -> bytes:
        if rows.all():
            return self.codec.lines(frame, hashes, batch.extras, self.now)
        chosen = np.flatnonzero(rows).tolist()
        extras = {n: batch.extras[i] for n, i in enumerate(chosen) if i in batch.extras}
        subset = self.codec.frame([batch.records[i] for i in chosen])
        return self.codec.lines(subset, hashes[rows], extras, self.now)

    def _refresh_extras(self, batch: Batch, frame: Frame, same: Bools) -> None:
        chosen = [i for i in batch.extras if same[i]]
        if chosen:
            self._copying.finish()
            keys = self.codec.keys(frame)
            merge.refresh_extra(
                self.conn,
                self.dataset,
                [keys[i] for i in chosen],
                [extra_text(batch.extras[i]) for i in chosen],
            )

    def _damp(
        self, batch: Batch, frame: Frame, parts: Int64s, hashes: Int64s, positions: Int64s,
        changed: Bools, same: Bools,
    ) -> tuple[Bools, Bools]:  # fmt: skip
        """Compare again, with what has vanished for the first time put back."""
        keys = self.codec.keys(frame)
        chosen = np.flatnonzero(changed).tolist()
        self._copying.finish()
        touched = self._damper.damp(
            [keys[i] for i in chosen],
            [self.window.partitions[parts[i]] for i in chosen],
            [batch.records[i] for i in chosen],
        )
        if not touched:
            return changed, same
        rows = [chosen[i] for i in touched]
        again = self.codec.hashes(self.codec.frame([batch.records[i] for i in rows]))
        frame.forget()
        changed, same = changed.copy(), same.copy()
        for i, value in zip(rows, again, strict=True):
            hashes[i] = value
            self.counts[self.window.partitions[parts[i]]].damped += 1
            if value == self.stored.hashes[positions[i]]:
                changed[i], same[i] = False, True
        return changed, same

    # -- the end ----------------------------------------------------------------------------------

    def finish(self, *, whole: bool = True) -> Outcome:
        """Check the sums, write history and withdrawals; raises if the window is not proven.

        With ``whole`` false only some records of the window were asked for: nothing is proven and nothing
        withdrawn. Raises :class:`IncompleteWindow` (ask again) or :class:`WindowHeld` (a person must allow
        it); the caller then rolls back.
        """
        if self.dataset.ordinal:
            self._take(self._unnumbered.numbered(self.codec, self.stored))
            self.counts[self.window.partitions[0]].repeated = self._unnumbered.repeats
        self._flush_aside()
        if whole:
            self._prove()
        gone = self._gone() if whole else np.zeros(0, dtype=np.int64)
        self._hold_if_too_many(gone)
        if self._has_stage:
            self._apply_stage()
        self._count_restored()
        if len(gone):
            merge.withdraw(self.conn, self.codec, [self.stored.key(int(i)) for i in gone], self.now)
            for counts in self.counts.values():
                counts.removed = counts.would_remove
        self._damper.save(self.now)
        for reject in self.rejects:
            self.counts[self._partition_of(reject)].rejected += 1
        taken = sum(len(ids) for ids in self._ids)
        return Outcome(
            self.counts,
            self.received,
            self.outside,
            self.received - taken - self._unnumbered.repeats,
            self.total_first,
            self.total_last,
            self.rejects,
            self.drifts,
            self._resolved(),
        )

    def _resolved(self) -> list[str]:
        """Keys of records that were once unusable and have now arrived in good order."""
        waiting = sorted(
            evidence.open_reject_keys(self.conn, self.dataset) - {r.key for r in self.rejects if r.key}
        )
        if not waiting or not self._ids:
            return []
        as_id = int if self.dataset.integer_key else text_id
        ids = np.fromiter((as_id(k) for k in waiting), dtype=np.int64, count=len(waiting))
        here = np.isin(ids, np.concatenate(self._ids))
        return [key for key, found in zip(waiting, here.tolist(), strict=True) if found]

    def _prove(self) -> None:
        """Rows received, distinct keys and the source's own total are one number."""
        ids = np.concatenate(self._ids) if self._ids else np.zeros(0, dtype=np.int64)
        # They come in order where the source can sort by key, and then there is nothing to look for.
        distinct = len(ids) if np.all(ids[1:] > ids[:-1]) else len(np.unique(ids))
        unusable = self.received - len(ids) - self._unnumbered.repeats
        words = (
            f"{self.dataset.name} {self.window.label}: received {self.received} rows, {distinct} distinct keys"
            f" ({unusable} unusable), the source announced {self.total_first} on the first page"
            f" and {self.total_last} on the last"
        )
        if distinct != len(ids):
            raise IncompleteWindow(f"{words}: keys came twice")
        if self.total_first is not None and not (self.received == self.total_first == self.total_last):
            raise IncompleteWindow(words)

    def _gone(self) -> Int64s:
        """Positions of stored rows that the source no longer publishes."""
        rejected = {r.key for r in self.rejects}
        if None in rejected:
            # A record whose key cannot be read may be any of those that are missing.
            return np.zeros(0, dtype=np.int64)
        missing = np.flatnonzero(~self.stored.seen)
        if self._skipped:
            missing = missing[~np.isin(self.stored.parts[missing], self._skipped)]
        if rejected:
            missing = np.array(
                [i for i in missing if str(self.stored.key(int(i))) not in rejected], dtype=np.int64
            )
        return missing

    def _hold_if_too_many(self, gone: Int64s) -> None:
        size = len(self.window.partitions)
        removed = np.bincount(self.stored.parts[gone], minlength=size)
        had = np.bincount(self.stored.parts, minlength=size)
        for partition, n in zip(self.window.partitions, removed.tolist(), strict=True):
            self.counts[partition].would_remove = n
        held = {
            p for p, n, of in zip(self.window.partitions, removed.tolist(), had.tolist(), strict=True)
            if self.guard.holds(n, of)
        }  # fmt: skip
        if self.guard.holds(int(removed.sum()), int(had.sum())):
            held |= {p for p, n in zip(self.window.partitions, removed.tolist(), strict=True) if n}
        if held:
            raise WindowHeld(
                f"{self.dataset.name} {self.window.label}: the load would remove {int(removed.sum())} of"
                f" {int(had.sum())} rows (guard: more than {self.guard.rows} and {self.guard.share:.0%}); "
                "nothing of it was written. If the source has really withdrawn them, run it again with "
                "allow_removals",
                frozenset(held),
            )

    def _apply_stage(self) -> None:
        for child in self.codec.children:
            merge.replace_children(self.conn, self.dataset, child, self.now)
        if self.staged or self.codec.children:
            self._recount_moved()
        merge.supersede(self.conn, self.codec, self.now)
        merge.insert_staged(self.conn, self.codec)

    def _recount_moved(self) -> None:
        """Keys that were taken for new and are stored under another partition have changed it."""
        stage = merge.stage_table(self.dataset)
        key = merge.key_expression(self.dataset, "s")
        same = merge.same_key(self.dataset.key, "t", "s")
        rows = self.conn.execute(f"select {key} from {stage} s join {self.dataset.table} t on {same}").fetchall()
        moved = {int(k) if self.dataset.integer_key else text_id(k) for (k,) in rows}
        for ids, parts in zip(self._new_ids, self._new_parts, strict=True):
            for value, part in zip(ids.tolist(), parts.tolist(), strict=True):
                if value in moved:
                    counts = self.counts[self.window.partitions[part]]
                    counts.new -= 1
                    counts.changed += 1

    def _count_restored(self) -> None:
        if not self._new_ids:
            return
        known = stored.withdrawn_ids(self.conn, self.window)
        if not len(known):
            return
        parts = np.concatenate(self._new_parts)[np.isin(np.concatenate(self._new_ids), known)]
        for i, n in enumerate(np.bincount(parts, minlength=len(self.window.partitions)).tolist()):
            counts = self.counts[self.window.partitions[i]]
            counts.restored += n
            counts.new -= n

    def _partition_of(self, reject: Reject) -> str:
        """The partition that a reject is counted in: its own where it can be read, else the first."""
        column = self.dataset.partition_column
        if column is None or len(self.window.partitions) == 1:
            return self.window.partitions[0]
        try:
            value = str(msgspec.json.decode(reject.payload)[self.dataset.column(column).field])
        except (msgspec.DecodeError, KeyError, TypeError):
            return self.window.partitions[0]
        return value if value in self._index else self.window.partitions[0]
