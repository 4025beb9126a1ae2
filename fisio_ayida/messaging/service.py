"""Messaging put together from the settings: the outbox, the senders with their clients and clocks, the dispatcher.

Here: which provider serves which channel, and at what pace. Not here: what any of them does.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import psycopg
from pydantic import SecretStr

from fisio_ayida.messaging.channels.calling import http_client
from fisio_ayida.messaging.channels.evolution import EvolutionSender
from fisio_ayida.messaging.channels.expo import ExpoSender
from fisio_ayida.messaging.channels.file import FileSender
from fisio_ayida.messaging.channels.meta import MetaSender
from fisio_ayida.messaging.channels.resend import ResendSender
from fisio_ayida.messaging.claims import capacity
from fisio_ayida.messaging.dispatcher import Dispatcher
from fisio_ayida.messaging.letters import Letters
from fisio_ayida.messaging.model import Channel, MessagingError, Sender
from fisio_ayida.messaging.outbox import Outbox
from fisio_ayida.messaging.sealing import Hasher, Sealer
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import Log
from fisio_ayida.warehouse.clinic import open_clinic
from fisio_ayida.warehouse.clock import RequestClock
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl

# 10 a second are spaced by 102 ms: air for the way to the provider, who counts arrivals.
SPACING_MARGIN = 1.02
#: Calls that a clock lets be under way at once; the pace is in the starts.
_OVERLAP = 1000


def open_outbox(conn: psycopg.Connection[Any], settings: Settings) -> Outbox:
    """The outbox of these settings.

    Raises:
        SealError: MESSAGING_KEY is malformed, or MESSAGING_HASH_KEY is another than it was.
    """
    hasher = Hasher.open(conn, settings.messaging_hash_key)
    sealer = Sealer.of(settings.messaging_key)
    letters = Letters(sealer, hasher, settings.gateway_public_url, settings.messaging_alerts_to)
    return Outbox(letters, accounts(settings)["whatsapp"])


def providers(settings: Settings) -> dict[Channel, str]:
    """Who serves each channel."""
    whatsapp = settings.messaging_whatsapp
    if whatsapp == "auto":
        whatsapp = (
            "evolution" if settings.evolution_api_key else "meta" if settings.whatsapp_access_token else "file"
        )
    email, push = settings.messaging_email, settings.messaging_push
    return {
        "email": ("resend" if settings.resend_api_key else "file") if email == "auto" else email,
        "whatsapp": whatsapp,
        "push": ("expo" if settings.expo_access_token else "file") if push == "auto" else push,
    }


def repeat_within(provider: str) -> dt.timedelta:
    """For how long a provider knows a repeated call; zero: never."""
    senders = (FileSender, ResendSender, EvolutionSender, MetaSender, ExpoSender)
    return next(s.repeat_within for s in senders if s.provider == provider)


def rates(settings: Settings) -> dict[Channel, float]:
    """Messages a second of one account; 0: no pace."""
    by_provider = {
        "file": 0.0,
        "resend": settings.resend_requests_per_second,
        "evolution": settings.evolution_requests_per_second,
        "meta": settings.whatsapp_requests_per_second,
        "expo": 0.0,
    }
    return {channel: by_provider[provider] for channel, provider in providers(settings).items()}


def accounts(settings: Settings) -> dict[Channel, str]:
    """The account of messages that name none."""
    names = {"evolution": settings.evolution_instance, "meta": settings.whatsapp_phone_number_id or ""}
    return {channel: names.get(provider, "") for channel, provider in providers(settings).items()}


def lease(settings: Settings) -> dt.timedelta:
    """Longer than a claimed message can wait for its turn, be called, and be written down."""
    paced = [rate for rate in rates(settings).values() if rate]
    turns = [SPACING_MARGIN * capacity(rate, settings.messaging_in_flight) / rate for rate in paced]
    return dt.timedelta(seconds=2 * settings.messaging_timeout_seconds + 60 + max(turns, default=0.0))


@asynccontextmanager
async def open_senders(
    settings: Settings, url: DatabaseUrl, *, now: Callable[[], dt.datetime]
) -> AsyncIterator[Mapping[Channel, Sender]]:
    """One sender for each channel, with their HTTP client and clocks, which are closed at the end.

    Raises:
        MessagingError: a provider was named, and a setting that it needs is missing.
    """
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(http_client(3 * settings.messaging_in_flight))
        clocks = _Clocks(settings, url, stack)
        yield {
            channel: _sender(channel, provider, settings, client, clocks, now)
            for channel, provider in providers(settings).items()
        }


@asynccontextmanager
async def open_dispatcher(
    settings: Settings,
    warehouse: Warehouse,
    *,
    run_id: str,
    now: Callable[[], dt.datetime],
    jitter: Callable[[], float],
    log: Log,
) -> AsyncIterator[Dispatcher]:
    """The dispatcher of these settings.

    Raises:
        MessagingError: a setting is malformed or missing.
        WarehouseError: CLINIC_DATABASE_URL does not answer.
    """
    with warehouse.connect(autocommit=True) as conn:
        outbox = open_outbox(conn, settings)
    async with AsyncExitStack() as stack:
        clinic = stack.enter_context(open_clinic(settings, warehouse))
        senders = await stack.enter_async_context(open_senders(settings, warehouse.url, now=now))
        yield Dispatcher(
            connect=lambda: warehouse.connect(autocommit=True, application_name="fisio_ayida dispatch"),
            senders=senders,
            outbox=outbox,
            clinic=clinic,
            rates=rates(settings),
            accounts=accounts(settings),
            in_flight=settings.messaging_in_flight,
            lease=lease(settings),
            run_id=run_id,
            alerts_to=settings.messaging_alerts_to,
            now=now,
            jitter=jitter,
            monotonic=time.monotonic,
            pause=lambda length: time.sleep(length.total_seconds()),
            log=log,
        )


class _Clocks:
    """The clocks of one process, made when they are first asked for."""

    def __init__(self, settings: Settings, url: DatabaseUrl, stack: AsyncExitStack) -> None:
        self._url, self._stack = url, stack
        self._lease = lease(settings)
        self._clocks: dict[str, RequestClock] = {}

    def of(self, service: str, per_second: float) -> RequestClock | None:
        """The clock of a provider's account; None where nothing is paced."""
        if not per_second:
            return None
        if service not in self._clocks:
            clock = RequestClock(
                self._url, service, spacing=dt.timedelta(seconds=SPACING_MARGIN / per_second),
                max_in_flight=_OVERLAP, lease=self._lease,
            )  # fmt: skip
            self._stack.push_async_callback(clock.close)
            self._clocks[service] = clock
        return self._clocks[service]


def _sender(
    channel: Channel, provider: str, settings: Settings, client: httpx.AsyncClient, clocks: _Clocks,
    now: Callable[[], dt.datetime],
) -> Sender:  # fmt: skip
    timeout = dt.timedelta(seconds=settings.messaging_timeout_seconds)
    if provider == "resend":
        return ResendSender(
            settings.resend_base_url, _needed("RESEND_API_KEY", settings.resend_api_key),
            sender=settings.messaging_from, client=client, timeout=timeout, now=now,
            pacer=clocks.of("resend", settings.resend_requests_per_second),
        )  # fmt: skip
    if provider == "evolution":
        rate = settings.evolution_requests_per_second
        return EvolutionSender(
            settings.evolution_base_url, _needed("EVOLUTION_API_KEY", settings.evolution_api_key), client=client,
            timeout=timeout, clock_for=lambda account: clocks.of(f"evolution:{account}", rate),
            probe_number=settings.evolution_probe_number, is_cloud=settings.evolution_is_cloud, now=now,
        )  # fmt: skip
    if provider == "meta":
        rate = settings.whatsapp_requests_per_second
        if settings.whatsapp_phone_number_id is None:
            raise MessagingError("WHATSAPP_PHONE_NUMBER_ID is missing: messages would have no sender")
        return MetaSender(
            settings.whatsapp_base_url, _needed("WHATSAPP_ACCESS_TOKEN", settings.whatsapp_access_token),
            client=client, timeout=timeout, clock_for=lambda account: clocks.of(f"meta:{account}", rate),
        )  # fmt: skip
    if provider == "expo":
        return ExpoSender(
            settings.expo_base_url, settings.expo_access_token, client=client, pacer=None, timeout=timeout
        )
    return FileSender(settings.home / "outbox", channel, settings.messaging_from, now)


def _needed(name: str, value: SecretStr | None) -> SecretStr:
    if value is None:
        raise MessagingError(f"{name} is missing, and the channel that needs it was asked for")
    return value
