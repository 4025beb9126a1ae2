"""Resend's webhooks (CONTRACT clinic §7.5): what became of an e-mail.

Pure: a body in, values out. Not here: whether it is Resend's (``gateway/signatures.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from fisio_ayida.messaging.channels.resend_payload import MESSAGE_TAG
from fisio_ayida.messaging.model import Status
from fisio_ayida.messaging.reports.reading import Delivery, Report, decoded, each, instant, part, unreadable, word

PROVIDER: Final = "resend"
# Whoever complains, opens or clicks has it.
_STATUS: Final[Mapping[str, Status]] = {
    "email.sent": "accepted",
    "email.delivered": "delivered",
    "email.complained": "delivered",
    "email.opened": "read",
    "email.clicked": "read",
    "email.bounced": "failed",
    "email.failed": "failed",
    "email.suppressed": "failed",
}
# As ``resend_payload.tag`` writes it.
_TAG: Final = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,9}))?")
_SUPPRESS: Final = {"email.complained": "complaint", "email.suppressed": "suppressed"}


def read(body: bytes, event_id: str) -> Delivery:
    """What a webhook says.

    Args:
        event_id: its header ``svix-id``.
    """
    found = decoded(body)
    if found is None:
        return unreadable(PROVIDER, body, event_id)
    kind, data = word(found.get("type")) or "unknown", part(found, "data")
    if not kind.startswith("email.") or kind == "email.received":
        return Delivery((Report(provider=PROVIDER, event_id=event_id, kind=kind, body=_kept(found, {})),))
    email_id, tags = word(data.get("email_id")), _tags(data.get("tags"))
    tag = _TAG.fullmatch(tags.get(MESSAGE_TAG, ""))
    ours = int(tag[1]) if tag else None
    code, hard = _fault(kind, data)
    return Delivery(
        (
            Report(
                provider=PROVIDER,
                event_id=event_id,
                kind=kind,
                status=_STATUS.get(kind),
                provider_id=email_id,
                message_id=ours,
                generation=int(tag[2] or 0) if tag else 0,
                recipients=tuple(each for each in _list(data.get("to")) if isinstance(each, str)),
                error_code=code,
                suppress="bounce" if hard else _SUPPRESS.get(kind),
                provider_at=instant(found.get("created_at")),
                body=_kept(found, {"email_id": email_id, MESSAGE_TAG: word(ours), "code": code}),
            ),
        )
    )


def _fault(kind: str, data: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Why it has not arrived, and whether the address will never work."""
    if kind == "email.bounced":
        bounce = part(data, "bounce")
        names = [found for name in ("type", "subType") if (found := word(bounce.get(name)))]
        # A full mailbox is not for ever; without a type the event itself says that it was refused for good.
        return ".".join(("bounced", *names)), bounce.get("type", "Permanent") == "Permanent"
    if kind in ("email.failed", "email.suppressed"):
        name = kind.removeprefix("email.")
        detail = word(part(data, name).get("type")) or word(part(data, name).get("reason"))
        return f"{name}.{detail}" if detail else name, False
    return None, False


def _kept(found: Mapping[str, Any], more: Mapping[str, str | None]) -> dict[str, str]:
    kept = {"type": word(found.get("type")), "created_at": None, **more}
    if at := instant(found.get("created_at")):
        kept["created_at"] = at.isoformat()
    return {name: value for name, value in kept.items() if value is not None}


def _tags(value: Any) -> dict[str, str]:
    """Tags come as an object; as a list of names and values where they are echoed as they were sent."""
    pairs = value.items() if isinstance(value, dict) else ((t.get("name"), t.get("value")) for t in each(value))
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
