"""Calls (convocatorias): their numbering, their facts, the listing row and the full detail.

A call is a pure function of (seed, registration day, index). Awards refer to calls through
:meth:`Calls.chosen`, so every reference exists by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import accumulate
from typing import Final

import numpy as np

from fisio_ayida.simulators.bdns import catalogues as cat
from fisio_ayida.simulators.bdns.config import SimulatorConfig, day_date, day_number
from fisio_ayida.simulators.bdns.hashing import I64, U64, Draw, below, mix, one_below, salt
from fisio_ayida.simulators.bdns.organs import Organ, organs
from fisio_ayida.simulators.bdns.population import Population, Rows, daily_count
from fisio_ayida.simulators.bdns.text import dumps, quoted
from fisio_ayida.simulators.bdns.timeline import Changed, Timeline
from fisio_ayida.simulators.bdns.words import MOLDES, MOLDES_CATALAN, OBJETOS

CALL_ID_BASE: Final = 1_000_000
CALL_ID_STRIDE: Final = 10_000
CODE_BASE: Final = 100_000
OLD_CODE_BASE: Final = 2014_0000_0000_0000
LATE_CODE_BASE: Final = 7_000_000_000_000_000
OLD_CODES_BEFORE: Final = day_number(date(2015, 1, 1))
# What a change can touch: the budget, the title or the deadline.
KINDS: Final = 3
ORGAN: Final = salt("call", "organ")
REGION: Final = salt("call", "region")
FINALIDAD: Final = salt("call", "finalidad")
INSTRUMENTO: Final = salt("call", "instrumento")
TIPO: Final = salt("call", "tipo")
URLS: Final = (
    "https://www.boletin-ejemplo.invalid/br/{n}.pdf",
    "https://www.boletin-ejemplo.invalid/eli/{n}",
    None,
    "www.diputacion-ejemplo.invalid/bases",
    "www.boletin-ejemplo.invalid/{n}/bases.pdf ",
    "pendiente de publicación",
    "ttps://boletin-ejemplo.invalid/{n}",
    "https://a.invalid/{n}.pdf ; https://b.invalid/{n}.pdf",
    "C:\\Documentos\\bases_{n}.pdf",
)


@dataclass(frozen=True)
class Call:
    """The facts of one call that listing, detail and awards share."""

    day: int
    index: int
    key: int
    code: str
    id: int
    title: str
    title_cooficial: str | None
    mrr: bool
    organ: Organ
    region: int
    url: str | None
    instrument: int


class Calls:
    """All calls of a simulated service."""

    def __init__(self, config: SimulatorConfig, timeline: Timeline, population: Population) -> None:
        self.config = config
        self.timeline = timeline
        self.population = population
        self._salt = salt(config.seed, "convocatorias")
        self._totals: I64 = np.zeros(1, dtype=np.int64)
        self.get = lru_cache(maxsize=20_000)(self._get)
        self.award_part = lru_cache(maxsize=20_000)(self._award_part)

    def totals(self, until: int) -> I64:
        """Running count of calls: entry i is how many were registered before day first + i."""
        wanted = until - self.population.first + 2
        if len(self._totals) < wanted:
            days = range(self.population.first, self.population.first + wanted + 400)
            counts = [daily_count(self.config, "convocatorias", day) for day in days]
            self._totals = np.array([0, *accumulate(counts)], dtype=np.int64)
        return self._totals

    def place(self, ordinal: I64, until: int) -> tuple[I64, I64]:
        """Day and index of calls given by their running number."""
        totals = self.totals(until)
        at = np.searchsorted(totals, ordinal, side="right") - 1
        return at + self.population.first, ordinal - totals[at]

    def chosen(self, days: I64, keys: U64, purpose: int) -> I64:
        """The running number of a call registered in the 500 days before each award.

        An award with no call before it gets the first call of all.
        """
        until = int(days.max()) if len(days) else self.population.first
        totals = self.totals(until)
        first = self.population.first
        high: I64 = totals[np.clip(days - first, 0, len(totals) - 1)]
        low: I64 = totals[np.clip(days - first - 500, 0, len(totals) - 1)]
        spread = np.maximum(high - low, 1).astype(np.uint64)
        share = below(keys, purpose, 1 << 30).astype(np.uint64)
        within: I64 = ((share * spread) >> np.uint64(30)).astype(np.int64)
        return low + within

    def code(self, day: int, index: int) -> str:
        """The BDNS code: six digits as today, sixteen in the first year and for late arrivals."""
        if index >= self.population.base(day):
            return str(LATE_CODE_BASE + day * CALL_ID_STRIDE + index)
        ordinal = int(self.totals(day)[day - self.population.first]) + index
        return str((OLD_CODE_BASE if day < OLD_CODES_BEFORE else CODE_BASE) + ordinal)

    def find(self, code: str) -> tuple[int, int] | None:
        """Day and index of a code that is published now, or None."""
        if not code.isdigit() or code != str(int(code)):
            return None
        number = int(code)
        if number >= LATE_CODE_BASE:
            day, index = divmod(number - LATE_CODE_BASE, CALL_ID_STRIDE)
        else:
            ordinal = number - (OLD_CODE_BASE if number >= OLD_CODE_BASE else CODE_BASE)
            until = self.timeline.today
            if not 0 <= ordinal < int(self.totals(until)[until - self.population.first + 1]):
                return None
            days, indices = self.place(np.array([ordinal], dtype=np.int64), until)
            day, index = int(days[0]), int(indices[0])
        return (day, index) if self.exists(day, index) and self.code(day, index) == code else None

    def exists(self, day: int, index: int) -> bool:
        """True when the call is published now."""
        if not self.population.first <= day <= self.timeline.today:
            return False
        found = self.population.published(day, self.timeline.now)
        return 0 <= index < found if isinstance(found, int) else bool(np.isin(index, found))

    def find_id(self, id_: int) -> tuple[int, int] | None:
        """Day and index of an internal id that is published now, or None."""
        day, index = divmod(id_ - CALL_ID_BASE, CALL_ID_STRIDE)
        return (day, index) if self.exists(day, index) else None

    def call_keys(self, ordinals: I64, until: int) -> U64:
        """The hash of each call given by its running number."""
        days, indices = self.place(ordinals, until)
        return self.population.rows(days, indices).keys

    def _get(self, day: int, index: int) -> Call:
        key = mix(((day << 24) + index) ^ self._salt)
        pick = Draw(key)
        year = day_date(day).year
        body = organs()[one_below(key, ORGAN, len(organs()))]
        subject = pick.pick(OBJETOS, "objeto")
        title = pick.pick(MOLDES, "molde").format(objeto=subject, OBJETO=subject.upper(), year=year)
        if pick.hit(0.03, "anulada"):
            title = f"ANULADA {title}"
        if pick.hit(0.05, "largo"):
            title += " y otras actuaciones inventadas que alargan el título hasta que no cabe en una línea"
        bilingual = body.administration in "AL" and body.first_level % 3 == 0
        cooficial = None
        if bilingual and not pick.hit(0.36, "sin cooficial"):
            cooficial = pick.pick(MOLDES_CATALAN, "molde catalan").format(objeto="el comerç", year=year)
        url = pick.pick(URLS, "url") if pick.hit(0.5, "url rara") else URLS[0]
        return Call(
            day,
            index,
            key,
            self.code(day, index),
            CALL_ID_BASE + day * CALL_ID_STRIDE + index,
            title,
            cooficial,
            pick.hit(0.04, "mrr"),
            body,
            cat.region_list()[one_below(key, REGION, len(cat.region_list()))][0],
            None if url is None else url.format(n=key % 100_000),
            cat.INSTRUMENTOS[_instrument(key)][0],
        )

    def _award_part(self, ordinal: int, cooficial: bool) -> bytes:
        days, indices = self.place(np.array([ordinal], dtype=np.int64), self.timeline.today)
        call = self.get(int(days[0]), int(indices[0]))
        title = call.title[:128] if call.key % 5 == 0 else call.title
        middle = b',"descripcionCooficial":' + quoted(call.title_cooficial) if cooficial else b""
        return b"".join(
            (
                b'"urlBR":' + quoted(call.url),
                b',"tieneProyecto":' + dumps(call.key % 11 == 0),
                b',"numeroConvocatoria":' + quoted(call.code),
                b',"idConvocatoria":%d' % call.id,
                b',"convocatoria":' + quoted(title),
                middle,
                b',"nivel1":' + quoted(call.organ.nivel1),
                b',"nivel2":' + quoted(call.organ.nivel2),
                b',"nivel3":' + quoted(call.organ.nivel3),
                b',"codigoInvente":' + quoted(call.organ.invente) if cooficial else b"",
            )
        )

    def titles(self, day: int, index: int, step: int) -> str:
        """The title after the changes up to a step."""
        call = self.get(day, index)
        times, _ = self.timeline.changed_one("convocatorias", call.key, KINDS, step)
        return f"{call.title.rstrip()} (corrección {times[1]})" if times[1] else call.title

    def changed(self, rows: Rows, until: int, since: int = 0) -> Changed | None:
        """Real changes of calls between two steps."""
        return self.timeline.changed("convocatorias", rows.keys, KINDS, until, since)

    def budgets(self, rows: Rows, step: int) -> I64:
        """`presupuestoTotal` of each call in cents, 0 where it is null."""
        moved = self.changed(rows, step)
        grown = [0] * len(rows) if moved is None else moved.cents.tolist()
        pairs = zip(rows.keys.tolist(), grown, strict=True)
        return np.array([budget_cents(key, more) or 0 for key, more in pairs], dtype=np.int64)

    def render(self, rows: Rows) -> list[bytes]:
        """Listing rows as JSON."""
        return [
            dumps(self.listing(day, index))
            for day, index in zip(rows.parts.tolist(), rows.indices.tolist(), strict=True)
        ]

    def listing(self, day: int, index: int) -> Mapping[str, object]:
        """One listing row."""
        call = self.get(day, index)
        return {
            "id": call.id,
            "mrr": call.mrr,
            "numeroConvocatoria": call.code,
            "descripcion": self.titles(day, index, self.timeline.now),
            "descripcionLeng": call.title_cooficial,
            "fechaRecepcion": day_date(day).isoformat(),
            "nivel1": call.organ.nivel1,
            "nivel2": call.organ.nivel2,
            "nivel3": call.organ.nivel3,
            "codigoInvente": call.organ.invente,
        }


def budget_cents(key: int, grown: int) -> int | None:
    """The budget of a call, null for about one in a hundred and 0 for a few."""
    pick = Draw(key)
    if pick.hit(0.01, "sin presupuesto") and not grown:
        return None
    if pick.hit(0.01, "presupuesto cero"):
        return grown
    whole = (1 + pick.below(2_000, "presupuesto")) * 50_000
    return whole + (50 if pick.hit(0.3, "céntimos") else 0) + grown


def _instrument(key: int) -> int:
    number = one_below(key, INSTRUMENTO, 100)
    return 0 if number < 88 else 1 + number % (len(cat.INSTRUMENTOS) - 1)


def instrument_ids(keys: U64) -> I64:
    """The instrument of each call, by the hash of the call."""
    numbers = below(keys, INSTRUMENTO, 100)
    ids = np.array([entry[0] for entry in cat.INSTRUMENTOS], dtype=np.int64)
    return ids[np.where(numbers < 88, 0, 1 + numbers % (len(ids) - 1))]
