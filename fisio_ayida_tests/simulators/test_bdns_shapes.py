"""Shapes: envelopes, rows and details have the live fields, and the official description is honoured.

`openapi_extract.json` holds facts of the official file (parameters, order values, field names); where
the live service differs (contract §5.3) the difference is written here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fisio_ayida_tests.simulators.conftest import DAY, PATHS, Reader, es

SPEC = json.loads((Path(__file__).parent / "openapi_extract.json").read_text("utf-8"))["paths"]
ENVELOPE = {
    *("content", "pageable", "last", "totalPages", "totalElements", "size", "number", "sort", "first"),
    *("numberOfElements", "empty", "advertencia"),
}
PAGEABLE = {"sort", "offset", "pageNumber", "pageSize", "paged", "unpaged"}
# The order of the live service's keys.
ROWS: dict[str, str] = {
    "convocatorias": "id mrr numeroConvocatoria descripcion descripcionLeng fechaRecepcion nivel1 nivel2 nivel3 "
    "codigoInvente",
    "concesiones": "id codConcesion fechaConcesion beneficiario instrumento importe ayudaEquivalente urlBR "
    "tieneProyecto numeroConvocatoria idConvocatoria convocatoria descripcionCooficial nivel1 nivel2 nivel3 "
    "codigoInvente idPersona fechaAlta",
    "ayudas_estado": "idConcesion numeroConvocatoria idConvocatoria convocatoria idPersona codConcesion "
    "convocante reglamento objetivo instrumento tipoBeneficiario fechaConcesion fechaAlta beneficiario importe "
    "ayudaEquivalente region sectores ayudaEstado urlAyudaEstado entidad intermediario",
    "minimis": "idConcesion numeroConvocatoria idConvocatoria idPersona codigoConcesion convocante reglamento "
    "sectorProducto instrumento fechaConcesion fechaRegistro beneficiario sectorActividad ayudaEquivalente",
    "partidos_politicos": "id codConcesion fechaConcesion beneficiario instrumento importe ayudaEquivalente urlBR "
    "tieneProyecto numeroConvocatoria idConvocatoria convocatoria nivel1 nivel2 nivel3",
    "grandes_beneficiarios": "idPersona beneficiario ejercicio ayudaETotal",
    "planes_estrategicos": "descripcion descripcionCooficial tipoPlan vigenciaDesde vigenciaHasta id ambitos",
    "sanciones": "numeroConvocatoria convocatoria nivel1 nivel2 nivel3 codigoInvente fechaConcesion infraccion "
    "importe sancionado fechaSancion importeMulta inicioInhabilitacion finInhabilitacion",
}
DETAIL = (
    "id organo sedeElectronica codigoBDNS fechaRecepcion instrumentos tipoConvocatoria presupuestoTotal mrr "
    "descripcion descripcionLeng tiposBeneficiarios sectores regiones descripcionFinalidad "
    "descripcionBasesReguladoras urlBasesReguladoras sePublicaDiarioOficial abierto fechaInicioSolicitud "
    "fechaFinSolicitud textInicio textFin ayudaEstado urlAyudaEstado fondos reglamento objetivos "
    "sectoresProductos documentos anuncios advertencia"
)
PLAN = (
    "descripcion descripcionCooficial tipoPlan vigenciaDesde vigenciaHasta fechaAprobacion ambitos documentos "
    "advertencia"
)
# In the schema and not live (contract §5.3).
NOT_LIVE = {"partidos_politicos": {"codigoInvente"}, "sanciones": {"codigoINVENTE"}}
SAMPLES = {
    "page": "0",
    "pageSize": "5",
    "vpd": "GE",
    "tipoDoc": "csv",
    "numConv": "100000",
    "codigo": "L02002185",
    "codigoAdmin": "A05",
    "busqueda": "garcia",
}


def sample(name: str, facts: dict[str, Any]) -> str:
    """A value that the official description allows."""
    if name in SAMPLES:
        return SAMPLES[name]
    if "enum" in facts:
        return str(facts["enum"][0])
    if "pattern" in facts:
        return es(DAY)
    return "true" if facts["type"] == "boolean" else "1"


@pytest.mark.parametrize("dataset", list(ROWS))
def test_rows_have_the_live_fields_in_the_live_order(reader: Reader, dataset: str) -> None:
    body = reader.page(dataset, pageSize=200)
    extra = {"acumuladoNacionalAgricola", "acumuladoNacionalPesca"} if dataset == "minimis" else set()
    assert set(body) == ENVELOPE | extra
    assert set(body["pageable"]) == PAGEABLE
    assert body["sort"] == body["pageable"]["sort"] == {"empty": False, "sorted": True, "unsorted": False}
    assert {tuple(row) for row in body["content"]} == {tuple(ROWS[dataset].split())}
    assert 1_000 > len(body["advertencia"]) > 500


@pytest.mark.parametrize("dataset", list(ROWS))
def test_rows_have_every_field_of_the_official_schema(reader: Reader, dataset: str) -> None:
    declared = set(SPEC[f"/{PATHS[dataset]}"]["fields"]["content"])
    missing = declared - set(ROWS[dataset].split()) - NOT_LIVE.get(dataset, set())
    assert missing == set()


def test_details_have_the_live_fields_full_and_scarce(reader: Reader) -> None:
    rows = reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta="18/09/2026")
    details = [reader.get("convocatorias", numConv=row["numeroConvocatoria"]).json() for row in rows]
    assert {tuple(detail) for detail in details} == {tuple(DETAIL.split())}
    for row, detail in zip(rows, details, strict=True):
        assert (row["id"], row["numeroConvocatoria"]) == (detail["id"], detail["codigoBDNS"])
        assert detail["organo"] == {name: row[name] for name in ("nivel1", "nivel2", "nivel3")}
    for name in ("fechaInicioSolicitud", "reglamento", "ayudaEstado", "sedeElectronica", "descripcionLeng"):
        assert {detail[name] is None for detail in details} == {True, False}, name
    for name, keys in (
        ("documentos", {"id", "descripcion", "nombreFic", "long", "datMod", "datPublicacion"}),
        ("sectores", {"descripcion", "codigo"}),
        ("regiones", {"descripcion"}),
    ):
        items = [item for detail in details for item in detail[name]]
        assert items
        assert all(set(item) == keys for item in items)
    notices = [notice for detail in details for notice in detail["anuncios"]]
    assert all(notice["texto"].startswith("<p>") for notice in notices)
    assert set(notices[0]) == set(SPEC["/convocatorias"]["fields"]["anuncios"])
    assert set(SPEC["/convocatorias"]["fields"]) == set(DETAIL.split())
    assert next(detail["reglamento"] for detail in details if detail["reglamento"]).keys() == {
        "descripcion",
        "orden",
    }
    assert tuple(reader.get("planesestrategicos", idPES=90_001).json()) == tuple(PLAN.split())


def test_identifiers_belong_to_nobody(reader: Reader) -> None:
    seen = set()
    for dataset in ("concesiones", "minimis", "partidos_politicos", "grandes_beneficiarios"):
        for row in reader.rows(dataset):
            number = row["beneficiario"].split()[0]
            seen.add("*" if number[0] == "*" else number[0])
            if number[0] == "*":
                assert number.strip("*")[:2] == "00"
            elif not number.isdigit() and number[0] != "Z":
                assert number[:2] == "00" or number[1:3] == "00"
    assert seen >= set("*ABGFPQEJ")
    masked = [row["beneficiario"].split(" ", 1) for row in reader.rows("concesiones")]
    assert len({len(mask) - len(mask.strip("*")) for mask, _ in masked if mask[0] == "*"}) > 1
    assert any("*" in name for _, name in masked)
    aids = [row["beneficiario"] for row in reader.rows("ayudas_estado")]
    assert all(" - " in text for text in aids)


@pytest.mark.parametrize("path", [path for path in SPEC if "exportar" not in path])
def test_every_declared_parameter_is_accepted(reader: Reader, path: str) -> None:
    facts = SPEC[path]["parameters"]
    values = {
        name: sample(name, fact) for name, fact in facts.items() if name not in ("id", "idDocumento", "idPES")
    }
    for name in ("id", "idDocumento", "idPES"):
        if name in facts:
            values[name] = {"/convocatorias/pdf": "98540000", "/convocatorias/zip": "100100"}.get(path, "90001")
    required = {name: value for name, value in values.items() if facts[name].get("required")}
    allowed = {400} if path.endswith("/documentos") else {200, 204}
    assert reader.get(path.strip("/"), **required).status_code in allowed
    for name, value in values.items():
        answer = reader.get(path.strip("/"), **{**required, name: value})
        assert answer.status_code in allowed, (name, value, answer.text)


@pytest.mark.parametrize("path", [path for path in SPEC if "order" in SPEC[path]["parameters"]])
def test_declared_order_values_are_accepted_and_others_refused(reader: Reader, path: str) -> None:
    fixed = {"pageSize": 1} if "exportar" not in path else {"pageSize": 1, "tipoDoc": "csv", "vpd": "GE"}
    for value in SPEC[path]["parameters"]["order"]["enum"]:
        assert reader.get(path.strip("/"), order=value, **fixed).status_code == 200, value
    assert reader.get(path.strip("/"), order="noExiste", **fixed).status_code == 400


def test_every_declared_path_of_the_data_is_served(reader: Reader) -> None:
    for path in SPEC:
        assert reader.get(path.strip("/")).status_code != 404, path


def test_lookups_answer_one_object_nothing_or_a_bare_400(reader: Reader) -> None:
    assert reader.get("organos/codigo", codigo="L02002185").json() == {"tipoAdmon": "L", "ids": [2185]}
    assert reader.get("organos/codigo", codigo="L02999999").status_code == 204
    assert reader.get("organos/codigo", codigo="x").status_code == 400
    found = reader.get("organos/codigoAdmin", codigoAdmin="A05").json()
    assert found["tipoAdmon"] == "A"
    assert len(found["ids"]) > 50
    assert reader.get("organos", idAdmon="X").json() == [
        "Mensaje ficticio: el parámetro 'idAdmon' tiene un formato incorrecto."
    ]
    by_organ = reader.rows("convocatorias", organos=",".join(str(id_) for id_ in found["ids"]))
    assert by_organ
    assert {row["nivel1"] for row in by_organ} == {"AUTONOMICA"}
