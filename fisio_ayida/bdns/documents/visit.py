"""One visit of one document: look, ask for it if that is due, keep it, write down what came of it.

What is due and how rows are written is in the modules beside; many visits are ``service.py``'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import psycopg

from fisio_ayida.bdns.documents import due, ledger, texts
from fisio_ayida.bdns.documents.due import Action
from fisio_ayida.bdns.documents.errors import DocumentTooLarge, LengthDiffers, MissingObject
from fisio_ayida.bdns.documents.extraction import TextReader
from fisio_ayida.bdns.documents.fetch import fetch, says_gone
from fisio_ayida.bdns.documents.kinds import file_name
from fisio_ayida.bdns.documents.ledger import Moment
from fisio_ayida.bdns.documents.model import Announcement, Kept, Known, State, Target, Verdict, Visit
from fisio_ayida.bdns.documents.reading.protocol import Outcome
from fisio_ayida.bdns.documents.store import DocumentStore, path_of
from fisio_ayida.bdns.documents.texts import Unread
from fisio_ayida.bdns.errors import RequestFailed
from fisio_ayida.bdns.mirror import Context

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Documents:
    """What the work on documents is given: the mirror's context, the store, the reader of texts."""

    mirror: Context
    store: DocumentStore
    reader: TextReader
    most_bytes: int

    def moment(self) -> Moment:
        return Moment(self.mirror.now(), self.mirror.run_id)


@dataclass(frozen=True, slots=True)
class Done:
    """A visit, the error behind its words, and the bytes whose text may be missing."""

    visit: Visit
    error: RequestFailed | None = None
    unread: Unread | None = None


async def visit(conn: Connection, target: Target, context: Documents, *, asked: bool = False) -> Done:
    """Do what is due with one document, and write down what came of it."""
    found = due.look(conn, target)
    if found is None:
        return Done(Visit(target, Verdict.UNCHANGED))  # no longer announced: the next run marks it
    announced, known = found
    todo = due.action(announced, known, now=context.mirror.now(), most_bytes=context.most_bytes, asked=asked)
    if todo is Action.FETCH:
        return await _fetched(conn, announced, known, context)
    if todo is Action.RESTORE:
        ledger.restore(conn, announced, context.moment())
        was_gone = known is not None and known.state is State.GONE
        return Done(Visit(target, Verdict.RESTORED if was_gone else Verdict.UNCHANGED))
    if todo is Action.REFUSE:
        words = f"{announced.long} bytes are announced, DOCUMENTS_MAX_BYTES is {context.most_bytes}"
        ledger.refuse(conn, announced, known, words, context.moment(), over=context.most_bytes)
        return Done(Visit(target, Verdict.REFUSED, error=words))
    return Done(Visit(target, Verdict.UNCHANGED))


async def _fetched(conn: Connection, announced: Announcement, known: Known | None, context: Documents) -> Done:
    target, mirror = announced.target, context.mirror
    same = known is not None and known.fingerprint == announced.fingerprint
    try:
        with context.store.scratch() as scratch:
            received = await fetch(
                announced, mirror.client, scratch,
                most_bytes=context.most_bytes, believed=known.doubtful_sha256 if known and same else None,
            )  # fmt: skip
            new = await asyncio.to_thread(context.store.keep, scratch, received.sha256, received.size)
    except RequestFailed as error:
        return _failed(conn, announced, known, error, context)
    path, content_type = path_of(received.sha256), received.kind.content_type
    name = file_name(announced.nombre_fic, target.id, received.kind)
    kept = Kept(path, received.size, received.sha256, content_type, name)
    ledger.keep(conn, announced, known, kept, context.moment())
    mirror.metrics.incr("etl.items.fetched")
    verdict = Verdict.STORED if new else Verdict.SAME_BYTES
    return Done(Visit(target, verdict, kept.size), unread=Unread(kept.sha256, path, content_type, kept.size))


def _failed(
    conn: Connection, announced: Announcement, known: Known | None, error: RequestFailed, context: Documents
) -> Done:
    target, words, moment = announced.target, str(error), context.moment()
    if says_gone(error):
        ledger.gone(conn, announced, known, words, moment)
        return Done(Visit(target, Verdict.GONE, error=words), error)
    context.mirror.log.warning("document %s of %s: %s", target.id, target.parent, words)
    context.mirror.metrics.incr("etl.items.errors")
    if isinstance(error, DocumentTooLarge):
        ledger.refuse(conn, announced, known, words, moment, over=context.most_bytes)
        return Done(Visit(target, Verdict.REFUSED, error=words), error)
    doubtful = error.sha256 if isinstance(error, LengthDiffers) else None
    ledger.fail(conn, announced, known, words, moment, doubtful=doubtful)
    return Done(Visit(target, Verdict.FAILED, error=words), error)


async def read_text(conn: Connection, item: Unread, context: Documents) -> Outcome | None:
    """Read and record the text of stored bytes; None when that has been done, or when they are not there.

    ``conn`` is used from another thread meanwhile. Raises :class:`StoreError`, :class:`ReaderError`.
    """
    if texts.is_read(conn, item.sha256):
        return None
    try:
        with contextlib.ExitStack() as opened:
            # From a remote store this takes a while: not in the loop that drives the next download.
            path = await asyncio.to_thread(opened.enter_context, context.store.local(item.path))
            reading = await context.reader.read(path, item.content_type)
    except MissingObject as error:
        context.mirror.log.error("%s", error)  # the check of the store finds it too
        return None
    # And so may indexing a long text.
    await asyncio.to_thread(texts.record, conn, item.sha256, reading, context.mirror.now())
    return reading.outcome
