"""What Evolution's answer means for the message and for the instance (CONTRACT clinic §6.1, §6.2, §14.3).

Here: a pure function. The one question is whether the message can have left: then it is ambiguous, whatever the
status says. Not here: the call.
"""

from __future__ import annotations

from typing import Any, Final

from fisio_ayida.messaging.channels.calling import Answer, wished_pause
from fisio_ayida.messaging.channels.meta_codes import NOT_ON_WHATSAPP, SUPPRESSED_FOR, rejected
from fisio_ayida.messaging.model import Accepted, Ambiguous, ChannelDown, Permanent, Result, Transient
from fisio_ayida.telemetry import excerpt

# The checks that stand before the send and answer with one text, as its failures do.
_REFUSED_BEFORE: Final = (
    "Text is required",
    "Owned media must be a url or base64",
    "For base64 the file name must be informed.",
)
_NO_TEMPLATES: Final = "Method not available"
_SOCKET_GONE: Final = "Connection Closed"
_LONGEST_REASON: Final = 200


def result(answer: Answer, *, media: bool = False) -> Result:
    """What became of the message. ``media``: Evolution had to fetch a file for it."""
    match answer.status:
        case 201:
            return _created(answer)
        case 400:
            return _refused(answer)
        case 401 | 403:
            return ChannelDown("evolution_key", f"Evolution does not accept the key (HTTP {answer.status})")
        case 404:
            return ChannelDown("evolution_unknown", "Evolution knows no such instance, or is not at this address")
        case 413:
            return Permanent("evolution_too_large", "the message is too large")
        case 429:
            return Transient("http_429", "too many calls", wished_pause(answer), is_rate=True)
        case 500 if answer.field("response") is not None:
            return _failed_before(answer, media)
        case status if 300 <= status < 400:
            return ChannelDown("evolution_moved", f"is EVOLUTION_BASE_URL right? It redirects (HTTP {status})")
        case status:
            # A proxy's answer: it does not know what became of what it had passed on.
            return Ambiguous(f"http_{status}", f"HTTP {status} says nothing of the message")


def _created(answer: Answer) -> Result:
    id = answer.text("key", "id")
    if id:
        return Accepted(id)
    code = answer.field("code")
    if isinstance(code, int) and not isinstance(code, bool):
        # The Cloud kind hands Meta's refusal on as a success.
        return rejected(code, after=wished_pause(answer))
    return Ambiguous("evolution_no_id", "HTTP 201 without a message id and without Meta's reason")


def _refused(answer: Answer) -> Result:
    message = answer.field("response", "message")
    first = message[0] if isinstance(message, list) and message else None
    if isinstance(first, dict) and first.get("exists") is False:
        return Permanent(NOT_ON_WHATSAPP, "the number is not on WhatsApp", NOT_ON_WHATSAPP, SUPPRESSED_FOR)
    # What its schema refuses is a list in a list; both mean that we wrote it wrongly.
    if isinstance(first, list) or (isinstance(first, str) and first in _REFUSED_BEFORE):
        return Permanent("evolution_schema", f"Evolution refuses the form of the message: {_words(message)}")
    # Storing and webhooks come after the send in the same guarded block: the message may be on the phone.
    return Ambiguous("evolution_exception", f"Evolution failed while sending: {_words(message)}")


def _failed_before(answer: Answer, media: bool) -> Result:
    message = answer.field("response", "message")
    words = _words(message)
    if _NO_TEMPLATES in words:
        return Permanent("evolution_no_templates", "the instance is a phone's own session: it has no templates")
    # Fetching a file fails in the same way; that is no fault of the instance.
    return Transient(
        "evolution_500", f"Evolution failed before sending: {words}", channel=not media or _SOCKET_GONE in words
    )


def _words(message: Any) -> str:
    """The text of an error, however deep it is packed."""
    while isinstance(message, list) and message:
        message = message[0]
    return excerpt(message, _LONGEST_REASON) if isinstance(message, str) and message else "without a word of why"
