"""What the data really is at a step, and what really changed between two: the referee's answers.

Independent of paging, quirks and noise. Streams part by part, so a month at 60,000 rows a day costs
seconds and little memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final

import numpy as np

from fisio_ayida.simulators.bdns.config import DATASETS, SEARCHED, SimulatorError, day_number
from fisio_ayida.simulators.bdns.hashing import I64, Flags
from fisio_ayida.simulators.bdns.population import Population, Rows
from fisio_ayida.simulators.bdns.text import dumps
from fisio_ayida.simulators.bdns.timeline import Changed
from fisio_ayida.simulators.bdns.whole import BigBeneficiaries, Penalties
from fisio_ayida.simulators.bdns.world import World

MAX_KEYS: Final = 1_000
_SORTED_NUMBERS: Final = ("concesiones", "ayudas_estado", "minimis", "partidos_politicos", "planes_estrategicos")


@dataclass(frozen=True)
class Scope:
    """Which part of a dataset is asked about: days from-to (to exclusive), or one other part."""

    dataset: str
    first: int | None = None
    last: int | None = None
    part: str | None = None

    @classmethod
    def read(cls, values: dict[str, str]) -> Scope:
        """The scope of a control call.

        Raises:
            SimulatorError: an unknown dataset or a date that is not ISO.
        """
        dataset = values.get("dataset", "")
        if dataset not in DATASETS:
            raise SimulatorError(f"dataset={dataset!r}: one of {', '.join(DATASETS)} is allowed")
        bounds: list[int | None] = []
        for name in ("from", "to"):
            text = values.get(name)
            try:
                bounds.append(day_number(date.fromisoformat(text)) if text else None)
            except ValueError:
                raise SimulatorError(f"{name}={text!r}: an ISO date such as 2026-09-15 is allowed") from None
        return cls(dataset, bounds[0], bounds[1], values.get("part") or None)


class Referee:
    """Answers truth and changes calls, remembering the answers of each step."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._known: dict[tuple[Scope, int, int], dict[str, object]] = {}

    def truth(self, scope: Scope) -> dict[str, object]:
        """Count, amount and digest of the published rows in a scope."""
        key = (scope, self.world.timeline.now, self.world.config.seed)
        if key not in self._known:
            if len(self._known) > 500:
                self._known.clear()
            self._known[key] = self._truth(scope)
        return dict(self._known[key])

    def _truth(self, scope: Scope) -> dict[str, object]:
        dataset, now = scope.dataset, self.world.timeline.now
        if dataset not in SEARCHED:
            keys = [key for name in self._names(scope) for key in self.world.listed[dataset].keys(name)]
            return _answer(len(keys), 0, _sorted_keys(keys))
        population = self.world.populations[dataset]
        count, cents = 0, 0
        digest, separator = sha256(), b""
        held: list[str] = []
        for part in self._parts(scope, population):
            rows = population.rows_of(part, population.indices(part, now))
            if not len(rows):
                continue
            count += len(rows)
            cents += int(self._amounts(dataset, rows, now).sum())
            if dataset in _SORTED_NUMBERS:
                digest.update(separator + "\n".join(map(str, self._ids(dataset, rows).tolist())).encode())
                separator = b"\n"
            else:
                held += self._keys(dataset, rows)
        if dataset in _SORTED_NUMBERS:
            return _answer(count, cents, None, digest.hexdigest(), count)
        answer = _answer(count, cents, sorted(set(held)))
        if dataset == "sanciones":
            answer["distinct_payloads"] = payloads(self.world)
        return answer

    def changes(self, scope: Scope, since: int | None) -> dict[str, object]:
        """What really differs between a step and now, with up to 1,000 keys of each kind."""
        timeline = self.world.timeline
        now = timeline.now
        before = max(0, now - 1) if since is None else since
        if not 0 <= before <= now:
            raise SimulatorError(f"since={since}: 0 to {now} is allowed")
        kinds: dict[str, int] = dict.fromkeys(("added", "changed", "removed", "restored", "noise_only"), 0)
        keys: dict[str, list[object]] = {name: [] for name in kinds}
        visible = 0
        if scope.dataset in SEARCHED:
            population = self.world.populations[scope.dataset]
            for part in self._parts(scope, population):
                for name, rows in self._differences(population, part, before, now):
                    kinds[name] += len(rows)
                    room = MAX_KEYS - len(keys[name])
                    if room > 0 and len(rows):
                        keys[name] += self._shown(scope.dataset, rows.take(np.arange(min(room, len(rows)))))
                    if name == "changed" and scope.dataset == "convocatorias":
                        moved = self._moved(scope.dataset, rows, now, before)
                        visible += 0 if moved is None else int(np.count_nonzero(moved.times[1]))
        else:
            self._listed_differences(scope, before, now, kinds, keys)
        answer: dict[str, object] = {**kinds, "since": before, "now": now, "keys": keys}
        if scope.dataset == "convocatorias":
            answer["changed_in_listing"] = visible
        return answer

    def _parts(self, scope: Scope, population: Population) -> Iterator[int]:
        for part in population.parts(self.world.timeline.now):
            if population.daily:
                if (scope.first is None or part >= scope.first) and (scope.last is None or part < scope.last):
                    yield part
            elif scope.part is None or str(part) == scope.part:
                yield part

    def _names(self, scope: Scope) -> list[str]:
        names = self.world.listed[scope.dataset].names
        return [name for name in names if scope.part in (None, name)]

    def _ids(self, dataset: str, rows: Rows) -> I64:
        if dataset == "planes_estrategicos":
            return self.world.plans.ids(rows)
        return self.world.awards[dataset].ids(rows)

    def _keys(self, dataset: str, rows: Rows) -> list[str]:
        if dataset == "grandes_beneficiarios":
            return self.world.big.keys(rows)
        if dataset == "sanciones":
            return self.world.penalties.keys(rows)
        code = self.world.calls.code
        return [code(part, index) for part, index in zip(rows.parts.tolist(), rows.indices.tolist(), strict=True)]

    def _shown(self, dataset: str, rows: Rows) -> list[object]:
        if dataset in _SORTED_NUMBERS:
            return list(self._ids(dataset, rows).tolist())
        return list(self._keys(dataset, rows))

    def _amounts(self, dataset: str, rows: Rows, step: int) -> I64:
        world = self.world
        if dataset in world.awards:
            return world.awards[dataset].key_amount(rows, step)
        if dataset == "convocatorias":
            return world.calls.budgets(rows, step)
        small = self._named().get(dataset)
        return small.key_amount(rows, step) if small else np.zeros(len(rows), dtype=np.int64)

    def _moved(self, dataset: str, rows: Rows, until: int, since: int) -> Changed | None:
        world = self.world
        if dataset in world.awards:
            return world.awards[dataset].changed(rows, until, since)
        if dataset == "convocatorias":
            return world.calls.changed(rows, until, since)
        small = {
            "grandes_beneficiarios": world.big,
            "sanciones": world.penalties,
            "planes_estrategicos": world.plans,
        }
        return small[dataset].changed(rows, until, since)

    def _differences(self, population: Population, part: int, before: int, now: int) -> Iterator[tuple[str, Rows]]:
        old, new = population.indices(part, before), population.indices(part, now)
        fresh = np.setdiff1d(new, old, assume_unique=True)
        born = population.born(part, fresh, before)
        yield "added", population.rows_of(part, fresh[~born])
        yield "restored", population.rows_of(part, fresh[born])
        yield "removed", population.rows_of(part, np.setdiff1d(old, new, assume_unique=True))
        if before == now:
            return
        both = population.rows_of(part, np.intersect1d(old, new, assume_unique=True))
        moved = self._moved(population.dataset, both, now, before)
        real = np.zeros(len(both), dtype=np.bool_) if moved is None else np.asarray(moved.any)
        yield "changed", both.take(real)
        calm = both.take(~real)
        yield "noise_only", calm.take(self._noise(population.dataset, calm, before, now))

    def _named(self) -> dict[str, BigBeneficiaries | Penalties]:
        return {"grandes_beneficiarios": self.world.big, "sanciones": self.world.penalties}

    def _noise(self, dataset: str, rows: Rows, before: int, now: int) -> Flags:
        world, timeline = self.world, self.world.timeline
        differs = np.zeros(len(rows), dtype=np.bool_)
        steps = list(timeline.over(dataset, now, before))
        named = world.awards.get(dataset) or self._named().get(dataset)
        if named is not None and len(rows) and any(step.respelled for step in steps):
            who = named.spelling_keys(rows)
            one, two = timeline.spellings(dataset, who, before), timeline.spellings(dataset, who, now)
            zero = np.zeros(len(rows), dtype=np.int64)
            at = np.nonzero((zero if one is None else one) != (zero if two is None else two))[0]
            # Two spellings of a name without accents can be the same text.
            some = rows.take(at)
            pairs = zip(named.names(some, before), named.names(some, now), strict=True)
            differs[at] = np.array([a != b for a, b in pairs], dtype=np.bool_)
        if dataset in ("ayudas_estado", "minimis") and any(step.shuffled for step in steps):
            awards = world.awards[dataset]
            other = awards.sectors_differ(
                rows, timeline.order_salt(dataset, before), timeline.order_salt(dataset, now)
            )
            if dataset == "minimis":
                other &= ~awards.without_sector(rows)
            differs |= other
        return differs

    def _listed_differences(
        self, scope: Scope, before: int, now: int, kinds: dict[str, int], keys: dict[str, list[object]]
    ) -> None:
        listed = self.world.listed[scope.dataset]
        for name in self._names(scope):
            old, new = listed.texts(name, before), listed.texts(name, now)
            seen = {key for step in range(before) for key in listed.texts(name, step)}
            fresh = [key for key in new if key not in old]
            found = {
                "added": [key for key in fresh if key not in seen],
                "restored": [key for key in fresh if key in seen],
                "removed": [key for key in old if key not in new],
                "changed": [key for key in new if key in old and old[key] != new[key]],
                "noise_only": [],
            }
            for kind, some in found.items():
                kinds[kind] += len(some)
                keys[kind] += some[: MAX_KEYS - len(keys[kind])]


def _sorted_keys(keys: list[str]) -> list[str]:
    distinct = set(keys)
    return sorted(distinct, key=int) if all(key.isdigit() for key in distinct) else sorted(distinct)


def _answer(
    count: int, cents: int, keys: list[str] | None, digest: str | None = None, distinct: int = 0
) -> dict[str, object]:
    if keys is not None:
        digest, distinct = sha256("\n".join(keys).encode()).hexdigest(), len(keys)
    return {
        "count": count,
        "distinct_keys": distinct,
        "importe": f"{cents // 100}.{cents % 100:02d}",
        "digest": digest,
    }


def payloads(world: World) -> int:
    """How many different rows `sanciones` holds, byte-identical repeats counted once."""
    population = world.populations["sanciones"]
    rows = population.rows_of(0, population.indices(0, world.timeline.now))
    return len({dumps(value) for value in world.penalties.values(rows, world.timeline.now, False)})
