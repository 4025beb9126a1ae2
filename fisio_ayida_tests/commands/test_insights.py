"""The command line of insights: what it shows of a patient, of budgets and of the queue, and what it refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner, Result

from fisio_ayida.cli import app
from fisio_ayida.commands import insights as commands
from fisio_ayida.insights import facts
from fisio_ayida.insights.model import REASONS, Facts
from fisio_ayida.insights.reading import read
from fisio_ayida.settings import Settings, variables
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, PATIENT, SAO_PAULO
from fisio_ayida_tests.conftest import cloned
from fisio_ayida_tests.insights import made
from fisio_ayida_tests.insights.conftest import emptied
from fisio_ayida_tests.insights.lab import InsightsLab

OF = ("--organization", CLINIC)
TODAY = MORNING.date()
DAYS = [TODAY - dt.timedelta(days=7 * weeks) for weeks in range(5, 0, -1)]
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def one_warehouse(warehouse_server: EmbeddedServer) -> Iterator[Warehouse]:
    with cloned(warehouse_server) as opened:
        yield opened


@pytest.fixture
def lab(one_warehouse: Warehouse, settings: Settings) -> Iterator[InsightsLab]:
    """One clinic with a patient of five sessions in which pain fell."""
    opened = InsightsLab(one_warehouse, settings)
    emptied(opened.conn)
    opened.clinic()
    opened.therapist()
    opened.patient()
    for place, day in enumerate(DAYS):
        opened.session(f"session-{place}", day, pain=8 - place, note="<p>Refere melhora.</p>")
    yield opened
    opened.close()


@pytest.fixture
def command(lab: InsightsLab, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs ``fisio-ayida insights`` on the lab's database at the lab's moment, with no other variable set."""
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", lab.warehouse.url.psycopg)
    monkeypatch.setenv("FISIO_AYIDA_HOME", str(lab.settings.home))
    monkeypatch.setattr(commands, "now", lambda: lab.moment)
    return lambda *words, **more: CliRunner().invoke(app, ["insights", *words], **more)


def stored(lab: InsightsLab, session: str = "session-4", **columns: object) -> str:
    """A generation of the patient with the facts of the record as it is."""
    [record] = read(lab.conn, [(CLINIC, PATIENT)], {CLINIC: TODAY}, {CLINIC: SAO_PAULO}).records.values()
    computed: Facts = facts.compute(record)
    newest = next(each for each in record.sessions if each.id == session)
    return made.generation(lab.conn, session=session, facts=computed, finalized_at=newest.finalized_at, **columns)


def lines(result: Result) -> str:
    """What was shown, without a table's lines and blanks."""
    return " ".join(result.output.replace("│", " ").split())


def test_a_patient_is_shown_with_facts_items_and_what_was_superseded(lab: InsightsLab, command: Command) -> None:
    first = stored(
        lab, "session-3", superseded_by="later", superseded_at=MORNING, narrative="none", reason="no_model"
    )
    key = stored(lab)
    made.item(lab.conn, key, insight_text="A dor caiu.", citations=["fact:pain_trend", "session:session-4"])

    shown = lines(command("show", PATIENT, *OF))

    assert f"key: {key}" in shown
    assert "pain_trend Tendência da dor" in shown
    assert "A dor caiu. fact:pain_trend, session:session-4" in shown
    assert f"{first} none no_model" in shown


def test_no_command_shows_who_the_patient_is(lab: InsightsLab, command: Command) -> None:
    for place in range(5):
        exercise = [{"name": "Flexão de Ana Beatriz Souza", "value": 90 + place, "unit": "graus"}]
        lab.conn.execute(
            "update clinic.session_contents set measurements = %s, note = %s where session_id = %s",
            [Jsonb(exercise), "Ana Souza, tel. (11) 98765-4321, ana@example.com", f"session-{place}"],
        )
    key = stored(lab)
    made.item(lab.conn, key, source="facts", insight_text="Flexão de Ana Beatriz Souza: subindo.")

    for words in (("show", PATIENT, *OF), ("page", PATIENT, *OF), ("outgoing", PATIENT, *OF), ("queue",)):
        result = command(*words)
        assert result.exit_code == 0, result.output
        for known in ("Ana", "Beatriz", "Souza", "98765", "ana@"):
            assert known not in result.output, words


def test_a_patient_of_whom_nothing_is_stored_has_facts_of_this_moment(command: Command) -> None:
    shown = lines(command("show", PATIENT, *OF))

    assert "nothing is stored: facts and items are of this moment" in shown
    assert "pain_newest Último registro de dor 4 pontos" in shown


def test_why_there_is_no_narrative_is_told(lab: InsightsLab, command: Command) -> None:
    stored(lab, narrative="none", reason="bad_number", detail="47")

    assert f"bad_number: {REASONS['bad_number']}; 47" in lines(command("show", PATIENT, *OF))


def test_a_patient_who_switched_ai_off_is_told_of_and_not_read(lab: InsightsLab, command: Command) -> None:
    lab.profile(allows_insights=False)

    shown, page = command("show", PATIENT, *OF), command("page", PATIENT, *OF)

    assert "withheld: ai_off_patient" in lines(shown)
    assert "pain" not in shown.output
    assert page.exit_code == 1
    assert "ai_off_patient" in page.output


def test_a_page_shows_what_stands_and_not_what_came_after_it(lab: InsightsLab, command: Command) -> None:
    stored(lab, "session-3")

    page = command("page", PATIENT, *OF).output

    assert "Há sessões mais novas" in page
    assert f"{DAYS[3]:%d/%m/%Y}: dor 5" in page
    assert f"{DAYS[4]:%d/%m/%Y}: dor 4" not in page


def test_a_page_goes_into_a_file_and_without_the_id_if_wanted(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "page.html"

    result = command("page", PATIENT, *OF, "--output", str(file), "--anonymous")

    assert str(file) in result.output.replace("\n", "")
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert PATIENT not in file.read_text(encoding="utf-8")


def test_spending_stands_beside_the_clinics_limits(lab: InsightsLab, command: Command) -> None:
    lab.rules(insights_tokens_per_day=10_000)
    made.call(lab.conn)
    made.call(lab.conn, state="failed", outcome="server_error", used=(0, 0), cost=0)

    shown = lines(command("spending", "--day", str(TODAY)))

    assert f"{TODAY} {CLINIC} 2 1,000 10,000 (10%) 1.0000 – 1 0 0 0" in shown
    assert "nothing was spent" in command("spending", "--day", "2026-01-01").output


def test_the_queue_tells_who_waits_and_why(lab: InsightsLab, command: Command) -> None:
    later = MORNING + dt.timedelta(minutes=5)
    made.queued(lab.conn, "quiet", due_at=later)
    made.queued(lab.conn, "due", due_at=MORNING)
    made.queued(lab.conn, "again", due_at=later, cause="retry", tries=2, error="it broke")
    made.queued(lab.conn, "given-up", dead_at=MORNING, tries=5, error="it broke for good")

    shown = lines(command("queue"))

    assert f"{CLINIC} given-up dead record" in shown
    assert f"{CLINIC} due due record" in shown
    assert f"{CLINIC} quiet until quiet record" in shown
    assert f"{CLINIC} again retry record retry" in shown
    assert "it broke for good" in shown


def test_a_narrative_that_waits_says_for_what(lab: InsightsLab, command: Command) -> None:
    stored(lab, narrative="waiting", reason="over_budget")
    made.queued(lab.conn, step="narrative", cause="retry", due_at=MORNING + dt.timedelta(hours=15))

    shown = lines(command("queue", *OF))

    assert f"{CLINIC} {PATIENT} retry narrative" in shown
    assert "over_budget" in shown


def test_what_was_given_up_can_be_put_back(lab: InsightsLab, command: Command) -> None:
    made.queued(lab.conn, dead_at=MORNING, tries=5, error="it broke")

    result = command("retry", PATIENT, *OF)

    assert result.exit_code == 0, result.output
    assert "due record hand" in lines(command("queue"))


def test_what_waits_by_itself_is_not_put_back(lab: InsightsLab, command: Command) -> None:
    made.queued(lab.conn, due_at=MORNING)

    result = command("retry", PATIENT, *OF)

    assert result.exit_code == 2
    assert "is due; only what is dead can be put back" in lines(result)


def test_a_run_makes_the_insights_of_a_patient_once(lab: InsightsLab, command: Command) -> None:
    first, second = (command("run", "--patient", PATIENT, *OF) for _ in range(2))

    assert first.exit_code == 0, first.output
    assert "generated 1" in lines(first)
    assert "generated 1" not in lines(second)
    assert len(lab.published()) > 0


def test_a_dry_run_writes_nothing(lab: InsightsLab, command: Command) -> None:
    result = command("run", "--patient", PATIENT, *OF, "--dry-run")

    assert "generated 1" in lines(result)
    assert lab.rows("select * from insights.generations") == lab.rows("select * from insights.queue") == []


def test_in_shadow_mode_a_run_by_hand_shows_the_clinic_nothing(
    lab: InsightsLab, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIC_SHADOW", "patient_insights")
    result = command("run", "--patient", PATIENT, *OF)
    assert "generated 1" in lines(result)
    assert lab.published() == []


def test_a_job_that_is_none_in_shadow_mode_is_one_line_and_code_2(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIC_SHADOW", "patient_insight")
    result = command("run")
    assert (result.exit_code, "CLINIC_SHADOW" in result.output, len(result.output.splitlines())) == (2, True, 1)


def test_a_dry_run_settles_nobodys_calls(
    lab: InsightsLab, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHTS_MODEL", "model-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    made.call(lab.conn, state="open", outcome="", started_at=MORNING - dt.timedelta(hours=2))
    result = command("run", "--dry-run")
    assert result.exit_code == 0, result.output
    assert [row["state"] for row in lab.rows("select state from insights.calls")] == ["open"]


def test_a_run_that_failed_for_a_clinic_ends_with_code_1(lab: InsightsLab, command: Command) -> None:
    lab.conn.execute("update messaging.policies set zone = '<-03>3'")

    result = command("run")

    assert result.exit_code == 1
    assert "zone='<-03>3' is not an IANA time zone" in lines(result)


def test_a_text_is_shown_as_it_would_leave(command: Command) -> None:
    result = command("scrub", "-", input="<p>Refere dor 5. Ligar para (27) 99900-0001.</p>")

    assert result.exit_code == 0, result.output
    assert "Refere dor 5." in result.output
    assert "99900" not in result.output
    assert "taken out" in result.output


def test_a_text_about_a_patient_is_scrubbed_of_who_that_is(command: Command, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("Ana refere dor 5.", encoding="utf-8")

    result = command("scrub", str(note), "--patient", PATIENT, *OF)

    assert "refere dor 5" in result.output
    assert "Ana" not in result.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "nobody", *OF), "patient='nobody' is none of organisation 'org-1'"),
        (("page", "nobody", *OF), "unknown_patient"),
        (("outgoing", "nobody", *OF), "unknown_patient"),
        (("show", PATIENT, "--organization", "nowhere"), "organization='nowhere' does not exist"),
        (("retry", "nobody", *OF), "does not wait"),
        (("spending", "--day", "yesterday"), "day"),
        (("run", "--patient", PATIENT), "--patient goes with --organization"),
        (("scrub", "-", "--patient", PATIENT), "--patient and --organization go together"),
        (("scrub", "/nowhere/note.txt"), "cannot be read"),
    ],
)
def test_wrong_input_is_one_line_and_code_2(command: Command, words: tuple[str, ...], told: str) -> None:
    result = command(*words)

    assert result.exit_code == 2
    assert told in result.output
    assert len(result.output.splitlines()) == 1
