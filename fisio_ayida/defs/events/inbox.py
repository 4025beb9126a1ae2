"""The asset ``events/inbox`` and its job ``process_events``: handling what is due, and the state of the inbox.

The step handles a claim, or everything that is due, then reports counts and checks. Handling is in ``running.py``.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import Field

from fisio_ayida.defs.bdns.failures import reported
from fisio_ayida.defs.bdns.specs import OWNER
from fisio_ayida.defs.events.by_hand import run_launches
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events.registry import PROCESS, Batch, jobs_of_batches

if TYPE_CHECKING:
    from fisio_ayida.events.work import Tally

KEY = dg.AssetKey(["events", "inbox"])

CHECKS = {
    "dead": "No event has failed for good. `fisio-ayida events list --state dead`, then `events replay`.",
    "in_part": "No event of the last 7 days was done without some of its items; its result says which and why.",
    "unmatched": "No event has a name that the registry does not know.",
    "too_old": "No event that is due waits for long.",
    "refused": "No request of a known sender was refused, and no id came with two bodies, in the last 24 hours.",
}


class InboxConfig(dg.Config):
    """Which events to handle."""

    claim: str | None = Field(None, description="The claim to handle, given by the sensor; empty: all that is due")


@cache
def process_events() -> UnresolvedAssetJobDefinition:
    """The job, the same object at each call: the sensor points at it."""
    return dg.define_asset_job(
        "process_events",
        selection=dg.AssetSelection.assets(KEY),
        description=(
            "Handles events of `events.inbox`. Without configuration: everything that is due and is handled in a "
            "run of its own kind, in one run. The sensor `events_inbox` starts it with a claim."
        ),
        tags={"source": "events"},
        owners=[OWNER],
    )


@cache
def inbox_asset() -> dg.AssetsDefinition:
    """The asset of the inbox."""

    @dg.multi_asset(
        name=PROCESS.op,
        specs=[
            dg.AssetSpec(
                KEY,
                description=(
                    "Every event that an app has sent, with what became of it. Counts by name and state; "
                    "`fisio-ayida events list` shows the events themselves."
                ),
                group_name="events",
                owners=[OWNER],
                kinds={"python", "postgres"},
                metadata={"dagster/relation_identifier": "events.inbox"},
            )
        ],
        check_specs=[dg.AssetCheckSpec(name, asset=KEY, description=words) for name, words in CHECKS.items()],
    )
    def inbox(
        context: dg.AssetExecutionContext, config: InboxConfig, mirror: dg.ResourceParam[MirrorResource]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        from fisio_ayida.defs.events.running import handle_events

        op_context = context.op_execution_context
        tally = handle_events(op_context, mirror, _works(config.claim), config.claim)
        with reported(op_context, mirror):
            if not config.claim:
                run_launches(context, mirror)
            yield from _report(tally, mirror)

    return inbox


def _works(claim: str | None) -> tuple[Batch, ...]:
    """What a run handles: with a claim its own events, by hand those of every kind."""
    return (PROCESS,) if claim else tuple(jobs_of_batches())


def _report(tally: "Tally", mirror: MirrorResource) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    from fisio_ayida.defs.events.report import check_results, metadata

    with mirror.warehouse() as warehouse, warehouse.connect(autocommit=True) as conn:
        yield dg.MaterializeResult(KEY, metadata=metadata(conn, tally))
        yield from check_results(conn, KEY, mirror.now())
