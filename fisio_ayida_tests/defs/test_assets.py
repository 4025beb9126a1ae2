"""Runs in this process against a simulated BDNS and a real database: what they load and what they record."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import pytest

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.defs.bdns.specs import asset_key
from fisio_ayida.defs.resources import Retrying
from fisio_ayida_tests.defs.conftest import House, failing_checks, failure_words, numbers

WEEK = [f"2026-09-{day:02}" for day in range(7, 14)]
NEXT_WEEK = [f"2026-09-{day:02}" for day in range(14, 21)]
SECOND_WINDOW = "fechaRegInicio=14"


def test_a_run_without_orders_on_an_empty_table_loads_the_last_seven_days(house: House) -> None:
    result = house.run("sync_concesiones")
    assert result.success
    last = [f"2026-{d}" for d in ("09-28", "09-29", "09-30", "10-01", "10-02", "10-03", "10-04")]
    assert house.materialized("concesiones") == last
    again = house.run("sync_concesiones")
    assert again.success
    # The last complete day is read again, nothing else.
    assert [e.partition for e in house.events("concesiones")] == [*last, "2026-10-04"]
    assert numbers(house.events("concesiones")[-1])["unchanged"] > 0


def test_a_range_is_one_run_with_one_event_and_its_own_numbers_for_each_partition(house: House) -> None:
    result = house.run("sync_minimis", days=(WEEK[0], WEEK[-1]))
    assert result.success
    assert house.materialized("minimis") == WEEK
    events = house.events("minimis")
    assert [e.partition for e in events] == WEEK
    stored = dict(house.rows("select fecha_registro::text, count(*) from bdns.minimis group by 1"))
    assert {str(e.partition): numbers(e)["new"] for e in events} == stored
    for event in events:
        found = numbers(event)
        assert found["window"] == f"{WEEK[0]}..{WEEK[-1]}"
        wanted = {
            "rows_fetched", "new", "changed", "removed", "restored", "unchanged", "rejected", "damped", "requests",
            "retries", "bytes", "seconds", "rows_per_second", "window", "valid_from",
        }  # fmt: skip
        assert wanted <= set(found)
    assert sum(numbers(e)["requests"] for e in events) == 1


def test_only_the_last_partition_of_a_range_carries_preview_and_plot(house: House) -> None:
    house.run("sync_concesiones", days=(WEEK[0], WEEK[-1]))
    *others, last = house.events("concesiones")
    assert not any("preview" in e.metadata or "rows_per_partition" in e.metadata for e in others)
    preview = numbers(last)["preview"]
    assert 2 < len(preview.splitlines()) <= 7
    personal = [c.name for c in DATASETS["concesiones"].columns if c.personal]
    assert personal
    assert not set(personal) & {cell.strip() for cell in preview.splitlines()[0].split("|")}
    names = {str(name) for (name,) in house.rows("select nombre from bdns.concesiones")}
    assert not any(name in preview for name in names if name)
    assert "data:image/png;base64," in numbers(last)["rows_per_partition"]


def test_one_partition(house: House) -> None:
    assert house.run("sync_ayudas_estado", partition=WEEK[2]).success
    assert house.materialized("ayudas_estado") == [WEEK[2]]
    assert "rows_per_partition" in house.events("ayudas_estado")[0].metadata


def test_dates_in_the_config_are_a_range(house: House) -> None:
    result = house.run("sync_convocatorias", config={"convocatorias": {"date_from": WEEK[0], "date_to": WEEK[1]}})
    assert result.success
    assert house.materialized("convocatorias") == WEEK[:2]


def test_a_daily_dataset_runs_without_partition_after_what_it_is_downstream_of(house: House) -> None:
    for job in ("sync_organos", "sync_convocatorias", "sync_concesiones", "sync_sanciones"):
        assert house.run(job).success, job
    assert house.materialized("organos") == ["A", "C", "L", "O"]
    assert len(house.events("sanciones")) == 1
    assert house.events("sanciones")[0].partition is None


def test_a_job_of_whole_and_partitioned_datasets(house: House) -> None:
    result = house.run("sync_catalogos_basicos")
    assert result.success
    assert house.materialized("reglamentos") == ["A", "C", "G", "M", "P", "S"]
    for name in ("finalidades", "tipos_beneficiario", "instrumentos", "sectores", "actividades", "objetivos"):
        assert len(house.events(name)) == 1
    assert not failing_checks(result)


def test_years_are_those_that_the_source_lists(house: House) -> None:
    assert house.run("sync_grandes_beneficiarios").success
    years = house.instance.get_dynamic_partitions("bdns_years")
    assert len(years) == 3
    assert house.materialized("grandes_beneficiarios") == sorted(years)
    assert house.run("sync_grandes_beneficiarios", partition=years[0]).success
    assert len(house.events("grandes_beneficiarios")) == 4


def test_steps_of_one_run_do_not_wait_for_each_other(house: House) -> None:
    assert house.run("sync_planes_estrategicos").success
    assert [len(house.events(n)) for n in ("planes_estrategicos", "planes_estrategicos_vigencia")] == [1, 1]


def test_what_committed_before_a_failure_stays_recorded(house: House) -> None:
    house.sim.fault("status", SECOND_WINDOW, status=503)
    result = house.run("sync_concesiones", days=(WEEK[0], NEXT_WEEK[-1]))
    assert not result.success
    assert house.materialized("concesiones") == WEEK
    assert "7 partitions loaded, 1 windows failed" in failure_words(result)
    house.sim.clear_faults()
    # The default window begins at the last day with evidence and closes the gap.
    house.moment = dt.datetime(2026, 9, 21, 9, tzinfo=dt.UTC)
    assert house.run("sync_concesiones").success
    assert house.materialized("concesiones") == WEEK + NEXT_WEEK


def test_a_transient_failure_is_tried_again_and_only_what_is_missing(house: House) -> None:
    house.retrying = Retrying(most=2, first_pause=dt.timedelta(0))
    house.sim.fault("status", SECOND_WINDOW, status=503, times=1)
    result = house.run("sync_concesiones", days=(WEEK[0], NEXT_WEEK[-1]))
    assert result.success
    assert [e.partition for e in house.events("concesiones")] == WEEK + NEXT_WEEK
    assert sum(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events) == 1


def test_a_refusal_is_not_tried_again(house: House) -> None:
    house.retrying = Retrying(most=2, first_pause=dt.timedelta(0))
    house.sim.fault("status", "concesiones/busqueda", status=400)
    result = house.run("sync_concesiones", partition=WEEK[0])
    assert not result.success
    assert not any(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events)
    assert house.events("concesiones") == []


def test_the_pause_doubles_and_is_bounded_by_its_jitter() -> None:
    rule = Retrying(most=3, first_pause=dt.timedelta(minutes=2))
    assert [rule.pause(n, 0.0) for n in range(3)] == [dt.timedelta(minutes=m) for m in (2, 4, 8)]
    assert rule.pause(0, 1.0) == dt.timedelta(minutes=2.5)


@pytest.mark.parametrize(
    ("job", "config", "words"),
    [
        ("sync_concesiones", {"concesiones": {"date_from": "07/09/2026"}}, "date_from='07/09/2026' is not a date"),
        ("sync_concesiones", {"concesiones": {"date_to": "2026-10-05"}}, "is after yesterday"),
        (
            "sync_concesiones",
            {"concesiones": {"date_from": "2026-09-09", "date_to": "2026-09-08"}},
            "the range is reversed",
        ),
        ("sync_regiones", {"regiones": {"date_from": "2026-09-09"}}, "has no registration days"),
    ],
)
def test_a_wrong_order_is_one_line_and_no_repeat(
    house: House, job: str, config: dict[str, dict[str, str]], words: str
) -> None:
    house.retrying = Retrying(most=2, first_pause=dt.timedelta(0))
    result = house.run(job, config=config)
    assert not result.success
    assert words in failure_words(result)
    assert "\n" not in failure_words(result)
    assert not any(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events)
    assert house.rows("select count(*) from ops.loads") == [(0,)]


def test_a_partition_and_dates_contradict_each_other(house: House) -> None:
    result = house.run("sync_minimis", partition=WEEK[0], config={"minimis": {"date_from": WEEK[1]}})
    assert "give one of them" in failure_words(result)


def test_a_database_that_is_not_there_is_one_line_without_its_password(house: House) -> None:
    result = house.run("sync_regiones", DATABASE_URL="postgresql://u:geheim@127.0.0.1:1/nowhere")
    assert not result.success
    assert "cannot be used" in failure_words(result)
    assert "geheim" not in failure_words(result)


def test_a_held_load_is_a_failing_check_and_allow_removals_releases_it(house: House) -> None:
    guard = {"BDNS_REMOVAL_GUARD_ROWS": "5", "BDNS_REMOVAL_GUARD_SHARE": "0.05"}
    day = "2026-09-08"
    assert house.run("sync_concesiones", partition=day).success
    house.sim.step(removed=0.5, datasets=["concesiones"])
    held = house.run("sync_concesiones", partition=day, **guard)
    assert held.success
    assert failing_checks(held)["guard_held"] is dg.AssetCheckSeverity.ERROR
    assert len(house.events("concesiones")) == 1
    [observed] = house.observations("concesiones")
    assert (observed.partition, numbers(observed)["status"]) == (day, "held")
    # Nothing else is blocked.
    assert house.run("sync_minimis", partition=day, **guard).success
    released = house.run(
        "sync_concesiones", partition=day, config={"concesiones": {"allow_removals": True}}, **guard
    )
    assert released.success
    assert "guard_held" not in failing_checks(released)
    assert numbers(house.events("concesiones")[-1])["removed"] > 5


def test_an_asset_is_one_step_with_its_checks(house: House) -> None:
    result = house.run("sync_concesiones", partition=WEEK[0])
    steps = {e.step_key for e in result.all_events if e.step_key}
    assert steps == {"bdns__concesiones"}
    assert {e.check_name for e in result.get_asset_check_evaluations()} == {
        "completeness", "drift", "rejects", "guard_held", "key_uniqueness", "amounts_plausible",
        "dates_plausible", "known_convocatoria", "rows_per_day",
    }  # fmt: skip
    assert asset_key(DATASETS["concesiones"]).to_user_string() == "bdns/concesiones"
