"""Dozens of random steps: the tables equal the truth after each, history is one line of time for each key."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from fisio_ayida.bdns.datasets import dataset
from fisio_ayida_tests.bdns.conftest import Lab, assert_week_true, contents

STEPS = 10


def effects(draw: random.Random, name: str) -> dict[str, object]:
    """One random step of time."""
    chosen: dict[str, object] = {"datasets": [name], "shuffled": draw.random() < 0.5}
    for kind, most in (("added", 0.1), ("changed", 0.2), ("removed", 0.2), ("restored", 0.6), ("respelled", 0.6)):
        if draw.random() < 0.6:
            chosen[kind] = round(draw.uniform(0, most), 3)
    return chosen


@pytest.mark.parametrize(
    "name",
    ["concesiones", "ayudas_estado", "minimis", "convocatorias", "partidos_politicos", "grandes_beneficiarios",
     "planes_estrategicos", "regiones", "reglamentos"],
)  # fmt: skip
def test_after_random_steps_the_tables_are_true_and_every_moment_can_be_asked_for(lab: Lab, name: str) -> None:
    draw = random.Random(f"steps of {name}")
    of = dataset(name)
    tables = [of.table, *(f"{of.table}_{child.name}" for child in of.children)]
    snapshots: dict[dt.datetime, dict[str, object]] = {}
    lab.week(name)
    for _ in range(STEPS):
        snapshots[lab.moment] = {table: contents(lab, table) for table in tables}
        lab.sim.step(**effects(draw, name))
        lab.week(name, allow_removals=True)
        assert_week_true(lab, name)
    snapshots[lab.moment] = {table: contents(lab, table) for table in tables}

    assert lab.count(f"{of.table}_history") > 10
    for moment, before in snapshots.items():
        for table in tables:
            assert contents(lab, f"{table}_as_of('{moment.isoformat()}')") == before[table]
            almost = moment + dt.timedelta(seconds=59)
            assert contents(lab, f"{table}_as_of('{almost.isoformat()}')") == before[table]
    first = min(snapshots) - dt.timedelta(seconds=1)
    assert lab.count(f"{of.table}_as_of('{first.isoformat()}')") == 0
    for table, key in [
        (of.table, of.key),
        *((f"{of.table}_{child.name}", (child.parent, *child.key)) for child in of.children),
    ]:
        assert_one_line_of_time(lab, table, key)


def assert_one_line_of_time(lab: Lab, table: str, key: tuple[str, ...]) -> None:
    """For each key the spans do not overlap, and each ends as its end kind says."""
    columns = ", ".join(key)
    spans = lab.rows(
        f"""
        select {columns}, valid_from, valid_to, end_kind from {table}_history
        union all select {columns}, valid_from, null, null from {table}
        order by {columns}, valid_from
        """
    )
    width = len(key)
    for this, following in zip(spans, [*spans, None][1:], strict=True):
        begin, end, kind = this[width:]
        if end is None:
            assert following is None or following[:width] != this[:width], "one current row for each key"
            continue
        assert begin < end
        same = following is not None and following[:width] == this[:width]
        if kind == "superseded":
            assert same and following[width] == end, "the next version begins where this one ended"  # type: ignore[index]
        else:
            assert kind == "withdrawn"
            assert not same or following[width] > end, "a withdrawn key was away for a while"  # type: ignore[index]


def test_children_of_a_changed_call_keep_their_own_history(lab: Lab) -> None:
    """A child list that loses, gains and changes a row: only these rows end."""
    lab.week("convocatorias")
    code, number = lab.rows("select codigo_bdns, id from bdns.convocatorias_documentos order by 1, 2")[0]
    before = contents(lab, "bdns.convocatorias_documentos")
    lab.connection.execute(
        "update bdns.convocatorias_documentos set row_hash = 1 where codigo_bdns = %s and id = %s", [code, number]
    )
    lab.connection.execute(
        "insert into bdns.convocatorias_fondos values (%s, 'FONDO QUE YA NO ESTÁ', 2, now())", [code]
    )
    lab.connection.execute("update bdns.convocatorias set row_hash = 1 where codigo_bdns = %s", [code])
    report = lab.week("convocatorias")
    assert report.total("rows_changed") == 1
    ended = "select id, end_kind from bdns.convocatorias_documentos_history"
    assert lab.rows(ended) == [(number, "superseded")]
    assert lab.rows("select descripcion, end_kind from bdns.convocatorias_fondos_history") == [
        ("FONDO QUE YA NO ESTÁ", "withdrawn")
    ]
    columns = "codigo_bdns, id, descripcion, nombre_fic, long, row_hash"
    assert contents(lab, "bdns.convocatorias_documentos", columns) == sorted((r[0], *r[1:5], r[7]) for r in before)


def test_a_withdrawn_call_takes_its_children_along_and_brings_them_back(lab: Lab) -> None:
    lab.week("convocatorias")
    before = contents(lab, "bdns.convocatorias_sectores", "codigo_bdns, codigo, descripcion")
    lab.sim.step(removed=0.5, datasets=["convocatorias"])
    lab.week("convocatorias", allow_removals=True)
    orphans = "codigo_bdns not in (select codigo_bdns from bdns.convocatorias)"
    for child in dataset("convocatorias").children:
        assert lab.count(f"bdns.convocatorias_{child.name}", orphans) == 0
    lab.sim.step(restored=1.0, datasets=["convocatorias"])
    assert lab.week("convocatorias").total("rows_restored") > 0
    assert contents(lab, "bdns.convocatorias_sectores", "codigo_bdns, codigo, descripcion") == before
