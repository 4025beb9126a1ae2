"""How calls ended, written down: many at once, and only by who still holds the messages.

A receipt that came before the answer has the last word. Not here: the calls, and when a way out is closed
(``circuits.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import psycopg

from fisio_ayida import telemetry
from fisio_ayida.messaging import devices, preferences
from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    ChannelDown,
    Envelope,
    Permanent,
    Result,
    Sender,
    Transient,
)
from fisio_ayida.messaging.tickets import FIRST_ASKED, Ticketed
from fisio_ayida.warehouse.clinic import ClinicDoor

#: When an unknown outcome is first looked up: the provider's own records are late (CONTRACT clinic §14.3).
FIRST_LOOK = dt.timedelta(seconds=90)
#: Between calls while a way out is down, if the provider has no wish.
CHANNEL_PAUSE = dt.timedelta(seconds=30)
#: After a failure of the message's own: so often, after pauses that double (CONTRACT clinic §14.6).
MOST_RETRIES = 3
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=2), dt.timedelta(seconds=60)

# A message that a receipt has moved on keeps its state, and learns its provider's id. One that a call may have
# sent stays in doubt, whatever later calls failed at. Only a batch that was refused is certain: had the first call
# been taken, the provider would have repeated its answer.
_RECORD = """
with c as (select * from unnest(
       %(id)s::bigint[], %(attempt)s::int[], %(state)s::text[], %(provider_id)s::text[], %(error_class)s::text[],
       %(error_code)s::text[], %(reason)s::text[], %(due_at)s::timestamptz[], %(failures)s::int[])
     as c (id, attempt, state, provider_id, error_class, error_code, reason, due_at, failures)),
known as (
  update messaging.messages m set provider_id = coalesce(m.provider_id, c.provider_id)
  from c where m.id = c.id and m.attempt = c.attempt and m.state <> 'claimed' and c.state = 'accepted'
    and m.provider_id is null)
update messaging.messages m set
  state = case when m.error_class = 'ambiguous' and c.error_class = 'transient' and c.state = 'failed'
               then 'unknown' else c.state end,
  lease_until = null, changed_at = %(now)s, due_at = coalesce(c.due_at, m.due_at),
  accepted_at = case when c.state = 'accepted' then %(now)s end,
  provider_id = coalesce(c.provider_id, m.provider_id), error_code = c.error_code,
  error_class = case when m.error_class = 'ambiguous' and c.error_class in ('transient', 'channel')
                       and c.error_code is distinct from 'batch_refused'
                     then m.error_class else c.error_class end,
  reason = c.reason, failures = m.failures + c.failures,
  batch_id = case when c.error_class = 'ambiguous'
                    or (m.error_class = 'ambiguous' and c.state = 'retry' and c.error_code <> 'batch_refused')
                  then m.batch_id end
from c where m.id = c.id and m.attempt = c.attempt and m.state = 'claimed' and m.run_id = %(run_id)s
returning m.id, m.state
"""
_FAILURES = "select id, failures from messaging.messages where id = any(%s)"
_ADDRESS = "select channel, address_hash, key from messaging.messages where id = %s"


@dataclass(frozen=True, slots=True)
class Ended:
    """One call and its result."""

    envelope: Envelope
    result: Result


@dataclass(frozen=True, slots=True)
class _Change:
    state: str
    provider_id: str | None = None
    error_class: str | None = None
    error_code: str | None = None
    reason: str | None = None
    due_at: dt.datetime | None = None
    failures: int = 0


def record(
    conn: psycopg.Connection[Any], ended: Sequence[Ended], sender: Sender, clinic: ClinicDoor, *,
    run_id: str, now: dt.datetime, jitter: float,
) -> dict[int, str]:  # fmt: skip
    """Write the results of calls in the connection's transaction; gives the states of those still ours."""
    if not ended:
        return {}
    failures = dict(conn.execute(_FAILURES, [[e.envelope.id for e in ended]]).fetchall())
    changes = [_change(e, sender, failures.get(e.envelope.id, 0), now, jitter) for e in ended]
    columns = ("state", "provider_id", "error_class", "error_code", "reason", "due_at", "failures")
    written = dict(
        conn.execute(
            _RECORD,
            {
                **{name: [getattr(change, name) for change in changes] for name in columns},
                "id": [e.envelope.id for e in ended], "attempt": [e.envelope.attempt for e in ended],
                "run_id": run_id, "now": now,
            },
        ).fetchall()
    )  # fmt: skip
    for e in ended:
        if isinstance(e.result, Permanent) and e.result.suppress:
            _suppress(conn, e.envelope, e.result, sender, clinic, now)
    return written


def _change(e: Ended, sender: Sender, failed: int, now: dt.datetime, jitter: float) -> _Change:
    match e.result:
        case Accepted(provider_id):
            asked_at = now + FIRST_ASKED if isinstance(sender, Ticketed) else None
            return _Change("accepted", provider_id, due_at=asked_at)
        case Permanent(code, reason):
            return _Change("failed", None, "permanent", code, telemetry.excerpt(reason))
        case ChannelDown(code, reason, after):
            due = now + (after or CHANNEL_PAUSE)
            return _Change("retry", None, "channel", code, telemetry.excerpt(reason), due)
        case Transient(code, reason, after, channel, is_rate):
            text = telemetry.excerpt(reason)
            if channel or is_rate or after is not None:
                # Not the message's fault: it waits as long as it is useful.
                if not after and (channel or is_rate):
                    after = CHANNEL_PAUSE if channel else _doubling(e.envelope.attempt)
                due = now + (after or dt.timedelta(0)) * (1 + jitter / 4)
                return _Change("retry", None, "channel" if channel else "transient", code, text, due)
            if failed >= MOST_RETRIES:
                return _Change("failed", None, "transient", code, f"{text} (failed {failed + 1} times)", None, 1)
            return _Change("retry", None, "transient", code, text, now + _pause(failed + 1, jitter), 1)
        case Ambiguous(code, reason, may_be_repeated):
            text = telemetry.excerpt(reason)
            if may_be_repeated and may_repeat(e.envelope.first_called_at or now, sender, now):
                due = now + _pause(e.envelope.attempt, jitter)
                return _Change("retry", None, "ambiguous", code, text, due)
            return _Change("unknown", None, "ambiguous", code, text, now + FIRST_LOOK)
        case never:
            assert_never(never)


def may_repeat(first_called_at: dt.datetime, sender: Sender, now: dt.datetime) -> bool:
    """Whether the provider itself will know a repeated call for the same message."""
    return sender.repeats_safely and now - first_called_at < sender.repeat_within


def _pause(times: int, jitter: float) -> dt.timedelta:
    return _doubling(times) * (1 + jitter / 4)


def _doubling(times: int) -> dt.timedelta:
    return min(FIRST_PAUSE * float(2 ** min(times - 1, 30)), LONGEST_PAUSE)


def _suppress(
    conn: psycopg.Connection[Any], envelope: Envelope, result: Permanent, sender: Sender, clinic: ClinicDoor,
    now: dt.datetime,
) -> None:  # fmt: skip
    row = conn.execute(_ADDRESS, [envelope.id]).fetchone()
    if row is None or row[1] is None or not result.suppress:
        return
    channel, address_hash, key = row
    expires_at = None if result.suppress_for is None else now + result.suppress_for
    preferences.suppress(
        conn, channel=channel, address_hash=address_hash, reason=result.suppress,
        evidence=f"{sender.provider}:{key}", at=now, expires_at=expires_at,
    )  # fmt: skip
    if result.suppress == devices.GONE:
        devices.give_up(conn, envelope.to, envelope.organization_id, clinic)
