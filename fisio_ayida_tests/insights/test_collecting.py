"""Collecting: each finalized session asks once, also where it shows up late or comes again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fisio_ayida.insights import finalized
from fisio_ayida.insights.finalized import FIRST, OVERLAP
from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT
from fisio_ayida_tests.insights.flow import MINUTE, Script, generations, insights, queue
from fisio_ayida_tests.insights.flow import finalized as session
from fisio_ayida_tests.insights.lab import InsightsLab

HOUR = 60 * MINUTE


def collected(lab: InsightsLab, **order: Any) -> int:
    """How many new sessions a run collects."""
    outcome = insights(lab, **order)
    assert outcome.failures == []
    return outcome.facts["collected"]


def cursor(lab: InsightsLab) -> tuple[dt.datetime, str]:
    [row] = lab.rows("select finalized_at, session_id from insights.cursor")
    return row["finalized_at"], row["session_id"]


def seen(lab: InsightsLab) -> list[str]:
    return [row["session_id"] for row in lab.rows("select session_id from insights.seen order by finalized_at")]


def test_the_same_session_is_collected_once_though_it_is_looked_at_twice(lab: InsightsLab) -> None:
    lab.patient()
    session(lab)
    assert [collected(lab), collected(lab)] == [1, 0]
    assert cursor(lab) == (lab.moment - 10 * MINUTE, "session-1")
    assert len(generations(lab)) == 1


def test_a_session_that_shows_up_behind_the_cursor_makes_another_edition(
    lab: InsightsLab,
) -> None:
    lab.patient()
    session(lab, "session-2", ago=6 * MINUTE)
    insights(lab)
    session(lab, "session-1", ago=6 * MINUTE + OVERLAP)
    assert collected(lab) == 1
    assert [(row["session_id"], row["sessions"], row["edition"]) for row in generations(lab)] == [
        ("session-2", 1, 1), ("session-2", 2, 2),
    ]  # fmt: skip


def test_what_cannot_be_met_again_is_forgotten(lab: InsightsLab) -> None:
    lab.patient()
    session(lab, "session-1", ago=HOUR)
    session(lab, "session-2", ago=OVERLAP)
    session(lab, "session-3", ago=0 * MINUTE)
    assert collected(lab) == 3
    assert seen(lab) == ["session-2", "session-3"]
    assert collected(lab) == 0


def test_the_first_run_looks_back_for_a_day_and_no_run_into_the_future(lab: InsightsLab) -> None:
    lab.patient()
    session(lab, "old", ago=FIRST + OVERLAP + MINUTE)
    session(lab, "new", ago=FIRST - MINUTE)
    session(lab, "future", ago=-MINUTE)
    assert (collected(lab), seen(lab)) == (1, ["new"])
    lab.moment += MINUTE
    assert collected(lab) == 1
    assert cursor(lab)[1] == "future"


def test_a_cursor_stands_still_when_nothing_is_there_and_the_next_session_is_found_however_late(
    lab: InsightsLab,
) -> None:
    lab.patient()
    assert collected(lab) == 0
    lab.moment += dt.timedelta(days=3)
    session(lab, ago=dt.timedelta(days=2))
    assert collected(lab) == 1


@pytest.mark.parametrize(
    "columns", [{"status": "draft"}, {"status": "cancelled"}, {"deleted_at": "2026-03-12"}, {"organization": None}]
)
def test_only_finalized_sessions_of_a_clinic_count(lab: InsightsLab, columns: dict[str, Any]) -> None:
    lab.patient()
    session(lab, **columns)
    assert collected(lab) == 0


def test_a_session_that_is_finalized_again_is_new(lab: InsightsLab) -> None:
    lab.patient()
    session(lab)
    insights(lab)
    lab.moment += HOUR
    lab.change("sessions", "session-1", finalized_at=lab.moment - 10 * MINUTE)
    assert collected(lab) == 1
    assert [row["key"] for row in generations(lab)] == [
        "insight:patient-1:session-1:p1:facts", "insight:patient-1:session-1~2:p1:facts",
    ]  # fmt: skip


def test_a_draft_of_an_older_visit_that_is_finalized_later_makes_an_insight_of_both(lab: InsightsLab) -> None:
    lab.patient()
    session(lab, "newer-visit")
    insights(lab)
    lab.moment += HOUR
    session(lab, "older-visit", day="2026-03-01")
    insights(lab)
    newest = generations(lab)[-1]
    assert (newest["session_id"], newest["sessions"], newest["superseded_at"]) == ("older-visit", 2, None)


def test_pages_miss_and_repeat_nothing(lab: InsightsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finalized, "PAGE", 2)
    for number in range(5):
        lab.patient(f"patient-{number}")
        # Three at the same moment, over the end of a page.
        session(lab, f"session-{number}", ago=(10 if number in (1, 2, 3) else 20 - number) * MINUTE,
                patient=f"patient-{number}")  # fmt: skip
    assert collected(lab) == 5
    assert len(generations(lab)) == 5


def test_a_run_for_one_clinic_collects_that_clinics_sessions_and_leaves_the_cursor(lab: InsightsLab) -> None:
    lab.clinic("org-2")
    lab.patient()
    lab.patient("patient-2", "org-2")
    session(lab, "session-1")
    session(lab, "session-2", patient="patient-2", organization="org-2")
    assert collected(lab, organization="org-2") == 1
    assert lab.rows("select * from insights.cursor") == []
    assert collected(lab) == 1
    assert {row["patient_id"] for row in generations(lab)} == {PATIENT, "patient-2"}


def test_sessions_of_a_clinic_whose_zone_is_none_wait_and_are_not_lost(lab: InsightsLab) -> None:
    # PostgreSQL knows it, Python does not.
    lab.clinic("org-2", zone="BRT3")
    lab.patient()
    lab.patient("patient-2", "org-2")
    session(lab, "session-1")
    session(lab, "session-2", patient="patient-2", organization="org-2", ago=HOUR)
    outcome = insights(lab)
    assert [id for id, _ in outcome.failures] == ["org-2"]
    assert [row["patient_id"] for row in generations(lab)] == [PATIENT]

    lab.conn.execute("update messaging.policies set zone = 'America/Bahia' where organization_id = 'org-2'")
    lab.moment += dt.timedelta(days=2)
    assert collected(lab) == 1
    assert generations(lab)[-1]["patient_id"] == "patient-2"
    assert lab.rows("select * from insights.behind") == []


# --- days


def test_a_day_asks_for_whoever_has_no_insight_of_its_sessions(lab: InsightsLab) -> None:
    for number, day in enumerate(("2026-03-02", "2026-03-02", "2026-03-03", "2026-03-04")):
        lab.patient(f"patient-{number}")
        lab.session(f"session-{number}", day, patient=f"patient-{number}")
    insights(lab, patients=["patient-1"], organization=CLINIC)
    days = [dt.date(2026, 3, 2), dt.date(2026, 3, 3)]
    assert insights(lab, days=days).facts["generated"] == 2
    assert {row["patient_id"] for row in generations(lab)} == {"patient-0", "patient-1", "patient-2"}
    assert "generated" not in insights(lab, days=days).facts
    assert lab.rows("select * from insights.cursor") == [], "a day is no pass over the newest"


def test_a_day_is_one_in_sao_paulo(lab: InsightsLab) -> None:
    lab.patient()
    lab.session(finalized_at=dt.datetime(2026, 3, 3, 2, 59, tzinfo=dt.UTC))
    assert "generated" not in insights(lab, days=[dt.date(2026, 3, 3)]).facts
    assert insights(lab, days=[dt.date(2026, 3, 2)]).facts["generated"] == 1


def test_a_run_of_a_day_leaves_the_others_in_the_queue_alone(lab: InsightsLab) -> None:
    lab.patient()
    lab.patient("patient-2")
    lab.session("session-1", "2026-03-02")
    session(lab, "session-2", patient="patient-2")
    insights(lab, Script(), days=[dt.date(2026, 3, 2)])
    assert [row["patient_id"] for row in generations(lab)] == [PATIENT]
    assert queue(lab) == []
