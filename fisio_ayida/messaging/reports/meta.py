"""The webhooks of Meta's Cloud API (CONTRACT clinic §6.6): statuses, and what people write on WhatsApp.

Pure: a body in, values out. Not here: whether it is Meta's (``gateway/signatures.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fisio_ayida.messaging import keys
from fisio_ayida.messaging.channels.meta_codes import NOT_ON_WHATSAPP
from fisio_ayida.messaging.model import Status
from fisio_ayida.messaging.reports.reading import (
    MARKETING_STOPPED,
    Delivery,
    Inbound,
    Report,
    decoded,
    digest,
    each,
    part,
    said,
    seconds,
    unreadable,
    word,
    words_of,
)  # fmt: skip

PROVIDER: Final = "meta"
_STATUS: Final[Mapping[str, Status]] = {
    "sent": "accepted",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
_SUPPRESS: Final = {"131026": NOT_ON_WHATSAPP, "131050": MARKETING_STOPPED}


def read(body: bytes) -> Delivery:
    """What a webhook says; one request may carry many statuses and messages."""
    found = decoded(body)
    if found is None:
        return unreadable(PROVIDER, body)
    reports: list[Report] = []
    inbound: list[Inbound] = []
    for entry in each(found.get("entry")):
        for change in each(entry.get("changes")):
            value = part(change, "value")
            account = word(part(value, "metadata").get("phone_number_id")) or ""
            statuses, messages = each(value.get("statuses")), each(value.get("messages"))
            reports += (_status(account, status) for status in statuses if word(status.get("id")))
            inbound += filter(None, (_inbound(account, message) for message in messages))
            if not statuses and not messages:
                reports.append(_other(word(change.get("field")) or "unknown", value, digest(body), len(reports)))
    if not reports and not inbound:
        reports.append(_other("unknown", {}, digest(body), 0))
    return Delivery(tuple(reports), tuple(inbound))


def _status(account: str, status: Mapping[str, Any]) -> Report:
    id, state = word(status.get("id")) or "", word(status.get("status")) or "unknown"
    errors = each(status.get("errors"))
    code = word(errors[0].get("code")) if errors else None
    handed_back = status.get("biz_opaque_callback_data")
    key, generation = keys.of_message(handed_back) if isinstance(handed_back, str) else ("", 0)
    failed = state == "failed"
    return Report(
        provider=PROVIDER,
        event_id=f"{id}:{state}",
        kind=f"status.{state}",
        status=_STATUS.get(state),
        provider_id=id,
        message_key=key if 1 <= len(key) <= keys.LONGEST and key.isprintable() else None,
        generation=generation,
        error_code=f"meta_{code}" if failed and code else None,
        suppress=_SUPPRESS.get(code or "") if failed else None,
        provider_at=seconds(status.get("timestamp")),
        body={
            "account": account,
            **words_of(status, ("id", "status", "timestamp")),
            **({"code": code} if code else {}),
            **{name: found for name in ("category", "type") if (found := word(part(status, "pricing").get(name)))},
        },
    )


def _inbound(account: str, message: Mapping[str, Any]) -> Inbound | None:
    id, sender = word(message.get("id")), message.get("from")
    if id is None or not isinstance(sender, str) or not (sender.isascii() and sender.isdigit()):
        return None
    reaction, button = part(message, "reaction"), part(message, "button")
    if reaction and not reaction.get("emoji"):
        return None  # it was taken back
    interactive = part(message, "interactive")
    chosen = part(interactive, "button_reply") or part(interactive, "list_reply")
    texts = (
        part(message, "text").get("body"), button.get("text"), chosen.get("title"), reaction.get("emoji"),
        *(part(message, kind).get("caption") for kind in ("image", "video", "document")),
    )  # fmt: skip
    return Inbound(
        provider=PROVIDER,
        account=account,
        provider_id=id,
        sender=sender,
        quoted_id=word(part(message, "context").get("id")) or word(reaction.get("message_id")),
        text=next((text for value in texts if (text := said(value))), ""),
        button=word(button.get("payload")) or word(chosen.get("id")),
        sent_at=seconds(message.get("timestamp")),
    )


def _other(field: str, value: Mapping[str, Any], mark: str, place: int) -> Report:
    """News of the account: a template's state, the number's quality."""
    kept = words_of(value, ("event", "message_template_id", "reason", "current_limit"))
    return Report(provider=PROVIDER, event_id=f"{field}:{mark}:{place}", kind=field, body={"field": field, **kept})
