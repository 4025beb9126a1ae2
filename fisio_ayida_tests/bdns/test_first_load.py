"""A first load is the source's truth, and a window that comes back the same writes its evidence only."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from fisio_ayida.bdns.datasets import DATASETS, dataset
from fisio_ayida_tests.bdns.conftest import (
    DAILY,
    REFEREED,
    SUNDAY,
    Lab,
    assert_week_true,
    everything,
    last_loads,
    tables_of,
)

TUPLES = """
select relname, pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid),
       pg_stat_get_tuples_deleted(c.oid)
from pg_class c where c.oid = any(%s::regclass[]) order by 1
"""


@pytest.mark.parametrize("name", REFEREED)
def test_a_first_load_equals_the_truth_and_a_second_writes_only_evidence(lab: Lab, name: str) -> None:
    of = dataset(name)
    first = lab.week(name, BDNS_PAGE_SIZE=100)
    assert_week_true(lab, name)
    assert first.total("rows_new") == first.total("rows_received") == lab.count(of.table)
    before, statistics = everything(lab, of), tuple_counts(lab, name)
    loads = lab.count("ops.loads")

    again = lab.week(name, BDNS_PAGE_SIZE=100)

    assert everything(lab, of) == before
    assert tuple_counts(lab, name) == statistics
    assert lab.count("ops.loads") == loads + len(again.loads)
    assert (again.total("rows_new"), again.total("rows_changed"), again.total("rows_removed")) == (0, 0, 0)
    assert again.total("rows_unchanged") == first.total("rows_new")
    for load in last_loads(lab, name):
        assert load["status"] == "ok" and load["run_id"] == "run-1" and load["job_name"] == "sync_test"
        assert load["total_first"] in (None, load["window_received"])
        assert load["source"] == lab.sim.base_url


def tuple_counts(lab: Lab, name: str) -> list[tuple[object, ...]]:
    """PostgreSQL's own count of what was inserted, updated and deleted."""
    with lab.warehouse.connect(autocommit=True) as other:
        other.execute("select pg_stat_force_next_flush()")
    return lab.rows(TUPLES, [tables_of(dataset(name))])


def test_the_years_of_the_plans_are_what_the_source_lists(lab: Lab) -> None:
    lab.sync("planes_estrategicos_vigencia")
    listed = httpx.get(f"{lab.sim.base_url}/planesestrategicos/vigencia", trust_env=False).json()
    found = lab.rows("select extremo, id from bdns.planes_estrategicos_vigencia order by 1, 2")
    sides = (("desde", "vigDesde"), ("hasta", "vigHasta"))
    assert found == sorted((side, year["id"]) for side, key in sides for year in listed[key])


@pytest.mark.parametrize("name", DAILY)
def test_without_dates_an_empty_table_gets_the_last_seven_days(lab: Lab, name: str) -> None:
    report = lab.sync(name)
    yesterday = dt.date(2026, 10, 4)
    week = [(yesterday - dt.timedelta(days=n)).isoformat() for n in range(6, -1, -1)]
    assert [load.partition_key for load in report.loads] == week
    found = lab.rows(f"select distinct {dataset(name).partition_column}::text from bdns.{name} order by 1")
    assert [row[0] for row in found] == week


def test_the_next_run_without_dates_fills_holes_and_reads_the_last_day_again(lab: Lab) -> None:
    lab.sync("concesiones", dt.date(2026, 9, 28), dt.date(2026, 9, 28))
    lab.sync("concesiones", dt.date(2026, 10, 2), dt.date(2026, 10, 2))
    report = lab.sync("concesiones")
    assert [load.partition_key for load in report.loads] == [
        "2026-09-29", "2026-09-30", "2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04",
    ]  # fmt: skip


def test_a_window_without_rows_is_complete(lab: Lab) -> None:
    report = lab.sync("concesiones", dt.date(2026, 8, 3), dt.date(2026, 8, 9))
    assert [load.status for load in report.loads] == ["ok"] * 7
    assert report.total("rows_received") == 0 and lab.count("bdns.concesiones") == 0


def test_a_day_of_a_week_is_loaded_without_touching_its_neighbours(lab: Lab) -> None:
    lab.sync("concesiones", SUNDAY, SUNDAY)
    assert lab.count("bdns.concesiones", f"fecha_alta <> '{SUNDAY}'") == 0


def test_every_dataset_of_the_registry_is_refereed_or_compared_here() -> None:
    assert set(DATASETS) == {*REFEREED, "planes_estrategicos_vigencia"}
