"""The documents put together: one by its id, or all that are due; each recorded by itself as it is done.

Requests go through the mirror's client and so through the shared pacing. While one document is on its way, the
text of those before it is read in the child process.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from fisio_ayida.bdns.client import Traffic
from fisio_ayida.bdns.documents import due, ledger, texts
from fisio_ayida.bdns.documents.due import Scope
from fisio_ayida.bdns.documents.errors import UnknownDocument
from fisio_ayida.bdns.documents.extraction import TextReader
from fisio_ayida.bdns.documents.model import Origin, Target, Verdict, Visit
from fisio_ayida.bdns.documents.reading.protocol import Limits, Outcome
from fisio_ayida.bdns.documents.store import DocumentStore
from fisio_ayida.bdns.documents.texts import Unread
from fisio_ayida.bdns.documents.visit import Documents, Done, read_text, visit
from fisio_ayida.bdns.errors import ApiOverloaded, ApiUnreachable, PathUnknown, RateLimited
from fisio_ayida.bdns.mirror import Context
from fisio_ayida.bdns.service import check_source
from fisio_ayida.bdns.single import check_code, sync_convocatoria
from fisio_ayida.settings import Settings

Connection = psycopg.Connection[Any]

# So many in a row that the source does not answer for: then it is the source, not the documents.
AWAY_AFTER = 3
BATCH = 5_000  # documents planned at once: a backfill of years stays small in memory
_WAITING_TEXTS = 8
_SOURCE_AWAY = (ApiUnreachable, ApiOverloaded, RateLimited, PathUnknown)


@asynccontextmanager
async def open_documents(settings: Settings, mirror: Context) -> AsyncIterator[Documents]:
    """:class:`Documents` of these settings; raises :class:`StoreError` when DOCUMENTS_URL cannot be used."""
    limits = Limits(
        seconds=settings.documents_text_seconds,
        memory_bytes=settings.documents_text_memory_mb * 1024 * 1024,
        pages=settings.documents_text_pages,
    )
    store = DocumentStore(settings.documents_address)
    async with TextReader(limits) as reader:
        yield Documents(mirror, store, reader, settings.documents_max_bytes)


@dataclass(slots=True)
class Report:
    """What a run did: a count for each verdict and each outcome of a text; bytes are those received."""

    visits: Counter[Verdict] = field(default_factory=Counter)
    texts: Counter[Outcome] = field(default_factory=Counter)
    unlisted: int = 0
    left: int = 0
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def numbers(self) -> dict[str, int]:
        """All counts by name, for logs and metadata."""
        return {
            **{verdict.value: self.visits[verdict] for verdict in Verdict},
            **{f"text_{outcome.value}": self.texts[outcome] for outcome in Outcome},
            "unlisted": self.unlisted,
            "left": self.left,
            "requests": self.traffic.requests,
            "retries": self.traffic.retries,
            "bytes": self.traffic.bytes,
        }


OnDay = Callable[[dt.date, list[Visit]], None]


async def store_document(code: str, document_id: int, context: Documents) -> Visit:
    """Bring one document of one call into the store, whatever its day and however often it failed.

    A call or document that the mirror does not know is read from the source first. A document that is stored and
    announced as before is not asked for.

    Raises:
        UnknownCode, UnknownDocument: the source has no such call or document; the message has its answer.
        RequestFailed: no document came; it is recorded, and tried again by a later run.
        BadRequest: the code is none, or the database holds the rows of another source.
    """
    code = check_code(code)
    check_source(context.mirror)
    target = Target(Origin.CALL, document_id, code)
    words = f"bdns={code}, document_id={document_id}"
    with context.mirror.connect() as conn:
        if due.look(conn, target) is None:
            await sync_convocatoria(code, context.mirror)
            if due.look(conn, target) is None:
                raise UnknownDocument(f"{words}: the BDNS lists no such document of this call")
        done = await visit(conn, target, context, asked=True)
        if done.visit.verdict is Verdict.GONE:
            raise UnknownDocument(f"{words}: {done.visit.error}")
        if done.error is not None:
            raise done.error
        if done.unread is not None:
            await read_text(conn, done.unread, context)
    return done.visit


async def store_due(
    scope: Scope, context: Documents, *, limit: int | None = None, on_day: OnDay | None = None
) -> Report:
    """Visit what is due in ``scope``, newest call first, at most ``limit`` documents if one is given.

    Each is recorded by itself: a run that dies keeps what it did, and one that fails does not hold up the others.
    A source that does not answer at all, a full disk or a lost database ends the run. ``on_day`` is called when
    all visits of one registration day are over; twice for a day on which one batch ends and the next begins.

    Raises:
        RequestFailed: the source is away; everything before is recorded.
        StoreError, ReaderError: nothing can be stored, or no text can be read.
        BadRequest: the database holds the rows of another source.
    """
    check_source(context.mirror)
    mirror, report = context.mirror, Report()
    before = mirror.client.traffic.copy()
    with mirror.connect() as conn, mirror.connect() as texts_conn:
        report.unlisted = ledger.mark_unlisted(conn, context.moment())
        run = _Run(conn, texts_conn, context, report, on_day)
        try:
            while limit is None or report.visits.total() < limit:
                size = BATCH if limit is None else min(BATCH, limit - report.visits.total())
                targets = due.due(conn, scope, now=mirror.now(), most_bytes=context.most_bytes, limit=size)
                before_batch = report.visits[Verdict.UNCHANGED]
                await run.work_off(targets)
                # Fewer than were asked for are all; a batch in which nothing changed would come again.
                if len(targets) < size or report.visits[Verdict.UNCHANGED] - before_batch == len(targets):
                    break
            else:
                report.left = due.left(conn, scope, now=mirror.now(), most_bytes=context.most_bytes)
            # What a killed run has stored and not read, and what a person has asked for by deleting its row.
            for item in texts.unread(texts_conn, BATCH):
                await run.read(item)
        finally:
            report.traffic = mirror.client.traffic - before
            mirror.log.info("documents visited", extra=report.numbers)
    return report


class _Run:
    """Batches of visits, and beside them the reading of texts, both bounded."""

    def __init__(
        self,
        conn: Connection,
        texts_conn: Connection,
        context: Documents,
        report: Report,
        on_day: OnDay | None,
    ) -> None:
        self._conn = conn
        self._texts_conn = texts_conn
        self._context = context
        self._report = report
        self._on_day = on_day
        self._open: Counter[dt.date | None] = Counter()
        self._by_day: dict[dt.date, list[Visit]] = {}
        self._unread: asyncio.Queue[Unread | None] = asyncio.Queue(_WAITING_TEXTS)
        self._in_a_row = 0
        self._stopped: Exception | None = None  # why nothing more is begun

    async def work_off(self, targets: Sequence[Target]) -> None:
        """One batch, to the last text of it; raises as :func:`store_due`, when all have ended what they are at."""
        waiting = iter(targets)
        self._open = Counter(target.partition for target in targets)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_all())
            # One more than may ask at once: it stores while the others' requests are on their way.
            count = self._context.mirror.client.max_in_flight + 1
            workers = [group.create_task(self._visit_all(waiting)) for _ in range(count)]
            await asyncio.wait(workers)
            await self._unread.put(None)
        if self._stopped is not None:
            raise self._stopped

    async def read(self, item: Unread) -> None:
        """The text of stored bytes, unless it is there."""
        outcome = await read_text(self._texts_conn, item, self._context)
        if outcome is not None:
            self._report.texts[outcome] += 1

    async def _visit_all(self, waiting: Iterator[Target]) -> None:
        for target in waiting:
            try:
                done = await visit(self._conn, target, self._context)
                self._note(done)
            except Exception as error:  # the store's, or the database's: no other document would fare better
                self._stopped = self._stopped or error
                return
            if done.unread is not None:
                await self._unread.put(done.unread)
            if self._stopped is not None:
                return

    def _note(self, done: Done) -> None:
        visit, day = done.visit, done.visit.target.partition
        self._report.visits[visit.verdict] += 1
        if isinstance(done.error, _SOURCE_AWAY):
            self._in_a_row += 1
            if self._in_a_row >= AWAY_AFTER:
                self._stopped = self._stopped or done.error
        elif visit.verdict is not Verdict.UNCHANGED:
            self._in_a_row = 0
        if day is None or self._on_day is None:
            return
        self._by_day.setdefault(day, []).append(visit)
        self._open[day] -= 1
        if not self._open[day]:
            self._on_day(day, self._by_day.pop(day))

    async def _read_all(self) -> None:
        while (item := await self._unread.get()) is not None:
            if self._stopped is not None:
                continue  # the next run reads it; this one only makes room
            try:
                await self.read(item)
            except Exception as error:
                self._stopped = error
