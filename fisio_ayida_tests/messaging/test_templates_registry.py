"""The registry and its files: what must hold for every row, and that a row which breaks it is caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fisio_ayida.messaging.templates import page
from fisio_ayida.messaging.templates.registry import ROWS, TEMPLATES, Meta, Template, TemplateError
from fisio_ayida.messaging.templates.sources import FOLDER, check_registry, files
from fisio_ayida.messaging.templates.variables import NOME, Variable, forbidden_words, optional

BIRTHDAY = TEMPLATES["birthday"]


def doctored(**changes: object) -> dict[str, Template]:
    return {"birthday": replace(BIRTHDAY, **changes)}  # type: ignore[arg-type]


def declared(*names: str) -> tuple[Variable, ...]:
    return (*BIRTHDAY.variables, *(Variable(name, "text", "", "x", required=False) for name in names))


def test_the_registry_holds() -> None:
    check_registry()


def test_no_file_is_left_over() -> None:
    known = {file for row in ROWS for channel in row.channels for file in files(row.name, channel)}
    there = {
        path.relative_to(FOLDER).as_posix()
        for folder in ("texts", "mail")
        for path in (FOLDER / folder).glob("*.j2")
    }
    assert there == known
    assert {path.stem for path in (FOLDER / "mail").glob("*.mjml")} == {
        row.name for row in ROWS if "email" in row.channels
    }


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (doctored(variables=declared("diagnostico")), "declares diagnostico: no health data"),
        (doctored(variables=declared("queixa_principal")), "declares queixa_principal: no health data"),
        (doctored(variables=(Variable("linhas", "rows", "", (), required=False, fields=declared("cpf")),)),
         "declares cpf: no health data"),
        (doctored(subject="{{ nome }}, melhorou da dor?"), "subject speaks of dor"),
        (doctored(variables=(NOME,)), "uses clinica, profissional: not declared"),
        (doctored(variables=(*BIRTHDAY.variables, Variable("cidade", "text", "", "x"))),
         "cidade is required and nothing uses it"),
        (doctored(variables=(*BIRTHDAY.variables, NOME)), "declares nome twice"),
        (doctored(variables=declared("assunto")), "declares assunto, which the renderer adds"),
        (doctored(name="natal"), r"mail/natal.html.j2 is missing"),
        (doctored(name="natal"), "the row is named natal"),
        (doctored(channels=("push",), subject=""), r"texts/birthday.push.txt.j2 is missing"),
        (doctored(subject=""), "an e-mail needs a subject"),
        (doctored(subject="{{ nome"), "subject, line 1"),
        (doctored(meta=Meta("parabens", ("apelido",))), "hands apelido to Meta: not declared"),
        (doctored(meta=Meta("parabens", ("profissional",))), "hands profissional to Meta, which may be missing"),
        (doctored(variables=(optional(NOME), *BIRTHDAY.variables[1:])), "hands nome to Meta, which may be"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_is_caught(rows: dict[str, Template], said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        check_registry(rows)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "texts/birthday.whatsapp.txt.j2",
            "Melhoras da sua hérnia, {{ nome }}! {{ clinica }}",
            "speaks of hernia",
        ),
        ("texts/birthday.whatsapp.txt.j2", "{{ nome }} {{ clinica }} {{ telefone }}", "telefone: not declared"),
        ("texts/birthday.whatsapp.txt.j2", "{% if nome %}", "line 1"),
        ("mail/layout/rodape.txt.j2", "Seu diagnóstico", "speaks of diagnostico"),
        ("mail/birthday.html.j2", "<p>{{ queixa }}</p>", "uses queixa: not declared"),
        ("mail/birthday.html.j2", "x" * 100_001, "longer than"),
    ],
)
def test_a_file_that_is_wrong_is_caught(tmp_path: Path, file: str, text: str, said: str) -> None:
    folder = tmp_path / "templates"
    shutil.copytree(FOLDER, folder)
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=said):
        check_registry({"birthday": BIRTHDAY}, folder)


@pytest.mark.parametrize(
    "words",
    ["main_condition", "Diagnóstico", "sua lesão", "medicação", "dores", "pain", "evolução", "CPF", "observações"],
)
def test_words_of_health_and_identity_are_forbidden(words: str) -> None:
    assert forbidden_words(words)


@pytest.mark.parametrize("words", ["gestão", "condições", "Pilates", "saúde", "corredor", "painel", "reavaliação"])
def test_ordinary_words_are_not(words: str) -> None:
    assert forbidden_words(words) == []


def test_only_what_asks_for_an_answer_says_what_a_one_means() -> None:
    asking = {row.name: row.asks for row in ROWS if row.asks}
    assert asking == {
        "appointment_reminder": "confirmation",
        "appointment_reminder_today": "confirmation",
        "appointment_reminder_multi": "confirmation",
        "appointment_reminder_today_multi": "confirmation",
        "feedback_request": "score",
    }


def test_a_fallback_is_a_channel_that_the_template_has() -> None:
    replaced = [row for row in ROWS if row.fallback]
    assert {row.name for row in replaced} >= {"appointment_confirmation", "appointment_reminder"}
    assert all(row.fallback in row.channels and "whatsapp" in row.channels for row in replaced)


def test_importing_the_renderer_compiles_nothing() -> None:
    code = (
        "import sys, fisio_ayida.messaging.templates.render\n"
        "print(*({'jinja2', 'babel', 'mjml'} & {name.split('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_the_page_of_messages_is_current() -> None:
    path = Path(__file__).resolve().parents[2] / "docs" / "messages.md"
    assert path.read_text(encoding="utf-8") == page.markdown(), "run: make docs"
