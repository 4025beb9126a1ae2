"""What must hold of the documents, as SQL with a severity; one of them also looks into the store.

Each finds, none repairs. How a finding is shown is the doors' business.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from fisio_ayida.bdns.checks import SAMPLE, Finding, Severity

if TYPE_CHECKING:
    import psycopg

    from fisio_ayida.bdns.documents.store import DocumentStore

Connection: TypeAlias = "psycopg.Connection[Any]"

LATE = dt.timedelta(days=2)  # a daily run has passed twice
STORE_SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Look:
    """When and where to look; ``chance`` in [0, 1) says which stored objects are sampled."""

    now: dt.datetime
    store: DocumentStore
    chance: float


@dataclass(frozen=True, slots=True)
class DocumentCheck:
    name: str
    severity: Severity
    description: str
    find: Callable[[Connection, Look], Finding]


def retries(conn: Connection, look: Look) -> Finding:
    """No document has failed so often that nobody tries it any more, and none waits long after its time."""
    rows = conn.execute(
        """
        select coalesce(codigo_bdns, 'plan ' || id_plan), id, attempts, last_error, count(*) over ()
        from bdns.documentos
        where state = 'failed' and (next_attempt_at is null or next_attempt_at < %s)
        order by attempted_at desc limit %s
        """,
        [look.now - LATE, SAMPLE],
    ).fetchall()
    waiting = _count(conn, "state = 'failed' and next_attempt_at is not null")
    words = [f"{parent}, document {id_}: {tries} tries, {error}" for parent, id_, tries, error, _ in rows]
    return Finding(rows[0][4] if rows else 0, words, {"failed_and_tried_again": waiting})


def lengths(conn: Connection, _: Look) -> Finding:
    """What is stored has the announced size."""
    rows = conn.execute(
        """
        select coalesce(codigo_bdns, 'plan ' || id_plan), id, size_bytes, long, count(*) over ()
        from bdns.documentos where size_bytes <> long order by id desc limit %s
        """,
        [SAMPLE],
    ).fetchall()
    words = [f"{parent}, document {id_}: {size} bytes, {long} announced" for parent, id_, size, long, _ in rows]
    return Finding(rows[0][4] if rows else 0, words)


def gone(conn: Connection, _: Look) -> Finding:
    """The source serves what it announces."""
    rows = conn.execute(
        """
        select coalesce(codigo_bdns, 'plan ' || id_plan), id, gone_at::date, count(*) over () from bdns.documentos
        where gone_reason = 'refused' order by gone_at desc limit %s
        """,
        [SAMPLE],
    ).fetchall()
    words = [f"{parent}, document {id_}: gone since {day}" for parent, id_, day, _ in rows]
    unlisted = _count(conn, "gone_reason = 'unlisted'")
    return Finding(rows[0][3] if rows else 0, words, {"not_announced_any_more": unlisted})


def readable(conn: Connection, _: Look) -> Finding:
    """The text of every document could be read, or there is none to read."""
    rows = conn.execute(
        """
        select left(sha256, 12), outcome, reason, count(*) over () from bdns.documentos_texto
        where outcome in ('limit', 'failed') order by extracted_at desc limit %s
        """,
        [SAMPLE],
    ).fetchall()
    counts = conn.execute("select outcome, count(*) from bdns.documentos_texto group by 1 order by 1").fetchall()
    words = [f"{sha256}…: {outcome}, {reason}" for sha256, outcome, reason, _ in rows]
    return Finding(rows[0][3] if rows else 0, words, {f"texts_{outcome}": n for outcome, n in counts})


def in_store(conn: Connection, look: Look) -> Finding:
    """What the table says is stored is there, with its size: the last ones, and some others."""
    rows = conn.execute(
        """
        (select path, size_bytes from bdns.documentos where sha256 is not null
         order by fetched_at desc limit %(n)s)
        union
        (select path, size_bytes from bdns.documentos where sha256 >= %(from)s order by sha256 limit %(n)s)
        """,
        {"n": STORE_SAMPLE, "from": f"{int(look.chance * 16**8):08x}"},
    ).fetchall()
    words = []
    for path, size in rows:
        found = look.store.size(path)
        if found != size:
            words.append(f"{path}: {size} bytes expected, {'nothing' if found is None else found} found")
    return Finding(len(words), words[:SAMPLE], {"objects_looked_at": len(rows)})


def _count(conn: Connection, where: str) -> int:
    row = conn.execute(f"select count(*) from bdns.documentos where {where}").fetchone()
    return int(row[0]) if row else 0


WARN, ERROR = Severity.WARN, Severity.ERROR
CHECKS = (
    DocumentCheck("retries", ERROR, "No failed document is out of tries or has been left waiting.", retries),
    DocumentCheck("lengths", WARN, "Stored sizes are the announced ones.", lengths),
    DocumentCheck("gone", WARN, "The source serves every document that it announces.", gone),
    DocumentCheck("readable", WARN, "The text of every document could be read.", readable),
    DocumentCheck("in_store", ERROR, "What the table says is stored is in the store (a sample).", in_store),
)
