"""The dispatcher: drains the outbox through its channels, however many processes do the same.

Each lane (a channel's account) goes at its own pace and holds up no other. Here: the loop. Not here: who may be
written to (``claims.py`` asks the rules), how calls end (``outcomes.py``), and the channels.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar
from uuid import uuid4

from fisio_ayida.messaging import due, fallback, receipts, replies, tickets, unknowns
from fisio_ayida.messaging.batches import Batch, claim_batch, repeat_batch
from fisio_ayida.messaging.circuits import Circuits
from fisio_ayida.messaging.claims import Claimant, Claimed, capacity, claim, rebuilt
from fisio_ayida.messaging.model import (
    Accepted,
    Ambiguous,
    BatchSender,
    Channel,
    Envelope,
    Permanent,
    Result,
    Sender,
    Unhealthy,
)
from fisio_ayida.messaging.outbox import Outbox
from fisio_ayida.messaging.outcomes import Ended, record
from fisio_ayida.messaging.picking import Lane
from fisio_ayida.telemetry import Log
from fisio_ayida.warehouse.session import Connection, Session

T = TypeVar("T")
P = ParamSpec("P")

#: How long a dispatcher that has nothing to do waits for what will soon be due: a process costs seconds to start.
LINGER = dt.timedelta(seconds=5)
#: Between two looks at what is not a lane's own: dead runs, unknown outcomes, other channels.
TIDY = dt.timedelta(seconds=5)
#: How long a lane in which nothing is due is left alone while others are busy.
REST = dt.timedelta(seconds=2)
#: How long an account that was well is believed to be.
HEALTH = dt.timedelta(seconds=60)
#: Answers that come together are written together.
GATHER_SECONDS = 0.02
# At a time.
_LOOK_UPS, _RECEIPTS = 20, 1000

_LANES = """
with recursive lane (channel, account) as (
  (select channel, account from messaging.messages where state in ('planned', 'retry', 'deferred')
   order by channel, account limit 1)
  union all
  select n.channel, n.account from lane l cross join lateral (
    select m.channel, m.account from messaging.messages m
    where m.state in ('planned', 'retry', 'deferred') and (m.channel, m.account) > (l.channel, l.account)
    order by m.channel, m.account limit 1) n)
select channel, account from lane
"""


@dataclass(slots=True)
class Tally:
    """What a dispatcher did: calls by channel and how they ended, and messages that the rules stopped."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    stopped: Counter[tuple[str, str]] = field(default_factory=Counter)
    receipts: int = 0
    replies: int = 0
    given_back: int = 0
    looked_up: int = 0
    fallbacks: int = 0
    alerts: list[str] = field(default_factory=list)

    def total(self, outcome: str | None = None) -> int:
        """Calls, or those that ended so."""
        return sum(n for (_, ended), n in self.sent.items() if outcome in (None, ended))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """What a dispatcher works with.

    Args:
        connect: opens a connection in autocommit.
        senders: one for each channel.
        rates: messages a second of one account, by channel; 0 or missing: no pace. What is claimed at a time
            follows from it; the pace itself is the sender's clock.
        accounts: of messages that name none.
        lease: how long a claimed message counts as being sent; longer than a call with its waiting can take.
        monotonic, pause: time for waiting; ``now`` is the time for everything that is written.
    """

    connect: Callable[[], Connection]
    senders: Mapping[Channel, Sender]
    outbox: Outbox
    rates: Mapping[Channel, float]
    accounts: Mapping[Channel, str]
    in_flight: int
    lease: dt.timedelta
    run_id: str
    alerts_to: str | None
    now: Callable[[], dt.datetime]
    jitter: Callable[[], float]
    monotonic: Callable[[], float]
    pause: Callable[[dt.timedelta], None]
    log: Log

    @property
    def providers(self) -> dict[Channel, str]:
        """Who serves each channel."""
        return {channel: sender.provider for channel, sender in self.senders.items()}


async def dispatch(dispatcher: Dispatcher, *, most: dt.timedelta | None = None) -> Tally:
    """Send what is due until nothing is, or for ``most``.

    Raises:
        psycopg.OperationalError: the database went away and stayed away; calls under way have ended by then.
    """
    drain = _Drain(dispatcher, most)
    try:
        await drain.run()
    finally:
        drain.session.close()
    return drain.tally


class _Drain:
    """One run of the dispatcher."""

    def __init__(self, dispatcher: Dispatcher, most: dt.timedelta | None) -> None:
        self.d = dispatcher
        self.tally = Tally()
        self.session = Session(dispatcher.connect, dispatcher.pause, dispatcher.log)
        self._database = asyncio.Lock()
        self._until = None if most is None else dispatcher.monotonic() + most.total_seconds()
        self._failed = False
        self._tidied: float | None = None
        self._is_untidy = False
        self._dry: dict[Lane, float] = {}
        self._well: dict[Lane, float] = {}

    async def run(self) -> None:
        lanes: dict[Lane, asyncio.Task[None]] = {}
        try:
            while True:
                await self._tidy()
                if not self._over():
                    for lane in await self._do(_lanes):
                        if lane not in lanes and not self._rests(lane):
                            lanes[lane] = asyncio.create_task(self._lane(lane))
                if lanes:
                    await asyncio.wait(
                        lanes.values(), timeout=REST.total_seconds(), return_when=asyncio.FIRST_COMPLETED
                    )
                    for lane in [lane for lane, task in lanes.items() if task.done()]:
                        lanes.pop(lane).result()
                        self._dry[lane] = self.d.monotonic()
                    if lanes:
                        continue
                if not await self._wait():
                    return
        finally:
            # What is being said is listened to, whatever went wrong beside it.
            self._failed = True
            await asyncio.gather(*lanes.values(), return_exceptions=True)

    async def _wait(self) -> bool:
        """Until something is due, if that is soon."""
        if self._over():
            return False
        if self._is_untidy:
            # What has just ended may have another channel, or is to be asked about.
            self._tidied = None
            await self._tidy()
        now = self.d.now()
        at = await self._do(due.next_at, self.d.providers, now=now, horizon=now + LINGER)
        if at is None:
            return False
        # A moment more: what is due at this moment must be so by then, and what cannot be done must not spin.
        await asyncio.sleep(max((at - self.d.now()).total_seconds(), 0.05))
        self._tidied = None
        self._dry.clear()
        return True

    def _rests(self, lane: Lane) -> bool:
        ended = self._dry.get(lane)
        return ended is not None and self.d.monotonic() - ended < REST.total_seconds()

    def _over(self) -> bool:
        return self._failed or (self._until is not None and self.d.monotonic() >= self._until)

    async def _do(self, action: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One thing at a time on the run's connection, off the event loop."""
        async with self._database:
            return await asyncio.to_thread(lambda: self.session.do(action, *args, **kwargs))

    # --- what belongs to no lane

    async def _tidy(self) -> None:
        if self._tidied is not None and self.d.monotonic() - self._tidied < TIDY.total_seconds():
            return
        self._tidied, self._is_untidy = self.d.monotonic(), False
        await self._arrived()
        again, unknown = await self._do(unknowns.give_back, self.d.senders, now=self.d.now())
        self.tally.given_back += again + unknown
        for sender in self.d.senders.values():
            if sender.can_look_up:
                await self._look_up(sender)
        await self._do(unknowns.let_be, self.d.senders, now=self.d.now())
        self.tally.fallbacks += await self._do(
            fallback.plan_fallbacks, self.d.outbox, now=self.d.now(), log=self.d.log
        )
        for sender in self.d.senders.values():
            if isinstance(sender, tickets.Ticketed):
                await self._fetch_receipts(sender, sender)

    async def _arrived(self) -> None:
        """Receipts and replies: an opt-out that has come in is known before the next message is claimed."""
        self.tally.receipts += await self._do(_apply_receipts, self.d.now())
        self.tally.replies += await self._do(_act_on_replies, self.d.outbox, self.d.now())

    async def _look_up(self, sender: Sender) -> None:
        ids = await self._do(unknowns.take, sender, now=self.d.now(), most=_LOOK_UPS)
        if not ids:
            return
        envelopes = await self._do(rebuilt, ids, self._who(sender))
        # All at once: a provider that does not answer holds up the other channels only once.
        answers = await asyncio.gather(*(self._asked(sender.look_up(each), None) for each in envelopes))
        self.tally.looked_up += len(envelopes)
        for envelope, found in zip(envelopes, answers, strict=True):
            if found is not None:
                await self._do(unknowns.settle, envelope.id, sender.provider, found.provider_id, now=self.d.now())

    async def _fetch_receipts(self, sender: Sender, ticketed: tickets.Ticketed) -> None:
        asked = await self._do(tickets.take, now=self.d.now(), most=_RECEIPTS)
        if asked:
            found = tickets.reports(sender, await self._asked(ticketed.receipts(asked), {}))
            hasher = self.d.outbox.letters.hasher
            await self._do(receipts.store, found, hasher=hasher, now=self.d.now())

    async def _asked(self, question: Awaitable[T], otherwise: T) -> T:
        """A channel's answer; a fault of ours in it costs only this answer."""
        try:
            return await question
        except Exception as error:
            # Its text may quote whom it was about.
            self.d.log.error("a channel was asked and failed: %s", type(error).__name__)
            return otherwise

    # --- a lane

    async def _lane(self, lane: Lane) -> None:
        """Send what is due in one lane until nothing is."""
        sender = self.d.senders[lane.channel]
        most = capacity(self.d.rates.get(lane.channel, 0), self.d.in_flight)
        circuits = Circuits(sender.provider, self.d.outbox, self.d.alerts_to)
        flying: set[asyncio.Task[list[Ended]]] = set()
        after, is_dry = "", False
        try:
            while True:
                room = most - len(flying)
                if not is_dry and not self._over() and room >= max(1, most // 2):
                    claimed, batch = await self._claim(lane, sender, circuits, room, after)
                    is_dry = not claimed and batch is None
                    for envelope in claimed.envelopes:
                        flying.add(asyncio.create_task(_send(sender, envelope)))
                        after = envelope.organization_id
                    if batch is not None and isinstance(sender, BatchSender) and batch.claimed.envelopes:
                        flying.add(asyncio.create_task(_send_batch(sender, batch)))
                if not flying:
                    if is_dry or self._over():
                        return
                    continue
                await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
                if len(flying) > 1:
                    await asyncio.sleep(GATHER_SECONDS)
                landed = {task for task in flying if task.done()}
                flying -= landed
                await self._record(lane, sender, circuits, [each for task in landed for each in task.result()])
        finally:
            if flying:
                rest = await asyncio.gather(*flying)
                await self._record(lane, sender, circuits, [each for ended in rest for each in ended])

    async def _claim(
        self, lane: Lane, sender: Sender, circuits: Circuits, room: int, after: str
    ) -> tuple[Claimed, Batch | None]:
        await self._arrived()
        way = await self._do(circuits.way, lane, now=self.d.now())
        if way.closed or not await self._is_well(lane, sender, circuits, way.trial):
            return Claimed(), None
        who, closed = self._who(sender), way.organizations - set(way.trials)
        claimed = await self._do(
            claim, lane, 1 if way.trial else room, who, now=self.d.now(), after=after,
            closed=closed, trials=way.trials, share="alone" if isinstance(sender, BatchSender) else "all",
        )  # fmt: skip
        self.tally.stopped.update(claimed.stopped)
        if claimed or not isinstance(sender, BatchSender):
            return claimed, None
        # What may share a call waits for what goes alone.
        batch = await self._do(repeat_batch, lane, who, now=self.d.now())
        if batch is None:
            batch = await self._do(
                claim_batch, lane, 1 if way.trial else sender.batch_size, who, now=self.d.now(), batch=uuid4(),
                closed=closed, trials=way.trials,
            )  # fmt: skip
            self.tally.stopped.update(batch.claimed.stopped)
            if not batch.claimed:
                return claimed, None
        return claimed, batch

    async def _is_well(self, lane: Lane, sender: Sender, circuits: Circuits, is_trial: bool) -> bool:
        """Whether the account can send, asked once a minute."""
        asked = self._well.get(lane)
        if not is_trial and asked is not None and self.d.monotonic() - asked < HEALTH.total_seconds():
            return True
        account = lane.account or self.d.accounts.get(lane.channel, "")
        health = await self._asked(sender.health(account), Unhealthy("a fault in the channel"))
        if isinstance(health, Unhealthy):
            self._well.pop(lane, None)
            self._alert(await self._do(circuits.hold, lane, health.reason, now=self.d.now()))
            return False
        self._well[lane] = self.d.monotonic()
        if is_trial:
            await self._do(circuits.well, lane, now=self.d.now())
        return True

    async def _record(self, lane: Lane, sender: Sender, circuits: Circuits, ended: list[Ended]) -> None:
        for each in ended:
            self.tally.sent[lane.channel, _word(each.result)] += 1
        self._is_untidy = True
        now = self.d.now()
        self._alert(
            await self._do(
                _write, lane, sender, circuits, ended, run_id=self.d.run_id, now=now, jitter=self.d.jitter()
            )
        )

    def _alert(self, lines: list[str]) -> None:
        for line in lines:
            self.d.log.error(line)
        self.tally.alerts += lines

    def _who(self, sender: Sender) -> Claimant:
        return Claimant(
            self.d.run_id, sender.provider, self.d.lease, self.d.outbox.letters,
            account=self.d.accounts.get(sender.channel, ""),
            repeat_within=sender.repeat_within if sender.repeats_safely else dt.timedelta(0),
        )  # fmt: skip


async def _send(sender: Sender, envelope: Envelope) -> list[Ended]:
    try:
        return [Ended(envelope, await sender.send(envelope))]
    except Exception as error:
        # A fault of ours: nobody can tell how far the call had come.
        return [Ended(envelope, Ambiguous("fault", f"{type(error).__name__} in the channel"))]


async def _send_batch(sender: BatchSender, batch: Batch) -> list[Ended]:
    envelopes = batch.claimed.envelopes
    try:
        results = await sender.send_batch(batch.key, envelopes)
        return [Ended(envelope, result) for envelope, result in zip(envelopes, results, strict=True)]
    except Exception as error:
        lost = Ambiguous("fault", f"{type(error).__name__} in the channel")
        return [Ended(envelope, lost) for envelope in envelopes]


def _write(
    conn: Connection, lane: Lane, sender: Sender, circuits: Circuits, ended: list[Ended], *,
    run_id: str, now: dt.datetime, jitter: float,
) -> list[str]:  # fmt: skip
    """The outcomes and what they say of the way, in one transaction."""
    with conn.transaction():
        record(conn, ended, sender, run_id=run_id, now=now, jitter=jitter)
        return circuits.note(conn, lane, ended, now=now)


def _lanes(conn: Connection) -> list[Lane]:
    return [Lane(channel, account) for channel, account in conn.execute(_LANES)]


def _apply_receipts(conn: Connection, now: dt.datetime) -> int:
    return receipts.apply(conn, now=now, limit=_RECEIPTS).total


def _act_on_replies(conn: Connection, outbox: Outbox, now: dt.datetime) -> int:
    return replies.act(conn, outbox=outbox, now=now)


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
