"""The asset ``messaging/messages`` and its job ``dispatch_messages``: sending what is due, and how messages fare.

The step runs the dispatcher, then reports. Not here: when a run is asked for (``sensor.py``), and what the report
shows (``report.py``).
"""

import asyncio
import datetime as dt
import logging
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import Field

from fisio_ayida.defs.bdns.failures import reported
from fisio_ayida.defs.bdns.specs import OWNER
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.telemetry import bind

if TYPE_CHECKING:
    from fisio_ayida.messaging.dispatcher import Tally

LOG = logging.getLogger("fisio_ayida.messaging")
KEY = dg.AssetKey(["messaging", "messages"])
OP = "messaging__messages"
JOB = "dispatch_messages"

CHECKS = {
    "accepted_but_silent": "Providers that send receipts have reported on what they accepted more than 6 hours "
    "ago (of the last 7 days). Else their webhook does not arrive, or they have lost messages.",
    "failure_rate": "No provider refused more than 5 % of 20 messages or more in the last 24 hours. "
    "`fisio-ayida messages list --state failed`.",
    "backlog_age": "No message whose way out is open has been due for more than 15 minutes.",
    "unknown": "There is no message of the last 7 days of which nobody will find out whether it was sent. "
    "`fisio-ayida messages list --state unknown`; `messages retry` has the provider asked once more.",
    "circuits": "No way out is closed.",
    "unmatched": "In the last 7 days each receipt belonged to a message, and each reply was acted on.",
    "unusable": "In the last 7 days no message was dropped because its body could not be opened or made.",
    "pretended": "In the last 24 hours no message became a file, which nobody receives, although other channels "
    "are real. `fisio-ayida messages check`.",
}


class DispatchConfig(dg.Config):
    """How long to send."""

    most_seconds: float | None = Field(
        None, gt=0, description="Stop claiming after so many seconds; empty: when nothing is due"
    )


@cache
def dispatch_messages() -> UnresolvedAssetJobDefinition:
    """The job, the same object at each call: the sensor points at it."""
    return dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(KEY),
        description=(
            "Sends the messages of `messaging.messages` that are due, applies receipts and acts on replies. "
            "Without configuration: until nothing is due. The sensor `messages_due` starts it; several may run "
            "at once."
        ),
        tags={"source": "messaging"},
        owners=[OWNER],
    )


@cache
def messages_asset() -> dg.AssetsDefinition:
    """The asset of the outbox."""

    @dg.multi_asset(
        name=OP,
        specs=[
            dg.AssetSpec(
                KEY,
                description=(
                    "Every message to a person, planned once and sent once, with what became of it. "
                    "`fisio-ayida messages list` shows the messages, `messages show` what happened to one and why."
                ),
                group_name="messaging",
                owners=[OWNER],
                kinds={"python", "postgres"},
                metadata={"dagster/relation_identifier": "messaging.messages"},
            )
        ],
        check_specs=[dg.AssetCheckSpec(name, asset=KEY, description=words) for name, words in CHECKS.items()],
    )
    def messages(
        context: dg.AssetExecutionContext, config: DispatchConfig, mirror: dg.ResourceParam[MirrorResource]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        op_context = context.op_execution_context
        with reported(op_context, mirror):
            tally = _send(op_context, mirror, config.most_seconds)
            yield from _report(op_context.instance, tally, mirror)
            if tally.faults:
                raise dg.Failure("The rest was sent, but " + "; ".join(tally.faults), allow_retries=False)

    return messages


def _send(context: dg.OpExecutionContext, mirror: MirrorResource, most_seconds: float | None) -> "Tally":
    from fisio_ayida.messaging.model import MessagingError
    from fisio_ayida.warehouse.clinic import ClinicError

    most = None if most_seconds is None else dt.timedelta(seconds=most_seconds)
    try:
        return asyncio.run(_dispatch(context, mirror, most))
    except (MessagingError, ClinicError) as error:
        # A setting that is wrong stays wrong.
        raise dg.Failure(str(error), allow_retries=False) from None


async def _dispatch(context: dg.OpExecutionContext, mirror: MirrorResource, most: dt.timedelta | None) -> "Tally":
    from fisio_ayida.messaging.dispatch import dispatch
    from fisio_ayida.messaging.service import open_dispatcher

    log = bind(LOG, jobName=context.job_name, runId=context.run_id)
    with mirror.warehouse() as warehouse:
        async with open_dispatcher(
            mirror.settings, warehouse, run_id=context.run_id, now=mirror.now, jitter=mirror.jitter, log=log
        ) as dispatcher:
            return await dispatch(dispatcher, most=most)


def _report(
    instance: dg.DagsterInstance, tally: "Tally", mirror: MirrorResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    from fisio_ayida.defs.messaging.report import check_results, metadata
    from fisio_ayida.messaging import service

    event = instance.get_latest_materialization_event(KEY)
    last = event.asset_materialization.metadata if event and event.asset_materialization else {}
    with mirror.warehouse() as warehouse, warehouse.connect(autocommit=True) as conn:
        yield dg.MaterializeResult(KEY, metadata=metadata(conn, tally, mirror.now(), last))
        yield from check_results(conn, KEY, service.providers(mirror.settings), mirror.now())
