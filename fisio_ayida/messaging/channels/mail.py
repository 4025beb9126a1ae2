"""What an e-mail says about itself, through whatever provider: header fields, slugs, what is refused.

Here: pure functions. Not here: how a provider wants it written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from fisio_ayida.messaging.model import EmailContent, Envelope, Permanent

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]+")


def refused(envelope: Envelope, content: EmailContent) -> Permanent | None:
    """Why this can be no e-mail: a line break in a header smuggles in another header, another recipient."""
    for name, value in _header_like(envelope, content):
        if _CONTROL.search(value):
            # The value may be a name or an address.
            words = f"{name} holds a line break or another control character"
            return Permanent("control_character", words, called=False)
    if content.html is None and content.text is None:
        return Permanent("no_body", "the e-mail has neither html nor text", called=False)
    return None


def unsubscribing(content: EmailContent) -> Mapping[str, str]:
    """The header fields by which a mail program offers to unsubscribe with one click (RFC 8058)."""
    if content.unsubscribe_url is None:
        return {}
    return {
        "List-Unsubscribe": f"<{content.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def slug(text: str, longest: int) -> str:
    """The text in ASCII letters, digits, ``_`` and ``-``: accents fall off, runs of the rest become one ``_``."""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _UNFIT.sub("_", bare)[:longest].strip("_")


def _header_like(envelope: Envelope, content: EmailContent) -> Iterator[tuple[str, str]]:
    yield "to", envelope.to
    yield "subject", content.subject
    yield "sender", content.sender or ""
    yield "reply_to", content.reply_to or ""
    yield "unsubscribe_url", content.unsubscribe_url or ""
    for address in content.cc:
        yield "cc", address
    for attachment in content.attachments:
        yield "attachment's filename", attachment.filename
        yield "attachment's content_type", attachment.content_type or ""
