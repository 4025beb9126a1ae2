"""``fisio-ayida messages``: tables, one line for what cannot be done, and nobody's address, name or words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from fisio_ayida.cli import app
from fisio_ayida.messaging.model import Draft, EmailContent
from fisio_ayida.messaging.sealing import Sealer
from fisio_ayida.messaging.templates.registry import TEMPLATES
from fisio_ayida.settings import variables
from fisio_ayida_tests.messaging.lab import CLINIC, MAIL, PATIENT, PHONE, Lab
from fisio_ayida_tests.messaging.rows import put

Run = Callable[..., Result]
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PRIVATE = ("98765", "4321-", "ana@", "Ana", "Beatriz", "segredo")


@pytest.fixture
def run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``fisio-ayida messages`` on the lab's database, with its key, at its time."""
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", lab.warehouse.url.psycopg)
    monkeypatch.setenv("MESSAGING_KEY", KEY)
    monkeypatch.setenv("FISIO_AYIDA_HOME", str(lab.folder))
    monkeypatch.setattr("fisio_ayida.commands.messaging.now", lab.now)
    monkeypatch.setattr("fisio_ayida.commands.messaging_setup.now", lab.now)
    lab.sealer = Sealer.of(SecretStr(KEY))

    def command(*words: str, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(app, ["messages", *words], input=stdin)
        assert not any(word in result.output for word in PRIVATE), result.output
        return result

    return command


def refused(result: Result, *said: str) -> None:
    """One line on standard error, code 2, nothing else."""
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and all(each in line for each in said), line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "--state", "gone"], ["state='gone' is not allowed", "planned, deferred"]),
        (["list", "--channel", "fax"], ["channel='fax' is not allowed", "email, whatsapp, push"]),
        (["list", "--template", "x"], ["template='x' is not allowed", "birthday"]),
        (["list", "--cause", "a1"], ["cause='a1' is not KIND:ID", "appointment"]),
        (["list", "--since", "yesterday"], ["since='yesterday' is no moment"]),
        (["list", "--to", "ana segredo"], ["to is no address"]),
        (["show", "7"], ["ID='7' is neither the id nor the key"]),
        (["retry"], ["give IDs, or --state"]),
        (["retry", "--template", "birthday"], ["give IDs, or --state (failed"]),
        (["retry", "--state", "accepted"], ["state='accepted' is not allowed"]),
        (["retry", "7", "--state", "failed"], ["either IDs or --state"]),
        (["cancel"], ["give IDs"]),
        (["cancel", "--state", "failed"], ["state='failed' is not allowed", "planned, deferred, retry"]),
        (["preview", "x"], ["template 'x' does not exist"]),
        (["forbid", "--organization", "o", "--channel", "email", "--evidence", "e"], ["either --patient or --to"]),
        (
            ["forbid", "--organization", "org-9", "--patient", PATIENT, "--channel", "email", "--evidence", "e"],
            ["organization='org-9' does not exist"],
        ),
        (
            ["forbid", "--organization", "org-9", "--to", MAIL, "--channel", "email", "--evidence", "e"],
            ["organization='org-9' does not exist"],
        ),
        (
            ["forbid", "--organization", CLINIC, "--patient", "p-9", "--channel", "email", "--evidence", "e"],
            ["patient='p-9' is not a patient of organization='org-1'"],
        ),
        (
            ["allow", "--organization", CLINIC, "--to", MAIL, "--channel", "fax", "--evidence", "e"],
            ["channel='fax' is not allowed"],
        ),
        (
            ["allow", "--organization", CLINIC, "--to", MAIL, "--channel", "email", "--category", "x",
             "--evidence", "e"],
            ["category='x'"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_that_names_the_option(
    run: Run, words: list[str], said: list[str]
) -> None:
    refused(run(*words), *said)


def test_a_list_shows_masked_addresses_and_reasons(lab: Lab, run: Run) -> None:
    lab.visit()
    lab.remind()
    lab.dispatch()
    put(lab, state="skipped", reason="stale: it was deleted", patient_id="p-2")
    result = run("list")
    assert result.exit_code == 0
    first, second = (line for line in result.stdout.splitlines() if line.startswith("│"))
    assert "p-2" in first and "stale: it was deleted" in first
    assert "appointment_reminder" in second and "5511…4321" in second and "accepted" in second
    assert "no message fits" in run("list", "--patient", "nobody").stdout


def test_a_list_for_scripts_is_json_without_what_an_app_put_into_its_id(lab: Lab, run: Run) -> None:
    put(lab, key=f"email/send:{MAIL}")
    [line] = run("list", "--json").stdout.splitlines()
    assert json.loads(line)["key"] == "email/send:***"
    [line] = run("list", "--counts", "--json").stdout.splitlines()
    assert json.loads(line) == {"what": "test", "channel": "whatsapp", "state": "planned", "messages": 1}


def test_messages_to_an_address_are_found_without_printing_it(lab: Lab, run: Run) -> None:
    lab.visit()
    lab.remind()
    lab.dispatch()
    assert "appointment_reminder" in run("list", "--to", PHONE).stdout
    assert "no message fits" in run("list", "--to", "11 3333-2222").stdout


def test_show_says_what_happened_and_why_on_one_screen(
    lab: Lab, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.visit()
    id = lab.remind().id
    lab.dispatch("0d4b9a3e-0000-4000-8000-000000000001")
    monkeypatch.setenv("DAGSTER_UI_URL", "https://dagster.example")
    result = run("show", str(id))
    assert result.exit_code == 0, result.output
    said = result.stdout
    for each in (
        "5511…4321 (patient patient-1, organisation org-1)", "appointment visit-1 as of 2026-03-13T14:00; it",
        "file whatsapp/", "by nobody", "kept, encrypted", "America/Sao_Paulo",
        "2026-03-12 10:00:00 │ 2026-03-12 13:00:00 │ claimed",
        "https://dagster.example/runs/0d4b9a3e-0000-4000-8000-000000000001",
    ):  # fmt: skip
        assert each in said, each
    assert "now:" not in said and len(said.splitlines()) < 40


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("select", "the rules would let it go"),
        ("update clinic.patients set is_active = false", "it would be skipped: patient_inactive_or_deleted"),
        ("update clinic.appointments set status = 'cancelado'", "it no longer stands: its state is cancelled"),
        ("update clinic.appointments set start_time = '09:30'", "it is another now: 2026-03-13T09:30"),
        ("update messaging.policies set quiet_from = '09:00'", "it would be deferred until 2026-03-13"),
    ],
)
def test_show_says_what_would_happen_now(lab: Lab, run: Run, change: str, said: str) -> None:
    lab.policy(quiet_from="21:00", quiet_to="08:00")
    lab.visit()
    planned = lab.remind()
    lab.conn.execute(change)
    assert said in run("show", planned.key).stdout


def test_show_without_the_key_of_the_hashes_says_what_it_cannot_tell(
    lab: Lab, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.visit()
    id = lab.remind().id
    lab.claim()
    monkeypatch.setenv("MESSAGING_HASH_KEY", "another")
    assert "cannot be told: MESSAGING_HASH_KEY is another one" in run("show", str(id)).stdout


def test_show_has_receipts_replies_relatives_and_closed_ways(lab: Lab, run: Run) -> None:
    id = put(lab, state="failed", reason="evolution reports ERROR", provider="evolution", failures=1, attempt=2)
    instead = put(lab, channel="email", fallback_of=id)
    lab.conn.execute(
        "insert into messaging.deliveries (provider, event_id, kind, status, received_at, body, message_id, "
        "outcome) values ('evolution', 'e1', 'messages.update', 'failed', %s, '{}', %s, 'applied')",
        [lab.moment, id],
    )  # fmt: skip
    lab.conn.execute(
        "insert into messaging.replies (provider, provider_id, address_masked, address_hash, intent, received_at, "
        "message_id, outcome) values ('evolution', 'r1', 'x', '', 'stop', %s, %s, 'opted_out')", [lab.moment, id],
    )  # fmt: skip
    lab.conn.execute(
        "insert into messaging.circuits (provider, opened_at, open_until, reason, changed_at) "
        "values ('evolution', %s, %s, '401: wrong key', %s)", [lab.moment] * 3,
    )  # fmt: skip
    said = run("show", str(id)).stdout
    for each in (
        "messages.update", "applied", "stop", "opted_out", f"{instead} by email, planned", "closed for everybody",
        "401: wrong key", "2 calls, 1 failures of its own",
    ):  # fmt: skip
        assert each in said, each
    assert f"{id} by whatsapp, failed" in run("show", str(instead)).stdout


def test_single_messages_are_retried_and_what_was_sent_is_not(lab: Lab, run: Run) -> None:
    failed, sent = put(lab, state="failed", reason="r"), put(lab, state="accepted")
    result = run("retry", str(failed), str(sent))
    assert result.exit_code == 1
    assert "planned again" in result.stdout and "sending it again would be a second message" in result.stdout
    assert lab.states() == {"planned": 1, "accepted": 1}


def test_single_messages_are_cancelled_and_what_was_sent_is_not(lab: Lab, run: Run) -> None:
    waiting, sent = put(lab), put(lab, state="accepted")
    assert run("cancel", str(waiting)).exit_code == 0
    result = run("cancel", str(sent))
    assert result.exit_code == 1 and "what was sent cannot be stopped" in result.stdout
    assert lab.states() == {"skipped": 1, "accepted": 1}


def test_many_are_counted_first_and_nothing_is_done_unasked(lab: Lab, run: Run) -> None:
    for _ in range(30):
        put(lab, state="failed", reason="r", template="birthday")
    put(lab, state="failed", reason="r")
    words = ["retry", "--state", "failed", "--template", "birthday"]
    result = run(*words)
    assert result.exit_code == 2 and "to retry 30 messages without being asked, add --yes" in result.stderr
    assert lab.states() == {"failed": 31}
    result = run(*words, "--yes")
    assert result.exit_code == 0 and "│ 30" in result.stdout
    assert lab.states() == {"planned": 30, "failed": 1}
    assert "nothing to retry" in run(*words, "--yes").stdout
    assert run("cancel", "--template", "birthday", "-y").exit_code == 0
    assert lab.states() == {"skipped": 30, "failed": 1}


def test_what_a_person_says_is_kept_with_its_proof(lab: Lab, run: Run) -> None:
    common = ["--organization", CLINIC, "--channel", "whatsapp", "--evidence", "call of 12 March"]
    assert run("forbid", *common, "--patient", PATIENT).exit_code == 0
    assert run("allow", *common, "--to", PHONE, "--category", "care").exit_code == 0
    rows = lab.conn.execute(
        "select patient_id, address_hash, category, allowed, source, evidence from messaging.preferences "
        "order by id"
    ).fetchall()
    assert rows == [
        (PATIENT, None, "all", False, "operator", "call of 12 March"),
        (None, lab.hasher.address("whatsapp", "5511987654321"), "care", True, "operator", "call of 12 March"),
    ]


def test_a_suppression_can_be_lifted(lab: Lab, run: Run) -> None:
    lab.conn.execute(
        "insert into messaging.suppressions (channel, address_hash, reason, evidence, at) "
        "values ('email', %s, 'bounce', 'e', %s)", [lab.hasher.address("email", MAIL), lab.moment],
    )  # fmt: skip
    words = ["lift", "--to", MAIL, "--channel", "email"]
    assert "messages may go there again" in run(*words).stdout
    assert "it was not suppressed" in run(*words).stdout


def test_what_is_due_is_sent_here(lab: Lab, run: Run) -> None:
    lab.visit()
    lab.remind()
    content = EmailContent(subject="s", text="segredo")
    lab.plan(Draft(key="k", job="j", channel="email", category="direct", to="x", content=content))
    result = run("dispatch")
    assert result.exit_code == 0, result.output
    assert "accepted" in result.stdout and "address_invalid" in result.stdout
    assert len(lab.files("whatsapp")) == 1 and lab.states() == {"accepted": 1, "skipped": 1}
    assert "nothing was due" in run("dispatch").stdout


def test_a_new_key_is_one(run: Run) -> None:
    made = run("key").stdout.strip()
    sealer = Sealer.of(SecretStr(made))
    assert sealer is not None and sealer.open(sealer.seal(b"x", "k"), "k") == b"x"


def test_the_check_fails_while_messages_would_become_files(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("check")
    assert result.exit_code == 1 and "set RESEND_API_KEY" in result.stdout
    for name in ("EMAIL", "WHATSAPP", "PUSH"):
        monkeypatch.setenv(f"MESSAGING_{name}", "file")
    assert run("check").exit_code == 0


def test_previews_are_written_and_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["messages", "preview", "birthday", "--folder", str(tmp_path / "p")])
    paths = [Path(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0 and paths and all(path.stat().st_size for path in paths)
    assert paths[-1] == tmp_path / "p" / "birthday.html"
    result = CliRunner().invoke(
        app, ["messages", "preview", "all", "--channel", "push", "--folder", str(tmp_path)]
    )
    pushed = [row.name for row in TEMPLATES.values() if "push" in row.channels]
    assert result.stdout.count(".push.txt") == len(pushed)
