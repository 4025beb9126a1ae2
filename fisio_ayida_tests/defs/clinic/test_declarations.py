"""What Dagster knows of the clinic before anything runs: hours, zones, events' jobs, assets, tables, checks."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from fisio_ayida.clinic.contract import RELATIONS
from fisio_ayida.clinic.integrity.checks import CHECKS
from fisio_ayida.clinic.registry import JOBS, MONDAY, ROWS, Job
from fisio_ayida.definitions import build_definitions
from fisio_ayida.defs.clinic.external import table_key
from fisio_ayida.defs.clinic.specs import FIRST_DAY, asset_key, op_name
from fisio_ayida.events.registry import EVENTS, Launch
from fisio_ayida.settings import Settings

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
CRONS = {
    "daily_cleanup": "0 3 * * *", "daily_reports": "0 8 * * *", "birthday_messages": "0 9 * * *",
    "weekly_summary": "0 9 * * 1", "expiring_vouchers": "0 10 * * *", "data_integrity": "0 0,6,12,18 * * *",
    "appointment_reminders": "0 * * * *", "feedback_requests": "0,15,30,45 * * * *",
    "reactivation_campaign": "0 10 * * 1",
}  # fmt: skip
SENSORS = {"bookings_made": "appointment_confirmations", "sessions_completed": "patient_insights"}
WITH_ASSETS = [row for row in ROWS if row.name != "data_integrity"]


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(settings=Settings.load({}))


def request(definitions: dg.Definitions, name: str, *moment: int) -> dg.RunRequest:
    """What a job's schedule asks for at a moment in São Paulo."""
    repository = definitions.get_repository_def()
    at = dt.datetime(*moment, tzinfo=SAO_PAULO)  # type: ignore[arg-type, misc]
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=at, repository_def=repository)
        [found] = repository.get_schedule_def(f"{name}_schedule").evaluate_tick(context).run_requests or []
    return found


def test_every_job_of_the_registry_has_one_schedule_with_its_hours_and_zone_or_its_sensor(
    definitions: dg.Definitions,
) -> None:
    repository = definitions.get_repository_def()
    found = {
        each.job_name: (each.cron_schedule, each.execution_timezone) for each in repository.schedule_defs
        if each.job_name in JOBS
    }  # fmt: skip
    assert found == {name: (cron, "America/Sao_Paulo") for name, cron in CRONS.items()}
    assert len(found) == sum(each.job_name in JOBS for each in repository.schedule_defs)
    started = {name: [job.name for job in repository.get_sensor_def(name).jobs] for name in SENSORS}
    assert started == {name: [job] for name, job in SENSORS.items()}
    assert {*found, *SENSORS.values()} == set(JOBS)


def test_nothing_of_the_clinic_runs_by_itself_until_someone_starts_it(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    for sensor in map(repository.get_sensor_def, SENSORS):
        assert sensor.default_status is dg.DefaultSensorStatus.STOPPED and "Stopped" in str(sensor.description)
    for schedule in (each for each in repository.schedule_defs if each.job_name in JOBS):
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
        assert "Stopped" in str(schedule.description)


def test_a_schedule_gives_its_run_the_moment_of_the_tick(definitions: dg.Definitions) -> None:
    found = request(definitions, "appointment_reminders", 2026, 3, 12, 23, 0)
    at = "2026-03-12T23:00:00-03:00"
    assert found.run_key == f"appointment_reminders {at}"
    assert found.run_config == {"ops": {"clinic__appointment_reminders": {"config": {"at": at}}}}
    assert found.tags["dagster/max_runtime"] == "7200"


def test_a_schedule_of_reports_asks_for_the_day_or_week_before(definitions: dg.Definitions) -> None:
    daily = request(definitions, "daily_reports", 2026, 3, 1, 8, 0)
    weekly = request(definitions, "weekly_summary", 2026, 1, 5, 9, 0)
    assert (daily.partition_key, weekly.partition_key) == ("2026-02-28", "2025-12-29")
    assert daily.run_config == {}


def test_every_asset_says_from_which_tables_it_is_made(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    tables = {table_key(relation.name) for relation in RELATIONS.values() if relation.needed}
    for job in WITH_ASSETS:
        above = graph.get(asset_key(job)).parent_keys
        assert {table_key("organizations"), *map(table_key, job.reads)} == above <= tables and job.reads


@pytest.mark.parametrize("job", WITH_ASSETS, ids=lambda row: row.name)
def test_every_asset_says_who_owns_it_and_when_it_is_due(definitions: dg.Definitions, job: Job) -> None:
    spec = definitions.resolve_assets_def(asset_key(job)).get_asset_spec(asset_key(job))
    assert (spec.owners, spec.group_name, spec.kinds) == (["team:fisioflow"], "clinic", {"python", "postgres"})
    assert job.description in str(spec.description) and "Due " in str(spec.description) and spec.code_version


def test_reports_are_partitioned_by_days_and_weeks_of_sao_paulo_and_a_range_is_one_run(
    definitions: dg.Definitions,
) -> None:
    found: dict[str, Any] = {}
    for job in WITH_ASSETS:
        asset = definitions.resolve_assets_def(asset_key(job))
        if isinstance(asset.partitions_def, dg.TimeWindowPartitionsDefinition):
            assert asset.backfill_policy == dg.BackfillPolicy.single_run()
            assert asset.partitions_def.timezone == "America/Sao_Paulo"
            found[job.name] = asset.partitions_def.get_partition_keys()[:2]
    assert found == {
        "daily_reports": ["2024-01-01", "2024-01-02"], "weekly_summary": ["2024-01-01", "2024-01-08"],
        "patient_insights": ["2024-01-01", "2024-01-02"],
    }  # fmt: skip
    assert FIRST_DAY.weekday() == MONDAY


def test_the_clinic_s_tables_are_assets_of_somebody_else_with_their_columns(definitions: dg.Definitions) -> None:
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    for relation in (each for each in RELATIONS.values() if each.needed):
        spec = specs[table_key(relation.name)]
        assert not definitions.resolve_assets_def(spec.key).is_executable
        assert spec.metadata["dagster/relation_identifier"] == f"clinic.{relation.name}"
        schema = spec.metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert [column.name for column in schema.columns] == [column.name for column in relation.columns]


def test_every_integrity_check_is_one_on_its_table_and_stops_nothing(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("data_integrity")
    [layer] = [each for each in definitions.asset_checks or () if isinstance(each, dg.AssetChecksDefinition)]
    found = {spec.name: spec for spec in layer.check_specs}
    assert set(found) == set(CHECKS)
    for name, check in CHECKS.items():
        assert found[name].asset_key == table_key(check.relation)
        assert found[name].description and not found[name].blocking
    assert [node.name for node in job.nodes] == ["clinic__integrity"]


@pytest.mark.parametrize(
    "job", [row for row in ROWS if (row.event or "").startswith("cron/")], ids=lambda r: r.name
)
def test_the_cron_event_of_a_job_is_a_run_of_it_that_takes_its_options(
    definitions: dg.Definitions, job: Job
) -> None:
    work = EVENTS[str(job.event)].work
    assert isinstance(work, Launch) and (work.job, work.op) == (job.name, op_name(job))
    given = {option.option: "2026-03-12" for option in work.options}
    assert "day" in given
    config = {"ops": {op_name(job): {"config": given}}}
    assert dg.validate_run_config(definitions.resolve_job_def(job.name), config)
