"""Drift from the contract: unknown fields and changed types are kept, reported once, and are no versions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fisio_ayida_tests.bdns.conftest import MONDAY, Lab, assert_true, contents

DRIFT = "select field, kind, json_type, sample, first_seen, last_seen, times from ops.drift order by field"
VERSIONS = "id, row_hash, valid_from"


def test_an_unknown_field_is_kept_in_extra_and_reported_with_its_first_day(lab: Lab) -> None:
    lab.sync("concesiones", MONDAY)
    before = contents(lab, "bdns.concesiones", VERSIONS)
    rows = lab.count("bdns.concesiones")
    lab.sim.fault("extra_field", "concesiones/busqueda", name="campoNuevo", value="algo", all=True)
    report = lab.sync("concesiones", MONDAY)
    first = lab.moment
    assert report.total("rows_changed") == 0 and report.total("rows_unchanged") == rows
    assert contents(lab, "bdns.concesiones", VERSIONS) == before
    assert lab.count("bdns.concesiones_history") == 0
    assert lab.rows("select distinct extra from bdns.concesiones") == [({"campoNuevo": "algo"},)]
    assert lab.rows(DRIFT) == [("campoNuevo", "unknown_field", "string", "algo", first, first, rows)]

    written = lab.rows("select xmin::text from bdns.concesiones")
    lab.sync("concesiones", MONDAY)
    assert lab.rows("select xmin::text from bdns.concesiones") == written, "kept once, not at every reading"
    assert lab.rows(DRIFT) == [("campoNuevo", "unknown_field", "string", "algo", first, lab.moment, 2 * rows)]


def test_an_unknown_field_of_a_new_row_is_kept_at_once(lab: Lab) -> None:
    for kind, dataset in (("concesiones", "concesiones"), ("sanciones", "sanciones")):
        lab.sim.fault("extra_field", f"{kind}/busqueda", name="nuevo", value={"a": [1, None]}, row=2)
        lab.sync(dataset, *((MONDAY,) if dataset == "concesiones" else ()))
        assert lab.rows(f"select extra from bdns.{dataset} where extra is not null") == [
            ({"nuevo": {"a": [1, None]}},)
        ]
    assert lab.rows("select distinct json_type, sample from ops.drift") == [("object", '{"a":[1,null]}')]


def test_a_number_that_comes_as_text_is_the_number(lab: Lab) -> None:
    lab.sync("concesiones", MONDAY)
    before = contents(lab, "bdns.concesiones")
    lab.sim.fault("number_as_text", "concesiones/busqueda", field="importe", all=True)
    report = lab.sync("concesiones", MONDAY)
    assert report.total("rows_changed") == report.total("rows_rejected") == 0
    assert contents(lab, "bdns.concesiones") == before
    assert [row[:3] for row in lab.rows(DRIFT)] == [("importe", "type_changed", "string")]
    assert_true(lab, "concesiones", MONDAY, MONDAY)


@pytest.mark.parametrize("dataset", ["concesiones", "sanciones"])
def test_the_invente_code_in_other_capitals_is_no_drift(labs: Callable[..., Lab], dataset: str) -> None:
    lab = labs(rows_per_day={"concesiones": 1500})
    lab.week(dataset)
    lab.sim.fault("rename_field", f"{dataset}/busqueda", field="codigoInvente", to="codigoINVENTE", all=True)
    assert lab.week(dataset).total("rows_changed") == 0
    assert lab.count("ops.drift") == 0
    assert lab.count(f"bdns.{dataset}", "codigo_invente is not null") > 0


def test_a_sample_never_shows_a_name(lab: Lab) -> None:
    lab.sim.fault("rename_field", "concesiones/busqueda", field="idPersona", to="BENEFICIARIO2")
    lab.sync("concesiones", MONDAY)
    lab.connection.execute("truncate ops.drift")
    lab.sim.clear_faults()
    lab.sim.fault("extra_field", "sanciones/busqueda", name="sancionado", value=77)
    lab.sync("sanciones")
    assert lab.rows("select field, sample from ops.drift") == [("sancionado", "***")]


def test_drift_in_a_detail_is_reported_with_its_place(lab: Lab) -> None:
    lab.sim.fault("extra_field", "api/convocatorias?", name="presupuestoNuevo", value=5, times=1)
    lab.sync("convocatorias", MONDAY)
    assert [row[:4] for row in lab.rows(DRIFT)] == [("presupuestoNuevo", "unknown_field", "integer", "5")]
    assert lab.count("bdns.convocatorias", "extra is not null") == 1
