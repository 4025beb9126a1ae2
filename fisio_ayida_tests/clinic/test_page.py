"""The page docs/clinic.md: current, and its words are the code's."""

from __future__ import annotations

from pathlib import Path

import pytest

from fisio_ayida.clinic import page, reminder_rules
from fisio_ayida.clinic.page_words import EXAMPLES, REASONS
from fisio_ayida.messaging.rules import REASONS as WHEN_SENT

PROJECT = Path(__file__).resolve().parents[2]


def test_the_page_is_current() -> None:
    shown = (PROJECT / "docs" / "clinic.md").read_text(encoding="utf-8")

    assert shown == page.markdown(), "run: make docs"


@pytest.mark.parametrize("rules", [rules for _, rules in EXAMPLES])
def test_every_example_is_a_rule(rules: list[dict[str, object]]) -> None:
    assert [rule.id for rule in reminder_rules.parse(rules)] == [rule["id"] for rule in rules]


def test_every_reason_of_the_rules_is_explained() -> None:
    assert set(WHEN_SENT) <= set(REASONS)


def test_no_reason_is_explained_that_nobody_gives() -> None:
    files = [file for room in ("clinic", "messaging") for file in (PROJECT / "fisio_ayida" / room).rglob("*.py")]
    code = "".join(file.read_text(encoding="utf-8") for file in files if file.name != "page_words.py")

    assert [reason for reason in REASONS if f'"{reason}' not in code] == []
