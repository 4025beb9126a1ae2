"""What Dagster shows of the inbox after a run: numbers, a table, and the results of the checks.

The questions are SQL in ``events/desk.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida import telemetry
from fisio_ayida.defs.bdns.metadata import table
from fisio_ayida.events import desk

if TYPE_CHECKING:
    import psycopg

    from fisio_ayida.events.work import Tally

_ERROR, _WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def metadata(conn: psycopg.Connection[Any], tally: Tally) -> dict[str, Any]:
    """Counts by state as numbers, which Dagster plots over time; by name as a table; what this run did."""
    found = desk.counts(conn)
    by_name = {(c.name, c.state): c.events for c in found}
    rows = [
        [name, *(by_name.get((name, state), 0) for state in desk.STATES)]
        for name in dict.fromkeys(c.name for c in found)
    ]
    return {
        **{f"events_{state}": sum(c.events for c in found if c.state == state) for state in desk.STATES},
        "handled_in_this_run": tally.total(),
        "by_name": dg.MetadataValue.md(table(["event", *desk.STATES], rows)),
    }


def check_results(
    conn: psycopg.Connection[Any], key: dg.AssetKey, now: dt.datetime
) -> Iterator[dg.AssetCheckResult]:
    """The results of all checks of the inbox."""
    seen = desk.attention(conn, now)
    yield _result(key, "dead", _lines(seen.dead), sum(t.events for t in seen.dead), _ERROR)
    yield _result(key, "in_part", _lines(seen.in_part), sum(t.events for t in seen.in_part), _WARN)
    yield _result(key, "unmatched", _lines(seen.unmatched), sum(t.events for t in seen.unmatched), _WARN)
    late = seen.oldest if seen.oldest and seen.oldest.due_at < now - desk.LATE else None
    words = [f"{late.name} {late.id}, due since {late.due_at:%Y-%m-%d %H:%M} UTC"] if late else []
    yield _result(key, "too_old", words, len(words), _ERROR)
    found = {"requests refused": seen.refused, "other bodies under a known id": seen.conflicts}
    lines = [f"{what}: {times}" for what, times in found.items() if times]
    yield _result(key, "refused", lines, seen.refused + seen.conflicts, _WARN)


def _lines(troubles: Sequence[desk.Trouble]) -> list[str]:
    return [
        f"{t.name}: {t.events}, the last one {t.last_id}" + (f": {telemetry.mask(t.reason)}" if t.reason else "")
        for t in troubles
    ]


def _result(
    key: dg.AssetKey, name: str, lines: Sequence[str], count: int, severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    facts: dict[str, Any] = {"count": count}
    if lines:
        facts["found"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))
    return dg.AssetCheckResult(asset_key=key, check_name=name, passed=not lines, severity=severity, metadata=facts)
