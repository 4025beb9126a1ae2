"""What a message says and where it goes: kept sealed, or made again from its cause; always rendered the same way.

Here: the sealed letter, and from letter to content. Not here: the templates, and when anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fisio_ayida.messaging import requests, unsubscribing
from fisio_ayida.messaging.model import Category, Channel, Confidential, Content, EmailContent, MessagingError
from fisio_ayida.messaging.sealing import Hasher, Sealer
from fisio_ayida.messaging.templates.registry import TEMPLATES
from fisio_ayida.messaging.templates.render import check, render

#: Causes whose letter says where it goes: what the app sent, and who is told of a way that is closed.
EVENT, CIRCUIT, OPERATORS = "event", "circuit", "operators"


class Letter(Confidential, frozen=True, omit_defaults=True):
    """A destination as it was given, and either a template's variables or the content itself."""

    to: str | None = None
    variables: dict[str, Any] | None = None
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What of a message its words depend on. ``reply_to``: of its clinic, for e-mails."""

    key: str
    channel: Channel
    category: Category
    organization_id: str
    patient_id: str | None
    address_hash: bytes | None
    template: str | None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Letters:
    """Seals, opens and renders.

    Args:
        sealer: None without MESSAGING_KEY: then letters are made again from their causes.
        public_url: of the gateway, for links in e-mails.
        alerts_to: the operators' address; None: they are not told by e-mail.
    """

    sealer: Sealer | None
    hasher: Hasher
    public_url: str
    alerts_to: str | None = None

    def seal(self, letter: Letter, key: str) -> bytes | None:
        """The letter, fit to be stored; None without a key."""
        return None if self.sealer is None else self.sealer.seal(msgspec.json.encode(letter), key)

    def open(self, sealed: bytes, key: str) -> Letter:
        """The letter again. Raises :class:`MessagingError`."""
        if self.sealer is None:
            raise MessagingError(f"message {key!r} was sealed, and MESSAGING_KEY is not set")
        try:
            return msgspec.json.decode(self.sealer.open(sealed, key), type=Letter)
        except msgspec.MsgspecError:
            # Of another release; its text quotes what was in it.
            raise MessagingError(f"the body of message {key!r} is no letter of this release") from None

    def again(self, kind: str | None, id: str | None, template: str | None, words: Mapping[str, Any]) -> Letter:
        """A letter that was not stored, from what its cause says now. Raises :class:`MessagingError`.

        Args:
            words: a cause tells more than one template asks for; of the rest nothing is taken.
        """
        if kind is None or id is None:
            raise MessagingError("the message was stored without its body and has no cause to make it again from")
        if kind == EVENT:
            return requests.letter(id, words)
        known = TEMPLATES.get(template or "")
        asked = {each.name for each in known.variables} if known else set[str]()
        variables = {name: value for name, value in words.items() if name in asked}
        return Letter(self.alerts_to if kind in (CIRCUIT, OPERATORS) else None, variables)

    def content(self, subject: Subject, letter: Letter) -> Content:
        """What the provider is given.

        Raises:
            MessagingError: a variable is missing or wrong.
        """
        way_out = self._unsubscribe(subject)
        reply_to = None if subject.category == "direct" else subject.reply_to
        if isinstance(letter.content, EmailContent):
            # An app's own words may be care or marketing, too.
            return msgspec.structs.replace(
                letter.content, unsubscribe_url=way_out, reply_to=letter.content.reply_to or reply_to
            )
        if letter.content is not None:
            return letter.content
        return render(
            _template(subject), subject.channel, letter.variables or {}, unsubscribe_url=way_out, reply_to=reply_to
        )

    def check(self, subject: Subject, letter: Letter) -> None:
        """Raises what :meth:`content` would; a tenth of its work."""
        if letter.content is None:
            check(
                _template(subject), subject.channel, letter.variables or {},
                unsubscribe_url=self._unsubscribe(subject),
            )  # fmt: skip

    def digest(self, to: str, content: Content) -> bytes:
        """Tells whether two calls would be the same."""
        return self.hasher.content(to.encode() + b"\0" + msgspec.json.encode(content))

    def _unsubscribe(self, subject: Subject) -> str | None:
        """What only a template decides to show: reports and answers are nothing to subscribe to."""
        if subject.channel != "email" or subject.category == "direct":
            return None
        if subject.patient_id is None and subject.address_hash is None:
            return None
        return unsubscribing.link(
            self.public_url, self.hasher, key=subject.key, patient_id=subject.patient_id,
            address_hash=None if subject.patient_id else subject.address_hash,
            organization_id=subject.organization_id, category=subject.category,
        )  # fmt: skip


def _template(subject: Subject) -> str:
    if subject.template is None:
        raise MessagingError(f"message {subject.key!r} has neither a content nor a template")
    return subject.template


def plain(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Variables in their JSON forms (ISO texts for dates, text for amounts), as they come back from storage."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(variables)))
    return decoded
