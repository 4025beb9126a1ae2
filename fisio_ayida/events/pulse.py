"""Whether events are worked on: when the sensor was last seen, and how long the longest-due one has waited.

Not here: what to make of it (``gateway/readiness.py``, the asset checks).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from fisio_ayida.events.dispatch import BEAT
from fisio_ayida.events.registry import ROWS

# What came through SQL and nobody has looked at may be of a kind that has work.
PULSE = """
select (select at from events.beats where name = %(beat)s),
       least((select min(due_at) from events.inbox
              where name = any(%(names)s) and state in ('received', 'retry') and admitted and due_at <= %(now)s),
             (select min(due_at) from events.inbox where admitted is null))
"""


@dataclass(frozen=True, slots=True)
class Pulse:
    """The sensor's last sign of life, and since when the event that waits longest could have been handled."""

    beat_at: dt.datetime | None
    oldest_due_at: dt.datetime | None


def pulse(conn: psycopg.Connection[Any], now: dt.datetime) -> Pulse:
    """The pulse at this moment; events whose handler does not exist yet do not count as waiting."""
    names = [row.name for row in ROWS if row.work is not None]
    row = conn.execute(PULSE, {"beat": BEAT, "names": names, "now": now}).fetchone()
    return Pulse(*row) if row else Pulse(None, None)
