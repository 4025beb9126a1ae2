"""The job that reads single calls again by their BDNS code, for the portal's "refresh this call".

One call by configuration, or the calls that claimed events ask for. The comparison with what is stored is the
domain's (``bdns/single.py``).
"""

import asyncio
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from fisio_ayida.bdns.datasets import CONVOCATORIAS
from fisio_ayida.defs.bdns.failures import reported
from fisio_ayida.defs.bdns.specs import OWNER, asset_key
from fisio_ayida.defs.events.running import handle_events
from fisio_ayida.defs.resources import LOG, MirrorResource
from fisio_ayida.events.registry import SYNC_CALLS
from fisio_ayida.telemetry import BoundLogger, bind

if TYPE_CHECKING:
    from fisio_ayida.bdns.single import Single
    from fisio_ayida.warehouse.engine import Warehouse


class CallConfig(dg.Config):
    """Which call to read."""

    bdns: str = Field("", description="BDNS code, 1 to 16 digits; empty: the newest call that is stored")
    claim: str | None = Field(None, description="A claim of events that ask for calls, given by the sensor")


@dg.op(description="Read one call again and store what has changed.")
def sync_call(
    context: dg.OpExecutionContext, config: CallConfig, mirror: dg.ResourceParam[MirrorResource]
) -> None:
    if config.claim:
        handle_events(context, mirror, (SYNC_CALLS,), config.claim)
        return
    log = bind(LOG, jobName=context.job_name, runId=context.run_id, dataset=CONVOCATORIAS.name)
    with reported(context, mirror), mirror.warehouse() as warehouse:
        code = config.bdns.strip() or _newest(warehouse)
        if code is None:
            context.log.info("no call is stored yet, so there is nothing to read again: run sync_convocatorias")
            return
        result = asyncio.run(_sync(context, code, mirror, warehouse, log))
        context.log.info(f"convocatoria {result.key}: {result.verdict}")
        facts = {"codigo_bdns": result.key, "verdict": result.verdict, "partition": result.partition}
        # A call that could not be decoded has no registration day.
        day = result.partition if result.verdict != "rejected" else None
        context.log_event(dg.AssetObservation(asset_key(CONVOCATORIAS), partition=day, metadata=facts))


@dg.job(
    description=(
        "Reads one call again by its BDNS code. Config: `ops: {sync_call: {config: {bdns: '123456'}}}`; without "
        "it, the newest call that is stored."
    ),
    tags={"source": "bdns"},
    owners=[OWNER],
)
def sync_convocatoria_individual() -> None:
    sync_call()


def _newest(warehouse: "Warehouse") -> str | None:
    from fisio_ayida.bdns.single import newest_code

    with warehouse.connect(autocommit=True) as conn:
        return newest_code(conn)


async def _sync(
    context: dg.OpExecutionContext, code: str, mirror: MirrorResource, warehouse: "Warehouse", log: BoundLogger
) -> "Single":
    from fisio_ayida.bdns.service import Caller
    from fisio_ayida.bdns.single import sync_convocatoria

    async with mirror.context(warehouse, Caller(context.run_id, context.job_name), log) as domain:
        return await sync_convocatoria(code, domain)
