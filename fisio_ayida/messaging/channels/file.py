"""The channel of who has set up nothing: every message as a file that a newcomer can open.

Here: the files and their names. Not here: sending anything.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import datetime as dt
import hashlib
import os
from collections.abc import Callable
from email import policy, utils
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Literal

import msgspec

from fisio_ayida.messaging.channels.mail import refused, slug, unsubscribing
from fisio_ayida.messaging.model import (
    Accepted,
    Attachment,
    Channel,
    ChannelDown,
    EmailContent,
    Envelope,
    Healthy,
    Permanent,
    Result,
    Unhealthy,
)

_LONGEST_SLUG: Final = 120
# Whom a message is to is nobody else's business, on this machine too.
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


class FileSender:
    """Writes ``folder/<channel>/<message>-<slug of the key>.eml`` or ``.json``; the same key, the same file.

    Args:
        folder: made when it is first needed.
        sender: who sends e-mails whose caller names nobody: an address, or a name with an address in brackets.
        now: for the e-mails' Date.
    """

    provider: Literal["file"] = "file"
    repeats_safely = True
    # The same key is the same file for ever.
    repeat_within = dt.timedelta(days=36_500)
    can_look_up = False

    def __init__(self, folder: Path, channel: Channel, sender: str, now: Callable[[], dt.datetime]) -> None:
        self.channel: Channel = channel
        self._folder = folder
        self._sender = sender
        self._now = now

    async def send(self, envelope: Envelope) -> Result:
        """Write the file. What cannot be written closes the channel."""
        content = self._written(envelope)
        if isinstance(content, Permanent):
            return content
        kind = "eml" if self.channel == "email" else "json"
        name = f"{self.channel}/{envelope.id}-{slug(envelope.key, _LONGEST_SLUG)}.{kind}"
        try:
            await asyncio.to_thread(_write, self._folder / name, content)
        except OSError as error:
            return ChannelDown("folder", f"cannot write into {self._folder}: {error.strerror or error}")
        return Accepted(name)

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Nothing: writing again says more."""
        return None

    async def health(self, account: str) -> Healthy | Unhealthy:
        """Always well until a file cannot be written."""
        return Healthy()

    def _written(self, envelope: Envelope) -> bytes | Permanent:
        if not isinstance(envelope.content, EmailContent):
            return _as_json(envelope)
        return refused(envelope, envelope.content) or self._as_mail(envelope, envelope.content)

    def _as_mail(self, envelope: Envelope, content: EmailContent) -> bytes | Permanent:
        sender = content.sender or self._sender
        domain = utils.parseaddr(sender)[1].rpartition("@")[2]
        digest = hashlib.sha256(envelope.key.encode()).hexdigest()
        mail = EmailMessage(policy.SMTP)
        try:
            mail["From"] = sender
            mail["To"] = envelope.to
            if content.cc:
                mail["Cc"] = ", ".join(content.cc)
            if content.reply_to:
                mail["Reply-To"] = content.reply_to
            mail["Subject"] = content.subject
            mail["Date"] = self._now()
            mail["Message-ID"] = f"<{digest[:32]}@{domain or 'localhost'}>"
            for name, value in unsubscribing(content).items():
                mail[name] = value
            if content.text is not None:
                mail.set_content(content.text)
            if content.html is not None and content.text is not None:
                mail.add_alternative(content.html, subtype="html")
            elif content.html is not None:
                mail.set_content(content.html, subtype="html")
            for attachment in content.attachments:
                _attach(mail, attachment)
            return bytes(mail)
        except Exception as error:
            # The standard library's parser of addresses stumbles over odd ones in many ways, each its own error.
            return Permanent("unfit_mail", f"no e-mail can be made of this: {type(error).__name__}", called=False)


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    try:
        content = base64.b64decode(attachment.content, validate=True)
    except binascii.Error:
        raise ValueError("an attachment is not base64") from None
    main, _, sub = (attachment.content_type or "application/octet-stream").partition("/")
    mail.add_attachment(
        content, maintype=main, subtype=sub or "octet-stream", filename=attachment.filename, cte="base64"
    )


def _as_json(envelope: Envelope) -> bytes | Permanent:
    value = {
        "id": envelope.id,
        "key": envelope.key,
        "channel": envelope.channel,
        "account": envelope.account,
        "organization_id": envelope.organization_id,
        "to": envelope.to,
        "content": envelope.content,
    }
    try:
        return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    except (TypeError, UnicodeEncodeError) as error:
        return Permanent("unfit_content", f"this cannot be written as JSON: {type(error).__name__}", called=False)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: whoever is killed in between leaves only a hidden part, which the next try replaces."""
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE), "wb") as file:  # noqa: PTH123
            file.write(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
