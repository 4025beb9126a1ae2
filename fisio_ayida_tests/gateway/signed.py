"""Webhooks as their providers sign them: headers for a body.

Here: secrets of the tests and one function a way of signing. Not here: bodies (``messaging/said.py``).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from typing import Any

import jwt

from fisio_ayida_tests.gateway.running import ENVIRONMENT, utc_now

OLD, NEW = (f"whsec_{base64.b64encode(word * 4).decode()}" for word in (b"old-key!", b"new-key!"))
TOKEN, APP_SECRET, VERIFY = "token-of-evolution-32-characters", "app-secret-of-meta", "verify-token-of-meta"
WEBHOOKS = ENVIRONMENT | {
    "RESEND_WEBHOOK_SECRET": f"{NEW}, {OLD}",
    "EVOLUTION_WEBHOOK_TOKEN": TOKEN,
    "WHATSAPP_APP_SECRET": APP_SECRET,
    "WHATSAPP_VERIFY_TOKEN": VERIFY,
    "WHATSAPP_PHONE_NUMBER_ID": "1055",
}
FIXED = {"x-webhook-token": TOKEN}


def svix(
    body: bytes, id: str = "msg_1", *, secret: str = NEW, ago: dt.timedelta = dt.timedelta(0), prefix: str = "svix"
) -> dict[str, str]:
    """Resend's headers, signed so long ago."""
    stamp = str(int((utc_now() - ago).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = base64.b64encode(hmac.digest(key, f"{id}.{stamp}.".encode() + body, "sha256")).decode()
    return {
        f"{prefix}-id": id, f"{prefix}-timestamp": stamp, f"{prefix}-signature": f"v1,bm90aGluZw== v1,{made}",
    }  # fmt: skip


def bearer(*, secret: str = TOKEN, left: float = 600, **claims: Any) -> dict[str, str]:
    """Evolution's signed token, good for so many seconds."""
    now = int(utc_now().timestamp())
    claims = {"iat": now, "exp": now + left, "app": "evolution", "action": "webhook", **claims}
    return {"authorization": f"Bearer {jwt.encode(claims, secret, 'HS256')}"}


def hub(body: bytes, *, secret: str = APP_SECRET) -> dict[str, str]:
    """Meta's header."""
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
