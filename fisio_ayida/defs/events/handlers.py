"""Which function handles which event: the names of the registry bound to the domain's code.

What a handler needs from outside is opened here, and only if one of its events is to be handled. Not here: running
them (``events/work.py``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events.registry import EVENTS, Batch

if TYPE_CHECKING:
    from fisio_ayida.bdns.mirror import Context
    from fisio_ayida.bdns.service import Caller, Log
    from fisio_ayida.events.work import Handlers, Inside, Outside, Taken
    from fisio_ayida.warehouse.engine import Warehouse

DETAIL = "convocatorias/detail.requested"


@asynccontextmanager
async def opened(
    works: Collection[Batch], mirror: MirrorResource, warehouse: Warehouse, caller: Caller, log: Log
) -> AsyncIterator[Handlers]:
    """The handlers of all events of these kinds of runs."""
    from fisio_ayida.bdns.service import check_source
    from fisio_ayida.events import canary
    from fisio_ayida.events.work import Inside

    wanted = {row.name for row in EVENTS.values() if row.work in works}
    inside: dict[str, Inside | Outside] = {canary.NAME: Inside(canary.echo)}
    if wanted <= inside.keys():
        yield {name: inside[name] for name in wanted}
        return
    async with mirror.context(warehouse, caller, log) as domain:
        check_source(domain)
        known = {**inside, **_of_bdns(domain)}
        yield {name: handler for name, handler in known.items() if name in wanted}


def _of_bdns(domain: Context) -> dict[str, Inside | Outside]:
    from fisio_ayida.events.work import Outside

    async def detail(event: Taken) -> dict[str, Any]:
        return await _sync_call(event, domain)

    return {DETAIL: Outside(detail)}


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
