"""Evidence rows as JSON lines, for those who loaded without Dagster and want its UI to know.

Imports no Dagster, so that the command line can write lines that ``report.py`` reads in its own process.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

from fisio_ayida.bdns.evidence import Load, Status

_MOMENTS = ("valid_from", "started_at", "finished_at")


def load_to_json(load: Load) -> str:
    """One line of JSON; moments as ISO text with their offset."""
    row = dataclasses.asdict(load)
    row.update({name: row[name].isoformat() for name in _MOMENTS})
    return json.dumps(row, ensure_ascii=False)


def load_from_json(line: str) -> Load:
    """The evidence row of one line.

    Raises:
        ValueError: the line is not one; the message says what is wrong with it.
    """
    try:
        row = json.loads(line)
        row.update({name: dt.datetime.fromisoformat(row[name]) for name in _MOMENTS})
        return Load(**{**row, "status": Status(row["status"])})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not an evidence row ({type(error).__name__}: {error}): {line[:120]!r}") from None
