"""How the command line shows rows: a table for people, JSON lines for scripts, facts one a line.

Text that others chose is shown without control characters. Not here: what is shown of what (``event_tables.py``,
``message_tables.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

# Where nobody looks, a line is as long as it must be.
_WIDTH = 240
# What is broken in two cannot be copied.
_WHOLE = ("id", "digest", "state")


def json_lines(rows: Iterable[Any]) -> None:
    """One object a line, moments in ISO 8601."""
    for row in rows:
        print(json.dumps(dataclasses.asdict(row), ensure_ascii=False, default=_iso))


def show_facts(facts: Mapping[str, Any]) -> None:
    """One a line; what is not there is left out."""
    for name, value in facts.items():
        if value not in (None, ""):
            print(f"{name + ':':<14}{plain(value)}")


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], nothing: str) -> None:
    """A table, or the word for nothing."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, markup=False, highlight=False, emoji=False)
    if not rows:
        console.print(nothing)
        return
    table = Table()
    for column in columns:
        table.add_column(column, no_wrap=column in _WHOLE, overflow="fold")
    for row in rows:
        table.add_row(*(plain(value) for value in row))
    console.print(table)


def plain(value: Any) -> str:
    """A value as text on one line, moments to the second."""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def _iso(value: dt.datetime) -> str:
    return value.isoformat()
