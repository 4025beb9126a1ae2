"""What Dagster shows of messaging after a run: numbers, tables, a picture, and the results of the checks.

The questions are SQL in ``messaging/rates.py`` and ``messaging/watch.py``; here are the thresholds and the words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida import telemetry
from fisio_ayida.defs.bdns.metadata import table
from fisio_ayida.defs.messaging.plots import hourly
from fisio_ayida.messaging import rates, watch
from fisio_ayida.messaging.model import Channel

if TYPE_CHECKING:
    import psycopg

    from fisio_ayida.messaging.dispatcher import Tally

#: A rate of fewer messages says nothing.
ENOUGH = 20
SILENT_SHARE, FAILED_SHARE = 0.20, 0.05
#: Clinics in the table; the commands of ``fisio-ayida messages`` show all.
_CLINICS = 20
_REASONS = 2
_COLUMNS = ("planned", "accepted", "delivered", "read", "failed", "not sent", "why not")
#: What reads the messages of a week is read again after so long: runs follow each other by seconds.
RECOUNT = dt.timedelta(minutes=5)
_COUNTED_AT = "counted_at"
_ERROR, _WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def metadata(
    conn: psycopg.Connection[Any], tally: Tally, now: dt.datetime, last: Mapping[str, Any]
) -> dict[str, Any]:
    """Counts by state as numbers, which Dagster plots over time; rates; the picture; what this run did.

    Args:
        last: what an earlier run showed; what it counted is shown once more if that was a moment ago.
    """
    waiting = rates.waiting(conn)
    return {
        **{f"messages_{state}": waiting[state] for state in rates.WAITING},
        "sent_in_this_run": tally.total("accepted"),
        "this_run": dg.MetadataValue.md(table(["", "", "messages"], _done(tally))),
        **(_counted_before(last, now) or _counted(conn, now)),
    }


def _counted_before(last: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    at = last.get(_COUNTED_AT)
    if not isinstance(at, dg.TimestampMetadataValue):
        return {}
    if not 0 <= now.timestamp() - at.value < RECOUNT.total_seconds():
        return {}
    return {
        name: value for name, value in last.items()
        if name.endswith("_7_days") or name in (_COUNTED_AT, "last_48_hours")
    }  # fmt: skip


def _counted(conn: psycopg.Connection[Any], now: dt.datetime) -> dict[str, Any]:
    """What is counted over the messages of some days."""
    recent = rates.recent(conn, now)
    first = rates.first_hour(now)
    image = hourly(rates.hours(conn, now), first, first + rates.SHOWN - dt.timedelta(hours=1))
    return {
        **{f"messages_{state}_7_days": recent.states[state] for state in rates.ENDED},
        "by_template_7_days": _table("template", recent.rates["template"]),
        "by_channel_7_days": _table("channel", recent.rates["channel"]),
        "by_organisation_7_days": _table("organisation", recent.rates["organization"], _CLINICS),
        _COUNTED_AT: dg.MetadataValue.timestamp(now),
        **({"last_48_hours": dg.MetadataValue.md(image)} if image else {}),
    }


def check_results(
    conn: psycopg.Connection[Any], key: dg.AssetKey, providers: Mapping[Channel, str], now: dt.datetime
) -> Iterator[dg.AssetCheckResult]:
    """The results of all checks of messaging."""
    silent = [each for each in watch.silent(conn, now) if each.found]
    is_bad = any(each.messages >= ENOUGH and each.share > SILENT_SHARE for each in silent)
    yield _shares(key, "accepted_but_silent", silent, _ERROR if is_bad else _WARN)
    failing = [e for e in watch.failing(conn, now) if e.messages >= ENOUGH and e.share > FAILED_SHARE]
    yield _shares(key, "failure_rate", failing, _ERROR)
    yield _result(key, "backlog_age", _ERROR, {
        f"{b.channel}: {b.messages} messages, the first since {_at(b.since)}": b.messages
        for b in watch.backlog(conn, providers, now)
    })  # fmt: skip
    yield _result(key, "unknown", _WARN, {
        f"{u.provider}: {u.messages} messages since {_at(u.since)}, the last one {u.last_id}": u.messages
        for u in watch.unknown(conn, now)
    })  # fmt: skip
    yield _result(key, "circuits", _ERROR, dict.fromkeys(map(_closed, watch.closed(conn)), 1))
    yield _result(key, "unmatched", _WARN, {
        f"{u.what}: {u.messages}, the last one {_at(u.last)}": u.messages for u in watch.unmatched(conn, now)
    })  # fmt: skip
    for name, some in (
        ("unusable", watch.unusable(conn, now)), ("pretended", watch.pretended(conn, providers, now)),
    ):  # fmt: skip
        lines = {f"{s.what}: {s.messages} messages, the last one {s.last_id}": s.messages for s in some}
        yield _result(key, name, _ERROR, lines)


def _table(name: str, rows: Mapping[str, rates.Rate], most: int | None = None) -> dg.MetadataValue:
    """Few columns: the page shows a table beside its name."""
    cells = [
        [subject or "none", rate.planned, rate.accepted, _of(rate.delivered, rate.accepted),
         _of(rate.read, rate.accepted), _of(rate.failed, rate.accepted + rate.failed), rate.skipped + rate.expired,
         ", ".join(f"{why} {many}" for why, many in rate.reasons.most_common(_REASONS))]
        for subject, rate in list(rows.items())[:most]
    ]  # fmt: skip
    return dg.MetadataValue.md(table([name, *_COLUMNS], cells))


def _done(tally: Tally) -> list[tuple[str, str, int]]:
    rows = [(channel, ended, many) for (channel, ended), many in sorted(tally.sent.items())]
    rows += [(state, reason, many) for (state, reason), many in sorted(tally.stopped.items())]
    others = {
        "receipts": tally.receipts, "replies": tally.replies, "looked up": tally.looked_up,
        "given back": tally.given_back, "fallbacks": tally.fallbacks, "alerts": len(tally.alerts),
        **tally.faults,
    }  # fmt: skip
    return rows + [(name, "", many) for name, many in others.items() if many]


def _shares(
    key: dg.AssetKey, name: str, found: Sequence[watch.Share], severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    lines = {
        f"{s.provider}: {_of(s.found, s.messages)} of {s.messages}"
        + (f", the first {_at(s.since)}" if s.since else ""): s.found
        for s in found
    }
    facts = {"share": max((s.share for s in found), default=0.0)}
    return _result(key, name, severity, lines, facts)


def _closed(way: watch.Closed) -> str:
    whom = f" for {way.organization_id}" if way.organization_id else ""
    return f"{f'{way.provider} {way.account}'.strip()}{whom}, since {_at(way.opened_at)}: {way.reason}"


def _result(
    key: dg.AssetKey, name: str, severity: dg.AssetCheckSeverity, found: Mapping[str, int],
    facts: Mapping[str, Any] | None = None,
) -> dg.AssetCheckResult:  # fmt: skip
    """Passed if nothing was found; else one line each, and how many messages they are."""
    shown: dict[str, Any] = {"count": sum(found.values()), **(facts or {})}
    if found:
        shown["found"] = dg.MetadataValue.md("\n".join(f"- {telemetry.mask(line)}" for line in found))
    return dg.AssetCheckResult(asset_key=key, check_name=name, passed=not found, severity=severity, metadata=shown)


def _of(part: int, whole: int) -> str:
    """A number and its share."""
    return f"{part} ({100 * part / whole:.0f}%)" if part else "0"


def _at(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
