"""Values to texts: edges of dates, amounts and plurals, hostile names, and what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fisio_ayida.messaging.model import EmailContent, MessagingError, WhatsappContent
from fisio_ayida.messaging.templates import formats
from fisio_ayida.messaging.templates.registry import TEMPLATES
from fisio_ayida.messaging.templates.render import VariableError, render

REMINDER = TEMPLATES["appointment_reminder"].example
BIRTHDAY = TEMPLATES["birthday"].example


def whatsapp(name: str, **variables: Any) -> str:
    content = render(name, "whatsapp", {**TEMPLATES[name].example, **variables})
    assert isinstance(content, WhatsappContent)
    return content.text or ""


def email(name: str, **variables: Any) -> EmailContent:
    given_ = {**TEMPLATES[name].example, **variables}
    content = render(name, "email", given_, unsubscribe_url="https://clinica.example/x")
    assert isinstance(content, EmailContent)
    return content


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (dt.date(2028, 2, 29), "29/02/2028"),
        ("2028-02-29", "29/02/2028"),
        (dt.date(2026, 1, 1), "01/01/2026"),
        (dt.date(2026, 12, 31), "31/12/2026"),
    ],
)
def test_days(value: Any, shown: str) -> None:
    assert formats.day(value) == shown


def test_a_weekday_follows_from_the_day() -> None:
    assert "terça-feira, 29/02/2028" in whatsapp("appointment_confirmation", data="2028-02-29")
    assert "sábado, 14/03/2026" in whatsapp("appointment_confirmation", data=dt.date(2026, 3, 14))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0,00"),
        (Decimal("0.05"), "0,05"),
        ("150", "150,00"),
        (150, "150,00"),
        ("1234.5", "1.234,50"),
        (149.9, "149,90"),
        (0.1 + 0.2, "0,30"),
        (Decimal("1234567.89"), "1.234.567,89"),
    ],
)
def test_money(value: Any, shown: str) -> None:
    assert formats.money(value) == f"R$\xa0{shown}"


@pytest.mark.parametrize(("number", "shown"), [(1, "1 sessão"), (2, "2 sessões"), (1234, "1.234 sessões")])
def test_plurals(number: int, shown: str) -> None:
    assert f"ainda tem {shown}." in whatsapp("voucher_expiring", saldo=number)


def test_a_list_of_one_and_of_three_visits() -> None:
    one = [{"hora": "09:00"}]
    three = [
        *one,
        {"hora": dt.time(10, 15), "profissional": None},
        {"hora": "11:30:00", "profissional": "Dr. Rui"},
    ]
    text = whatsapp("appointment_reminder_multi", visitas=one)
    assert "1 sessão na" in text
    assert "\n09:00\n" in text
    content = render("appointment_reminder_multi", "push", {**TEMPLATES["appointment_reminder_multi"].example,
                                                            "visitas": three})  # fmt: skip
    assert "09:00, 10:15 e 11:30" in msgspec.json.encode(content).decode()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Ana Maria", "Ana"),
        ("  Zé  ", "Zé"),
        ("JOÃO PAULO", "João"),
        ("D'ÁVILA COSTA", "D'Ávila"),
        ("JP Souza", "JP"),
        ("bell hooks", "bell"),
        ("McArthur Lima", "McArthur"),
        ('"Bia" Lopes', '"Bia"'),
        ("> Ana", "Ana"),
        ("👩\u200d🦰 Íris", "Íris"),
        ("Ana\r\nBcc: x@y.example", "Ana"),
        ("Ana\u202egnirts", "Anagnirts"),
        ("Ana\u2066\u0000\u200b", "Ana"),
        ("Ana\u00a0Lima", "Ana"),
        ("Ana\ud800", "Ana"),
    ],
)
def test_first_names(value: str, shown: str) -> None:
    assert formats.person(value) == shown


def test_nothing_in_a_name_adds_a_line_or_a_header() -> None:
    content = email("daily_report", clinica="Clínica\r\nBcc: todos@x.example\n\u2028\u2029Vida\u202e")
    assert content.subject.endswith("Clínica Bcc: todos@x.example Vida")
    assert content.subject.isprintable()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("*Vida* & _Cor_", "Vida & Cor"),
        ("~Fisio~ ```x```", "Fisio x"),
        ("Fisio_Vida*Mais", "Fisio_Vida*Mais"),
        ("Vida **", "Vida"),
    ],
)
def test_whatsapp_finds_nothing_to_format_in_a_name(value: str, shown: str) -> None:
    assert f"Aqui é da {shown}:" in whatsapp("appointment_reminder", clinica=value)
    assert value in (email("appointment_reminder", clinica=value).text or "")


def test_a_script_in_a_name_is_only_its_letters() -> None:
    content = email("birthday", nome="<script>alert('1')</script>", profissional='"><img src=x onerror=y>')
    assert "<script>" not in (content.html or "")
    assert "<img" not in (content.html or "")
    assert "&lt;script&gt;alert(&#39;1&#39;)" in (content.html or "")
    assert "<script>" in content.subject


class Structure(HTMLParser):
    """Tags with their attributes' names, and the values that lead or load somewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name if name == "aria-label" else (name, value) for name, value in attrs]))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(tag)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", data))


ANYTHING = st.one_of(st.text(min_size=1), st.text(alphabet="<>\"'&-/=!{%}#a \n", min_size=1))


@settings(max_examples=150, deadline=None)
@given(nome=ANYTHING, clinica=ANYTHING, profissional=ANYTHING)
def test_no_text_breaks_out_of_its_place_in_html(nome: str, clinica: str, profissional: str) -> None:
    hostile = {"nome": f"{nome}x", "clinica": f"{clinica}x", "profissional": f"{profissional}x"}
    for name in ("birthday", "appointment_reminder"):
        content = email(name, **hostile)
        plain = email(name, nome="Ana", clinica="Vida", profissional="Rui")
        assert Structure(content.html or "").tags == Structure(plain.html or "").tags
        assert content.subject.splitlines() == [content.subject]
        (content.html or "").encode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"data": "2027-02-29"}, "data must be a date or its ISO text; a str came"),
        ({"data": "12/03/2026"}, "data must be a date"),
        (
            {"data": dt.datetime(2026, 3, 12, tzinfo=dt.UTC)},
            "data must be a date or its ISO text; a datetime came",
        ),
        ({"data": 20260312}, "a int came"),
        ({"hora": "25:00"}, "hora must be a time without zone"),
        ({"hora": "10:00+00:00"}, "hora must be a time without zone"),
        ({"nome": ""}, "nome is required and missing"),
        ({"nome": " \u202e\n"}, "nome is required and missing"),
        ({"nome": None}, "nome is required and missing"),
        ({"nome": 7}, "nome must be a text; a int came"),
        ({"queixa": "x"}, "does not know 'queixa'; it knows clinica, data, "),
        ({"dia": "quinta-feira"}, "does not know 'dia'; dia follows from data"),
    ],
)
def test_wrong_variables_are_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(VariableError, match="template appointment_reminder") as raised:
        render("appointment_reminder", "whatsapp", {**REMINDER, **wrong})
    assert said in str(raised.value)
    assert isinstance(raised.value, MessagingError)


@pytest.mark.parametrize("name", ["nome", "clinica", "data", "hora"])
def test_a_missing_required_variable_is_named(name: str) -> None:
    rest = {key: value for key, value in REMINDER.items() if key != name}
    with pytest.raises(VariableError, match=f"template appointment_reminder: {name} is required and missing"):
        render("appointment_reminder", "email", rest)


@pytest.mark.parametrize(
    ("template", "wrong", "said"),
    [
        ("payment_received", {"valor": "dez"}, "valor must be an amount"),
        ("payment_received", {"valor": Decimal("NaN")}, "valor must be an amount"),
        ("payment_received", {"valor": -1}, "valor must be an amount"),
        ("payment_received", {"valor": True}, "valor must be an amount"),
        ("voucher_expiring", {"saldo": 1.5}, "saldo must be a whole number"),
        ("voucher_expiring", {"saldo": -1}, "saldo must be a whole number"),
        ("voucher_expiring", {"saldo": True}, "saldo must be a whole number"),
        ("appointment_reminder_multi", {"visitas": "09:00"}, "visitas must be a list; a str came"),
        ("appointment_reminder_multi", {"visitas": []}, "visitas is required and missing"),
        ("appointment_reminder_multi", {"visitas": ["09:00"]}, "visitas[0] must be an object; a str came"),
        ("appointment_reminder_multi", {"visitas": [{"hora": "09:00"}, {}]}, "visitas[1].hora is required"),
        ("appointment_reminder_multi", {"visitas": [{"hora": "x"}]}, "visitas[0].hora must be a time"),
        ("appointment_reminder_multi", {"visitas": [{"hora": "09:00", "sala": 1}]}, "visitas[0] has 'sala'"),
    ],
)
def test_wrong_amounts_counts_and_lists_are_named(template: str, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(VariableError) as raised:
        render(template, "whatsapp", {**TEMPLATES[template].example, **wrong})
    assert said in str(raised.value)


@pytest.mark.parametrize("value", ["2026-03-12T07:40Z", "ontem", 7])
def test_a_moment_is_civil(value: Any) -> None:
    with pytest.raises(VariableError, match="inicio must be a date and time without zone"):
        render("channel_alert", "email", {**TEMPLATES["channel_alert"].example, "inicio": value})


def test_an_error_never_repeats_a_value() -> None:
    for wrong in ({"data": "Conceição"}, {"nome": ["Conceição"]}, {"hora": "Conceição"}):
        with pytest.raises(VariableError) as raised:
            render("appointment_reminder", "whatsapp", {**REMINDER, **wrong})
        assert "Conceição" not in str(raised.value)
        assert raised.value.__cause__ is None
