"""The body of the clinic's steps: from a run's config to orders, the domain's call, and what is recorded of it.

Not here: what a job does (``clinic/running.py``), what its page shows (``report.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from fisio_ayida.clinic.registry import Job, shadowed
from fisio_ayida.defs.clinic.asking import Asked, JobConfig, RunConfig, asked, organization_of, parts_of
from fisio_ayida.defs.clinic.failures import explained
from fisio_ayida.defs.clinic.specs import asset_key
from fisio_ayida.defs.events.launched import claim_kept
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import bind

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Desk, Order

LOG = logging.getLogger("fisio_ayida.clinic")
#: What is said of one moment: an event, not an output, because a run may make many partitions or none.
Recorded = dg.AssetMaterialization | dg.AssetObservation
#: Organisations whose errors a failed run lists.
LISTED = 20


def carry_out(
    context: dg.AssetExecutionContext,
    job: Job,
    config: JobConfig,
    mirror: MirrorResource,
    *,
    also: Callable[[Order], Mapping[str, int]] | None = None,
) -> Iterator[Recorded]:
    """Do a job for each moment that the run stands for; each is recorded as it commits.

    Args:
        also: further work of Dagster's own, with its numbers.

    Raises:
        dg.Failure: it was not done for some organisations, though it was for the others.
    """
    from fisio_ayida.clinic.running import run
    from fisio_ayida.defs.clinic.report import event, line, picture

    step = context.op_execution_context
    given = context.has_partition_key or context.has_partition_key_range
    failures: list[tuple[str, str]] = []
    with explained(step, mirror):
        moments = asked(job, config, context.partition_keys if given else (), mirror.now())
        with desk_of(step, mirror) as desk:
            for moment in moments:
                order = order_of(step, job, config, moment, mirror)
                outcome = run(job.name, desk, order)
                if also is not None:
                    outcome.facts.update(also(order))
                failures += outcome.failures
                context.log.info(line(outcome, order))
                # One picture: of each day of a long range they would cost more than the reports.
                extra = picture(job, moment, desk) if moment is moments[-1] else {}
                yield event(asset_key(job), outcome, order, moment, extra)
    raise_if_any(job, failures)


@contextmanager
def desk_of(context: dg.OpExecutionContext, mirror: MirrorResource) -> Iterator[Desk]:
    """What the job works with; the events that the run stands for, if any, are kept in its hands meanwhile."""
    from fisio_ayida.clinic.service import open_desk

    log = bind(LOG, jobName=context.job_name, runId=context.run_id)
    with (
        mirror.warehouse() as warehouse,
        claim_kept(context.run.tags, warehouse),
        open_desk(mirror.settings, warehouse, log=log) as desk,
    ):
        yield desk


def order_of(
    context: dg.OpExecutionContext, job: Job, config: RunConfig, moment: Asked, mirror: MirrorResource
) -> Order:
    """The order of one moment.

    Raises:
        BadOrder: the config names a part that there is not, or an organisation without an id.
        UnknownJob: CLINIC_SHADOW names a job that is none.
    """
    from fisio_ayida.clinic.model import Order

    return Order(
        nominal=moment.nominal, now=mirror.now(), run_id=context.run_id,
        organization=organization_of(config), is_shadow=is_shadowed(job, mirror.settings),
        is_dry=config.dry_run, parts=parts_of(config),
    )  # fmt: skip


def is_shadowed(job: Job, settings: Settings) -> bool:
    """Whether a job only plans and compares. Raises :class:`UnknownJob`."""
    return job.name in shadowed(settings.clinic_shadow)


def raise_if_any(job: Job, failures: Sequence[tuple[str, str]]) -> None:
    """The run has failed if there are failures; it is not repeated: the same rows would fail again."""
    if not failures:
        return
    lines = [f"{organization or 'all'}: {first_line(error)}" for organization, error in failures[:LISTED]]
    more = f" (and {len(failures) - LISTED} more in jobs.failures)" if len(failures) > LISTED else ""
    raise dg.Failure(
        f"{job.name} was done, but not for these organisations: {'; '.join(lines)}{more}",
        metadata={"failures": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))},
        allow_retries=False,
    )


def first_line(error: str) -> str:
    """What happened, without what PostgreSQL quotes of a row below it."""
    return (error.splitlines() or [""])[0]
