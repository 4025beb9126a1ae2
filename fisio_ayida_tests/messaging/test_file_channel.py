"""The channel of who has set up nothing: files that a mail program opens, whole or not at all."""

from __future__ import annotations

import asyncio
import base64
import email
import json
import resource
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from fisio_ayida.messaging.channels.file import FileSender
from fisio_ayida.messaging.model import (
    Accepted,
    Attachment,
    Channel,
    ChannelDown,
    Envelope,
    Permanent,
    Result,
    WhatsappContent,
)
from fisio_ayida_tests.messaging import senders
from fisio_ayida_tests.messaging.senders import NOW, SENDER


def written(folder: Path, envelope: Envelope) -> Result:
    channel: Channel = envelope.channel
    return asyncio.run(FileSender(folder, channel, SENDER, lambda: NOW).send(envelope))


def mail(folder: Path, envelope: Envelope) -> EmailMessage:
    """The file of an e-mail, as a mail program reads it."""
    answer = written(folder, envelope)
    assert isinstance(answer, Accepted)
    return email.message_from_bytes((folder / answer.provider_id).read_bytes(), policy=policy.default)


def test_an_email_opens_with_both_bodies_attachments_and_unsubscribing(tmp_path: Path) -> None:
    read = mail(
        tmp_path,
        senders.email(
            subject="Sessão de amanhã — João",
            cc=("familia@example.org", "b@example.org"),
            reply_to="recepcao@clinica.example",
            attachments=(Attachment("guia é.pdf", base64.b64encode(b"%PDF").decode(), "application/pdf"),),
            unsubscribe_url="https://clinica.example/sair?" + "t" * 200,
        ),
    )
    assert read["From"] == SENDER
    assert read["To"] == "ana@example.org"
    assert read["Cc"] == "familia@example.org, b@example.org"
    assert read["Reply-To"] == "recepcao@clinica.example"
    assert read["Subject"] == "Sessão de amanhã — João"
    assert read["Date"].datetime == NOW
    assert read["Message-ID"].endswith("@clinica.example>")
    assert read["List-Unsubscribe"].replace(" ", "") == f"<https://clinica.example/sair?{'t' * 200}>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    html, text = read.get_body(("html",)), read.get_body(("plain",))
    assert html is not None and "<p>Amanhã às 9h</p>" in html.get_content()
    assert text is not None and "Amanhã às 9h" in text.get_content()
    (attachment,) = read.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("guia é.pdf", b"%PDF")


@pytest.mark.parametrize(("html", "text"), [("<p>Oi</p>", None), (None, "Oi")])
def test_an_email_with_one_body_has_that_body(tmp_path: Path, html: str | None, text: str | None) -> None:
    read = mail(tmp_path, senders.email(html=html, text=text))
    assert read.get_content_type() == ("text/html" if html else "text/plain")
    assert "Oi" in read.get_content()


def test_the_same_key_is_the_same_file_and_the_same_message_id(tmp_path: Path) -> None:
    first, again = mail(tmp_path, senders.email()), mail(tmp_path, senders.email())
    assert first["Message-ID"] == again["Message-ID"]
    assert [path.name for path in (tmp_path / "email").iterdir()] == [
        "7-reminder_a7_2026-11-21t09_00_24h_email.eml"
    ]


def test_what_a_killed_process_left_is_hidden_and_replaced(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / ".7-reminder_a7_2026-11-21t09_00_24h_email.eml.part").write_bytes(b"From: hal")
    mail(tmp_path, senders.email())
    assert [path.suffix for path in (tmp_path / "email").iterdir()] == [".eml"]


def test_a_whatsapp_message_is_readable_json(tmp_path: Path) -> None:
    envelope = Envelope(
        id=9,
        key="birthday:p1:2026:whatsapp",
        channel="whatsapp",
        account="fisioflow",
        organization_id="org",
        to="5511999998888",
        content=WhatsappContent(text="Feliz aniversário, João!"),
    )
    answer = written(tmp_path, envelope)
    assert answer == Accepted("whatsapp/9-birthday_p1_2026_whatsapp.json")
    text = (tmp_path / "whatsapp/9-birthday_p1_2026_whatsapp.json").read_text()
    assert "Feliz aniversário, João!" in text
    assert json.loads(text)["to"] == "5511999998888"


def test_a_push_message_is_readable_json(tmp_path: Path) -> None:
    answer = written(tmp_path, senders.push())
    assert isinstance(answer, Accepted)
    assert json.loads((tmp_path / answer.provider_id).read_text())["content"]["title"] == "Sua sessão"


def test_a_key_leads_nowhere_else(tmp_path: Path) -> None:
    envelope = replace(senders.push(), key="../../../" + "x" * 240)
    answer = written(tmp_path, envelope)
    assert isinstance(answer, Accepted)
    assert (tmp_path / answer.provider_id).resolve().parent == tmp_path / "push"


def test_only_its_owner_reads_a_file(tmp_path: Path) -> None:
    answer = written(tmp_path, senders.email())
    assert isinstance(answer, Accepted)
    assert (tmp_path / answer.provider_id).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "envelope",
    [
        senders.email(subject="Oi\r\nBcc: x@example.org"),
        senders.email(html=None, text=None),
        senders.email(attachments=(Attachment("a", "no base64!"),)),
        senders.email(text="\ud800"),
        senders.push(data={"when": object()}),
    ],
)
def test_what_can_be_no_message_is_refused(tmp_path: Path, envelope: Envelope) -> None:
    assert isinstance(written(tmp_path, envelope), Permanent)
    assert list(tmp_path.rglob("*.*")) == []


def test_a_folder_that_cannot_be_written_closes_the_channel(tmp_path: Path) -> None:
    (tmp_path / "email").write_text("in the way")
    answer = written(tmp_path, senders.email())
    assert isinstance(answer, ChannelDown)
    assert str(tmp_path) in answer.reason


def test_a_disk_that_takes_no_more_closes_the_channel_and_leaves_no_half_file(tmp_path: Path) -> None:
    big = senders.email(text="x" * 100_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        answer = written(tmp_path, big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert isinstance(answer, ChannelDown)
    assert list((tmp_path / "email").iterdir()) == []
    assert isinstance(written(tmp_path, big), Accepted)
