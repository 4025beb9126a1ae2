"""Politeness over all processes: no 429 at the default pace, one call in flight, one load of a window at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fisio_ayida.bdns.mirror import MirrorFailed, Report
from fisio_ayida.warehouse.locks import window_locks
from fisio_ayida_tests.bdns.conftest import MONDAY, SUNDAY, Lab, assert_true


def test_the_default_pace_never_meets_a_429(lab: Lab) -> None:
    """Q14: the source refuses two starts within 100 ms."""
    lab.sim.quirks(Q14=True)
    for _ in range(3):
        lab.sim.reset_requests()
        report = lab.sync("convocatorias", MONDAY, MONDAY + dt.timedelta(days=1), BDNS_REQUESTS_PER_SECOND=10)
        seen = lab.sim.requests()
        # A busy machine may hold one arrival back into the next one's time; a pace that is too fast, each time.
        if "429" not in seen["by_status"]:
            break
    assert seen["by_status"] == {"200": report.total("requests")}
    assert seen["count"] > 10 and seen["min_spacing_ms"] >= 100


def test_without_the_pace_the_source_would_refuse(lab: Lab) -> None:
    lab.sim.quirks(Q14=True)
    error = lab.fails("convocatorias", MONDAY, BDNS_MAX_RETRIES=0)
    assert "HTTP 429" in str(error)


def test_two_syncs_at_once_have_one_call_in_flight_between_them(lab: Lab) -> None:
    lab.sim.reset_requests()

    async def both() -> list[Report]:
        return await asyncio.gather(
            lab.sync_async("convocatorias", MONDAY, SUNDAY),
            lab.sync_async("minimis", MONDAY, SUNDAY, BDNS_PAGE_SIZE=20),
        )

    asyncio.run(both())
    seen = lab.sim.requests()
    assert seen["max_in_flight"] == 1 and seen["count"] > 40
    for name in ("convocatorias", "minimis"):
        assert_true(lab, name, MONDAY, SUNDAY)
    assert lab.count("ops.requests_in_flight") == 0


def test_more_calls_in_flight_are_the_operators_choice(lab: Lab) -> None:
    lab.sim.fault("slow", "api/convocatorias?", seconds=0.02)
    lab.sim.reset_requests()
    lab.sync("convocatorias", MONDAY, SUNDAY, BDNS_MAX_IN_FLIGHT=4)
    assert 2 <= lab.sim.requests()["max_in_flight"] <= 4
    assert_true(lab, "convocatorias", MONDAY, SUNDAY)


def test_a_second_load_of_the_same_window_waits_for_the_first(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(1) as pool, lab.warehouse.connect() as other, caplog.at_level(logging.WARNING):
        window_locks(other, "concesiones", [MONDAY.isoformat()], wait=dt.timedelta(0))
        second = pool.submit(lab.sync, "concesiones", MONDAY)
        while not lab.count("pg_locks", "locktype = 'advisory' and not granted"):
            assert not second.done()
            time.sleep(0.01)
        assert lab.count("bdns.concesiones") == 0
        other.commit()
        report = second.result(timeout=20)
    assert report.loads[0].status == "ok"
    assert any(f"waiting: another load holds concesiones {MONDAY}" in r.getMessage() for r in caplog.records)
    assert_true(lab, "concesiones", MONDAY, MONDAY)


def test_a_second_load_that_may_not_wait_says_who_holds_the_window(lab: Lab) -> None:
    with lab.warehouse.connect(application_name="fisio_ayida other") as other:
        window_locks(other, "concesiones", [MONDAY.isoformat()], wait=dt.timedelta(0))
        error = lab.fails("concesiones", MONDAY, LOCK_WAIT_SECONDS=0)
        other.rollback()
    assert f"concesiones {MONDAY} is being loaded by process" in str(error)
    assert "fisio_ayida other" in str(error) and "waited 0 s, try later" in str(error)
    assert lab.count("bdns.concesiones") == 0
    assert lab.rows("select distinct status from ops.loads") == [("failed",)]
    lab.sync("concesiones", MONDAY, LOCK_WAIT_SECONDS=0)
    assert_true(lab, "concesiones", MONDAY, MONDAY)


def test_two_loads_of_one_week_at_once_end_as_one(lab: Lab) -> None:
    async def one(number: int) -> Report | MirrorFailed:
        return await asyncio.to_thread(
            asyncio.run, lab.sync_async("concesiones", MONDAY, SUNDAY, run_id=f"r{number}")
        )

    async def both() -> list[Report | MirrorFailed]:
        return await asyncio.gather(one(1), one(2))

    reports = asyncio.run(both())
    news = sorted(r.total("rows_new") for r in reports)  # type: ignore[union-attr]
    assert news == [0, lab.count("bdns.concesiones")]
    assert lab.count("bdns.concesiones_history") == 0
    assert_true(lab, "concesiones", MONDAY, SUNDAY)
