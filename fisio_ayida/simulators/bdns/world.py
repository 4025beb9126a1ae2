"""The simulated BDNS as one object: configuration, timeline, switches and every dataset's rows.

Puts the rooms together and answers "which rows" and "these rows as JSON". HTTP is in app.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from fisio_ayida.simulators.bdns import awards as award_rows
from fisio_ayida.simulators.bdns.award_pages import write as write_awards
from fisio_ayida.simulators.bdns.awards import Awards
from fisio_ayida.simulators.bdns.calls import Calls
from fisio_ayida.simulators.bdns.config import DAILY, SimulatorConfig, day_number
from fisio_ayida.simulators.bdns.filters import Finder, Selection, matches
from fisio_ayida.simulators.bdns.hashing import Flags, mix, salt
from fisio_ayida.simulators.bdns.listed import Listed, listed_catalogues
from fisio_ayida.simulators.bdns.people import ENTITY_BASE, find_by_identifier
from fisio_ayida.simulators.bdns.population import Population, Rows
from fisio_ayida.simulators.bdns.query import Query
from fisio_ayida.simulators.bdns.quirks import Quirks
from fisio_ayida.simulators.bdns.timeline import Step, Timeline
from fisio_ayida.simulators.bdns.whole import BigBeneficiaries, Penalties, Plans


class World:
    """Everything that the service knows, and its clock."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.quirks = Quirks(config.quirks)
        today = day_number(config.today)
        self.timeline = Timeline(config.seed, today, self.quirks.on("Q27"))
        self.counter = 0
        self.populations: dict[str, Population] = {}
        for name in DAILY:
            first = day_number(config.start(name))
            self.populations[name] = Population(name, config, self.timeline, [first], [0], True)
        years = range(
            config.today.year - config.size("grandes_beneficiarios_years"),
            config.today.year,
        )
        big = [config.size("grandes_beneficiarios")] * len(years)
        self._add("grandes_beneficiarios", list(years), big)
        self._add("planes_estrategicos", [0], [config.size("planes_estrategicos")])
        self._add("sanciones", [0], [config.size("sanciones")])
        self.calls = Calls(config, self.timeline, self.populations["convocatorias"])
        self.awards = {
            name: Awards(config, self.timeline, self.populations[name], self.calls)
            for name in DAILY
            if name != "convocatorias"
        }
        grants = self.awards["concesiones"]
        self.populations["concesiones"].purge = lambda rows, day: award_rows.purge(grants, rows, day)
        self.big = BigBeneficiaries(self.timeline, self.populations["grandes_beneficiarios"])
        self.plans = Plans(self.timeline, self.populations["planes_estrategicos"])
        self.penalties = Penalties(self.timeline, self.populations["sanciones"], self.calls)
        self.listed: dict[str, Listed] = listed_catalogues(config, self.timeline)
        self.finder = Finder(self.calls, self.awards)

    def _add(self, name: str, parts: list[int], counts: list[int]) -> None:
        self.populations[name] = Population(name, self.config, self.timeline, parts, counts, False)

    def next_call(self) -> int:
        """A number that differs from request to request, for noise per call."""
        self.counter += 1
        return mix(self.counter ^ salt(self.config.seed, "call"))

    def step(self, body: Mapping[str, object]) -> Step:
        """Take a step of time."""
        if body.get("respelled") and not self.quirks.on("Q23"):
            body = {**body, "respelled": 0.0}
        return self.timeline.advance(body)

    def switch(self, changes: Mapping[str, object]) -> None:
        """Switch quirks on or off."""
        self.quirks.apply(changes)
        self.timeline.set_retention(self.quirks.on("Q27"))

    def select(self, query: Query) -> Selection:
        """The rows that a search finds."""
        population = self.populations[query.dataset]
        if query.dataset in DAILY:
            if self.quirks.on("Q25"):
                self._drift(population)
            return self.finder.select(query, population, self.quirks.on("Q2"))
        parts = population.parts(self.timeline.now)
        if query.dataset == "grandes_beneficiarios" and "anios" in query.lists:
            parts = [year for year in parts if year in query.lists["anios"]]
        now = self.timeline.now
        base = Selection(
            population, [(part, size, None) for part in parts if (size := population.size(part, now))]
        )
        if not (query.numbers or query.texts or query.dates):
            return base
        segments = []
        for rows in base.pieces():
            kept = rows.take(self._small_mask(query, rows))
            segments += [
                (int(part), 1, np.array([index])) for part, index in zip(kept.parts, kept.indices, strict=True)
            ]
        return Selection(population, segments)  # type: ignore[arg-type]

    def _drift(self, population: Population) -> None:
        population.drift += int(self.quirks.number("Q25", "rows") or 1)
        population.forget_today()

    def _small_mask(self, query: Query, rows: Rows) -> Flags:
        keep = np.ones(len(rows), dtype=np.bool_)
        if query.dataset == "planes_estrategicos":
            for at, index in enumerate(rows.indices.tolist()):
                start, end = self.plans.years(index)
                title = str(self.plans.facts(index, 0, 0)["descripcion"])
                keep[at] = (
                    query.numbers.get("vigenciaDesde", 0) <= start
                    and end <= query.numbers.get("vigenciaHasta", 9999)
                    and ("descripcion" not in query.texts or matches(query, title))
                )
            return keep
        persons = self.big.persons(rows) if query.dataset == "grandes_beneficiarios" else None
        if persons is None:
            persons = self.penalties.spelling_keys(rows)
            column = self.config.choices.sanciones_date_column
            days = [day_number_of(text) for text in self.penalties.column_days(rows, column)]
            low, high = query.dates.get("fechaDesde", 0), query.dates.get("fechaHasta", 1 << 30)
            keep &= np.array([low <= day <= high for day in days], dtype=np.bool_)
            if "descripcion" in query.texts or "tipoAdministracion" in query.texts:
                values = self.penalties.values(rows, 0, False)
                level = {"C": "ESTADO", "A": "AUTONOMICA", "L": "LOCAL", "O": "OTROS"}.get(
                    query.texts.get("tipoAdministracion", "")
                )
                keep &= np.array([level in (None, value["nivel1"]) for value in values], dtype=np.bool_)
                if "descripcion" in query.texts:
                    keep &= np.array(
                        [matches(query, str(value["convocatoria"])) for value in values], dtype=np.bool_
                    )
        if "beneficiario" in query.numbers:
            keep &= persons == query.numbers["beneficiario"]
        if "nifCif" in query.texts:
            found = find_by_identifier(query.texts["nifCif"])
            keep &= persons == (found if found is not None and found >= ENTITY_BASE else -1)
        return keep

    def render(self, dataset: str, rows: Rows) -> list[bytes]:
        """Rows as JSON, with the noise of this call."""
        if dataset == "convocatorias":
            return self.calls.render(rows)
        if dataset in self.awards:
            order = self.timeline.order_salt(dataset, self.timeline.now)
            if self.quirks.on("Q20"):
                order ^= self.next_call()
            return write_awards(self.awards[dataset], rows, order, self._blank(dataset, rows))
        small: dict[str, BigBeneficiaries | Plans | Penalties] = {
            "grandes_beneficiarios": self.big,
            "planes_estrategicos": self.plans,
            "sanciones": self.penalties,
        }
        return small[dataset].render(rows)

    def _blank(self, dataset: str, rows: Rows) -> Flags | None:
        if dataset != "minimis":
            return None
        blanked = self.timeline.blanked(dataset, rows.keys)
        if blanked is None and not self.quirks.on("Q24"):
            return None
        step, struck = blanked or (0, np.zeros(len(rows), dtype=np.bool_))
        call, nulls = self.next_call(), self.quirks.nulls
        pairs = zip(rows.keys.tolist(), struck.tolist(), strict=True)
        return np.array([nulls(dataset, key, call, (step, hit)) for key, hit in pairs], dtype=np.bool_)

    def noisy(self, dataset: str) -> bool:
        """True when two equal calls may differ, so that a page must not be kept."""
        if dataset == "minimis" and (self.quirks.on("Q24") or any(s.blanked for s in self.timeline.steps)):
            return True
        if dataset in ("ayudas_estado", "minimis") and self.quirks.on("Q20"):
            return True
        return self.quirks.on("Q25")

    def finish(self, dataset: str) -> tuple[bytes, ...]:
        """Envelope fields that only one dataset has."""
        return (
            (b'"acumuladoNacionalAgricola":254365.5', b'"acumuladoNacionalPesca":52554')
            if dataset == "minimis"
            else ()
        )


def day_number_of(text: str) -> int:
    """The day number of an ISO date."""
    return day_number(date.fromisoformat(text))
