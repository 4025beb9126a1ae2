"""The table of texts, ``bdns.documentos_texto``: what is missing in it, and one row more.

A text belongs to bytes, not to a document: equal files are read once. How they are read is ``extraction.py``'s.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from fisio_ayida.bdns.documents.reading.protocol import Outcome, Reading

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Unread:
    """Stored bytes without a row of text."""

    sha256: str
    path: str
    content_type: str
    size: int


def is_read(conn: Connection, sha256: str) -> bool:
    """Whether these bytes have their row."""
    return conn.execute("select from bdns.documentos_texto where sha256 = %s", [sha256]).fetchone() is not None


def unread(conn: Connection, limit: int | None) -> list[Unread]:
    """Stored bytes without a row, the last stored first: what a killed run, or a person, has left."""
    rows = conn.execute(
        """
        select s.sha256, min(s.path), min(s.content_type), min(s.size_bytes) from bdns.documentos s
        where s.state = 'stored' and not exists (select from bdns.documentos_texto t where t.sha256 = s.sha256)
        group by s.sha256 order by max(s.fetched_at) desc limit %s
        """,
        [limit],
    ).fetchall()
    return [Unread(*row) for row in rows]


def record(conn: Connection, sha256: str, reading: Reading, now: dt.datetime) -> None:
    """Write what was read, once: who comes second finds it done."""
    conn.execute(
        """
        insert into bdns.documentos_texto
          (sha256, outcome, reason, texto, pages, truncated, extractor, extracted_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (sha256) do nothing
        """,
        [
            sha256,
            reading.outcome,
            reading.reason,
            reading.text if reading.outcome is Outcome.TEXT else None,
            reading.pages,
            reading.truncated,
            reading.extractor,
            now,
        ],
    )
