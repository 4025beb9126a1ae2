"""What a person does to single messages, and what is said of each: tried again, stopped, or why not.

Not here: which messages are meant (``desk.py``), and the statements themselves (``outbox.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from fisio_ayida.messaging import outbox

Connection = psycopg.Connection[Any]

#: The states in which either can do something.
RETRIABLE: Final = ("failed", "skipped", "expired", "deferred", "retry", "unknown")
CANCELLABLE: Final = ("planned", "deferred", "retry")

_RETRIED: Final[Mapping[str, str]] = {
    "planned": "planned again: all rules are asked, and it goes if they let it",
    "deferred": "due now: the rules are asked again",
    "retry": "due now",
    "unknown": "asked about once more where the provider keeps records; it is not sent again",
}
_NOW = "select id, coalesce(template, job), channel, state from messaging.messages where id = any(%s) order by id"
_SENT: Final = "sending it again would be a second message"
_NOT_RETRIED: Final[Mapping[str, str]] = {
    "planned": "it has not been tried yet",
    "claimed": "it is being sent right now",
    "accepted": _SENT,
    "delivered": _SENT,
    "read": _SENT,
}
_CANCELLED: Final[Mapping[str, str]] = {
    "skipped": "stopped: it will not be sent",
    "unknown": "stopped; an earlier call may have sent it",
}
_NOT_CANCELLED: Final[Mapping[str, str]] = {
    "claimed": "it is being sent right now and cannot be stopped",
    "accepted": "what was sent cannot be stopped",
    "delivered": "what was sent cannot be stopped",
    "read": "what was sent cannot be stopped",
    "unknown": "it may have been sent; it is never sent again by itself",
    "failed": "it will not be sent anyway",
    "skipped": "it will not be sent anyway",
    "expired": "it will not be sent anyway",
}


@dataclass(frozen=True, slots=True)
class Act:
    """What was done to one message. ``state``: the one that it is in afterwards."""

    id: int
    what: str
    channel: str
    state: str
    is_done: bool
    words: str


def retry(conn: Connection, ids: Sequence[int], *, now: dt.datetime) -> list[Act]:
    """Let messages be tried again; says of each what follows, or why nothing does."""
    done = outbox.retry(conn, ids, now=now)
    return _acts(conn, ids, done, _RETRIED, _NOT_RETRIED)


def cancel(conn: Connection, ids: Sequence[int], *, who: str, now: dt.datetime) -> list[Act]:
    """Stop messages that were not handed over yet; says of each whether that was still possible."""
    done = outbox.cancel(conn, ids, who=who, now=now)
    return _acts(conn, ids, done, _CANCELLED, _NOT_CANCELLED)


def _acts(
    conn: Connection, ids: Sequence[int], done: Mapping[int, str], words: Mapping[str, str], why: Mapping[str, str]
) -> list[Act]:
    return [
        Act(id, what, channel, done[id], True, words[done[id]])
        if id in done
        else Act(id, what, channel, state, False, why.get(state, "somebody else was faster"))
        for id, what, channel, state in conn.execute(_NOW, [list(ids)])
    ]
