"""The job of the insights as Dagster runs it: without config, with it, for days, and its checks."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from fisio_ayida.defs.insights.asset import KEY
from fisio_ayida.defs.insights.work import TO_END
from fisio_ayida.insights.checks import CHECKS
from fisio_ayida.simulators.llm import LlmSimulator
from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT
from fisio_ayida_tests.defs.clinic.conftest import Floor
from fisio_ayida_tests.defs.conftest import failing_checks, failure_words
from fisio_ayida_tests.insights import made
from fisio_ayida_tests.insights.lab import InsightsLab

JOB, TODAY = "patient_insights", "2026-03-12"
PRICES = '[{"model": "model-1", "from": "2026-01-01", "input": 1, "output": 2, "currency": "BRL"}]'
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


@pytest.fixture
def treated(lab: InsightsLab) -> InsightsLab:
    """A patient with two sessions, one of them of this morning."""
    lab.patient()
    lab.session("first", "2026-03-05", pain=6, note="Dor ao agachar.")
    lab.session("second", TODAY, pain=4, note="Melhor.", finalized_at=lab.moment.replace(hour=8))
    return lab


def made_of(lab: InsightsLab) -> list[tuple[str, str, str]]:
    """What was generated: whose, of which newest session, and why there is no narrative."""
    rows = lab.rows("select patient_id, session_id, reason from insights.generations order by created_at")
    return [(row["patient_id"], row["session_id"], row["reason"]) for row in rows]


def test_its_checks_stop_nothing_and_today_is_a_partition(floor: Floor) -> None:
    asset = floor.definitions()[0].resolve_assets_def(KEY)
    assert all(each.description and not each.blocking for each in asset.check_specs)
    assert isinstance(asset.partitions_def, dg.TimeWindowPartitionsDefinition)
    assert asset.partitions_def.get_partition_keys(current_time=floor.lab.moment)[-1] == TODAY


# What a run does and shows


def test_the_job_runs_without_config_where_there_is_no_clinic_yet(floor: Floor) -> None:
    floor.lab.conn.execute("delete from clinic.organizations")
    result = floor.run(JOB)
    assert result.success, failure_words(result)
    [(day, shown)] = floor.recorded(result).items()
    assert (day, shown["generations"], shown["calls"], shown["mode"]) == (TODAY, 0, 0, "live")
    assert {each.check_name for each in result.get_asset_check_evaluations()} == set(CHECKS)
    assert failing_checks(result) == {}


def test_sessions_that_were_completed_show_in_the_partition_of_the_day(floor: Floor, treated: InsightsLab) -> None:
    result = floor.run(JOB)
    assert result.success, failure_words(result)
    shown = floor.recorded(result)[TODAY]
    assert made_of(treated) == [(PATIENT, "second", "no_model")]
    assert (shown["generations"], shown["narratives"], shown["facts_only_no_model"]) == (1, 0, 1)
    assert f"| {CLINIC} | 1 | 0 |" in shown["by_organisation"]
    assert TODAY in floor.partitions(JOB)


def test_a_page_names_nobody(floor: Floor, treated: InsightsLab) -> None:
    page = floor.page(floor.run(JOB))
    assert CLINIC in page
    for secret in ("Ana", "Beatriz", "Helena", "São João", "agachar"):
        assert secret not in page


def test_a_day_shows_its_calls_with_their_cost_and_a_picture_of_their_latency(floor: Floor) -> None:
    for latency in (1000, 2000, 3000):
        made.call(floor.lab.conn, latency_ms=latency)
    made.call(floor.lab.conn, outcome="bad_number")
    shown = floor.recorded(floor.run(JOB, INSIGHTS_PRICES=PRICES))[TODAY]
    assert (shown["calls"], shown["tokens"], shown["cost"], shown["currency"]) == (4, 4000, 4.0, "BRL")
    assert (shown["refusals_bad_number"], shown["latency_median_ms"]) == (1, 2000)
    assert shown["latency"].startswith("![Seconds until the model's answer](data:image/png;base64,")


def test_narratives_are_shown_with_what_they_cost_and_agree_with_the_records(
    floor: Floor, treated: InsightsLab
) -> None:
    with LlmSimulator() as model:
        result = floor.run(
            JOB, OPENAI_BASE_URL=model.base_url, INSIGHTS_MODEL="model-1", INSIGHTS_PRICES=PRICES
        )  # fmt: skip
    assert result.success, failure_words(result)
    shown = floor.recorded(result)[TODAY]
    assert made_of(treated) == [(PATIENT, "second", "")]
    assert (shown["narratives"], shown["facts_only"], shown["refusals"], shown["calls"]) == (1, 0, 0, 1)
    assert shown["tokens"] > 0 and shown["cost"] > 0 and shown["latency_p95_ms"] >= 0
    assert failing_checks(result) == {}
    compared = {e.check_name: e.metadata for e in result.get_asset_check_evaluations()}["narratives_agree"]
    assert compared["compared"].value == 1


# What a run is asked


def test_patients_of_one_organisation_are_made_at_once_and_observed(floor: Floor, treated: InsightsLab) -> None:
    treated.session("later", TODAY, finalized_at=treated.moment)
    result = floor.run(JOB, {"organization": CLINIC, "patients": [PATIENT]})
    assert result.success, failure_words(result)
    [shown] = floor.observed(result)
    assert (made_of(treated), floor.recorded(result)) == ([(PATIENT, "later", "no_model")], {})
    assert shown["clinics"] == 1 and not result.get_asset_check_evaluations()


def test_a_dry_run_writes_nothing_and_is_an_observation(floor: Floor, treated: InsightsLab) -> None:
    result = floor.run(JOB, {"dry_run": True})
    assert result.success, failure_words(result)
    [shown] = floor.observed(result)
    assert (shown["mode"], made_of(treated), floor.recorded(result)) == ("dry run", [], {})


def test_in_shadow_mode_the_clinic_s_tables_stay_as_they_are(floor: Floor, treated: InsightsLab) -> None:
    shown = floor.recorded(floor.run(JOB, CLINIC_SHADOW=JOB))[TODAY]
    assert (shown["mode"], treated.published()) == ("shadow", [])


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"patients": ["p"]}, "patients are given without their organization: ids alone do not say whose they "
         "are"),
        ({"patients": [" "], "organization": CLINIC}, "patients=[' '] names nobody: leave it out to do whatever "
         "is due"),
        ({"organization": "org-9"}, "organization='org-9' does not exist or is not visible"),
        ({"at": "2026-03-12"}, "at='2026-03-12' has no offset: write 2026-03-12T09:00:00-03:00, for example"),
    ],
)  # fmt: skip
def test_a_wrong_order_is_one_line(floor: Floor, config: dict[str, Any], said: str) -> None:
    result = floor.run(JOB, config)
    assert (result.success, failure_words(result)) == (False, said)


def test_a_wrong_price_table_is_one_line(floor: Floor) -> None:
    said = failure_words(floor.run(JOB, INSIGHTS_PRICES="[1]", INSIGHTS_MODEL="model-1"))
    assert said.startswith("INSIGHTS_PRICES[0]: an object with ") and "\n" not in said


def test_a_run_ends_well_before_it_would_be_stopped_and_leaves_the_rest_to_the_next(
    floor: Floor, treated: InsightsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fisio_ayida.defs.insights.work.LONGEST", TO_END)
    result = floor.run(JOB)
    assert result.success, failure_words(result)
    assert made_of(treated) == []
    assert "| left | 1 |" in floor.recorded(result)[TODAY]["this_run"]
    monkeypatch.undo()
    floor.run(JOB)
    assert made_of(treated) == [(PATIENT, "second", "no_model")]


# Days


def test_of_days_what_has_no_insight_is_made_now_and_each_day_is_recorded(
    floor: Floor, treated: InsightsLab
) -> None:
    treated.patient("patient-2")
    treated.session("old", "2026-02-26", patient="patient-2", pain=3)
    result = floor.run(JOB, days=("2026-02-26", "2026-02-27"))
    assert result.success, failure_words(result)
    recorded = floor.recorded(result)
    assert set(recorded) == {"2026-02-26", "2026-02-27", TODAY}
    assert ("patient-2", "old", "no_model") in made_of(treated)
    # It is of the day on which it was generated.
    assert (recorded["2026-02-26"]["generations"], recorded[TODAY]["generations"] > 0) == (0, True)


def test_days_and_patients_together_are_one_line(floor: Floor) -> None:
    result = floor.run(JOB, {"organization": CLINIC, "patients": [PATIENT]}, partition="2026-02-26")
    assert failure_words(result).startswith("patients or at are given with partitions")


# Checks


def test_a_check_is_shown_with_its_count_and_ids_and_does_not_fail_the_run(floor: Floor) -> None:
    made.queued(floor.lab.conn, "dead", tries=5, error="ValueError: what", dead_at=floor.lab.moment)
    made.call(floor.lab.conn)
    result = floor.run(JOB, INSIGHTS_TOKENS_PER_DAY="1000")
    assert result.success, failure_words(result)
    assert failing_checks(result) == {"failures": ERROR, "budget": WARN}
    found = {e.check_name: e.metadata for e in result.get_asset_check_evaluations()}
    assert found["failures"]["count"].value == 1
    assert found["failures"]["found"].value == f"- {CLINIC} `dead`: given up: ValueError: what"


def test_a_check_that_cannot_look_is_an_error(floor: Floor) -> None:
    floor.lab.conn.execute("alter table insights.spending rename to away")
    try:
        result = floor.run(JOB)
    finally:
        floor.lab.conn.execute("alter table insights.away rename to spending")
    assert failing_checks(result) == {"budget": ERROR}


def test_a_check_runs_alone_and_nothing_else_is_done(floor: Floor, treated: InsightsLab) -> None:
    # As the button of the UI does.
    whole = floor.definitions()[0].resolve_implicit_global_asset_job_def()
    job = whole.get_subset(asset_selection=set(), asset_check_selection={dg.AssetCheckKey(KEY, "failures")})
    result = job.execute_in_process(instance=floor.instance, raise_on_error=False)
    assert result.success, failure_words(result)
    assert [each.check_name for each in result.get_asset_check_evaluations()] == ["failures"]
    assert (made_of(treated), floor.recorded(result)) == ([], {})
