"""What a database's error may say where it is kept or shown: what happened, never whose row it was.

Not here: what follows from an error.
"""

from __future__ import annotations

import re
from typing import Final

import psycopg

from fisio_ayida.telemetry import excerpt

_QUOTED: Final = re.compile(r'"[^"]*"')


def said(error: BaseException) -> str:
    """The error's kind and words on one line, masked.

    Of PostgreSQL's only the first part: the others quote the row; of data that does not fit, not the value either.
    """
    text = str(error)
    if isinstance(error, psycopg.Error):
        text = error.diag.message_primary or (text.splitlines() or [""])[0]
        if isinstance(error, psycopg.DataError):
            text = _QUOTED.sub('"…"', text)
    return excerpt(f"{type(error).__name__}: {' '.join(text.split())}")
