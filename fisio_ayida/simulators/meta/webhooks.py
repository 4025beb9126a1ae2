"""What Meta tells a webhook, signed with the app secret, and how a webhook is set up (CONTRACT clinic §6.6).

Here: bodies and headers. Not here: making the calls (``hooks.py``).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from fisio_ayida.simulators.hooks import CallBack
from fisio_ayida.simulators.meta.world import REASONS, World

_CHALLENGE: Final = "1158201444"
_TIMEOUT_SECONDS: Final = 10.0


def status_call(world: World, id: str, status: str) -> list[CallBack]:
    """The call that reports a message's status; none where there is no webhook."""
    known = world.taken[id]
    entry: dict[str, Any] = {
        "id": id,
        "status": status,
        "timestamp": str(int(time.time())),
        "recipient_id": known["number"],
    }
    if known["key"]:
        entry["biz_opaque_callback_data"] = known["key"]
    if status == "failed":
        code = world.errors.get(id, 131000)
        title = REASONS.get(code, "Something went wrong")
        entry["errors"] = [{"code": code, "title": title, "message": title}]
    return _call(world, known["account"], f"status.{status}", {"statuses": [entry]})


def inbound_call(world: World, account: str, number: str, text: str, quoted: str, id: str) -> list[CallBack]:
    """The call that brings what a phone wrote."""
    message: dict[str, Any] = {
        "from": number,
        "id": id,
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    if quoted:
        message["context"] = {"from": account, "id": quoted}
    contacts = [{"profile": {"name": "Paciente"}, "wa_id": number}]
    return _call(world, account, "message", {"contacts": contacts, "messages": [message]})


async def verify(world: World) -> bool:
    """Set the webhook up: it must give the challenge back."""
    if world.webhook_url is None:
        return False
    query = {"hub.mode": "subscribe", "hub.verify_token": world.verify_token, "hub.challenge": _CHALLENGE}
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
        try:
            answer = await client.get(world.webhook_url, params=query)
        except httpx.HTTPError:
            return False
    return answer.status_code == 200 and answer.text == _CHALLENGE


def signed(secret: str, body: bytes) -> Mapping[str, str]:
    """The header that proves a body."""
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def _call(world: World, account: str, what: str, news: Mapping[str, Any]) -> list[CallBack]:
    if world.webhook_url is None:
        return []
    metadata = {"display_phone_number": "5511000000000", "phone_number_id": account}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **news}
    changes = [{"value": value, "field": "messages"}]
    body = {"object": "whatsapp_business_account", "entry": [{"id": "200000000000002", "changes": changes}]}
    return [
        CallBack(what, world.webhook_url, msgspec.json.encode(body), lambda body: signed(world.app_secret, body))
    ]
