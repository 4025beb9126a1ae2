"""Old runs in Dagster's own storage: which go, and which stay."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg
import pytest

from fisio_ayida.defs.clinic.old_runs import INSIGHTS, JOBS, KEPT_FOR, delete_old_runs
from fisio_ayida.defs.clinic.specs import asset_key
from fisio_ayida_tests.defs.clinic.conftest import Floor
from fisio_ayida_tests.defs.conftest import numbers

KEY = dg.AssetKey("made")


@dg.op
def make(context: dg.OpExecutionContext) -> None:
    context.log_event(dg.AssetMaterialization(KEY, metadata={"run": context.run_id}))


@dg.job(name=JOBS[0])
def frequent() -> None:
    make()


@dg.job
def other() -> None:
    make()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def later() -> dt.datetime:
    """When what is there now has become old; Dagster stamps runs with the machine's clock."""
    return dt.datetime.now(dt.UTC) + KEPT_FOR + dt.timedelta(minutes=1)


def runs(instance: dg.DagsterInstance, many: int, job: dg.JobDefinition = frequent) -> list[str]:
    """So many runs that have succeeded, oldest first."""
    return [job.execute_in_process(instance=instance).run_id for _ in range(many)]


def test_old_runs_go_but_for_the_newest_and_with_them_the_last_materialization_stays(
    instance: dg.DagsterInstance,
) -> None:
    _, _, third, fourth = runs(instance, 4)
    assert delete_old_runs(instance, later(), kept=2) == 2
    assert set(instance.get_run_ids()) == {third, fourth}
    event = instance.get_latest_materialization_event(KEY)
    assert event is not None and event.asset_materialization is not None
    assert numbers(event.asset_materialization)["run"] == fourth
    assert delete_old_runs(instance, later(), kept=2) == 0


def test_young_runs_unfinished_ones_and_those_of_other_jobs_stay(instance: dg.DagsterInstance) -> None:
    runs(instance, 3, other)
    instance.create_run_for_job(frequent, status=dg.DagsterRunStatus.STARTED)
    runs(instance, 2)
    assert delete_old_runs(instance, later(), kept=1) == 1
    runs(instance, 2)
    assert delete_old_runs(instance, dt.datetime.now(dt.UTC), kept=1) == 0
    assert len(instance.get_run_ids()) == 3 + 1 + 3


def test_a_run_with_the_last_word_on_a_partition_stays(instance: dg.DagsterInstance) -> None:
    days = iter(("2026-03-11", "2026-03-11", "2026-03-12", "2026-03-12"))

    @dg.op
    def insights(context: dg.OpExecutionContext) -> None:
        context.log_event(dg.AssetMaterialization(asset_key(INSIGHTS), partition=next(days)))

    @dg.job(name=INSIGHTS.name)
    def daily() -> None:
        insights()

    _, second, _, fourth = runs(instance, 4, daily)
    assert delete_old_runs(instance, later(), kept=1) == 2
    assert set(instance.get_run_ids()) == {second, fourth}
    assert instance.get_materialized_partitions(asset_key(INSIGHTS)) == {"2026-03-11", "2026-03-12"}


def test_a_dry_run_only_counts(instance: dg.DagsterInstance) -> None:
    runs(instance, 3)
    assert delete_old_runs(instance, later(), kept=1, is_dry=True) == 2
    assert len(instance.get_run_ids()) == 3


def test_the_clean_up_reports_how_many_went(floor: Floor) -> None:
    result = floor.run("daily_cleanup")
    [shown] = floor.recorded(result).values()
    assert shown["old_runs"] == 0


def test_a_clean_up_of_one_part_leaves_runs_alone(floor: Floor) -> None:
    result = floor.run("daily_cleanup", {"cleanup_type": "tokens"})
    [shown] = floor.recorded(result).values()
    assert "old_runs" not in shown and "notification_history" not in shown
