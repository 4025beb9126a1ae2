"""The e-mails' HTML and the previews: compiled from their sources, small, and loading nothing from anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fisio_ayida.messaging.model import EmailContent
from fisio_ayida.messaging.preview import preview
from fisio_ayida.messaging.templates.compile import compile_all
from fisio_ayida.messaging.templates.registry import ROWS, TEMPLATES, Template, TemplateError
from fisio_ayida.messaging.templates.render import render
from fisio_ayida.messaging.templates.sources import FOLDER, MOST_HTML_BYTES

MAILS = [row for row in ROWS if "email" in row.channels]
_NAMESPACE = "http://www.w3.org/1999/xhtml"


def html(row: Template) -> str:
    content = render(row.name, "email", row.example, unsubscribe_url="https://clinica.example/x")
    assert isinstance(content, EmailContent)
    return content.html or ""


def test_the_html_is_current_with_its_sources() -> None:
    stale = [
        name
        for name, made in compile_all().items()
        if (FOLDER / "mail" / f"{name}.html.j2").read_text(encoding="utf-8") != made
    ]
    assert stale == [], "run: python -m fisio_ayida.messaging.templates.compile"


@pytest.mark.parametrize("row", MAILS, ids=lambda row: row.name)
def test_an_email_loads_nothing_and_leads_nowhere_but_out(row: Template) -> None:
    text = html(row)
    places = set(re.findall(r"https?://[^\"'\s<>)]+", text)) - {_NAMESPACE}
    assert places == ({"https://clinica.example/x"} if row.to_patient else set())
    assert not re.search(r"<script|<link|<iframe|<form|@import|url\(|src=|javascript:", text, re.IGNORECASE)


@pytest.mark.parametrize("row", MAILS, ids=lambda row: row.name)
def test_an_email_is_small_and_600_wide(row: Template) -> None:
    text = html(row)
    assert len(text.encode()) < MOST_HTML_BYTES
    assert "max-width:600px" in text
    assert 'width="600"' in text


@pytest.mark.parametrize("row", MAILS, ids=lambda row: row.name)
def test_an_email_has_a_language_a_preheader_and_dark_colours(row: Template) -> None:
    text = html(row)
    assert '<html lang="pt-BR"' in text
    assert "prefers-color-scheme: dark" in text
    preheader = re.search(r'<div style="display:none[^>]*>([^<]+)</div>', text)
    assert preheader and preheader[1].strip()


class Balance(HTMLParser):
    """What was opened and not closed."""

    _ALONE = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._ALONE:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._ALONE:
            assert self.opened.pop() == tag


@pytest.mark.parametrize("row", MAILS, ids=lambda row: row.name)
def test_every_tag_is_closed_with_and_without_optional_variables(row: Template) -> None:
    least = {variable.name: variable.example for variable in row.variables if variable.required}
    for variables in (row.example, least):
        content = render(row.name, "email", variables, unsubscribe_url="https://clinica.example/x")
        assert isinstance(content, EmailContent)
        balance = Balance()
        balance.feed(content.html or "")
        assert balance.opened == []


def test_a_preview_is_files_to_open_and_a_page(tmp_path: Path) -> None:
    made = preview("appointment_reminder", folder=tmp_path / "new")
    assert [path.name for path in made] == [
        "appointment_reminder.whatsapp.txt",
        "appointment_reminder.email.html",
        "appointment_reminder.email.txt",
        "appointment_reminder.push.txt",
        "appointment_reminder.html",
    ]
    page = made[-1].read_text(encoding="utf-8")
    assert "srcdoc=" in page
    assert "Lembrete: sessão amanhã às 14:30" in page
    assert "Amanhã às 14:30, Clínica Movimento &amp; Ação" in page
    assert not re.search(r"<script|<link|@import|url\(", page)


def test_a_preview_of_one_channel_is_of_that_channel(tmp_path: Path) -> None:
    made = preview("birthday", "email", folder=tmp_path)
    assert {path.name for path in made} == {"birthday.email.html", "birthday.email.txt", "birthday.html"}


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_every_template_has_a_preview(name: str, tmp_path: Path) -> None:
    assert preview(name, folder=tmp_path)[-1].stat().st_size > 1000


def test_a_preview_of_nothing_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="'welcome' does not exist; there are appointment_confirmation"):
        preview("welcome", folder=tmp_path)
    with pytest.raises(TemplateError, match="does not exist for push"):
        preview("birthday", "push", folder=tmp_path)
