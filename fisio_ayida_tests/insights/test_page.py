"""The page docs/insights.md: current, and its words are the code's."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from fisio_ayida.insights import page
from fisio_ayida.insights.facts import rules
from fisio_ayida.insights.facts.registry import FACTS
from fisio_ayida.insights.model import InsightType
from fisio_ayida.insights.page_words import KINDS

PROJECT = Path(__file__).resolve().parents[2]


def test_the_page_is_current() -> None:
    shown = (PROJECT / "docs" / "insights.md").read_text(encoding="utf-8")

    assert shown == page.markdown(), "run: make docs"


def test_an_edition_of_a_key_is_explained() -> None:
    assert "`~2`" in page.markdown()


def test_every_kind_of_text_is_explained() -> None:
    assert set(KINDS) == set(get_args(InsightType))


def test_every_word_that_a_fact_may_lack_is_explained() -> None:
    assert {word for kind in FACTS for word in kind.missing} <= set(rules.WORDS)


def test_no_word_is_explained_that_nothing_says() -> None:
    files = (PROJECT / "fisio_ayida" / "insights" / "facts").glob("*.py")
    code = "".join(
        file.read_text(encoding="utf-8") for file in files if file.name not in ("rules.py", "registry.py")
    )

    assert [word for word in rules.WORDS if f'"{word}"' not in code] == []


def test_every_link_within_the_page_leads_somewhere() -> None:
    text = page.markdown()
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")}
    anchors = {part.split(")")[0] for part in text.split("](#")[1:]}

    assert anchors <= headings
