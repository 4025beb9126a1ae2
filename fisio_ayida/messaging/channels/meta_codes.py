"""What Meta's error codes mean for a message and for the account (CONTRACT clinic §6.6, §14.3).

Here: one table for both ways to Meta, its own API and an Evolution instance of the Cloud kind. Not here: HTTP.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from fisio_ayida.messaging.model import Ambiguous, ChannelDown, Permanent, Result, Transient

#: A number that is not on WhatsApp today may be tomorrow.
NOT_ON_WHATSAPP: Final = "not_on_whatsapp"
SUPPRESSED_FOR: Final = dt.timedelta(days=7)

_UNDELIVERABLE: Final = 131026
_STOPPED_MARKETING: Final = 131050
_PERMANENT: Final = {
    131047: "the window of 24 hours is closed: only a template may be sent",
    _UNDELIVERABLE: "the number cannot receive this message",
    131049: "withheld by Meta's limit on marketing",
    _STOPPED_MARKETING: "the person stopped marketing messages",
    132000: "the template has another number of variables",
    132001: "there is no such template in this language",
    132015: "the template is paused",
}
# The second word: whether the limit is the way's (the account's pace) or only this person's.
_LATER: Final = {
    4: ("too many calls of this app", True),
    80007: ("too many calls of this account", True),
    130429: ("too many messages at once", True),
    131048: ("held back because messages were reported as spam", True),
    131056: ("too many messages to the same person", False),
}
_CHANNEL: Final = {
    0: "the access token is not accepted",
    3: "the access token may not do this",
    10: "the access token may not do this",
    190: "the access token is not valid any more",
    368: "the account is blocked for breaking Meta's policy",
    131005: "the access token may not do this",
    131031: "the account is locked",
    131042: "the account's payment is not in order",
    133010: "the phone number is not registered",
}
# Meta's own faults: it does not say how far it came.
_THEIRS: Final = frozenset({1, 2, 131000, 131016})


def rejected(code: int, *, after: dt.timedelta | None = None) -> Result:
    """What became of a message to which Meta answered with this error.

    A code that is not known here is still a refusal: an error object comes in place of a message id.
    """
    name = f"meta_{code}"
    if code in _LATER:
        words, channel = _LATER[code]
        return Transient(name, words, after, channel, is_rate=True)
    if code in _CHANNEL:
        return ChannelDown(name, _CHANNEL[code], after)
    if code in _THEIRS:
        return Ambiguous(name, "Meta failed and does not say how far it came")
    if code == _UNDELIVERABLE:
        return Permanent(name, _PERMANENT[code], NOT_ON_WHATSAPP, SUPPRESSED_FOR)
    return Permanent(name, _PERMANENT.get(code, "Meta refuses the message"))
