"""Quirks Q1-Q13 of the contract: date bounds, ignored parameters, paging, errors that say 200.

One test for each number, named by it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from fisio_ayida_tests.simulators.conftest import DAY, FIRST, TODAY, Reader, es

ONE = timedelta(days=1)


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["id"] if "id" in row else row["idConcesion"] for row in rows]


def test_q01_upper_registration_bound_is_exclusive(reader: Reader) -> None:
    same_day = reader.rows("concesiones", fechaRegInicio=es(DAY), fechaRegFin=es(DAY))
    assert len(same_day) <= 1
    next_day = reader.rows("concesiones", fechaRegInicio=es(DAY), fechaRegFin=es(DAY + ONE))
    assert len(next_day) >= 90
    assert sum(row["fechaAlta"] == DAY.isoformat() for row in next_day) == 90


def test_q02_midnight_rows_leak_into_the_window_before(fresh: Callable[..., Reader]) -> None:
    reader = fresh(rows_per_day={"concesiones": 4_000})
    window = reader.rows("concesiones", fechaRegInicio=es(DAY), fechaRegFin=es(DAY + ONE))
    after = reader.rows("concesiones", fechaRegInicio=es(DAY + ONE), fechaRegFin=es(DAY + 2 * ONE))
    leaked = [row for row in window if row["fechaAlta"] == (DAY + ONE).isoformat()]
    assert 1 <= len(leaked) <= 4
    assert {row["id"] for row in leaked} <= set(ids(after))
    only_midnight = reader.rows("concesiones", fechaRegInicio=es(DAY + ONE), fechaRegFin=es(DAY + ONE))
    assert ids(only_midnight) == ids(leaked)
    reader.sim.quirks(Q2=False)
    assert len(reader.rows("concesiones", fechaRegInicio=es(DAY), fechaRegFin=es(DAY + ONE))) == 4_000


def test_q03_call_dates_are_inclusive_at_both_ends(reader: Reader) -> None:
    rows = reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta=es(DAY))
    assert len(rows) == 12
    assert {row["fechaRecepcion"] for row in rows} == {DAY.isoformat()}


def test_q04_registration_dates_are_ignored_on_calls(reader: Reader) -> None:
    total = reader.page("convocatorias")["totalElements"]
    assert reader.page("convocatorias", fechaRegInicio=es(DAY), fechaRegFin=es(DAY))["totalElements"] == total


def test_q05_registration_dates_work_on_parties_though_undeclared(reader: Reader) -> None:
    rows = reader.rows("partidos_politicos")
    assert len(rows) == 60
    assert "fechaAlta" not in rows[0]
    parts = [
        reader.page("partidos_politicos", fechaRegInicio=es(first), fechaRegFin=es(last))["totalElements"]
        for first, last in ((date(2020, 1, 1), DAY), (DAY, TODAY + ONE))
    ]
    assert sum(parts) == 60
    assert all(parts)


def test_q06_iso_dates_are_refused(reader: Reader) -> None:
    answer = reader.get("concesiones/busqueda", fechaDesde="2026-09-01")
    assert answer.status_code == 400
    assert answer.json()["codigo"] == "ERR_VALIDACION"
    assert "error" not in answer.json()
    _, second = answer.json()["errores"]
    assert "'fechaDesde'" in second


@pytest.mark.parametrize("extra", [{"soloAbiertas": "true"}, {"size": 5}, {"fecha_desde": "x"}, {"tamPag": 3}])
def test_q07_unknown_parameters_are_ignored(reader: Reader, extra: dict[str, object]) -> None:
    body = reader.page("concesiones", **extra)
    assert body["size"] == 50
    assert body["totalElements"] == reader.page("concesiones")["totalElements"]


def test_q08_extra_parameters_on_organos_are_refused_when_switched_on(fresh: Callable[..., Reader]) -> None:
    reader = fresh()
    assert reader.get("organos", idAdmon="C", page=0).status_code == 200
    reader.sim.quirks(Q8=True)
    assert reader.get("organos", idAdmon="C", page=0).status_code == 400
    assert reader.get("organos", idAdmon="C", vpd="GE").status_code == 200


def test_q09_page_size_is_trimmed_to_ten_thousand(fresh: Callable[..., Reader]) -> None:
    reader = fresh(rows_per_day={"concesiones": 11_000}, first_day={"concesiones": TODAY - 3 * ONE})
    body = reader.page("concesiones", pageSize=20_000)
    assert (body["size"], body["numberOfElements"], body["last"]) == (10_000, 10_000, False)


def test_q10_the_default_page_has_fifty_rows_in_searches_and_exports(reader: Reader) -> None:
    assert reader.page("concesiones")["numberOfElements"] == 50
    exported = reader.get("concesiones/exportar", tipoDoc="csv", vpd="GE")
    assert len(exported.content.decode("cp1252").strip().split("\r\n")) == 51


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("concesiones/busqueda", "order", "id"),
        ("concesiones/busqueda", "vpd", "XX"),
        ("concesiones/busqueda", "beneficiario", "B00012344"),
        ("concesiones/busqueda", "direccion", "up"),
        ("sanciones/busqueda", "order", "numeroConvocatoria"),
        ("minimis/busqueda", "order", "codConcesion"),
        ("regiones", "vpd", "XX"),
    ],
)
def test_q11_known_parameters_with_bad_values_are_refused(
    reader: Reader, path: str, name: str, value: str
) -> None:
    answer = reader.get(path, **{name: value})
    assert answer.status_code == 400
    assert answer.json()["codigo"] == "ERR_VALIDACION"
    assert f"'{name}'" in answer.json()["errores"][1]


def test_q12_the_misspelt_column_is_the_accepted_one(reader: Reader) -> None:
    assert reader.get("ayudasestado/busqueda", order="setores").status_code == 200
    assert reader.get("ayudasestado/busqueda", order="sectores").status_code == 400


def test_q13_maintenance_comes_with_200_and_passes_on_retry(fresh: Callable[..., Reader]) -> None:
    reader = fresh()
    reader.sim.quirks(Q13={"rate": 0, "max_days": 7})
    long = {"fechaRegInicio": es(FIRST), "fechaRegFin": es(TODAY)}
    answer = reader.get("concesiones/busqueda", **long)
    assert answer.status_code == 200
    assert set(answer.json()) == {"codigo", "error"}
    assert answer.json()["codigo"] == "ERR_MANTENIMIENTO_BBDD"
    assert "content" in reader.get("concesiones/busqueda", **long).json()
    short = {"fechaRegInicio": es(DAY), "fechaRegFin": es(DAY + 7 * ONE)}
    assert "content" in reader.get("concesiones/busqueda", **short).json()
    reader.sim.quirks(Q13={"rate": 1, "max_days": None})
    answers = ["content" in reader.get("minimis/busqueda", **short).json() for _ in range(4)]
    assert answers == [False, True, False, True]


def test_a_page_past_the_end_is_empty_and_bad_pages_are_refused(reader: Reader) -> None:
    body = reader.page("sanciones", page=99)
    assert (body["content"], body["last"], body["empty"], body["totalElements"]) == ([], True, True, 40)
    assert reader.get("sanciones/busqueda", page=-1).status_code == 400
    assert reader.get("sanciones/busqueda", pageSize=0).status_code == 400


def test_pages_partition_the_result_and_ids_ascend_by_code(reader: Reader) -> None:
    window = {"fechaRegInicio": es(DAY), "fechaRegFin": es(DAY + 3 * ONE)}
    whole = reader.rows("concesiones", order="codConcesion", **window)
    pieces = reader.rows("concesiones", size=37, order="codConcesion", **window)
    assert ids(pieces) == ids(whole) == sorted(ids(whole))  # type: ignore[type-var]
    newest_first = reader.rows("concesiones", **window)
    assert ids(newest_first) == ids(whole)[::-1]
    assert ids(reader.rows("concesiones", order="codConcesion", direccion="DESC", **window)) == ids(newest_first)
    for order in ("importe", "beneficiario"):
        assert sorted(ids(reader.rows("concesiones", size=41, order=order, **window))) == ids(whole)  # type: ignore[type-var]
