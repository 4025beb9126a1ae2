"""Messages and calls for the tests of the channels.

Here: envelopes, one call of a real sender over loopback. Not here: expectations.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr

from fisio_ayida.messaging.channels.calling import http_client
from fisio_ayida.messaging.channels.expo import ExpoSender
from fisio_ayida.messaging.channels.resend import ResendSender
from fisio_ayida.messaging.model import EmailContent, Envelope, PushContent, Result

T = TypeVar("T")
NOW = dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.UTC)
SENDER = "Clínica Sol <avisos@clinica.example>"
DEVICE = "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"


def email(id: int = 7, **content: Any) -> Envelope:
    """One e-mail; two of the same id have the same key."""
    words: dict[str, Any] = {"subject": "Sua sessão", "html": "<p>Amanhã às 9h</p>", "text": "Amanhã às 9h"}
    return Envelope(
        id=id,
        key=f"reminder:a{id}:2026-11-21t09:00:24h:email",
        channel="email",
        account="",
        organization_id="org",
        to="ana@example.org",
        content=EmailContent(**{**words, **content}),
    )


def push(id: int = 7, to: str = DEVICE, **content: Any) -> Envelope:
    """One push message."""
    words: dict[str, Any] = {"title": "Sua sessão", "body": "Amanhã às 9h"}
    return Envelope(
        id=id,
        key=f"reminder:a{id}:2026-11-21t09:00:24h:push",
        channel="push",
        account="",
        organization_id="org",
        to=to,
        content=PushContent(**{**words, **content}),
    )


def resend(url: str, client: httpx.AsyncClient, seconds: float = 20.0, pacer: Any = None) -> ResendSender:
    """A sender as the dispatcher makes it."""
    return ResendSender(
        url,
        SecretStr("re_secret"),
        sender=SENDER,
        client=client,
        pacer=pacer,
        timeout=dt.timedelta(seconds=seconds),
        now=lambda: NOW,
    )


def expo(url: str, client: httpx.AsyncClient, seconds: float = 20.0) -> ExpoSender:
    """A sender as the dispatcher makes it."""
    return ExpoSender(url, SecretStr("secret"), client=client, pacer=None, timeout=dt.timedelta(seconds=seconds))


def calling(work: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    """Do this with a client, on an event loop of its own."""

    async def main() -> T:
        async with http_client(20) as client:
            return await work(client)

    return asyncio.run(main())


def sent(url: str, *envelopes: Envelope, seconds: float = 20.0) -> list[Result]:
    """Send e-mails one after the other."""

    async def work(client: httpx.AsyncClient) -> list[Result]:
        sender = resend(url, client, seconds)
        return [await sender.send(envelope) for envelope in envelopes]

    return calling(work)


def pushed(url: str, *envelopes: Envelope, seconds: float = 20.0) -> list[Result]:
    """Send push messages one after the other."""

    async def work(client: httpx.AsyncClient) -> list[Result]:
        sender = expo(url, client, seconds)
        return [await sender.send(envelope) for envelope in envelopes]

    return calling(work)


def closed_port() -> str:
    """An address on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


class CountingPacer:
    """Grants every turn, and knows what was done with it."""

    def __init__(self) -> None:
        self.granted = self.told = self.held = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[CountingPacer]:
        self.granted += 1
        self.held += 1
        try:
            yield self
        finally:
            self.held -= 1

    def sent(self) -> None:
        self.told += 1
