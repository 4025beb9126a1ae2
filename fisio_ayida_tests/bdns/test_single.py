"""One call asked for by its BDNS code: the same comparison as a whole window's, and no proof of anything else."""

from __future__ import annotations

import asyncio

import pytest

from fisio_ayida.bdns.datasets import CONVOCATORIAS
from fisio_ayida.bdns.errors import BadRequest, UnusableBody
from fisio_ayida.bdns.single import Single, UnknownCode, newest_code, sync_convocatoria
from fisio_ayida_tests.bdns.conftest import MONDAY, Lab, contents, everything


def single(lab: Lab, code: str) -> Single:
    """Read one call again."""

    async def run() -> Single:
        async with lab.context() as context:
            return await sync_convocatoria(code, context)

    lab.later()
    return asyncio.run(run())


def codes(lab: Lab) -> list[str]:
    """The codes that are stored."""
    return [row[0] for row in lab.rows("select codigo_bdns from bdns.convocatorias order by 1")]


def test_a_call_read_by_its_code_is_what_the_window_stores(lab: Lab) -> None:
    lab.sync("convocatorias", MONDAY)
    stored = contents(lab, "bdns.convocatorias", "codigo_bdns, row_hash")
    code = codes(lab)[0]
    assert single(lab, code).verdict == "unchanged"
    lab.connection.execute(
        "truncate bdns.convocatorias, bdns.convocatorias_documentos, bdns.convocatorias_sectores"
    )
    result = single(lab, code)
    assert (result.key, result.partition, result.verdict) == (code, MONDAY.isoformat(), "new")
    assert lab.rows("select codigo_bdns, row_hash from bdns.convocatorias") == [r for r in stored if r[0] == code]
    assert lab.sync("convocatorias", MONDAY).total("rows_changed") == 0


def test_a_changed_call_is_a_version_and_its_neighbours_stay(lab: Lab) -> None:
    lab.sync("convocatorias", MONDAY)
    lab.sim.step(changed=0.6, datasets=["convocatorias"])
    changed = lab.sim.changes("convocatorias", MONDAY, MONDAY.replace(day=8))["keys"]["changed"]
    assert single(lab, changed[0]).verdict == "changed"
    assert lab.rows("select codigo_bdns, end_kind from bdns.convocatorias_history") == [(changed[0], "superseded")]
    assert single(lab, changed[0]).verdict == "unchanged"
    report = lab.sync("convocatorias", MONDAY)
    assert report.total("rows_changed") == len(changed) - 1


def test_a_withdrawn_call_is_unknown_and_stays_until_its_window_is_read(lab: Lab) -> None:
    lab.sync("convocatorias", MONDAY)
    lab.sim.step(removed=0.5, datasets=["convocatorias"])
    gone = lab.sim.changes("convocatorias", MONDAY, MONDAY.replace(day=8))["keys"]["removed"]
    before = everything(lab, CONVOCATORIAS)
    with pytest.raises(UnknownCode, match=f"bdns={gone[0]}: the BDNS has no such call"):
        single(lab, gone[0])
    assert everything(lab, CONVOCATORIAS) == before


@pytest.mark.parametrize("status", [204, 400])
def test_an_unknown_code_is_said_and_nothing_is_written(lab: Lab, status: int) -> None:
    if status == 400:
        lab.sim.fault("status", "api/convocatorias?", status=400)
    with pytest.raises(BadRequest) as caught:
        single(lab, "999999999")
    assert str(caught.value).startswith("bdns=999999999: the BDNS ")
    assert lab.count("bdns.convocatorias") == lab.count("ops.rejects") == lab.count("ops.loads") == 0


@pytest.mark.parametrize("code", ["", "12a", "12345678901234567", "-5", "١٢٣", " 123", "1e5"])
def test_a_malformed_code_is_refused_without_a_request(lab: Lab, code: str) -> None:
    lab.sim.reset_requests()
    with pytest.raises(BadRequest, match="is not a BDNS code: 1 to 16 digits"):
        single(lab, code)
    assert lab.sim.requests()["count"] == 0


def test_a_call_whose_detail_is_html_is_an_error_that_says_so(lab: Lab) -> None:
    lab.sync("convocatorias", MONDAY)
    before = everything(lab, CONVOCATORIAS)
    lab.sim.fault("html", "api/convocatorias?")
    with pytest.raises(UnusableBody, match="an HTML page instead of JSON"):
        single(lab, codes(lab)[0])
    assert everything(lab, CONVOCATORIAS) == before


def test_a_call_of_the_window_whose_detail_is_html_keeps_what_is_stored(lab: Lab) -> None:
    lab.sync("convocatorias", MONDAY)
    before = everything(lab, CONVOCATORIAS)
    code = codes(lab)[2]
    lab.sim.fault("html", f"numConv={code}")
    report = lab.sync("convocatorias", MONDAY)
    assert report.total("rows_rejected") == 1 and report.total("rows_changed") == report.total("rows_removed") == 0
    assert everything(lab, CONVOCATORIAS) == before
    assert lab.rows("select record_key from ops.rejects where resolved_at is null") == [(code,)]
    lab.sim.clear_faults()
    assert lab.sync("convocatorias", MONDAY).total("rows_unchanged") == len(codes(lab))
    assert lab.count("ops.rejects", "resolved_at is null") == 0


def test_the_newest_code_is_that_of_the_last_registration(lab: Lab) -> None:
    assert newest_code(lab.connection) is None
    lab.sync("convocatorias", MONDAY, MONDAY.replace(day=8))
    newest = newest_code(lab.connection)
    assert newest is not None
    assert (
        str(lab.value("select fecha_recepcion from bdns.convocatorias where codigo_bdns = %s", [newest]))
        == "2026-09-08"
    )
