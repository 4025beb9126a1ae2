"""What a business account at Meta is made of: numbers, templates, open windows, what went out.

Here: state, and what Meta makes of a message. Not here: HTTP, webhooks.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fisio_ayida.simulators.phones import person

WINDOW_CLOSED: Final = 131047
UNDELIVERABLE: Final = 131026
REASONS: Final = {
    WINDOW_CLOSED: "Re-engagement message",
    UNDELIVERABLE: "Message undeliverable",
}
_MEDIA: Final = ("image", "document", "video", "audio")


@dataclass(frozen=True, slots=True)
class MetaConfig:
    """How the account starts.

    Args:
        templates: the approved ones with the number of their variables; None: all that are asked for.
        watch_ms: two sends of one number closer than this are counted.
        webhook_url: where everything is reported to.
        statuses: what is reported of every message that is delivered.
    """

    access_token: str = "meta-token"  # noqa: S105  opens nothing
    phone_number_ids: tuple[str, ...] = ("100000000000001",)
    app_secret: str = "meta-app-secret"  # noqa: S105  proves nothing
    verify_token: str = "meta-verify-token"  # noqa: S105  as above
    templates: Mapping[str, int] | None = None
    latency_ms: float = 0.0
    watch_ms: float = 0.0
    webhook_url: str | None = None
    statuses: tuple[str, ...] = ("sent", "delivered")


class MetaError(Exception):
    """Meta refuses. ``subcode`` 33: there is no such object."""

    def __init__(self, code: int, text: str, status: int = 400, subcode: int = 0) -> None:
        super().__init__(text)
        self.code, self.text, self.status, self.subcode = code, text, status, subcode


class World:
    """The account and the phones behind it."""

    def __init__(self, config: MetaConfig) -> None:
        self.access_token = config.access_token
        self.phone_number_ids = set(config.phone_number_ids)
        self.app_secret = config.app_secret
        self.verify_token = config.verify_token
        self.webhook_url = config.webhook_url
        self.templates = None if config.templates is None else dict(config.templates)
        self.absent: set[str] = set()
        #: Who wrote in the last 24 hours: only to them free text is delivered.
        self.talking: set[str] = set()
        self.sent: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []
        #: Message id to what is known of it: account, number, our key.
        self.taken: dict[str, dict[str, str]] = {}
        self.statuses: dict[str, list[str]] = defaultdict(list)
        self.errors: dict[str, int] = {}

    def take(self, account: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Accept a message; whether it is delivered only its status tells.

        Raises:
            MetaError: the message is refused.
        """
        if body.get("messaging_product") != "whatsapp":
            raise MetaError(100, "The parameter messaging_product is required.")
        to, kind = body.get("to"), str(body.get("type") or "text")
        if not isinstance(to, str) or not to:
            raise MetaError(100, "The parameter to is required.")
        part = body.get(kind)
        if not isinstance(part, dict):
            raise MetaError(100, f"The parameter {kind} is required.")
        text = self._words(kind, part)
        id, now = f"wamid.{uuid.uuid4().hex.upper()}", time.time()
        key = str(body.get("biz_opaque_callback_data") or "")
        self.taken[id] = {"account": account, "number": to, "key": key}
        if person(to) in self.absent:
            self.errors[id] = UNDELIVERABLE
        elif kind != "template" and person(to) not in self.talking:
            self.errors[id] = WINDOW_CLOSED
        else:
            sent = {"account": account, "number": to, "kind": kind, "text": text, "id": id, "at": now, "key": key}
            self.sent.append({**sent, "body": dict(body)})
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": to}],
            "messages": [{"id": id}],
        }

    def shown_status(self, id: str) -> str:
        """The furthest of what is known of a message, for the page."""
        known = self.statuses[id]
        return next((word for word in ("failed", "read", "delivered") if word in known), "accepted")

    def _words(self, kind: str, part: Mapping[str, Any]) -> str:
        if kind == "template":
            return self._template(part)
        if kind == "text":
            if not str(part.get("body") or "").strip():
                raise MetaError(100, "The parameter text['body'] is required.")
            return str(part["body"])
        if kind not in _MEDIA:
            raise MetaError(131051, "Unsupported message type")
        if not part.get("link") and not part.get("id"):
            raise MetaError(131008, "Required parameter is missing")
        if kind == "audio" and "caption" in part:
            raise MetaError(100, 'Unexpected key "caption" on param "audio".')
        return str(part.get("caption") or part.get("link") or "")

    def _template(self, part: Mapping[str, Any]) -> str:
        name = str(part.get("name"))
        bodies = [each for each in part.get("components") or [] if each.get("type") == "body"]
        values = [str(each.get("text", "")) for body in bodies for each in body.get("parameters") or []]
        if self.templates is not None and name not in self.templates:
            raise MetaError(132001, "Template name does not exist in the translation", 404)
        if (bodies and not values) or (self.templates is not None and self.templates[name] != len(values)):
            raise MetaError(132000, "Number of parameters does not match the expected number of params")
        return " · ".join([f"[{name}]", *values])
