"""The dispatcher's loop: drains the outbox through its channels, however many processes do the same.

Each lane (a channel's account) goes at its own pace and holds up no other, nor does one that breaks. Here: which
lanes there are, and when a run ends. Not here: one lane (``lane.py``), and what belongs to none (``tidying.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Final

from fisio_ayida.messaging import due, tidying
from fisio_ayida.messaging.dispatcher import Dispatcher, Run, Tally
from fisio_ayida.messaging.lane import LaneRun
from fisio_ayida.messaging.picking import Lane
from fisio_ayida.warehouse.session import Connection

#: How long a dispatcher that has nothing to do waits for what will soon be due: a process costs seconds to start.
LINGER: Final = dt.timedelta(seconds=5)
#: Between two looks at what is not a lane's own: dead runs, unknown outcomes, other channels.
TIDY: Final = dt.timedelta(seconds=5)
#: How long a lane in which nothing is due is left alone while others are busy.
REST: Final = dt.timedelta(seconds=2)

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


async def dispatch(dispatcher: Dispatcher, *, most: dt.timedelta | None = None) -> Tally:
    """Send what is due until nothing is, or for ``most``.

    A fault in one lane stops that lane. The others are served, then the run ends, with ``faults`` in its tally:
    whoever started it has to fail.

    Raises:
        psycopg.OperationalError: the database went away and stayed away; calls under way have ended by then.
    """
    run = Run(dispatcher, most)
    try:
        await _Drain(run).drain()
    finally:
        run.close()
    return run.tally


class _Drain:
    """The loop of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._monotonic = run.d.monotonic
        self._known: dict[Lane, LaneRun] = {}
        self._busy: dict[Lane, asyncio.Task[None]] = {}
        self._dry: dict[Lane, float] = {}
        self._broken: set[Lane] = set()
        self._asking: asyncio.Task[None] | None = None
        self._tidied: float | None = None

    async def drain(self) -> None:
        """Until there is nothing to do, or no more time."""
        try:
            while True:
                await self._tidy()
                await self._start()
                if self._tasks():
                    await asyncio.wait(
                        self._tasks(), timeout=REST.total_seconds(), return_when=asyncio.FIRST_COMPLETED
                    )
                    self._reap()
                if not self._tasks() and not await self._wait():
                    return
        finally:
            # What is being said is listened to, whatever went wrong beside it.
            self._run.is_ending = True
            await asyncio.gather(*self._tasks(), return_exceptions=True)

    async def _tidy(self) -> None:
        if self._tidied is not None and self._monotonic() - self._tidied < TIDY.total_seconds():
            return
        self._tidied, self._run.is_untidy = self._monotonic(), False
        await tidying.tidy(self._run)
        if self._asking is None:
            # A provider that does not answer holds up nobody.
            self._asking = asyncio.create_task(tidying.ask(self._run))

    async def _start(self) -> None:
        if self._run.over():
            return
        for lane in await self._run.do(_lanes):
            if lane not in self._busy and lane not in self._broken and not self._rests(lane):
                self._busy[lane] = asyncio.create_task(self._serve(lane))

    async def _serve(self, lane: Lane) -> None:
        # If it breaks it would break again: the next run finds out.
        self._broken.add(lane)
        with self._run.apart(f"lane {lane.channel} {lane.account}".strip()):
            if lane not in self._known:
                self._known[lane] = LaneRun(self._run, lane)
            await self._known[lane].send_due()
            self._broken.discard(lane)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [*self._busy.values(), *([self._asking] if self._asking else [])]

    def _reap(self) -> None:
        for lane in [lane for lane, task in self._busy.items() if task.done()]:
            self._busy.pop(lane).result()
            self._dry[lane] = self._monotonic()
        if self._asking is not None and self._asking.done():
            ended, self._asking = self._asking, None
            ended.result()

    def _rests(self, lane: Lane) -> bool:
        ended = self._dry.get(lane)
        return ended is not None and self._monotonic() - ended < REST.total_seconds()

    async def _wait(self) -> bool:
        """Until something is due, if that is soon; False: the run has done what it can."""
        if self._run.over():
            return False
        if self._run.is_untidy:
            self._tidied = None
            return True
        if self._run.tally.faults:
            # What is due now may be what nobody here can do.
            return False
        now = self._run.d.now()
        at = await self._run.do(due.next_at, self._run.d.providers, now=now, horizon=now + LINGER)
        if at is None:
            return False
        # A moment more: what is due at this moment must be so by then, and what cannot be done must not spin.
        await asyncio.sleep(max((at - self._run.d.now()).total_seconds(), 0.05))
        self._tidied = None
        self._dry.clear()
        return True


def _lanes(conn: Connection) -> list[Lane]:
    return [Lane(channel, account) for channel, account in conn.execute(_LANES)]
