"""What Evolution is asked to send: its route and the bytes (CONTRACT clinic §6.2).

Here: pure functions; the same content gives the same bytes. All options stand at the top level: Evolution ignores
an ``options`` object. Not here: the call.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from fisio_ayida.messaging.channels.whatsapp_parts import AUDIO_WITH_TEXT, NO_BODY, media_of, template_components
from fisio_ayida.messaging.model import Permanent, WhatsappContent

TEXT: Final = "message/sendText"
MEDIA: Final = "message/sendMedia"
TEMPLATE: Final = "message/sendTemplate"


def payload(content: WhatsappContent, number: str, *, is_cloud: bool = False) -> tuple[str, bytes] | Permanent:
    """Route and body for digits with country code, or why there is none.

    A phone's own session has no templates: there one goes out only if there are no words. An instance of Meta's
    Cloud API sends the template whenever there is one, because Meta delivers words only within a conversation.
    """
    fields: dict[str, Any] = {"number": number}
    if is_cloud and content.template_name is not None:
        return _template(content, fields)
    media = media_of(content)
    if media is not None:
        if media.kind == "audio" and content.text:
            return AUDIO_WITH_TEXT
        optional = {
            "mimetype": media.mimetype,
            "caption": content.text,
            "fileName": media.name if media.kind == "document" else None,
        }
        fields |= {"mediatype": media.kind, "media": media.url}
        fields |= {name: value for name, value in optional.items() if value}
        return MEDIA, msgspec.json.encode(fields)
    if content.text is not None:
        return TEXT, msgspec.json.encode({**fields, "text": content.text, "linkPreview": False})
    if content.template_name is not None:
        return _template(content, fields)
    return NO_BODY


def _template(content: WhatsappContent, fields: dict[str, Any]) -> tuple[str, bytes]:
    fields |= {"name": content.template_name, "language": content.template_language}
    if components := template_components(content):
        fields["components"] = components
    return TEMPLATE, msgspec.json.encode(fields)
