"""Tables and pictures for people: what odd values do to them."""

from __future__ import annotations

import base64
import re

from fisio_ayida.defs.bdns.metadata import LONGEST_CELL, plot, table


def test_a_table_is_not_broken_by_its_values() -> None:
    text = table(["a", "b"], [("x|y", "two\nlines"), (None, "z" * 200)])
    lines = text.splitlines()
    assert lines[:3] == ["| a | b |", "| --- | --- |", "| x\\|y | two lines |"]
    assert lines[3] == f"|  | {'z' * (LONGEST_CELL - 1)}… |"
    assert len(lines) == 4


def test_a_plot_is_a_png_in_markdown() -> None:
    found = plot([(f"2026-09-{day:02}", day) for day in range(1, 31)], "Minimis: rows per day")
    image = re.fullmatch(r"!\[Minimis: rows per day\]\(data:image/png;base64,(\S+)\)", found)
    assert image is not None
    assert base64.b64decode(image[1]).startswith(b"\x89PNG")
    assert len(found) < 40_000


def test_nothing_to_draw_is_no_picture() -> None:
    assert plot([], "Minimis") == ""
