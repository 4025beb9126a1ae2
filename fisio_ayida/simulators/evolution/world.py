"""What an Evolution installation is made of: instances, phones, what went out, and what it remembers of it.

Here: state and how a message changes it. Not here: routes, answers, webhooks.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from fisio_ayida.simulators.phones import address, assigned, person

Kind = Literal["baileys", "cloud"]
State = Literal["open", "connecting", "close"]
RECEIVED: Final = {"DELIVERY_ACK": "delivered", "DELIVERED": "delivered", "READ": "read", "PLAYED": "read"}
FAILED: Final = frozenset({"ERROR", "FAILED"})


@dataclass(frozen=True, slots=True)
class EvolutionConfig:
    """How the installation starts.

    Args:
        instances: names; each has the key ``token-of-{name}`` beside the global one.
        watch_ms: two sends of one instance closer than this are counted.
        webhook_url, webhook_token: where every instance reports to, and the value of ``x-webhook-token``.
        statuses: what is reported of every message that is delivered.
    """

    api_key: str = "evolution-key"
    instances: tuple[str, ...] = ("fisioflow",)
    kind: Kind = "baileys"
    latency_ms: float = 0.0
    watch_ms: float = 0.0
    webhook_url: str | None = None
    webhook_token: str | None = None
    statuses: tuple[str, ...] = ("DELIVERY_ACK",)


@dataclass(slots=True)
class Webhook:
    """Where an instance reports to."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    by_events: bool = False
    events: tuple[str, ...] = ()


@dataclass(slots=True)
class Instance:
    """One session. ``dead``: it says that it is open, and nothing goes out. ``loaded``: in memory."""

    name: str
    token: str
    kind: Kind = "baileys"
    state: State = "open"
    dead: bool = False
    loaded: bool = True
    webhook: Webhook | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def connected(self) -> bool:
        """Whether anything can really go out."""
        return self.state == "open" and not self.dead


class World:
    """The installation and the phones behind it."""

    def __init__(self, config: EvolutionConfig) -> None:
        self.api_key = config.api_key
        #: Whether the installation keeps what it sent, so that it can be found again.
        self.stores = True
        self.instances: dict[str, Instance] = {}
        #: Numbers that are not on WhatsApp, and the address and alias of those that have others than expected.
        self.absent: set[str] = set()
        self.accounts: dict[str, dict[str, str]] = {}
        #: Numbers that were found once: for 7 days nobody asks WhatsApp about them again.
        self.found: set[str] = set()
        #: Who wrote in the last 24 hours: only to them Meta delivers free text.
        self.talking: set[str] = set()
        self.sent: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []
        self.stored: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        self.statuses: dict[str, list[str]] = defaultdict(list)
        for name in config.instances:
            self.instances[name] = Instance(name, f"token-of-{name}", config.kind)
            if config.webhook_url is not None:
                headers = {} if config.webhook_token is None else {"x-webhook-token": config.webhook_token}
                self.instances[name].webhook = Webhook(config.webhook_url, headers)

    def known_as(self, number: str) -> str:
        """The address under which messages of a number are kept: its alias if it has one."""
        account = self.accounts.get(person(number), {})
        return account.get("lid") or account.get("jid") or address(number)

    def look_up(self, number: str) -> dict[str, Any]:
        """What WhatsApp says of a number."""
        who = person(number)
        account = self.accounts.get(who, {})
        jid = account.get("jid") or address(number)
        if who in self.absent or not assigned(number):
            return {"jid": jid, "exists": False, "number": number}
        self.found.add(who)
        alias = {"lid": account["lid"]} if "lid" in account else {}
        return {"jid": jid, "exists": True, "number": number, **alias}

    def record(
        self,
        instance: Instance,
        number: str,
        kind: str,
        message: dict[str, Any],
        template: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A message goes out; what the service answers and remembers."""
        who, cloud, now = person(number), instance.kind == "cloud", time.time()
        remote = self.known_as(number)
        id = ("wamid." if cloud else "3EB0") + uuid.uuid4().hex[:18].upper()
        record = {
            "key": {"remoteJid": remote, "fromMe": True, "id": id},
            "pushName": "",
            "status": "PENDING",
            "message": message,
            "messageType": kind,
            "messageTimestamp": int(now),
            "instanceId": instance.id,
            "source": "unknown" if cloud else "web",
        }
        if not cloud or (who not in self.absent and (template or who in self.talking)):
            sent = {"instance": instance.name, "number": number, "jid": remote, "kind": kind, "id": id, "at": now}
            self.sent.append({**sent, "text": text_of(message), "message": message, "template": template})
        else:
            self.statuses[id].append("FAILED")
        if self.stores:
            self.stored[instance.name][remote].append(record)
        return record

    def undelivered(self, id: str) -> bool:
        """Whether Meta took a message that it will not deliver."""
        return "FAILED" in self.statuses.get(id, ())

    def shown_status(self, id: str) -> str:
        """The furthest of what is known of a message, for the page."""
        known = self.statuses.get(id, [])
        if FAILED.intersection(known):
            return "failed"
        reached = {RECEIVED.get(status, "accepted") for status in known}
        return next((word for word in ("read", "delivered") if word in reached), "accepted")


def text_of(message: dict[str, Any]) -> str:
    """The words of a message: its text, its caption, or its template's name."""
    if isinstance(message.get("conversation"), str):
        return str(message["conversation"])
    for part in message.values():
        if isinstance(part, dict) and isinstance(part.get("caption"), str):
            return str(part["caption"])
    return ""
