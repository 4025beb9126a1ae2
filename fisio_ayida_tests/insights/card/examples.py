"""A made-up patient in the third month of treatment, and how little there may be of another one."""

from __future__ import annotations

import datetime as dt

from fisio_ayida.insights.model import Item, Record, Session, StatusClass, Visit

TODAY = dt.date(2026, 3, 12)
PATIENT, CLINIC = "patient-1", "org-1"
_PAIN = (8, 7, 8, None, 7, 6, 6, 5, 6, 4, 5, 3, 4, 3)
_ABSENT = (3, 11)
_CANCELLED = (6,)
_EVERY = dt.timedelta(days=5)


def record(**changes: object) -> Record:
    """Fourteen sessions, pain going down, visits of all kinds."""
    visits, sessions = [], []
    days = [TODAY - dt.timedelta(days=2) - _EVERY * place for place in range(17)][::-1]
    pains = iter(_PAIN)
    for place, day in enumerate(days):
        status: StatusClass = "absent" if place in _ABSENT else "cancelled" if place in _CANCELLED else "done"
        visits.append(Visit(id=f"visit-{place}", day=day, status=status))
        if status == "done":
            sessions.append(session(f"session-{place}", day, next(pains)))
    visits.append(Visit(id="visit-next", day=TODAY + dt.timedelta(days=3), status="upcoming"))
    given = {"organization_id": CLINIC, "patient_id": PATIENT, "today": TODAY, "age": 47, "sex": "F"}
    return Record(**(given | {"visits": tuple(visits), "sessions": tuple(sessions)} | changes))  # type: ignore[arg-type]


def session(id: str, day: dt.date, pain: int | None) -> Session:
    """A finalized session of a day."""
    at = dt.datetime.combine(day, dt.time(18), dt.UTC)
    return Session(id=id, day=day, finalized_at=at, pain=pain, note="Refere melhora ao subir escadas.")


def narrative(*citations: str, text: str = "A dor diminuiu ao longo das sessões.") -> Item:
    """What a model may have written."""
    return Item(source="narrative", type="progress_summary", text=text, citations=citations)
