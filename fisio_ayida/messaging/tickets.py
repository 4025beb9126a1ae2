"""Receipts that must be fetched: Expo gives a ticket for a push message, and tells later what became of it.

Here: which tickets to ask about, and their receipts as reports like any other. Not here: the call (the channel's),
and what a report does (``receipts.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import psycopg

from fisio_ayida.messaging.channels.expo import DELIVERED
from fisio_ayida.messaging.model import Sender
from fisio_ayida.messaging.reports.reading import Report

#: Receipts appear within half an hour and are kept for a day (CONTRACT clinic §8).
FIRST_ASKED, AGAIN, LAST_ASKED = dt.timedelta(minutes=15), dt.timedelta(minutes=30), dt.timedelta(hours=23)
DEVICE_GONE = "DeviceNotRegistered"

# Asked for in turns by whoever comes first: the next time is set in the same statement.
_TAKE = """
update messaging.messages m
set due_at = case when m.accepted_at > %(now)s - %(last)s then %(now)s + %(again)s else 'infinity' end
from (select id from messaging.messages
      where state = 'accepted' and provider = 'expo' and due_at <= %(now)s
      order by due_at limit %(most)s for update skip locked) asked
where m.id = asked.id
returning m.provider_id
"""


@runtime_checkable
class Ticketed(Protocol):
    """A sender that is asked for its receipts."""

    async def receipts(self, ids: Sequence[str]) -> Mapping[str, str]:
        """What became of these tickets, as far as it is known."""
        ...


def take(conn: psycopg.Connection[Any], *, now: dt.datetime, most: int) -> list[str]:
    """Tickets to ask about now."""
    found = conn.execute(_TAKE, {"now": now, "most": most, "again": AGAIN, "last": LAST_ASKED})
    return [ticket for (ticket,) in found]


def reports(sender: Sender, found: Mapping[str, str]) -> list[Report]:
    """The receipts as reports."""
    return [
        Report(
            provider=sender.provider, event_id=f"receipt:{ticket}", kind="receipt", body={"receipt": outcome},
            status="delivered" if outcome == DELIVERED else "failed", provider_id=ticket,
            error_code=None if outcome == DELIVERED else outcome,
            suppress="device_not_registered" if outcome == DEVICE_GONE else None,
        )
        for ticket, outcome in found.items()
    ]  # fmt: skip
