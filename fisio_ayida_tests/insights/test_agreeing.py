"""Narratives are compared with the records as they are now: what differs, and what explains it."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from fisio_ayida.clinic.organizations import load
from fisio_ayida.insights import facts, reading
from fisio_ayida.insights.agreeing import look
from fisio_ayida.insights.checks import Finding
from fisio_ayida.insights.model import Facts
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING, PATIENT
from fisio_ayida_tests.insights import made
from fisio_ayida_tests.insights.lab import InsightsLab

DAYS = ("2026-02-05", "2026-02-12", "2026-02-19", "2026-02-26", "2026-03-05")
NEWEST = f"{PATIENT}-{DAYS[-1]}"
DRAFT = "Rascunho; dias contados a partir da sessão de 05/03/2026."
LATER = MORNING + dt.timedelta(hours=1)


@pytest.fixture
def key(lab: InsightsLab) -> str:
    """A narrative about five sessions in which pain falls; gives its key."""
    lab.patient()
    for pain, day in zip((8, 7, 6, 5, 4), DAYS, strict=True):
        lab.session(f"{PATIENT}-{day}", day, pain=pain, note="Ainda dói.")
        lab.visit(f"{day}T10:00", f"visit-{day}", status="realizado")
    return narrative(lab, computed(lab))


def computed(lab: InsightsLab) -> Facts:
    """The facts of the patient as the records are."""
    [clinic] = load(lab.conn, lab.desk.clinic).clinics
    pair = CLINIC, PATIENT
    read = reading.read(lab.conn, [pair], {CLINIC: MORNING.date()}, {CLINIC: clinic.zone})
    return facts.compute(read.records[pair])


def narrative(lab: InsightsLab, of: Facts) -> str:
    """A narrative with these facts, written now."""
    [row] = lab.rows("select finalized_at from clinic.sessions where id = %s", NEWEST)
    return made.generation(
        lab.conn, session=NEWEST, facts=of, finalized_at=row["finalized_at"], sessions=of.sessions
    )  # fmt: skip


def agree(lab: InsightsLab) -> Finding:
    """What the check says."""
    return look(lab.desk, now=lab.moment, salt="run-1")


def test_a_narrative_that_says_what_the_records_say_agrees(lab: InsightsLab, key: str) -> None:
    made.item(lab.conn, key, insight_text=f"A dor mais recente é 4.\n{DRAFT}", citations=["fact:pain_newest"])
    found = agree(lab)
    assert (found.passed, found.facts["compared"]) == (True, 1)


def test_facts_that_the_records_do_not_give_are_an_error(lab: InsightsLab, key: str) -> None:
    wrong = computed(lab)
    changed = tuple(
        dataclasses.replace(each, value=0.0) if each.name == "pain_newest" else each for each in wrong.facts
    )
    lab.conn.execute("delete from insights.generations")
    key = narrative(lab, dataclasses.replace(wrong, facts=changed))
    found = agree(lab)
    assert (found.problems, found.is_grave) == (1, True)
    assert found.lines == (f"`{key}`: pain_newest: the records give another result",)


def test_a_session_that_was_edited_since_shows_as_such(lab: InsightsLab, key: str) -> None:
    lab.conn.execute("update clinic.session_contents set pain_scale = 9 where session_id = %s", [NEWEST])
    lab.change("sessions", NEWEST, updated_at=LATER)
    found = agree(lab)
    assert (found.problems, found.is_grave, found.facts["edited_since"]) == (1, False, 1)
    assert found.lines[0].startswith(f"`{key}`: ") and found.lines[0].endswith(": a session was edited since")


def test_an_edit_without_a_trace_is_an_error(lab: InsightsLab, key: str) -> None:
    lab.conn.execute("update clinic.session_contents set pain_scale = 9 where session_id = %s", [NEWEST])
    assert agree(lab).is_grave


def test_visits_that_were_booked_since_are_no_fault_of_a_narrative(lab: InsightsLab, key: str) -> None:
    lab.visit("2026-03-20T10:00", "visit-new", created_at=LATER, updated_at=LATER)
    found = agree(lab)
    assert (found.passed, found.facts["visits_changed_since"]) == (True, 1)


def test_a_later_session_changes_nothing_about_an_earlier_narrative(lab: InsightsLab, key: str) -> None:
    lab.session("later", "2026-03-12", finalized_at=LATER, pain=9)
    assert (agree(lab).passed, agree(lab).facts["compared"]) == (True, 1)


def test_a_number_that_nothing_shows_is_an_error(lab: InsightsLab, key: str) -> None:
    made.item(lab.conn, key, insight_text=f"A dor mais recente é 9.\n{DRAFT}", citations=["fact:pain_newest"])
    found = agree(lab)
    assert (found.problems, found.is_grave) == (1, True)
    assert found.lines == (f"`{key}`: progress_summary's numbers: the records give another result",)


def test_a_number_of_a_note_that_was_edited_since_shows_as_such(lab: InsightsLab, key: str) -> None:
    made.item(lab.conn, key, insight_text=f"Subiu 37 degraus.\n{DRAFT}", citations=[f"session:{NEWEST}"])
    lab.change("sessions", NEWEST, updated_at=LATER)
    found = agree(lab)
    assert (found.is_grave, found.facts["edited_since"]) == (False, 1)


def test_an_item_may_say_how_many_sessions_each_of_its_passages_cites(lab: InsightsLab, key: str) -> None:
    cited = [f"session:{PATIENT}-{day}" for day in DAYS]
    text = f"• Dor nas 3 sessões do início.\n• Menos dor nas 2 seguintes.\n{DRAFT}"
    made.item(lab.conn, key, insight_type="trend_alert", insight_text=text, citations=cited)
    assert agree(lab).passed


@pytest.mark.parametrize(("consents", "allows"), [(False, True), (True, False)])
def test_whose_record_may_not_be_read_any_more_has_a_narrative_that_is_to_be_withdrawn(
    lab: InsightsLab, key: str, consents: bool, allows: bool
) -> None:
    lab.profile(consents=consents, allows_insights=allows)
    found = agree(lab)
    assert (found.problems, found.is_grave, found.facts["to_be_withdrawn"]) == (1, False, 1)
    assert found.lines[0].startswith(f"`{key}`: {'ai_off_patient' if consents else 'no_consent'}: ")


def test_a_narrative_by_other_formulas_is_not_compared(lab: InsightsLab, key: str) -> None:
    lab.conn.execute("update insights.generations set facts = jsonb_set(facts, '{version}', '\"old\"')")
    assert agree(lab).facts["not_compared"] == 1


def test_narratives_that_were_superseded_are_left_alone(lab: InsightsLab, key: str) -> None:
    lab.conn.execute("update insights.generations set superseded_by = 'other', superseded_at = created_at")
    assert sum(agree(lab).facts.values()) == 0
