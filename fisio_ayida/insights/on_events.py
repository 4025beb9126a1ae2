"""What FisioFlow's events about sessions and insights lead to: patients in the queue, for the next run.

Here: reading an event's payload, and what its result says. Not here: the events' shapes and retries
(``events/registry.py``), and binding names to these functions (``defs/events/handlers.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, LiteralString, TypeVar

import psycopg

from fisio_ayida.clinic.model import Connection
from fisio_ayida.clinic.on_events import Unusable
from fisio_ayida.insights.asking import ask
from fisio_ayida.warehouse.clinic import ClinicDoor

T = TypeVar("T")
Result = dict[str, Any]
#: The connection of the event's own transaction, the clinic's door, the event's data, now.
Handler = Callable[[Connection, ClinicDoor, Mapping[str, Any], dt.datetime], Result]

_OF_SESSION: Final = "select patient_id, organization_id from clinic.sessions where id = %s"
_OF_PATIENT: Final = "select organization_id from clinic.patients where id = %s and deleted_at is null"
_THEIRS: Final = """
select id from clinic.patients where id = any(%s) and organization_id = %s and deleted_at is null
"""


def completed(conn: Connection, door: ClinicDoor, data: Mapping[str, Any], now: dt.datetime) -> Result:
    """A session was completed: its patient's insights. The patient may be told by the session alone."""
    organization, patient = data.get("organizationId"), data.get("patientId")
    if not organization and door.tenant is not None:
        raise Unusable("organizationId is missing: row security hides the rows of all clinics")
    if not patient:
        session = data.get("sessionId")
        if not session:
            raise Unusable("patientId and sessionId are missing: nobody knows whose session it was")
        row = _one(conn, door, organization, _OF_SESSION, session)
        if row is None or row[0] is None or (organization and row[1] != organization):
            raise Unusable(f"sessionId={session!r} is no session of {_clinic(organization)}")
        patient, organization = row[0], organization or row[1]
    if not organization:
        row = _one(conn, door, None, _OF_PATIENT, patient)
        if row is None or row[0] is None:
            raise Unusable(f"patientId={patient!r} is no patient of any clinic")
        organization = row[0]
    return _asked(conn, door, organization, [patient], now)


def of_patient(conn: Connection, door: ClinicDoor, data: Mapping[str, Any], now: dt.datetime) -> Result:
    """Insights about one patient are wanted."""
    return _asked(conn, door, data["organizationId"], [data["patientId"]], now)


def of_patients(conn: Connection, door: ClinicDoor, data: Mapping[str, Any], now: dt.datetime) -> Result:
    """Insights about several patients of a clinic; who is none of them is listed."""
    return _asked(conn, door, data["organizationId"], data["patientIds"], now)


HANDLERS: Final[Mapping[str, Handler]] = {
    "session/completed": completed, "ai/patient.insights": of_patient, "ai/batch.insights": of_patients,
}  # fmt: skip


def _asked(
    conn: Connection, door: ClinicDoor, organization: str, patients: Sequence[str], now: dt.datetime
) -> Result:
    """An event that names somebody else's patient is not believed (D-39)."""
    named = list(dict.fromkeys(patients))

    def theirs(there: Connection) -> set[str]:
        return {id for (id,) in there.execute(_THEIRS, [named, organization])}

    known = _within(conn, door, organization, theirs)
    strangers = [each for each in named if each not in known]
    refused = [f"patientId={each!r} is no patient of {_clinic(organization)}" for each in strangers]
    if not known:
        others = f" (and {len(refused) - 1} others)" if len(refused) > 1 else ""
        raise Unusable(f"{refused[0]}{others}")
    asked = ask(conn, organization, [each for each in named if each in known], cause="event", now=now)
    return {"asked": asked, **({"refused": refused} if refused else {})}


def _one(conn: Connection, door: ClinicDoor, organization: str | None, query: LiteralString, id: str) -> Any:
    return _within(conn, door, organization or "", lambda there: there.execute(query, [id]).fetchone())


def _within(conn: Connection, door: ClinicDoor, organization: str, work: Callable[[Connection], T]) -> T:
    try:
        return door.within(conn, organization, work)
    except psycopg.DataError:
        if door.tenant is None:
            raise
        # Policies may cast what is named to a uuid. Tried again, it would be no other.
        raise Unusable(f"organizationId={organization!r} is no id of an organization") from None


def _clinic(organization: str | None) -> str:
    return f"organization {organization!r}" if organization else "any clinic"
