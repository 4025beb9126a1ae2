"""Webhook bodies as the providers send them, full of what must not be kept.

Here: one function a kind of body. Not here: signatures (``gateway/signed.py``) and expectations.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

#: Whose appearance in a table or a log is a leak.
NAME, WORDS, ADDRESS, NUMBER = "Maria-Canary", "canary-words-of-hers", "canary@example.org", "5511987654321"
CANARIES = (NAME, WORDS, ADDRESS, NUMBER, "canary")
AT = dt.datetime(2026, 3, 12, 13, 1, tzinfo=dt.UTC)


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def resend(kind: str, email_id: str = "e-1", *, to: str = ADDRESS, tag: str | None = None, **data: Any) -> bytes:
    """What became of an e-mail."""
    tags = {} if tag is None else {"tags": {"message": tag, "who": NAME}}
    return encoded(
        {
            "type": kind,
            "created_at": AT.isoformat(),
            "data": {
                "email_id": email_id, "from": f"{NAME} <{ADDRESS}>", "to": [to], "subject": WORDS,
                "created_at": AT.isoformat(), **tags, **data,
            },
        }
    )  # fmt: skip


def update(status: str, key_id: str = "KEY-1", *, from_me: bool = True, instance: str = "fisioflow") -> bytes:
    """Evolution: where one of our messages is."""
    return _evolution(
        "messages.update",
        instance,
        {
            "keyId": key_id, "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": from_me, "status": status,
            "participant": f"{NUMBER}@s.whatsapp.net", "messageId": "cmf1", "instanceId": "abb8",
        },
    )  # fmt: skip


def sent(number: str, key_id: str = "KEY-1") -> bytes:
    """Evolution: something has gone out."""
    key = {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": True, "id": key_id}
    return _evolution("send.message", "fisioflow", {"key": key, "status": "SERVER_ACK", "message": {"a": WORDS}})


def upsert(
    words: str = WORDS, key_id: str = "IN-1", *, quoted: str | None = None, jid: str = f"{NUMBER}@s.whatsapp.net",
    instance: str = "fisioflow", at: dt.datetime = AT, message: dict[str, Any] | None = None,
    from_me: bool = False, **key: Any,
) -> bytes:  # fmt: skip
    """Evolution: somebody writes to us."""
    if message is None:
        message = {"conversation": words}
    context = {} if quoted is None else {"contextInfo": {"stanzaId": quoted, "participant": f"{NUMBER}@x"}}
    return _evolution(
        "messages.upsert",
        instance,
        {
            "key": {"remoteJid": jid, "fromMe": from_me, "id": key_id, **key}, "pushName": NAME,
            "message": message, "messageType": "conversation", "messageTimestamp": int(at.timestamp()), **context,
        },
    )  # fmt: skip


def meta(*, statuses: list[dict[str, Any]] | None = None, messages: list[dict[str, Any]] | None = None) -> bytes:
    """Meta: statuses and messages of one number."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": NUMBER, "phone_number_id": "1055"},
        "contacts": [{"profile": {"name": NAME}, "wa_id": NUMBER}],
    }
    if statuses is not None:
        value["statuses"] = statuses
    if messages is not None:
        value["messages"] = messages
    change = {"field": "messages", "value": value}
    return encoded({"object": "whatsapp_business_account", "entry": [{"id": "9", "changes": [change]}]})


def status(state: str, id: str = "wamid.1", *, key: str | None = None, code: int | None = None) -> dict[str, Any]:
    """Meta: one status."""
    found: dict[str, Any] = {
        "id": id, "status": state, "timestamp": str(int(AT.timestamp())), "recipient_id": NUMBER,
        "pricing": {"category": "utility", "type": "regular"},
    }  # fmt: skip
    if key is not None:
        found["biz_opaque_callback_data"] = key
    if code is not None:
        found["errors"] = [{"code": code, "title": WORDS, "message": WORDS, "error_data": {"details": WORDS}}]
    return found


def message(kind: str, content: Any, id: str = "wamid.in", *, quoted: str | None = None) -> dict[str, Any]:
    """Meta: one message of somebody."""
    context = {} if quoted is None else {"context": {"from": "1055", "id": quoted}}
    return {
        "from": NUMBER,
        "id": id,
        "timestamp": str(int(AT.timestamp())),
        "type": kind,
        kind: content,
        **context,
    }


def _evolution(event: str, instance: str, data: Any) -> bytes:
    return encoded(
        {
            "event": event, "instance": instance, "data": data, "destination": "https://x/webhooks/evolution",
            "date_time": "2026-03-12T10:01:00.000Z", "sender": f"{NUMBER}@s.whatsapp.net",
            "server_url": "https://evolution.example", "apikey": None,
        }
    )  # fmt: skip
