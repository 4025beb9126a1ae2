"""Where rows are: how many each part (day, year, administration) holds and which are published.

Counts come from the configuration and the steps; a row itself is written elsewhere. Memory is a few
numbers per part, plus a small cache of parts from which something was withdrawn.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fisio_ayida.simulators.bdns.config import SimulatorConfig, day_number
from fisio_ayida.simulators.bdns.hashing import I64, U64, Flags, hits, one_hit, salt
from fisio_ayida.simulators.bdns.timeline import Step, Timeline, row_keys

CACHED_PARTS = 64


@dataclass(frozen=True)
class Rows:
    """Places in the data, in natural order, with the hash of each."""

    parts: I64
    indices: I64
    keys: U64

    def __len__(self) -> int:
        return len(self.parts)

    def take(self, at: I64 | Flags) -> Rows:
        """A selection of these rows."""
        return Rows(self.parts[at], self.indices[at], self.keys[at])

    def reversed(self) -> Rows:
        """The same rows, last first."""
        return Rows(self.parts[::-1], self.indices[::-1], self.keys[::-1])


# Decides which rows the yearly purge withdraws: (rows, today) -> True for withdrawn.
Purge = Callable[[Rows, int], Flags]


class Population:
    """The rows of one dataset by part."""

    def __init__(
        self,
        dataset: str,
        config: SimulatorConfig,
        timeline: Timeline,
        parts: Sequence[int],
        counts: Sequence[int],
        daily: bool,
        purge: Purge | None = None,
    ) -> None:
        self.dataset = dataset
        self.config = config
        self.timeline = timeline
        self.daily = daily
        self.purge = purge
        self.drift = 0  # rows that today gained because somebody looked (Q25)
        self._counts = dict(zip(parts, counts, strict=True)) if not daily else {}
        self.first = parts[0] if parts else 0
        self._published: OrderedDict[tuple[int, int], I64 | int] = OrderedDict()
        self._sizes: dict[tuple[int, int], int] = {}

    def base(self, part: int) -> int:
        """Rows that a part holds before any step."""
        if self.daily:
            return daily_count(self.config, self.dataset, part)
        return self._counts.get(part, 0)

    def parts(self, step: int) -> Sequence[int]:
        """Parts that exist at a step."""
        if self.daily:
            return range(self.first, self.timeline.steps[step].today + 1)
        return list(self._counts)

    def visible(self, part: int, step: Step) -> int:
        """Base rows already registered at a step: all of a past day, some of today."""
        base = self.base(part)
        if not self.daily or part < step.today:
            return base
        return min(base, int(base * self.config.today_fraction) + self.drift) if part == step.today else 0

    def midnight(self, part: int) -> int:
        """How many of a day's first rows carry the timestamp 00:00:00 exactly (Q1, Q2)."""
        exact = self.base(part) * 0.0005
        whole = int(exact)
        return whole + one_hit(part, salt(self.config.seed, self.dataset, "midnight"), exact - whole)

    def rows(self, parts: I64, indices: I64) -> Rows:
        """Rows at given places."""
        return Rows(parts, indices, row_keys(self.config.seed, self.dataset, parts, indices))

    def rows_of(self, part: int, indices: I64) -> Rows:
        """Rows of one part."""
        return self.rows(np.full(len(indices), part, dtype=np.int64), indices)

    def born(self, part: int, indices: I64, step: int) -> Flags:
        """True for rows that had been registered by a step, withdrawn or not."""
        at = self.timeline.steps[step]
        base = self.base(part)
        until = base + sum(n for _, n in self.timeline.added(self.dataset, part, base, step, self.daily))
        return np.asarray((indices < self.visible(part, at)) | ((indices >= base) & (indices < until)))

    def published(self, part: int, step: int) -> I64 | int:
        """Indices published at a step; a plain number n stands for 0..n-1."""
        key = (part, step)
        if key in self._published:
            self._published.move_to_end(key)
            return self._published[key]
        found = self._compute(part, step)
        self._published[key] = found
        while len(self._published) > CACHED_PARTS:
            self._published.popitem(last=False)
        return found

    def size(self, part: int, step: int) -> int:
        """How many rows a part publishes at a step."""
        key = (part, step)
        if key not in self._sizes:
            found = self.published(part, step)
            self._sizes[key] = found if isinstance(found, int) else len(found)
        return self._sizes[key]

    def indices(self, part: int, step: int) -> I64:
        """Indices published at a step, as an array."""
        found = self.published(part, step)
        return np.arange(found, dtype=np.int64) if isinstance(found, int) else found

    def forget_today(self) -> None:
        """Drop what was cached about today, whose rows may grow (Q25)."""
        today = self.timeline.today
        self._sizes = {key: size for key, size in self._sizes.items() if key[0] != today}
        for key in [key for key in self._published if key[0] == today]:
            del self._published[key]

    def _compute(self, part: int, number: int) -> I64 | int:
        timeline, steps = self.timeline, self.timeline.steps
        visible = self.visible(part, steps[number])
        base = self.base(part)
        births = timeline.added(self.dataset, part, base, number, self.daily)
        total = visible + sum(n for _, n in births)
        losing = [s for s in timeline.over(self.dataset, number) if s.removed or s.restored]
        purging = self.purge is not None and steps[number].retention
        if not purging and not any(s.removed for s in losing):
            return total
        rows = self.rows_of(part, np.arange(total, dtype=np.int64))
        alive = np.ones(total, dtype=np.bool_)
        for step in losing:
            until = self.visible(part, step)
            if until == base:
                until += sum(n for s, n in births if s.number < step.number)
            lost = hits(rows.keys, timeline.purpose(step, "removed"), step.removed)
            lost[until:] = False
            back = ~alive & hits(rows.keys, timeline.purpose(step, "restored"), step.restored)
            alive = (alive & ~lost) | back
        if purging and self.purge is not None:
            alive &= ~self.purge(rows, steps[number].today)
        return np.nonzero(alive)[0].astype(np.int64)


def daily_count(config: SimulatorConfig, dataset: str, day: int) -> int:
    """Rows registered on a day before any step."""
    first = day_number(config.start(dataset))
    if day < first:
        return 0
    if dataset == "partidos_politicos":
        span = max(1, day_number(config.today) - first)
        total, at = config.size(dataset), day - first
        return (at + 1) * total // span - at * total // span
    rows = config.rows(dataset)
    # 2000-01-01, day number 0, was a Saturday.
    return round(rows * config.weekend_factor) if day % 7 in (0, 1) else rows
