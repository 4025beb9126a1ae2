"""Values that vanish and come back: a null is believed the second time, and not before."""

from __future__ import annotations

import pytest

from fisio_ayida.bdns.datasets import CONVOCATORIAS, MINIMIS
from fisio_ayida_tests.bdns.conftest import MONDAY, Lab, contents

SECTOR = "select count(*), count(sector_actividad) from bdns.minimis"


def without_sector(lab: Lab, times: int | None = None) -> None:
    """Let sectorActividad be missing from the pages of minimis."""
    lab.sim.fault("rename_field", "minimis/busqueda", field="sectorActividad", to="otra", all=True, times=times)


def test_a_value_missing_once_stands_and_its_sighting_is_recorded(lab: Lab) -> None:
    lab.sync("minimis", MONDAY)
    rows, filled = lab.rows(SECTOR)[0]
    assert 0 < filled < rows
    versions = "id_concesion, sector_actividad, row_hash, valid_from"
    before = contents(lab, "bdns.minimis", versions)
    without_sector(lab, times=1)
    report = lab.sync("minimis", MONDAY)
    assert report.total("nulls_damped") == filled
    assert report.total("rows_changed") == 0
    assert lab.rows(SECTOR) == [(rows, filled)] and lab.count("bdns.minimis_history") == 0
    sighted = lab.rows("select distinct dataset, partition_key, field, first_seen from ops.null_sightings")
    assert sighted == [("minimis", MONDAY.isoformat(), "sector_actividad", lab.moment)]
    assert lab.count("ops.null_sightings") == filled

    report = lab.sync("minimis", MONDAY)
    assert report.total("rows_changed") == report.total("nulls_damped") == 0
    assert lab.count("ops.null_sightings") == 0, "the value is back, so it was never gone"
    assert contents(lab, "bdns.minimis", versions) == before


def test_a_value_missing_twice_is_believed(lab: Lab) -> None:
    lab.sync("minimis", MONDAY)
    rows, filled = lab.rows(SECTOR)[0]
    without_sector(lab)
    assert lab.sync("minimis", MONDAY).total("rows_changed") == 0
    report = lab.sync("minimis", MONDAY)
    assert report.total("rows_changed") == filled and report.total("nulls_damped") == 0
    assert lab.rows(SECTOR) == [(rows, 0)]
    assert lab.count("ops.null_sightings") == 0
    assert lab.count("bdns.minimis_history", "sector_actividad is not null and end_kind = 'superseded'") == filled
    assert lab.sync("minimis", MONDAY).total("rows_changed") == 0

    lab.sim.clear_faults()
    assert lab.sync("minimis", MONDAY).total("rows_changed") == filled, "a value that comes is believed at once"


def test_a_sighting_that_was_settled_starts_again_from_none(lab: Lab) -> None:
    lab.sync("minimis", MONDAY)
    for _ in range(3):
        without_sector(lab, times=1)
        assert lab.sync("minimis", MONDAY).total("rows_changed") == 0
        assert lab.sync("minimis", MONDAY).total("rows_changed") == 0
    assert lab.count("bdns.minimis_history") == 0


def test_another_change_beside_a_vanished_value_is_stored_with_the_old_value(lab: Lab) -> None:
    lab.sync("minimis", MONDAY)
    _, filled = lab.rows(SECTOR)[0]
    lab.sim.step(changed=0.5, datasets=["minimis"])
    without_sector(lab, times=1)
    report = lab.sync("minimis", MONDAY)
    assert 0 < report.total("rows_changed") < report.total("rows_received")
    assert report.total("nulls_damped") == filled
    assert lab.rows(SECTOR)[0][1] == filled


@pytest.mark.parametrize("field", ["fechaFinSolicitud", "descripcionLeng"])
def test_a_deadline_or_title_that_is_really_gone_is_believed_on_the_second_reading(lab: Lab, field: str) -> None:
    column = {"fechaFinSolicitud": "fecha_fin_solicitud", "descripcionLeng": "descripcion_leng"}[field]
    lab.sync("convocatorias", MONDAY, MONDAY.replace(day=9))
    with_value = lab.count("bdns.convocatorias", f"{column} is not null")
    assert with_value > 0
    lab.sim.fault("rename_field", "api/convocatorias?", field=field, to="advertencia2", all=True)
    lab.sim.fault("rename_field", "convocatorias/busqueda", field=field, to="advertencia3", all=True)
    first = lab.sync("convocatorias", MONDAY, MONDAY.replace(day=9))
    assert first.total("rows_changed") == 0 and first.total("nulls_damped") == with_value
    assert lab.count("bdns.convocatorias", f"{column} is not null") == with_value
    second = lab.sync("convocatorias", MONDAY, MONDAY.replace(day=9))
    assert second.total("rows_changed") == with_value
    assert lab.count("bdns.convocatorias", f"{column} is not null") == 0
    assert lab.count("bdns.convocatorias_history", f"{column} is not null") == with_value


def test_a_row_that_is_new_with_a_null_needs_no_second_sight(lab: Lab) -> None:
    without_sector(lab, times=1)
    assert lab.sync("minimis", MONDAY).total("nulls_damped") == 0
    assert lab.rows(SECTOR)[0][1] == 0
    assert lab.sync("minimis", MONDAY).total("rows_changed") > 0


def test_the_registry_says_what_flaps() -> None:
    assert {c.name for c in MINIMIS.flapping} == {"sector_actividad"}
    assert {c.name for c in CONVOCATORIAS.flapping} == {
        "fecha_inicio_solicitud", "fecha_fin_solicitud", "text_inicio", "text_fin", "descripcion_leng",
        "sede_electronica",
    }  # fmt: skip
