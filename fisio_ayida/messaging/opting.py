"""Opting out and in by a word: to which clinics it is said, and for which addresses.

Not here: understanding the word (``intents.py``) and answering it (``replies.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Final

import psycopg

from fisio_ayida.messaging import preferences

_SOURCE: Final = "reply"
# Whoever writes to these addresses from the number that was answered.
_WRITERS = """
select distinct organization_id from messaging.messages
where address_hash = any(%s) and channel = 'whatsapp' and account = %s and claimed_at is not null
"""
# Clinics to which these addresses, or patients to whom they belong, have said no.
_REFUSED = """
select organization_id from (
  select distinct on (organization_id) organization_id, allowed from messaging.preferences
  where channel = 'whatsapp' and category = 'all'
    and (address_hash = any(%(hashes)s) or patient_id in (
      select patient_id from messaging.messages where address_hash = any(%(hashes)s) and patient_id is not null))
  order by organization_id, at desc, id desc) last
where not allowed
"""


def opt_out(
    conn: psycopg.Connection[Any], hashes: Collection[bytes], account: str, clinic: str | None, *,
    evidence: str, at: dt.datetime,
) -> None:  # fmt: skip
    """No more automatic WhatsApp messages to these addresses from any clinic that writes from this account.

    Args:
        clinic: the one whose message was answered; None if there is none. Said to nobody, it is said to all.
    """
    clinics = {found for (found,) in conn.execute(_WRITERS, [list(hashes), account])} | {clinic or ""}
    _record(conn, clinics - {""} or {""}, hashes, allowed=False, evidence=evidence, at=at)


def opt_in(conn: psycopg.Connection[Any], hashes: Collection[bytes], *, evidence: str, at: dt.datetime) -> bool:
    """Take a no back, wherever it was said; False if there is none, and then nothing is allowed by this word."""
    clinics = {found for (found,) in conn.execute(_REFUSED, {"hashes": list(hashes)})}
    _record(conn, clinics, hashes, allowed=True, evidence=evidence, at=at)
    return bool(clinics)


def _record(
    conn: psycopg.Connection[Any], clinics: set[str], hashes: Collection[bytes], *,
    allowed: bool, evidence: str, at: dt.datetime,
) -> None:  # fmt: skip
    for clinic in sorted(clinics):
        for digest in hashes:
            preferences.record(
                conn, organization_id=clinic, channel="whatsapp", category="all", allowed=allowed, source=_SOURCE,
                evidence=evidence, at=at, address_hash=digest,
            )  # fmt: skip
