"""The real service's paths: each turns a query string into an answer.

Faults, statistics and sending are in app.py; control calls in control.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fisio_ayida.simulators.bdns.answers import Answer, gone, html, json_answer, maintenance, not_found
from fisio_ayida.simulators.bdns.catalogues import AMBITOS
from fisio_ayida.simulators.bdns.details import detail, find_file
from fisio_ayida.simulators.bdns.export import export
from fisio_ayida.simulators.bdns.files import document, sheet, zipped
from fisio_ayida.simulators.bdns.hashing import one_hit, salt
from fisio_ayida.simulators.bdns.listed import as_json
from fisio_ayida.simulators.bdns.organs import ADMINISTRATIONS, by_administration, by_dir3
from fisio_ayida.simulators.bdns.pages import ULTIMAS_CAP, PageCache, page
from fisio_ayida.simulators.bdns.query import GENERIC, SEARCH_PATHS, VPD, Invalid, Query, read
from fisio_ayida.simulators.bdns.third_parties import third_parties
from fisio_ayida.simulators.bdns.world import World

Pairs = list[tuple[str, str]]
FLAT_PATHS: Final = {
    "finalidades": "finalidades",
    "beneficiarios": "tipos_beneficiario",
    "instrumentos": "instrumentos",
    "sectores": "sectores",
    "actividades": "actividades",
    "objetivos": "objetivos",
}
# The window of a field that comes back null together (CONTRACT §3.2, partial responses).
FLAPPING: Final = (("fechaInicioSolicitud", "fechaFinSolicitud"), ("textInicio", "textFin"), ("descripcionLeng",))


class Routes:
    """Answers for every path of the simulated service."""

    def __init__(self, world: World) -> None:
        self.world = world
        folder = world.config.page_cache_dir
        self.cache = None if folder is None else PageCache(folder, world)
        self._table: dict[str, Callable[[Pairs], Answer]] = {
            "convocatorias": self._detail,
            "convocatorias/ultimas": self._latest,
            "convocatorias/documentos": self._call_file,
            "convocatorias/pdf": self._pdf,
            "convocatorias/zip": self._zip,
            "convocatorias/ultimas/exportar": lambda pairs: self._export("convocatorias", pairs, True),
            "grandesbeneficiarios/anios": self._years,
            "planesestrategicos": self._plan,
            "planesestrategicos/documentos": self._plan_file,
            "planesestrategicos/vigencia": self._plan_years,
            "terceros": self._third_parties,
            "reglamentos": self._regulations,
            "regiones": self._regions,
            "organos": lambda pairs: self._organs("organos", pairs),
            "organos/agrupacion": lambda pairs: self._organs("organos_agrupacion", pairs),
            "organos/codigo": lambda pairs: self._code("codigo", pairs),
            "organos/codigoAdmin": lambda pairs: self._code("codigoAdmin", pairs),
        }
        for path, dataset in SEARCH_PATHS.items():
            self._table[f"{path}/busqueda"] = lambda pairs, name=dataset: self._search(name, pairs)  # type: ignore[misc]
            self._table[f"{path}/exportar"] = lambda pairs, name=dataset: self._export(name, pairs, False)  # type: ignore[misc]
        for path, dataset in FLAT_PATHS.items():
            self._table[path] = lambda pairs, name=dataset: self._flat(name, pairs)  # type: ignore[misc]

    def answer(self, path: str, pairs: Pairs) -> Answer:
        """The answer of a path below the base path."""
        found = self._table.get(path)
        if found is None:
            return not_found()
        try:
            return found(pairs)
        except Invalid as error:
            return json_answer(error.body(), error.status)

    def offset(self, path: str, pairs: Pairs) -> tuple[int, int]:
        """First row and number of rows that a search asks for; (0, 0) for anything else (Q41)."""
        name, _, kind = path.partition("/")
        if kind != "busqueda" or name not in SEARCH_PATHS:
            return 0, 0
        try:
            query = read(SEARCH_PATHS[name], pairs, self.world.config.choices)
        except Invalid:
            return 0, 0
        return query.page * query.size, query.size

    def _search(self, dataset: str, pairs: Pairs) -> Answer:
        query = read(dataset, pairs, self.world.config.choices)
        if self.world.quirks.maintenance(query.text(), self._span(query), self.world.next_call()):
            return maintenance()
        if query.page and self.world.config.choices.past_the_end_status != 200:
            total = self.world.select(query).total
            if query.page * query.size >= total:
                return Answer(b"", self.world.config.choices.past_the_end_status, None)
        if self.cache is not None and not self.world.noisy(dataset):
            body = self.cache.read(query)
            return Answer(body, length=len(body))
        return Answer(page(self.world, query))

    def _span(self, query: Query) -> int:
        low = query.dates.get("fechaRegInicio", query.dates.get("fechaDesde"))
        high = query.dates.get("fechaRegFin", query.dates.get("fechaHasta"))
        population = self.world.populations[query.dataset]
        if not population.daily:
            return 0
        last = self.world.timeline.today if high is None else high
        return max(0, last - (population.first if low is None else low))

    def _latest(self, pairs: Pairs) -> Answer:
        kept = [pair for pair in pairs if pair[0] in ("page", "pageSize", "order", "direccion", "vpd")]
        query = read("convocatorias", kept, self.world.config.choices)
        return Answer(page(self.world, query, ULTIMAS_CAP))

    def _export(self, dataset: str, pairs: Pairs, latest: bool) -> Answer:
        values = dict(pairs)
        bad = [name for name in ("tipoDoc", "vpd") if not values.get(name)]
        if bad:
            raise Invalid(*bad)
        extra = ("descripcionCooficial",) if dataset == "partidos_politicos" else ()
        kept = [
            pair for pair in pairs if not latest or pair[0] in ("page", "pageSize", "order", "direccion", "vpd")
        ]
        query = read(dataset, kept, self.world.config.choices, extra)
        if values["vpd"] not in VPD:
            raise Invalid("vpd")
        if values["tipoDoc"] != "csv":
            message = "Mensaje ficticio: este simulador solo exporta tipoDoc=csv."
            return json_answer({"codigo": "ERR_VALIDACION", "errores": [GENERIC, message]}, 400)
        body = export(self.world, query, ULTIMAS_CAP if latest else None)
        return Answer(b"", 204, None) if body is None else Answer(body, media="text/csv")

    def _detail(self, pairs: Pairs) -> Answer:
        code = _required(pairs, "numConv")
        place = self.world.calls.find(code)
        if place is None:
            return Answer(b"", self.world.config.choices.unknown_detail_status, None)
        call = self.world.calls.get(*place)
        if one_hit(call.key, salt("Q15"), self.world.quirks.number("Q15", "numconv_rate") or 0.0):
            return html()
        value = detail(self.world.calls, *place)
        self._blank(call.key, value)
        return json_answer(value)

    def _blank(self, key: int, value: dict[str, object]) -> None:
        world = self.world
        blanked = world.timeline.blanked_one("convocatorias", key)
        if blanked is None and not world.quirks.on("Q24"):
            return
        if world.quirks.nulls("convocatorias", key, world.next_call(), blanked):
            filled = [group for group in FLAPPING if any(value[name] is not None for name in group)]
            # Mostly the dates or the texts of the window; sometimes the co-official title.
            for name in filled[-1 if key % 8 == 0 else 0] if filled else ():
                value[name] = None

    def _call_file(self, pairs: Pairs) -> Answer:
        found = find_file(self.world.calls, _whole(pairs, "idDocumento"))
        return gone() if found is None else _octets(document(found), found.name)

    def _pdf(self, pairs: Pairs) -> Answer:
        _portal(pairs)
        place = self.world.calls.find_id(_whole(pairs, "id"))
        if place is None:
            return Answer(b"", self.world.config.choices.unknown_pdf_status, None)
        call = self.world.calls.get(*place)
        return Answer(sheet(call.code, call.title), media="application/pdf")

    def _zip(self, pairs: Pairs) -> Answer:
        _portal(pairs)
        place = self.world.calls.find(_required(pairs, "id"))
        if place is None:
            return Answer(b"", self.world.config.choices.unknown_pdf_status, None)
        return _octets(zipped(self.world.calls.get(*place)), "convocatoria.zip")

    def _years(self, pairs: Pairs) -> Answer:
        years = sorted(self.world.populations["grandes_beneficiarios"].parts(0), reverse=True)
        return json_answer([{"id": year, "descripcion": year} for year in years])

    def _plan(self, pairs: Pairs) -> Answer:
        index = _whole(pairs, "idPES") - self.world.plans.ID_BASE
        if index not in self._plan_indices():
            return Answer(b"", self.world.config.choices.unknown_detail_status, None)
        if self.world.quirks.on("Q15") and self.world.plans.broken(index):
            return html()
        return json_answer(self.world.plans.detail(index))

    def _plan_indices(self) -> set[int]:
        return set(self.world.plans.population.indices(0, self.world.timeline.now).tolist())

    def _plan_file(self, pairs: Pairs) -> Answer:
        wanted = _whole(pairs, "idDocumento")
        index = (wanted - self.world.plans.FILE_BASE) // 10
        if index in self._plan_indices():
            for file in self.world.plans.attachments(index):
                if file.id == wanted:
                    return _octets(document(file), file.name)
        return gone()

    def _plan_years(self, pairs: Pairs) -> Answer:
        wanted = dict(pairs).get("idPES", "")
        one = self.world.config.choices.vigencia_by_plan and wanted.isdigit()
        only = {int(wanted) - self.world.plans.ID_BASE} if one else self._plan_indices()
        spans = [self.world.plans.years(index) for index in sorted(only & self._plan_indices())]
        names = ("vigDesde", "vigHasta")
        return json_answer(
            {
                name: [{"id": year, "descripcion": year} for year in sorted({span[at] for span in spans})]
                for at, name in enumerate(names)
            }
        )

    def _third_parties(self, pairs: Pairs) -> Answer:
        values = dict(pairs)
        if values.get("vpd", "GE") not in VPD:
            raise Invalid("vpd")
        return json_answer(third_parties(values))

    def _flat(self, dataset: str, pairs: Pairs) -> Answer:
        if dataset != "sectores" and dict(pairs).get("vpd", "GE") not in VPD:
            raise Invalid("vpd")
        forest = self.world.listed[dataset].forest("")
        return (
            json_answer(as_json(forest, self.world.next_call(), False, False))
            if forest
            else Answer(b"", 204, None)
        )

    def _regulations(self, pairs: Pairs) -> Answer:
        # Without ámbito the service does not give the union (CONTRACT §3.13); here the list of A.
        wanted = dict(pairs).get("ambito", "A")
        if wanted not in AMBITOS:
            raise Invalid("ambito")
        forest = self.world.listed["reglamentos"].forest(wanted)
        return (
            json_answer(as_json(forest, self.world.next_call(), False, False))
            if forest
            else Answer(b"", 204, None)
        )

    def _regions(self, pairs: Pairs) -> Answer:
        if dict(pairs).get("vpd", "GE") not in VPD:
            raise Invalid("vpd")
        call, forest = self.world.next_call(), self.world.listed["regiones"].forest("")
        return json_answer(as_json(forest, call, self.world.quirks.on("Q21"), False))

    def _organs(self, dataset: str, pairs: Pairs) -> Answer:
        values = dict(pairs)
        if values.get("idAdmon") not in ADMINISTRATIONS:
            return json_answer(["Mensaje ficticio: el parámetro 'idAdmon' tiene un formato incorrecto."], 400)
        if values.get("vpd", "GE") not in VPD:
            raise Invalid("vpd")
        if self.world.quirks.on("Q8") and set(values) - {"idAdmon", "vpd"}:
            return json_answer(["Mensaje ficticio: hay parámetros que no se admiten."], 400)
        forest = self.world.listed[dataset].forest(values["idAdmon"])
        return (
            json_answer(as_json(forest, self.world.next_call(), False, True)) if forest else Answer(b"", 204, None)
        )

    def _code(self, name: str, pairs: Pairs) -> Answer:
        code = dict(pairs).get(name, "")
        size = 9 if name == "codigo" else 3
        if len(code) != size or not code[0].isalpha() or not code[1:].isalnum():
            return Answer(b"", 400, None)
        found = by_dir3(code) if name == "codigo" else by_administration(code)
        return (
            Answer(b"", 204, None)
            if found is None
            else json_answer({"tipoAdmon": found[0], "ids": list(found[1])})
        )


def _required(pairs: Pairs, name: str) -> str:
    value = dict(pairs).get(name)
    if not value:
        raise Invalid(name)
    return value


def _whole(pairs: Pairs, name: str) -> int:
    text = _required(pairs, name)
    if not text.isascii() or not text.isdigit():
        raise Invalid(name)
    return int(text)


def _portal(pairs: Pairs) -> None:
    if _required(pairs, "vpd") not in VPD:
        raise Invalid("vpd")


def _octets(body: bytes, name: str) -> Answer:
    disposition = f'attachment; filename="{name.encode("ascii", "replace").decode()}"'
    return Answer(body, media="application/octet-stream", headers=(("Content-Disposition", disposition),))
