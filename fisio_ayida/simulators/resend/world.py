"""What Resend keeps: e-mails that went out, keys that it remembers, and its own time.

Here: state and how it changes. Not here: routes, answers, webhooks.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from fisio_ayida.simulators.limits import RateLimit
from fisio_ayida.simulators.listening import SimulatorError
from fisio_ayida.simulators.serving import Reply

KEY_LIFETIME: Final = dt.timedelta(hours=24)
# Of older e-mails only the envelope is kept: a hundred thousand bodies would fill the memory.
KEPT_BODIES: Final = 2_000


@dataclass(frozen=True, slots=True)
class ResendConfig:
    """How the account starts.

    Args:
        api_key: the only one that is known; None: every key is.
        requests_per_second: more get 429; 0: as many as come.
        webhook_url: told of every e-mail that it was sent and delivered.
        webhook_secret: ``whsec_`` and base64; signs what the webhook is told.
    """

    api_key: str | None = None
    requests_per_second: float = 0.0
    latency_ms: float = 0.0
    webhook_url: str | None = None
    webhook_secret: str = "whsec_c2VjcmV0LW9mLXRoZS1zdGFuZC1pbi0zMi1ieXRlcyE="  # noqa: S105  invented

    def __post_init__(self) -> None:
        """Raises SimulatorError for a secret that cannot sign."""
        try:
            Webhook(self.webhook_secret)
        except (ValueError, EmptyWebhookSecretError):
            raise SimulatorError("webhook_secret: whsec_ and base64 are allowed") from None


@dataclass(slots=True)
class Mail:
    """One e-mail that went out. ``html``, ``text`` and ``attachments`` of old ones are forgotten."""

    id: str
    key: str | None
    at: dt.datetime
    sender: str
    to: tuple[str, ...]
    subject: str
    html: str | None
    text: str | None
    cc: tuple[str, ...]
    reply_to: tuple[str, ...]
    headers: Mapping[str, str]
    attachments: Sequence[Mapping[str, Any]]
    tags: Mapping[str, str]
    last_event: str = "sent"


@dataclass(slots=True)
class Kept:
    """What is remembered of a key. ``running``: the first answer is still under way."""

    digest: bytes
    at: dt.datetime
    reply: Reply | None = None
    running: bool = True


@dataclass(slots=True)
class World:
    """The account and everything it sent."""

    api_key: str | None
    limit: RateLimit
    latency_ms: float
    webhook_url: str | None
    webhook_secret: str
    ahead: dt.timedelta = dt.timedelta(0)
    requests: int = 0
    mails: list[Mail] = field(default_factory=list)
    keys: dict[str, Kept] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, config: ResendConfig) -> World:
        """A new account."""
        limit = RateLimit(config.requests_per_second)
        return cls(config.api_key, limit, config.latency_ms, config.webhook_url, config.webhook_secret)

    def now(self) -> dt.datetime:
        """The account's time: this machine's, and what was added by a control call."""
        return dt.datetime.now(dt.UTC) + self.ahead

    def remembered(self, key: str) -> Kept | None:
        """What is known of a key; nothing a day after it was used."""
        kept = self.keys.get(key)
        if kept is not None and self.now() - kept.at >= KEY_LIFETIME:
            return None
        return kept

    def remember(self, key: str, body: bytes) -> Kept:
        """A key is used for the first time, for this body."""
        kept = self.keys[key] = Kept(hashlib.sha256(body).digest(), self.now())
        return kept

    def send(self, body: Mapping[str, Any], key: str | None) -> Mail:
        """An e-mail goes out. The body was found right."""
        mail = Mail(
            id=str(uuid.uuid4()),
            key=key,
            at=self.now(),
            sender=body["from"],
            to=texts(body["to"]),
            subject=body["subject"],
            html=body.get("html"),
            text=body.get("text"),
            cc=texts(body.get("cc")),
            reply_to=texts(body.get("reply_to")),
            headers=body.get("headers") or {},
            attachments=body.get("attachments") or (),
            tags={tag["name"]: tag["value"] for tag in body.get("tags") or ()},
        )
        self._places[mail.id] = len(self.mails)
        self.mails.append(mail)
        if len(self.mails) > KEPT_BODIES:
            old = self.mails[-KEPT_BODIES - 1]
            old.html, old.text, old.attachments = None, None, ()
        return mail

    def find(self, id: str) -> Mail | None:
        """The e-mail with this id."""
        place = self._places.get(id)
        return None if place is None else self.mails[place]

    def page(self, limit: int, after: str | None) -> tuple[list[Mail], bool] | None:
        """E-mails from the newest on, and whether there are more; None for an unknown cursor."""
        end = len(self.mails) if after is None else self._places.get(after)
        if end is None:
            return None
        start = max(0, end - limit)
        return self.mails[start:end][::-1], start > 0

    def forget(self) -> None:
        """As on the first day; settings stay."""
        self.mails.clear()
        self.keys.clear()
        self._places.clear()
        self.ahead = dt.timedelta(0)
        self.requests = self.limit.refused = 0


def texts(value: Any) -> tuple[str, ...]:
    """One address or several, as the API takes them."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
