"""The integrity checks in Dagster: what passes, what warns, and a check that cannot run."""

from __future__ import annotations

import dagster as dg

from fisio_ayida.clinic.integrity.checks import CHECKS
from fisio_ayida_tests.clinic.lab import CLINIC
from fisio_ayida_tests.defs.clinic.conftest import Floor
from fisio_ayida_tests.defs.conftest import failing_checks, failure_words

JOB = "data_integrity"
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def test_all_checks_pass_where_there_is_no_clinic_yet(floor: Floor) -> None:
    floor.lab.conn.execute("delete from clinic.organizations; delete from clinic.staff")
    result = floor.run(JOB)
    assert result.success, failure_words(result)
    assert {each.check_name for each in result.get_asset_check_evaluations()} == set(CHECKS)
    assert failing_checks(result) == {}


def test_a_problem_is_a_warning_with_its_number_and_ids_and_the_run_succeeds(floor: Floor) -> None:
    floor.lab.visit("2026-03-11T14:00", id="visit-1", patient=None)
    floor.lab.visit("2026-03-11T15:00", id="visit-2", patient=None)
    result = floor.run(JOB)
    assert result.success, failure_words(result)
    assert failing_checks(result) == {"appointments_without_patient": WARN}
    [found] = [e for e in result.get_asset_check_evaluations() if not e.passed]
    shown = {name: value.value for name, value in found.metadata.items()}
    assert (shown["count"], shown["organisations"], shown["sample"]) == (2, 1, "- `visit-1`\n- `visit-2`")


def test_a_check_that_cannot_run_is_an_error_and_so_is_the_run(floor: Floor) -> None:
    floor.lab.conn.execute("alter table clinic.payments rename to payments_away")
    try:
        result = floor.run(JOB)
    finally:
        floor.lab.conn.execute("alter table clinic.payments_away rename to payments")
    assert not result.success and "clinic.payments: the relation is missing" in failure_words(result)
    failing = failing_checks(result)
    assert set(failing.values()) == {ERROR} and "payments_without_patient" in failing
    assert "appointments_without_patient" not in failing


def test_of_one_organisation_nothing_is_said_about_the_whole(floor: Floor) -> None:
    result = floor.run(JOB, {"organization": CLINIC})
    assert result.success, failure_words(result)
    assert not result.get_asset_check_evaluations()
    assert {each["organisation"] for each in floor.observed(result)} == {CLINIC}
