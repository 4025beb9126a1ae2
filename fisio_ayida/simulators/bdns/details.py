"""The full detail of a call and the files attached to it.

Uses the facts of calls.py; the null windows of Q24 are laid over the finished detail in quirks.py.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from fisio_ayida.simulators.bdns import catalogues as cat
from fisio_ayida.simulators.bdns.calls import FINALIDAD, KINDS, TIPO, Call, Calls, budget_cents
from fisio_ayida.simulators.bdns.hashing import Draw, one_below
from fisio_ayida.simulators.bdns.text import ADVERTENCIA, amount, iso

# The form is one and the same file wherever it is attached.
FORM: Final = "solicitud.docx"
_FORM_BYTES: Final = 6_000
_FILES: Final = (
    ("Documento de la convocatoria en español", "Convocatoria ficticia (firmada) v2.pdf"),
    ("Anexos", "ANEXOS.zip"),
    ("Bases", "BASES REGULADORAS Año Ñ.PDF"),
    ("Modelo de solicitud", FORM),
    ("Otros", "sin_extension"),
    ("Presupuesto", "presupuesto.xlsx"),
    ("Memoria", "MEMORIA justificativa.odt"),
    ("Nota", "nota.txt"),
)
_MAX_FILES: Final = 3


class Attachment(NamedTuple):
    """One document of a call or plan: what is announced of it and what stands in it."""

    id: int
    description: str
    name: str
    size: int
    title: str
    version: int = 0


def files(call: Call, version: int = 0) -> list[Attachment]:
    """The attachments of a call after `version` corrections of its title: all but the form are published anew."""
    pick = Draw(call.key)
    count = 0 if pick.hit(0.2, "sin documentos") else 1 + pick.below(_MAX_FILES, "documentos")
    found = []
    for at in range(count):
        text, name = _FILES[(at + pick.below(len(_FILES), "fichero")) % len(_FILES)]
        size, edition = 6_000 + pick.below(30_000, f"bytes {at}") + 7 * version, version
        if name == FORM:
            size, edition = _FORM_BYTES, 0
        found.append(Attachment(call.id * 10 + at, text, name, size, call.title, edition))
    return found


def find_file(calls: Calls, id_: int) -> Attachment | None:
    """A published attachment, or None."""
    place = calls.find_id(id_ // 10)
    if place is None:
        return None
    call = calls.get(*place)
    return next((file for file in files(call, _version(calls, call)) if file.id == id_), None)


def _version(calls: Calls, call: Call) -> int:
    times, _ = calls.timeline.changed_one("convocatorias", call.key, KINDS, calls.timeline.now)
    return times[1]


def detail(calls: Calls, day: int, index: int) -> dict[str, object]:
    """All fields of one call, in the order of the live service."""
    call = calls.get(day, index)
    pick = Draw(call.key)
    now = calls.timeline.now
    times, grown = calls.timeline.changed_one("convocatorias", call.key, KINDS, now)
    scarce = pick.hit(0.25, "escasa")
    dated = not pick.hit(0.4, "sin fechas")
    budget = budget_cents(call.key, grown)
    start = day + 1 + pick.below(20, "inicio")
    end = start + 10 + pick.below(60, "fin") + 15 * times[2]
    state_aid = pick.hit(0.1, "ayuda de estado")
    region = next(text for id_, text, _ in cat.region_list() if id_ == call.region)
    sectors = [] if scarce else [pick.pick(cat.ACTIVIDADES_CNAE, f"sector {n}") for n in range(1 + call.key % 2)]
    announced = pick.hit(0.5, "anuncio")
    number = call.key % 1_000_000
    instrument = next(text for id_, text in cat.INSTRUMENTOS if id_ == call.instrument)
    text_end = None if dated else ("Hasta agotar el crédito" if call.key % 3 else None)
    if not dated and times[2]:
        text_end = f"Prórroga {times[2]}: hasta agotar el crédito"
    return {
        "id": call.id,
        "organo": {
            "nivel1": call.organ.nivel1,
            "nivel2": call.organ.nivel2,
            "nivel3": call.organ.nivel3,
        },
        "sedeElectronica": None if scarce else pick.pick(SITES, "sede"),
        "codigoBDNS": call.code,
        "fechaRecepcion": iso(day),
        "instrumentos": [{"descripcion": f"{instrument.rstrip()} "}],
        "tipoConvocatoria": pick.pick(TYPES, "tipo"),
        "presupuestoTotal": None if budget is None else amount(budget),
        "mrr": call.mrr,
        "descripcion": calls.titles(day, index, now),
        "descripcionLeng": call.title_cooficial and call.title_cooficial[:40],
        "tiposBeneficiarios": [
            {"descripcion": cat.TIPOS_BENEFICIARIO[one_below(call.key, TIPO, len(cat.TIPOS_BENEFICIARIO))][1]}
        ],
        "sectores": [{"descripcion": text, "codigo": code} for _, code, text in sectors],
        "regiones": [{"descripcion": region}],
        "descripcionFinalidad": cat.FINALIDADES[one_below(call.key, FINALIDAD, len(cat.FINALIDADES))][
            1
        ].capitalize(),
        "descripcionBasesReguladoras": None if scarce else f"Orden ficticia EJE/{number}/{iso(day)[:4]} de bases",
        "urlBasesReguladoras": call.url,
        "sePublicaDiarioOficial": announced,
        "abierto": not dated and pick.hit(0.3, "abierto"),
        "fechaInicioSolicitud": iso(start) if dated else None,
        "fechaFinSolicitud": iso(end) if dated else None,
        "textInicio": None if dated else "Desde el día siguiente a la publicación ",
        "textFin": text_end,
        "ayudaEstado": f"SA.99{number % 10_000:04d}" if state_aid else None,
        "urlAyudaEstado": f"https://competition-cases.ec.europa.eu/cases/SA.99{number % 10_000:04d}"
        if state_aid
        else None,
        "fondos": [{"descripcion": "FEDER - FONDO EUROPEO DE DESARROLLO REGIONAL"}]
        if pick.hit(0.1, "fondos")
        else [],
        "reglamento": {"descripcion": cat.REGLAMENTOS_AYUDA[1][1], "orden": None} if state_aid else None,
        "objetivos": [{"descripcion": cat.OBJETIVOS[2][1]}] if state_aid else [],
        "sectoresProductos": [{"descripcion": "Vino"}] if pick.hit(0.03, "producto") else [],
        "documentos": [
            {
                "id": file.id,
                "descripcion": file.description,
                "nombreFic": file.name,
                "long": file.size,
                "datMod": iso(day + 1 + file.version),
                "datPublicacion": iso(day),
            }
            for file in files(call, times[1])
        ],
        "anuncios": [
            {
                "numAnuncio": number,
                "titulo": "Extracto ficticio de la Resolución",
                "tituloLeng": None,
                "texto": '<p>Primero. Beneficiarios.</p><p class="texto">Texto inventado &amp; sin valor.</p>',
                "textoLeng": None,
                "url": f"https://www.boletin-ejemplo.invalid/anuncio/{number}",
                "cve": f"BOE-B-2099-{number % 100_000}",
                "desDiarioOficial": "BOLETÍN OFICIAL DEL ESTADO",
                "datPublicacion": iso(day + 2),
            }
        ]
        if announced
        else [],
        "advertencia": ADVERTENCIA,
    }


SITES: Final = ("https://sede.ejemplo.invalid/tramites", "sede.villaficcion.invalid", "http://sede.otra.invalid ")
TYPES: Final = (
    "Concurrencia competitiva - canónica",
    "Concesión directa - canónica",
    "Concesión directa - instrumental",
    "Concurrencia competitiva - instrumental",
)
