"""What is particular about single datasets: trees, plans without detail, penalties without key, midnight rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from fisio_ayida.bdns.datasets import PLANES_ESTRATEGICOS, SANCIONES
from fisio_ayida_tests.bdns.conftest import (
    FIRST,
    MONDAY,
    SUNDAY,
    Lab,
    assert_true,
    contents,
    everything,
    last_loads,
)

DAY = dt.timedelta(days=1)


def walk(
    nodes: list[dict[str, Any]], path: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    """Every node with the ids that lead to it."""
    for node in nodes:
        here = (*path, node["id"])
        yield here, node
        yield from walk(node.get("children") or [], here)


def asked(lab: Lab, path: str, **params: str) -> Any:
    """What the simulator itself answers; an empty list for 204."""
    answer = httpx.get(f"{lab.sim.base_url}/{path}", params=params, trust_env=False, timeout=20)
    return answer.json() if answer.status_code == 200 else []


def test_every_node_of_the_four_trees_of_bodies_is_a_row(lab: Lab) -> None:
    lab.sync("organos")
    expected = {
        (kind, "/".join(map(str, path)), path[-1], len(path), node["descripcion"], not node.get("children"))
        for kind in "CALO"
        for path, node in walk(asked(lab, "organos", idAdmon=kind))
    }
    assert len(expected) == 8816
    found = lab.rows("select id_admon, ruta_ids, id, nivel, descripcion, hoja from bdns.organos")
    assert len(found) == len(expected) and set(found) == expected
    assert lab.count("bdns.organos", "nivel > 1 and id_padre is null") == 0
    repeated = """
        select coalesce(sum(n - 1), 0) from (select count(*) n from bdns.organos
        group by id_admon, regexp_replace(ruta_ids, '/?[^/]+$', ''), descripcion having count(*) > 1) t
    """
    assert lab.value(repeated) == 88, "a text that repeats under one parent is a body of its own"
    shared = "select count(*) from (select id from bdns.organos group by id having count(distinct nivel) > 1) t"
    assert lab.value(shared) > 100, "Q39: ids repeat from level to level"


def test_regions_have_their_parents_and_nuts_codes(lab: Lab) -> None:
    lab.sync("regiones")
    tree = {path[-1]: (path[-2] if len(path) > 1 else None) for path, _ in walk(asked(lab, "regiones"))}
    assert dict(lab.rows("select id, id_padre from bdns.regiones")) == tree
    parsed = lab.rows("select descripcion, codigo_nuts, nombre from bdns.regiones where codigo_nuts is not null")
    assert len(parsed) > 10
    assert all(text.strip() == f"{code} - {name}".strip() for text, code, name in parsed)


def test_a_regulation_with_id_zero_is_a_row_of_its_ambito(lab: Lab) -> None:
    lab.sync("reglamentos")
    assert lab.count("bdns.reglamentos", "id = 0") > 0
    assert lab.count("bdns.reglamentos") == sum(len(asked(lab, "reglamentos", ambito=a)) for a in "CAMSPG")


def test_a_plan_whose_detail_is_html_keeps_its_listing_row_and_is_not_removed(lab: Lab) -> None:
    for _ in range(3):
        lab.sync("planes_estrategicos")
        assert_true(lab, "planes_estrategicos")
    without = lab.rows("select id, descripcion, ambitos from bdns.planes_estrategicos where not con_detalle")
    listed = {row["id"]: row for row in asked(lab, "planesestrategicos/busqueda", pageSize="1000")["content"]}
    assert without
    for number, title, scopes in without:
        assert title == listed[number]["descripcion"] and scopes == listed[number]["ambitos"].split(";")
    reject = lab.rows("select record_key, times, reason from ops.rejects")
    assert {int(key) for key, _, _ in reject} == {number for number, *_ in without}
    assert {times for _, times, _ in reject} == {3} and "HTML" in reject[0][2]
    assert lab.count("bdns.planes_estrategicos_history") == 0


def test_a_plan_that_had_a_detail_keeps_it_when_html_comes(lab: Lab) -> None:
    lab.sim.quirks(Q15=False)
    lab.sync("planes_estrategicos")
    before = everything(lab, PLANES_ESTRATEGICOS)
    lab.sim.quirks(Q15=True)
    report = lab.sync("planes_estrategicos")
    assert report.total("rows_rejected") > 0 and report.total("rows_changed") == 0
    assert everything(lab, PLANES_ESTRATEGICOS) == before


def test_documents_of_plans_are_rows(lab: Lab) -> None:
    lab.sync("planes_estrategicos")
    some = lab.rows("select id from bdns.planes_estrategicos where con_detalle order by id limit 5")
    for (number,) in some:
        detail = asked(lab, "planesestrategicos", idPES=str(number))
        assert "id" not in detail, "Q31: the detail does not repeat the id"
        found = lab.rows("select id from bdns.planes_estrategicos_documentos where id_plan = %s", [number])
        assert sorted(row[0] for row in found) == sorted(d["id"] for d in detail["documentos"])


@pytest.mark.parametrize("size", [7, 10_000])
def test_penalties_that_repeat_or_share_a_key_are_stable_over_readings_and_pages(lab: Lab, size: int) -> None:
    first = lab.sync("sanciones", BDNS_PAGE_SIZE=size)
    assert_true(lab, "sanciones")
    assert first.total("rows_repeated") == lab.value("select sum(repeticiones - 1) from bdns.sanciones") > 0
    before = everything(lab, SANCIONES)
    for page_size in (size, 7, 13, 10_000):
        lab.sim.step(respelled=0.5, datasets=["sanciones"])
        report = lab.sync("sanciones", BDNS_PAGE_SIZE=page_size)
        assert report.total("rows_changed") == report.total("rows_new") == report.total("rows_removed") == 0
    assert everything(lab, SANCIONES) == before


def test_withdrawals_of_party_funding_are_seen(lab: Lab) -> None:
    lab.sync("partidos_politicos")
    stored = lab.count("bdns.partidos_politicos")
    lab.sim.step(removed=0.3, datasets=["partidos_politicos"])
    report = lab.sync("partidos_politicos")
    removed = lab.sim.changes("partidos_politicos")["removed"]
    assert report.total("rows_removed") == removed > 0
    assert lab.count("bdns.partidos_politicos") == stored - removed
    assert_true(lab, "partidos_politicos")


def test_a_row_at_midnight_is_neither_doubled_nor_lost_between_windows(labs: Callable[..., Lab]) -> None:
    """Q2: rows stamped 00:00:00 are answered for the day before too."""
    lab = labs(rows_per_day={"concesiones": 2000, "ayudas_estado": 2000, "minimis": 2000})
    for name in ("concesiones", "ayudas_estado", "minimis"):
        for days in ((FIRST, MONDAY - DAY), (MONDAY, SUNDAY), (MONDAY, MONDAY)):
            lab.sync(name, *days)
        loads = last_loads(lab, name)
        assert sum(load["rows_outside"] for load in loads) > 0
        assert all(load["window_received"] == load["total_first"] for load in loads)
        assert_true(lab, name, FIRST, SUNDAY)
        again = lab.sync(name, MONDAY, SUNDAY)
        assert again.total("rows_new") == again.total("rows_removed") == 0


def test_an_award_of_long_ago_that_is_registered_now_is_found(lab: Lab) -> None:
    """Q26: award dates fill up late; only the registration window tells."""
    lab.week("concesiones")
    late = lab.count("bdns.concesiones", "fecha_concesion < fecha_alta - 200")
    assert late > 0
    before = contents(lab, "bdns.concesiones", "id")
    lab.sim.step(added=0.2, datasets=["concesiones"])
    assert lab.week("concesiones").total("rows_new") == lab.count("bdns.concesiones") - len(before) > 0


def test_a_joined_organ_text_and_odd_blanks_stay_as_published(lab: Lab) -> None:
    """Q36, Q37: blanks are data; whole and fractional amounts are one column."""
    lab.week("minimis")
    assert lab.count("bdns.minimis", "convocante like '% '") > 0
    assert lab.count("bdns.minimis", "instrumento like '% '") > 0
    whole = lab.count("bdns.minimis", "ayuda_equivalente = trunc(ayuda_equivalente)")
    assert 0 < whole < lab.count("bdns.minimis")


def test_beneficiaries_are_split_and_flagged_in_every_dataset_that_has_them(lab: Lab) -> None:
    for name in ("concesiones", "ayudas_estado", "minimis", "grandes_beneficiarios", "sanciones"):
        lab.week(name)
        raw = "sancionado" if name == "sanciones" else "beneficiario"
        rows = lab.rows(f"select {raw}, identificador, nombre, persona_fisica, dato_personal from bdns.{name}")
        for text, identifier, person, natural, personal in rows:
            assert text.startswith(identifier) and person and not person.startswith("- ")
            assert natural <= personal and ("*" not in identifier or natural)
