"""Messaging in Dagster: the job that sends, what the asset shows, the checks, and the sensor."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg
import pytest

from fisio_ayida.definitions import build_definitions
from fisio_ayida.defs.messaging.outbox import CHECKS, JOB, KEY, OP
from fisio_ayida.defs.messaging.plots import hourly
from fisio_ayida.defs.messaging.report import check_results
from fisio_ayida.defs.resources import MirrorResource, Retrying
from fisio_ayida.messaging.model import Channel
from fisio_ayida.messaging.sealing import new_key
from fisio_ayida.settings import Settings
from fisio_ayida_tests.defs.conftest import failing_checks, failure_words, numbers
from fisio_ayida_tests.messaging.conftest import lab, messaging_warehouse
from fisio_ayida_tests.messaging.lab import CLINIC, Lab
from fisio_ayida_tests.messaging.rows import broken_lane, put

__all__ = ["lab", "messaging_warehouse"]

FILES: Mapping[Channel, str] = {"email": "file", "whatsapp": "file", "push": "file"}
REAL: Mapping[Channel, str] = {"email": "resend", "whatsapp": "evolution", "push": "file"}
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def definitions(lab: Lab, **changes: str) -> tuple[dg.Definitions, MirrorResource]:
    """The code location on the lab's database, at its time."""
    named = {"DATABASE_URL": lab.warehouse.url.psycopg, "FISIO_AYIDA_HOME": str(lab.folder)}
    settings = Settings.load({**named, **changes})
    mirror = MirrorResource(settings, now=lab.now, jitter=lambda: 0.0, retrying=Retrying(most=0))
    return build_definitions(settings=settings, resources={"mirror": mirror}), mirror


def run(
    lab: Lab, instance: dg.DagsterInstance, config: Mapping[str, Any] | None = None, **changes: str
) -> dg.ExecuteInProcessResult:
    """A run of the job."""
    built, _ = definitions(lab, **changes)
    return built.resolve_job_def(JOB).execute_in_process(
        run_config={"ops": {OP: {"config": dict(config or {})}}}, instance=instance, raise_on_error=False
    )


# The job


def test_a_run_sends_what_is_due_and_shows_how_messages_fare(lab: Lab, instance: dg.DagsterInstance) -> None:
    lab.sealer = None
    lab.visit()
    sent, late = lab.remind(), put(lab, due_at=lab.moment + DAY)
    put(lab, state="skipped", reason="opted_out_channel: no", template="birthday")
    result = run(lab, instance)
    assert result.success, failure_words(result)
    row = lab.message(sent.id)
    assert (row["state"], row["run_id"]) == ("accepted", result.run_id)
    assert lab.message(late)["state"] == "planned" and len(lab.files("whatsapp")) == 1
    [record] = instance.fetch_materializations(KEY, limit=1).records
    assert record.asset_materialization is not None
    shown = numbers(record.asset_materialization)
    assert (shown["messages_accepted_7_days"], shown["messages_planned"], shown["sent_in_this_run"]) == (1, 1, 1)
    assert "| whatsapp | accepted | 1 |" in shown["this_run"]
    assert "| birthday | 1 | 0 | 0 | 0 | 0 | 1 | opted_out_channel 1 |" in shown["by_template_7_days"]
    assert "| whatsapp | 3 | 1 |" in shown["by_channel_7_days"] and CLINIC in shown["by_organisation_7_days"]
    assert _is_picture(shown["last_48_hours"])
    assert failing_checks(result) == {} and len(result.get_asset_check_evaluations()) == len(CHECKS)


def test_a_run_that_is_to_end_at_once_claims_nothing(lab: Lab, instance: dg.DagsterInstance) -> None:
    lab.visit()
    lab.remind()
    assert run(lab, instance, {"most_seconds": 0.000001}, MESSAGING_KEY=new_key()).success
    assert lab.states() == {"planned": 1}


def test_what_reads_a_week_is_read_again_after_some_minutes(lab: Lab, instance: dg.DagsterInstance) -> None:
    def shown() -> tuple[float, float]:
        assert run(lab, instance).success
        [record] = instance.fetch_materializations(KEY, limit=1).records
        assert record.asset_materialization is not None
        found = numbers(record.asset_materialization)
        return found["messages_accepted_7_days"], found["messages_planned"]

    assert shown() == (0, 0)
    put(lab, state="accepted", due_at="infinity")
    put(lab, due_at=lab.moment + DAY)
    lab.pass_time(minutes=4)
    assert shown() == (0, 1)
    lab.pass_time(minutes=1)
    assert shown() == (1, 1)


def test_a_run_in_which_something_broke_reports_and_has_failed(lab: Lab, instance: dg.DagsterInstance) -> None:
    lab.sealer = None
    lab.visit()
    lab.remind()
    lab.remind(channel="email")
    with broken_lane(lab, "whatsapp"):
        result = run(lab, instance)
    assert not result.success
    assert failure_words(result).startswith("The rest was sent, but lane whatsapp: ")
    assert len(result.get_asset_check_evaluations()) == len(CHECKS) and len(lab.files("email")) == 1


def test_a_setting_that_is_missing_is_one_line(lab: Lab, instance: dg.DagsterInstance) -> None:
    result = run(lab, instance, MESSAGING_EMAIL="resend")
    assert not result.success
    assert failure_words(result) == "RESEND_API_KEY is missing, and the channel that needs it was asked for"


def test_where_nothing_happened_there_is_no_picture() -> None:
    moment = dt.datetime(2026, 3, 12, 13, tzinfo=dt.UTC)
    assert hourly([], moment, moment) == ""


# The checks: what makes each one fail, and what is just not enough


def some(lab: Lab, many: int, ago: dt.timedelta, **columns: Any) -> list[int]:
    return [put(lab, changed_at=lab.moment - ago, **columns) for _ in range(many)]


def silent(lab: Lab, many: int, of: int) -> None:
    """So many of ``of`` messages have no receipt."""
    some(lab, many, 7 * HOUR, state="accepted", provider="evolution")
    some(lab, of - many, 7 * HOUR, state="delivered", provider="evolution")


def failed(lab: Lab, many: int, of: int) -> None:
    some(lab, many, 7 * HOUR, state="failed", reason="r", provider="resend", channel="email")
    some(lab, of - many, 7 * HOUR, state="delivered", provider="resend", channel="email")


def reported(lab: Lab, outcome: str, message_id: int | None, ago: dt.timedelta = DAY) -> None:
    """One receipt."""
    lab.conn.execute(
        "insert into messaging.deliveries (provider, event_id, kind, received_at, body, applied_at, outcome, "
        "message_id) values ('evolution', 'e', 'messages.update', %s, '{}', %s, %s, %s)",
        [lab.moment - ago, lab.moment, outcome, message_id],
    )


def answered(lab: Lab, ago: dt.timedelta, handled: bool) -> None:
    lab.conn.execute(
        "insert into messaging.replies (provider, provider_id, address_masked, address_hash, intent, received_at, "
        "handled_at) values ('meta', 'r', 'x', '', 'stop', %s, %s)",
        [lab.moment - ago, lab.moment if handled else None],
    )


def closed(lab: Lab, since: dt.timedelta | None, until: dt.timedelta = HOUR) -> None:
    """A way out that is closed, or works again."""
    opened_at = None if since is None else lab.moment - since
    lab.conn.execute(
        "insert into messaging.circuits (provider, opened_at, open_until, reason, changed_at) "
        "values ('evolution', %s, %s, '401: wrong key', %s)",
        [opened_at, opened_at and lab.moment + until, lab.moment],
    )


def failing(lab: Lab, providers: Mapping[Channel, str] = REAL) -> dict[str | None, dg.AssetCheckResult]:
    """The checks that do not pass."""
    found = list(check_results(lab.conn, KEY, providers, lab.moment))
    assert {each.check_name for each in found} == set(CHECKS)
    return {each.check_name: each for each in found if not each.passed}


@pytest.mark.parametrize(
    ("check", "severity", "count", "said", "happens"),
    [
        ("accepted_but_silent", WARN, 1, "evolution: 1 (100%) of 1", lambda lab: silent(lab, 1, 1)),
        ("accepted_but_silent", WARN, 4, "evolution: 4 (20%) of 20", lambda lab: silent(lab, 4, 20)),
        ("accepted_but_silent", ERROR, 5, "evolution: 5 (25%) of 20", lambda lab: silent(lab, 5, 20)),
        ("failure_rate", ERROR, 2, "resend: 2 (10%) of 20", lambda lab: failed(lab, 2, 20)),
        ("backlog_age", ERROR, 2, "whatsapp: 2 messages", lambda lab: some(lab, 2, HOUR)),
        ("unknown", WARN, 1, "evolution: 1 messages", lambda lab: some(
            lab, 1, HOUR, state="unknown", reason="r", provider="evolution", due_at="infinity")),
        ("circuits", ERROR, 1, "evolution, since 2026-03-12 12:00 UTC: 401", lambda lab: closed(lab, HOUR)),
        ("unmatched", WARN, 1, "evolution reports messages.update: 1", lambda lab: reported(
            lab, "unmatched", None)),
        ("unmatched", WARN, 1, "meta replies: 1", lambda lab: answered(lab, HOUR, handled=False)),
        ("unusable", ERROR, 1, "test: 1 messages", lambda lab: some(
            lab, 1, HOUR, state="skipped", reason="unusable: no key")),
        ("pretended", ERROR, 1, "push: 1 messages", lambda lab: some(
            lab, 1, HOUR, state="accepted", provider="file", channel="push")),
    ],
)  # fmt: skip
def test_a_check_fails_where_something_is_wrong(
    lab: Lab, check: str, severity: dg.AssetCheckSeverity, count: int, said: str, happens: Callable[[Lab], Any]
) -> None:
    happens(lab)
    found = failing(lab)
    assert set(found) == {check}
    result = found[check]
    assert result.severity is severity and result.metadata["count"].value == count
    assert said in str(result.metadata["found"].value)


@pytest.mark.parametrize(
    "happens",
    [
        lambda lab: silent(lab, 0, 30),
        lambda lab: some(lab, 30, 5 * HOUR, state="accepted", provider="meta"),
        lambda lab: reported(lab, "late", *some(lab, 1, 7 * HOUR, state="accepted", provider="evolution")),
        lambda lab: failed(lab, 1, 20),
        lambda lab: failed(lab, 19, 19),
        lambda lab: some(lab, 30, 25 * HOUR, state="failed", reason="r"),
        lambda lab: some(lab, 1, HOUR / 5),
        lambda lab: some(lab, 1, HOUR, due_at=lab.moment + HOUR),
        lambda lab: some(lab, 1, HOUR, state="unknown", reason="r", provider="evolution"),
        lambda lab: closed(lab, None),
        lambda lab: reported(lab, "unmatched", None, ago=8 * DAY),
        lambda lab: answered(lab, HOUR, handled=True),
        lambda lab: answered(lab, HOUR / 6, handled=False),
        lambda lab: some(lab, 1, HOUR, state="skipped", reason="stale: gone"),
        lambda lab: some(lab, 1, 25 * HOUR, state="accepted", provider="file"),
    ],
)
def test_all_checks_pass_where_it_is_not_enough(lab: Lab, happens: Callable[[Lab], Any]) -> None:
    happens(lab)
    assert failing(lab) == {}


def test_what_waits_behind_a_closed_way_is_not_late(lab: Lab) -> None:
    some(lab, 1, HOUR)
    closed(lab, HOUR)
    assert set(failing(lab)) == {"circuits"}
    lab.pass_time(hours=1, minutes=16)
    assert set(failing(lab)) == {"circuits", "backlog_age"}


def test_where_every_channel_is_a_file_nobody_pretends(lab: Lab) -> None:
    some(lab, 1, HOUR, state="accepted", provider="file", channel="push")
    assert failing(lab, FILES) == {}


# The sensor


def tick(lab: Lab, instance: dg.DagsterInstance) -> tuple[list[dg.RunRequest], str | None]:
    """What the sensor asks for, and what it says if that is nothing."""
    built, mirror = definitions(lab)
    sensor = built.get_repository_def().get_sensor_def("messages_due")
    context = dg.build_sensor_context(instance=instance, definitions=built, resources={"mirror": mirror})
    answer = sensor.evaluate_tick(context)
    return list(answer.run_requests or ()), answer.skip_message


def started(lab: Lab, instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    """A run of the job that exists on paper only."""
    job = definitions(lab)[0].resolve_job_def(JOB)
    return instance.create_run_for_job(job, status=status).run_id


def test_what_is_due_is_asked_to_be_sent_in_a_run_that_ends(lab: Lab, instance: dg.DagsterInstance) -> None:
    put(lab)
    [request], _ = tick(lab, instance)
    assert request.run_config == {"ops": {OP: {"config": {"most_seconds": 600.0}}}}
    assert request.tags["dagster/max_retries"] == "0" and request.tags["dagster/max_runtime"] == "900"
    started(lab, instance, dg.DagsterRunStatus.SUCCESS)
    assert len(tick(lab, instance)[0]) == 1


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
def test_while_a_run_is_there_no_other_one_is_asked_for(
    lab: Lab, instance: dg.DagsterInstance, status: str
) -> None:
    put(lab)
    run_id = started(lab, instance, dg.DagsterRunStatus[status])
    assert tick(lab, instance) == ([], f"run {run_id} is {status.lower()}")


def test_a_run_that_died_with_messages_in_its_hands_does_not_count(lab: Lab, instance: dg.DagsterInstance) -> None:
    dead = started(lab, instance, dg.DagsterRunStatus.STARTED)
    put(lab, state="claimed", run_id=dead)
    lab.pass_time(minutes=2, seconds=30)
    assert tick(lab, instance) == ([], f"run {dead} is started"), "its lease has only just ended"
    lab.pass_time(minutes=1)
    assert len(tick(lab, instance)[0]) == 1
    found = instance.get_run_by_id(dead)
    assert found is not None and found.status is dg.DagsterRunStatus.FAILURE


def test_the_checks_are_asked_every_quarter_of_an_hour_although_nothing_is_due(
    lab: Lab, instance: dg.DagsterInstance
) -> None:
    lab.moment = dt.datetime.now(dt.UTC)
    assert len(tick(lab, instance)[0]) == 1
    started(lab, instance, dg.DagsterRunStatus.SUCCESS)
    assert tick(lab, instance) == ([], "nothing is due within an hour")
    lab.pass_time(minutes=20)
    assert len(tick(lab, instance)[0]) == 1


def test_where_nothing_is_due_the_sensor_says_until_when(lab: Lab, instance: dg.DagsterInstance) -> None:
    started(lab, instance, dg.DagsterRunStatus.SUCCESS)
    assert tick(lab, instance) == ([], "nothing is due within an hour")
    put(lab, due_at=lab.moment + dt.timedelta(minutes=7))
    assert tick(lab, instance) == ([], "the next is due at 13:07:00 UTC")


def _is_picture(markdown: Any) -> bool:
    begin = "data:image/png;base64,"
    return base64.b64decode(str(markdown).partition(begin)[2].rstrip(")")).startswith(b"\x89PNG")
