"""Push messages through Expo: tickets at once, receipts later (CONTRACT clinic §8).

Here: both calls and what their answers mean. Not here: when receipts are asked for, and what is done about them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import httpx
import msgspec
from pydantic import SecretStr

from fisio_ayida.messaging.channels.calling import (
    Answer,
    Lost,
    NotSent,
    Pacer,
    call,
    paced,
    unanswered,
    wished_pause,
)
from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    Channel,
    ChannelDown,
    Envelope,
    Healthy,
    Permanent,
    PushContent,
    Result,
    Transient,
    Unhealthy,
)

#: By this field of ``data`` the app drops a message that it has shown before.
KEY_FIELD: Final = "message_key"
#: What a receipt says when the phone's own service has taken the message.
DELIVERED: Final = "ok"
_TOKENS: Final = ("ExponentPushToken[", "ExpoPushToken[")
# The phones' services refuse more.
_LARGEST_BYTES: Final = 4096
_RECEIPTS: Final = 1000


class ExpoSender:
    """Expo's push service.

    Args:
        access_token: None for a project that asks for none.
        client: from :func:`calling.http_client`; closed by who made it.
    """

    provider: Literal["expo"] = "expo"
    channel: Channel = "push"
    # Nothing on Expo's side knows a repeat: a lost answer stays unknown.
    repeats_safely = False
    repeat_within = dt.timedelta(0)
    can_look_up = False

    def __init__(
        self,
        base_url: str,
        access_token: SecretStr | None,
        *,
        client: httpx.AsyncClient,
        pacer: Pacer | None,
        timeout: dt.timedelta,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/--/api/v2/push"
        self._headers = {"Content-Type": "application/json"}
        if access_token is not None:
            self._headers["Authorization"] = f"Bearer {access_token.get_secret_value()}"
        self._client = client
        self._pacer = pacer
        self._timeout = timeout

    async def send(self, envelope: Envelope) -> Result:
        """One message to one device."""
        if not isinstance(envelope.content, PushContent):
            return Permanent("not_a_push", f"expo carries push messages, not {envelope.channel}", called=False)
        body = _payload(envelope, envelope.content)
        if isinstance(body, Permanent):
            return body
        answer = await self._call("send", body)
        return _result(answer) if isinstance(answer, Answer) else unanswered(answer)

    async def receipts(self, ids: Sequence[str]) -> Mapping[str, str]:
        """What became of these tickets: :data:`DELIVERED` or Expo's error, such as ``DeviceNotRegistered``.

        A ticket that is not in it has no receipt yet, or the call failed: ask again later. Kept for a day.
        """
        found: dict[str, str] = {}
        for start in range(0, len(ids), _RECEIPTS):
            answer = await self._call("getReceipts", msgspec.json.encode({"ids": ids[start : start + _RECEIPTS]}))
            receipts = answer.field("data") if isinstance(answer, Answer) and answer.status == 200 else None
            if not isinstance(receipts, dict):
                break
            for id, receipt in receipts.items():
                if (status := _status(receipt)) is not None:
                    found[id] = status
        return found

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Nothing: Expo is asked by ticket, and a lost answer has none."""
        return None

    async def health(self, account: str) -> Healthy | Unhealthy:
        """Nothing is asked: the first message tells."""
        return Healthy()

    async def _call(self, method: str, body: bytes) -> Answer | NotSent | Lost:
        return await call(
            self._client,
            "POST",
            f"{self._url}/{method}",
            headers=self._headers,
            body=body,
            timeout=self._timeout,
            turn=paced(self._pacer),
        )


def _payload(envelope: Envelope, content: PushContent) -> bytes | Permanent:
    if not (envelope.to.startswith(_TOKENS) and envelope.to.endswith("]")):
        return Permanent("not_a_token", f"an Expo token starts with {' or '.join(_TOKENS)}", called=False)
    message = {
        "to": envelope.to,
        "title": content.title,
        "body": content.body,
        "data": {**content.data, KEY_FIELD: envelope.key},
        "sound": "default",
    }
    try:
        body = msgspec.json.encode([message])
    except (TypeError, UnicodeEncodeError) as error:
        return Permanent("unfit_content", f"this cannot be written as JSON: {type(error).__name__}", called=False)
    if len(body) > _LARGEST_BYTES:
        return Permanent("MessageTooBig", f"{len(body)} bytes; {_LARGEST_BYTES} are allowed", called=False)
    return body


def _result(answer: Answer) -> Result:
    """What became of the message. Expo's words repeat the token, so they are never kept."""
    if answer.status == 200:
        return _ticket(answer)
    code = answer.text("errors", 0, "code") or f"http_{answer.status}"
    reason = f"Expo answered {answer.status}"
    match answer.status:
        case 401 | 403 | 404 | 405:
            return ChannelDown(code, reason)
        case 429:
            return Transient(code, reason, after=wished_pause(answer), is_rate=True)
        case 408:
            return Ambiguous(code, reason)
        case status if 400 <= status < 500:
            return Permanent(code, reason)
        case _:
            return Ambiguous(code, reason)


def _ticket(answer: Answer) -> Result:
    ticket = answer.field("data", 0)
    status = _status(ticket)
    match status:
        case None:
            return Ambiguous("no_ticket", "the answer to an accepted push message has no ticket")
        case "ok":
            id = answer.text("data", 0, "id")
            return Accepted(id) if id else Ambiguous("no_ticket", "a ticket without an id")
        case "DeviceNotRegistered":
            reason = "the device is no longer registered"
            return Permanent(status, reason, suppress="device_not_registered")
        case "MessageRateExceeded":
            return Transient(status, "too many messages to this device", is_rate=True)
        case "MismatchSenderId":
            # One token may be of another app's build; if it is every one, the project's credentials are wrong.
            return Permanent(status, "the token was made for another project's credentials", channel=True)
        case "InvalidCredentials":
            # The project's fault, not the device's: the token stays (CONTRACT clinic D-49).
            return ChannelDown(status, "the push credentials of the project are wrong")
        case _:
            return Permanent(status, "Expo refused the message")


def _status(receipt: Any) -> str | None:
    """``ok``, the error's code, or None for what is neither ticket nor receipt."""
    if not isinstance(receipt, dict):
        return None
    if receipt.get("status") == DELIVERED:
        return DELIVERED
    if receipt.get("status") != "error":
        return None
    details = receipt.get("details")
    code = details.get("error") if isinstance(details, dict) else None
    return code if isinstance(code, str) and code else "error"
