"""What each template says, from its made-up example: the facts that matter, not the wording."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from fisio_ayida.messaging.model import Channel, Content, EmailContent, PushContent, WhatsappContent
from fisio_ayida.messaging.templates.registry import ROWS, TEMPLATES, Template, TemplateError
from fisio_ayida.messaging.templates.render import render

OUT = "https://clinica.example/descadastro?t=1&u=2"
EACH = [(row, channel) for row in ROWS for channel in row.channels]
NAMES = [f"{row.name}-{channel}" for row, channel in EACH]
# What follows from the patient's own message is no automatic one.
ANSWERS = {row.name for row in ROWS if row.name.startswith("reply_")}


def name(row: Template) -> str:
    return row.name


def words(content: Content) -> list[str]:
    """Every text that a person would see."""
    match content:
        case EmailContent():
            return [content.subject, content.html or "", content.text or ""]
        case WhatsappContent():
            return [content.text or ""]
        case PushContent():
            return [content.title, content.body]


def rendered(row: Template, channel: Channel, variables: dict[str, Any] | None = None, **more: Any) -> Content:
    given = row.example if variables is None else variables
    return render(row.name, channel, given, unsubscribe_url=OUT if channel == "email" else None, **more)


@pytest.mark.parametrize(("row", "channel"), EACH, ids=NAMES)
def test_json_and_native_variables_give_the_same_bytes(row: Template, channel: Channel) -> None:
    stored = msgspec.json.decode(msgspec.json.encode(row.example))
    assert msgspec.json.encode(rendered(row, channel, stored)) == msgspec.json.encode(rendered(row, channel))


@pytest.mark.parametrize(("row", "channel"), EACH, ids=NAMES)
def test_without_its_optional_variables_a_message_is_still_whole(row: Template, channel: Channel) -> None:
    least = {variable.name: variable.example for variable in row.variables if variable.required}
    for text in words(rendered(row, channel, least)):
        assert text.strip()
        visible = re.sub(r"<style.*?</style>|</?strong[^>]*>", "", text, flags=re.DOTALL)
        visible = re.sub(r"<[^>]*>", " ", visible)
        assert not re.search(r"None|undefined|\{\{|\{%| [,.;!]|\(\)|,,", visible), visible
    assert rendered(row, channel, {**dict.fromkeys(row.example), **least}) == rendered(row, channel, least)


@pytest.mark.parametrize(("row", "channel"), EACH, ids=NAMES)
def test_a_message_to_a_patient_names_the_clinic_and_says_the_first_name_only(
    row: Template, channel: Channel
) -> None:
    content = rendered(row, channel)
    whole = "\n".join(words(content))
    if row.to_patient:
        assert "Clínica Movimento & Ação" in whole
        assert "Araújo" not in whole
        assert channel == "push" or "Conceição" in whole


@pytest.mark.parametrize("row", [row for row in ROWS if row.to_patient and row.name not in ANSWERS], ids=name)
def test_every_automatic_whatsapp_message_offers_a_way_out(row: Template) -> None:
    content = rendered(row, "whatsapp")
    assert isinstance(content, WhatsappContent)
    assert "responda PARAR" in (content.text or "")


@pytest.mark.parametrize("row", [row for row in ROWS if row.to_patient and "email" in row.channels], ids=name)
def test_every_email_to_a_patient_carries_its_link_out_in_both_parts(row: Template) -> None:
    content = rendered(row, "email")
    assert isinstance(content, EmailContent)
    assert content.unsubscribe_url == OUT
    assert 'href="https://clinica.example/descadastro?t=1&amp;u=2"' in (content.html or "")
    assert OUT in (content.text or "")


@pytest.mark.parametrize(
    "row", [TEMPLATES[each] for each in ("birthday", "voucher_expiring", "reactivation")], ids=name
)
def test_marketing_is_not_mailed_without_a_link_out(row: Template) -> None:
    assert row.category == "marketing"
    with pytest.raises(TemplateError, match="needs unsubscribe_url"):
        render(row.name, "email", row.example)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//clinica.example/x", ""])
def test_a_link_out_is_a_link(link: str) -> None:
    with pytest.raises(TemplateError, match="unsubscribe_url"):
        render("birthday", "email", TEMPLATES["birthday"].example, unsubscribe_url=link)


@pytest.mark.parametrize("row", [row for row in ROWS if not row.to_patient], ids=name)
def test_the_staff_is_not_offered_to_unsubscribe(row: Template) -> None:
    content = rendered(row, "email")
    assert isinstance(content, EmailContent)
    assert content.unsubscribe_url is None
    assert all("descadastro" not in text for text in words(content))


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        (
            "appointment_confirmation",
            ["quinta-feira", "12/03/2026", "14:30", "com Dra. Helena Brandão", "Acácias"],
        ),
        ("appointment_reminder", ["amanhã", "12/03/2026", "14:30", "1 para confirmar", "2 para remarcar"]),
        ("appointment_reminder_today", ["hoje", "14:30", "1 para confirmar", "2 para remarcar"]),
        ("appointment_reminder_multi", ["2 sessões", "09:00, com Dra. Helena", "14:30, com Dr. João", "todas"]),
        (
            "appointment_reminder_today_multi",
            ["Hoje, 12/03/2026, você tem 2 sessões", "14:30", "1 para confirmar"],
        ),
        ("reply_confirmed", ["confirmada", "12/03/2026 às 14:30"]),
        ("reply_reschedule", ["recepção"]),
        ("reply_ambiguous", ["1 para confirmar", "2 para remarcar"]),
        ("reply_which", ["mais de uma sessão", "1 para confirmar", "2 para remarcar"]),
        ("reply_opt_out", ["não receberá mais", "VOLTAR"]),
        ("reply_opt_in", ["volta a receber", "PARAR"]),
        ("birthday", ["Feliz aniversário, Conceição!", "Helena"]),
        ("voucher_expiring", ["Pilates 10 sessões", "12/03/2026", "3 sessões"]),
        ("feedback_request", ["0 a 10"]),
        ("reactivation", ["retomar"]),
        ("payment_received", ["R$\xa01.234,50"]),
        ("payment_failed", ["R$\xa01.234,50", "não foi concluído"]),
        ("payment_refunded", ["R$\xa01.234,50", "estorno"]),
    ],
)
def test_whatsapp_says_the_facts(name: str, facts: list[str]) -> None:
    (text,) = words(rendered(TEMPLATES[name], "whatsapp"))
    assert [fact for fact in facts if fact not in text] == []
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("name", "subject", "facts"),
    [
        (
            "appointment_confirmation",
            "Sessão agendada: 12/03/2026 às 14:30",
            ["quinta-feira", "Acácias", "3333-0000"],
        ),
        ("appointment_reminder", "Lembrete: sessão amanhã às 14:30", ["12/03/2026", "14:30", "Helena"]),
        ("appointment_reminder_today", "Lembrete: sessão hoje às 14:30", ["12/03/2026", "14:30", "Helena"]),
        ("appointment_reminder_multi", "Suas sessões de amanhã, 12/03/2026", ["09:00", "14:30", "João Sertão"]),
        ("appointment_reminder_today_multi", "Suas sessões de hoje, 12/03/2026", ["2 sessões", "09:00"]),
        ("birthday", "Feliz aniversário, Conceição!", ["Helena"]),
        ("voucher_expiring", "Seu pacote vence em 12/03/2026", ["3 sessões", "Pilates"]),
        ("reactivation", "Vamos retomar seu acompanhamento?", ["reavaliação"]),
        ("payment_received", "Pagamento confirmado: R$\xa01.234,50", ["R$\xa01.234,50"]),
        ("payment_failed", "Pagamento não concluído", ["R$\xa01.234,50"]),
        ("payment_refunded", "Estorno registrado", ["R$\xa01.234,50"]),
        ("daily_report", "Relatório de 12/03/2026 – Clínica Movimento & Ação", ["24", "João Sertão", "1 falhou"]),
        (
            "weekly_summary",
            "Resumo da semana 09/03/2026 a 15/03/2026 – Clínica Movimento & Ação",
            ["17 de 22", "14% acima"],
        ),
        ("integrity_alert", "Alerta de integridade: 3 problemas", ["5f0c2a71, c19e44d0", "a7710be3"]),
        (
            "channel_alert",
            "Canal parado: evolution vitoria-01",
            ["12/03/2026 às 07:40", "desconectada", "org-0417"],
        ),
    ],
)
def test_an_email_says_the_facts_in_both_parts(name: str, subject: str, facts: list[str]) -> None:
    content = rendered(TEMPLATES[name], "email")
    assert isinstance(content, EmailContent)
    assert content.subject == subject
    for part in (content.html, content.text):
        assert [fact for fact in facts if fact not in (part or "")] == []
    assert "<" not in (content.text or "")


def test_push_says_when_and_where_and_nothing_else() -> None:
    content = rendered(TEMPLATES["appointment_reminder"], "push")
    assert isinstance(content, PushContent)
    assert (content.title, content.body) == ("Lembrete de sessão", "Amanhã às 14:30, Clínica Movimento & Ação")


def test_meta_is_handed_its_variables_in_order() -> None:
    content = rendered(TEMPLATES["appointment_reminder"], "whatsapp")
    assert isinstance(content, WhatsappContent)
    assert content.template_name == "lembrete_consulta_v1"
    assert content.template_variables == ("Conceição", "12/03/2026", "14:30")
    several = rendered(TEMPLATES["appointment_reminder_multi"], "whatsapp")
    assert isinstance(several, WhatsappContent)
    assert several.template_variables[-1] == "09:00 e 14:30"


def test_an_email_tells_to_answer_it_only_if_an_answer_reaches_the_clinic() -> None:
    row = TEMPLATES["appointment_reminder"]
    for reply_to, said in (("recepcao@clinica.example", True), (None, False)):
        content = rendered(row, "email", reply_to=reply_to, sender="Clínica <a@clinica.example>")
        assert isinstance(content, EmailContent)
        assert ("Responda a este e-mail" in (content.html or "")) is said
        assert ("Responda a este e-mail" in (content.text or "")) is said
        assert (content.reply_to, content.sender) == (reply_to, "Clínica <a@clinica.example>")


def test_an_answer_that_knows_nobody_is_still_an_answer() -> None:
    assert words(render("reply_confirmed", "whatsapp", {})) == ["Presença confirmada. Até lá!"]


def test_nothing_is_rendered_for_a_channel_that_a_template_does_not_have() -> None:
    for name, channel in (("feedback_request", "email"), ("birthday", "push"), ("welcome", "email")):
        with pytest.raises(TemplateError, match=f"'{name}' does not exist for {channel}"):
            render(name, channel, {})  # type: ignore[arg-type]
