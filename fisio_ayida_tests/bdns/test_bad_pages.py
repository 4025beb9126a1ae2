"""Bad days of the source in the middle of a window: read again or failed, and never half of it written."""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from fisio_ayida.bdns.datasets import CONCESIONES, CONVOCATORIAS
from fisio_ayida.bdns.errors import BadRequest
from fisio_ayida_tests.bdns.conftest import FIRST, MONDAY, SUNDAY, WEEK, Lab, assert_true, everything, last_loads

PAGES = {"BDNS_PAGE_SIZE": 50, "BDNS_MAX_RETRIES": 1}
TRANSPORT = ("html", "cut", "cut_json", "status", "maintenance", "hang")
DISORDER = ("missing_row", "duplicate_row", "shift", "total_changes")


def page_of(kind: str) -> int:
    """The page to spoil: the second one, but the last where it is the total that must differ."""
    return 6 if kind == "total_changes" else 1


@pytest.mark.parametrize("kind", [*TRANSPORT, *DISORDER])
def test_a_second_page_that_stays_bad_fails_the_window_and_leaves_the_tables(lab: Lab, kind: str) -> None:
    lab.week("concesiones")
    before = everything(lab, CONCESIONES)
    lab.sim.step(changed=0.2, removed=0.05, added=0.1, datasets=["concesiones"])
    lab.sim.fault(kind, "concesiones/busqueda", page=page_of(kind))
    error = lab.fails("concesiones", *WEEK, **PAGES, BDNS_PAGE_TIMEOUT_SECONDS=0.5 if kind == "hang" else 20)
    assert everything(lab, CONCESIONES) == before
    failed = last_loads(lab, "concesiones")[-7:]
    assert {load["status"] for load in failed} == {"failed"}
    assert all(load["error"] and load["error"] in str(error) and "\n" not in load["error"] for load in failed)
    if kind in DISORDER:
        assert "received" in str(error) and "the source announced" in str(error)

    lab.sim.clear_faults()
    lab.week("concesiones", allow_removals=True)
    assert_true(lab, "concesiones", *WEEK)


@pytest.mark.parametrize("kind", [*TRANSPORT, *DISORDER])
def test_a_second_page_that_was_bad_once_is_read_again(
    lab: Lab, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    lab.sim.fault(kind, "concesiones/busqueda", page=page_of(kind), times=1)
    with caplog.at_level(logging.WARNING):
        report = lab.sync("concesiones", *WEEK, **PAGES, BDNS_PAGE_TIMEOUT_SECONDS=1 if kind == "hang" else 20)
    assert_true(lab, "concesiones", *WEEK)
    assert lab.count("bdns.concesiones_history") == 0
    words = "retry 1 of 1" if kind in TRANSPORT else "fetching the window again"
    assert sum(words in record.getMessage() for record in caplog.records) == 1
    assert report.total("retries") == (1 if kind in TRANSPORT else 0)


def test_rows_that_shift_while_today_is_read_are_not_lost(lab: Lab) -> None:
    """Q25: rows are registered while pages are read; a window of past days is not touched by it."""
    lab.sim.quirks(Q25=True)
    lab.sync("concesiones", dt.date(2026, 9, 28), dt.date(2026, 10, 4), BDNS_PAGE_SIZE=50)
    assert_true(lab, "concesiones", dt.date(2026, 9, 28), dt.date(2026, 10, 4))


def test_random_maintenance_is_ridden_out(lab: Lab) -> None:
    """Q13: the maintenance answer comes with status 200 and no content."""
    lab.sim.quirks(Q13={"rate": 0.3})
    report = lab.sync("concesiones", *WEEK, BDNS_PAGE_SIZE=20)
    assert report.total("retries") > 0
    assert_true(lab, "concesiones", *WEEK)


def test_a_window_that_fails_does_not_stop_those_after_it(lab: Lab) -> None:
    lab.sim.fault("duplicate_row", "fechaRegInicio=01%2F09%2F2026")
    lab.sim.fault("duplicate_row", "fechaRegInicio=01/09/2026")
    error = lab.fails("concesiones", FIRST, SUNDAY)
    assert "6 partitions loaded, 1 windows failed" in str(error)
    assert_true(lab, "concesiones", dt.date(2026, 9, 8), SUNDAY)
    assert lab.count("bdns.concesiones", "fecha_alta < '2026-09-08'") == 0


def test_a_source_that_does_not_answer_ends_the_run_at_once_and_the_next_one_resumes(lab: Lab) -> None:
    days = (dt.date(2026, 9, 14), dt.date(2026, 10, 4))
    lab.sync("concesiones", days[0], dt.date(2026, 9, 20))
    lab.sim.fault("status", "concesiones", status=503)
    lab.sim.reset_requests()
    error = lab.fails("concesiones", BDNS_MAX_RETRIES=2)
    assert lab.sim.requests()["count"] == 3, "one window's tries, not every window's"
    assert "HTTP 503" in str(error) and "the next run resumes" in str(error)
    lab.sim.clear_faults()
    report = lab.sync("concesiones")
    # The day that failed when it was read again counts as incomplete: the one before is where evidence ends.
    assert report.loads[0].partition_key == "2026-09-19" and report.loads[-1].partition_key == "2026-10-04"
    assert_true(lab, "concesiones", *days)


def test_a_source_that_is_down_is_told_and_changes_nothing(lab: Lab) -> None:
    lab.sync("concesiones", MONDAY)
    before = everything(lab, CONCESIONES)
    error = lab.fails("concesiones", *WEEK, BDNS_BASE_URL="http://127.0.0.1:1/api", BDNS_MAX_RETRIES=1)
    assert "no answer from http://127.0.0.1:1/api/concesiones/busqueda" in str(error)
    assert "BDNS_BASE_URL right" in str(error) and "\n" not in str(error)
    assert everything(lab, CONCESIONES) == before
    assert {load["status"] for load in last_loads(lab, "concesiones")[1:]} == {"failed"}


def test_made_up_rows_never_join_those_of_the_state(lab: Lab) -> None:
    lab.sync("instrumentos")
    lab.connection.execute("update ops.loads set source = 'https://www.infosubvenciones.es/bdnstrans/api'")
    with pytest.raises(BadRequest, match="real and made-up rows would mix"):
        lab.sync("concesiones", MONDAY)
    assert lab.count("bdns.concesiones") == 0 and lab.count("ops.loads") == 1


def test_the_first_window_without_evidence_comes_first_after_a_failure(lab: Lab) -> None:
    lab.sim.fault("maintenance", "fechaRegInicio=28%2F09%2F2026")
    lab.sim.fault("maintenance", "fechaRegInicio=28/09/2026")
    lab.fails("concesiones", BDNS_MAX_RETRIES=0)
    lab.sim.clear_faults()
    assert lab.sync("concesiones").loads[0].partition_key == "2026-09-28"


@pytest.mark.parametrize("status", [503, 429])
def test_a_detail_that_stays_away_fails_its_window_with_its_own_words(lab: Lab, status: int) -> None:
    lab.sync("convocatorias", MONDAY)
    before = everything(lab, CONVOCATORIAS)
    lab.sim.step(changed=0.5, datasets=["convocatorias"])
    lab.sim.fault("status", "api/convocatorias?", status=status)
    error = lab.fails("convocatorias", MONDAY, BDNS_MAX_RETRIES=1)
    assert f"HTTP {status} from {lab.sim.base_url}/convocatorias?numConv=" in str(error)
    assert everything(lab, CONVOCATORIAS) == before
    assert last_loads(lab, "convocatorias")[-1]["status"] == "failed"


def test_a_filter_that_is_not_applied_is_noticed(lab: Lab) -> None:
    """The source ignores what it does not know and sends everything: such rows are never stored."""
    lab.sim.fault("rename_field", "concesiones/busqueda", field="fechaAlta", to="x", row=0)
    row = lab.sync("concesiones", MONDAY).loads[0]
    assert row.rows_rejected == 1
    lab.sim.clear_faults()
    lab.sim.fault("bad_date", "concesiones/busqueda", field="fechaAlta", value="2026-08-01", row=5)
    before = everything(lab, CONCESIONES)
    error = lab.fails("concesiones", MONDAY)
    assert "fecha_alta=2026-08-01 came, so the source did not apply our filter" in str(error)
    assert everything(lab, CONCESIONES) == before


def test_a_key_that_is_stored_under_another_day_moves(lab: Lab) -> None:
    """Registration dates never change, they say: should one, its row has one version and one history."""
    lab.sync("concesiones", MONDAY, MONDAY + dt.timedelta(days=1))
    number = lab.value("select min(id) from bdns.concesiones")
    lab.connection.execute("update bdns.concesiones set fecha_alta = fecha_alta + 20 where id = %s", [number])
    report = lab.sync("concesiones", MONDAY)
    assert (report.total("rows_new"), report.total("rows_changed")) == (0, 1)
    assert lab.rows("select id, end_kind from bdns.concesiones_history") == [(number, "superseded")]
    assert_true(lab, "concesiones", MONDAY, MONDAY + dt.timedelta(days=1))


def test_html_in_place_of_a_tree_fails_its_partition_only(lab: Lab) -> None:
    lab.sim.fault("html", "organos")
    error = lab.fails("organos", partitions=["C"], BDNS_MAX_RETRIES=0)
    assert "an HTML page instead of JSON" in str(error) and lab.count("bdns.organos") == 0
