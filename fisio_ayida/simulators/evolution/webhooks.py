"""What an Evolution instance tells its webhook, and how it proves who it is (CONTRACT clinic §6.5).

Here: bodies and headers. Not here: making the calls (``hooks.py``).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any, Final

import jwt
import msgspec

from fisio_ayida.simulators.evolution.world import Instance, Webhook
from fisio_ayida.simulators.hooks import CallBack

_TOKEN_SECONDS: Final = 600


def event(instance: Instance, name: str, data: dict[str, Any], server_url: str) -> CallBack | None:
    """The call that tells of an event; None where nobody listens to it."""
    webhook = instance.webhook
    if webhook is None or (webhook.events and name.replace(".", "_").upper() not in webhook.events):
        return None
    body = {
        "event": name,
        "instance": instance.name,
        "data": data,
        "destination": webhook.url,
        # Local time that claims to be UTC, as the service writes it.
        "date_time": dt.datetime.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),  # noqa: DTZ005
        "sender": "5511000000000@s.whatsapp.net",
        "server_url": server_url,
        "apikey": None,
    }
    url = f"{webhook.url.rstrip('/')}/{name.replace('.', '-')}" if webhook.by_events else webhook.url
    return CallBack(name, url, msgspec.json.encode(body), lambda _: _headers(webhook))


def update(instance: Instance, key: dict[str, Any], status: str) -> dict[str, Any]:
    """The data of ``messages.update`` for the message with this key."""
    return {
        "messageId": key["id"].lower(),
        "keyId": key["id"],
        "remoteJid": key["remoteJid"],
        "fromMe": True,
        "participant": key["remoteJid"],
        "status": status,
        "instanceId": instance.id,
    }


def _headers(webhook: Webhook) -> Mapping[str, str]:
    given = dict(webhook.headers)
    secret = given.pop("jwt_key", None)
    if secret is None:
        return given
    now = int(time.time())
    claims = {"iat": now, "exp": now + _TOKEN_SECONDS, "app": "evolution", "action": "webhook"}
    return {**given, "authorization": f"Bearer {jwt.encode(claims, secret, algorithm='HS256')}"}
