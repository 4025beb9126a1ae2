"""One run: whoever is due gets insights once, and everybody else a reason."""

from __future__ import annotations

from typing import Any

import pytest

from fisio_ayida.clinic.model import BadOrder
from fisio_ayida.insights.asking import has_news
from fisio_ayida.insights.model import Commission, NotWritten
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT
from fisio_ayida_tests.insights.flow import (
    HOUR,
    KEY,
    MINUTE,
    Script,
    current,
    finalized,
    generations,
    insights,
    items,
    only,
    queue,
    shown,
    words,
)
from fisio_ayida_tests.insights.lab import InsightsLab

# --- one patient


def test_a_session_gives_facts_and_then_words(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab, pain=4, note="<p>Melhor.</p>")
    outcome = insights(lab, Script())
    row = only(lab)
    assert (row["key"], row["narrative"], row["reason"], row["scrubbed"]) == (KEY, "written", "", 2)
    assert shown(lab) == [("progress_summary", "A dor caiu.")]
    assert {name: outcome.facts[name] for name in ("generated", "narratives", "facts_only", "scrubbed")} == {
        "generated": 1, "narratives": 1, "facts_only": 0, "scrubbed": 2,
    }  # fmt: skip
    assert queue(lab) == []


def test_facts_are_published_before_the_model_is_asked(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer, before = Script(), []

    async def look(_: Commission) -> None:
        before.extend(shown(lab))
        before.append((only(lab)["narrative"], only(lab)["reason"]))

    writer.meanwhile = look
    insights(lab, writer)
    assert [what for what, _ in before] == ["progress_summary", "waiting"]
    assert before[-1] == ("waiting", "not_yet")


def test_words_replace_the_facts_of_the_same_types_and_no_others(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: words("Rever a carga.", "recommendation")}))
    assert items(lab) == {"facts": ["progress_summary"], "narrative": ["recommendation"]}
    assert [type for type, _ in shown(lab)] == ["progress_summary", "recommendation"]


def test_the_same_session_gives_one_insight_whoever_asks_for_it(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    writer = Script()
    insights(lab, writer)
    outcome = insights(lab, writer, patients=[PATIENT], organization=CLINIC)
    assert (outcome.known, len(writer.asked), len(generations(lab))) == (1, 1, 1)


def test_a_new_session_supersedes_visibly(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: words("Antes.")}))
    lab.moment += HOUR
    finalized(lab, "session-2")
    insights(lab, Script({PATIENT: words("Depois.")}))
    old, new = generations(lab)
    assert (old["superseded_by"], old["superseded_at"], new["superseded_by"]) == (new["key"], lab.moment, None)
    assert shown(lab) == [("progress_summary", "Depois.")]
    expired = [row["insight_text"] for row in lab.published() if row["expires_at"] <= lab.moment]
    assert "Antes." in expired, "it is still there, because somebody may have acted on it"


def test_a_session_that_was_deleted_is_said_no_more(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab, "session-1", ago=2 * HOUR)
    finalized(lab, "session-2")
    insights(lab)
    lab.change("sessions", "session-2", deleted_at=lab.moment)
    insights(lab, patients=[PATIENT], organization=CLINIC)
    assert current(lab) == {PATIENT: f"insight:{PATIENT}:session-1:p1:facts"}


def test_what_was_superseded_is_made_again_when_it_is_what_the_record_says(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab, "session-1", ago=2 * HOUR)
    insights(lab, Script())
    lab.moment += HOUR
    finalized(lab, "session-2")
    insights(lab, Script())
    lab.change("sessions", "session-2", deleted_at=lab.moment)
    insights(lab, Script({PATIENT: words("Como antes.")}), patients=[PATIENT], organization=CLINIC)
    assert current(lab) == {PATIENT: f"{KEY.replace(':p1', '~2:p1')}"}
    assert shown(lab) == [("progress_summary", "Como antes.")]


def test_words_that_waited_while_no_model_was_configured_are_asked_for_again_by_hand(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script({PATIENT: NotWritten("unreachable", is_transient=True)}))
    lab.moment += 2 * MINUTE
    insights(lab)
    assert current(lab) == {PATIENT: KEY.replace("model-1", "facts")}
    insights(lab, Script(), patients=[PATIENT], organization=CLINIC)
    assert shown(lab) == [("progress_summary", "A dor caiu.")]


def test_a_run_without_a_model_takes_no_words_back_that_still_stand(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script())
    outcome = insights(lab, patients=[PATIENT], organization=CLINIC)
    assert (outcome.known, current(lab)) == (1, {PATIENT: KEY})
    assert shown(lab) == [("progress_summary", "A dor caiu.")]


def test_a_clinic_that_wanted_facts_alone_for_a_while_gets_words_again(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    for wanted in ("narrative", "facts", "narrative"):
        lab.conn.execute("delete from jobs.policies")
        lab.rules(insights=wanted)
        insights(lab, Script(), patients=[PATIENT], organization=CLINIC)
    assert shown(lab) == [("progress_summary", "A dor caiu.")]


def test_a_model_that_is_configured_later_writes_about_the_same_session(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab)
    assert (only(lab)["narrative"], only(lab)["reason"]) == ("none", "no_model")
    insights(lab, Script(), patients=[PATIENT], organization=CLINIC)
    assert current(lab) == {PATIENT: KEY}


def test_a_clinic_that_wants_facts_alone_gets_them(lab: InsightsLab) -> None:
    lab.rules(insights="facts")
    lab.patient()
    finalized(lab)
    writer = Script()
    outcome = insights(lab, writer)
    assert (only(lab)["reason"], only(lab)["model"], writer.asked) == ("facts_only", "", [])
    assert outcome.facts["facts_only"] == 1


def test_a_commission_has_the_clinics_own_limits(lab: InsightsLab) -> None:
    lab.rules(insights_tokens_per_day=1000, insights_cost_per_day="0.5")
    lab.patient()
    finalized(lab)
    writer = Script()
    insights(lab, writer)
    [asked] = writer.asked
    assert (asked.key, asked.organization_id, asked.patient_id, asked.run_id) == (KEY, CLINIC, PATIENT, "run-1")
    assert (asked.day, asked.tokens_per_day, str(asked.cost_per_day)) == (lab.moment.date(), 1000, "0.5000")


# --- nobody's


@pytest.mark.parametrize(
    ("reason", "prepare"),
    [
        ("ai_off_clinic", lambda lab: lab.rules(insights="off")),
        ("ai_off_patient", lambda lab: lab.profile(allows_insights=False)),
        ("no_consent", lambda lab: lab.profile(consents=False)),
        ("unknown_patient", lambda lab: lab.change("patients", PATIENT, deleted_at=lab.moment)),
    ],
)
def test_who_gets_none_has_the_reason_kept_each_time_it_is_asked_for(
    lab: InsightsLab, reason: str, prepare: Any
) -> None:
    lab.patient()
    finalized(lab)
    prepare(lab)
    writer = Script()
    outcome = insights(lab, writer)
    assert (dict(outcome.withheld), generations(lab), writer.asked) == ({reason: 1}, [], [])
    assert lab.reasons() == {f"insight:{CLINIC}:{PATIENT}:-": reason}
    assert insights(lab, writer).withheld.total() == 0, "nobody asked again"
    lab.moment += HOUR
    finalized(lab, "session-2")
    assert insights(lab, writer).withheld.total() == 1
    [decision] = lab.rows("select at from jobs.decisions")
    assert decision["at"] == lab.moment


WITHDRAWALS = pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("ai_off_clinic", lambda lab: lab.rules(insights="off")),
        ("ai_off_patient", lambda lab: lab.profile(allows_insights=False)),
        ("no_consent", lambda lab: lab.profile(consents=False)),
        ("unknown_patient", lambda lab: lab.change("patients", PATIENT, deleted_at=lab.moment)),
        ("no_session", lambda lab: lab.change("sessions", "session-1", status="draft", finalized_at=None)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)


@WITHDRAWALS
def test_of_whom_nothing_may_be_said_any_more_nothing_is_shown_any_more(
    lab: InsightsLab, reason: str, change: Any
) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script())
    lab.moment += MINUTE
    change(lab)
    outcome = insights(lab, Script(), patients=[PATIENT], organization=CLINIC)
    assert (outcome.facts["withdrawn"], shown(lab), current(lab)) == (1, [], {})
    assert (only(lab)["superseded_by"], queue(lab)) == (reason, [])


@WITHDRAWALS
def test_the_first_run_of_a_day_finds_who_may_not_be_shown_any_more(
    lab: InsightsLab, reason: str, change: Any
) -> None:
    lab.patient()
    lab.patient("patient-2")
    finalized(lab)
    insights(lab, Script())
    change(lab)
    assert not has_news(lab.conn, lab.desk.clinic, now=lab.moment)
    lab.moment += 24 * HOUR
    assert has_news(lab.conn, lab.desk.clinic, now=lab.moment)
    outcome = insights(lab, Script())
    assert (dict(outcome.withheld), shown(lab)) == ({reason: 1}, [])
    assert not has_news(lab.conn, lab.desk.clinic, now=lab.moment)


def test_who_may_still_be_shown_is_left_alone_when_a_day_begins(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script())
    lab.moment += 24 * HOUR
    outcome = insights(lab, Script())
    assert (outcome.facts["revisited"], outcome.known, len(shown(lab))) == (0, 0, 1)


def test_who_consents_again_gets_insights_again(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script())
    for consents in (False, True):
        lab.moment += MINUTE
        lab.profile(consents=consents)
        insights(lab, Script(), patients=[PATIENT], organization=CLINIC)
    assert shown(lab) == [("progress_summary", "A dor caiu.")]


def test_nobody_is_asked_for_by_a_clinic_that_is_inactive(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab)
    lab.change("organizations", CLINIC, is_active=False)
    outcome = insights(lab, patients=[PATIENT], organization=CLINIC)
    assert (dict(outcome.withheld), queue(lab)) == ({"inactive_clinic": 1}, [])


def test_the_queue_forgets_who_is_of_no_active_clinic(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab, ago=MINUTE)
    insights(lab)
    lab.change("organizations", CLINIC, is_active=False)
    lab.moment += HOUR
    assert (dict(insights(lab).withheld), queue(lab)) == ({"inactive_clinic": 1}, [])


def test_patients_are_some_organisations(lab: InsightsLab) -> None:
    with pytest.raises(BadOrder, match="without their organization"):
        insights(lab, patients=[PATIENT])


def test_a_patient_who_is_asked_for_in_another_clinics_name_gets_nothing(lab: InsightsLab) -> None:
    """D-39."""
    lab.clinic("org-2")
    lab.patient()
    finalized(lab)
    outcome = insights(lab, patients=[PATIENT], organization="org-2")
    assert (dict(outcome.withheld), generations(lab)) == ({"unknown_patient": 1}, [])


def test_nothing_is_done_where_the_clinics_database_lacks_what_it_takes(lab: InsightsLab) -> None:
    lab.conn.execute("alter function clinic.store_insights rename to other")
    try:
        with pytest.raises(ClinicError, match="store_insights"):
            insights(lab)
    finally:
        lab.conn.execute("alter function clinic.other rename to store_insights")


# --- dry and shadow


def test_a_dry_run_says_what_would_be_and_writes_nothing(lab: InsightsLab) -> None:
    lab.patient()
    lab.patient("patient-2")
    lab.profile("patient-2", consents=False)
    finalized(lab)
    finalized(lab, "session-2", patient="patient-2")
    writer = Script()
    tables = ("cursor", "seen", "queue", "generations", "items", "calls")
    for order in ({}, {"patients": [PATIENT, "patient-2"], "organization": CLINIC}, {"days": [lab.moment.date()]}):
        outcome = insights(lab, writer, is_dry=True, **order)
        assert (outcome.facts["generated"], dict(outcome.withheld)) == (1, {"no_consent": 1})
    assert writer.asked == []
    assert all(lab.rows(f"select * from insights.{table}") == [] for table in tables)
    assert lab.rows("select * from jobs.decisions") == []


def test_in_shadow_mode_everything_is_made_and_nothing_is_shown(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    insights(lab, Script(), is_shadow=True)
    assert (only(lab)["narrative"], lab.published(), queue(lab)) == ("written", [], [])
    insights(lab, Script(), patients=[PATIENT], organization=CLINIC)
    assert shown(lab) == [("progress_summary", "A dor caiu.")]
