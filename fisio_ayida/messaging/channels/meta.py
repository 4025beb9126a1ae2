"""WhatsApp through Meta's Cloud API: the approved template first, never words in its place (CONTRACT clinic §6.6).

Here: the call and its answer. There is no idempotency; the way out of doubt is the status webhook, which brings
our key back. Not here: what Meta's codes mean (``meta_codes.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx
import msgspec
from pydantic import SecretStr

from fisio_ayida.messaging.channels.calling import Answer, Pacer, call, paced, unanswered, wished_pause
from fisio_ayida.messaging.channels.meta_codes import rejected
from fisio_ayida.messaging.channels.whatsapp_parts import AUDIO_WITH_TEXT, NO_BODY, media_of, template_components
from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    Channel,
    ChannelDown,
    Envelope,
    Healthy,
    Permanent,
    Result,
    Transient,
    Unhealthy,
    WhatsappContent,
)

# "Object does not exist": with code 100 it speaks of the phone number id, not of the message.
_NO_SUCH_OBJECT: Final = 33
_INVALID: Final = 100


class MetaSender:
    """The business account behind one access token; a message's account is the phone number id.

    Args:
        base_url: with the version.
        client: from :func:`calling.http_client`; closed by who made it.
        clock_for: the clock of a phone number id; None where its pace is not limited.
    """

    provider: Literal["meta"] = "meta"
    channel: Channel = "whatsapp"
    repeats_safely = False
    repeat_within = dt.timedelta(0)
    can_look_up = False

    def __init__(
        self,
        base_url: str,
        access_token: SecretStr,
        *,
        client: httpx.AsyncClient,
        clock_for: Callable[[str], Pacer | None],
        timeout: dt.timedelta,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {access_token.get_secret_value()}",
            "Content-Type": "application/json",
        }
        self._client = client
        self._clock_for = clock_for
        self._timeout = timeout

    async def send(self, envelope: Envelope) -> Result:
        """One message from one phone number."""
        content = envelope.content
        if not isinstance(content, WhatsappContent):
            words = f"meta carries WhatsApp messages, not {envelope.channel}"
            return Permanent("not_a_whatsapp", words, called=False)
        body = payload(content, envelope.to, envelope.key)
        if isinstance(body, Permanent):
            return body
        answer = await call(
            self._client,
            "POST",
            f"{self._base_url}/{quote(envelope.account, safe='')}/messages",
            headers=self._headers,
            body=body,
            timeout=self._timeout,
            turn=paced(self._clock_for(envelope.account)),
        )
        return result(answer) if isinstance(answer, Answer) else unanswered(answer)

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Nothing: Meta lists no messages; its status webhook tells."""
        return None

    async def health(self, account: str) -> Healthy | Unhealthy:
        """Whether the token may see the phone number."""
        url = f"{self._base_url}/{quote(account, safe='')}?fields=id"
        answer = await call(self._client, "GET", url, headers=self._headers, timeout=self._timeout)
        if not isinstance(answer, Answer):
            return Unhealthy(f"Meta does not answer: {answer.reason}")
        if answer.status != 200:
            return Unhealthy(f"Meta does not show the phone number: HTTP {answer.status}")
        return Healthy()


def payload(content: WhatsappContent, to: str, key: str) -> bytes | Permanent:
    """The body for digits with country code, or why there is none. ``key`` comes back in status webhooks."""
    part: dict[str, Any]
    media = media_of(content)
    if content.template_name is not None:
        kind, part = "template", {"name": content.template_name, "language": {"code": content.template_language}}
        if components := template_components(content):
            part["components"] = components
    elif media is not None:
        if media.kind == "audio" and content.text:
            return AUDIO_WITH_TEXT
        kind, part = media.kind, {"link": media.url}
        if content.text:
            part["caption"] = content.text
        if kind == "document":
            part["filename"] = media.name
    elif content.text is not None:
        kind, part = "text", {"preview_url": False, "body": content.text}
    else:
        return NO_BODY
    fields = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": kind}
    return msgspec.json.encode({**fields, kind: part, "biz_opaque_callback_data": key})


def result(answer: Answer) -> Result:
    """What became of the message. Where the message was refused, the error's code tells more than the status."""
    status, code = answer.status, answer.field("error", "code")
    if status == 200:
        id = answer.text("messages", 0, "id")
        return Accepted(id) if id else Ambiguous("meta_no_id", "HTTP 200 without a message id")
    if status < 300 or status == 408 or status >= 500:
        return Ambiguous(f"http_{status}", f"HTTP {status} says nothing of the message")
    if status == 401:
        return ChannelDown("http_401", "the access token is not accepted")
    if isinstance(code, int) and not isinstance(code, bool) and status != 429:
        if (code, answer.field("error", "error_subcode")) == (_INVALID, _NO_SUCH_OBJECT):
            return ChannelDown("meta_account", "Meta knows no such phone number id, or the token may not see it")
        return rejected(code, after=wished_pause(answer))
    if status == 429:
        return Transient("http_429", "too many calls", wished_pause(answer), channel=True, is_rate=True)
    if status < 400 or status in (403, 404):
        return ChannelDown(f"http_{status}", f"is WHATSAPP_BASE_URL right? HTTP {status}")
    return Permanent(f"http_{status}", f"HTTP {status} refuses the message")
