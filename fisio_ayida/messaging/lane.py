"""One lane of a run: claiming what is due in it, calling its provider, and writing down what came of the calls.

Here: how many are in hand, and when to claim more. Not here: which lanes there are (``dispatch.py``), who may be
written to (``claims.py`` asks the rules), and the pace, which is the sender's clock.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Final
from uuid import uuid4

from fisio_ayida.messaging.batches import Batch, claim_batch, repeat_batch
from fisio_ayida.messaging.circuits import Circuits
from fisio_ayida.messaging.claims import Claimed, capacity, claim
from fisio_ayida.messaging.dispatcher import Run
from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    BatchSender,
    Envelope,
    Permanent,
    Result,
    Sender,
    Unhealthy,
)
from fisio_ayida.messaging.outcomes import Ended, record
from fisio_ayida.messaging.picking import Lane
from fisio_ayida.messaging.tidying import arrived
from fisio_ayida.warehouse.clinic import ClinicDoor
from fisio_ayida.warehouse.session import Connection

#: How long an account that was well is believed to be.
HEALTH: Final = dt.timedelta(seconds=60)
#: How long calls that hang keep a lane from looking for what has become due since.
LOOK_AGAIN: Final = dt.timedelta(seconds=2)
#: Answers that come together are written together.
GATHER_SECONDS: Final = 0.02


class LaneRun:
    """One lane in one run, however often something is due in it."""

    def __init__(self, run: Run, lane: Lane) -> None:
        self.lane = lane
        self.sender = run.d.senders[lane.channel]
        self._run = run
        self._circuits = Circuits(self.sender.provider, run.d.outbox, run.d.alerts_to)
        self._well: float | None = None

    async def send_due(self) -> None:
        """Send what is due until nothing is."""
        most = capacity(self._run.d.rates.get(self.lane.channel, 0), self._run.d.in_flight)
        flying: set[asyncio.Task[list[Ended]]] = set()
        after, is_dry = "", False
        try:
            while True:
                room = most - len(flying)
                if not is_dry and not self._run.over() and room >= max(1, most // 2):
                    claimed, batch = await self.claim(room, after)
                    is_dry = not claimed and batch is None
                    for envelope in claimed.envelopes:
                        flying.add(asyncio.create_task(send(self.sender, envelope)))
                        after = envelope.organization_id
                    if batch is not None and isinstance(self.sender, BatchSender) and batch.claimed.envelopes:
                        flying.add(asyncio.create_task(send_batch(self.sender, batch)))
                    continue
                if not flying:
                    return
                landed, _ = await asyncio.wait(
                    flying, timeout=LOOK_AGAIN.total_seconds(), return_when=asyncio.FIRST_COMPLETED
                )
                if not landed:
                    # A call that hangs does not hold up what has become due since.
                    is_dry = False
                    continue
                if len(flying) > 1:
                    await asyncio.sleep(GATHER_SECONDS)
                landed = {task for task in flying if task.done()}
                flying -= landed
                await self.record([each for task in landed for each in task.result()])
        finally:
            if flying:
                rest = await asyncio.gather(*flying)
                await self.record([each for ended in rest for each in ended])

    async def claim(self, room: int, after: str) -> tuple[Claimed, Batch | None]:
        """Up to ``room`` messages to be sent now, or a batch; ``after``: the organisation that was served last."""
        run, lane, sender = self._run, self.lane, self.sender
        await arrived(run)
        way = await run.do(self._circuits.way, lane, now=run.d.now())
        if way.closed or not await self._is_well(way.trial):
            return Claimed(), None
        who, closed = run.who(sender), way.organizations - set(way.trials)
        claimed = await run.do(
            claim, lane, 1 if way.trial else room, who, now=run.d.now(), after=after,
            closed=closed, trials=way.trials, share="alone" if isinstance(sender, BatchSender) else "all",
        )  # fmt: skip
        run.tally.stopped.update(claimed.stopped)
        if claimed or not isinstance(sender, BatchSender):
            return claimed, None
        # What may share a call waits for what goes alone.
        batch = await run.do(repeat_batch, lane, who, now=run.d.now())
        if batch is None:
            batch = await run.do(
                claim_batch, lane, 1 if way.trial else sender.batch_size, who, now=run.d.now(), batch=uuid4(),
                closed=closed, trials=way.trials,
            )  # fmt: skip
            run.tally.stopped.update(batch.claimed.stopped)
            if not batch.claimed:
                return claimed, None
        return claimed, batch

    async def record(self, ended: list[Ended]) -> None:
        """Write down how calls ended."""
        run = self._run
        for each in ended:
            run.tally.sent[self.lane.channel, _word(each.result)] += 1
        run.is_untidy = True
        now = run.d.now()
        run.alert(
            await run.do(
                _write, self.lane, self.sender, self._circuits, ended, run.d.clinic, run_id=run.d.run_id, now=now,
                jitter=run.d.jitter(),
            )
        )  # fmt: skip

    async def _is_well(self, is_trial: bool) -> bool:
        """Whether the account can send, asked once a minute."""
        run, lane = self._run, self.lane
        if not is_trial and self._well is not None and run.d.monotonic() - self._well < HEALTH.total_seconds():
            return True
        account = lane.account or run.d.accounts.get(lane.channel, "")
        health = await run.asked(self.sender.health(account), Unhealthy("a fault in the channel"))
        if isinstance(health, Unhealthy):
            self._well = None
            run.alert(await run.do(self._circuits.hold, lane, health.reason, now=run.d.now()))
            return False
        self._well = run.d.monotonic()
        if is_trial:
            await run.do(self._circuits.well, lane, now=run.d.now())
        return True


async def send(sender: Sender, envelope: Envelope) -> list[Ended]:
    """One call for one message."""
    try:
        return [Ended(envelope, await sender.send(envelope))]
    except Exception as error:
        # A fault of ours: nobody can tell how far the call had come.
        return [Ended(envelope, Ambiguous("fault", f"{type(error).__name__} in the channel"))]


async def send_batch(sender: BatchSender, batch: Batch) -> list[Ended]:
    """One call for all messages of a batch."""
    envelopes = batch.claimed.envelopes
    try:
        results = await sender.send_batch(batch.key, envelopes)
        return [Ended(envelope, result) for envelope, result in zip(envelopes, results, strict=True)]
    except Exception as error:
        lost = Ambiguous("fault", f"{type(error).__name__} in the channel")
        return [Ended(envelope, lost) for envelope in envelopes]


def _write(
    conn: Connection, lane: Lane, sender: Sender, circuits: Circuits, ended: list[Ended], clinic: ClinicDoor, *,
    run_id: str, now: dt.datetime, jitter: float,
) -> list[str]:  # fmt: skip
    """The outcomes and what they say of the way, in one transaction."""
    with conn.transaction():
        record(conn, ended, sender, clinic, run_id=run_id, now=now, jitter=jitter)
        return circuits.note(conn, lane, ended, now=now)


def _word(result: Result) -> str:
    match result:
        case Accepted():
            return "accepted"
        case Permanent():
            return "refused"
        case Ambiguous():
            return "ambiguous"
        case _:
            return "put off"
