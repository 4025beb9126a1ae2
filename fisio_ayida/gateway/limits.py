"""How much the gateway takes, and how long it waits: every number of the door in one place.

Not here: the size of one event and how far ahead it may be scheduled, which hold for every door
(``events/admission.py``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The gateway's limits. Tests build smaller ones; nothing else does."""

    #: One request (Inngest takes as much), and the events in it.
    request_bytes: int = 3_670_016
    events: int = 5_000
    #: A request's first line and headers: how long they may take and be.
    head: dt.timedelta = dt.timedelta(seconds=10)
    head_bytes: int = 64 * 1024
    #: A request's whole body: 1 Mbit/s is enough for the longest one.
    body: dt.timedelta = dt.timedelta(seconds=30)
    #: What is left of a request that was answered before its end is read so long, so that the answer arrives.
    linger: dt.timedelta = dt.timedelta(seconds=1)
    #: An idle connection; longer than load balancers keep theirs (60 s), so that these are the ones to close.
    idle: dt.timedelta = dt.timedelta(seconds=75)
    #: The database's answer, the time in the queue included.
    database: dt.timedelta = dt.timedelta(seconds=10)
    #: A request as a whole, slow reading of the answer included.
    request: dt.timedelta = dt.timedelta(seconds=60)
    #: What waits to be written, and what is written in one transaction.
    queued_requests: int = 2_000
    queued_bytes: int = 64 * 1024 * 1024
    together_requests: int = 200
    together_events: int = 5_000
    #: What is under way when the gateway is told to end.
    goodbye: dt.timedelta = dt.timedelta(seconds=15)


#: When a sender that was told 503 may come again.
RETRY_AFTER = dt.timedelta(seconds=5)
