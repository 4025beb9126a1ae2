"""Each check, in good order and in a case in which it fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import dagster as dg
import pytest

from fisio_ayida.bdns.checks import CHECKS, Finding, Scope, Severity, checks_for
from fisio_ayida.bdns.datasets import CONCESIONES, DATASETS, SANCIONES
from fisio_ayida_tests.defs.conftest import MORNING, House, failing_checks

DAY = "2026-09-08"
OTHER = "2026-09-09"
Find = Callable[..., Finding]


@pytest.fixture
def find(house: House) -> Find:
    """Runs one check over the day that was loaded into an otherwise empty mirror."""
    house.load("concesiones", DAY)

    def run(name: str, *partitions: str, now: dt.datetime = MORNING) -> Finding:
        check = next(check for check in CHECKS if check.name == name)
        return check.find(house.connection, Scope(CONCESIONES, partitions or (DAY,), now))

    return run


def copy_evidence(house: House, changes: str, day: str = DAY) -> None:
    """A later row of evidence, like the last one but for ``changes`` (column = value, …)."""
    house.connection.execute(
        f"""
        create temporary table copied as select * from ops.loads where partition_key = '{DAY}' limit 1;
        update copied set id = (select max(id) + 1 from ops.loads), partition_key = '{day}';
        update copied set {changes};
        insert into ops.loads overriding system value select * from copied;
        select setval(pg_get_serial_sequence('ops.loads', 'id'), (select max(id) from ops.loads));
        drop table copied
        """
    )


def test_a_good_load_passes_all_but_the_calls_that_are_not_loaded(find: Find) -> None:
    for check in checks_for(CONCESIONES):
        assert find(check.name).passed == (check.name != "known_convocatoria"), check.name


def test_completeness_sees_rows_that_are_gone(house: House, find: Find) -> None:
    house.connection.execute("delete from bdns.concesiones where id = (select min(id) from bdns.concesiones)")
    found = find("completeness")
    assert found.count == 1
    assert found.sample[0].startswith(f"{DAY}: received 60, stored 59")


def test_completeness_sees_rows_that_no_load_brought(house: House, find: Find) -> None:
    house.connection.execute(
        "create temporary table one as select * from bdns.concesiones limit 1; update one set id = -1;"
        "insert into bdns.concesiones select * from one"
    )
    assert "received 60, stored 61" in find("completeness").sample[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ("total_last = 61", "the source announced 60 and 61"),
        ("window_received = 59", "received 59"),
        ("rows_new = rows_new - 1", "accounted for 59"),
        ("status = 'failed'", "the last load failed"),
    ],
)
def test_completeness_sees_sums_that_do_not_agree(house: House, find: Find, changes: str, words: str) -> None:
    copy_evidence(house, changes)
    assert words in find("completeness").sample[0]


def test_drift_names_field_type_sample_and_first_day_until_a_person_accepts_it(house: House, find: Find) -> None:
    house.sim.fault("extra_field", "concesiones/busqueda", name="campoNuevo", value="hola", all=True)
    result = house.run("sync_concesiones", partition=DAY)
    assert failing_checks(result)["drift"] is dg.AssetCheckSeverity.WARN
    found = find("drift")
    for words in ("campoNuevo", "unknown_field", "hola", "first seen 2026-10-05"):
        assert words in found.sample[0]
    house.connection.execute("update ops.drift set accepted_at = now()")
    assert find("drift").passed


def test_rejects_warn(house: House, find: Find) -> None:
    house.sim.fault("null_key", "concesiones/busqueda", field="id")
    result = house.run("sync_concesiones", partition=DAY)
    assert failing_checks(result)["rejects"] is dg.AssetCheckSeverity.WARN
    assert "completeness" not in failing_checks(result)
    assert find("rejects").count == 1


def test_rejects_are_an_error_when_a_window_has_too_many(house: House, find: Find) -> None:
    house.sim.fault("null_key", "concesiones/busqueda", field="id", all=True)
    result = house.run(
        "sync_concesiones", partition=OTHER, BDNS_REMOVAL_GUARD_ROWS="5", BDNS_REMOVAL_GUARD_SHARE="0.05"
    )
    assert result.success
    assert failing_checks(result)["rejects"] is dg.AssetCheckSeverity.ERROR
    assert house.materialized("concesiones") == []


def test_guard_held_looks_at_every_partition_and_only_at_the_last_load(house: House, find: Find) -> None:
    copy_evidence(house, "status = 'held', would_remove = 500", OTHER)
    found = find("guard_held")
    assert (found.count, found.numbers["would_remove"]) == (1, 500)
    assert found.sample[0].startswith(f"{OTHER}: would remove 500 rows")
    copy_evidence(house, "status = 'ok'", OTHER)
    assert find("guard_held").passed


def test_key_uniqueness_sees_a_key_twice(house: House, find: Find) -> None:
    house.connection.execute("alter table bdns.concesiones drop constraint concesiones_pkey")
    house.connection.execute("insert into bdns.concesiones select * from bdns.concesiones limit 1")
    found = find("key_uniqueness")
    assert found.count == 1
    assert "stored 2 times" in found.sample[0]


def test_key_uniqueness_sees_versions_that_overlap(house: House, find: Find) -> None:
    house.connection.execute(
        "insert into bdns.concesiones_history select c.*, c.valid_from + interval '1 day', 'superseded'"
        " from bdns.concesiones c limit 1"
    )
    assert "a past version ends after" in find("key_uniqueness").sample[0]


@pytest.mark.parametrize("amount", ["-0.01", "10000000000.01"])
def test_amounts_plausible(house: House, find: Find, amount: str) -> None:
    house.connection.execute(
        f"update bdns.concesiones set importe = {amount} where id = (select min(id) from bdns.concesiones)"
    )
    found = find("amounts_plausible")
    assert found.count == 1
    assert f"importe={amount}" in found.sample[0]


@pytest.mark.parametrize("day", ["1989-12-31", "2126-01-01"])
def test_dates_plausible(house: House, find: Find, day: str) -> None:
    house.connection.execute(
        f"update bdns.concesiones set fecha_concesion = '{day}' where id = (select min(id) from bdns.concesiones)"
    )
    assert find("dates_plausible").count == 1


def test_a_registration_after_today_in_madrid_is_not_plausible(find: Find) -> None:
    # 22:30 UTC of the day before is already the day itself in Madrid's summer.
    assert find("dates_plausible", now=dt.datetime(2026, 9, 7, 22, 30, tzinfo=dt.UTC)).passed
    assert find("dates_plausible", now=dt.datetime(2026, 9, 7, 21, 30, tzinfo=dt.UTC)).count == 60


def test_known_convocatoria_counts_rows_and_calls_until_the_call_is_there(house: House, find: Find) -> None:
    found = find("known_convocatoria")
    assert found.count == 60
    assert found.sample[0].startswith("call ")
    house.connection.execute(
        "insert into bdns.convocatorias (codigo_bdns, fecha_recepcion, row_hash, valid_from)"
        " select distinct numero_convocatoria, date '2026-09-01', 0, now() from bdns.concesiones"
    )
    assert find("known_convocatoria").passed


def test_rows_per_day_compares_with_the_same_weekday_and_needs_three_of_them(house: House, find: Find) -> None:
    for day in ("2026-09-01", "2026-08-25"):
        copy_evidence(house, "rows_received = 600", day)
    assert find("rows_per_day").numbers["days_compared"] == 0
    copy_evidence(house, "rows_received = 600", "2026-08-18")
    found = find("rows_per_day")
    assert found.count == 1
    assert found.sample[0] == f"{DAY}: 60 rows, usual on this weekday 600"


def test_rows_per_day_is_silent_about_usual_days_and_small_ones(house: House, find: Find) -> None:
    for day in ("2026-09-01", "2026-08-25", "2026-08-18"):
        copy_evidence(house, "rows_received = 80", day)
    assert find("rows_per_day").passed
    for day in ("2026-09-02", "2026-08-26", "2026-08-19"):
        copy_evidence(house, "rows_received = 12", day)
    copy_evidence(house, "rows_received = 1", OTHER)
    assert find("rows_per_day", OTHER).passed


def test_only_the_loaded_partitions_are_looked_at(house: House, find: Find) -> None:
    house.connection.execute("update bdns.concesiones set importe = -1")
    house.load("concesiones", OTHER)
    assert find("amounts_plausible", OTHER).passed
    assert not find("amounts_plausible", DAY).passed


def test_checks_of_days_never_read_the_whole_table(house: House, find: Find) -> None:
    house.connection.execute("set enable_seqscan = off")  # few rows: the planner would not care
    before = whole_reads(house)
    for check in checks_for(CONCESIONES):
        find(check.name)
    assert whole_reads(house) == before


def whole_reads(house: House) -> int:
    house.connection.execute("select pg_stat_force_next_flush()")
    [(count,)] = house.rows("select seq_scan from pg_stat_user_tables where relname = 'concesiones'")
    return int(count)


def test_every_check_runs_on_every_dataset_it_applies_to(house: House) -> None:
    for dataset in DATASETS.values():
        for check in checks_for(dataset):
            assert check.find(
                house.connection, Scope(dataset, ("2026-09-08",) * dataset.is_windowed, MORNING)
            ).passed
    assert {c.severity for c in checks_for(SANCIONES)} == {Severity.WARN, Severity.ERROR}
