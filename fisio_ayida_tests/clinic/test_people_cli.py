"""``fisio-ayida clinic policy`` and ``clinic explain``: tables, JSON, and one line for what cannot be done."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from fisio_ayida_tests.clinic.lab import ClinicLab

Run = Callable[..., Result]


@pytest.fixture
def run(lab: ClinicLab, clinic_command: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``fisio-ayida clinic`` on the lab's database, at its time."""
    monkeypatch.setattr("fisio_ayida.commands.clinic_people.now", lambda: lab.moment)
    lab.patient(date_of_birth=dt.date(1990, 3, 12))
    lab.run("birthday_messages")
    return clinic_command


def line_with(result: Result, word: str) -> list[str]:
    """The cells of the one line of a table that begins with a word."""
    assert result.exit_code == 0, result.output
    [line] = [line for line in result.output.splitlines() if line.startswith(f"│ {word} ")]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_policy_marks_the_defaults(run: Run) -> None:
    shown = run("policy", "org-1")

    assert line_with(shown, "voucher_days")[:3] == ["voucher_days", "7", "default"]
    assert line_with(shown, "marketing_basis")[:3] == ["marketing_basis", "legitimate_interest", ""]


def test_a_policy_is_set_and_shown(run: Run) -> None:
    shown = run("policy", "org-1", "--set", "zone=America/Manaus", "--set", "voucher_days=5")

    assert line_with(shown, "zone")[:3] == ["zone", "America/Manaus", ""]
    assert line_with(shown, "voucher_days")[:3] == ["voucher_days", "5", ""]


def test_a_policy_is_shown_for_scripts(run: Run) -> None:
    rows = [json.loads(line) for line in run("policy", "org-1", "--json").output.splitlines()]

    assert {row["name"]: row["value"] for row in rows}["quiet_to"] == "08:00"


def test_a_patient_is_explained_on_a_screen_without_name_or_address(run: Run) -> None:
    shown = run("explain", "patient-1")

    assert shown.exit_code == 0, shown.output
    assert "birthday:patient-1:2026:whatsapp" in shown.output
    assert not any(word in shown.output for word in ("Ana", "98765", "ana@"))


def test_a_patient_is_explained_for_scripts(run: Run) -> None:
    [line] = run("explain", "patient-1", "--json").output.splitlines()

    found = json.loads(line)
    assert [entry["what"] for entry in found["entries"]] == ["message"]
    assert {each["verdict"] for each in found["today"] if each["channel"] == "whatsapp"} == {"send"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["policy", "nowhere"], "organization='nowhere' does not exist"),
        (["policy", "org-1", "--set", "zone"], "'zone' is not NAME=VALUE"),
        (["policy", "org-1", "--set", "zone=Manaus"], "zone='Manaus' is not an IANA"),
        (["explain", "nobody"], "'nobody' is neither a patient nor an appointment"),
    ],
)
def test_what_cannot_be_is_one_line(run: Run, words: list[str], said: str) -> None:
    result = run(*words)

    assert result.exit_code == 2, result.output
    [line] = result.stderr.splitlines()
    assert line.startswith("error: ") and said in line
