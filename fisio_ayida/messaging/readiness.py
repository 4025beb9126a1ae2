"""Whether these settings would send messages for real, and what is dangerous about them.

Pure: no call, no database. Here: one line for each thing that is missing. Not here: which provider serves which
channel (``service.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from fisio_ayida.messaging import service
from fisio_ayida.messaging.model import CHANNELS, Channel
from fisio_ayida.messaging.sealing import Sealer, SealError
from fisio_ayida.settings import Settings

Level = Literal["ok", "mind", "stops"]

_DEFAULT_FROM: Final = Settings.model_fields["messaging_from"].default
#: What turns each channel on.
_CHOICES: Final[dict[Channel, str]] = {
    "email": "RESEND_API_KEY",
    "whatsapp": "EVOLUTION_API_KEY or WHATSAPP_ACCESS_TOKEN",
    "push": "EXPO_ACCESS_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``level``: "stops" keeps messages from being sent for real, "mind" lets them go with a danger."""

    about: str
    provider: str
    address: str
    level: Level
    words: str


def findings(settings: Settings) -> list[Finding]:
    """What is to be said of each channel and of messaging as a whole; a channel without a fault has one "ok"."""
    found = []
    for channel in CHANNELS:
        provider, address = service.providers(settings)[channel], _address(settings, channel)
        lines = list(_channel(settings, channel, provider, address))
        found += [Finding(channel, provider, address, *line) for line in lines or [("ok", "")]]
    whole: list[tuple[Level, str]] = [*_whole(settings)]
    return found + [Finding("everything", "", "", *line) for line in whole]


def _address(settings: Settings, channel: Channel) -> str:
    provider = service.providers(settings)[channel]
    account = service.accounts(settings)[channel]
    address = {
        "resend": settings.resend_base_url,
        "evolution": settings.evolution_base_url,
        "meta": settings.whatsapp_base_url,
        "expo": settings.expo_base_url,
        "file": str(settings.home / "outbox" / channel),
    }[provider]
    return f"{address} ({account})" if account else address


def _channel(settings: Settings, channel: Channel, provider: str, address: str) -> Iterator[tuple[Level, str]]:
    if provider == "file":
        yield from _file(settings, channel)
        return
    if is_loopback(address):
        yield "mind", "this is the machine itself: a stand-in, or a server of your own beside it"
    if provider == "resend":
        if settings.resend_api_key is None:
            yield "stops", "RESEND_API_KEY is missing"
        if settings.messaging_from == _DEFAULT_FROM:
            yield "stops", f"RESEND_FROM_EMAIL is still {_DEFAULT_FROM}: Resend refuses a domain that is not yours"
        if settings.resend_webhook_secret is None:
            yield "mind", "RESEND_WEBHOOK_SECRET is missing: no receipts, and bounces are written to again"
    elif provider == "evolution":
        if settings.evolution_api_key is None:
            yield "stops", "EVOLUTION_API_KEY is missing"
        if settings.evolution_probe_number is None:
            yield (
                "mind",
                "EVOLUTION_PROBE_NUMBER is missing: an instance that only says it is connected is believed",
            )
        if settings.evolution_webhook_token is None:
            yield "mind", "EVOLUTION_WEBHOOK_TOKEN is missing: no receipts, no replies, and so no PARAR"
    elif provider == "meta":
        if settings.whatsapp_access_token is None:
            yield "stops", "WHATSAPP_ACCESS_TOKEN is missing"
        if settings.whatsapp_phone_number_id is None:
            yield "stops", "WHATSAPP_PHONE_NUMBER_ID is missing"
        if settings.whatsapp_app_secret is None:
            yield "mind", "WHATSAPP_APP_SECRET is missing: no receipts, no replies, and so no PARAR"
        if settings.whatsapp_verify_token is None:
            yield "mind", "WHATSAPP_VERIFY_TOKEN is missing: Meta cannot set the webhook up"
    elif settings.expo_access_token is None:
        yield "mind", "EXPO_ACCESS_TOKEN is missing: whoever knows a token may push to it"


def _file(settings: Settings, channel: Channel) -> Iterator[tuple[Level, str]]:
    name = f"MESSAGING_{channel.upper()}"
    if getattr(settings, name.lower()) == "file":
        yield "mind", f"{name}=file: messages become files, and nobody receives them"
    else:
        way = f"set {_CHOICES[channel]}, or {name}=file if that is meant"
        yield "stops", f"messages become files, and nobody receives them: {way}"


def _whole(settings: Settings) -> Iterator[tuple[Level, str]]:
    if settings.messaging_key is None:
        yield (
            "mind",
            "MESSAGING_KEY is missing: bodies are not kept but made again, from what the cause is by then",
        )
    else:
        try:
            Sealer.of(settings.messaging_key)
        except SealError as error:
            yield "stops", str(error)
    if settings.messaging_hash_key is None:
        yield "mind", "MESSAGING_HASH_KEY is missing: whoever has the database can try all telephone numbers"
    if is_loopback(settings.gateway_public_url):
        yield "mind", "GATEWAY_PUBLIC_URL is this machine: nobody can unsubscribe, and no webhook arrives"
    if settings.messaging_alerts_to is None:
        yield "mind", "MESSAGING_ALERTS_TO is missing: nobody is told when a channel is down"


def is_loopback(url: str) -> bool:
    """Whether an address leads nowhere but to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
