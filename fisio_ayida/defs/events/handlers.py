"""Which function handles which event: the names of the registry bound to the domain's code.

What a handler needs from outside is opened here, and only if one of its events is to be handled. Not here: running
them (``events/work.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events.registry import PROCESS, STORE_DOCUMENTS, SYNC_CALLS, Batch
from fisio_ayida.telemetry import BoundLogger

if TYPE_CHECKING:
    import psycopg

    from fisio_ayida.bdns.documents.visit import Documents
    from fisio_ayida.bdns.mirror import Context
    from fisio_ayida.bdns.service import Caller
    from fisio_ayida.clinic.model import Desk
    from fisio_ayida.events.work import Handlers, Inside, Outside, Result, Taken
    from fisio_ayida.warehouse.clinic import ClinicDoor
    from fisio_ayida.warehouse.engine import Warehouse

DETAIL = "convocatorias/detail.requested"
DOCUMENT = "documents/storage.requested"


@asynccontextmanager
async def opened(
    works: Collection[Batch], mirror: MirrorResource, warehouse: Warehouse, caller: Caller, log: BoundLogger
) -> AsyncIterator[Handlers]:
    """The handlers of all events of these kinds of runs.

    Raises:
        BadRequest: the database was filled from another source than the settings name.
    """
    from fisio_ayida.bdns.service import check_source
    from fisio_ayida.events import canary
    from fisio_ayida.events.work import Inside, Outside

    handlers: dict[str, Inside | Outside] = {}
    async with AsyncExitStack() as stack:
        if PROCESS in works:
            handlers[canary.NAME] = Inside(canary.echo)
            opener = _Clinic(mirror, warehouse, log, stack.enter_context(ExitStack()))
            handlers |= _messages(opener)
            handlers |= _visits(opener)
            handlers |= _insights(opener)
        if SYNC_CALLS in works:
            domain = await stack.enter_async_context(mirror.context(warehouse, caller, log))
            check_source(domain)
            handlers[DETAIL] = Outside(lambda event: _sync_call(event, domain))
        if STORE_DOCUMENTS in works:
            from fisio_ayida.defs.bdns.documents import documents_context

            documents = await stack.enter_async_context(documents_context(mirror, warehouse, caller, log))
            handlers[DOCUMENT] = Outside(lambda event: _store_document(event, documents))
        yield handlers


#: A clinic's database that did not answer is not asked again so soon: the other events do not wait for it. Shorter
#: than the pauses between an event's tries, most of which ask.
AWAY = dt.timedelta(seconds=2)


class _Clinic:
    """What handlers work with; FisioFlow's database is opened for the first event that needs it."""

    def __init__(self, mirror: MirrorResource, warehouse: Warehouse, log: BoundLogger, stack: ExitStack) -> None:
        from fisio_ayida.messaging.service import open_outbox

        self._mirror, self._warehouse, self._log, self._stack = mirror, warehouse, log, stack
        self._door: ClinicDoor | None = None
        self._away: tuple[dt.datetime, str] | None = None
        with warehouse.connect(autocommit=True) as conn:
            self.outbox = open_outbox(conn, mirror.settings)

    def shadowed(self) -> frozenset[str]:
        """The jobs that send nothing. Raises :class:`UnknownJob`: CLINIC_SHADOW names one that there is not."""
        from fisio_ayida.clinic.registry import shadowed

        return shadowed(self._mirror.settings.clinic_shadow)

    def door(self) -> ClinicDoor:
        """The way to FisioFlow's database.

        Raises:
            WarehouseError: it does not answer, or did not a moment ago.
            ClinicError: row security would show our role no row.
        """
        from fisio_ayida.warehouse.clinic import open_clinic
        from fisio_ayida.warehouse.engine import WarehouseError

        if self._door is None:
            if self._away is not None and self._mirror.now() < self._away[0] + AWAY:
                raise WarehouseError(self._away[1])
            try:
                self._door = self._stack.enter_context(open_clinic(self._mirror.settings, self._warehouse))
            except WarehouseError as error:
                # From now: not to be answered takes its time, too.
                self._away = self._mirror.now(), str(error)
                raise
        return self._door

    def desk(self, conn: psycopg.Connection[Any]) -> Desk:
        """Of the event's own transaction."""
        from fisio_ayida.clinic.model import Desk

        return Desk(conn, self.door(), self.outbox, self._log)


def _visits(clinic: _Clinic) -> dict[str, Inside | Outside]:
    """What happens to visits, and messages in our words: the jobs' own code, in the event's transaction."""
    from fisio_ayida.clinic import on_events
    from fisio_ayida.clinic.model import BadOrder
    from fisio_ayida.clinic.registry import UnknownJob
    from fisio_ayida.events.outcomes import GiveUp
    from fisio_ayida.events.work import Inside

    def handle(conn: psycopg.Connection[Any], event: Taken, now: dt.datetime, run_id: str | None) -> Result:
        try:
            what = on_events.Event(
                name=event.name, data=event.data, now=now, run_id=run_id or "", shadowed=clinic.shadowed()
            )
            return on_events.HANDLERS[event.name](clinic.desk(conn), what)
        except (on_events.Unusable, BadOrder, UnknownJob) as error:
            raise GiveUp(str(error)) from error

    return {name: Inside(handle) for name in on_events.HANDLERS}


def _insights(clinic: _Clinic) -> dict[str, Inside | Outside]:
    """Whose insights are wanted: a row of their queue, in the event's transaction."""
    from fisio_ayida.clinic.on_events import Unusable
    from fisio_ayida.events.outcomes import GiveUp
    from fisio_ayida.events.work import Inside
    from fisio_ayida.insights import on_events

    def handle(conn: psycopg.Connection[Any], event: Taken, now: dt.datetime, run_id: str | None) -> Result:
        try:
            return on_events.HANDLERS[event.name](conn, clinic.door(), event.data, now)
        except Unusable as error:
            raise GiveUp(str(error)) from error

    return {name: Inside(handle) for name in on_events.HANDLERS}


def _messages(clinic: _Clinic) -> dict[str, Inside | Outside]:
    """What an app asks for becomes a row of the outbox, in the transaction that ends the event.

    What cannot be a message is listed in the event's result; where nothing can, the event is dead.
    """
    from fisio_ayida.clinic import on_events
    from fisio_ayida.events.outcomes import GiveUp
    from fisio_ayida.events.work import Inside
    from fisio_ayida.messaging import requests

    def plan(conn: psycopg.Connection[Any], event: Taken, now: dt.datetime, run_id: str | None) -> Result:
        asking = requests.read(event.id, event.name, event.data)
        if event.name == requests.MULTICAST and any(draft.user_id for draft in asking.drafts.values()):
            try:
                asking = on_events.to_people(conn, clinic.door(), asking, event.data.get("organizationId") or "")
            except on_events.Unusable as error:
                raise GiveUp(str(error)) from error
        planned, unfit = clinic.outbox.plan_what_can_be(conn, list(asking.drafts.values()), now=now)
        also = {place: unfit[draft.key] for place, draft in asking.drafts.items() if draft.key in unfit}
        refused = {**asking.refused, **also}
        reasons = [f"{place}: {why}" if place else why for place, why in refused.items()]
        if reasons and not planned:
            others = f" (and {len(reasons) - 1} others)" if len(reasons) > 1 else ""
            raise GiveUp(f"{reasons[0]}{others}")
        result = {"messages": [each.id for each in planned], "new": sum(each.is_new for each in planned)}
        return result | ({"refused": reasons} if reasons else {})

    return {name: Inside(plan) for name in requests.EVENTS}


async def _sync_call(event: Taken, domain: Context) -> dict[str, Any]:
    from fisio_ayida.bdns.errors import BadRequest
    from fisio_ayida.bdns.single import UnknownCode, sync_convocatoria
    from fisio_ayida.events.outcomes import GiveUp, Skip

    try:
        single = await sync_convocatoria(event.data["bdns"], domain)
    except UnknownCode as error:
        raise Skip(str(error)) from error
    except BadRequest as error:
        raise GiveUp(str(error)) from error
    return {"codigo_bdns": single.key, "verdict": single.verdict, "partition": single.partition}


async def _store_document(event: Taken, documents: Documents) -> dict[str, Any]:
    from fisio_ayida.bdns.documents.errors import UnknownDocument
    from fisio_ayida.bdns.documents.service import store_document
    from fisio_ayida.bdns.errors import BadRequest
    from fisio_ayida.bdns.single import UnknownCode
    from fisio_ayida.events.outcomes import GiveUp, Skip

    number = event.data["documentId"]
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise GiveUp(f"documentId={number!r} is not a document of the BDNS: 1 to 18 digits")
    try:
        visit = await store_document(event.data["bdns"], int(number), documents)
    except (UnknownCode, UnknownDocument) as error:
        raise Skip(str(error)) from error
    except BadRequest as error:
        raise GiveUp(str(error)) from error
    return {"document_id": visit.target.id, "verdict": visit.verdict.value, "bytes": visit.size}
