"""Words for facts that are stored: a few patients at once, each answer kept as it comes.

Here: who is asked for what, and what becomes of an answer. Not here: asking the model (``narrative/``), and facts
(``making.py``), which wait for nothing here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal

from fisio_ayida.clinic.model import Desk, Order
from fisio_ayida.insights import claiming
from fisio_ayida.insights.claiming import LEASE, Claimed, Later
from fisio_ayida.insights.making import OF_A_PATIENT, Unsaid
from fisio_ayida.insights.model import Commission, Facts, Limits, NotWritten, Writer, Written
from fisio_ayida.insights.storing import store_reason, store_words, stored_facts
from fisio_ayida.warehouse.errors import said

#: Between tries for words that failed in passing; after the last one there are none.
PAUSES: Final = (dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=30))
#: A clinic's budget may be spent day after day; what is so old needs no words any more.
PATIENCE: Final = dt.timedelta(days=7)
#: Signs of life in the time of a lease.
_BEATS: Final = 6
_DAY: Final = dt.timedelta(days=1)

Fate = Literal["narratives", "facts_only", "waiting", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a patient. ``later`` None: there is nothing more to do; ``lost``: another run has it."""

    who: Claimed
    fate: Fate
    later: Later | None = None
    scrubbed: int = 0


class Narrator:
    """Has words written for the patients of one claim after another, ``in_flight`` of them at once."""

    def __init__(self, desk: Desk, order: Order, writer: Writer, limits: Limits, in_flight: int) -> None:
        self._desk, self._order, self._writer, self._limits = desk, order, writer, limits
        self._slots = asyncio.Semaphore(in_flight)

    async def narrate(self, claim: uuid.UUID, unsaid: Sequence[Unsaid], ended: Callable[[Answered], None]) -> None:
        """Words for these; ``ended`` is called for each as soon as its answer is kept.

        Raises:
            ExceptionGroup: of our database, which is away; what was not kept is asked again by another run.
        """
        facts = stored_facts(self._desk.conn, [each.generation.key for each in unsaid])
        async with self._kept(claim), asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(claim, each, facts, ended)) for each in unsaid]
        for each, task in zip(unsaid, tasks, strict=True):
            # A group takes it for wanted, and says nothing.
            if task.cancelled():
                ended(self._failed(each, asyncio.CancelledError("by the writer")))

    async def _one(
        self, claim: uuid.UUID, what: Unsaid, facts: dict[str, Facts], ended: Callable[[Answered], None]
    ) -> None:
        async with self._slots:
            try:
                own = facts[what.generation.key]
                # As of the day of the facts, whenever it is tried.
                record = replace(what.record, today=own.today)
                found = await self._writer.write(record, own, self._commission(what))
            except Exception as error:
                ended(self._failed(what, error))
                return
        try:
            ended(self._keep(claim, what, found))
        except OF_A_PATIENT as error:
            if self._desk.conn.closed:
                raise
            ended(self._failed(what, error))

    def _commission(self, what: Unsaid) -> Commission:
        rules, own = what.clinic.rules, what.who
        tokens, cost = rules.insights_tokens_per_day, rules.insights_cost_per_day
        return Commission(
            key=what.generation.key, organization_id=own.organization_id, patient_id=own.patient_id,
            day=what.clinic.day(self._order.now),
            tokens_per_day=self._limits.tokens_per_day if tokens is None else tokens,
            cost_per_day=self._limits.cost_per_day if cost is None else cost, run_id=self._order.run_id,
        )  # fmt: skip

    def _keep(self, claim: uuid.UUID, what: Unsaid, found: Written | NotWritten) -> Answered:
        conn, now, who, key = self._desk.conn, self._order.now, what.who, what.generation.key
        scrubbed = sum(found.scrubbed.values())
        with conn.transaction():
            if not claiming.is_held(conn, claim, who):
                return Answered(who, "lost")
            if isinstance(found, Written):
                store_words(conn, key, *who.pair, found, now=now)
                return Answered(who, "narratives", scrubbed=scrubbed)
            retry_at = again(what, found, now)
            store_reason(conn, key, found, retry_at=retry_at, counts=found.reason != "over_budget", now=now)
        if retry_at is None:
            return Answered(who, "facts_only", scrubbed=scrubbed)
        return Answered(who, "waiting", Later(who, retry_at, "narrative"), scrubbed)

    def _failed(self, what: Unsaid, error: BaseException) -> Answered:
        why = said(error)
        self._desk.log.warning("no words for patient %s: %s", what.who.patient_id, why)
        return Answered(what.who, "failed", claiming.failed(what.who, why, self._order.now))

    @asynccontextmanager
    async def _kept(self, claim: uuid.UUID) -> AsyncIterator[None]:
        """Move the claim's lease on inside the block."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(LEASE.total_seconds() / _BEATS)
                claiming.extend(self._desk.conn, claim)

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


def again(what: Unsaid, why: NotWritten, now: dt.datetime) -> dt.datetime | None:
    """When it is tried again; None: never."""
    if not why.is_transient:
        return None
    if why.reason == "over_budget":
        if now - what.generation.created_at >= PATIENCE:
            return None
        return what.clinic.instant(what.clinic.day(now) + _DAY, dt.time())
    if what.generation.tries >= len(PAUSES):
        return None
    return now + max(PAUSES[what.generation.tries], why.after or dt.timedelta(0))
