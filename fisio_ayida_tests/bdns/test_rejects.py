"""Records that cannot be used: kept whole with their reason, never taken for a withdrawal, tried again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from fisio_ayida.bdns.datasets import CONCESIONES, dataset
from fisio_ayida.bdns.single import Single, replay
from fisio_ayida_tests.bdns.conftest import MONDAY, Lab, assert_true, everything, last_loads

OPEN = "select record_key, reason, payload, url, times, first_seen, last_seen, run_id from ops.rejects"


def replayed(lab: Lab, name: str) -> list[Single]:
    """Try the rejects of a dataset again."""

    async def run() -> list[Single]:
        async with lab.context() as context:
            return await replay(dataset(name), context)

    lab.later()
    return asyncio.run(run())


def test_a_record_that_cannot_be_used_is_kept_whole_and_counted(lab: Lab) -> None:
    lab.sim.fault("bad_date", "concesiones/busqueda", field="fechaAlta", row=3)
    report = lab.sync("concesiones", MONDAY)
    (load,) = report.loads
    assert load.status == "ok" and load.rows_rejected == 1
    assert load.window_received == load.total_first == lab.count("bdns.concesiones") + 1
    ((key, reason, payload, url, times, first, last, run),) = lab.rows(OPEN)
    assert reason == "fechaAlta: '2026-02-31' is not a date YYYY-MM-DD"
    assert json.loads(payload)["id"] == int(key) and json.loads(payload)["fechaAlta"] == "2026-02-31"
    assert url.startswith(lab.sim.base_url) and (times, first, last, run) == (1, lab.moment, lab.moment, "run-1")

    lab.sync("concesiones", MONDAY, run_id="run-2")
    ((_, _, _, _, times, first_again, last, run),) = lab.rows(OPEN)
    assert (times, first_again, last, run) == (2, first, lab.moment, "run-2")


def test_an_unusable_record_with_a_key_is_no_withdrawal_and_others_still_are(lab: Lab) -> None:
    lab.sync("concesiones", MONDAY)
    before = lab.count("bdns.concesiones")
    lab.sim.step(removed=0.1, datasets=["concesiones"])
    removed = lab.sim.changes("concesiones", MONDAY, MONDAY.replace(day=8))["removed"]
    lab.sim.fault("bad_date", "concesiones/busqueda", field="fechaConcesion", row=0)
    lab.sim.fault("rename_field", "concesiones/busqueda", field="importe", row=1)
    report = lab.sync("concesiones", MONDAY)
    assert report.total("rows_rejected") == 2
    assert report.total("rows_removed") == removed > 0
    assert lab.count("bdns.concesiones") == before - removed


def test_an_unusable_record_without_a_key_stops_every_withdrawal_of_its_window(lab: Lab) -> None:
    lab.sync("concesiones", MONDAY)
    before = lab.count("bdns.concesiones")
    lab.sim.step(removed=0.1, changed=0.1, datasets=["concesiones"])
    lab.sim.fault("null_key", "concesiones/busqueda", times=1)
    report = lab.sync("concesiones", MONDAY)
    assert report.total("rows_removed") == 0 and report.total("rows_changed") > 0
    assert lab.count("bdns.concesiones") == before
    assert lab.sync("concesiones", MONDAY).total("rows_removed") > 0
    assert_true(lab, "concesiones", MONDAY, MONDAY)


def test_allowing_removals_does_not_make_a_window_of_rejects_complete(labs: Callable[..., Lab]) -> None:
    lab = labs(rows_per_day={"concesiones": 300})
    lab.sim.fault("rename_field", "concesiones/busqueda", field="importe", to="cuantia", all=True)
    report = lab.sync("concesiones", MONDAY, allow_removals=True)
    assert report.loads[0].status == "rejected"


def test_a_renamed_required_field_rejects_all_whole_and_removes_nothing(labs: Callable[..., Lab]) -> None:
    lab = labs(rows_per_day={"concesiones": 300})
    lab.sync("concesiones", MONDAY)
    before = everything(lab, CONCESIONES)
    lab.sim.fault("rename_field", "concesiones/busqueda", field="importe", to="cuantia", all=True)
    report = lab.sync("concesiones", MONDAY)
    assert everything(lab, CONCESIONES) == before
    assert report.total("rows_rejected") == 300 == lab.count("ops.rejects", "payload like '%cuantia%'")
    assert report.loads[0].status == "rejected", "a window of which nothing can be used is not complete"

    lab.sim.clear_faults()
    assert lab.sync("concesiones", MONDAY).loads[0].status == "ok"
    assert lab.count("ops.rejects", "resolved_at is null") == 0, "the same records came in good order"
    assert everything(lab, CONCESIONES) == before


def test_a_rejected_record_is_replayed_when_it_can_be_used(lab: Lab) -> None:
    lab.sim.fault("bad_date", "concesiones/busqueda", field="fechaConcesion", row=2, value="2026-02-31")
    lab.sync("concesiones", MONDAY)
    ((key, _),) = [row[:2] for row in lab.rows(OPEN)]
    (still,) = replayed(lab, "concesiones")
    assert still.verdict == "rejected" and lab.count("ops.rejects", "resolved_at is null") == 1

    # The program has learnt to read it: here the payload is what changes.
    lab.connection.execute("update ops.rejects set payload = replace(payload, '2026-02-31', '2026-02-28')")
    (stored,) = replayed(lab, "concesiones")
    assert (stored.key, stored.partition, stored.verdict) == (key, MONDAY.isoformat(), "new")
    assert lab.count("ops.rejects", "resolved_at is null") == 0
    day = lab.value("select fecha_concesion::text from bdns.concesiones where id = %s", [int(key)])
    assert day == "2026-02-28"
    assert replayed(lab, "concesiones") == []


def test_a_plan_whose_detail_was_a_page_of_html_is_replayed_with_its_detail(lab: Lab) -> None:
    lab.sync("planes_estrategicos")
    waiting = lab.count("ops.rejects")
    assert waiting == lab.count("bdns.planes_estrategicos", "not con_detalle") > 0
    assert {s.verdict for s in replayed(lab, "planes_estrategicos")} == {"rejected"}
    lab.sim.quirks(Q15=False)
    results = replayed(lab, "planes_estrategicos")
    assert [s.verdict for s in results] == ["changed"] * waiting
    assert lab.count("bdns.planes_estrategicos", "not con_detalle") == 0
    assert lab.count("ops.rejects", "resolved_at is null") == 0
    assert lab.sync("planes_estrategicos").total("rows_changed") == 0


@pytest.mark.parametrize("kind", ["nul_char", "huge_string", "lone_surrogate"])
def test_odd_texts_are_stored_and_lose_nothing(lab: Lab, kind: str) -> None:
    size = {"bytes": 2_000_000} if kind == "huge_string" else {}
    lab.sim.fault(kind, "concesiones/busqueda", field="convocatoria", row=1, **size)
    report = lab.sync("concesiones", MONDAY)
    assert report.total("rows_rejected") == 0
    assert_true(lab, "concesiones", MONDAY, MONDAY)
    odd = lab.rows("select convocatoria from bdns.concesiones order by id limit 1 offset 1")[0][0]
    marks = {"nul_char": "\ufffdfin", "lone_surrogate": "\ufffd", "huge_string": "X" * 2_000_000}
    assert odd.endswith(marks[kind])
    assert lab.sync("concesiones", MONDAY).total("rows_changed") == 0


def test_a_null_key_is_a_reject_without_a_key(lab: Lab) -> None:
    lab.sim.fault("null_key", "grandesbeneficiarios/busqueda")
    report = lab.sync("grandes_beneficiarios", partitions=["2024"])
    assert report.total("rows_rejected") == 1
    ((key, reason, *_),) = lab.rows(OPEN)
    assert key is None and "idPersona" in reason


def test_rejects_are_counted_in_the_partition_they_belong_to(lab: Lab) -> None:
    lab.sim.fault("rename_field", "concesiones/busqueda", field="importe", row=70)
    lab.week("concesiones")
    found = {load["partition_key"]: load["rows_rejected"] for load in last_loads(lab, "concesiones")}
    assert found["2026-09-08"] == 1 and sum(found.values()) == 1
