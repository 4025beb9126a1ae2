"""FisioFlow's events about sessions and insights, handled as the inbox handles them: patients in the queue."""

from __future__ import annotations

from typing import Any

import pytest

from fisio_ayida.events.registry import EVENTS
from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT
from fisio_ayida_tests.clinic.test_on_events import Handle, handle, result
from fisio_ayida_tests.insights.flow import Script, finalized, generations, insights, queue
from fisio_ayida_tests.insights.lab import InsightsLab

__all__ = ["handle"]

WHO = {"patientId": PATIENT, "organizationId": CLINIC}


def completed(lab: InsightsLab, handle: Handle, **data: Any) -> tuple[str, Any, Any]:
    """How the event ends when its debounce is over: state, reason, result."""
    row = handle("session/completed", data)
    debounce = EVENTS["session/completed"].debounce
    assert debounce is not None
    lab.moment += debounce.quiet
    # Whatever is due by now is handled with the next event.
    handle("fisio_ayida/canary", {})
    [ended] = lab.rows("select state, reason, result from events.inbox where id = %s", row.id)
    return ended["state"], ended["reason"], ended["result"]


@pytest.mark.parametrize("data", [WHO, {"patientId": PATIENT}, {"sessionId": "session-1"}])
def test_a_session_that_was_completed_puts_its_patient_into_the_queue(
    lab: InsightsLab, handle: Handle, data: dict[str, str]
) -> None:
    lab.patient()
    finalized(lab)
    assert completed(lab, handle, **data) == ("done", None, {"asked": 1})
    [row] = queue(lab)
    assert (row["organization_id"], row["patient_id"], row["cause"]) == (CLINIC, PATIENT, "event")
    assert row["due_at"] <= lab.moment


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "patientId and sessionId are missing"),
        ({"sessionId": "session-9"}, "sessionId='session-9' is no session of any clinic"),
        ({"sessionId": "session-1", "organizationId": "org-2"}, "sessionId='session-1' is no session of"),
        ({"patientId": PATIENT, "organizationId": "org-2"}, "is no patient of organization 'org-2'"),
        ({"patientId": "nobody"}, "patientId='nobody' is no patient of any clinic"),
    ],
)
def test_a_completed_session_of_nobody_ends_the_event_and_names_the_field(
    lab: InsightsLab, handle: Handle, data: dict[str, str], said: str
) -> None:
    """D-39."""
    lab.clinic("org-2")
    lab.patient()
    finalized(lab)
    state, reason, _ = completed(lab, handle, **data)
    assert state == "dead"
    assert said in reason
    assert queue(lab) == []


def test_insights_of_one_patient_are_asked_for(lab: InsightsLab, handle: Handle) -> None:
    lab.patient()
    assert result(handle("ai/patient.insights", WHO)) == {"asked": 1}
    assert [row["patient_id"] for row in queue(lab)] == [PATIENT]


def test_another_clinics_patient_is_refused(lab: InsightsLab, handle: Handle) -> None:
    """D-39."""
    lab.clinic("org-2")
    lab.patient()
    row = handle("ai/patient.insights", WHO | {"organizationId": "org-2"})
    assert (row.state, row.reason) == ("dead", f"patientId='{PATIENT}' is no patient of organization 'org-2'")


def test_of_a_batch_the_good_ones_are_asked_for_and_the_others_named(lab: InsightsLab, handle: Handle) -> None:
    lab.clinic("org-2")
    lab.patient()
    lab.patient("patient-2")
    lab.patient("patient-3", "org-2")
    data = {"organizationId": CLINIC, "patientIds": ["patient-3", PATIENT, "patient-2", PATIENT]}
    assert result(handle("ai/batch.insights", data)) == {
        "asked": 2, "refused": ["patientId='patient-3' is no patient of organization 'org-1'"],
    }  # fmt: skip
    assert [row["patient_id"] for row in queue(lab)] == [PATIENT, "patient-2"]


def test_a_batch_of_nobody_ends_the_event(lab: InsightsLab, handle: Handle) -> None:
    row = handle("ai/batch.insights", {"organizationId": CLINIC, "patientIds": ["a", "b"]})
    assert (row.state, row.reason) == (
        "dead", "patientId='a' is no patient of organization 'org-1' (and 1 others)",
    )  # fmt: skip


def test_event_sensor_and_hand_together_give_one_insight(lab: InsightsLab, handle: Handle) -> None:
    lab.patient()
    finalized(lab)
    writer = Script()
    result(handle("ai/patient.insights", WHO))
    insights(lab, writer)
    completed(lab, handle, **WHO)
    insights(lab, writer)
    insights(lab, writer, patients=[PATIENT], organization=CLINIC)
    assert (len(generations(lab)), len(writer.asked), queue(lab)) == (1, 1, [])
