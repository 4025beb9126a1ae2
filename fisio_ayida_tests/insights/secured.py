"""FisioFlow's own database behind row security, with clinics, patients and sessions as FisioFlow writes them.

Here: a lab whose clinic is elsewhere. Not here: expectations.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fisio_ayida.clinic import mappings
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.fisioflow import Conn
from fisio_ayida_tests.insights.conftest import emptied
from fisio_ayida_tests.insights.lab import InsightsLab


@contextmanager
def opened(flow: Conn, theirs: Warehouse, ours: Warehouse, settings: Settings) -> Iterator[InsightsLab]:
    """The jobs' desk, as a role that FisioFlow's row security binds."""
    fisioflow.create(flow)
    mappings.apply(flow, "fisioflow")
    fisioflow.secure(flow)
    with fisioflow.reader(theirs, insights=True) as url:
        given = {"FISIO_AYIDA_HOME": str(settings.home), "CLINIC_DATABASE_URL": url.psycopg}
        lab = InsightsLab(ours, Settings.load(given))
        emptied(lab.conn)
        yield lab
        lab.close()


def clinic(flow: Conn, **columns: Any) -> str:
    """A clinic of FisioFlow's."""
    return fisioflow.add(flow, "organizations", **({"name": "Clínica São João"} | columns))


def patient(flow: Conn, organization: str, **columns: Any) -> str:
    """A patient who consents."""
    given = {"full_name": "Ana Beatriz", "consent_data": True, "organization_id": organization}
    return fisioflow.add(flow, "patients", **(given | columns))


def session(flow: Conn, organization: str, patient: str, at: dt.datetime, **columns: Any) -> str:
    """A session that was finalized then. FisioFlow writes UTC without saying so."""
    moment = at.astimezone(dt.UTC).replace(tzinfo=None)
    given = {"organization_id": organization, "patient_id": patient, "status": "finalized"}
    times = dict.fromkeys(("finalized_at", "date", "created_at", "updated_at"), moment)
    return fisioflow.add(flow, "sessions", **(given | times | {"pain_scale": 4} | columns))


def insights_of(flow: Conn, patient: str) -> list[tuple[str, str]]:
    """FisioFlow's rows of a patient, as kind and text."""
    query = "select insight_type, insight_text from public.patient_insights where patient_id = %s order by 1, 2"
    return flow.execute(query, [patient]).fetchall()
