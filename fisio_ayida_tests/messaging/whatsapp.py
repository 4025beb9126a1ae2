"""Messages and calls for the tests of both WhatsApp channels.

Here: envelopes, one call of a real sender over loopback. Not here: expectations.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr

from fisio_ayida.messaging.channels.calling import Pacer
from fisio_ayida.messaging.channels.evolution import EvolutionSender
from fisio_ayida.messaging.channels.meta import MetaSender
from fisio_ayida.messaging.model import Envelope, Result, WhatsappContent
from fisio_ayida_tests.messaging.senders import calling

T = TypeVar("T")
PHONE = "5511999990001"
# Santa Maria, whose area code is the country's.
SANTA_MARIA = "5555999990002"
PROBE = "5511999990009"
NUMBER_ID = "100000000000001"
WORDS = "Sua sessão é amanhã às 9h. 😀"


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def message(id: int = 7, to: str = PHONE, account: str = "fisioflow", **content: Any) -> Envelope:
    """One message; a text if nothing else is said. It was called for just now."""
    return Envelope(
        id=id,
        key=f"reminder:a{id}:2026-11-21t09:00:24h:whatsapp",
        channel="whatsapp",
        account=account,
        organization_id="org",
        to=to,
        content=WhatsappContent(**(content or {"text": WORDS})),
        first_called_at=utc_now(),
    )


def template(*variables: str, account: str = "fisioflow", **more: Any) -> Envelope:
    """One template message."""
    return message(account=account, template_name="lembrete_consulta_v1", template_variables=variables, **more)


def evolution(
    url: str,
    work: Callable[[EvolutionSender], Awaitable[T]],
    *,
    seconds: float = 20.0,
    key: str = "evolution-key",
    probe: str | None = None,
    clock_for: Callable[[str], Pacer | None] = lambda account: None,
) -> T:
    """Do this with a sender as the dispatcher makes it."""

    async def main(client: httpx.AsyncClient) -> T:
        sender = EvolutionSender(
            url,
            SecretStr(key),
            client=client,
            clock_for=clock_for,
            probe_number=probe,
            timeout=dt.timedelta(seconds=seconds),
            now=utc_now,
        )
        return await work(sender)

    return calling(main)


def by_evolution(url: str, envelope: Envelope, **options: Any) -> Result:
    """Send one message through Evolution."""
    result: Result = evolution(url, lambda sender: sender.send(envelope), **options)
    return result


def meta(url: str, work: Callable[[MetaSender], Awaitable[T]], *, seconds: float = 20.0, token: str = "") -> T:
    """Do this with a sender as the dispatcher makes it."""

    async def main(client: httpx.AsyncClient) -> T:
        sender = MetaSender(
            url,
            SecretStr(token or "meta-token"),
            client=client,
            clock_for=lambda account: None,
            timeout=dt.timedelta(seconds=seconds),
        )
        return await work(sender)

    return calling(main)


def by_meta(url: str, envelope: Envelope, **options: Any) -> Result:
    """Send one message through Meta."""
    result: Result = meta(url, lambda sender: sender.send(envelope), **options)
    return result
