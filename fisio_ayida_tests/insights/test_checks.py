"""The checks on the insights: each finds what it is for, and nothing where all is well."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from fisio_ayida.insights.checks import CHECKS, Finding
from fisio_ayida.insights.looking import JOB, examine
from fisio_ayida.insights.model import Limits
from fisio_ayida_tests.clinic.lab import CLINIC, MORNING
from fisio_ayida_tests.insights import made
from fisio_ayida_tests.insights.lab import InsightsLab

HOUR = dt.timedelta(hours=1)
LATE = MORNING - 3 * HOUR


def check(
    lab: InsightsLab, name: str, *, tokens: int = 10_000, cost: Decimal | None = None, is_shadow: bool = False
) -> Finding:
    """What one check says now."""
    limits = Limits(tokens, cost)
    [found] = examine(lab.desk, limits, {name}, now=lab.moment, is_shadow=is_shadow, salt="run-1")
    return found


def told(lab: InsightsLab, name: str) -> tuple[int, bool]:
    """How many problems a check finds, and whether they are grave."""
    found = check(lab, name)
    assert found.error is None
    return found.problems, found.is_grave


@pytest.mark.parametrize("name", CHECKS)
def test_where_nothing_happened_every_check_passes(lab: InsightsLab, name: str) -> None:
    assert check(lab, name).passed


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("failures", "insights.queue"), ("stale_sessions", "clinic.sessions"), ("budget", "insights.calls"),
        ("narratives_agree", "insights.generations"), ("unpublished", "insights.items"),
    ],
)  # fmt: skip
def test_a_check_that_cannot_look_says_so(lab: InsightsLab, name: str, relation: str) -> None:
    schema, table = relation.split(".")
    lab.conn.execute(f"alter table {relation} rename to away")
    try:
        found = check(lab, name)
    finally:
        lab.conn.execute(f"alter table {schema}.away rename to {table}")
    assert not found.passed and "does not exist" in str(found.error)


# What fails


def test_patients_that_were_given_up_are_failures(lab: InsightsLab) -> None:
    made.queued(lab.conn, "well")
    made.queued(lab.conn, "dead", tries=5, error="ValueError: ana@example.com", dead_at=MORNING)
    found = check(lab, "failures")
    assert (found.problems, found.is_grave) == (1, True)
    assert found.lines == (f"{CLINIC} `dead`: given up: ValueError: ***",)


def test_patients_that_are_tried_again_after_an_error_are_known(lab: InsightsLab) -> None:
    made.queued(lab.conn, tries=1, error="ValueError: what")
    assert told(lab, "failures") == (1, False)


def test_organisations_that_failed_in_the_last_day_are_failures(lab: InsightsLab) -> None:
    for at, organization in ((MORNING, CLINIC), (MORNING - HOUR, CLINIC), (MORNING - 25 * HOUR, "org-2")):
        lab.conn.execute(
            "insert into jobs.failures (job, nominal, organization_id, error, run_id, at) values (%s, %s, %s, %s, "
            "'run-1', %s)",
            [JOB, at, organization, "it broke", at],
        )
    assert told(lab, "failures") == (1, True)


# What is late


def test_a_session_without_an_insight_is_stale_after_two_hours(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("old", "2026-03-12", finalized_at=LATE)
    lab.session("new", "2026-03-12", finalized_at=MORNING - HOUR)
    lab.session("draft", "2026-03-12", status="draft", finalized_at=LATE)
    lab.session("last-month", "2026-02-12")
    found = check(lab, "stale_sessions")
    assert (found.problems, found.lines, found.is_grave) == (1, ("session `old`",), True)


def test_an_insight_covers_all_sessions_until_its_newest(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("first", "2026-03-12", finalized_at=LATE)
    lab.session("second", "2026-03-12", finalized_at=LATE + HOUR / 2)
    made.generation(lab.conn, session="first", at=LATE)
    assert check(lab, "stale_sessions").lines == ("session `second`",)
    made.generation(lab.conn, session="second", at=LATE + HOUR / 2)
    assert check(lab, "stale_sessions").passed


def test_a_session_whose_patient_waits_in_the_queue_is_not_stale_until_that_is_overdue(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("old", "2026-03-12", finalized_at=LATE)
    made.queued(lab.conn, due_at=MORNING - HOUR)
    assert check(lab, "stale_sessions").passed
    lab.moment += 2 * HOUR
    assert told(lab, "stale_sessions") == (1, True)


def test_a_session_of_a_clinic_that_wants_no_insights_is_not_stale(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("old", "2026-03-12", finalized_at=LATE)
    lab.rules(insights="off")
    assert check(lab, "stale_sessions").passed


def decide(lab: InsightsLab, reason: str, at: dt.datetime, organization: str = CLINIC) -> None:
    """It was withheld, instead of whatever was decided before."""
    lab.conn.execute(
        """
        insert into jobs.decisions (job, key, outcome, day, organization_id, patient_id, reason, run_id, at)
        values (%s, 'insight:patient-1:-', 'withheld', '2026-03-12', %s, 'patient-1', %s, 'run-1', %s)
        on conflict (job, key, outcome) do update set at = excluded.at, reason = excluded.reason
        """,
        [JOB, organization, reason, at],
    )


def test_a_session_of_whom_it_was_withheld_since_is_not_stale(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("old", "2026-03-12", finalized_at=LATE)
    decide(lab, "no_consent", LATE - HOUR)
    assert told(lab, "stale_sessions") == (1, True)
    decide(lab, "no_consent", LATE + HOUR)
    assert check(lab, "stale_sessions").passed


@pytest.mark.parametrize(("reason", "organization"), [("no_session", CLINIC), ("no_consent", "org-2")])
def test_that_there_was_no_session_or_another_clinic_is_no_excuse(
    lab: InsightsLab, reason: str, organization: str
) -> None:
    lab.patient()
    lab.session("old", "2026-03-12", finalized_at=LATE)
    decide(lab, reason, LATE + HOUR, organization)
    assert told(lab, "stale_sessions") == (1, True)


def test_an_insight_that_another_clinic_had_made_covers_nothing(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("old", "2026-03-12", finalized_at=LATE)
    made.generation(lab.conn, session="old", at=LATE, organization_id="org-2")
    assert told(lab, "stale_sessions") == (1, True)


def test_a_session_of_which_no_insight_is_made_is_not_stale(lab: InsightsLab) -> None:
    lab.patient()
    lab.session("ancient", "2024-03-12", finalized_at=LATE)
    lab.patient("without-consent")
    lab.profile("without-consent", consents=False)
    lab.session("withheld", "2026-03-12", patient="without-consent", finalized_at=LATE)
    assert check(lab, "stale_sessions").passed


# What was spent


def test_a_budget_that_is_nearly_spent_is_known(lab: InsightsLab) -> None:
    made.call(lab.conn)
    assert check(lab, "budget", tokens=1250).passed
    found = check(lab, "budget", tokens=1200)
    assert (found.problems, found.is_grave, found.facts["nearly_spent"]) == (1, False, 1)
    assert found.lines == (f"{CLINIC}: 83% of 2026-03-12",)


def test_a_budget_in_money_counts_as_well(lab: InsightsLab) -> None:
    made.call(lab.conn)
    assert check(lab, "budget", cost=Decimal("1.1")).facts["nearly_spent"] == 1
    assert check(lab, "budget", cost=Decimal(1)).facts["spent"] == 1


def test_an_organisation_s_own_budget_is_the_one_that_counts(lab: InsightsLab) -> None:
    made.call(lab.conn)
    lab.rules(insights_tokens_per_day=1000)
    found = check(lab, "budget", tokens=1_000_000)
    assert (found.problems, found.facts["spent"]) == (1, 1)


def test_yesterday_s_budget_is_over(lab: InsightsLab) -> None:
    made.call(lab.conn, at=MORNING - 24 * HOUR)
    assert check(lab, "budget", tokens=1000).passed


def test_spending_that_is_not_the_sum_of_its_calls_is_an_error(lab: InsightsLab) -> None:
    made.call(lab.conn)
    made.call(lab.conn, state="lost", outcome="lost")
    assert check(lab, "budget").passed
    made.call(lab.conn, counted=False)
    found = check(lab, "budget")
    assert (found.problems, found.is_grave) == (1, True)
    assert found.lines == (f"{CLINIC}: 2026-03-12 has 4000 tokens, its calls 5000",)


def test_a_call_that_nobody_settles_is_an_error(lab: InsightsLab) -> None:
    made.call(lab.conn, at=MORNING - HOUR / 2, state="open", outcome="")
    assert check(lab, "budget").passed
    lab.moment += HOUR
    assert told(lab, "budget") == (1, True)


# What the clinic has not got


def test_an_insight_that_is_not_published_for_an_hour_is_told(lab: InsightsLab) -> None:
    key = made.generation(lab.conn, at=LATE)
    made.item(lab.conn, key, at=MORNING - HOUR / 2)
    made.item(lab.conn, key, at=LATE, insight_type="recommendation", published_at=LATE)
    assert check(lab, "unpublished").passed
    made.item(lab.conn, key, at=LATE, insight_type="comparison")
    found = check(lab, "unpublished")
    assert (found.problems, found.lines) == (1, (f"`{key}`: not written",))
    assert check(lab, "unpublished", is_shadow=True).passed


def test_an_insight_that_is_not_withdrawn_for_an_hour_is_told(lab: InsightsLab) -> None:
    key = made.generation(lab.conn, at=LATE)
    made.item(lab.conn, key, at=LATE, published_at=LATE, superseded_by="other", superseded_at=LATE)
    assert check(lab, "unpublished").lines == (f"`{key}`: not withdrawn",)


def test_more_than_a_page_shows_is_counted_all_the_same(lab: InsightsLab) -> None:
    for place in range(25):
        lab.patient(f"patient-{place}")
        lab.session(f"session-{place}", "2026-03-12", patient=f"patient-{place}", finalized_at=LATE)
    found = check(lab, "stale_sessions")
    assert (found.problems, len(found.lines)) == (25, 20)
