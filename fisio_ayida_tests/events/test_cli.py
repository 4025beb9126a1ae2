"""``fisio-ayida events``: tables, JSON lines, one line for what cannot be done, nothing about patients unasked."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys

import pytest
from typer.testing import Result

from fisio_ayida.events import canary
from fisio_ayida.events.inbox import refuse
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.events.conftest import Run
from fisio_ayida_tests.events.lab import DETAIL, Lab


def refused(result: Result, *said: str) -> None:
    """One line on standard error, code 2, nothing else."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and all(each in line for each in said), line


# What cannot be done


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "--name", "no/such"], ["name='no/such' is not an event", "convocatorias/sync.requested"]),
        (["list", "--state", "gone"], ["state='gone' is not allowed", "received, claimed, retry"]),
        (["list", "--since", "yesterday"], ["since='yesterday' is no moment", "YYYY-MM-DD"]),
        (["list", "--until", "2026-02-30"], ["until='2026-02-30' is no moment"]),
        (["list", "--refused", "--conflicts"], ["--refused and --conflicts exclude one another"]),
        (["list", "--refused", "--name", "email/send"], ["by --since and --limit only"]),
        (["list", "--since", "0001-01-01T00:00:00+14:00"], ["since='0001-01-01T00:00:00+14:00' is no moment"]),
        (["show", "nothing"], ["ID='nothing' is no event"]),
        (["show", "\udcff"], ["can't encode character"]),
        (["replay"], ["give IDs, or --name"]),
        (["replay", "a", "--name", "email/send"], ["either IDs or --name"]),
        (["replay", "--name", "no/such"], ["name='no/such'"]),
        (
            ["replay", "--name", "email/send", "--state", "done"],
            ["state='done'", "dead, skipped, unmatched, retry"],
        ),
        (["cancel"], ["give IDs, or --name"]),
        (["cancel", "--name", "email/send", "--since", "x"], ["since='x' is no moment"]),
        (["send", "no/such"], ["name='no/such' is not an event"]),
        (["send", "email/send", "--data", "{"], ["data is not JSON"]),
        (["send", "email/send", "--data", "[]"], ["data must be an object, not an array"]),
        (
            ["send", "email/send", "--data", "@/no/such/file"],
            ["data='@/no/such/file' cannot be read: No such file"],
        ),
        (["send", "email/send", "--id", "x" * 257], ["id must have 1 to 256 characters"]),
    ],
)
def test_what_cannot_be_done_is_one_line_that_names_the_option_and_the_value(
    lab: Lab, run: Run, words: list[str], said: list[str]
) -> None:
    refused(run(*words), *said)
    assert lab.states() == {}


def test_a_database_that_does_not_answer_is_one_line_without_the_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:geheim@127.0.0.1:1/none")
    result = run("list")
    assert result.exit_code == 1 and len(result.stderr.splitlines()) == 1
    assert "cannot be used" in result.stderr and "geheim" not in result.stderr


def test_the_console_script_has_the_commands(events_warehouse: Warehouse) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fisio_ayida.cli", "events", "--help"], capture_output=True, text=True, check=True,
        timeout=60, env={"PATH": os.environ["PATH"], "COLUMNS": "200"},
    )  # fmt: skip
    assert all(word in done.stdout for word in ("list", "show", "replay", "cancel", "send"))


# Looking


def test_a_list_shows_where_events_stand_and_nothing_of_what_they_carry(lab: Lab, run: Run) -> None:
    id_ = lab.send("ai/patient.insights", {"patientId": "Maria", "organizationId": "north"})
    [failed] = lab.dead(1, "south")
    shown = run("list").stdout
    assert all(
        word in shown for word in (id_, failed, "ai/patient.insights", "received", "dead", "never", "run-1")
    )
    assert "Maria" not in shown
    assert id_ not in run("list", "--state", "dead", "--state", "skipped").stdout
    assert failed not in run("list", "--organization", "north").stdout
    assert "no event fits" in run("list", "--until", "2020-01-01").stdout
    assert id_ in run("list", "--since", "2020-01-01T00:00:00+02:00", "--limit", "2").stdout
    assert id_ not in run("list", "--limit", "1").stdout


def test_json_lines_have_whole_values(lab: Lab, run: Run) -> None:
    lab.dead(2)
    lines = [json.loads(line) for line in run("list", "--json", "--name", canary.NAME).stdout.splitlines()]
    assert [line["state"] for line in lines] == ["dead", "dead"]
    assert lines[0]["reason"] == "never" and dt.datetime.fromisoformat(lines[0]["received_at"]) == lab.moment
    [count] = [json.loads(line) for line in run("list", "--json", "--counts").stdout.splitlines()]
    assert count == {"name": canary.NAME, "state": "dead", "events": 2, "oldest_due": None}


def test_an_alias_lists_the_same_events(lab: Lab, run: Run) -> None:
    id_ = lab.send(DETAIL, {"bdns": "1"})
    assert id_ in run("list", "--name", "app/convocatorias.detail.requested").stdout


def test_counts_say_what_needs_a_person(lab: Lab, run: Run) -> None:
    lab.dead(3)
    lab.send("patient/created")
    waiting = lab.send(DETAIL, {"bdns": "1"})
    lab.send(DETAIL, {"bdns": "2"}, waiting)
    shown = run("list", "--counts").stdout
    assert "due for longest: " + waiting in shown
    assert "waiting for a release that handles them: patient/created 1" in shown
    assert "0 requests refused, 1 other bodies under a known id" in shown


def test_what_a_sender_wrote_cannot_command_the_terminal(lab: Lab, run: Run) -> None:
    lab.send("evil/\x1b[2J\x1b]0;x\x07name", id_="a\x1b[31mb\u202e[bold]")
    for words in (["list"], ["list", "--counts"], ["show", "a\x1b[31mb\u202e[bold]", "--data"]):
        shown = run(*words).stdout
        assert not {"\x1b", "\x07", "\u202e"} & set(shown), shown
    assert "[bold]" in run("list").stdout


def test_one_event_is_shown_with_its_history_and_its_payload_only_if_asked_for(lab: Lab, run: Run) -> None:
    id_ = lab.send(canary.NAME, {"note": "Maria", "organizationId": "north"})
    lab.drain()
    lab.send(canary.NAME, {"note": "another"}, id_)
    shown = run("show", id_).stdout
    assert all(
        word in shown for word in ("state:", "done", "claimed", "received", "north", "run-1", '{"seconds": 0')
    )
    assert "Other bodies came under this id" in shown
    assert "Maria" not in shown and "another" not in shown
    assert '"note": "Maria"' in run("show", id_, "--data").stdout


def test_what_was_not_accepted_is_listed_and_its_body_shown_only_if_asked_for(lab: Lab, run: Run) -> None:
    refuse(lab.conn, b'{"note": "Maria"', source="http", status=400, reason="not JSON", now=lab.moment)
    lab.send(canary.NAME, {"note": "one"}, "x")
    lab.send(canary.NAME, {"note": "two"}, "x")
    listed = run("list", "--refused").stdout
    assert "400: not JSON" in listed and "Maria" not in listed
    [digest] = [json.loads(line)["digest"] for line in run("list", "--refused", "--json").stdout.splitlines()]
    assert "Maria" not in run("show", digest[:12]).stdout
    assert "Maria" in run("show", digest[:12], "--data").stdout
    assert canary.NAME in run("list", "--conflicts").stdout
    [other] = [json.loads(line)["digest"] for line in run("list", "--conflicts", "--json").stdout.splitlines()]
    assert '{"note": "two"}' in run("show", other, "--data").stdout


def test_an_event_that_the_database_could_not_hold_is_shown_as_it_came(lab: Lab, run: Run) -> None:
    id_ = lab.send(canary.NAME, {"note": "a\0b"})
    assert r"a\u0000b" in run("show", id_, "--data").stdout
