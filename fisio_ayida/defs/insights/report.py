"""What Dagster shows of the insights: a day's numbers, what a run did, the results of the checks. Ids only.

Not here: the numbers (``insights/numbers.py``), what the checks look for (``insights/looking.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida.clinic.registry import ZONE
from fisio_ayida.defs.bdns.metadata import table
from fisio_ayida.defs.insights.plots import latencies

if TYPE_CHECKING:
    from fisio_ayida.insights.checks import Finding
    from fisio_ayida.insights.numbers import Numbers

_ERROR, _WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
_COLUMNS = ("organisation", "generated", "narratives", "waiting", "calls", "tokens", "cost")


def metadata(numbers: Numbers, currency: str) -> dict[str, Any]:
    """A day's numbers, which Dagster plots over time; the organisations; a summary; the picture.

    Args:
        currency: of the price table; empty: there is none.
    """
    image = latencies(numbers)
    median, p95 = numbers.median, numbers.p95
    return {
        "generations": numbers.generations,
        "narratives": numbers.narratives,
        "facts_only": sum(numbers.facts_only.values()),
        **{f"facts_only_{reason}": many for reason, many in numbers.facts_only.items()},
        "waiting": sum(numbers.waiting.values()),
        **{f"waiting_{reason}": many for reason, many in numbers.waiting.items()},
        "refusals": sum(numbers.refusals.values()),
        **{f"refusals_{what}": many for what, many in numbers.refusals.items()},
        "calls": numbers.calls,
        "failed_calls": sum(numbers.failed.values()),
        "tokens": numbers.tokens,
        "cost": float(numbers.cost),
        **({"currency": currency} if currency else {}),
        **({"calls_without_price": numbers.unpriced} if numbers.unpriced else {}),
        "scrubbing_hits": numbers.scrubbed,
        **({"latency_median_ms": round(median)} if median is not None else {}),
        **({"latency_p95_ms": round(p95)} if p95 is not None else {}),
        **({"by_organisation": _organizations(numbers, currency)} if numbers.organizations else {}),
        "summary": dg.MetadataValue.md(summary(numbers, currency)),
        **({"latency": dg.MetadataValue.md(image)} if image else {}),
    }


def summary(numbers: Numbers, currency: str) -> str:
    """A day, for people."""
    lines = [f"Insights generated on {numbers.day} ({ZONE}).", ""]
    rows: list[tuple[str, str, int]] = [("narratives", "", numbers.narratives)] if numbers.narratives else []
    for what, reasons in {
        "facts alone": numbers.facts_only, "narrative waits": numbers.waiting,
        "answers not accepted": numbers.refusals, "calls without an answer": numbers.failed,
    }.items():  # fmt: skip
        rows += [(what, reason, many) for reason, many in reasons.items()]
    lines.append(table(["", "", ""], rows) if rows else "There was nothing to generate.")
    if numbers.calls:
        cost = f", {numbers.cost:.4f} {currency}" if currency else ""
        lines += ["", f"{numbers.calls} calls of the model: {numbers.tokens} tokens{cost}."]
    if numbers.median is not None and numbers.p95 is not None:
        lines += [f"Half of the answers came within {numbers.median / 1000:.1f} s, "
                  f"95 % within {numbers.p95 / 1000:.1f} s."]  # fmt: skip
    return "\n".join(lines)


def check_result(key: dg.AssetKey, finding: Finding) -> dg.AssetCheckResult:
    """The result of a check: its count, the first of what it found, and the error if it could not look."""
    facts: dict[str, Any] = {**finding.facts}
    if finding.error is None:
        facts["count"] = finding.problems
    else:
        facts["error"] = finding.error
    if finding.lines:
        facts["found"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in finding.lines))
    is_error = finding.is_grave or finding.error is not None
    return dg.AssetCheckResult(
        asset_key=key, check_name=finding.check, passed=finding.passed, severity=_ERROR if is_error else _WARN,
        metadata=facts,
    )  # fmt: skip


def _organizations(numbers: Numbers, currency: str) -> dg.MetadataValue:
    rows = [
        (o.organization_id, o.generations, o.narratives, o.waiting, o.calls, o.tokens,
         f"{o.cost:.4f} {currency}" if currency else "")
        for o in numbers.organizations
    ]  # fmt: skip
    return dg.MetadataValue.md(table(_COLUMNS, rows))
