"""What FisioFlow's old jobs sent, so that the first runs that send do not repeat it (CONTRACT clinic §5).

Here: reading the optional relation ``clinic.old_messages``. Not here: how long each kind of message counts (the
jobs), and comparing shadow mode with it (``compared.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from fisio_ayida.clinic.model import Connection, Order

#: Why a message is withheld that FisioFlow sent.
WHY: Final = ("duplicate", "FisioFlow sent it")

_READ: Final = """
select patient_id, appointment_id, sent_at from clinic.old_messages
where kind = %(job)s and sent_at >= %(since)s and organization_id = any(%(organizations)s)
  and (appointment_id = any(%(visits)s) or patient_id = any(%(patients)s))
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that FisioFlow sent."""

    patient_id: str | None
    appointment_id: str | None
    sent_at: dt.datetime


def sent_by_fisioflow(
    there: Connection, job: str, rows: Sequence[Any], order: Order, *, since: dt.datetime
) -> list[Sent]:
    """What it sent about these visits, or to their patients, since then.

    Nothing in shadow mode, in which both send side by side, nor where there is no such relation.

    Args:
        there: where the clinics' rows are visible.
        rows: visits, with ``id``, ``organization_id`` and ``patient_id``.
    """
    if order.is_shadow or not rows:
        return []
    values = {
        "job": job, "since": since, "organizations": sorted({row.organization_id for row in rows}),
        "visits": sorted({row.id for row in rows}), "patients": sorted({row.patient_id for row in rows}),
    }  # fmt: skip
    try:
        # A failed statement must not spoil the transaction around it.
        with there.transaction(), there.cursor(row_factory=class_row(Sent)) as cur:
            return cur.execute(_READ, values).fetchall()
    except psycopg.errors.UndefinedTable:
        return []
