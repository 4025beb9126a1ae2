"""Quirks Q14-Q22 and Q28-Q41: refusals, HTML and XML, shuffled lists, documents, exports, odd texts.

One test for each number, named by it. The quirks of time (Q23-Q27) have their own module.
"""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from fisio_ayida.simulators.bdns import BdnsSimulator
from fisio_ayida_tests.simulators.conftest import DAY, Reader, es, small

ONE = timedelta(days=1)
WINDOW = {"fechaRegInicio": es(DAY), "fechaRegFin": es(DAY + ONE)}


def test_q14_two_starts_within_100_ms_give_429(fresh: Callable[..., Reader]) -> None:
    reader = fresh(quirks={"Q14": True})
    first, second = (reader.get("finalidades") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.content == b""
    assert "retry-after" not in second.headers
    time.sleep(0.12)
    assert reader.get("finalidades").status_code == 200
    reader.sim.quirks(Q14={"retry_after": 2})
    assert reader.get("finalidades").headers["retry-after"] == "2"


def test_q15_the_same_plans_always_answer_html(reader: Reader) -> None:
    plans = [row["id"] for row in reader.rows("planes_estrategicos")]
    for _ in range(2):
        broken = [
            id_ for id_ in plans if "html" in reader.get("planesestrategicos", idPES=id_).headers["content-type"]
        ]
        assert broken == [90_039 - n for n in range(40) if (39 - n) % 17 == 5]
    answer = reader.get("planesestrategicos", idPES=broken[0])
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html")
    assert reader.get("planesestrategicos", idPES=broken[0] - 1).json()["tipoPlan"]


def test_q16_unknown_paths_give_an_html_404(reader: Reader) -> None:
    answer = reader.get("no/existe")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_q17_an_accept_with_xml_gives_xml(reader: Reader) -> None:
    answer = reader.get("sanciones/busqueda", headers={"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"})
    assert "xml" in answer.headers["content-type"]
    assert answer.text.startswith("<ObjectNode>")


def test_q18_json_has_no_charset_is_utf8_and_comes_uncompressed_in_chunks(reader: Reader) -> None:
    answer = reader.get("organos", idAdmon="A", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-type"] == "application/json"
    assert "content-encoding" not in answer.headers
    assert "no-store" in answer.headers["cache-control"]
    assert not {"etag", "last-modified"} & set(answer.headers)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "CONSEJERÍA" in answer.content.decode("utf-8")


def test_q19_key_order_varies_between_equal_calls(reader: Reader) -> None:
    envelopes = {tuple(reader.page("sanciones")) for _ in range(8)}
    assert len(envelopes) > 1
    nodes = {tuple(node) for node in reader.get("organos", idAdmon="C").json()}
    assert len(nodes) > 1


@pytest.mark.parametrize(
    ("dataset", "field", "joiner"), [("ayudas_estado", "sectores", "#"), ("minimis", "sectorActividad", "; ")]
)
def test_q20_joined_lists_are_shuffled_at_each_call(
    fresh: Callable[..., Reader], dataset: str, field: str, joiner: str
) -> None:
    reader = fresh()
    one, two = (reader.rows(dataset, **WINDOW) for _ in range(2))
    assert [row[field] for row in one] != [row[field] for row in two]
    parts = re.compile(re.escape(joiner.strip()) + r"\s*(?=[A-Z0-9][0-9.]* - )")
    elements = [[sorted(parts.split(row[field])) if row[field] else None for row in rows] for rows in (one, two)]
    assert elements[0] == elements[1]
    reader.sim.quirks(Q20=False)
    one, two = (reader.rows(dataset, **WINDOW) for _ in range(2))
    assert one == two


def test_q21_children_of_regions_come_in_another_order(fresh: Callable[..., Reader]) -> None:
    def ordered(nodes: list[dict[str, Any]]) -> list[object]:
        return [(node["id"], ordered(node["children"])) for node in nodes]

    def canonical(nodes: list[dict[str, Any]]) -> list[object]:
        return sorted((node["id"], canonical(node["children"])) for node in nodes)

    reader = fresh()
    trees = [reader.get("regiones").json() for _ in range(4)]
    assert len({json.dumps(ordered(tree)) for tree in trees}) > 1
    assert len({json.dumps(canonical(tree)) for tree in trees}) == 1
    reader.sim.quirks(Q21=False)
    assert ordered(reader.get("regiones").json()) == ordered(reader.get("regiones").json())


def test_q22_some_activities_carry_their_own_semicolon(reader: Reader) -> None:
    texts = [row["sectorActividad"] or "" for row in reader.rows("minimis")]
    assert any("defensa; seguridad social" in text for text in texts)


def test_q28_the_latest_calls_are_capped_and_have_fifty_a_page(fresh: Callable[..., Reader]) -> None:
    reader = fresh(rows_per_day={"convocatorias": 400})
    body = reader.get("convocatorias/ultimas").json()
    assert (body["totalElements"], body["size"]) == (10_000, 50)
    assert reader.page("convocatorias")["totalElements"] > 10_000
    newest = body["content"][0]["numeroConvocatoria"]
    last = reader.get("convocatorias/ultimas", order="fechaRecepcion", page=199).json()
    assert (last["last"], last["content"][-1]["numeroConvocatoria"]) == (True, newest)
    reader.sim.advance_days(3)
    assert reader.get("convocatorias/ultimas").json()["content"][0]["numeroConvocatoria"] != newest


def test_q29_third_parties_are_capped_at_150_and_repeat_ids(reader: Reader) -> None:
    body = reader.get("terceros", busqueda="garcia").json()
    assert set(body) == {"terceros", "advertencia"}
    assert len(body["terceros"]) == 150
    numbers = [item["id"] for item in body["terceros"]]
    assert len(set(numbers)) < 150
    assert all(" - " in item["descripcion"] for item in body["terceros"])
    assert reader.get("terceros", idPersona=numbers[0]).json()["terceros"][0]["id"] == numbers[0]


def test_q30_a_wrong_ambito_on_third_parties_gives_an_empty_list(reader: Reader) -> None:
    answer = reader.get("terceros", busqueda="garcia", ambito="Z")
    assert (answer.status_code, answer.json()["terceros"]) == (200, [])


def test_q31_the_plan_detail_does_not_repeat_its_id(reader: Reader) -> None:
    row = reader.rows("planes_estrategicos")[1]
    detail = reader.get("planesestrategicos", idPES=row["id"]).json()
    assert "id" not in detail
    assert detail["ambitos"] == row["ambitos"].split(";")


def test_q32_id_means_the_internal_number_for_pdf_and_the_code_for_zip(reader: Reader) -> None:
    row = reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta=es(DAY))[0]
    sheet = reader.get("convocatorias/pdf", id=row["id"], vpd="GE")
    assert (sheet.headers["content-type"], sheet.content[:4]) == ("application/pdf", b"%PDF")
    assert row["numeroConvocatoria"].encode() in sheet.content
    assert reader.get("convocatorias/zip", id=row["numeroConvocatoria"], vpd="GE").content[:2] == b"PK"
    assert reader.get("convocatorias/pdf", id=row["numeroConvocatoria"], vpd="GE").status_code == 204
    assert reader.get("convocatorias/zip", id=row["id"], vpd="GE").status_code == 204
    assert reader.get("convocatorias/pdf", id=row["id"]).status_code == 400


def documents(reader: Reader) -> list[dict[str, Any]]:
    found = []
    for row in reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta=es(DAY + ONE)):
        found += reader.get("convocatorias", numConv=row["numeroConvocatoria"]).json()["documentos"]
    return found


def test_q33_a_document_that_is_gone_gives_400_with_one_message(reader: Reader) -> None:
    for path in ("convocatorias/documentos", "planesestrategicos/documentos"):
        answer = reader.get(path, idDocumento=1)
        assert answer.status_code == 400
        assert len(answer.json()["errores"]) == 1


def test_q34_documents_are_octet_streams_of_the_announced_size(reader: Reader) -> None:
    listed = documents(reader)
    assert {document["nombreFic"].rpartition(".")[2].lower() for document in listed} >= {"pdf", "zip", "docx"}
    for document in listed:
        answer = reader.get("convocatorias/documentos", idDocumento=document["id"])
        assert answer.headers["content-type"] == "application/octet-stream"
        assert len(answer.content) == document["long"]
    plan = reader.get("planesestrategicos", idPES=90_002).json()["documentos"][0]
    assert reader.get("planesestrategicos/documentos", idDocumento=plan["id"]).content[:4] == b"%PDF"


def test_q35_exports_are_windows_1252_csv_in_pages(reader: Reader) -> None:
    answer = reader.get("concesiones/exportar", tipoDoc="csv", vpd="GE", pageSize=7, **WINDOW)
    assert answer.headers["content-type"].startswith("text/csv")
    header, *rows = csv.reader(io.StringIO(answer.content.decode("cp1252")))
    assert header[:5] == ["Administración", "Departamento", "Órgano", "Código BDNS", "Convocatoria"]
    assert len(rows) == 7
    assert all(len(row[4]) <= 128 for row in rows)
    assert rows[0][8] == es(DAY)
    assert reader.get("concesiones/exportar", tipoDoc="csv").status_code == 400
    assert reader.get("concesiones/exportar", tipoDoc="pdf", vpd="GE").status_code == 400
    assert reader.get("concesiones/exportar", tipoDoc="csv", vpd="GE", nifCif="B00000000").status_code == 204


def test_q36_odd_blanks_are_kept(reader: Reader) -> None:
    awards = reader.rows("concesiones", **WINDOW)
    assert any(row["instrumento"].endswith(" ") for row in awards)
    titles = [row["descripcion"] for row in reader.rows("convocatorias")]
    assert any(title.endswith(" ") for title in titles)
    assert any("\u00a0" in title for title in titles)
    assert any('"' in title for title in titles)
    assert any(title.startswith("ANULADA") for title in titles)
    organs = reader.get("organos", idAdmon="L").text + reader.get("organos", idAdmon="A").text
    assert all(odd in organs for odd in ('"descripcion":" ', ' "', "\u00a0", "  "))
    assert any(region["descripcion"].endswith(" ") for region in reader.get("regiones").json())


def test_q37_whole_and_decimal_amounts_mix_in_one_column(reader: Reader) -> None:
    rows = reader.rows("concesiones")
    assert {type(row["importe"]) for row in rows} == {int, float}
    assert any(row["ayudaEquivalente"] == 0 for row in rows)
    assert any(0 < row["ayudaEquivalente"] < row["importe"] for row in rows)
    texts = re.findall(r'"importe":([0-9.]+)', reader.get("concesiones/busqueda", pageSize=5_000).text)
    assert not any(text.endswith(("0", ".")) for text in texts if "." in text)


def test_q38_regulations_depend_on_the_ambito_and_one_has_id_zero(reader: Reader) -> None:
    lists = {}
    for name in "CAMSPG":
        answer = reader.get("reglamentos", ambito=name)
        lists[name] = [] if answer.status_code == 204 else answer.json()
    assert lists["A"] != lists["M"]
    assert 0 in [entry["id"] for entry in lists["A"]]
    assert lists["P"] == []
    everything = {entry["id"] for entries in lists.values() for entry in entries}
    assert {entry["id"] for entry in reader.get("reglamentos").json()} != everything


def test_q39_organ_ids_collide_across_levels_but_leaves_do_not(reader: Reader) -> None:
    trees = {name: reader.get("organos", idAdmon=name).json() for name in "CALO"}
    levels: dict[tuple[str, int], list[int]] = {}
    leaves: list[int] = []

    def walk(name: str, nodes: list[dict[str, Any]], depth: int) -> None:
        for node in nodes:
            levels.setdefault((name, depth), []).append(node["id"])
            if "children" in node:
                walk(name, node["children"], depth + 1)
            else:
                leaves.append(node["id"])

    for name, nodes in trees.items():
        walk(name, nodes, 1)
    sizes = {key: len(found) for key, found in levels.items()}
    assert sizes == {
        **{("C", 1): 22, ("C", 2): 327, ("A", 1): 19, ("A", 2): 1_857},
        **{("L", 1): 50, ("L", 2): 2_854, ("L", 3): 3_475, ("O", 1): 212},
    }
    assert all(len(set(found)) == len(found) for found in levels.values())
    assert all(11 in levels[key] for key in (("C", 1), ("L", 1), ("L", 2)))
    assert len(set(leaves)) == len(leaves)
    assert [node["id"] for node in reader.get("organos/agrupacion", idAdmon="C").json()] == levels["C", 1]


def test_q40_an_identifier_matches_exactly_or_not_at_all(reader: Reader) -> None:
    entity = next(row for row in reader.rows("concesiones") if row["beneficiario"][0] in "AB")
    nif = entity["beneficiario"].split()[0]
    found = reader.rows("concesiones", nifCif=nif)
    assert entity["id"] in [row["id"] for row in found]
    assert {row["idPersona"] for row in found} == {entity["idPersona"]}
    assert reader.page("concesiones", nifCif="B00000000")["totalElements"] == 0
    assert reader.page("concesiones", nifCif=nif[:-1])["totalElements"] == 0


def test_q41_latency_grows_with_the_offset(fresh: Callable[..., Reader]) -> None:
    reader = fresh(quirks={"Q41": {"scale": 0.02}})
    times = []
    for number in (0, 100):
        start = time.perf_counter()
        reader.page("concesiones", page=number, pageSize=10_000)
        times.append(time.perf_counter() - start)
    assert times[0] >= 0.05
    assert times[1] >= 0.4


def test_fixed_filters_select_what_they_say(reader: Reader) -> None:
    row = reader.rows("concesiones", **WINDOW)[5]
    by_code = reader.rows("concesiones", codConcesion=row["codConcesion"])
    assert [found["id"] for found in by_code] == [row["id"]]
    by_call = reader.rows("concesiones", numeroConvocatoria=row["numeroConvocatoria"])
    assert {found["numeroConvocatoria"] for found in by_call} == {row["numeroConvocatoria"]}
    by_person = reader.rows("concesiones", beneficiario=row["idPersona"])
    assert row["id"] in [found["id"] for found in by_person]
    state = reader.rows("concesiones", tipoAdministracion="C", **WINDOW)
    everything = reader.rows("concesiones", **WINDOW)
    known = [found for found in everything if not found["numeroConvocatoria"].startswith("99")]
    assert {found["id"] for found in known if found["nivel1"] == "ESTADO"} <= {found["id"] for found in state}
    assert {found["ejercicio"] for found in reader.rows("grandes_beneficiarios", anios="2024,2025")} == {
        2024,
        2025,
    }
    call = reader.rows("convocatorias", numeroConvocatoria=row["numeroConvocatoria"])
    assert [found["id"] for found in call] == [row["idConvocatoria"]]
    words = reader.rows("convocatorias", descripcion="COMERCIO proximidad")
    assert words
    assert all("comercio" in found["descripcion"].lower() for found in words)


def test_q26_late_registrations_are_found_by_registration_only(reader: Reader) -> None:
    rows = reader.rows("concesiones", **WINDOW)
    late = [row for row in rows if row["fechaConcesion"] == "2025-12-31"]
    assert late
    wanted = {row["id"] for row in late}
    by_award = reader.rows("concesiones", fechaDesde=es(DAY), fechaHasta=es(DAY))
    assert wanted.isdisjoint(row["id"] for row in by_award)
    assert {row["fechaConcesion"] for row in by_award} == {DAY.isoformat()}
    old = reader.rows("concesiones", fechaDesde="31/12/2025", fechaHasta="31/12/2025")
    assert wanted <= {row["id"] for row in old}


def test_no_connection_is_kept_waiting_when_it_stops() -> None:
    sim = BdnsSimulator(small()).start()
    with httpx.Client(trust_env=False) as http:
        http.get(f"{sim.base_url}/finalidades")
        start = time.perf_counter()
        sim.stop()
    assert time.perf_counter() - start < 0.5
