"""The check before going live: one line for each setting that is missing or dangerous."""

from __future__ import annotations

import pytest

from fisio_ayida.messaging import readiness
from fisio_ayida.settings import Settings

LIVE = {
    "RESEND_API_KEY": "k", "RESEND_FROM_EMAIL": "a@clinica.com.br",
    "RESEND_WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OQ==",
    "EVOLUTION_API_KEY": "k", "EVOLUTION_BASE_URL": "https://evolution.clinica.com.br",
    "EVOLUTION_PROBE_NUMBER": "5511987654321", "EVOLUTION_WEBHOOK_TOKEN": "t", "EXPO_ACCESS_TOKEN": "t",
    "MESSAGING_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "MESSAGING_HASH_KEY": "h",
    "GATEWAY_PUBLIC_URL": "https://eventos.clinica.com.br", "MESSAGING_ALERTS_TO": "ops@clinica.com.br",
}  # fmt: skip
META = {
    "MESSAGING_WHATSAPP": "meta", "WHATSAPP_ACCESS_TOKEN": "t", "WHATSAPP_PHONE_NUMBER_ID": "1",
    "WHATSAPP_APP_SECRET": "s", "WHATSAPP_VERIFY_TOKEN": "v",
}  # fmt: skip


@pytest.mark.parametrize("settings", [LIVE, LIVE | META])
def test_complete_settings_are_ready(settings: dict[str, str]) -> None:
    seen = readiness.findings(Settings.load(settings))
    assert [(f.about, f.level) for f in seen] == [("email", "ok"), ("whatsapp", "ok"), ("push", "ok")]


@pytest.mark.parametrize(
    ("without", "settings", "level"),
    [
        ("RESEND_API_KEY", LIVE, "stops"),
        ("RESEND_API_KEY", LIVE | {"MESSAGING_EMAIL": "resend"}, "stops"),
        ("RESEND_FROM_EMAIL", LIVE, "stops"),
        ("RESEND_WEBHOOK_SECRET", LIVE, "mind"),
        ("EVOLUTION_API_KEY", LIVE, "stops"),
        ("EVOLUTION_BASE_URL", LIVE, "mind"),
        ("EVOLUTION_PROBE_NUMBER", LIVE, "mind"),
        ("EVOLUTION_WEBHOOK_TOKEN", LIVE, "mind"),
        ("EXPO_ACCESS_TOKEN", LIVE, "stops"),
        ("EXPO_ACCESS_TOKEN", LIVE | {"MESSAGING_PUSH": "expo"}, "mind"),
        ("EXPO_ACCESS_TOKEN", LIVE | {"MESSAGING_PUSH": "file"}, "mind"),
        ("WHATSAPP_ACCESS_TOKEN", LIVE | META, "stops"),
        ("WHATSAPP_PHONE_NUMBER_ID", LIVE | META, "stops"),
        ("WHATSAPP_APP_SECRET", LIVE | META, "mind"),
        ("WHATSAPP_VERIFY_TOKEN", LIVE | META, "mind"),
        ("MESSAGING_KEY", LIVE, "mind"),
        ("MESSAGING_HASH_KEY", LIVE, "mind"),
        ("GATEWAY_PUBLIC_URL", LIVE, "mind"),
        ("MESSAGING_ALERTS_TO", LIVE, "mind"),
    ],
)
def test_each_missing_setting_has_its_line(without: str, settings: dict[str, str], level: str) -> None:
    seen = readiness.findings(Settings.load({k: v for k, v in settings.items() if k != without}))
    [line] = [f for f in seen if f.level != "ok"]
    named = without if without != "EVOLUTION_BASE_URL" else "the machine itself"
    meant = "MESSAGING_PUSH" if settings.get("MESSAGING_PUSH") == "file" else named
    assert line.level == level and meant in line.words


def test_a_malformed_key_stops_messages_and_is_not_shown() -> None:
    [line] = [f for f in readiness.findings(Settings.load(LIVE | {"MESSAGING_KEY": "geheim"})) if f.level != "ok"]
    assert line.level == "stops" and "geheim" not in line.words


@pytest.mark.parametrize(
    ("url", "wanted"),
    [("http://localhost:1/x", True), ("http://[::1]:1", True), ("http://0.0.0.0", True), ("https://a.de", False)],
)
def test_an_address_of_this_machine_is_known_as_such(url: str, wanted: bool) -> None:
    assert readiness.is_loopback(url) is wanted
