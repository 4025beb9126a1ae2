"""Which rows a search returns: registration windows by arithmetic, everything else by a vectorised scan.

A window needs only row counts by day, so a year at any volume costs nothing; other filters look at
the rows of the window in pieces and keep the places that match.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import numpy as np

from fisio_ayida.simulators.bdns import catalogues as cat
from fisio_ayida.simulators.bdns import people
from fisio_ayida.simulators.bdns.awards import Awards
from fisio_ayida.simulators.bdns.calls import FINALIDAD, ORGAN, REGION, TIPO, Calls, instrument_ids
from fisio_ayida.simulators.bdns.hashing import I64, U64, Flags, below
from fisio_ayida.simulators.bdns.organs import organs
from fisio_ayida.simulators.bdns.population import Population, Rows
from fisio_ayida.simulators.bdns.query import Query

_WINDOW = frozenset(("fechaRegInicio", "fechaRegFin"))
_IGNORED = frozenset(("contribucion", "descripcionTipoBusqueda"))
SCAN_ROWS = 200_000


class Selection:
    """Places that a search returns, in natural order (registration, then id)."""

    def __init__(self, population: Population, segments: list[tuple[int, int, I64 | None]]) -> None:
        self.population = population
        self.segments = segments  # part, size, indices (None: as published now)
        self._ends = np.cumsum([size for _, size, _ in segments]) if segments else np.zeros(0, dtype=np.int64)

    @property
    def total(self) -> int:
        """Rows in all."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def slice(self, start: int, stop: int, descending: bool) -> Rows:
        """Rows start to stop-1 in the asked direction."""
        total = self.total
        start, stop = min(start, total), min(stop, total)
        if descending:
            return self.slice(total - stop, total - start, False).reversed()
        parts, indices = [], []
        at = int(np.searchsorted(self._ends, start, side="right"))
        while start < stop:
            part, size, listed = self.segments[at]
            begin = int(self._ends[at]) - size
            end = min(stop, begin + size)
            if listed is None:
                found = self.population.published(part, self.population.timeline.now)
                if isinstance(found, int):
                    chunk = np.arange(start - begin, end - begin, dtype=np.int64)
                else:
                    chunk = found[start - begin : end - begin]
            else:
                chunk = listed[start - begin : end - begin]
            parts.append(np.full(len(chunk), part, dtype=np.int64))
            indices.append(chunk)
            start, at = end, at + 1
        empty = np.zeros(0, dtype=np.int64)
        return self.population.rows(np.concatenate([empty, *parts]), np.concatenate([empty, *indices]))

    def pieces(self, rows: int = SCAN_ROWS) -> Iterator[Rows]:
        """All rows, some at a time."""
        for start in range(0, self.total, rows):
            yield self.slice(start, start + rows, False)


def window(population: Population, low: int | None, high: int | None, leak: bool) -> Selection:
    """Rows registered from day `low` to the day before `high`, and those leaking in at midnight of `high`."""
    now, today = population.timeline.now, population.timeline.today
    start = population.first if low is None else max(low, population.first)
    stop = today + 1 if high is None else min(high, today + 1)
    segments: list[tuple[int, int, I64 | None]] = [
        (day, size, None) for day in range(start, stop) if (size := population.size(day, now))
    ]
    if leak and high is not None and start <= high <= today:
        listed = population.indices(high, now)
        listed = listed[listed < population.midnight(high)]
        if len(listed):
            segments.append((high, len(listed), listed))
    return Selection(population, segments)


class Finder:
    """Answers searches with selections; remembers the last few scans."""

    def __init__(self, calls: Calls, awards: dict[str, Awards]) -> None:
        self.calls = calls
        self.awards = awards
        self._scans: OrderedDict[tuple[str, int], Selection] = OrderedDict()

    def select(self, query: Query, population: Population, leak: bool) -> Selection:
        """The rows of a search on a dataset with registration days."""
        awards = self.awards.get(query.dataset)
        dates = query.dates
        if awards is None:
            last = dates.get("fechaHasta")
            base = window(population, dates.get("fechaDesde"), None if last is None else last + 1, False)
            rest = {name for name in (*query.numbers, *query.lists, *query.texts) if name not in _IGNORED}
        else:
            base = window(population, dates.get("fechaRegInicio"), dates.get("fechaRegFin"), leak)
            rest = {
                name
                for name in (*dates, *query.numbers, *query.lists, *query.texts)
                if name not in _WINDOW and name not in _IGNORED
            }
        if not rest:
            return base
        return self.scan(query, population, base)

    def scan(self, query: Query, population: Population, base: Selection) -> Selection:
        """The rows of a selection that pass the remaining filters."""
        key = (query.filter_text(), population.timeline.now)
        if key not in self._scans:
            segments: list[tuple[int, int, I64 | None]] = []
            for rows in base.pieces():
                kept = rows.take(self.mask(query, rows))
                parts, starts = np.unique(kept.parts, return_index=True)
                for part, listed in zip(parts.tolist(), np.split(kept.indices, starts[1:]), strict=False):
                    segments.append((part, len(listed), listed))
            self._scans[key] = Selection(population, segments)
            while len(self._scans) > 8:
                self._scans.popitem(last=False)
        return self._scans[key]

    def mask(self, query: Query, rows: Rows) -> Flags:
        """True for the rows that pass."""
        keep = np.ones(len(rows), dtype=np.bool_)
        awards = self.awards.get(query.dataset)
        keys = rows.keys if awards is None else awards.call_keys(rows)
        keep &= self._by_call(query, keys)
        if awards is None:
            return keep & self._calls_only(query, rows)
        if awards.dataset == "partidos_politicos":
            keep &= _party(query, awards, rows)
        else:
            keep &= _person(query, awards.persons(rows))
        days = (
            awards.award_days(rows) if "fechaDesde" in query.dates or "fechaHasta" in query.dates else rows.parts
        )
        if "fechaDesde" in query.dates:
            keep &= days >= query.dates["fechaDesde"]
        if "fechaHasta" in query.dates:
            keep &= days <= query.dates["fechaHasta"]
        if "codConcesion" in query.texts:
            code = query.texts["codConcesion"]
            keep &= awards.ids(rows) == (int(code[2:]) if code[2:].isdigit() and code[:2].isalpha() else -1)
        if "numeroConvocatoria" in query.texts:
            keep &= awards.call_ordinals(rows) == self._ordinal(query.texts["numeroConvocatoria"])
        if "descripcion" in query.texts:
            keep &= self._titled(query, awards.call_ordinals(rows))
        return keep & awards.columns_match(query.numbers, query.lists, query.texts, rows)

    def _ordinal(self, code: str) -> int:
        place = self.calls.find(code)
        if place is None or place[1] >= self.calls.population.base(place[0]):
            return -2
        return int(self.calls.totals(place[0])[place[0] - self.calls.population.first]) + place[1]

    def _by_call(self, query: Query, keys: U64) -> Flags:
        keep = np.ones(len(keys), dtype=np.bool_)
        if "tipoAdministracion" in query.texts or "organos" in query.lists:
            at = below(keys, ORGAN, len(organs()))
            if "tipoAdministracion" in query.texts:
                wanted = query.texts["tipoAdministracion"]
                keep &= np.array([organ.administration == wanted for organ in organs()])[at]
            if "organos" in query.lists:
                keep &= np.array([organ.id in query.lists["organos"] for organ in organs()])[at]
        if "regiones" in query.lists:
            wanted_ids = query.lists["regiones"]
            inside = np.array([bool(path & wanted_ids) for _, _, path in cat.region_list()])
            keep &= inside[below(keys, REGION, len(cat.region_list()))]
        if "instrumentos" in query.lists:
            keep &= np.isin(instrument_ids(keys), list(query.lists["instrumentos"]))
        if "finalidad" in query.numbers:
            ids = np.array([entry[0] for entry in cat.FINALIDADES])
            keep &= ids[below(keys, FINALIDAD, len(ids))] == query.numbers["finalidad"]
        if "tiposBeneficiario" in query.lists:
            ids = np.array([entry[0] for entry in cat.TIPOS_BENEFICIARIO])
            keep &= np.isin(ids[below(keys, TIPO, len(ids))], list(query.lists["tiposBeneficiario"]))
        return keep

    def _calls_only(self, query: Query, rows: Rows) -> Flags:
        wanted = {name: query.texts[name] for name in ("numeroConvocatoria", "descripcion") if name in query.texts}
        keep = np.ones(len(rows), dtype=np.bool_)
        if "ayudaEstado" in query.texts:
            keep &= rows.keys % np.uint64(1_000_000) % np.uint64(10_000) == _case_number(
                query.texts["ayudaEstado"]
            )
        if not wanted and "mrr" not in query.numbers:
            return keep
        if "numeroConvocatoria" in wanted:
            place = self.calls.find(wanted["numeroConvocatoria"])
            keep &= (rows.parts == (place or (-1, 0))[0]) & (rows.indices == (place or (0, -1))[1])
        for at in np.nonzero(keep)[0].tolist():
            call = self.calls.get(int(rows.parts[at]), int(rows.indices[at]))
            if "mrr" in query.numbers and call.mrr != bool(query.numbers["mrr"]):
                keep[at] = False
            if "descripcion" in wanted and not matches(query, f"{call.title} {call.title_cooficial or ''}"):
                keep[at] = False
        return keep

    def _titled(self, query: Query, ordinals: I64) -> Flags:
        unique, where = np.unique(ordinals, return_inverse=True)
        days, indices = self.calls.place(np.maximum(unique, 0), self.calls.timeline.today)
        calls = (self.calls.get(d, i) for d, i in zip(days.tolist(), indices.tolist(), strict=True))
        return np.array([matches(query, f"{c.title} {c.title_cooficial or ''}") for c in calls], dtype=np.bool_)[
            where
        ]


def matches(query: Query, text: str) -> bool:
    """The `descripcion` filter: 0 exact phrase, 1 all words (default), 2 any word."""
    title = people.plain(text).casefold()
    sought = people.plain(query.texts["descripcion"]).casefold()
    mode = query.numbers.get("descripcionTipoBusqueda", 1)
    if mode == 0:
        return sought in title
    found = [word in title for word in sought.split()]
    return any(found) if mode == 2 else all(found)


def _case_number(text: str) -> int:
    digits = text.removeprefix("SA.")
    return int(digits[2:]) if digits.startswith("99") and digits.isdigit() and len(digits) == 6 else 999_999


def _person(query: Query, persons: I64) -> Flags:
    keep = np.ones(len(persons), dtype=np.bool_)
    if "beneficiario" in query.numbers:
        keep &= persons == query.numbers["beneficiario"]
    if "nifCif" in query.texts:
        keep &= persons == (people.find_by_identifier(query.texts["nifCif"]) or -1)
    return keep


def _party(query: Query, awards: Awards, rows: Rows) -> Flags:
    numbers = awards.spelling_keys(rows)
    keep = np.ones(len(rows), dtype=np.bool_)
    if "beneficiario" in query.numbers:
        keep &= numbers == query.numbers["beneficiario"]
    if "nifCif" in query.texts:
        found = [n for n in range(12) if people.party_name(n)[0] == query.texts["nifCif"]]
        keep &= np.isin(numbers, found)
    return keep
