"""The asset ``clinic/patient_insights``: a partition shows what was generated on a civil day of São Paulo.

A declaration and a call. Its job is made with the clinic's (``defs/clinic/jobs.py``); the work is in ``work.py``.
"""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from fisio_ayida.clinic.registry import JOBS, ZONE
from fisio_ayida.defs.clinic.asking import RunConfig
from fisio_ayida.defs.clinic.specs import FIRST_DAY, asset_key, asset_spec, op_name
from fisio_ayida.defs.insights.work import Said, carry_out
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.insights.checks import CHECKS

JOB = JOBS["patient_insights"]
KEY = asset_key(JOB)
#: Today, too: what was generated until now.
DAYS = dg.DailyPartitionsDefinition(FIRST_DAY.isoformat(), timezone=ZONE, end_offset=1)


class InsightsConfig(RunConfig):
    """What may be asked of the insights; with nothing said, whatever is due."""

    patients: list[str] = Field(
        default_factory=list,
        description="Ids of patients of the organisation who are looked at now, due or not: what is new is made, "
        "and a narrative that is missing, for whatever reason, is asked for again and may cost again; what stands "
        "stays. Whoever is due if left out",
    )


def insights_asset() -> dg.AssetsDefinition:
    """The asset with its checks, each of which may also be run alone."""

    @dg.multi_asset(
        name=op_name(JOB),
        specs=[_spec()],
        check_specs=[dg.AssetCheckSpec(name, asset=KEY, description=words) for name, words in CHECKS.items()],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def insights(
        context: dg.AssetExecutionContext, config: InsightsConfig, mirror: dg.ResourceParam[MirrorResource]
    ) -> Iterator[Said]:
        yield from carry_out(context, JOB, config, config.patients, mirror)

    return insights


def _spec() -> dg.AssetSpec:
    spec = asset_spec(JOB)
    words = (
        "A partition is a civil day and shows what was generated on it. Making one asks for the insights of the "
        "sessions that were finalized on that day and have none, or have no narrative because the model could not "
        "be asked; they belong to the day on which they are made."
    )
    return spec.replace_attributes(
        description=f"{spec.description}\n\n{words}", partitions_def=DAYS,
        metadata={**spec.metadata, "dagster/relation_identifier": "insights.generations"},
    )  # fmt: skip
