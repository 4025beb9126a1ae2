"""Events in Dagster: the sensor's run requests, the jobs that handle claims, the inbox and its checks.

Runs that events stand for, started by hand, are in ``test_events_cli.py``: they need a process of Dagster's own.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator

import dagster as dg
import pytest

from fisio_ayida.definitions import build_definitions
from fisio_ayida.defs.events.runs import CLAIM_TAG, EVENT_TAG, InstanceRuns
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events import canary, claims, dispatch
from fisio_ayida.events.inbox import refuse
from fisio_ayida.events.registry import PROCESS, SYNC_CALLS
from fisio_ayida_tests.defs.conftest import House, failing_checks, failure_words, numbers
from fisio_ayida_tests.events.lab import DETAIL, REGIONS, Lab

INBOX = dg.AssetKey(["events", "inbox"])
LOG = logging.getLogger("fisio_ayida_tests.defs")
SINGLE = "sync_convocatoria_individual"


@pytest.fixture
def lab(house: House) -> Iterator[Lab]:
    """The house's inbox, with the clock of its runs."""
    opened = Lab(house.warehouse)
    opened.moment = house.moment
    yield opened
    opened.conn.close()


def tick(house: House) -> list[dg.RunRequest]:
    """The runs that the sensor asks for now; none if it says that nothing is due."""
    house.moment += dt.timedelta(minutes=1)
    mirror = MirrorResource(house.settings(), now=lambda: house.moment, jitter=lambda: 0.0)
    definitions = build_definitions(settings=house.settings(), resources={"mirror": mirror})
    found = definitions.get_repository_def().get_sensor_def("events_inbox")
    context = dg.build_sensor_context(
        instance=house.instance, definitions=definitions, resources={"mirror": mirror}
    )
    answer = found.evaluate_tick(context)
    assert bool(answer.run_requests) != (answer.skip_message == "no event is due that no run has in its hands")
    return list(answer.run_requests or ())


def materialized(house: House) -> dict[str, object]:
    """The numbers of the inbox's last materialization."""
    [record] = house.instance.fetch_materializations(INBOX, limit=1).records
    assert record.asset_materialization is not None
    return numbers(record.asset_materialization)


def test_the_sensor_asks_for_one_run_a_batch_and_one_for_equal_launches(house: House, lab: Lab) -> None:
    lab.canaries(3)
    launched = [lab.send(REGIONS), lab.send(REGIONS)]
    requests = {request.job_name: request for request in tick(house)}
    assert set(requests) == {"process_events", "sync_regiones"}
    batch, launch = requests["process_events"], requests["sync_regiones"]
    assert batch.run_config == {"ops": {PROCESS.op: {"config": {"claim": batch.tags[CLAIM_TAG]}}}}
    assert batch.run_key == batch.tags[CLAIM_TAG] and batch.tags["dagster/max_retries"] == "0"
    assert batch.tags["dagster/max_runtime"] == "7200" and "dagster/max_runtime" not in launch.tags
    assert launch.tags[EVENT_TAG] == ",".join(launched) and launch.run_config == {}


def test_the_sensor_waits_a_little_and_then_says_that_nothing_is_due(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    assert tick(house) == []
    assert sum(pauses) == pytest.approx(4.0), "almost the five seconds between two looks of the daemon"


def test_an_event_that_comes_while_the_sensor_waits_is_claimed_at_once(
    house: House, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: lab.canaries(1))
    assert [request.job_name for request in tick(house)] == ["process_events"]


def test_by_hand_what_is_due_is_handled_whatever_its_kind(house: House, lab: Lab) -> None:
    house.load("convocatorias", "2026-09-08")
    [(code,)] = house.rows("select min(codigo_bdns) from bdns.convocatorias")
    canaries = lab.canaries(3)
    call, waits = lab.send(DETAIL, {"bdns": code}), lab.send("patient/created", {"patientId": "p"})
    result = house.run("process_events")
    assert result.success, failure_words(result)
    assert lab.echoes() == canaries
    assert (lab.row(call).state, lab.row(call).run_id) == ("done", result.run_id)
    assert lab.row(waits).state == "received"


def test_calls_that_events_ask_for_are_read_again_each_with_its_own_end(house: House, lab: Lab) -> None:
    house.load("convocatorias", "2026-09-08")
    [(code,)] = house.rows("select min(codigo_bdns) from bdns.convocatorias")
    house.connection.execute("update bdns.convocatorias set row_hash = 0 where codigo_bdns = %s", [code])
    known, unknown = lab.send(DETAIL, {"bdns": code}), lab.send(DETAIL, {"bdns": "999999999"})
    claim = lab.claim(SYNC_CALLS)
    assert claim is not None
    result = house.run(SINGLE, config={"sync_call": {"claim": str(claim.id)}})
    assert result.success, failure_words(result)
    assert lab.row(known).result == {"codigo_bdns": code, "verdict": "changed", "partition": "2026-09-08"}
    row = lab.row(unknown)
    assert (row.state, row.run_id) == ("skipped", result.run_id)
    assert "999999999" in (row.reason or "") and "has no such call" in (row.reason or "")


def test_a_source_that_is_away_is_tried_again_by_the_event_s_own_policy(house: House, lab: Lab) -> None:
    id_ = lab.send(DETAIL, {"bdns": "1"})
    claim = lab.claim(SYNC_CALLS)
    assert claim is not None
    house.sim.fault("status", "convocatorias", status=503)
    assert house.run(SINGLE, config={"sync_call": {"claim": str(claim.id)}}).success
    row = lab.row(id_)
    assert row.state == "retry" and row.due_at == house.moment + dt.timedelta(seconds=1)


def test_a_claim_that_is_none_fails_in_one_line(house: House) -> None:
    result = house.run("process_events", config={PROCESS.op: {"claim": "seven"}})
    assert not result.success
    assert "claim='seven' is not the id of a claim" in failure_words(result)


def test_the_inbox_shows_its_counts(house: House, lab: Lab) -> None:
    lab.canaries(2)
    lab.send("patient/created", {"patientId": "p"})
    assert house.run("process_events").success
    shown = materialized(house)
    assert shown["events_done"] == shown["handled_in_this_run"] == 2
    assert shown["events_received"] == 1 and shown["events_dead"] == 0
    assert canary.NAME in str(shown["by_name"])


def test_the_checks_pass_where_all_is_well(house: House, lab: Lab) -> None:
    lab.canaries(1)
    result = house.run("process_events")
    assert failing_checks(result) == {}
    assert {e.check_name for e in result.get_asset_check_evaluations()} == {
        *("dead", "in_part", "unmatched", "too_old", "refused"),
    }


def test_each_check_fails_where_something_is_wrong(house: House, lab: Lab) -> None:
    lab.post([{"name": DETAIL, "data": {"bdns": "x"}}])
    lab.send("no/such.event")
    refuse(lab.conn, b"{", source="http", status=400, reason="the body is not JSON", now=lab.moment)
    lab.send("email/send-batch", {"emails": [{"to": "a@example.com", "subject": "Oi", "text": "Oi"}]})
    lab.conn.execute(
        "update events.inbox set state = 'done', result = '{\"refused\": [\"emails[1]: no text\"]}' "
        "where name = 'email/send-batch'"
    )
    lab.send(DETAIL, {"bdns": "1"})
    lab.canaries(1)
    house.moment = lab.later(minutes=20)
    claim = lab.claim()
    assert claim is not None
    # With a claim of its own kind the run leaves the detail event where it is.
    result = house.run("process_events", config={PROCESS.op: {"claim": str(claim.id)}})
    error, warn = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
    assert failing_checks(result) == {
        "dead": error, "in_part": warn, "unmatched": warn, "too_old": error, "refused": warn,
    }  # fmt: skip
    found = {e.check_name: str(e.metadata["found"].value) for e in result.get_asset_check_evaluations()}
    assert DETAIL in found["dead"] and "data.bdns" in found["dead"]
    assert "emails[1]: no text" in found["in_part"]
    assert "no/such.event" in found["unmatched"] and DETAIL in found["too_old"]


@pytest.mark.parametrize("by_itself", [False, True])
def test_a_run_without_a_sign_of_life_is_marked_as_failed(house: House, lab: Lab, by_itself: bool) -> None:
    [id_] = lab.canaries(1)
    job = build_definitions(settings=house.settings()).resolve_job_def("process_events")
    # The claim that its tag names, or one that the run made by itself after that one.
    asked = lab.claim()
    assert asked is not None
    started = dg.DagsterRunStatus.STARTED
    run = house.instance.create_run_for_job(job, tags={CLAIM_TAG: str(asked.id)}, status=started)
    claims.start(lab.conn, asked.id, run.run_id, claims.BATCH_LEASE, lab.moment)
    if by_itself:
        claims.release(lab.conn, asked.id, now=lab.moment, why="done", lost=False)
        assert lab.claim(run_id=run.run_id) is not None
    runs = InstanceRuns(house.instance)
    dispatch.look_after(lab.conn, runs, now=lab.moment, log=LOG)
    assert lab.row(id_).state == "claimed"
    lab.expire()
    dispatch.look_after(lab.conn, runs, now=lab.moment, log=LOG)
    assert lab.row(id_).state == "received"
    found = house.instance.get_run_by_id(run.run_id)
    assert found is not None and found.status is dg.DagsterRunStatus.FAILURE
