"""Evolution's webhooks (CONTRACT clinic §6.5): receipts, and what people write on WhatsApp.

Pure: a body in, values out. Not here: whether it is Evolution's (``gateway/signatures.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fisio_ayida.messaging.model import Status
from fisio_ayida.messaging.reports.reading import (
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

PROVIDER: Final = "evolution"
# Both channels' words; what is not among them (PENDING, DELETED) says nothing of the message's way.
_STATUS: Final[Mapping[str, Status]] = {
    "SERVER_ACK": "accepted", "SENT": "accepted",
    "DELIVERY_ACK": "delivered", "DELIVERED": "delivered",
    "READ": "read", "PLAYED": "read",
    "ERROR": "failed", "FAILED": "failed",
}  # fmt: skip
_PERSON: Final = ("@s.whatsapp.net", "@c.us")
_WRAPPERS: Final = ("ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "documentWithCaptionMessage")
# What WhatsApp tells itself, and a reaction that was taken back: nobody waits for an answer to it.
_SILENT: Final = frozenset(
    {"protocolMessage", "messageContextInfo", "senderKeyDistributionMessage", "reactionMessage", "base64"}
)
_KEPT: Final = ("keyId", "messageId", "status", "messageType", "state", "statusReason", "disconnectionReasonCode")


def read(body: bytes) -> Delivery:
    """What a webhook says."""
    found = decoded(body)
    if found is None:
        return unreadable(PROVIDER, body)
    event, instance = word(found.get("event")) or "unknown", word(found.get("instance")) or ""
    # Some settings spell events as in the configuration.
    event = event.lower().replace("_", ".")
    reports: list[Report] = []
    inbound: list[Inbound] = []
    for place, data in enumerate(each(found.get("data")) or [{}]):
        if event == "messages.upsert" and (message := _inbound(instance, data)) is not None:
            inbound.append(message)
        else:
            reports.append(_report(event, instance, data, f"{digest(body)}:{place}"))
    return Delivery(tuple(reports), tuple(inbound))


def _report(event: str, instance: str, data: Mapping[str, Any], fallback_id: str) -> Report:
    key = part(data, "key")
    id = word(key.get("id")) or word(data.get("keyId"))
    raw = word(data.get("status"))
    # Receipts of what people wrote to us come, too: reading them is no news of our message.
    from_us = (key or data).get("fromMe") is True
    is_receipt = event in ("messages.update", "send.message") and from_us and id is not None
    status = _STATUS.get((raw or "").upper()) if is_receipt else None
    return Report(
        provider=PROVIDER,
        event_id=f"{event}:{instance}:{id}:{raw or '-'}" if id else f"{event}:{fallback_id}",
        kind=event,
        status=status,
        provider_id=id,
        recipients=_recipients(data) if event == "send.message" and from_us else (),
        error_code=raw if status == "failed" else None,
        # Its own time is local and says that it is UTC.
        provider_at=seconds(data.get("messageTimestamp")) if event == "send.message" else None,
        body={"event": event, "instance": instance, **({"id": id} if id else {}), **words_of(data, _KEPT)},
    )


def _inbound(instance: str, data: Mapping[str, Any]) -> Inbound | None:
    """What a person wrote to us; None for groups, broadcasts, the clinic's own words and what says nothing."""
    key = part(data, "key")
    id = word(key.get("id"))
    digits = next(iter(_recipients(data)), "")
    alias = next((found for found in _jids(data) if found.endswith("@lid")), "")
    if id is None or key.get("fromMe") is not False or not (digits or alias):
        return None
    message = _unwrapped(part(data, "message"))
    text, button, quoted = _words(message)
    if not text and not button and not set(message) - _SILENT:
        return None
    quoted = quoted or word(part(data, "contextInfo").get("stanzaId"))
    return Inbound(
        provider=PROVIDER,
        account=instance,
        provider_id=id,
        sender=digits,
        alias=alias,
        quoted_id=quoted,
        text=text,
        button=button,
        sent_at=seconds(data.get("messageTimestamp")),
    )


def _recipients(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The telephones among a conversation's addresses, as digits."""
    named = (jid.partition("@")[0].partition(":")[0] for jid in _jids(data) if jid.endswith(_PERSON))
    return tuple(digits for digits in named if digits.isascii() and digits.isdigit())


def _jids(data: Mapping[str, Any]) -> Iterator[str]:
    """The sender's addresses. A hidden one (``@lid``) often has the telephone beside it; the place has moved."""
    key = part(data, "key")
    if str(key.get("remoteJid", "")).endswith(("@g.us", "@broadcast", "@newsletter")):
        return
    for source, name in (
        (key, "remoteJid"), (key, "remoteJidAlt"), (key, "senderPn"), (data, "senderPn"), (data, "remoteJidAlt"),
    ):  # fmt: skip
        value = source.get(name)
        if isinstance(value, str):
            yield value


def _unwrapped(message: dict[str, Any]) -> dict[str, Any]:
    """A disappearing message is inside another one."""
    for _ in _WRAPPERS:
        message = next((inner for name in _WRAPPERS if (inner := part(message, name, "message"))), message)
    return message


def _words(message: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Text, button and quoted id of any kind of message that carries an answer."""
    if isinstance(message.get("conversation"), str):
        return said(message["conversation"]), None, None
    reaction = part(message, "reactionMessage")
    if reaction:
        return said(reaction.get("text")), None, word(part(reaction, "key").get("id"))
    text, button, quoted = "", None, None
    for name, words, ids in (
        ("extendedTextMessage", "text", None),
        ("buttonsResponseMessage", "selectedDisplayText", "selectedButtonId"),
        ("templateButtonReplyMessage", "selectedDisplayText", "selectedId"),
        ("listResponseMessage", "title", None),
        ("imageMessage", "caption", None),
        ("videoMessage", "caption", None),
        ("documentMessage", "caption", None),
        ("audioMessage", "caption", None),
    ):
        found = part(message, name)
        text = text or said(found.get(words))
        button = button or (word(found.get(ids)) if ids else None)
        quoted = quoted or word(part(found, "contextInfo").get("stanzaId"))
    row = part(message, "listResponseMessage", "singleSelectReply")
    return text, button or word(row.get("selectedRowId")), quoted
