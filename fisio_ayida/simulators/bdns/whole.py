"""Datasets without a registration day: grandes beneficiarios, planes estratégicos and sanciones.

Each writes its rows, keys and amounts; they are swept whole, or by year. Catalogues are elsewhere.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fisio_ayida.simulators.bdns import people
from fisio_ayida.simulators.bdns.calls import Calls
from fisio_ayida.simulators.bdns.details import Attachment
from fisio_ayida.simulators.bdns.hashing import I64, Draw, below, salt
from fisio_ayida.simulators.bdns.population import Population, Rows
from fisio_ayida.simulators.bdns.text import ADVERTENCIA, amount, dumps, iso
from fisio_ayida.simulators.bdns.timeline import Changed, Timeline
from fisio_ayida.simulators.bdns.words import LUGARES, MATERIAS

_TOTAL, _PERSON, _BROKEN = salt("grandes", "total"), salt("grandes", "person"), salt("planes", "html")
KINDS: Final = 2


class Whole:
    """What the three datasets share: changes and spellings by step."""

    def __init__(self, timeline: Timeline, population: Population) -> None:
        self.timeline = timeline
        self.population = population
        self.dataset = population.dataset

    def changed(self, rows: Rows, until: int, since: int = 0) -> Changed | None:
        """Real changes of the rows between two steps."""
        return self.timeline.changed(self.dataset, rows.keys, KINDS, until, since)

    def _times(self, rows: Rows) -> tuple[list[int], list[int], I64]:
        moved = self.changed(rows, self.timeline.now)
        zero = np.zeros(len(rows), dtype=np.int64)
        if moved is None:
            return zero.tolist(), zero.tolist(), zero
        return moved.times[0].tolist(), moved.times[1].tolist(), moved.cents


class BigBeneficiaries(Whole):
    """`grandesbeneficiarios`: entities with over 100,000 euros a year."""

    def persons(self, rows: Rows) -> I64:
        """An idPersona per row, unique within a year."""
        # A stride that shares no factor with the pool walks all of it before one comes twice.
        return people.ENTITY_BASE + (rows.indices * 7_919 + 17) % people.ENTITY_POOL

    def spelling_keys(self, rows: Rows) -> I64:
        """What a re-spelling goes by."""
        return self.persons(rows)

    def names(self, rows: Rows, step: int) -> list[bytes]:
        """The `beneficiario` texts at a step."""
        ids = self.persons(rows)
        moved = self.changed(rows, step)
        spelled = self.timeline.spellings(self.dataset, ids, step)
        return people.beneficiary_texts(ids, spelled, None if moved is None else moved.times[1], " ")

    def key_amount(self, rows: Rows, step: int) -> I64:
        """`ayudaETotal` in cents."""
        base = 10_000_000 + below(rows.keys, _TOTAL, 500_000_000)
        whole = np.where(rows.keys % np.uint64(3) == 0, base - base % 100, base)
        moved = self.changed(rows, step)
        return whole if moved is None else whole + moved.cents

    def keys(self, rows: Rows) -> list[str]:
        """`idPersona|ejercicio`."""
        return [
            f"{who}|{year}" for who, year in zip(self.persons(rows).tolist(), rows.parts.tolist(), strict=True)
        ]

    def render(self, rows: Rows) -> list[bytes]:
        """JSON rows."""
        now = self.timeline.now
        ids, names = self.persons(rows), self.names(rows, now)
        return [
            dumps(
                {"idPersona": who, "beneficiario": name.decode(), "ejercicio": year, "ayudaETotal": amount(cents)}
            )
            for who, name, year, cents in zip(
                ids.tolist(), names, rows.parts.tolist(), self.key_amount(rows, now).tolist(), strict=True
            )
        ]


class Plans(Whole):
    """`planesestrategicos`: listing and detail."""

    ID_BASE: Final = 90_000
    FILE_BASE: Final = 5_000_000_000

    def ids(self, rows: Rows) -> I64:
        """Plan ids."""
        return rows.indices + self.ID_BASE

    def years(self, index: int) -> tuple[int, int]:
        """First and last year of a plan."""
        start = 2018 + index % 9
        return start, start + 1 + index % 3

    def broken(self, index: int) -> bool:
        """True for the fixed plans whose detail is an HTML page (Q15)."""
        return index % 17 == 5

    def facts(self, index: int, retitled: int, prolonged: int) -> dict[str, object]:
        """What listing and detail share."""
        pick = Draw(_BROKEN + index)
        start, end = self.years(index)
        fix = f" (modificación {retitled})" if retitled else ""
        title = f"PLAN ESTRATÉGICO FICTICIO DE SUBVENCIONES DE {pick.pick(MATERIAS, 'm')} {start}-{end}{fix}"
        return {
            "descripcion": title + (" " if index % 7 == 3 else ""),
            "descripcionCooficial": "PLA ESTRATÈGIC FICTICI DE SUBVENCIONS" if index % 10 == 0 else None,
            "tipoPlan": pick.pick(
                ("Plan estratégico de subvenciones", "Informe de seguimiento", "Informe general"), "t"
            ),
            "vigenciaDesde": start,
            "vigenciaHasta": end + prolonged,
        }

    def scopes(self, index: int) -> list[str]:
        """Names of the bodies that a plan covers."""
        return [LUGARES[(index + n * 5) % len(LUGARES)] for n in range(1 + index % 3)]

    def attachments(self, index: int) -> list[Attachment]:
        """Documents of a plan; a changed title gives the plan's own a new name."""
        longer, titles, _ = self._times(self.population.rows_of(0, np.array([index], dtype=np.int64)))
        start, _ = self.years(index)
        title = str(self.facts(index, titles[0], longer[0])["descripcion"])
        size = 6_000 + index % 20_000
        edition = f" v{titles[0] + 1}" if titles[0] else ""
        first = self.FILE_BASE + index * 10
        plan = Attachment(
            first, "Plan estratégico de subvenciones", f"PES ficticio{edition}.pdf", size, title, titles[0]
        )
        follow = Attachment(
            first + 1,
            "Anexos de seguimiento",
            f"Seguimiento ficticio {start}.pdf",
            size,
            f"Seguimiento de {start}",
        )
        return [] if index % 13 == 12 else [plan] if index % 2 else [plan, follow]

    def render(self, rows: Rows) -> list[bytes]:
        """JSON rows of the listing."""
        longer, titles, _ = self._times(rows)
        return [
            dumps({**self.facts(at, title, more), "id": self.ID_BASE + at, "ambitos": ";".join(self.scopes(at))})
            for at, more, title in zip(rows.indices.tolist(), longer, titles, strict=True)
        ]

    def detail(self, index: int) -> dict[str, object]:
        """The detail, which does not repeat the id (Q31)."""
        longer, titles, _ = self._times(self.population.rows_of(0, np.array([index], dtype=np.int64)))
        start, _ = self.years(index)
        return {
            **self.facts(index, titles[0], longer[0]),
            "fechaAprobacion": f"{start}-01-30",
            "ambitos": self.scopes(index),
            "documentos": [
                {
                    "id": file.id,
                    "ejercicio": start if at else None,
                    "nombreFic": file.name,
                    "tipoDocumento": file.description,
                }
                for at, file in enumerate(self.attachments(index))
            ],
            "advertencia": ADVERTENCIA,
        }

    def key_amount(self, rows: Rows, step: int) -> I64:
        """Plans carry no amount."""
        return np.zeros(len(rows), dtype=np.int64)


class Penalties(Whole):
    """`sanciones`: no id; some rows repeat byte for byte and some share a key with another payload."""

    def __init__(self, timeline: Timeline, population: Population, calls: Calls) -> None:
        super().__init__(timeline, population)
        self.calls = calls

    def origin(self, index: int) -> tuple[int, int]:
        """The row that this one repeats, and 1 when it differs from it outside the key."""
        if index % 20 == 7:
            return index - 1, 0  # byte-identical duplicate
        if index % 20 == 13:
            return index - 1, 1  # same key, other payload
        return index, 0

    def origins(self, rows: Rows) -> Rows:
        """The rows that these ones repeat."""
        source = np.array([self.origin(at)[0] for at in rows.indices.tolist()], dtype=np.int64)
        return self.population.rows(rows.parts, source)

    def changed(self, rows: Rows, until: int, since: int = 0) -> Changed | None:
        """Real changes; a repeated row changes with the one it repeats."""
        moved = super().changed(self.origins(rows), until, since)
        # The key holds the name, so that only the fine can change without making another row.
        return None if moved is None else Changed(moved.times, moved.cents + 100 * moved.times[1])

    def spelling_keys(self, rows: Rows) -> I64:
        """What a re-spelling goes by."""
        return people.choose(self.origins(rows).keys, _PERSON, 0.5)

    def names(self, rows: Rows, step: int) -> list[bytes]:
        """The `sancionado` texts at a step."""
        ids = self.spelling_keys(rows)
        return people.beneficiary_texts(ids, self.timeline.spellings(self.dataset, ids, step), None, " ")

    def _base(self, index: int) -> dict[str, object]:
        source, other = self.origin(index)
        row = self.population.rows_of(0, np.array([source], dtype=np.int64))
        pick = Draw(int(row.keys[0]))
        today = self.timeline.steps[0].today
        fined = today - 30 - pick.below(1_500, "sanción")
        granted = fined - 100 - pick.below(700, "concesión")
        ordinal = self.calls.chosen(np.array([today]), row.keys, _PERSON)
        days, indices = self.calls.place(ordinal, today)
        call = self.calls.get(int(days[0]), int(indices[0]))
        barred = pick.hit(0.3, "inhabilitación")
        cents = 60_000 + pick.below(20_000_000, "importe")
        return {
            "numeroConvocatoria": call.code,
            "convocatoria": call.title,
            "nivel1": call.organ.nivel1,
            "nivel2": call.organ.nivel2,
            "nivel3": call.organ.nivel3,
            "codigoInvente": call.organ.invente,
            "fechaConcesion": iso(granted),
            "infraccion": ("ART. 57.C INFRACCIÓN FICTICIA", "ART. 58.A INFRACCIÓN FICTICIA")[other],
            "importe": amount(cents - cents % 100 if pick.hit(0.5, "redondo") else cents),
            "fechaSancion": iso(fined),
            "fine": cents * (1 + other),
            "inicioInhabilitacion": iso(fined + 1) if barred else None,
            "finInhabilitacion": iso(fined + 1_000) if barred else None,
        }

    def values(self, rows: Rows, step: int, spelled: bool) -> list[dict[str, object]]:
        """Rows as dictionaries in the order of the live service."""
        fines = self.key_amount(rows, step).tolist()
        names = self.names(rows, step if spelled else 0)
        found = []
        for at, index in enumerate(rows.indices.tolist()):
            base = self._base(index)
            del base["fine"]
            barred = {name: base.pop(name) for name in ("inicioInhabilitacion", "finInhabilitacion")}
            when = base.pop("fechaSancion")
            found.append(
                base
                | {"sancionado": names[at].decode(), "fechaSancion": when, "importeMulta": amount(fines[at])}
                | barred
            )
        return found

    def keys(self, rows: Rows) -> list[str]:
        """`numeroConvocatoria|sancionado|fechaSancion` with the first spelling of the name."""
        return [
            f"{v['numeroConvocatoria']}|{v['sancionado']}|{v['fechaSancion']}" for v in self.values(rows, 0, False)
        ]

    def key_amount(self, rows: Rows, step: int) -> I64:
        """`importeMulta` in cents."""
        fines = np.array([self._base(at)["fine"] for at in rows.indices.tolist()], dtype=np.int64)
        moved = self.changed(rows, step)
        return fines if moved is None else fines + moved.cents

    def column_days(self, rows: Rows, column: str) -> list[str]:
        """The date that `fechaDesde` and `fechaHasta` are compared with."""
        return [str(self._base(at)[column]) for at in rows.indices.tolist()]

    def render(self, rows: Rows) -> list[bytes]:
        """JSON rows."""
        return [dumps(value) for value in self.values(rows, self.timeline.now, True)]
