"""The canary: an event whose only effect is an echo, to prove the whole way from the door to the effect.

Not here: sending one (``fisio-ayida events send fisio_ayida/canary --wait 60``).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from fisio_ayida.events.work import Result, Taken

NAME = "fisio_ayida/canary"


def echo(conn: psycopg.Connection[Any], event: Taken, now: dt.datetime, run_id: str | None) -> Result:
    """Leave the echo; the result says how long the event was under way, in seconds."""
    conn.execute("insert into events.echoes (event_id, run_id, at) values (%s, %s, %s)", [event.id, run_id, now])
    return {"seconds": round((now - event.received_at).total_seconds(), 3)}
