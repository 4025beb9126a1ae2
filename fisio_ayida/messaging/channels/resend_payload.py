"""An e-mail as Resend wants it: the same envelope gives the same bytes, for ever (CONTRACT clinic §7.1, §7.2).

Here: the body and the key of one call. Not here: the call.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import msgspec

from fisio_ayida.messaging import keys
from fisio_ayida.messaging.channels.mail import refused, slug, unsubscribing
from fisio_ayida.messaging.model import EmailContent, Envelope, Permanent

#: The tag by which a webhook and a look-up find the message again.
MESSAGE_TAG: Final = "message"
# CONTRACT clinic §7.1: the whole message after encoding.
LARGEST_BYTES: Final = 40_000_000
_LONGEST_TAG: Final = 256
_FIT_KEY: Final = re.compile(r"[!-~]{1,256}")


def payload(envelope: Envelope, content: EmailContent, sender: str) -> bytes | Permanent:
    """The body of ``POST /emails``, or why there is none.

    Args:
        sender: for content that names none.
    """
    if (refusal := refused(envelope, content)) is not None:
        return refusal
    # Nothing of an attempt may be in here: a repeat with other bytes is refused by the provider.
    body: dict[str, Any] = {
        "from": content.sender or sender,
        "to": [envelope.to],
        "subject": content.subject,
        "html": content.html,
        "text": content.text,
        "cc": list(content.cc),
        "reply_to": content.reply_to,
        "headers": dict(unsubscribing(content)),
        "attachments": [
            {"filename": each.filename, "content": each.content, "content_type": each.content_type}
            if each.content_type
            else {"filename": each.filename, "content": each.content}
            for each in content.attachments
        ],
        "tags": [{"name": name, "value": value} for name, value in _tags(envelope, content).items()],
    }
    try:
        written = msgspec.json.encode({name: value for name, value in body.items() if value not in (None, [], {})})
    except UnicodeEncodeError:
        return Permanent("unfit_text", "a text holds half a character (a lone surrogate)", called=False)
    if len(written) > LARGEST_BYTES:
        words = f"{len(written)} bytes with attachments; {LARGEST_BYTES} are allowed"
        return Permanent("too_big", words, called=False)
    return written


def tag(envelope: Envelope) -> str:
    """What the webhook brings back: the message's number, and its generation if it was tried again."""
    _, generation = keys.of_message(envelope.key)
    return f"{envelope.id}-{generation}" if generation else str(envelope.id)


def idempotency_key(key: str) -> str:
    """The key as a header may carry it: itself, or its digest where an app's id holds other than plain ASCII."""
    return key if _FIT_KEY.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()


def _tags(envelope: Envelope, content: EmailContent) -> dict[str, str]:
    """By name, so that the order in which a caller wrote them changes nothing."""
    tags: dict[str, str] = {}
    for name, value in sorted(content.tags.items()):
        fit_name, fit_value = slug(name, _LONGEST_TAG), slug(value, _LONGEST_TAG)
        if fit_name and fit_value:
            tags.setdefault(fit_name, fit_value)
    # Ours last, and nobody else's: what finds the message again must be true.
    tags.pop(MESSAGE_TAG, None)
    return {**tags, MESSAGE_TAG: tag(envelope)}
