"""Whether events are worked on: when the sensor was last seen, and how long the longest-due one has waited.

Not here: what to make of it (``gateway/readiness.py``, the asset checks).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from fisio_ayida.events.desk import oldest_due
from fisio_ayida.events.dispatch import BEAT


@dataclass(frozen=True, slots=True)
class Pulse:
    """The sensor's last sign of life, and since when the event that waits longest could have been handled."""

    beat_at: dt.datetime | None
    oldest_due_at: dt.datetime | None


def pulse(conn: psycopg.Connection[Any], now: dt.datetime) -> Pulse:
    """The pulse at this moment."""
    beat = conn.execute("select at from events.beats where name = %s", [BEAT]).fetchone()
    oldest = oldest_due(conn, now)
    return Pulse(beat[0] if beat else None, oldest.due_at if oldest else None)
