"""Awards: concesiones, ayudas de Estado, minimis and party funding, as columns.

Every column is drawn for many rows at once with numpy. The JSON is written in award_pages.py;
selection and paging live in filters.py and pages.py.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from fisio_ayida.simulators.bdns import catalogues as cat
from fisio_ayida.simulators.bdns import people
from fisio_ayida.simulators.bdns.calls import Calls, instrument_ids
from fisio_ayida.simulators.bdns.config import SimulatorConfig, day_date
from fisio_ayida.simulators.bdns.hashing import I64, U64, Flags, below, hits, salt
from fisio_ayida.simulators.bdns.population import Population, Rows
from fisio_ayida.simulators.bdns.text import quoted
from fisio_ayida.simulators.bdns.timeline import Changed, Timeline

STRIDE: Final = 1_000_000
BLOCK: Final = 64  # consecutive awards that come from one call
# What a change can touch: the amount or the name.
KINDS: Final = 2
DANGLING: Final = -1
_CALL, _WHO, _LAG, _YEAR_END, _CENTS, _ROUND, _EQUIVALENT = (salt("award", n) for n in range(7))
_DANGLING, OBJECTIVE, RULE, TYPE, REGION, _SECTORS, PRODUCT, MIDDLEMAN = (salt("award", n) for n in range(10, 18))
GUARANTEE: Final = 4
TAX: Final = 5  # a tax advantage has no amount paid, only an equivalent


class Awards:
    """The awards of one dataset."""

    def __init__(self, config: SimulatorConfig, timeline: Timeline, population: Population, calls: Calls) -> None:
        self.config = config
        self.timeline = timeline
        self.population = population
        self.calls = calls
        self.dataset = population.dataset
        self.natural_share = {"concesiones": config.natural_share, "minimis": 0.4, "ayudas_estado": 0.2}.get(
            self.dataset, 0.0
        )

    def ids(self, rows: Rows) -> I64:
        """Award ids, ascending with the registration day."""
        return rows.parts * STRIDE + rows.indices

    def persons(self, rows: Rows) -> I64:
        """The idPersona of each row."""
        return people.choose(rows.keys, _WHO, self.natural_share)

    def award_days(self, rows: Rows) -> I64:
        """The award date: one in five on the last 31 December, the rest up to 400 days before registration."""
        lag = np.minimum(below(rows.keys, _LAG, 60), below(rows.keys, _LAG ^ 1, 400))
        return np.where(hits(rows.keys, _YEAR_END, 0.2), _last_new_years_eve(rows.parts), rows.parts - lag)

    def call_ordinals(self, rows: Rows) -> I64:
        """The running number of the call of each row; blocks of rows share one; -1 where it does not exist."""
        blocks = self.population.rows(rows.parts, rows.indices // BLOCK).keys
        chosen = self.calls.chosen(rows.parts, blocks, _CALL)
        return np.where(hits(rows.keys, _DANGLING, self.config.dangling_rate), DANGLING, chosen)

    def call_keys(self, rows: Rows) -> U64:
        """The hash of the call of each row, from which its body, region and instrument follow."""
        ordinals = np.maximum(self.call_ordinals(rows), 0)
        return self.calls.call_keys(ordinals, self.timeline.today)

    def changed(self, rows: Rows, until: int, since: int = 0) -> Changed | None:
        """Real changes of the rows between two steps."""
        return self.timeline.changed(self.dataset, rows.keys, KINDS, until, since)

    def cents(self, rows: Rows, step: int) -> I64:
        """The `importe` of each row in cents at a step."""
        size = below(rows.keys, _ROUND, 100)
        scale = np.where(size < 60, 300_000, np.where(size < 90, 2_000_000, 30_000_000))
        exact = 5_000 + (below(rows.keys, _CENTS, 1 << 30) * scale >> 30)
        # Half of the amounts are whole euros: JSON ints and floats in one column (Q37).
        value = np.where(size % 2 == 0, exact - exact % 100, exact)
        moved = self.changed(rows, step)
        return value if moved is None else value + moved.cents

    def instruments(self, rows: Rows) -> I64:
        """The instrument id of each row, that of its call."""
        ordinals = np.maximum(self.call_ordinals(rows), 0)
        # Few calls stand behind many awards: look at each call once.
        unique, where = np.unique(ordinals, return_inverse=True)
        return instrument_ids(self.calls.call_keys(unique, self.timeline.today))[where]

    def equivalents(self, rows: Rows, cents: I64, instruments: I64) -> I64:
        """The gross grant equivalent: the amount for grants, a part of it for loans and guarantees, some 0."""
        part = np.where((instruments == 2) | (instruments == GUARANTEE), cents * 133 // 1000, cents)
        if self.dataset == "minimis":
            return part  # its only amount: a change of it must show
        return np.where(hits(rows.keys, _EQUIVALENT, 0.01) & (instruments != TAX), 0, part)

    def key_amount(self, rows: Rows, step: int) -> I64:
        """The amount that a truth call sums up."""
        cents = self.cents(rows, step)
        if self.dataset == "minimis":
            return self.equivalents(rows, cents, self.instruments(rows))
        if self.dataset == "ayudas_estado":
            return np.where(self.instruments(rows) == TAX, 0, cents)
        return cents

    def names(self, rows: Rows, step: int) -> list[bytes]:
        """The `beneficiario` texts at a step."""
        if self.dataset == "partidos_politicos":
            return self._parties(rows, step)
        ids = self.persons(rows)
        moved = self.changed(rows, step)
        separator = " - " if self.dataset == "ayudas_estado" else " "
        spelled = self.timeline.spellings(self.dataset, ids, step)
        return people.beneficiary_texts(ids, spelled, None if moved is None else moved.times[1], separator)

    def spelling_keys(self, rows: Rows) -> I64:
        """What a re-spelling goes by: the person, or the party."""
        if self.dataset == "partidos_politicos":
            return below(rows.keys, _WHO, 12)
        return self.persons(rows)

    def _parties(self, rows: Rows, step: int) -> list[bytes]:
        numbers = self.spelling_keys(rows)
        spelled = self.timeline.spellings(self.dataset, numbers, step)
        moved = self.changed(rows, step)
        texts = []
        for at, number in enumerate(numbers.tolist()):
            nif, name = people.party_name(number)
            if moved is not None and moved.times[1, at]:
                name = f"{name} RENOVADO {moved.times[1, at]}"
            texts.append(f"{nif} {people.spell(name, '', 0 if spelled is None else int(spelled[at]))}".encode())
        return texts

    def sector_codes(self, rows: Rows) -> I64:
        """A number that says which activities each row lists, in their first order."""
        first = below(rows.keys, _SECTORS, len(cat.ACTIVIDADES))
        count = below(rows.keys, _SECTORS ^ 1, 4)
        return (first * 4 + count) * 5 + below(rows.keys, _SECTORS ^ 2, 5)

    def sectors(self, rows: Rows) -> list[tuple[int, ...]]:
        """Which activities each row lists, in their first order."""
        return [_listed(code) for code in self.sector_codes(rows).tolist()]

    def sector_texts(self, rows: Rows, order: int, joiner: str) -> list[bytes]:
        """The joined activities of each row, turned into the order that a purpose decides (Q20)."""
        codes = self.sector_codes(rows) * 24 + below(rows.keys, order, 24)
        return [_joined(code, joiner) for code in codes.tolist()]

    def sectors_differ(self, rows: Rows, order: int, other: int) -> Flags:
        """True where two orders give different texts."""
        one, two = self.sector_texts(rows, order, "#"), self.sector_texts(rows, other, "#")
        return np.array([a != b for a, b in zip(one, two, strict=True)], dtype=np.bool_)

    def columns_match(
        self,
        numbers: dict[str, int],
        lists: dict[str, frozenset[int]],
        texts: dict[str, str],
        rows: Rows,
    ) -> Flags:
        """The filters that look at a column of the award itself."""
        keep = np.ones(len(rows), dtype=np.bool_)
        if "reglamento" in numbers:
            rules = cat.REGLAMENTOS_MINIMIS if self.dataset == "minimis" else cat.REGLAMENTOS_AYUDA
            keep &= (
                np.array([rule[0] for rule in rules])[below(rows.keys, RULE, len(rules))] == numbers["reglamento"]
            )
        if "objetivos" in lists:
            ids = np.array([entry[0] for entry in cat.OBJETIVOS])[
                below(rows.keys, OBJECTIVE ^ 1, len(cat.OBJETIVOS))
            ]
            keep &= np.isin(ids, list(lists["objetivos"])) & ~hits(rows.keys, OBJECTIVE, 0.2)
        if "producto" in numbers:
            ids = np.array([entry[0] for entry in cat.SECTORES_PRODUCTO])[below(rows.keys, PRODUCT ^ 1, 15)]
            keep &= (ids == numbers["producto"]) & ~hits(rows.keys, PRODUCT, 0.8)
        if "actividad" in lists and self.dataset != "concesiones":
            wanted = {at for at, entry in enumerate(cat.ACTIVIDADES) if entry[0] in lists["actividad"]}
            keep &= np.array([not wanted.isdisjoint(listed) for listed in self.sectors(rows)], dtype=np.bool_)
        if "ayudaEstado" in texts:
            cases = self.ids(rows) % 9000
            digits = texts["ayudaEstado"]
            known = digits.startswith("99") and digits.isdigit() and len(digits) == 6
            keep &= (cases % 4 != 0) & (cases == (int(digits[2:]) if known else -1))
        return keep

    def without_sector(self, rows: Rows) -> Flags:
        """Rows whose activity is always null."""
        return hits(rows.keys, _SECTORS ^ 9, 0.05)


def purge(awards: Awards, rows: Rows, today: int) -> Flags:
    """What retention withdraws (Q27): persons' awards of year N-2 and before, everything over 4 years old."""
    year = day_date(today).year
    years = (np.datetime64("2000-01-01") + awards.award_days(rows)).astype("datetime64[Y]").astype(np.int64) + 1970
    natural = awards.persons(rows) < people.ENTITY_BASE
    return np.asarray((natural & (years <= year - 2)) | (years < year - 4))


def _last_new_years_eve(numbers: I64) -> I64:
    starts = (np.datetime64("2000-01-01") + numbers).astype("datetime64[Y]").astype("datetime64[D]")
    return np.asarray((starts - np.datetime64("2000-01-01")).astype(np.int64) - 1)


@lru_cache(maxsize=1_000)
def _listed(code: int) -> tuple[int, ...]:
    rest, stride = divmod(code, 5)
    first, count = divmod(rest, 4)
    return tuple((first + at * (stride + 1)) % len(cat.ACTIVIDADES) for at in range(count + 1))


@lru_cache(maxsize=100_000)
def _joined(code: int, joiner: str) -> bytes:
    listed, turn = divmod(code, 24)
    left, ordered = list(_listed(listed)), []
    while left:
        turn, at = divmod(turn, len(left))
        ordered.append(cat.ACTIVIDADES[left.pop(at)][1])
    return quoted(joiner.join(ordered))
