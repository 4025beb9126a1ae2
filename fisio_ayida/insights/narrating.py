"""Words for facts that are stored: a few patients at once, each answer kept as it comes.

Here: who is asked for what, and what becomes of an answer. Not here: asking the model (``narrative/``), and facts
(``making.py``), which wait for nothing here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal

from fisio_ayida.clinic.model import Clinic, Desk, Order
from fisio_ayida.insights import claiming
from fisio_ayida.insights.claiming import LEASE, Claimed, Later
from fisio_ayida.insights.making import OF_A_PATIENT, Unsaid
from fisio_ayida.insights.model import Commission, Limits, NotWritten, Writer, Written
from fisio_ayida.insights.storing import put_off_words, store_reason, store_words
from fisio_ayida.warehouse.errors import said

#: Between tries for words that failed in passing; after the last one there are none.
PAUSES: Final = (dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=30))
#: A budget may be spent day after day, a server away for as long; what is so old needs no words any more.
PATIENCE: Final = dt.timedelta(days=7)
#: Signs of life in the time of a lease.
_BEATS: Final = 6
_DAY: Final = dt.timedelta(days=1)

Fate = Literal["narratives", "facts_only", "waiting", "failed", "lost", "left"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a patient.

    Args:
        fate: ``lost``: another run has it; ``left``: this run's time was up.
        later: None: there is nothing more to do.
    """

    who: Claimed
    fate: Fate
    later: Later | None = None
    scrubbed: int = 0


class Narrator:
    """Has words written for the patients of one claim after another, ``in_flight`` of them at once.

    Args:
        until: nobody's are asked for any more from then on.
    """

    def __init__(
        self, desk: Desk, order: Order, writer: Writer, limits: Limits, in_flight: int, *,
        now: Callable[[], dt.datetime], until: dt.datetime | None = None,
    ) -> None:  # fmt: skip
        self._desk, self._order, self._writer, self._limits = desk, order, writer, limits
        self._now, self._until = now, until
        self._slots = asyncio.Semaphore(in_flight)
        #: Organisations whose budget is spent, and of which of their civil days.
        self._spent: dict[str, dt.date] = {}

    def put_off(
        self, claim: uuid.UUID, taken: Sequence[Claimed], clinics: Mapping[str, Clinic],
        ended: Callable[[Answered], None],
    ) -> list[Claimed]:  # fmt: skip
        """Those of a claim for whom words can be paid; the others wait for their clinic's next day, and nothing of
        theirs is read."""
        rest, off = list[Claimed](), defaultdict[str, list[Claimed]](list)
        for who in taken:
            clinic = clinics.get(who.organization_id)
            (off[clinic.id] if clinic is not None and self._is_spent(clinic) else rest).append(who)
        for organization, own in off.items():
            now = self._now()
            until = _tomorrow(clinics[organization], now)
            states = put_off_words(
                self._desk.conn, claim, organization, [who.patient_id for who in own], until=until,
                oldest=now - PATIENCE, now=now,
            )  # fmt: skip
            for who in own:
                if who.patient_id not in states:
                    rest.append(who)
                elif states[who.patient_id]:
                    ended(Answered(who, "waiting", Later(who, until, "narrative")))
                else:
                    ended(Answered(who, "facts_only"))
        return rest

    async def narrate(self, claim: uuid.UUID, unsaid: Sequence[Unsaid], ended: Callable[[Answered], None]) -> None:
        """Words for these; ``ended`` is called for each as soon as its answer is kept.

        Raises:
            ExceptionGroup: of our database, which is away; what was not kept is asked again by another run.
        """
        async with self._kept(claim), asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(claim, each, ended)) for each in unsaid]
        for each, task in zip(unsaid, tasks, strict=True):
            # A group takes it for wanted, and says nothing.
            if task.cancelled():
                ended(self._failed(each, asyncio.CancelledError("by the writer")))

    async def _one(self, claim: uuid.UUID, what: Unsaid, ended: Callable[[Answered], None]) -> None:
        async with self._slots:
            if self._until is not None and self._now() >= self._until:
                ended(Answered(what.who, "left", what.later(self._now())))
                return
            try:
                found = await self._write(what)
            except Exception as error:
                ended(self._failed(what, error))
                return
        try:
            ended(self._keep(claim, what, found))
        except OF_A_PATIENT as error:
            if self._desk.conn.closed:
                raise
            ended(self._failed(what, error))

    async def _write(self, what: Unsaid) -> Written | NotWritten:
        if self._is_spent(what.clinic):
            return NotWritten("over_budget", is_transient=True, concerns="clinic")
        commission = self._commission(what)
        # As of the day of the facts, whenever it is tried.
        record = replace(what.record, today=what.facts.today)
        found = await self._writer.write(record, what.facts, commission)
        if isinstance(found, NotWritten) and found.concerns == "clinic":
            self._spent[what.clinic.id] = commission.day
        return found

    def _is_spent(self, clinic: Clinic) -> bool:
        return self._spent.get(clinic.id) == clinic.day(self._now())

    def _commission(self, what: Unsaid) -> Commission:
        rules, own = what.clinic.rules, what.who
        tokens, cost = rules.insights_tokens_per_day, rules.insights_cost_per_day
        return Commission(
            key=what.generation.key, organization_id=own.organization_id, patient_id=own.patient_id,
            day=what.clinic.day(self._now()),
            tokens_per_day=self._limits.tokens_per_day if tokens is None else tokens,
            cost_per_day=self._limits.cost_per_day if cost is None else cost, run_id=self._order.run_id,
        )  # fmt: skip

    def _keep(self, claim: uuid.UUID, what: Unsaid, found: Written | NotWritten) -> Answered:
        conn, now, who, key = self._desk.conn, self._now(), what.who, what.generation.key
        scrubbed = sum(found.scrubbed.values())
        with conn.transaction():
            if not claiming.is_held(conn, claim, who):
                return Answered(who, "lost")
            if isinstance(found, Written):
                store_words(conn, key, *who.pair, found, now=now)
                return Answered(who, "narratives", scrubbed=scrubbed)
            retry_at = again(what, found, now)
            store_reason(conn, key, found, retry_at=retry_at, counts=_was_tried(found), now=now)
        if retry_at is None:
            return Answered(who, "facts_only", scrubbed=scrubbed)
        return Answered(who, "waiting", Later(who, retry_at, "narrative"), scrubbed)

    def _failed(self, what: Unsaid, error: BaseException) -> Answered:
        why = said(error)
        self._desk.log.warning("no words for patient %s: %s", what.who.patient_id, why)
        return Answered(what.who, "failed", claiming.failed(what.who, why, self._now()))

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
    after = min(why.after or dt.timedelta(0), _DAY)
    if not _was_tried(why):
        if now - what.generation.created_at >= PATIENCE:
            return None
        return _tomorrow(what.clinic, now) if why.reason == "over_budget" else now + max(PAUSES[0], after)
    if what.generation.tries >= len(PAUSES):
        return None
    return now + max(PAUSES[what.generation.tries], after)


def _was_tried(why: NotWritten) -> bool:
    """Whether anybody was asked: otherwise it is none of the tries that there are."""
    return why.concerns == "patient" and why.reason != "over_budget"


def _tomorrow(clinic: Clinic, now: dt.datetime) -> dt.datetime:
    """When the clinic's next civil day begins, with its budget."""
    return clinic.instant(clinic.day(now) + _DAY, dt.time())
