"""An inbox on a real database with a clock that tests move: send, claim, work, look.

Here: what the tests of this room do with the domain's functions, and runs that exist on paper only. Not here:
expectations.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import class_row

from fisio_ayida.events import canary, claims, dispatch
from fisio_ayida.events.admission import judge, read
from fisio_ayida.events.claims import Claim, OpenClaim
from fisio_ayida.events.dispatch import Run, Status
from fisio_ayida.events.ids import new_id
from fisio_ayida.events.inbox import Accepted, accept
from fisio_ayida.events.outcomes import GiveUp
from fisio_ayida.events.registry import EVENTS, PROCESS, Batch
from fisio_ayida.events.work import Handlers, Inside, Result, Taken, Tally, Worker, drain
from fisio_ayida.warehouse.engine import Warehouse

Conn = psycopg.Connection[Any]

MORNING = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)
LOG = logging.getLogger("fisio_ayida_tests.events")
ECHO: Handlers = {canary.NAME: Inside(canary.echo)}
DETAIL = "convocatorias/detail.requested"
REGIONS = "regiones/sync.requested"


@dataclass(frozen=True, slots=True)
class Row:
    """An event as the inbox has it."""

    id: str
    state: str
    reason: str | None
    attempt: int
    losses: int
    claim_id: uuid.UUID | None
    run_id: str | None
    result: dict[str, Any] | None
    due_at: dt.datetime


@dataclass(slots=True)
class PaperRuns:
    """Runs that a test says there are."""

    known: dict[uuid.UUID, Run] = field(default_factory=dict)
    buried: list[str] = field(default_factory=list)

    def of(self, claims: Collection[OpenClaim]) -> Mapping[uuid.UUID, Run]:
        return {claim.id: self.known[claim.id] for claim in claims if claim.id in self.known}

    def bury(self, run: Run, why: str) -> None:
        self.buried.append(run.id)

    def have(self, claim: Claim, status: Status, message: str = "") -> None:
        """There is a run of this claim."""
        self.known[claim.id] = Run(f"run of {claim.id}", status, message)


class Lab:
    """One inbox."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.moment = MORNING
        self.conn = warehouse.connect(autocommit=True)
        self.runs = PaperRuns()

    def later(self, **amount: float) -> dt.datetime:
        """Move the clock on."""
        self.moment += dt.timedelta(**amount)
        return self.moment

    def post(self, events: Sequence[Mapping[str, Any]]) -> list[Accepted]:
        """Events as they come by HTTP."""
        made = [
            judge(incoming, raw, own_id=new_id(self.moment, uuid.uuid4().bytes[:10]), seed=None, now=self.moment)
            for incoming, raw in read(json.dumps(list(events)).encode())
        ]
        return accept(self.conn, made, source="http", now=self.moment)

    def send(self, name: str, data: Mapping[str, Any] | None = None, id_: str | None = None) -> str:
        """One event; gives its id."""
        return self.post([{"name": name, "data": data or {}, "id": id_}])[0].id

    def canaries(self, count: int, organization: str | None = None) -> list[str]:
        """So many canaries, in order."""
        data = {"organizationId": organization} if organization else {}
        return [each.id for each in self.post([{"name": canary.NAME, "data": data}] * count)]

    def dead(self, count: int, organization: str | None = None) -> list[str]:
        """So many canaries that failed for good: "never"."""
        sent = self.canaries(count, organization)

        def fail(conn: Conn, taken: Taken) -> None:
            raise GiveUp("never")

        self.drain(echoing(fail))
        return sent

    def worker(self, handlers: Handlers = ECHO, **changes: Any) -> Worker:
        """A run's equipment; it does not wait for the database, and chance is 0."""
        values: dict[str, Any] = {
            "connect": lambda: self.warehouse.connect(autocommit=True),
            "handlers": handlers, "now": lambda: self.moment, "jitter": lambda: 0.0, "log": LOG,
            "monotonic": time.monotonic, "pause": lambda length: None, "run_id": "run-1",
        }  # fmt: skip
        return Worker(**{**values, **changes})

    def drain(
        self,
        handlers: Handlers = ECHO,
        *,
        claim: uuid.UUID | None = None,
        works: Sequence[Batch] = (PROCESS,),
        most: dt.timedelta | None = None,
        **changes: Any,
    ) -> Tally:
        """What a run does."""
        return asyncio.run(drain(self.worker(handlers, **changes), works, claim, most=most))

    def claim(self, work: Batch = PROCESS, run_id: str | None = None) -> Claim | None:
        """Claim what is due of one kind."""
        events = [row for row in EVENTS.values() if row.work == work]
        return claims.claim_batch(self.conn, work, events, now=self.moment, run_id=run_id)

    def tick(self, **changes: Any) -> list[Claim]:
        """What the sensor does."""
        return dispatch.tick(self.conn, self.runs, now=self.moment, log=LOG, **changes)

    def expire(self) -> None:
        """All runs have been silent for too long."""
        self.conn.execute("update events.claims set lease_until = clock_timestamp() - interval '1 second'")

    def row(self, id_: str) -> Row:
        """One event."""
        columns = "id, state, reason, attempt, losses, claim_id, run_id, result, due_at"
        with self.conn.cursor(row_factory=class_row(Row)) as cur:
            found = cur.execute(f"select {columns} from events.inbox where id = %s", [id_]).fetchone()
        assert found is not None
        return found

    def states(self) -> Counter[str]:
        """Events by state."""
        return Counter(dict(self.conn.execute("select state, count(*) from events.inbox group by state")))

    def history(self, id_: str) -> list[str]:
        """The states that an event has had after its first one."""
        query = "select t.state from events.transitions t join events.inbox i using (seq) where i.id = %s"
        return [state for (state,) in self.conn.execute(f"{query} order by t.ctid", [id_])]

    def echoes(self) -> list[str]:
        """The ids of the events that left one, in order."""
        return [id_ for (id_,) in self.conn.execute("select event_id from events.echoes order by ctid")]

    def value(self, query: str, *values: Any) -> Any:
        """The one value that the database answers."""
        row = self.conn.execute(query, values or None).fetchone()
        assert row is not None
        return row[0]


def echoing(before: Callable[[Conn, Taken], None]) -> Handlers:
    """The canary's handler, with something that happens after its effect was written."""

    def handle(conn: Conn, taken: Taken, now: dt.datetime, run_id: str | None) -> Result:
        result = canary.echo(conn, taken, now, run_id)
        before(conn, taken)
        return result

    return {canary.NAME: Inside(handle)}
