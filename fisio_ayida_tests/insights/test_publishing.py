"""Publishing: the clinic's table shows what is current, however often it is written, and never half of it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fisio_ayida.clinic.model import Connection
from fisio_ayida.insights.claiming import Claimed
from fisio_ayida.insights.publishing import Published, publish
from fisio_ayida.insights.storing import EXPIRES
from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT
from fisio_ayida_tests.insights.flow import MINUTE, Script, finalized, insights, queue, shown
from fisio_ayida_tests.insights.lab import InsightsLab


@pytest.fixture
def made(lab: InsightsLab) -> InsightsLab:
    """A patient with insights that were made and not published."""
    lab.patient()
    finalized(lab, pain=4)
    insights(lab, Script(), is_shadow=True)
    return lab


def published(lab: InsightsLab, organization: str = CLINIC) -> Published:
    return publish(lab.desk, [Claimed(organization, PATIENT, lab.moment, 1, 0)], now=lab.moment)


def items(lab: InsightsLab) -> list[dict[str, Any]]:
    return lab.rows("select * from insights.items order by created_at, id")


def test_an_item_is_shown_for_thirty_days_under_its_own_id(made: InsightsLab) -> None:
    assert (published(made).items, len(items(made))) == (1, 2)
    [row] = made.published()
    [item] = [each for each in items(made) if each["superseded_at"] is None]
    assert (row["id"], row["expires_at"]) == (str(item["id"]), made.moment + EXPIRES)
    assert (row["organization_id"], row["created_at"], item["published_at"]) == (CLINIC, made.moment, made.moment)


def test_a_second_time_changes_nothing(made: InsightsLab) -> None:
    published(made)
    before = made.published()
    made.moment += MINUTE
    assert published(made).items == 0
    made.conn.execute("update insights.items set published_at = null where superseded_at is null")
    assert published(made).items == 1, "what was not marked is written again"
    assert made.published() == before


def test_what_was_superseded_before_anybody_saw_it_is_never_shown(made: InsightsLab) -> None:
    published(made)
    assert [row["insight_text"] for row in made.published()] == ["A dor caiu."]


def test_what_is_superseded_expires_where_it_was_shown(made: InsightsLab) -> None:
    published(made)
    made.moment += dt.timedelta(hours=1)
    finalized(made, "session-2")
    outcome = insights(made)
    assert (outcome.facts["withdrawn"], [type for type, _ in shown(made)]) == (1, ["progress_summary"])
    assert {row["expires_at"] for row in made.published() if row["insight_text"] == "A dor caiu."} == {made.moment}
    assert published(made).withdrawn == 0


def test_what_has_expired_meanwhile_is_not_shown_any_more(made: InsightsLab) -> None:
    made.moment += EXPIRES
    assert (published(made).items, made.published()) == (0, [])


def test_a_patient_who_is_none_of_the_clinics_any_more_is_a_failure_and_tried_later(made: InsightsLab) -> None:
    made.clinic("org-2")
    made.change("patients", PATIENT, organization_id="org-2")
    found = published(made)
    assert (found.items, made.published()) == (0, [])
    assert [(who.patient_id, "is none of organization" in why) for who, why in found.troubles] == [(PATIENT, True)]


def test_what_one_organisation_has_is_not_shown_by_another(made: InsightsLab) -> None:
    made.clinic("org-2")
    made.change("patients", PATIENT, organization_id="org-2")
    assert (published(made, "org-2"), made.published()) == (Published(), [])


def test_who_is_another_organisations_now_is_withdrawn_where_it_was_shown(made: InsightsLab) -> None:
    published(made)
    made.clinic("org-2")
    made.change("patients", PATIENT, organization_id="org-2")
    made.profile(organization="org-2")
    for table in ("sessions", "session_contents"):
        made.conn.execute(f"update clinic.{table} set organization_id = 'org-2'")
    made.moment += MINUTE
    insights(made, Script(), patients=[PATIENT], organization="org-2")
    outcome = insights(made, Script(), patients=[PATIENT], organization=CLINIC)
    assert dict(outcome.withheld) == {"unknown_patient": 1}
    live = [row["organization_id"] for row in made.published() if row["expires_at"] > made.moment]
    assert set(live) == {"org-2"}, "the same session, made anew for its new organisation"


def test_a_run_whose_patient_was_taken_over_does_not_show_what_the_other_one_superseded(made: InsightsLab) -> None:
    """What is shown is looked at again, and locked, when it is written."""
    with made.warehouse.connect() as other:
        other.execute("update insights.items set superseded_by = 'other', superseded_at = now()")
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(published, made)
            until(lambda: waits(other))
            other.commit()
            assert late.result(timeout=60).items == 0
    assert made.published() == []


def waits(conn: Connection) -> bool:
    """Whether anybody waits for a row of ours."""
    row = conn.execute("select exists (select from pg_locks where not granted)").fetchone()
    return row is not None and bool(row[0])


def until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not true():
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.01)


# --- what no session asks for


def test_what_was_made_in_shadow_mode_is_shown_by_the_first_live_run(made: InsightsLab) -> None:
    made.moment += dt.timedelta(hours=2)
    assert insights(made, Script()).facts["published"] == 1
    assert [text for _, text in shown(made)] == ["A dor caiu."]
    assert (insights(made, Script()).facts["unpublished"], queue(made)) == (0, [])


def test_who_failed_has_its_own_next_try(made: InsightsLab) -> None:
    made.conn.execute(
        "insert into insights.queue (organization_id, patient_id, cause, first_asked_at, asked_at, due_at, tries, "
        "error) values (%(o)s, %(p)s, 'retry', %(t)s, %(t)s, %(t)s + interval '1 h', 2, 'why')",
        {"o": CLINIC, "p": PATIENT, "t": made.moment},
    )
    assert insights(made, Script()).facts["unpublished"] == 0
    assert made.published() == []


def test_who_has_taken_consent_back_since_is_never_shown(made: InsightsLab) -> None:
    made.profile(consents=False)
    insights(made, Script())
    assert made.published() == []
    assert {row["superseded_by"] for row in items(made) if row["published_at"] is None} >= {"no_consent"}


def test_rows_that_do_not_stand_there_afterwards_are_a_failure_of_the_clinic(lab: InsightsLab) -> None:
    lab.patient()
    finalized(lab)
    lab.conn.execute(
        "create function pg_temp.lose() returns trigger language plpgsql as $$begin return null; end$$; "
        "create trigger lose before insert on clinic.patient_insights for each row execute function pg_temp.lose()"
    )
    try:
        outcome = insights(lab)
    finally:
        lab.conn.execute("drop trigger lose on clinic.patient_insights")
    said = "ValueError: 0 of 1 insights stand in clinic.patient_insights"
    assert outcome.failures == [(CLINIC, said)]
    [row] = queue(lab)
    assert (row["tries"], row["error"]) == (1, said)
    assert [each["published_at"] for each in items(lab)] == [None]
    lab.moment = row["due_at"]
    insights(lab)
    assert (len(lab.published()), queue(lab)) == (1, [])
