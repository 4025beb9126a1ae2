"""What Dagster shows of a run of a clinic's job: numbers, who was planned and who was not, and why. Ids only.

Not here: pictures (``plots.py``), and the whole of the decisions, which ``jobs.decisions`` has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida import telemetry
from fisio_ayida.clinic.registry import ZONE, Job
from fisio_ayida.defs.bdns.metadata import table
from fisio_ayida.defs.clinic.asking import Asked
from fisio_ayida.defs.clinic.specs import CODE_VERSION

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Desk, Order, Outcome
    from fisio_ayida.clinic.reports.periods import Kind

KINDS: Mapping[str, Kind] = {"day": "daily", "week": "weekly"}
_COLUMNS = dg.TableSchema(
    [
        dg.TableColumn("key", "string", description="The message's key, or what it would be"),
        dg.TableColumn("decision", "string", description="planned or withheld"),
        dg.TableColumn("reason", "string"),
        dg.TableColumn("detail", "string"),
    ]
)


def event(
    key: dg.AssetKey, outcome: Outcome, order: Order, moment: Asked, extra: Mapping[str, Any]
) -> dg.AssetMaterialization | dg.AssetObservation:
    """What is recorded: a materialization of what was done for all, an observation of anything less."""
    shown = {**metadata(outcome, order), **extra}
    if order.is_dry or order.organization is not None:
        return dg.AssetObservation(key, partition=moment.partition, metadata=shown)
    return dg.AssetMaterialization(
        key, partition=moment.partition, metadata=shown, tags={"dagster/code_version": CODE_VERSION}
    )


def metadata(outcome: Outcome, order: Order) -> dict[str, Any]:
    """Numbers, which Dagster plots over time; a summary; the first keys with their reasons."""
    keys = list(_keys(outcome))
    return {
        "clinics": outcome.clinics,
        "planned": outcome.planned.total(),
        **{f"planned_{channel}": many for channel, many in sorted(outcome.planned.items())},
        "known": outcome.known,
        "withheld": outcome.withheld.total(),
        "failures": len(outcome.failures),
        **{name.replace(" ", "_"): number for name, number in outcome.facts.items()},
        "stands_for": dg.MetadataValue.timestamp(order.nominal),
        "mode": mode(order),
        "summary": dg.MetadataValue.md(summary(outcome, order)),
        **({"decisions": dg.MetadataValue.table(keys, schema=_COLUMNS)} if keys else {}),
    }


def picture(job: Job, moment: Asked, desk: Desk) -> dict[str, Any]:
    """The stored numbers of a day or week as a picture; nothing for jobs without, or where nobody came."""
    if job.period is None or moment.partition is None:
        return {}
    from fisio_ayida.clinic.reports import stored
    from fisio_ayida.defs.clinic import plots

    kind = KINDS[job.period]
    image = plots.picture(kind, stored(desk.conn, kind, dt.date.fromisoformat(moment.partition)))
    return {"visits": dg.MetadataValue.md(image)} if image else {}


def mode(order: Order) -> str:
    """dry run, shadow or live."""
    return "dry run" if order.is_dry else "shadow" if order.is_shadow else "live"


def line(outcome: Outcome, order: Order) -> str:
    """What came of a run, for its log."""
    counts = {
        "planned": outcome.planned.total(), "known before": outcome.known, "withheld": outcome.withheld.total(),
        "failures": len(outcome.failures), **outcome.facts,
    }  # fmt: skip
    words = ", ".join(f"{many} {name}" for name, many in counts.items() if many)
    return f"{outcome.job} of {order.nominal:%Y-%m-%d %H:%M}, {mode(order)}: {words or 'nothing to do'}"


def summary(outcome: Outcome, order: Order) -> str:
    """What came of a run, for people."""
    scope = f"organisation {order.organization}" if order.organization else f"{outcome.clinics} organisations"
    words = {"dry run": "; nothing was written", "shadow": "; nothing is sent", "live": ""}[mode(order)]
    lines = [f"**{outcome.job}** of {order.nominal:%Y-%m-%d %H:%M} ({ZONE}) for {scope}{words}.", ""]
    rows: list[tuple[str, str, int]] = [("planned", channel, n) for channel, n in sorted(outcome.planned.items())]
    rows += [("known before", "", outcome.known)] if outcome.known else []
    rows += [("withheld", reason, many) for reason, many in outcome.withheld.most_common()]
    rows += [("", name, number) for name, number in outcome.facts.items() if number]
    lines.append(table(["", "", ""], rows) if rows else "There was nothing to do.")
    if outcome.failures:
        lines += ["", f"{len(outcome.failures)} failures: `jobs.failures`."]
    return "\n".join(lines)


def _keys(outcome: Outcome) -> Iterator[dg.TableRecord]:
    """The first of each kind (``model.SHOWN``)."""
    for key in outcome.planned_keys:
        yield _record(key, "planned", "", "")
    for key, reason, detail in outcome.withheld_keys:
        yield _record(key, "withheld", reason, telemetry.mask(detail))


def _record(key: str, decision: str, reason: str, detail: str) -> dg.TableRecord:
    return dg.TableRecord({"key": key, "decision": decision, "reason": reason, "detail": detail})
