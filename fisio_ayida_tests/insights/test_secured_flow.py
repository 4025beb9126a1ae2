"""The flow where the clinics' tables are FisioFlow's own, in another database, and row security binds us."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fisio_ayida.clinic.on_events import Unusable
from fisio_ayida.insights import on_events
from fisio_ayida.insights.asking import has_news
from fisio_ayida.insights.finalized import PAUSE
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic.fisioflow import Conn
from fisio_ayida_tests.insights import secured
from fisio_ayida_tests.insights.flow import MINUTE, Script, current, generations, insights, queue
from fisio_ayida_tests.insights.lab import InsightsLab


@pytest.fixture
def lab(
    flow: Conn,
    fisioflow_database: Warehouse,
    insights_warehouse: Warehouse,
    settings: Settings,
) -> Iterator[InsightsLab]:
    """Our tables in one database, FisioFlow's in another."""
    with secured.opened(flow, fisioflow_database, insights_warehouse, settings) as opened:
        yield opened


@pytest.fixture
def people(lab: InsightsLab, flow: Conn) -> dict[str, str]:
    """Two clinics with a patient each, whose sessions were finalized; clinics by patient."""
    found = {}
    for _ in range(2):
        organization = secured.clinic(flow)
        found[secured.patient(flow, organization)] = organization
    for patient, organization in found.items():
        secured.session(flow, organization, patient, lab.moment - 10 * MINUTE)
    return found


def news(lab: InsightsLab) -> bool:
    return has_news(lab.conn, lab.desk.clinic, now=lab.moment)


def spoil(flow: Conn, organization: str, table: str, kind: str) -> None:
    """Nothing of a clinic can be read, or written, any more."""
    rule = f"1 / (current_setting('app.org_id', true) <> '{organization}')::integer = 1"
    how = f"using ({rule})" if kind == "select" else f"with check ({rule})"
    flow.execute(f"create policy spoilt on public.{table} as restrictive for {kind} {how}")


def mend(flow: Conn, table: str) -> None:
    flow.execute(f"drop policy spoilt on public.{table}")


def test_each_clinics_patients_get_theirs(lab: InsightsLab, flow: Conn, people: dict[str, str]) -> None:
    assert lab.desk.clinic.tenant == "app.org_id"
    assert news(lab)
    outcome = insights(lab, Script())
    assert (outcome.failures, outcome.facts["narratives"]) == ([], 2)
    assert {row["patient_id"]: row["organization_id"] for row in generations(lab)} == people
    for patient in people:
        assert ("progress_summary", "A dor caiu.") in secured.insights_of(flow, patient)
    assert not news(lab)


def test_a_clinic_that_cannot_be_read_loses_nothing_and_the_others_wait_for_nothing(
    lab: InsightsLab,
    flow: Conn,
    people: dict[str, str],
) -> None:
    bad, good = people
    spoil(flow, people[bad], "sessions", "select")
    assert news(lab)
    outcome = insights(lab)
    assert [id for id, _ in outcome.failures] == [people[bad]]
    assert list(current(lab)) == [good]

    # Longer than any overlap, and the others go on.
    lab.moment += 120 * MINUTE
    secured.session(flow, people[good], good, lab.moment - 10 * MINUTE)
    insights(lab)
    assert not news(lab), "a run has said just now that it cannot be read"
    lab.moment += PAUSE
    assert news(lab), "a run shall say that it cannot be read still"
    mend(flow, "sessions")
    outcome = insights(lab)
    assert (outcome.failures, sorted(current(lab))) == ([], sorted(people))
    assert lab.rows("select * from insights.behind") == []
    assert not news(lab)


def test_a_clinic_that_cannot_be_written_is_a_failure_and_gets_its_insights_later(
    lab: InsightsLab,
    flow: Conn,
    people: dict[str, str],
) -> None:
    bad, good = people
    spoil(flow, people[bad], "patient_insights", "insert")
    outcome = insights(lab)
    assert [id for id, _ in outcome.failures] == [people[bad]]
    assert secured.insights_of(flow, good) != []
    [row] = queue(lab)
    assert (row["patient_id"], row["tries"], row["claim"]) == (bad, 1, None)
    mend(flow, "patient_insights")
    lab.moment = row["due_at"]
    outcome = insights(lab)
    assert (outcome.failures, outcome.known, queue(lab)) == ([], 1, [])
    assert secured.insights_of(flow, bad) != []


def test_who_went_to_another_clinic_is_shown_no_more_by_the_old_one(
    lab: InsightsLab, flow: Conn, people: dict[str, str]
) -> None:
    patient, other = people
    insights(lab)
    flow.execute("update public.patients set organization_id = %s where id = %s", [people[other], patient])
    lab.moment += MINUTE
    outcome = insights(lab, patients=[patient], organization=people[patient])
    assert (dict(outcome.withheld), outcome.failures, queue(lab)) == ({"unknown_patient": 1}, [], [])
    query = (
        "select distinct expires_at > (%s at time zone 'UTC') from public.patient_insights where patient_id = %s"
    )
    assert flow.execute(query, [lab.moment, patient]).fetchall() == [(False,)]


def test_an_event_has_to_name_its_clinic(lab: InsightsLab, people: dict[str, str]) -> None:
    patient, organization = next(iter(people.items()))
    for data in ({"patientId": patient}, {"sessionId": "x"}):
        with pytest.raises(Unusable, match="organizationId is missing"):
            on_events.completed(lab.conn, lab.desk.clinic, data, lab.moment)
    data = {"patientId": patient, "organizationId": organization}
    assert on_events.completed(lab.conn, lab.desk.clinic, data, lab.moment) == {"asked": 1}
    other = next(each for each in people if each != patient)
    with pytest.raises(Unusable, match="is no patient of organization"):
        on_events.of_patient(lab.conn, lab.desk.clinic, data | {"patientId": other}, lab.moment)


def test_an_event_that_names_no_id_is_refused_where_policies_ask_for_one(lab: InsightsLab, flow: Conn) -> None:
    flow.execute("drop policy patients_tenant on public.patients")
    rule = "organization_id = current_setting('app.org_id', true)::uuid"
    flow.execute(f"create policy patients_tenant on public.patients using ({rule})")
    data = {"organizationId": "clinic-1", "patientId": "patient-1", "patientIds": ["patient-1"]}
    with lab.conn.transaction():
        for handler in on_events.HANDLERS.values():
            with pytest.raises(Unusable, match="organizationId='clinic-1' is no id of an organization"):
                handler(lab.conn, lab.desk.clinic, data, lab.moment)
    assert queue(lab) == []
