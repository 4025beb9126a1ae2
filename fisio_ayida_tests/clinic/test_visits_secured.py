"""The jobs of visits in FisioFlow's own database, whose row security binds them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fisio_ayida.clinic import confirmations, mappings, on_events
from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.clinic import fisioflow
from fisio_ayida_tests.clinic.conftest import emptied
from fisio_ayida_tests.clinic.fisioflow import Conn
from fisio_ayida_tests.clinic.lab import MORNING, PHONE, ClinicLab

THERAPIST = "7d1c2f7e-98a4-4a41-9a6c-1f0a3a3b5c01"


@pytest.fixture
def secured(
    flow: Conn, fisioflow_database: Warehouse, clinic_warehouse: Warehouse, settings: Settings
) -> Iterator[ClinicLab]:
    """The jobs' desk; FisioFlow's tables are in another database, as a role that row security binds."""
    fisioflow.create(flow)
    mappings.apply(flow, "fisioflow")
    fisioflow.secure(flow)
    with fisioflow.reader(fisioflow_database) as url:
        given = {"FISIO_AYIDA_HOME": str(settings.home), "CLINIC_DATABASE_URL": url.psycopg}
        lab = ClinicLab(clinic_warehouse, Settings.load(given))
        emptied(lab.conn)
        yield lab
        lab.close()


def booked(flow: Conn, start: str, **columns: object) -> tuple[str, str]:
    """A visit of a new patient of a new clinic; gives the clinic's and its own id."""
    clinic = fisioflow.add(flow, "organizations", name="Clínica São João")
    patient = fisioflow.add(flow, "patients", organization_id=clinic, full_name="Ana Beatriz", phone=PHONE)
    day, clock = start.split("T")
    # FisioFlow writes UTC without saying so.
    times = dict.fromkeys(("created_at", "updated_at"), "2026-03-01 12:00")
    given = {"organization_id": clinic, "patient_id": patient, "therapist_id": THERAPIST, "date": day}
    return clinic, fisioflow.add(flow, "appointments", **(given | {"start_time": clock} | times | columns))


def test_each_clinics_visits_are_found_behind_row_security(flow: Conn, secured: ClinicLab) -> None:
    just = {"created_at": "2026-03-12 11:58"}
    _, tomorrow = booked(flow, "2026-03-13T14:00")
    _, new = booked(flow, "2026-03-20T14:00", **just)
    _, over = booked(flow, "2026-03-12T06:00", status="atendido")
    assert secured.desk.clinic.tenant == "app.org_id"
    assert confirmations.has_news(secured.conn, secured.desk.clinic, now=MORNING)

    for job in ("appointment_reminders", "appointment_confirmations", "feedback_requests"):
        assert secured.run(job).failures == []

    assert secured.keys() == [
        f"confirmation:{new}:2026-03-20t14:00:whatsapp", f"feedback:{over}:whatsapp",
        f"reminder:{tomorrow}:2026-03-13t14:00:day-before:whatsapp",
    ]  # fmt: skip
    assert not confirmations.has_news(secured.conn, secured.desk.clinic, now=MORNING)


def test_an_event_has_to_name_its_clinic_where_row_security_binds(flow: Conn, secured: ClinicLab) -> None:
    clinic, visit = booked(flow, "2026-03-13T14:00", created_at="2026-03-12 11:58")

    def send(name: str, **data: str) -> on_events.Result:
        event = on_events.Event(name=name, data={"appointmentId": visit, **data}, now=MORNING, run_id="run-1")
        with secured.conn.transaction():
            return on_events.HANDLERS[name](secured.desk, event)

    for name in (
        "appointment/created",
        "appointment/cancelled",
        "appointment/reminder",
        "email/appointment.reminder",
    ):
        with pytest.raises(on_events.Unusable, match="organizationId is missing"):
            send(name)
    assert send("appointment/created", organizationId=clinic)["new"] == 1
    assert send("appointment/reminder", organizationId=clinic)["new"] == 1
    assert len(send("appointment/cancelled", organizationId=clinic)["stops"]) == 2
