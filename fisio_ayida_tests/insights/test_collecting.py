"""Collecting: each finalized session asks once, also where it shows up late or comes again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from fisio_ayida.clinic import organizations
from fisio_ayida.clinic.model import BadOrder, Connection
from fisio_ayida.insights import claiming, collecting, finalized
from fisio_ayida.insights.asking import ask
from fisio_ayida.insights.collecting import MOST_DAYS, wish_for
from fisio_ayida.insights.finalized import FAR, FIRST, OVERLAP, PAUSE, Finalized, since
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
    session(lab, "session-1", ago=FAR + MINUTE)
    session(lab, "session-2", ago=FAR)
    session(lab, "session-3", ago=0 * MINUTE)
    assert collected(lab) == 3
    assert seen(lab) == ["session-2", "session-3"]
    assert collected(lab) == 0


def test_a_session_that_shows_up_far_behind_the_cursor_is_collected_within_the_hour(lab: InsightsLab) -> None:
    lab.patient()
    lab.patient("patient-2")
    session(lab, "session-1", ago=0 * MINUTE)
    insights(lab)
    session(lab, "session-2", ago=10 * HOUR, patient="patient-2")
    assert collected(lab) == 0
    lab.moment += PAUSE
    assert collected(lab) == 1
    assert "patient-2" in {row["patient_id"] for row in generations(lab)}
    session(lab, "session-3", ago=10 * HOUR)
    lab.moment += PAUSE - MINUTE
    assert collected(lab) == 0, "it was looked so far just now"


def test_a_session_that_is_another_patients_now_is_collected_for_that_one(lab: InsightsLab) -> None:
    lab.patient()
    lab.patient("patient-2")
    session(lab)
    insights(lab)
    for table, key in (("sessions", "id"), ("session_contents", "session_id")):
        lab.conn.execute(f"update clinic.{table} set patient_id = 'patient-2' where {key} = 'session-1'")
    assert collected(lab) == 1
    assert [row["patient_id"] for row in generations(lab)] == [PATIENT, "patient-2"]


def test_what_was_read_before_a_run_died_is_collected(lab: InsightsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finalized, "PAGE", 1)
    session(lab, "session-1", ago=2 * MINUTE)
    session(lab, "session-2", ago=MINUTE, patient="patient-2")

    def dies(conn: Connection, sessions: Sequence[Finalized]) -> int:
        if sessions[0].id == "session-2":
            raise KeyboardInterrupt
        return wish_for(conn, sessions)

    monkeypatch.setattr(collecting, "wish_for", dies)
    with pytest.raises(KeyboardInterrupt):
        insights(lab)
    assert [row["patient_id"] for row in queue(lab)] == [PATIENT]
    monkeypatch.undo()
    assert collected(lab) == 1


def test_a_clinic_that_is_behind_pulls_no_other_back_and_rests_after_each_try(lab: InsightsLab) -> None:
    lab.conn.execute(
        "insert into insights.cursor (finalized_at, session_id, run_id, moved_at, looked_far_at) "
        "values (%(now)s, '', 'run-0', %(now)s, %(now)s)", {"now": lab.moment},
    )  # fmt: skip
    lab.conn.execute("insert into insights.behind values ('org-2', %s, 'run-0', null)", [lab.moment - 90 * HOUR])
    here, there = {CLINIC: lab.moment - OVERLAP}, {"org-2": lab.moment - 90 * HOUR - OVERLAP}
    assert since(lab.conn, lab.moment).looks([CLINIC, "org-2"]) == [here, there]
    lab.conn.execute("update insights.behind set looked_at = %s", [lab.moment - PAUSE + MINUTE])
    assert since(lab.conn, lab.moment).looks([CLINIC, "org-2"]) == [here]
    assert since(lab.conn, lab.moment, all_behind=True).looks(["org-2"]) == [there]
    assert since(lab.conn, lab.moment + MINUTE).looks(["org-2"]) == [there]


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
    ask(lab.conn, CLINIC, ["patient-2"], cause="event", now=lab.moment)
    insights(lab, Script(), days=[dt.date(2026, 3, 2)])
    assert [row["patient_id"] for row in generations(lab)] == [PATIENT]
    assert [row["patient_id"] for row in queue(lab)] == ["patient-2"]


def test_days_ask_once_for_a_patient_however_many_sessions_there_were(
    lab: InsightsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finalized, "PAGE", 1)
    days = [dt.date(2026, 3, day) for day in (2, 3)]
    lab.sessions([*days])
    lab.session("session-3", days[0])
    order, clinics = lab.order(), organizations.load(lab.conn, lab.desk.clinic).clinics
    assert collecting.ask_for_days(lab.desk, order, clinics, days) == []
    [row] = queue(lab)
    assert (row["patient_id"], row["asks"], row["wanted_by"]) == (PATIENT, 1, order.run_id)


def test_more_days_than_a_month_are_refused_before_anybody_is_asked_for(lab: InsightsLab) -> None:
    lab.patient()
    lab.session()
    days = [dt.date(2026, 2, 1) + dt.timedelta(days=each) for each in range(MOST_DAYS + 1)]
    with pytest.raises(BadOrder, match="32 days are asked for, 2026-02-01 to 2026-03-04: at most 31 at once"):
        insights(lab, days=days)
    assert queue(lab) == []


# --- whose clinic is not there any more


def test_who_is_of_no_clinic_goes_when_the_reason_is_kept_unless_asked_for_again(lab: InsightsLab) -> None:
    ask(lab.conn, "gone", [PATIENT, "patient-2"], cause="event", now=lab.moment)
    strangers = claiming.strangers(lab.conn, [CLINIC], now=lab.moment)
    assert len(queue(lab)) == 2
    ask(lab.conn, "gone", ["patient-2"], cause="event", now=lab.moment)
    claiming.forget(lab.conn, strangers)
    assert [row["patient_id"] for row in queue(lab)] == ["patient-2"]
    insights(lab)
    assert queue(lab) == []
    assert [row["reason"] for row in lab.rows("select reason from jobs.decisions")] == ["inactive_clinic"]
