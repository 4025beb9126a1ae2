"""WhatsApp through Evolution API: a phone's own session, or Meta behind it (CONTRACT clinic §6.1 to §6.4).

Here: the calls. There is no idempotency: what may have left is never sent again, only looked for. Not here: what
is sent (``evolution_payload.py``), what an answer means (``evolution_answers.py``), which record is ours
(``evolution_lookup.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx
import msgspec
from pydantic import SecretStr

from fisio_ayida.messaging.channels.calling import Answer, Lost, NotSent, Pacer, call, paced, unanswered
from fisio_ayida.messaging.channels.evolution_answers import result
from fisio_ayida.messaging.channels.evolution_lookup import PAGE, Ours, jids
from fisio_ayida.messaging.channels.evolution_payload import MEDIA, payload
from fisio_ayida.messaging.model import (
    Accepted,
    Channel,
    Envelope,
    Healthy,
    Permanent,
    Result,
    Unhealthy,
    WhatsappContent,
)

# 500 messages to one person in a quarter of an hour: what is further back is not worth the calls.
_PAGES: Final = 10
# There is no area code 20. Evolution keeps whom it once found for days and then asks nobody; whom it did not find,
# it asks about every time: only so does a look-up reach WhatsApp.
_NOBODY: Final = "5520900000000"


class EvolutionSender:
    """One Evolution installation and its instances; a message's account is the instance.

    Args:
        client: from :func:`calling.http_client`; closed by who made it.
        clock_for: the clock of an instance; None where its pace is not limited.
        probe_number: digits of a number that is on WhatsApp, for :meth:`health`; None: the instance's word counts.
        now: with a zone; the end of what is looked through when a message was called for more than once.
    """

    provider: Literal["evolution"] = "evolution"
    channel: Channel = "whatsapp"
    repeats_safely = False
    repeat_within = dt.timedelta(0)
    can_look_up = True

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        client: httpx.AsyncClient,
        clock_for: Callable[[str], Pacer | None],
        probe_number: str | None,
        is_cloud: bool = False,
        timeout: dt.timedelta,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"apikey": api_key.get_secret_value(), "Content-Type": "application/json"}
        self._client = client
        self._clock_for = clock_for
        self._probe_number = probe_number
        self._is_cloud = is_cloud
        self._timeout = timeout
        self._now = now

    async def send(self, envelope: Envelope) -> Result:
        """One message to one instance."""
        content = envelope.content
        if not isinstance(content, WhatsappContent):
            words = f"evolution carries WhatsApp messages, not {envelope.channel}"
            return Permanent("not_a_whatsapp", words, called=False)
        asked = payload(content, envelope.to, is_cloud=self._is_cloud)
        if isinstance(asked, Permanent):
            return asked
        route, body = asked
        answer = await self._call("POST", route, envelope.account, body, self._clock_for(envelope.account))
        return result(answer, media=route == MEDIA) if isinstance(answer, Answer) else unanswered(answer)

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        """Among what the instance stored: this number in all its forms, this time, exactly these words."""
        content, since = envelope.content, envelope.first_called_at
        if not isinstance(content, WhatsappContent) or since is None:
            return None
        ours = Ours(content, since, self._now() if envelope.attempt > 1 else None)
        if not ours.words:
            return None
        async for jid in self._names(envelope):
            if id := ours.earliest(await self._stored(envelope.account, ours.where(jid)), envelope.taken):
                return Accepted(id)
        return None

    async def health(self, account: str) -> Healthy | Unhealthy:
        """Whether the instance is connected, and with a probe number whether it really reaches WhatsApp."""
        answer = await self._call("GET", "instance/connectionState", account)
        if not isinstance(answer, Answer):
            return Unhealthy(f"Evolution does not answer: {answer.reason}")
        if answer.status != 200:
            return Unhealthy(f"Evolution does not tell the instance's state: HTTP {answer.status}")
        state = answer.text("instance", "state")
        if state != "open":
            return Unhealthy(f"the instance is not connected: {state or 'not loaded'}")
        if self._probe_number is None:
            return Healthy()
        found = await self._numbers(account, self._probe_number, _NOBODY)
        if found is None:
            return Unhealthy("the instance says open, but a look-up fails")
        if not any(one.get("exists") is True and one.get("number") == self._probe_number for one in found):
            return Unhealthy("the instance says open, but does not find EVOLUTION_PROBE_NUMBER on WhatsApp")
        return Healthy()

    async def _stored(self, account: str, where: dict[str, Any]) -> list[Any]:
        """All records that answer the question; as many as could be read."""
        records: list[Any] = []
        for page in range(1, _PAGES + 1):
            body = msgspec.json.encode({"where": where, "page": page, "offset": PAGE})
            answer = await self._call("POST", "chat/findMessages", account, body)
            if not isinstance(answer, Answer) or answer.status != 200:
                break
            found = answer.field("messages", "records")
            if not isinstance(found, list) or not found:
                break
            records += found
            pages = answer.field("messages", "pages")
            if not isinstance(pages, int) or page >= pages:
                break
        return records

    async def _names(self, envelope: Envelope) -> AsyncIterator[str]:
        """The addresses of this number that we know, then those and the alias that WhatsApp gives for it."""
        known = jids(envelope.to)
        for jid in known:
            yield jid
        for one in await self._numbers(envelope.account, envelope.to) or []:
            for name in (one.get("jid"), one.get("lid")):
                if isinstance(name, str) and name and name not in known:
                    yield name

    async def _numbers(self, account: str, *numbers: str) -> list[dict[str, Any]] | None:
        answer = await self._call(
            "POST", "chat/whatsappNumbers", account, msgspec.json.encode({"numbers": numbers})
        )
        if not isinstance(answer, Answer) or answer.status != 200 or not isinstance(answer.json, list):
            return None
        return [one for one in answer.json if isinstance(one, dict)]

    async def _call(
        self, method: str, route: str, account: str, body: bytes = b"", pacer: Pacer | None = None
    ) -> Answer | NotSent | Lost:
        return await call(
            self._client,
            method,
            f"{self._base_url}/{route}/{quote(account, safe='')}",
            headers=self._headers,
            body=body,
            timeout=self._timeout,
            turn=paced(pacer),
        )
