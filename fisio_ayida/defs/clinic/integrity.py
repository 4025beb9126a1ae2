"""The job ``data_integrity``: the checks on the clinic's tables, all of them in one step.

What they look for is SQL in ``clinic/integrity``; a problem marks its table and never fails the run, a check that
could not run does.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida.clinic.integrity.checks import CHECKS
from fisio_ayida.clinic.registry import JOBS
from fisio_ayida.defs.clinic.asking import JobConfig, asked
from fisio_ayida.defs.clinic.external import table_key
from fisio_ayida.defs.clinic.failures import explained
from fisio_ayida.defs.clinic.specs import op_name
from fisio_ayida.defs.clinic.work import desk_of, order_of, raise_if_any
from fisio_ayida.defs.resources import MirrorResource

if TYPE_CHECKING:
    from fisio_ayida.clinic.integrity.examine import Result

_ERROR, _WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


@cache
def integrity_checks() -> dg.AssetChecksDefinition:
    """The checks of all tables, the same object at each call: the job points at it."""
    job = JOBS["data_integrity"]

    @dg.multi_asset_check(
        name=op_name(job),
        specs=[
            dg.AssetCheckSpec(check.name, asset=table_key(check.relation), description=check.description)
            for check in CHECKS.values()
        ],
        description=job.description,
        # Of one organisation alone there is no result: it would hide what the others have.
        can_subset=True,
    )
    def integrity(
        context: dg.AssetCheckExecutionContext, config: JobConfig, mirror: dg.ResourceParam[MirrorResource]
    ) -> Iterator[dg.AssetCheckResult | dg.AssetObservation]:
        from fisio_ayida.clinic.integrity.examine import examine
        from fisio_ayida.defs.clinic.report import line

        step = context.op_execution_context
        with explained(step, mirror), desk_of(step, mirror) as desk:
            [moment] = asked(job, config, (), mirror.now())
            order = order_of(step, job, config, moment, mirror)
            examined = examine(desk, order)
        context.log.info(line(examined.outcome, order))
        wanted = {key.name for key in context.selected_asset_check_keys}
        for result in examined.results:
            if result.check in wanted:
                yield _said(result, order.organization)
        raise_if_any(job, examined.outcome.failures)

    return integrity


def _said(result: "Result", organization: str | None) -> dg.AssetCheckResult | dg.AssetObservation:
    """The result of a check; of one organisation alone an observation of its table."""
    table = table_key(CHECKS[result.check].relation)
    facts: dict[str, Any] = {"count": result.problems, "organisations": result.organizations}
    if result.sample_ids:
        facts["sample"] = dg.MetadataValue.md("\n".join(f"- `{id}`" for id in result.sample_ids))
    if result.error is not None:
        facts["error"] = result.error
    if organization is not None:
        return dg.AssetObservation(table, metadata={"check": result.check, "organisation": organization, **facts})
    return dg.AssetCheckResult(
        asset_key=table, check_name=result.check, passed=result.passed,
        severity=_WARN if result.error is None else _ERROR, metadata=facts,
    )  # fmt: skip
