"""What Resend refuses (CONTRACT clinic §7.1, §7.3).

Here: pure checks of one e-mail, and the errors by name. Not here: what is done with an e-mail that is right.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from fisio_ayida.simulators.resend.world import texts
from fisio_ayida.simulators.serving import Reply

LARGEST_BYTES: Final = 40_000_000
_MOST_RECIPIENTS: Final = 50
_ADDRESS: Final = re.compile(r"(?:[^<>\r\n]*<[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+>|[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+)")
_TAG: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_BREAK: Final = re.compile(r"[\r\n]")


def refusal(status: int, name: str, message: str) -> Reply:
    """An error as Resend writes it."""
    return Reply(status, msgspec.json.encode({"statusCode": status, "name": name, "message": message}))


def wrong(body: Any) -> tuple[str, str] | None:
    """Name and message of what is wrong with an e-mail; None if it is right."""
    if not isinstance(body, dict):
        return "validation_error", "The email must be an object."
    for name in ("from", "to", "subject"):
        if not body.get(name):
            return "missing_required_field", f"Missing `{name}` field."
    if not _is_address(body["from"]):
        return "invalid_from_address", "Invalid `from` field."
    for name in ("to", "cc", "bcc", "reply_to"):
        if not _are_addresses(body.get(name)):
            return "validation_error", f"Invalid `{name}` field."
    if not isinstance(body["subject"], str) or _BREAK.search(body["subject"]):
        return "validation_error", "The `\\n` is not allowed in the `subject` field."
    if body.get("html") is None and body.get("text") is None:
        return "missing_required_field", "Missing `html` or `text` field."
    return _wrong_extras(body)


def _wrong_extras(body: dict[str, Any]) -> tuple[str, str] | None:
    for tag in body.get("tags") or ():
        if not (isinstance(tag, dict) and _fits(tag.get("name")) and _fits(tag.get("value"))):
            return "validation_error", "Tags should only contain ASCII letters, numbers, underscores, or dashes."
    for attachment in body.get("attachments") or ():
        if not (isinstance(attachment, dict) and (attachment.get("content") or attachment.get("path"))):
            return "invalid_attachment", "Attachment must have either a `content` or `path`."
    headers = body.get("headers") or {}
    if not isinstance(headers, dict) or any(_BREAK.search(f"{name}{value}") for name, value in headers.items()):
        return "invalid_parameter", "Invalid `headers` field."
    return None


def _fits(text: Any) -> bool:
    return isinstance(text, str) and _TAG.fullmatch(text) is not None


def _is_address(text: Any) -> bool:
    return isinstance(text, str) and _ADDRESS.fullmatch(text) is not None


def _are_addresses(value: Any) -> bool:
    if not isinstance(value, str | list | None):
        return False
    found = texts(value)
    return len(found) <= _MOST_RECIPIENTS and all(map(_is_address, found))
