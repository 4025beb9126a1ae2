"""What Resend's answer to an e-mail means for the message and for the account (CONTRACT clinic §7.3).

Here: a pure function of the answer and the time. Not here: the call.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from fisio_ayida.messaging.channels.calling import Answer, wished_pause
from fisio_ayida.messaging.model import Accepted, Ambiguous, ChannelDown, Permanent, Result, Transient
from fisio_ayida.telemetry import excerpt

_QUOTAS: Final = ("daily_quota_exceeded", "monthly_quota_exceeded")
_OTHER_BODY: Final = "invalid_idempotent_request"
_LONGEST_REASON: Final = 300
#: Of a batch that was refused as a whole nothing was sent: each message goes alone, and the bad one tells.
ALONE: Final = Transient("batch_refused", "its batch was refused: another of its messages is bad", dt.timedelta(0))
# Nobody is told when the month of a plan ends: look again every day.
_MONTHLY_LOOK: Final = dt.timedelta(days=1)


def result(answer: Answer, now: dt.datetime, *, is_own_sender: bool = False) -> Result:
    """What became of the message. The class follows from the error's name first, then from the status.

    Args:
        is_own_sender: the content named a sender of its own, not the account's.
    """
    if answer.status in (200, 201):
        id = answer.text("id")
        # The same key gives the same id: asking again is the way to it.
        return Accepted(id) if id else Ambiguous("no_id", "the answer to an accepted e-mail has no id")
    name = answer.text("name") or f"http_{answer.status}"
    reason = _reason(answer)
    match answer.status:
        case 403 if name == "validation_error" and is_own_sender:
            # The domain that this message speaks for is not verified; the account's own may well be.
            return Permanent(name, reason)
        case 401 | 403:
            # Whether the key, the domain or the test mode: it is the account, not the message.
            return ChannelDown(name, reason)
        case 404 | 405:
            # Not Resend's address: every other message would fail of it too.
            return ChannelDown(name, f"is RESEND_BASE_URL right? {reason}")
        case 409 if name == "concurrent_idempotent_requests":
            return Transient(name, reason, after=wished_pause(answer), is_rate=True)
        case 409 if name == _OTHER_BODY:
            # An earlier call under this key was taken, with other bytes: nobody knows what was in it.
            return Ambiguous(name, reason, may_repeat=False)
        case 429 if name in _QUOTAS:
            return ChannelDown(name, reason, after=_until_reset(name, now))
        case 429:
            return Transient(name, reason, after=wished_pause(answer), is_rate=True)
        case 408:
            return Ambiguous(name, reason)
        case status if 400 <= status < 500:
            return Permanent(name, reason)
        case _:
            return Ambiguous(name, reason)


def batch_results(answer: Answer, size: int, now: dt.datetime, *, is_own_sender: bool = False) -> list[Result]:
    """What became of each message of a batch. ``is_own_sender``: that of one of them."""
    if answer.status in (200, 201):
        ids = [answer.text("data", place, "id") for place in range(size)]
        if all(ids) and len(answer.field("data") or ()) == size:
            return [Accepted(id) for id in ids]
        return [Ambiguous("no_id", "the answer to an accepted batch does not have an id for each e-mail")] * size
    whole = result(answer, now, is_own_sender=is_own_sender)
    return [ALONE if isinstance(whole, Permanent) else whole] * size


def _reason(answer: Answer) -> str:
    said = answer.text("message")
    # A page instead of JSON is a proxy's: its text explains nothing.
    return excerpt(said, _LONGEST_REASON) if said else f"HTTP {answer.status} without a word of why"


def _until_reset(name: str, now: dt.datetime) -> dt.timedelta:
    if name == "monthly_quota_exceeded":
        return _MONTHLY_LOOK
    today = now.astimezone(dt.UTC)
    midnight = (today + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - today
