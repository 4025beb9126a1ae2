"""What Resend tells a webhook, and how it signs it (CONTRACT clinic §7.5).

Here: bodies and headers. Not here: making the calls (``hooks.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from standardwebhooks.webhooks import Webhook

from fisio_ayida.simulators.hooks import CallBack
from fisio_ayida.simulators.resend.world import Mail, World

#: Event to what it says beside the e-mail itself.
EVENTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "email.sent": {},
    "email.scheduled": {},
    "email.delivered": {},
    "email.delivery_delayed": {},
    "email.bounced": {
        "bounce": {"message": "The mailbox does not exist.", "subType": "General", "type": "Permanent"}
    },
    "email.complained": {},
    "email.opened": {"open": {"ipAddress": "192.0.2.1", "userAgent": "stand-in"}},
    "email.clicked": {"click": {"ipAddress": "192.0.2.1", "link": "https://example.com", "userAgent": "stand-in"}},
    "email.failed": {"failed": {"reason": "reached_daily_quota"}},
    "email.suppressed": {
        "suppressed": {"message": "The address is on the suppression list.", "type": "OnAccountSuppressionList"}
    },
}
#: The fate of e-mails to ``bounced@…``, ``bounced+anything@…`` and so on, as with Resend's own test addresses.
FATES: Final = {
    "bounced": "email.bounced",
    "complained": "email.complained",
    "suppressed": "email.suppressed",
    "failed": "email.failed",
}


def event(world: World, url: str, mail: Mail, kind: str) -> CallBack:
    """The call that tells what happened to an e-mail; every try of it has the same id."""
    mail.last_event = kind.removeprefix("email.")
    body = {
        "type": kind,
        "created_at": world.now().isoformat(),
        "data": {
            "email_id": mail.id,
            "created_at": mail.at.isoformat(),
            "from": mail.sender,
            "to": mail.to,
            "subject": mail.subject,
            "tags": mail.tags,
            **EVENTS[kind],
        },
    }
    id = f"msg_{uuid.uuid4().hex}"
    return CallBack(kind, url, msgspec.json.encode(body), lambda content: _signed(world, id, content))


def fated(mail: Mail, usual: tuple[str, ...]) -> tuple[str, ...]:
    """The events of an e-mail: the usual ones, or those that its address asks for."""
    name = mail.to[0].rpartition("<")[2].partition("@")[0].partition("+")[0]
    return ("email.sent", FATES[name]) if name in FATES and usual else usual


def _signed(world: World, id: str, content: bytes) -> Mapping[str, str]:
    at = world.now().replace(microsecond=0)
    signature = Webhook(world.webhook_secret).sign(id, at.astimezone(dt.UTC), content.decode())
    return {"svix-id": id, "svix-timestamp": str(int(at.timestamp())), "svix-signature": signature}
