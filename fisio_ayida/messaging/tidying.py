"""What belongs to no lane: reports and replies, dead runs, other channels, and asking providers what became of it.

Here: what of it is done together, and how long a provider may take to answer. Not here: what is done with the
answers (``receipts.py``, ``replies.py``, ``unknowns.py``, ``fallback.py``, ``tickets.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Final

from fisio_ayida.messaging import fallback, receipts, replies, tickets, unknowns
from fisio_ayida.messaging.claims import rebuilt
from fisio_ayida.messaging.dispatcher import Dispatcher, Run
from fisio_ayida.messaging.model import Envelope, Sender
from fisio_ayida.warehouse.session import Connection

#: How long a provider's answer about earlier messages is waited for, its turn at the pace included.
PATIENCE: Final = dt.timedelta(seconds=60)
# At a time.
_LOOK_UPS, _RECEIPTS = 20, 1000


async def arrived(run: Run) -> None:
    """Receipts and replies: an opt-out that has come in is known before the next message is claimed."""
    run.tally.receipts += await run.do(_apply_receipts, run.d)
    run.tally.replies += await run.do(replies.act, outbox=run.d.outbox, clinic=run.d.clinic, now=run.d.now())


async def tidy(run: Run) -> None:
    """What the database alone can tell."""
    d = run.d
    with run.apart("reports and replies"):
        await arrived(run)
    with run.apart("dead runs"):
        again, unknown = await run.do(unknowns.give_back, d.senders, now=d.now())
        run.tally.given_back += again + unknown
    with run.apart("unknown outcomes"):
        await run.do(unknowns.let_be, d.senders, now=d.now())
    with run.apart("other channels"):
        run.tally.fallbacks += await run.do(fallback.plan_fallbacks, d.outbox, d.clinic, now=d.now(), log=d.log)


async def ask(run: Run) -> None:
    """What only the providers know; all of them at once, each for :data:`PATIENCE` at most."""
    rounds = [_look_up(run, sender) for sender in run.d.senders.values() if sender.can_look_up]
    rounds += [_fetch(run, s, s) for s in run.d.senders.values() if isinstance(s, tickets.Ticketed)]
    for ended in await asyncio.gather(*rounds, return_exceptions=True):
        if ended is not None:
            raise ended


async def _look_up(run: Run, sender: Sender) -> None:
    with run.apart(f"looking up {sender.provider}"):
        ids = await run.do(unknowns.take, sender, now=run.d.now(), most=_LOOK_UPS)
        if not ids:
            return
        envelopes = await run.do(rebuilt, ids, run.who(sender), now=run.d.now())
        run.tally.looked_up += len(envelopes)
        await asyncio.gather(*(_look_up_one(run, sender, each) for each in envelopes))


async def _look_up_one(run: Run, sender: Sender, envelope: Envelope) -> None:
    found = await run.asked(sender.look_up(envelope), None, PATIENCE)
    if found is not None:
        await run.do(unknowns.settle, envelope.id, sender.provider, found.provider_id, now=run.d.now())


async def _fetch(run: Run, sender: Sender, ticketed: tickets.Ticketed) -> None:
    with run.apart(f"receipts of {sender.provider}"):
        asked = await run.do(tickets.take, now=run.d.now(), most=_RECEIPTS)
        if asked:
            found = tickets.reports(sender, await run.asked(ticketed.receipts(asked), {}, PATIENCE))
            await run.do(receipts.store, found, hasher=run.d.outbox.letters.hasher, now=run.d.now())


def _apply_receipts(conn: Connection, d: Dispatcher) -> int:
    hasher = d.outbox.letters.hasher
    return receipts.apply(conn, hasher=hasher, clinic=d.clinic, now=d.now(), limit=_RECEIPTS).total
