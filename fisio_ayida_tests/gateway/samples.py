"""A valid event of every kind of the registry, as an app would send it: for both SDKs and the page of the API.

Also a command: ``python -m fisio_ayida_tests.gateway.samples`` prints them as JSON, for Node.
"""

from __future__ import annotations

import json
from typing import Any

from fisio_ayida.events.registry import EVENTS

_TRACE = {"runId": "3b1f2c8e-0d5a-4e6f-9a7b-1c2d3e4f5a6b", "timestamp": "2026-11-22T09:00:00.000Z"}
_CLINIC = {"organizationId": "org-1", "patientId": "patient-1"}
_APPOINTMENT = {**_CLINIC, "appointmentId": "appointment-1", "startsAt": "2026-12-01T10:00:00-03:00"}
_MESSAGE = {"to": "someone@example.org", "subject": "Olá", "body": "Sua consulta foi agendada"}
_NOTIFICATION = {"userId": "user-1", "type": "email", "priority": "high", "data": _MESSAGE}
_EMAIL = {"to": ["someone@example.org"], "subject": "Olá", "html": "<p>Olá</p>", "tags": {"kind": "test"}}
_WHATSAPP = {"to": "5511987654321", "message": "Olá", "type": "text"}
_RECORD = {"id": "appointment-1", "organization_id": "org-1", "status": "confirmed"}

#: Where the kind says too little about the payload; by name or by the part before the slash.
_DATA: dict[str, dict[str, Any]] = {
    "convocatorias/sync.requested": {**_TRACE, "dateFrom": "2026-11-01", "dateTo": "2026-11-02"},
    "convocatorias/detail.requested": {**_TRACE, "bdns": "123456"},
    "documents/storage.requested": {**_TRACE, "bdns": "123456", "documentId": "doc-789"},
    "cron/daily.cleanup": {"timestamp": _TRACE["timestamp"], "cleanupType": "tokens"},
    "cron": {"timestamp": _TRACE["timestamp"]},
    "notification/send": {**_NOTIFICATION, "organizationId": "org-1"},
    "notification/send-batch": {"organizationId": "org-1", "notifications": [_NOTIFICATION]},
    "email/daily.report": {"organizationId": "org-1", "date": "2026-03-12"},
    "email/send": _EMAIL,
    "email/send-batch": {"emails": [_EMAIL, _EMAIL]},
    "whatsapp/send": _WHATSAPP,
    "whatsapp/send-batch": {"messages": [_WHATSAPP]},
    "ai/batch.insights": {"organizationId": "org-1", "patientIds": ["patient-1", "patient-2"]},
    "appointment/updated": {"record": _RECORD, "old_record": {**_RECORD, "status": "scheduled"}},
    "appointment": _APPOINTMENT,
    "email": {"to": "someone@example.org", "name": "Ana Conceição"},
    "whatsapp": {"to": "5511987654321", "name": "Ana Conceição"},
    "push": {"userIds": ["user-1"], "title": "Olá", "body": "Sua consulta é amanhã"},
    "fisio_ayida": {"note": "canary"},
}


def sample(name: str) -> dict[str, Any]:
    """The event of this name."""
    group = name.partition("/")[0]
    usual = _TRACE if name.endswith("/sync.requested") else _CLINIC
    return {"name": name, "data": _DATA.get(name) or _DATA.get(group) or usual}


def samples() -> list[dict[str, Any]]:
    """One of each name and of each alias."""
    return [sample(row.name) | {"name": name} for row in EVENTS.values() for name in (row.name, *row.aliases)]


if __name__ == "__main__":
    print(json.dumps(samples()))
