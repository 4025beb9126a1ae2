"""Steps of time: what was added, changed, withdrawn, restored or only re-spelled, and when.

A step is a value; its effect on a row is a pure function of (seed, step number, row). No row is
remembered here. Where rows are is the matter of population.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from fisio_ayida.simulators.bdns.config import DATASETS, SimulatorError
from fisio_ayida.simulators.bdns.hashing import I64, U64, Flags, below, draw, hits, one_below, one_hit, salt
from fisio_ayida.simulators.bdns.people import SPELLINGS

RATES = ("added", "changed", "removed", "restored", "respelled", "blanked")


@dataclass(frozen=True)
class Step:
    """One step and the calendar after it. Step 0 is the start."""

    number: int
    today: int
    retention: bool = False
    added: float = 0.0
    changed: float = 0.0
    removed: float = 0.0
    restored: float = 0.0
    respelled: float = 0.0
    blanked: float = 0.0
    shuffled: bool = False
    datasets: frozenset[str] | None = None

    def touches(self, dataset: str) -> bool:
        """True when the step concerns the dataset."""
        return self.datasets is None or dataset in self.datasets


@dataclass(frozen=True)
class Changed:
    """What real changes have done to rows: per kind how often, and by how many cents the amount grew."""

    times: I64  # kinds x rows
    cents: I64

    @property
    def any(self) -> Flags:
        """True for rows that really differ."""
        return np.asarray(self.times.any(axis=0))


class Timeline:
    """The steps so far and the questions that rendering asks of them."""

    def __init__(self, seed: int, today: int, retention: bool) -> None:
        self.seed = seed
        self.steps: list[Step] = [Step(0, today, retention)]

    @property
    def now(self) -> int:
        """The number of the current step."""
        return len(self.steps) - 1

    @property
    def today(self) -> int:
        """The current day number."""
        return self.steps[-1].today

    def advance(self, body: Mapping[str, object]) -> Step:
        """Append a step from a control call.

        Raises:
            SimulatorError: an unknown name, a rate outside 0..1 or an unknown dataset.
        """
        last = self.steps[-1]
        values: dict[str, object] = {}
        for name, value in body.items():
            if name in RATES:
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                    raise SimulatorError(f"step {name}={value!r}: a number from 0 to 1 is allowed")
                values[name] = float(value)
            elif name == "shuffled":
                values[name] = bool(value)
            elif name == "datasets":
                if value is not None:
                    if not isinstance(value, list) or not set(value) <= set(DATASETS):
                        raise SimulatorError(
                            f"step datasets={value!r}: a list out of {', '.join(DATASETS)} is allowed"
                        )
                    values[name] = frozenset(value)
            elif name == "advance_days":
                if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3660:
                    raise SimulatorError(f"step advance_days={value!r}: a whole number from 0 to 3660 is allowed")
                values["today"] = last.today + value
            else:
                allowed = ", ".join((*RATES, "shuffled", "datasets", "advance_days"))
                raise SimulatorError(f"step {name}: one of {allowed} is allowed")
        base = Step(last.number + 1, last.today, last.retention)
        self.steps.append(replace(base, **values))  # type: ignore[arg-type]
        return self.steps[-1]

    def set_retention(self, retention: bool) -> None:
        """Switch the yearly purge (Q27) on or off, as a step of its own when that changes anything."""
        last = self.steps[-1]
        if last.retention != retention:
            self.steps.append(Step(last.number + 1, last.today, retention))

    def over(self, dataset: str, until: int, since: int = 0) -> Iterator[Step]:
        """Steps after `since` up to `until` that concern a dataset."""
        return (step for step in self.steps[since + 1 : until + 1] if step.touches(dataset))

    def purpose(self, step: Step, effect: str) -> int:
        """The hash purpose of one effect of one step."""
        return salt(self.seed, "step", step.number, effect)

    def added(self, dataset: str, part: int, base: int, until: int, daily: bool) -> list[tuple[Step, int]]:
        """How many rows each step added to a part."""
        found = []
        for step in self.over(dataset, until):
            if step.added and (not daily or part < step.today):
                purpose = self.purpose(step, "added")
                exact = step.added * base
                whole = int(exact)
                found.append((step, whole + one_hit(part, purpose ^ salt(dataset), exact - whole)))
        return found

    def changed(self, dataset: str, keys: U64, kinds: int, until: int, since: int = 0) -> Changed | None:
        """Real changes of rows between two steps, or None when there cannot be any."""
        steps = [step for step in self.over(dataset, until, since) if step.changed]
        if not steps:
            return None
        times = np.zeros((kinds, len(keys)), dtype=np.int64)
        cents = np.zeros(len(keys), dtype=np.int64)
        for step in steps:
            at = np.nonzero(hits(keys, self.purpose(step, "changed"), step.changed))[0]
            kind = below(keys[at], self.purpose(step, "kind"), kinds)
            times[kind, at] += 1
            grown = 100 * (1 + below(keys[at], self.purpose(step, "cents"), 500))
            cents[at] += np.where(kind == 0, grown, 0)
        return Changed(times, cents)

    def changed_one(self, dataset: str, key: int, kinds: int, until: int) -> tuple[list[int], int]:
        """The scalar twin of :meth:`changed`."""
        times, cents = [0] * kinds, 0
        for step in self.over(dataset, until):
            if step.changed and one_hit(key, self.purpose(step, "changed"), step.changed):
                kind = one_below(key, self.purpose(step, "kind"), kinds)
                times[kind] += 1
                if kind == 0:
                    cents += 100 * (1 + one_below(key, self.purpose(step, "cents"), 500))
        return times, cents

    def spellings(self, dataset: str, persons: I64, until: int) -> I64 | None:
        """Which spelling of its name each person has after the steps, or None when all have the first."""
        steps = [step for step in self.over(dataset, until) if step.respelled]
        if not steps:
            return None
        keys = persons.astype(np.uint64)
        spelled = np.zeros(len(keys), dtype=np.int64)
        for step in steps:
            at = hits(keys, self.purpose(step, "respelled"), step.respelled)
            spelled = np.where(at, below(keys, self.purpose(step, "spelling"), SPELLINGS), spelled)
        return spelled

    def order_salt(self, dataset: str, until: int) -> int:
        """The purpose that decides the order of listed elements after the last shuffle."""
        shuffles = [step for step in self.over(dataset, until) if step.shuffled]
        return salt(self.seed, dataset, "order", shuffles[-1].number if shuffles else 0)

    def blanked(self, dataset: str, keys: U64) -> tuple[int, Flags] | None:
        """The latest blanking step of a dataset and the rows it hits."""
        steps = [step for step in self.over(dataset, self.now) if step.blanked]
        if not steps:
            return None
        return steps[-1].number, hits(keys, self.purpose(steps[-1], "blanked"), steps[-1].blanked)

    def blanked_one(self, dataset: str, key: int) -> tuple[int, bool] | None:
        """The scalar twin of :meth:`blanked`."""
        steps = [step for step in self.over(dataset, self.now) if step.blanked]
        if not steps:
            return None
        return steps[-1].number, one_hit(key, self.purpose(steps[-1], "blanked"), steps[-1].blanked)


def row_keys(seed: int, dataset: str, parts: I64, indices: I64) -> U64:
    """The hash of each row's place in the data."""
    place = parts.astype(np.uint64) * np.uint64(1 << 24) + indices.astype(np.uint64)
    return draw(place, salt(seed, dataset))
