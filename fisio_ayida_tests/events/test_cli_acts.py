"""``fisio-ayida events replay|cancel|send``: says what it would do, asks before much, waits until it is done."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fisio_ayida.events import canary
from fisio_ayida_tests.events.conftest import Run
from fisio_ayida_tests.events.lab import DETAIL, Lab

# Once more


def test_a_dry_run_counts_and_replays_nothing(lab: Lab, run: Run) -> None:
    lab.dead(3)
    result = run("replay", "--name", canary.NAME, "--state", "dead", "--dry-run")
    assert result.exit_code == 0 and "3 events to replay" in result.stdout and canary.NAME in result.stdout
    assert lab.states() == {"dead": 3}


def test_more_than_one_is_replayed_only_by_who_says_so(lab: Lab, run: Run) -> None:
    lab.dead(3)
    result = run("replay", "--name", canary.NAME)
    assert result.exit_code == 2 and "add --yes" in result.stderr
    assert lab.states() == {"dead": 3}
    assert run("replay", "--name", canary.NAME, "--yes").exit_code == 0
    assert lab.states() == {"received": 3}
    again = run("replay", "--name", canary.NAME, "--yes")
    assert again.exit_code == 0 and "nothing to replay" in again.stdout


def test_who_is_asked_and_says_no_has_replayed_nothing(
    lab: Lab, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.dead(2)
    monkeypatch.setattr("fisio_ayida.commands.eventing._asks", lambda: True)
    declined = run("replay", "--name", canary.NAME, stdin="n\n")
    assert (declined.exit_code, lab.states()) == (1, {"dead": 2})
    assert run("replay", "--name", canary.NAME, stdin="y\n").exit_code == 0
    assert lab.states() == {"received": 2}


def test_single_events_are_replayed_without_asking_and_what_is_left_is_said(lab: Lab, run: Run) -> None:
    [failed] = lab.dead(1)
    assert run("replay", failed).exit_code == 0
    lab.later(hours=1)
    lab.drain()
    result = run("replay", failed)
    assert result.exit_code == 1
    assert f"left: {failed} ({canary.NAME}, done): already done in run run-1: send a new event" in result.stdout
    assert "left: nobody: there is no such event" in run("replay", "nobody").stdout


def test_a_replay_is_narrowed_like_a_list(lab: Lab, run: Run) -> None:
    lab.dead(2, "north")
    lab.dead(1, "south")
    assert run("replay", "--name", canary.NAME, "--organization", "south").exit_code == 0
    assert lab.states() == {"dead": 2, "received": 1}
    run("replay", "--name", canary.NAME, "--until", "2020-01-01", "--yes")
    assert lab.states() == {"dead": 2, "received": 1}
    run("replay", "--name", canary.NAME, "--since", "2020-01-01", "--yes")
    assert lab.states() == {"received": 3}


def test_many_that_are_left_are_counted_by_reason(lab: Lab, run: Run) -> None:
    for _ in range(21):
        lab.send(DETAIL, {"bdns": "x"})
    result = run("replay", "--name", DETAIL, "--dry-run")
    [line] = [line for line in result.stdout.splitlines() if line.startswith("left: ")]
    assert line.startswith(f"left: 21 of {DETAIL} (dead): its payload is refused: data.bdns")


# Not at all


def test_waiting_events_are_cancelled(lab: Lab, run: Run) -> None:
    lab.canaries(2, "north")
    [single] = lab.canaries(1, "south")
    assert (
        "2 events to cancel" in run("cancel", "--name", canary.NAME, "--organization", "north", "--dry-run").stdout
    )
    assert run("cancel", single).exit_code == 0
    assert run("cancel", "--name", canary.NAME, "--yes").exit_code == 0
    assert lab.states() == {"skipped": 3}
    result = run("cancel", single)
    assert result.exit_code == 1 and "ended already: cancelled by an operator" in result.stdout


# One more


def test_an_event_is_sent_from_words_a_file_or_standard_input(lab: Lab, run: Run, tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_text('{"bdns": "2"}')
    sent = [
        run("send", DETAIL, "--data", '{"bdns": "1"}'), run("send", DETAIL, "--data", f"@{tmp_path}/payload.json"),
        run("send", DETAIL, "--data", "-", "--id", "mine", stdin='{"bdns": "3"}'),
    ]  # fmt: skip
    assert [result.exit_code for result in sent] == [0, 0, 0]
    stored = dict(lab.conn.execute("select id, data ->> 'bdns' from events.inbox").fetchall())
    assert stored == {sent[0].stdout.strip(): "1", sent[1].stdout.strip(): "2", "mine": "3"}


def test_the_same_id_again_does_nothing_and_another_body_is_said(lab: Lab, run: Run) -> None:
    run("send", canary.NAME, "--id", "x")
    again = run("send", canary.NAME, "--id", "x")
    assert (again.exit_code, again.stdout.strip()) == (0, "x") and "there already" in again.stderr
    other = run("send", canary.NAME, "--id", "x", "--data", '{"note": "n"}')
    assert other.exit_code == 2 and "id='x' has another body already" in other.stderr
    assert lab.states() == {"received": 1}


def test_a_bad_payload_is_said_and_kept_as_dead(lab: Lab, run: Run) -> None:
    result = run("send", DETAIL, "--data", '{"bdns": "x"}')
    assert result.exit_code == 2 and "data.bdns" in result.stderr and "kept as dead" in result.stderr
    assert lab.states() == {"dead": 1}


def test_waiting_ends_with_the_event_and_says_how(lab: Lab, run: Run) -> None:
    stop = threading.Event()

    def work() -> None:
        with lab.warehouse.connect(autocommit=True) as conn:
            while not stop.wait(0.05):
                conn.execute(
                    "update events.inbox set state = case when id = 'good' then 'done' else 'dead' end,"
                    " run_id = 'run-3', reason = case when id = 'good' then null else 'never' end"
                    " where state = 'received'"
                )

    worker = threading.Thread(target=work)
    worker.start()
    good = run("send", canary.NAME, "--id", "good", "--wait", "60")
    failed = run("send", canary.NAME, "--id", "bad", "--wait", "60")
    stop.set()
    worker.join()
    assert good.exit_code == 0 and "done in run run-3 after" in good.stdout
    assert failed.exit_code == 1 and "bad is dead after" in failed.stderr and "never" in failed.stderr


def test_waiting_ends_when_the_time_is_over(run: Run) -> None:
    result = run("send", canary.NAME, "--id", "slow", "--wait", "0.3")
    assert result.exit_code == 1 and "slow is received after" in result.stderr
