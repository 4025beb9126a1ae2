"""One tick: what came is judged, runs are asked for and looked after, and end their events."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from fisio_ayida.events import canary, claims, dispatch
from fisio_ayida.events.dispatch import Status
from fisio_ayida.events.registry import EVENTS, PROCESS
from fisio_ayida_tests.events.lab import DETAIL, LOG, REGIONS, Lab

CALLS = "convocatorias/sync.requested"


def test_a_claim_says_which_job_to_run_with_what(lab: Lab) -> None:
    lab.canaries(3)
    lab.send(DETAIL, {"bdns": "123456"})
    batches = {claim.job: claim for claim in lab.tick()}
    assert {job: claim.size for job, claim in batches.items()} == {
        "process_events": 3,
        "sync_convocatoria_individual": 1,
    }
    claim = batches["process_events"]
    assert claim.run_config == {"ops": {"events__inbox": {"config": {"claim": str(claim.id)}}}}
    assert lab.states() == {"claimed": 4}
    assert lab.tick() == [], "nothing twice"


def test_a_tick_leaves_its_beat(lab: Lab) -> None:
    lab.tick()
    lab.later(minutes=1)
    lab.tick()
    assert lab.value("select at from events.beats where name = %s", dispatch.BEAT) == lab.moment


def test_what_comes_through_sql_is_judged_and_claimed(lab: Lab) -> None:
    good = lab.value("select events.send('fisio_ayida/canary', '{\"organizationId\": \"o\"}')")
    bad = lab.value("select events.send('convocatorias/detail.requested', '{\"bdns\": \"x\"}')")
    unknown = lab.value("select events.send('no/such', '{}')")
    lab.moment = dt.datetime.now(dt.UTC)  # the function has the database's clock
    [claim] = lab.tick()
    assert (claim.job, claim.size) == ("process_events", 1)
    assert lab.row(good).state == "claimed"
    assert lab.row(bad).state == "dead" and "data.bdns" in (lab.row(bad).reason or "")
    assert lab.row(unknown).state == "unmatched"


def test_an_event_without_a_handler_waits(lab: Lab) -> None:
    lab.send("patient/created", {"patientId": "p"})
    assert not dispatch.is_due(lab.conn, lab.moment)
    assert lab.tick() == []
    assert lab.drain().total() == 0
    assert lab.states() == {"received": 1}


def test_a_run_that_was_never_started_gives_its_events_back(lab: Lab) -> None:
    [id_] = lab.canaries(1)
    [first] = lab.tick(lease=dt.timedelta(0))
    [second] = lab.tick()
    assert first.id != second.id
    row = lab.row(id_)
    assert (row.state, row.claim_id, row.losses, row.attempt) == ("claimed", second.id, 0, 1)
    assert lab.history(id_) == ["claimed", "received", "claimed"]


def test_a_run_that_waits_in_the_queue_keeps_its_claim(lab: Lab) -> None:
    lab.canaries(1)
    [claim] = lab.tick(lease=dt.timedelta(0))
    lab.runs.have(claim, Status.WAITING)
    assert lab.tick() == []
    assert lab.value("select lease_until > clock_timestamp() from events.claims")


def test_a_burst_waits_for_the_run_that_is_on_its_way_and_two_at_most_are_open(lab: Lab) -> None:
    lab.canaries(1)
    [first] = lab.tick()
    lab.canaries(1)
    assert lab.tick() == [], "the run on its way will take them"
    claims.start(lab.conn, first.id, "run-1", claims.BATCH_LEASE, lab.moment)
    [second] = lab.tick()
    claims.start(lab.conn, second.id, "run-2", claims.BATCH_LEASE, lab.moment)
    lab.canaries(1)
    assert lab.tick() == []
    assert lab.states() == {"claimed": 2, "received": 1}


@pytest.mark.parametrize("status", [Status.FAILED, Status.DIED])
def test_a_run_that_ended_badly_has_lost_what_was_in_its_hands(lab: Lab, status: Status) -> None:
    ids = lab.canaries(2)
    [claim] = lab.tick()
    lab.runs.have(claim, status, "no good")
    claims.start(lab.conn, claim.id, "run-1", claims.BATCH_LEASE, lab.moment)
    seq = lab.value("select seq from events.inbox where id = %s", ids[0])
    lab.conn.execute("update events.claims set working = %s", [[seq]])
    dispatch.look_after(lab.conn, lab.runs, now=lab.moment, log=LOG)
    assert [lab.row(id_).losses for id_ in ids] == [1, 0]
    assert lab.states() == {"received": 2}
    assert "1 of 5 times" in (lab.row(ids[0]).reason or "") and lab.row(ids[1]).reason is None


def test_a_run_that_was_cancelled_is_nobody_s_fault(lab: Lab) -> None:
    [id_] = lab.canaries(1)
    [claim] = lab.tick()
    claims.start(lab.conn, claim.id, "run-1", claims.BATCH_LEASE, lab.moment)
    lab.conn.execute("update events.claims set working = (select array_agg(seq) from events.inbox)")
    lab.runs.have(claim, Status.CANCELLED)
    dispatch.look_after(lab.conn, lab.runs, now=lab.moment, log=LOG)
    assert (lab.row(id_).state, lab.row(id_).losses) == ("received", 0)


def test_a_run_that_says_nothing_is_buried(lab: Lab) -> None:
    lab.canaries(1)
    [claim] = lab.tick()
    claims.start(lab.conn, claim.id, "run-1", claims.BATCH_LEASE, lab.moment)
    lab.runs.have(claim, Status.RUNNING)
    dispatch.look_after(lab.conn, lab.runs, now=lab.moment, log=LOG)
    assert lab.runs.buried == []
    lab.expire()
    dispatch.look_after(lab.conn, lab.runs, now=lab.moment, log=LOG)
    assert lab.runs.buried == [f"run of {claim.id}"]
    assert lab.states() == {"received": 1}


def test_an_event_in_whose_hands_five_runs_died_is_dead(lab: Lab) -> None:
    [id_] = lab.canaries(1)
    for number in range(claims.MOST_LOSSES):
        [claim] = lab.tick()
        lab.runs.have(claim, Status.DIED)
        claims.start(lab.conn, claim.id, f"run-{number}", claims.BATCH_LEASE, lab.moment)
        lab.conn.execute("update events.claims set working = (select array_agg(seq) from events.inbox)")
    assert lab.tick() == []
    row = lab.row(id_)
    assert (row.state, row.losses, row.run_id) == ("dead", 5, "run-4")
    assert "ended without a word, 5 of 5 times" in (row.reason or "")


def test_events_that_ask_for_the_same_make_one_run_and_later_ones_wait_for_its_end(lab: Lab) -> None:
    same = [lab.send(REGIONS), lab.send("app/regiones.sync.requested", {"runId": "r"})]
    [claim] = lab.tick()
    assert (claim.kind, claim.job, claim.size) == ("launch", "sync_regiones", 2)
    assert claim.run_config == {} and set(claim.event_ids) == set(same)
    late = lab.send(REGIONS)
    lab.runs.have(claim, Status.RUNNING)
    assert lab.tick() == []
    assert lab.row(late).state == "received"
    lab.runs.have(claim, Status.SUCCEEDED)
    [following] = lab.tick()
    assert following.event_ids == (late,)
    assert [lab.row(id_).state for id_ in same] == ["done", "done"]
    assert {lab.row(id_).run_id for id_ in same} == {f"run of {claim.id}"}


def test_days_are_part_of_what_is_asked_for(lab: Lab) -> None:
    lab.send(CALLS)
    lab.send(CALLS, {"dateFrom": "2026-09-01", "dateTo": "2026-09-02"})
    lab.send(CALLS, {"dateFrom": "2026-09-01", "dateTo": "2026-09-02"})
    found = {claim.size: claim.run_config for claim in lab.tick()}
    days = {"date_from": "2026-09-01", "date_to": "2026-09-02"}
    assert found == {1: {}, 2: {"ops": {"bdns__convocatorias": {"config": days}}}}


def test_crons_of_one_day_in_sao_paulo_make_one_run_however_they_say_it(lab: Lab) -> None:
    for said in ("2026-03-12", "2026-03-12T09:00:00", "2026-03-13T02:59:00.000Z"):
        lab.send("cron/daily.birthdays", {"scheduledDate": said})
    [claim] = lab.tick()
    assert (claim.job, claim.size) == ("birthday_messages", 3)
    assert claim.run_config == {"ops": {"clinic__birthday_messages": {"config": {"day": "2026-03-12"}}}}


def test_a_clean_up_is_asked_for_with_its_part(lab: Lab) -> None:
    lab.send("cron/daily.cleanup", {"cleanupType": "tokens"})
    [claim] = lab.tick()
    assert claim.run_config == {"ops": {"clinic__cleanup": {"config": {"cleanup_type": "tokens"}}}}


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (Status.FAILED, "the source said 500", "the source said 500"),
        (Status.CANCELLED, "", "the run was cancelled"),
    ],
)
def test_the_outcome_of_a_run_is_that_of_its_events(lab: Lab, status: Status, message: str, reason: str) -> None:
    id_ = lab.send(REGIONS)
    [claim] = lab.tick()
    lab.runs.have(claim, status, message)
    assert lab.tick() == []
    row = lab.row(id_)
    assert (row.state, row.reason, row.run_id) == ("dead", reason, f"run of {claim.id}")


def test_a_run_that_died_is_asked_for_again(lab: Lab) -> None:
    id_ = lab.send(REGIONS)
    [claim] = lab.tick()
    lab.runs.have(claim, Status.RUNNING)
    lab.tick()
    lab.runs.have(claim, Status.DIED)
    [again] = lab.tick()
    assert again.event_ids == (id_,) and again.id != claim.id
    assert lab.row(id_).losses == 1


def test_clinics_get_equal_shares_of_a_claim(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVENTS, canary.NAME, replace(EVENTS[canary.NAME], batch=9))
    lab.canaries(100, "large")
    lab.canaries(3, "small")
    lab.canaries(4, "middle")
    assert lab.claim(PROCESS) is not None
    shares = "select organization_id, count(*) from events.inbox where state = 'claimed' group by 1 order by 1"
    assert lab.conn.execute(shares).fetchall() == [("large", 3), ("middle", 3), ("small", 3)]


def test_runs_that_claim_at_the_same_time_never_get_the_same(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVENTS, canary.NAME, replace(EVENTS[canary.NAME], batch=20))
    ids = lab.canaries(400)
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(lab.drain, run_id=f"run-{number}") for number in range(3)]
    assert sum(run.result().total("done") for run in runs) == 400
    assert sorted(lab.echoes()) == sorted(ids)


def test_waiting_ends_as_soon_as_something_is_due(lab: Lab) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            lab.canaries(1)

    assert dispatch.wait(lab.conn, lambda: lab.moment, pause, rounds=5, seconds=0.25)
    assert pauses == [0.25, 0.25]
    lab.drain()
    assert not dispatch.wait(lab.conn, lambda: lab.moment, pauses.append, rounds=3, seconds=0.25)
