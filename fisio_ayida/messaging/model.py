"""The words of messaging: what is planned, what is sent, how a call can end, and what a channel is.

Here: types without behaviour, shared by every module of the room. Not here: the rules, the outbox, the providers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, runtime_checkable

import msgspec

Channel = Literal["email", "whatsapp", "push"]
#: What a message is about (CONTRACT clinic §5.2); ``direct``: an app asked for it, and we only carry it.
Category = Literal["transactional", "care", "marketing", "direct"]
State = Literal[
    "planned", "claimed", "accepted", "delivered", "read",
    "skipped", "deferred", "retry", "failed", "unknown", "expired",
]  # fmt: skip
#: What a provider may report of a message, in the order in which it never goes back.
Status = Literal["accepted", "delivered", "read", "failed"]

CHANNELS: Final[tuple[Channel, ...]] = ("email", "whatsapp", "push")
STATES: Final[tuple[State, ...]] = (
    "planned", "deferred", "retry", "claimed", "unknown", "accepted", "delivered", "read",
    "skipped", "expired", "failed",
)  # fmt: skip
#: Written as numbers in the outbox; a higher one goes first.
PRIORITIES: Final[Mapping[str, int]] = {"critical": 30, "high": 20, "normal": 10, "low": 0}


class MessagingError(ValueError):
    """What was asked for cannot be a message; the text names the field and the value."""


class Confidential(msgspec.Struct, frozen=True):
    """What holds words or addresses of people: neither a log nor an error shows more than its kind."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Attachment(Confidential, frozen=True):
    """A file with an e-mail. ``content``: base64."""

    filename: str
    content: str
    content_type: str | None = None


class EmailContent(Confidential, frozen=True, tag="email", kw_only=True):
    """One e-mail, rendered. ``text`` is a part of its own, never the HTML without tags."""

    subject: str
    html: str | None = None
    text: str | None = None
    sender: str | None = None
    reply_to: str | None = None
    cc: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    tags: dict[str, str] = {}
    unsubscribe_url: str | None = None


class WhatsappContent(Confidential, frozen=True, tag="whatsapp", kw_only=True):
    """One WhatsApp message: a text, or media with a caption, and the template that Meta approved for it.

    Evolution's phone channel sends ``text`` or ``media_url``; Meta sends the template whenever there is one.
    """

    text: str | None = None
    media_url: str | None = None
    media_type: Literal["image", "document", "video", "audio"] | None = None
    template_name: str | None = None
    template_language: str = "pt_BR"
    #: The template's body variables, in order.
    template_variables: tuple[str, ...] = ()


class PushContent(Confidential, frozen=True, tag="push", kw_only=True):
    """One push message. No health data: it shows on a locked screen."""

    title: str
    body: str
    data: dict[str, Any] = {}


Content = EmailContent | WhatsappContent | PushContent


@dataclass(frozen=True, slots=True)
class Cause:
    """What a message follows from, and what that was when the message was planned.

    Args:
        kind: a row of :mod:`causes`.
        id: which one.
        version: its state that the message speaks of (an appointment's civil start); another one makes it stale.
    """

    kind: str
    id: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is asked of the outbox. Either ``template`` with ``variables``, or ``content``.

    Args:
        key: what makes the message unique, up to 256 characters (:mod:`keys`).
        job: who plans it.
        to: the address as it was given; empty for a patient's own, which is read when the message is sent.
        due_at, not_after: instants with a zone; not sent before the one, useless from the other.
        heeds_quiet: quiet hours bind it; None: they bind what is not ``direct``.
    """

    key: str
    job: str
    channel: Channel
    category: Category
    organization_id: str = ""
    patient_id: str | None = None
    user_id: str | None = None
    to: str | None = field(default=None, repr=False)
    template: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    content: Content | None = None
    cause: Cause | None = None
    priority: int = PRIORITIES["normal"]
    due_at: dt.datetime | None = None
    not_after: dt.datetime | None = None
    heeds_quiet: bool | None = None
    fallback_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is handed to a channel: one message that the rules have let through.

    Args:
        key: our unique key; the provider's idempotency key where there is one, and its reference.
        to: the canonical address: an e-mail address, digits with country code, or a push token.
        account: the WhatsApp instance or number id, never empty for a WhatsApp channel.
        attempt: this call's number, from 1.
        first_called_at: when the provider was first called for this message; None at the first call.
        taken: ids in the provider's records that are known to be other messages to this address.
    """

    id: int
    key: str
    channel: Channel
    account: str
    organization_id: str
    to: str = field(repr=False)
    content: Content
    attempt: int = 1
    first_called_at: dt.datetime | None = None
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it: its own id of the message."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Permanent:
    """It was certainly not sent, and will never be.

    Args:
        suppress: why nothing more should go to this address.
        called: False if it was refused here, before any call: that shows nothing of the way.
        channel: the fault may be the way's; several of these close the way for a while.
    """

    code: str
    reason: str
    suppress: str | None = None
    suppress_for: dt.timedelta | None = None
    called: bool = True
    channel: bool = False


@dataclass(frozen=True, slots=True)
class Transient:
    """It was certainly not sent, or may safely be repeated. ``after``: the provider's own wish.

    ``channel``: the fault is the way, not the message; several of these close the way for a while.
    ``is_rate``: it only came too early. This costs the message no try.
    """

    code: str
    reason: str
    after: dt.timedelta | None = None
    channel: bool = False
    is_rate: bool = False


@dataclass(frozen=True, slots=True)
class ChannelDown:
    """Certainly not sent, and nothing of this account will be until someone acts or ``after`` has passed."""

    code: str
    reason: str
    after: dt.timedelta | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Nobody knows whether it was sent: it is never blindly sent again.

    ``may_repeat``: False if the provider has said that it would refuse a repetition.
    """

    code: str
    reason: str
    may_repeat: bool = True


Result = Accepted | Permanent | Transient | ChannelDown | Ambiguous


@dataclass(frozen=True, slots=True)
class Healthy:
    """The account can send."""


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """The account cannot send now, or only says that it can. ``reason``: without names and numbers."""

    reason: str


class Sender(Protocol):
    """One channel's provider. Its HTTP client, settings and clock were given to it when it was made.

    Its methods never raise for what a provider or a network can do: that is a :data:`Result`.
    """

    @property
    def provider(self) -> str:
        """As written in the outbox: file, resend, evolution, meta, expo."""
        ...

    @property
    def channel(self) -> Channel:
        """The channel that it serves."""
        ...

    @property
    def repeats_safely(self) -> bool:
        """Whether the provider itself knows a repeated call for the same message, for :attr:`repeat_within`."""
        ...

    @property
    def repeat_within(self) -> dt.timedelta:
        """Since the first call."""
        ...

    @property
    def can_look_up(self) -> bool:
        """Whether :meth:`look_up` can find anything at all."""
        ...

    async def send(self, envelope: Envelope) -> Result:
        """Call the provider once."""
        ...

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Ask the provider about a message whose outcome is unknown; None: not found, which proves nothing."""
        ...

    async def health(self, account: str) -> Healthy | Unhealthy:
        """Whether the account can send now."""
        ...


@runtime_checkable
class BatchSender(Sender, Protocol):
    """A sender that takes many messages in one call."""

    @property
    def batch_size(self) -> int:
        """The most that one call takes."""
        ...

    async def send_batch(self, key: str, envelopes: Sequence[Envelope]) -> list[Result]:
        """One call for all of them, under one key; one result each, in order.

        :attr:`repeats_safely` holds for the same list under the same key, and for nothing else.
        """
        ...
