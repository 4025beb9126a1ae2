"""Messages written straight into the outbox, in any state: for what only looks at them.

Here: one row. Not here: how messages come to be so (``lab.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from fisio_ayida_tests.messaging.lab import CLINIC, Lab

_ACCEPTED = ("accepted", "delivered", "read")


def put(lab: Lab, **columns: Any) -> int:
    """One message of a clinic by WhatsApp, planned unless ``state`` says otherwise; gives its id."""
    state, at = columns.get("state", "planned"), columns.get("changed_at", lab.moment)
    values: dict[str, Any] = {
        "key": f"test:{uuid.uuid4()}", "organization_id": CLINIC, "job": "test", "category": "care",
        "channel": "whatsapp", "heeds_quiet": False, "state": state, "due_at": at, "planned_at": at,
        "changed_at": at, "reason": None, "accepted_at": at if state in _ACCEPTED else None,
        "lease_until": at + dt.timedelta(minutes=2) if state == "claimed" else None,
    }  # fmt: skip
    values |= columns
    row = lab.conn.execute(
        f"insert into messaging.messages ({', '.join(values)}) "
        f"values ({', '.join(['%s'] * len(values))}) returning id",
        list(values.values()),
    ).fetchone()
    assert row is not None
    return int(row[0])
