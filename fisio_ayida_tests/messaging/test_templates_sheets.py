"""CSV files that go with reports: what is in them, and how a spreadsheet reads them."""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging.letters import plain
from fisio_ayida.messaging.model import Attachment, EmailContent
from fisio_ayida.messaging.templates import formats
from fisio_ayida.messaging.templates.registry import TEMPLATES, TemplateError
from fisio_ayida.messaging.templates.render import render
from fisio_ayida.messaging.templates.sheets import Column, Sheet
from fisio_ayida.messaging.templates.sources import check_registry

DAILY, WEEKLY = TEMPLATES["daily_report"], TEMPLATES["weekly_summary"]
LINE = DAILY.example["profissionais"][0]


def sheet(name: str, variables: dict[str, Any]) -> Attachment:
    content = render(name, "email", variables)
    assert isinstance(content, EmailContent)
    return content.attachments[0]


def rows(attachment: Attachment) -> list[list[str]]:
    text = base64.b64decode(attachment.content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


def named(name: str) -> list[str]:
    return rows(sheet("daily_report", {**DAILY.example, "profissionais": [{**LINE, "profissional": name}]}))[1]


def test_a_days_sheet_has_a_line_for_each_professional_and_one_for_the_clinic() -> None:
    made = sheet("daily_report", DAILY.example)
    assert (made.filename, made.content_type) == ("relatorio-2026-03-12.csv", "text/csv; charset=utf-8")
    assert rows(made) == [
        ["Data", "Profissional", "Agendadas", "Realizadas", "Faltas", "Canceladas", "A remarcar", "Sem desfecho",
         "Novos pacientes"],
        ["12/03/2026", "Dra. Helena Brandão", "10", "8", "1", "1", "0", "0", "2"],
        ["12/03/2026", "Dr. João Sertão", "9", "7", "1", "1", "0", "0", "1"],
        ["12/03/2026", "Dra. Iara Conceição Guimarães", "5", "3", "1", "0", "1", "0", "1"],
        ["12/03/2026", "Total da clínica", "24", "18", "3", "2", "1", "0", "4"],
    ]  # fmt: skip


def test_a_weeks_sheet_has_the_weeks_before_too() -> None:
    totals = [row[:5] for row in rows(sheet("weekly_summary", WEEKLY.example)) if row[2] == "Total da clínica"]
    assert totals[:2] == [
        ["09/03/2026", "15/03/2026", "Total da clínica", "24", "18"],
        ["02/03/2026", "08/03/2026", "Total da clínica", "22", "17"],
    ]
    assert len(totals) == 5


def test_excel_in_brazil_opens_it() -> None:
    written = base64.b64decode(sheet("daily_report", DAILY.example).content)
    assert written.startswith(b"\xef\xbb\xbfData;Profissional;")
    assert written.count(b"\r\n") == written.count(b"\n") == 5
    big = {**DAILY.example, "agendadas": 12345}
    assert rows(sheet("daily_report", big))[-1][2] == "12345"


def test_stored_variables_give_the_same_bytes() -> None:
    assert sheet("weekly_summary", plain(WEEKLY.example)) == sheet("weekly_summary", dict(WEEKLY.example))


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+55", "-1", "@SUM(A1)", "\t=1", "＝1"])
def test_no_name_becomes_a_formula(name: str) -> None:
    assert named(name)[1] == f"'{name.strip()}"


@given(st.text(st.characters(codec="utf-8") | st.sampled_from('=+-@;"\n\t'), min_size=1).filter(formats.text))
def test_any_name_stays_in_its_cell(name: str) -> None:
    cells = named(name)
    assert len(cells) == 9
    assert cells[1].removeprefix("'") == formats.text(name).removeprefix("'")
    assert not cells[1].startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Sheet("x", "data", (Column("X", "idade"),), (None,)), "its sheet has a column idade: not declared"),
        (Sheet("x", "data", (Column("X", "grafico"),), (None,)), "its sheet has a column grafico: rows"),
        (Sheet("x", "clinica", (Column("X", "data"),), (None,)), "its sheet is named after clinica: no day"),
        (Sheet("x", "data", (Column("X", "data"),), ("clinica",)), "its sheet has lines of clinica: no rows"),
    ],
)
def test_a_sheet_that_is_wrong_is_caught(wrong: Sheet, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        check_registry({"daily_report": replace(DAILY, sheet=wrong)})


def test_who_is_no_administrator_has_one_line_and_the_clinics() -> None:
    own = {name: value for name, value in DAILY.example.items() if name != "profissionais"} | {
        "seus_numeros": [LINE]
    }
    assert [row[1] for row in rows(sheet("daily_report", own))[1:]] == ["Dra. Helena Brandão", "Total da clínica"]
