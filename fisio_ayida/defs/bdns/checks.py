"""The checks of the mirror as Dagster shows them: declared with the asset, evaluated in its own step.

What they look for is SQL in ``bdns/checks.py``; a failing one marks the asset and never fails the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.defs.bdns.specs import asset_key
from fisio_ayida.defs.resources import MirrorResource

if TYPE_CHECKING:
    from fisio_ayida.bdns.checks import Finding
    from fisio_ayida.warehouse.engine import Warehouse


def check_specs(dataset: Dataset) -> list[dg.AssetCheckSpec]:
    """The declarations; none blocks."""
    return [
        dg.AssetCheckSpec(name, asset=asset_key(dataset), description=words) for name, words in _named(dataset)
    ]


def evaluate(
    context: dg.AssetExecutionContext,
    dataset: Dataset,
    partitions: Sequence[str],
    mirror: MirrorResource,
    warehouse: Warehouse,
) -> Iterator[dg.AssetCheckResult]:
    """The results for the partitions that the run has loaded."""
    from fisio_ayida.bdns.checks import Scope, checks_for

    scope = Scope(dataset, partitions, mirror.now())
    wanted = {key.name for key in context.selected_asset_check_keys}
    with warehouse.connect(autocommit=True) as conn:
        for check in checks_for(dataset):
            if check.name in wanted:
                finding = check.find(conn, scope)
                yield dg.AssetCheckResult(
                    asset_key=asset_key(dataset),
                    check_name=check.name,
                    passed=finding.passed,
                    severity=dg.AssetCheckSeverity((finding.severity or check.severity).name),
                    metadata=facts(finding, len(partitions)),
                )


def facts(finding: Finding, partitions: int | None = None) -> dict[str, Any]:
    """The numbers of a finding and some of what was found."""
    found: dict[str, Any] = {"count": finding.count, **finding.numbers}
    if partitions is not None:
        found["partitions_looked_at"] = partitions
    if finding.sample:
        found["sample"] = dg.MetadataValue.md("\n".join(f"- {words}" for words in finding.sample))
    return found


def _named(dataset: Dataset) -> list[tuple[str, str]]:
    from fisio_ayida.bdns.checks import checks_for

    return [(check.name, f"{check.description} ({check.severity.value})") for check in checks_for(dataset)]
