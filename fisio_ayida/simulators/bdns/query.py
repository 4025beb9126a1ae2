"""Query strings: which parameters and `order` values each search knows, and how bad ones are refused.

Parameters that an endpoint does not know are ignored silently (Q7). Filtering itself is in filters.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from fisio_ayida.simulators.bdns.config import Choices, day_number

PAGE_CAP: Final = 10_000
PAGE_DEFAULT: Final = 50
VPD: Final = ("GE", *(f"A{n:02d}" for n in range(1, 20)))

SEARCH_PATHS: Final = {
    "convocatorias": "convocatorias",
    "concesiones": "concesiones",
    "ayudasestado": "ayudas_estado",
    "minimis": "minimis",
    "partidospoliticos": "partidos_politicos",
    "grandesbeneficiarios": "grandes_beneficiarios",
    "planesestrategicos": "planes_estrategicos",
    "sanciones": "sanciones",
}
_LEVELS: Final = ("nivel1", "nivel2", "nivel3")
ORDERS: Final[dict[str, tuple[str, ...]]] = {
    "convocatorias": ("numeroConvocatoria", "mrr", *_LEVELS, "fechaRecepcion", "descripcion", "descripcionLeng"),
    "concesiones": (
        *_LEVELS,
        *("codConcesion", "numeroConvocatoria", "convocatoria", "descripcionCooficial", "instrumento", "urlBR"),
        *("fechaConcesion", "fechaAlta", "beneficiario", "importe", "ayudaEquivalente", "tieneProyecto"),
    ),
    "ayudas_estado": (
        *("codConcesion", "convocante", "numeroConvocatoria", "convocatoria", "reglamento", "objetivo"),
        *("instrumento", "tipoBeneficiario", "fechaConcesion", "fechaAlta", "beneficiario", "importe"),
        *("ayudaEquivalente", "region", "setores", "ayudaEstado", "urlAyudaEstado", "entidad", "intermediario"),
    ),
    "minimis": (
        *("numeroConvocatoria", "convocante", "reglamento", "instrumento", "fechaConcesion", "fechaRegistro"),
        *("beneficiario", "ayudaEquivalente"),
    ),
    "grandes_beneficiarios": ("beneficiario", "ejercicio", "ayudaETotal"),
    "partidos_politicos": (
        *_LEVELS,
        *("codConcesion", "numeroConvocatoria", "convocatoria", "instrumento", "urlBR", "fechaConcesion"),
        *("beneficiario", "importe", "ayudaEquivalente", "tieneProyecto"),
    ),
    "planes_estrategicos": (
        *(
            "descripcion",
            "descripcionCooficial",
            "tipoPlan",
            "vigencia",
            "vigenciaDesde",
            "vigenciaHasta",
            "ambitos",
        ),
    ),
    "sanciones": (
        *_LEVELS,
        *("convocatoria", "fechaConcesion", "importe", "sancionado", "infraccion", "fechaSancion", "importeMulta"),
        *("inicioInhabilitacion", "finInhabilitacion"),
    ),
}
_TEXT: Final = ("descripcion", "descripcionTipoBusqueda")
_BODY: Final = ("tipoAdministracion", "organos")
_AWARD: Final = ("vpd", *_TEXT, "numeroConvocatoria", "codConcesion", "fechaDesde", "fechaHasta", *_BODY, "nifCif")
_REGISTERED: Final = ("fechaRegInicio", "fechaRegFin")
# Filters by dataset; the registration dates of the parties are undeclared but work (Q5).
FILTERS: Final[dict[str, frozenset[str]]] = {
    "convocatorias": frozenset(
        (
            *("vpd", *_TEXT, "numeroConvocatoria", "mrr", "contribucion", "fechaDesde", "fechaHasta", *_BODY),
            *("regiones", "tiposBeneficiario", "instrumentos", "finalidad", "ayudaEstado"),
        )
    ),
    "concesiones": frozenset(
        (*_AWARD, *_REGISTERED, "regiones", "beneficiario", "instrumentos", "actividad", "finalidad")
    ),
    "ayudas_estado": frozenset(
        (
            *(*_AWARD, *_REGISTERED, "regiones", "objetivos", "beneficiario", "instrumentos", "actividad"),
            *("ayudaEstado", "reglamento"),
        )
    ),
    "minimis": frozenset(
        (*_AWARD, *_REGISTERED, "beneficiario", "instrumentos", "actividad", "finalidad", "reglamento", "producto")
    ),
    "partidos_politicos": frozenset((*_AWARD, *_REGISTERED, "beneficiario")),
    "grandes_beneficiarios": frozenset(("anios", "nifCif", "beneficiario")),
    "planes_estrategicos": frozenset((*_TEXT, *_BODY, "vigenciaDesde", "vigenciaHasta")),
    "sanciones": frozenset(
        (
            *("vpd", *_TEXT, "fechaDesde", "fechaHasta", *_BODY, "regiones", "nifCif", "beneficiario"),
            *("instrumentos", "actividad"),
        )
    ),
}
_DATES: Final = frozenset(("fechaDesde", "fechaHasta", *_REGISTERED))
_WHOLE_NUMBERS: Final = frozenset(
    (
        "beneficiario",
        "finalidad",
        "reglamento",
        "producto",
        "vigenciaDesde",
        "vigenciaHasta",
        "descripcionTipoBusqueda",
    )
)
_WHOLE_LISTS: Final = frozenset(
    ("regiones", "tiposBeneficiario", "instrumentos", "actividad", "objetivos", "anios")
)
_BOOLEANS: Final = frozenset(("mrr", "contribucion"))
GENERIC: Final = "Mensaje genérico ficticio: no se pudo leer la petición."


class Invalid(Exception):
    """A request that is answered with 400 ERR_VALIDACION, naming each bad parameter."""

    def __init__(self, *names: str, status: int = 400) -> None:
        super().__init__(", ".join(names))
        self.names = names
        self.status = status

    def body(self) -> dict[str, object]:
        """The error body: a generic message, then one per parameter."""
        texts = [f"Mensaje ficticio: el parámetro '{name}' tiene un formato incorrecto." for name in self.names]
        return {"codigo": "ERR_VALIDACION", "errores": [GENERIC, *texts]}


@dataclass(frozen=True)
class Query:
    """A search request after validation."""

    dataset: str
    page: int
    size: int
    order: str | None
    descending: bool
    dates: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    lists: dict[str, frozenset[int]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The query in one normal form, for caches."""
        lists = {name: sorted(values) for name, values in sorted(self.lists.items())}
        filters = (sorted(self.dates.items()), sorted(self.numbers.items()), lists, sorted(self.texts.items()))
        return f"{self.dataset}|{self.page}|{self.size}|{self.order}|{self.descending}|{filters}"

    def filter_text(self) -> str:
        """The normal form of the filters alone."""
        lists = {name: sorted(values) for name, values in sorted(self.lists.items())}
        return f"{self.dataset}|{sorted(self.dates.items())}|{sorted(self.numbers.items())}|{lists}|{self.texts}"


def read_date(text: str) -> int:
    """The day number of a dd/mm/yyyy date; ValueError for anything else (Q6)."""
    if len(text) != 10 or text[2] != "/" or text[5] != "/":
        raise ValueError(text)
    day = date(int(text[6:]), int(text[3:5]), int(text[:2]))
    return min(max(day_number(day), 0), 15_000)


def read(
    dataset: str, pairs: Iterable[tuple[str, str]], choices: Choices, extra_orders: tuple[str, ...] = ()
) -> Query:
    """Validate a search request.

    Raises:
        Invalid: a known parameter with a value that the service refuses.
    """
    known = FILTERS[dataset]
    bad: list[str] = []
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    dates: dict[str, int] = {}
    numbers: dict[str, int] = {}
    lists: dict[str, frozenset[int]] = {}
    texts: dict[str, str] = {}
    for name, given in values.items():
        if name not in known or given == [""]:
            continue
        try:
            if name in _DATES:
                dates[name] = read_date(given[-1])
            elif name in _WHOLE_NUMBERS:
                numbers[name] = int(given[-1])
            elif name in _WHOLE_LISTS or name == "organos":
                lists[name] = frozenset(int(part) for text in given for part in text.split(",") if part)
            elif name in _BOOLEANS:
                numbers[name] = {"true": 1, "false": 0}[given[-1].lower()]
            elif (name == "vpd" and given[-1] not in VPD) or (
                name == "tipoAdministracion" and given[-1] not in ("C", "A", "L", "O")
            ):
                bad.append(name)
            else:
                texts[name] = given[-1]
        except (ValueError, KeyError):
            bad.append(name)
    page, size = _paging(values, choices, bad)
    order = values.get("order", [""])[-1] or None
    if order is not None and order not in ORDERS[dataset] and order not in extra_orders:
        bad.append("order")
    direction = values.get("direccion", [""])[-1].lower()
    if direction not in ("", "asc", "desc"):
        bad.append("direccion")
    if bad:
        raise Invalid(*bad)
    texts.pop("vpd", None)
    if not direction:
        direction = choices.default_direction if order else "desc" if choices.newest_first_without_order else "asc"
    return Query(dataset, page, size, order, direction == "desc", dates, numbers, lists, texts)


def _paging(values: dict[str, list[str]], choices: Choices, bad: list[str]) -> tuple[int, int]:
    found = {"page": 0, "pageSize": PAGE_DEFAULT}
    for name, least in (("page", 0), ("pageSize", 1)):
        text = values.get(name, [""])[-1]
        if not text:
            continue
        try:
            number = int(text)
        except ValueError:
            bad.append(name)
            continue
        if number < least:
            if choices.bad_page_status == 400:
                bad.append(name)
            number = least
        found[name] = number
    return found["page"], min(found["pageSize"], PAGE_CAP)
