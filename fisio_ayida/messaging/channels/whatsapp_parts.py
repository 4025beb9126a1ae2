"""The parts of a WhatsApp message, through whatever provider: the kind of its file, its template's variables.

Here: pure functions; the table of kinds is the same on every machine. Not here: how a provider wants it written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from fisio_ayida.messaging.model import Permanent, WhatsappContent

MediaType = Literal["image", "document", "video", "audio"]

# What WhatsApp shows as a picture, a film or a sound; everything else travels as a document.
_KINDS: Final[dict[str, tuple[MediaType, str]]] = {
    "jpg": ("image", "image/jpeg"),
    "jpeg": ("image", "image/jpeg"),
    "png": ("image", "image/png"),
    "mp4": ("video", "video/mp4"),
    "3gp": ("video", "video/3gpp"),
    "mp3": ("audio", "audio/mpeg"),
    "m4a": ("audio", "audio/mp4"),
    "aac": ("audio", "audio/aac"),
    "amr": ("audio", "audio/amr"),
    "ogg": ("audio", "audio/ogg"),
    "pdf": ("document", "application/pdf"),
    "txt": ("document", "text/plain"),
    "csv": ("document", "text/csv"),
    "doc": ("document", "application/msword"),
    "docx": ("document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": ("document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
_OTHER: Final[tuple[MediaType, None]] = ("document", None)

NO_BODY: Final = Permanent("no_body", "the message has neither text nor media nor a template", called=False)
AUDIO_WITH_TEXT: Final = Permanent(
    "audio_with_text", "WhatsApp shows no words beside a sound: send them on their own", called=False
)


@dataclass(frozen=True, slots=True)
class Media:
    """A file to be fetched by the provider. ``mimetype``: None if the name does not tell."""

    url: str
    kind: MediaType
    mimetype: str | None
    name: str


def media_of(content: WhatsappContent) -> Media | None:
    """The file of a message; what the content says of it counts more than its name."""
    if content.media_url is None:
        return None
    name = PurePosixPath(unquote(urlsplit(content.media_url).path)).name or "documento"
    kind, mimetype = _KINDS.get(name.rpartition(".")[2].lower(), _OTHER)
    return Media(content.media_url, content.media_type or kind, mimetype, name)


def template_components(content: WhatsappContent) -> list[dict[str, Any]]:
    """The variables as Meta wants them; nothing at all for a template that has none."""
    if not content.template_variables:
        return []
    values = [{"type": "text", "text": value} for value in content.template_variables]
    return [{"type": "body", "parameters": values}]
