"""E-mail through Resend: one call a message, repeated safely under the message's key (CONTRACT clinic §7, §14.3).

Here: the calls. Not here: what is sent (``resend_payload.py``), what an answer means (``resend_answers.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from email.utils import parseaddr
from typing import Any, Final, Literal

import httpx
from pydantic import SecretStr

from fisio_ayida.messaging.channels.calling import Answer, Lost, NotSent, Pacer, call, paced, unanswered
from fisio_ayida.messaging.channels.resend_answers import ALONE, batch_results, result
from fisio_ayida.messaging.channels.resend_payload import MESSAGE_TAG, idempotency_key, payload, tag
from fisio_ayida.messaging.model import (
    Accepted,
    Channel,
    EmailContent,
    Envelope,
    Healthy,
    Permanent,
    Result,
    Unhealthy,
)

_PAGE: Final = 100
# 5000 e-mails: what is further back is not worth the calls, which are counted with those that send.
_PAGES: Final = 50
# E-mails to one address with one subject of which the tags are read.
_CANDIDATES: Final = 5
_CLOCKS_DIFFER: Final = dt.timedelta(minutes=1)


class ResendSender:
    """Resend's account behind one key.

    Args:
        client: from :func:`calling.http_client`; closed by who made it.
        sender: for content that names none.
        pacer: the account's clock; None where the limit is lifted.
        now: with a zone; decides how long a daily quota closes the account.
    """

    provider: Literal["resend"] = "resend"
    channel: Channel = "email"
    repeats_safely = True
    # Keys are remembered for 24 hours; the last call may take a while itself.
    repeat_within = dt.timedelta(hours=23)
    can_look_up = True
    batch_size = 100

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        sender: str,
        client: httpx.AsyncClient,
        pacer: Pacer | None,
        timeout: dt.timedelta,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/emails"
        self._headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"}
        self._sender = sender
        self._client = client
        self._pacer = pacer
        self._timeout = timeout
        self._now = now

    async def send(self, envelope: Envelope) -> Result:
        """One ``POST /emails`` under the message's key; what is ambiguous may be sent again within the window."""
        if not isinstance(envelope.content, EmailContent):
            return Permanent("not_an_email", f"resend carries e-mails, not {envelope.channel}", called=False)
        body = payload(envelope, envelope.content, self._sender)
        if isinstance(body, Permanent):
            return body
        headers = {"Idempotency-Key": idempotency_key(envelope.key), "Content-Type": "application/json"}
        answer = await self._call("POST", self._url, headers=headers, body=body)
        if not isinstance(answer, Answer):
            return unanswered(answer)
        return result(answer, self._now(), is_own_sender=self._is_own(envelope.content))

    async def send_batch(self, key: str, envelopes: Sequence[Envelope]) -> list[Result]:
        """One ``POST /emails/batch``, all or nothing; none may have attachments, which the call would drop."""
        bodies: list[bytes] = []
        for envelope in envelopes:
            content = envelope.content
            body = (
                payload(envelope, content, self._sender)
                if isinstance(content, EmailContent) and not content.attachments
                else Permanent("not_for_a_batch", "a batch carries e-mails without attachments", called=False)
            )
            if isinstance(body, Permanent):
                return [body if each is envelope else ALONE for each in envelopes]
            bodies.append(body)
        headers = {"Idempotency-Key": idempotency_key(key), "Content-Type": "application/json"}
        written = b"[" + b",".join(bodies) + b"]"
        answer = await self._call("POST", f"{self._url}/batch", headers=headers, body=written)
        if not isinstance(answer, Answer):
            return [unanswered(answer)] * len(envelopes)
        is_own = any(isinstance(each.content, EmailContent) and self._is_own(each.content) for each in envelopes)
        return batch_results(answer, len(envelopes), self._now(), is_own_sender=is_own)

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Among what was sent since the first call: this recipient, this subject, and our tag.

        Where the provider does not give tags back, one single e-mail of these is taken for ours.
        """
        content, since = envelope.content, envelope.first_called_at
        if not isinstance(content, EmailContent) or since is None:
            return None
        found = [
            id
            async for id, to, subject in self._sent_since(since - _CLOCKS_DIFFER)
            if subject == content.subject and envelope.to.lower() in to and id not in envelope.taken
        ]
        untagged = []
        for id in found[:_CANDIDATES]:
            found_tag = await self._tag(id)
            if found_tag == tag(envelope):
                return Accepted(id)
            if found_tag is None:
                untagged.append(id)
        return Accepted(untagged[0]) if len(untagged) == 1 == len(found) else None

    async def health(self, account: str) -> Healthy | Unhealthy:
        """Nothing is asked: the first e-mail tells."""
        return Healthy()

    def _is_own(self, content: EmailContent) -> bool:
        return content.sender not in (None, "", self._sender)

    async def _sent_since(self, since: dt.datetime) -> AsyncIterator[tuple[str, list[str], str]]:
        """Id, recipients and subject, newest first; ends early where the list cannot be read."""
        after = ""
        for _ in range(_PAGES):
            answer = await self._call("GET", f"{self._url}?limit={_PAGE}{after}")
            rows = answer.field("data") if isinstance(answer, Answer) and answer.status == 200 else None
            if not isinstance(rows, list) or not rows:
                return
            for row in rows:
                id, created = _text(row, "id"), _instant(_text(row, "created_at"))
                if not id or (created is not None and created < since):
                    return
                to = row.get("to")
                yield id, [parseaddr(str(each))[1].lower() for each in _list(to)], _text(row, "subject")
            if not isinstance(answer, Answer) or answer.field("has_more") is not True:
                return
            after = f"&after={_text(rows[-1], 'id')}"

    async def _tag(self, id: str) -> str | None:
        """Our tag of this e-mail, empty if it has none of ours; None where tags are not given back."""
        answer = await self._call("GET", f"{self._url}/{id}")
        tags = answer.field("tags") if isinstance(answer, Answer) and answer.status == 200 else None
        if isinstance(tags, Mapping):
            return _text(tags, MESSAGE_TAG)
        if isinstance(tags, list):
            return next((_text(tag, "value") for tag in tags if _text(tag, "name") == MESSAGE_TAG), "")
        return None

    async def _call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer | NotSent | Lost:
        return await call(
            self._client,
            method,
            url,
            headers={**self._headers, **(headers or {})},
            body=body,
            timeout=self._timeout,
            turn=paced(self._pacer),
        )


def _text(row: Any, name: str) -> str:
    value = row.get(name) if isinstance(row, Mapping) else None
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _instant(text: str) -> dt.datetime | None:
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
