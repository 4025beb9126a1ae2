"""Which message a report may speak of, by whom it went to: asked when it arrives, for this is never stored.

Here: our key of an e-mail, and unknown outcomes that a report may settle. Not here: storing and applying reports
(``receipts.py``), looking a message up (``unknowns.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg

from fisio_ayida.messaging.addresses import AddressError, canonical
from fisio_ayida.messaging.reports.reading import Report
from fisio_ayida.messaging.sealing import Hasher

# Others may send through the same account, with numbers of their own: the recipient must be ours, too.
_KEY_OF = """
select key from messaging.messages where id = %s and provider = %s and address_hash = any(%s)
"""
# The provider says that it has just sent something there: its records tell which of ours that was.
_LOOK_NOW = """
update messaging.messages m set due_at = %(now)s
from (select id from messaging.messages
      where state = 'unknown' and provider = %(provider)s and address_hash = any(%(hashes)s) and due_at > %(now)s
      order by id for update skip locked) found
where m.id = found.id
"""


def key(conn: psycopg.Connection[Any], report: Report, hasher: Hasher) -> str | None:
    """Our key of the message, if the provider hands back what leads to it."""
    if report.message_key is not None or report.message_id is None:
        return report.message_key
    row = conn.execute(_KEY_OF, [report.message_id, report.provider, list(_hashes(report, hasher))]).fetchone()
    return None if row is None else str(row[0])


def look_now(conn: psycopg.Connection[Any], report: Report, hasher: Hasher, *, now: dt.datetime) -> None:
    """Let unknown outcomes be looked up at once, if this report without our key may be of one of them."""
    if report.status is not None and report.message_id is None and report.recipients:
        hashes = list(_hashes(report, hasher))
        conn.execute(_LOOK_NOW, {"provider": report.provider, "hashes": hashes, "now": now})


def _hashes(report: Report, hasher: Hasher) -> Iterator[bytes]:
    for recipient in report.recipients:
        try:
            if "@" in recipient:
                yield hasher.address("email", canonical("email", recipient))
            else:
                yield hasher.address("whatsapp", canonical("whatsapp", f"+{recipient}"))
        except AddressError:
            continue
