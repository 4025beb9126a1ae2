"""What people allowed and forbade, and addresses to which nothing goes.

Here: writing messaging.preferences and messaging.suppressions. Not here: what follows from them (rules.py), the
words by which people say it, hashes of addresses (sealing.py).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import psycopg

from fisio_ayida.messaging.model import CHANNELS, MessagingError

#: What a preference can be about; ``all``: everything on the channel.
CATEGORIES: Final = ("all", "transactional", "care", "marketing")
_HASH_BYTES: Final = 32


def record(
    conn: psycopg.Connection[Any],
    *,
    organization_id: str,
    channel: str,
    category: str,
    allowed: bool,
    source: str,
    evidence: str,
    at: dt.datetime,
    patient_id: str | None = None,
    address_hash: bytes | None = None,
) -> int:
    """Keep one word of a person, who is a patient or an address. Nothing is overwritten: the latest word counts.

    Args:
        organization_id: the clinic that it is said to; empty: all of them.
        source: how it was said (reply, unsubscribe, form).
        evidence: the id of what proves it.

    Returns:
        The row's id.

    Raises:
        MessagingError: a value that cannot be.
    """
    _one_of("channel", channel, CHANNELS)
    _one_of("category", category, CATEGORIES)
    _filled("source", source)
    _filled("evidence", evidence)
    _instant("at", at)
    if (patient_id is None) == (address_hash is None):
        raise MessagingError("patient_id and address_hash: expected exactly one of them")
    if patient_id is not None:
        _filled("patient_id", patient_id)
    if address_hash is not None:
        _hash(address_hash)
    row = conn.execute(
        """
        insert into messaging.preferences
          (organization_id, patient_id, channel, address_hash, category, allowed, source, evidence, at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        returning id
        """,
        [organization_id, patient_id, channel, address_hash, category, allowed, source, evidence, at],
    ).fetchone()
    assert row is not None  # noqa: S101  an insert returns its row
    return int(row[0])


def suppress(
    conn: psycopg.Connection[Any],
    *,
    channel: str,
    address_hash: bytes,
    reason: str,
    evidence: str,
    at: dt.datetime,
    expires_at: dt.datetime | None = None,
) -> None:
    """Nothing goes to this address any more, or not until ``expires_at``. Of two the longer one holds.

    Raises:
        MessagingError: a value that cannot be.
    """
    _one_of("channel", channel, CHANNELS)
    _hash(address_hash)
    _filled("reason", reason)
    _filled("evidence", evidence)
    _instant("at", at)
    if expires_at is not None:
        _instant("expires_at", expires_at)
        if expires_at <= at:
            raise MessagingError(f"expires_at={expires_at.isoformat()} must be after at={at.isoformat()}")
    conn.execute(
        """
        insert into messaging.suppressions as known (channel, address_hash, reason, evidence, at, expires_at)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (channel, address_hash) do update
          set reason = excluded.reason, evidence = excluded.evidence, at = excluded.at,
              expires_at = excluded.expires_at
          where coalesce(excluded.expires_at, 'infinity') > coalesce(known.expires_at, 'infinity')
        """,
        [channel, address_hash, reason, evidence, at, expires_at],
    )


def lift(conn: psycopg.Connection[Any], *, channel: str, address_hash: bytes) -> bool:
    """The address works again (its owner wrote to us, an operator knows); false if it was not suppressed."""
    _one_of("channel", channel, CHANNELS)
    _hash(address_hash)
    done = conn.execute(
        "delete from messaging.suppressions where channel = %s and address_hash = %s", [channel, address_hash]
    )
    return done.rowcount > 0


def _one_of(field: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise MessagingError(f"{field}={value!r} is not one of {', '.join(known)}")


def _filled(field: str, value: str) -> None:
    if not value.strip():
        raise MessagingError(f"{field}={value!r} must not be empty")


def _instant(field: str, value: dt.datetime) -> None:
    if value.tzinfo is None:
        raise MessagingError(f"{field}={value.isoformat()} must have a time zone")


def _hash(value: bytes) -> None:
    if len(value) != _HASH_BYTES:
        raise MessagingError(
            f"address_hash has {len(value)} bytes, expected {_HASH_BYTES}: hash the address first"
        )
