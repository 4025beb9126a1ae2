"""Ten thousand new sessions in one run: few calls at once, and few records in memory."""

from __future__ import annotations

import gc

import pytest

from fisio_ayida.insights import facts
from fisio_ayida.insights.model import Commission, Facts, Record
from fisio_ayida.insights.running import GROUP, WORDS
from fisio_ayida_tests.clinic.lab import CLINIC
from fisio_ayida_tests.insights.flow import Script, current, insights, queue
from fisio_ayida_tests.insights.lab import InsightsLab

PATIENTS, SESSIONS, IN_FLIGHT = 250, 10_000, 3


@pytest.fixture
def crowd(lab: InsightsLab) -> None:
    """Patients with forty sessions each, all finalized within the last hours."""
    lab.conn.execute(
        "insert into clinic.patients (id, organization_id, full_name) "
        "select 'patient-' || n, %s, 'Ana' from generate_series(1, %s) n",
        [CLINIC, PATIENTS],
    )
    lab.conn.execute(
        "insert into clinic.patient_profiles (patient_id, organization_id) "
        "select id, organization_id from clinic.patients"
    )
    lab.conn.execute(
        "insert into clinic.sessions (id, organization_id, patient_id, date, status, finalized_at) "
        "select 'session-' || n, %(clinic)s, 'patient-' || (n %% %(patients)s + 1), "
        "%(now)s - n %% 40 * interval '1 day', 'finalized', %(now)s - interval '1 hour' - n * interval '1 second' "
        "from generate_series(1, %(sessions)s) n",
        {"clinic": CLINIC, "patients": PATIENTS, "sessions": SESSIONS, "now": lab.moment},
    )
    lab.conn.execute(
        "insert into clinic.session_contents (session_id, organization_id, patient_id, pain_scale, note) "
        "select id, organization_id, patient_id, 5, '<p>Melhor.</p>' from clinic.sessions"
    )
    lab.conn.execute("analyze clinic.sessions, clinic.session_contents, clinic.patients")


def alive() -> int:
    """Records in memory now; also those that other tests keep."""
    return sum(type(each) is Record for each in gc.get_objects())


@pytest.mark.usefixtures("crowd")
def test_ten_thousand_sessions_in_one_run(lab: InsightsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, while_computing, while_writing, computed = Script(keeps=False), [0], [0], facts.compute
    others = alive()

    def compute(record: Record) -> Facts:
        while_computing.append(alive() - others if record.patient_id.endswith("00") else 0)
        return computed(record)

    async def look(asked: Commission) -> None:
        while_writing.append(alive() - others if asked.patient_id.endswith("00") else 0)

    monkeypatch.setattr(facts, "compute", compute)
    writer.meanwhile = look
    outcome = insights(lab, writer, in_flight=IN_FLIGHT)

    names = ("collected", "generated", "narratives")
    assert [outcome.facts[name] for name in names] == [SESSIONS, PATIENTS, PATIENTS]
    assert (len(current(lab)), queue(lab), outcome.failures) == (PATIENTS, [], [])
    assert writer.most == IN_FLIGHT
    assert 0 < max(while_computing) <= GROUP
    # Whoever is being written about has a copy, as of the day of the facts.
    assert 0 < max(while_writing) <= WORDS + IN_FLIGHT
