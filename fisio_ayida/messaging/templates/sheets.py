"""CSV files that go with e-mails, made of the same variables; the same bytes each time.

As a spreadsheet in Brazil opens them: semicolons, a byte order mark, no thousands' points. Nothing that a person
typed becomes a formula. Here: what a sheet is, and writing it. Not here: which template has one (``registry.py``).
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fisio_ayida.messaging.model import Attachment
from fisio_ayida.messaging.templates import formats
from fisio_ayida.messaging.templates.variables import Kind, Variable

#: Kinds of variables that a cell can hold.
CELLS: Final[tuple[Kind, ...]] = ("text", "day", "count")
_BOM: Final = "\ufeff"
# What a spreadsheet takes for the beginning of a formula; the apostrophe makes a text of it.
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        name: the variable, or the field of a row, that stands in it.
        otherwise: what a line says that does not have it.
        is_common: a line that does not have it has the message's own.
    """

    heading: str
    name: str
    otherwise: str = ""
    is_common: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file.

    Args:
        stem, day: of its name: a word, and the variable that is its first day.
        lines: what there are lines for, in order: each row of the variable named, or None: the message itself.
    """

    stem: str
    day: str
    columns: tuple[Column, ...]
    lines: tuple[str | None, ...]


def problems(sheet: Sheet, variables: Sequence[Variable]) -> list[str]:
    """What is wrong with a sheet of a template with these variables, in words."""
    own = {variable.name: variable for variable in variables}
    found = [f"its sheet has lines of {name}: no rows" for name in sheet.lines if name and not _fields(own, name)]
    if sheet.day not in own or own[sheet.day].kind != "day":
        found.append(f"its sheet is named after {sheet.day}: no day")
    for column in sheet.columns:
        kind = _kinds(sheet, own).get(column.name)
        if kind not in CELLS:
            found.append(f"its sheet has a column {column.name}: {kind or 'not declared'}")
    return found


def attachment(sheet: Sheet, declared: Sequence[Variable], variables: Mapping[str, Any]) -> Attachment:
    """The file, of variables that were checked."""
    kinds = _kinds(sheet, {variable.name: variable for variable in declared})
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(column.heading for column in sheet.columns)
    for name in sheet.lines:
        rows = [variables] if name is None else formats.sequence(variables.get(name) or ())
        for row in rows:
            writer.writerow(_cell(column, kinds[column.name], row, variables) for column in sheet.columns)
    day = variables[sheet.day]
    return Attachment(
        filename=f"{sheet.stem}-{day if isinstance(day, str) else day.isoformat()}.csv",
        content=base64.b64encode((_BOM + written.getvalue()).encode()).decode("ascii"),
        content_type="text/csv; charset=utf-8",
    )


def _cell(column: Column, kind: Kind, row: Mapping[str, Any], common: Mapping[str, Any]) -> str:
    value = row.get(column.name)
    if value is None and column.is_common:
        value = common.get(column.name)
    if value is None:
        return column.otherwise
    match kind:
        case "day":
            return formats.day(value)
        case "count":
            return str(value)
        case _:
            text = formats.text(value)
            return f"'{text}" if text.startswith(_FORMULA) else text


def _kinds(sheet: Sheet, own: Mapping[str, Variable]) -> dict[str, Kind]:
    """Of the message's variables and of the fields of its lines, by name."""
    fields = [field for name in sheet.lines if name for field in _fields(own, name)]
    return {variable.name: variable.kind for variable in (*fields, *own.values())}


def _fields(own: Mapping[str, Variable], name: str) -> tuple[Variable, ...]:
    return own[name].fields if name in own else ()
