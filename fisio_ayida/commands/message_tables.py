"""How ``fisio-ayida messages`` shows things: ids, states and reasons, never a body, a name or a whole address.

Keys and reasons are masked: an app may have put an address into an id of its own. Not here: the commands
(``messaging.py``), and what a table looks like (``tables.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fisio_ayida.commands.tables import json_lines, show_facts, show_table
from fisio_ayida.telemetry import mask

if TYPE_CHECKING:
    from fisio_ayida.messaging.acts import Act
    from fisio_ayida.messaging.claims import Foreseen
    from fisio_ayida.messaging.desk import Count, Listed
    from fisio_ayida.messaging.dispatcher import Tally
    from fisio_ayida.messaging.readiness import Finding
    from fisio_ayida.messaging.story import Message, Other, Relative, Story

_PRIORITIES = {30: "critical", 20: "high", 10: "normal", 0: "low"}
# Messages that are named one by one; more of them are counted.
_NAMED = 20


def show_messages(rows: Sequence[Listed], *, as_json: bool) -> None:
    """A list of messages."""
    safe = [dataclasses.replace(row, key=mask(row.key), reason=_masked(row.reason)) for row in rows]
    if as_json:
        return json_lines(safe)
    columns = ("id", "what", "channel", "to", "organisation", "patient", "state", "since", "due", "try", "reason")
    cells = [
        (m.id, m.what, m.channel, m.address_masked, m.organization_id, m.patient_id, m.state, m.changed_at,
         m.due_at if m.state in ("planned", "deferred", "retry") else None, m.attempt or None,
         m.reason or m.error_code)
        for m in safe
    ]  # fmt: skip
    return show_table(columns, cells, "no message fits")


def show_counts(rows: Sequence[Count]) -> None:
    """How many messages of which kind."""
    cells = [(c.what, c.channel, c.state, c.messages) for c in rows]
    show_table(("what", "channel", "state", "messages"), cells, "no message fits")


def show_acts(acts: Sequence[Act]) -> None:
    """What was done to each message; many are counted."""
    if len(acts) <= _NAMED:
        show_table(
            ("id", "what", "channel", "state", ""), [(a.id, a.what, a.channel, a.state, a.words) for a in acts], ""
        )
        return
    counted: dict[tuple[str, str, str, str], int] = {}
    for a in acts:
        place = (a.what, a.channel, a.state, a.words)
        counted[place] = counted.get(place, 0) + 1
    cells = [(what, channel, state, many, words) for (what, channel, state, words), many in counted.items()]
    show_table(("what", "channel", "state", "messages", ""), cells, "")


def show_story(told: Story, foreseen: Foreseen | str | None, ui_url: str | None) -> None:
    """What happened to a message, and why, on one screen."""
    m = told.message
    show_facts({
        "message": f"{m.id}  {mask(m.key)}",
        "what": ", ".join([
            m.template or "content of the caller", m.category, f"{m.channel} {m.account}".strip(),
            f"priority {_PRIORITIES[m.priority]}", f"planned by {m.job} at {_utc(m.planned_at)}"]),
        "to": _whom(m),
        "cause": _cause(told),
        "state": _state(m),
        "why": _masked(m.reason),
        "error": " ".join(part for part in (m.error_class, m.error_code) if part),
        # The file channel's id is made from the key.
        "provider": f"{m.provider or ''} {(m.provider_id or '') if mask(m.key) == m.key else ''}".strip(),
        "received": "by nobody: it became a file below outbox in FISIO_AYIDA_HOME"
                    if m.provider == "file" and m.provider_id else None,
        "body": "kept, encrypted" if m.is_stored else "not kept: made from its cause when it is sent",
        "due": _due(m),
        "useless from": m.not_after,
        "way out": "; ".join(
            f"closed for {c.organization_id or 'everybody'} since {_utc(c.opened_at)}, tried again "
            f"{_utc(c.open_until) if c.open_until else 'at once'}: {mask(c.reason or '')}" for c in told.closed),
        "suppressed": told.suppressed and f"nothing goes to this address: {told.suppressed.reason}, "
                      f"since {_utc(told.suppressed.at)}",
        "now": _now(foreseen),
        "stands in for": told.stands_in_for and _relative(told.stands_in_for),
        "in its place": "; ".join(map(_relative, told.fallbacks)),
        "same address": ", ".join(map(_other, told.others)),
    })  # fmt: skip
    print()
    zone = ZoneInfo(told.zone)
    show_table(
        (told.zone, "UTC", "state", "try", "run", "reason"),
        [(s.at.astimezone(zone), s.at, s.state, s.attempt or None, s.run_id, _why(s.reason, s.error_code))
         for s in told.steps], "",
    )  # fmt: skip
    if told.receipts:
        show_table(
            ("reported (UTC)", "provider's time", "report", "says", "error", "closes the address", "outcome"),
            [(r.received_at, r.provider_at, f"{r.provider} {r.kind}", r.status, r.error_code, r.suppress,
              r.outcome or "not applied yet") for r in told.receipts], "",
        )  # fmt: skip
    if told.replies:
        show_table(
            ("reply (UTC)", "from", "intent", "score", "handled", "outcome"),
            [(r.received_at, r.provider, r.intent, r.score, r.handled_at, r.outcome) for r in told.replies], "",
        )  # fmt: skip
    if ui_url:
        for run_id in dict.fromkeys(s.run_id for s in told.steps if s.run_id and _is_run(s.run_id)):
            print(f"{ui_url}/runs/{run_id}")


def show_findings(found: Sequence[Finding]) -> None:
    """What is missing before messages are sent for real."""
    cells = [(f.about, f.provider, f.address, f.level, f.words) for f in found]
    show_table(("channel", "provider", "address", "state", ""), cells, "")


def show_tally(tally: Tally) -> None:
    """What a dispatcher did."""
    rows = [(channel, ended, many) for (channel, ended), many in sorted(tally.sent.items())]
    rows += [(state, reason, many) for (state, reason), many in sorted(tally.stopped.items())]
    show_table(("", "", "messages"), rows, "nothing was due")
    show_facts({
        "receipts": tally.receipts or None, "replies": tally.replies or None, "looked up": tally.looked_up or None,
        "given back": tally.given_back or None, "fallbacks": tally.fallbacks or None,
    })  # fmt: skip
    for line in tally.alerts:
        print(mask(line))
    for fault, times in tally.faults.items():
        print(f"broke {times} times: {mask(fault)}" if times > 1 else f"broke: {mask(fault)}")


def _whom(m: Message) -> str:
    who = {"patient": m.patient_id, "user": m.user_id, "organisation": m.organization_id}
    ids = ", ".join(f"{name} {id}" for name, id in who.items() if id)
    address = m.address_masked or "an address that is read when it is sent"
    return f"{address} ({ids})" if ids else address


def _cause(told: Story) -> str | None:
    m, now = told.message, told.cause
    if now is None:
        return None
    name = f"{m.cause_kind} {mask(m.cause_id or '')}" + (f" as of {m.cause_version}" if m.cause_version else "")
    if not now.exists or not now.wanted:
        return f"{name}; it no longer stands: {now.why}"
    if m.cause_version is not None and m.cause_version != now.version:
        return f"{name}; it is another now: {now.version}"
    return f"{name}; it still stands"


def _state(m: Message) -> str:
    parts = [
        f"{m.state} since {_utc(m.changed_at)}",
        f"{m.attempt} calls" if m.attempt > 1 else "",
        f"{m.failures} failures of its own" if m.failures else "",
        f"asked about {m.looks} times" if m.looks else "",
    ]
    return ", ".join(part for part in parts if part)


def _due(m: Message) -> str | None:
    if m.due_at is None or m.state not in ("planned", "deferred", "retry"):
        return None
    return _utc(m.due_at) + (", outside quiet hours" if m.heeds_quiet else "")


def _now(foreseen: Foreseen | str | None) -> str | None:
    if foreseen is None or isinstance(foreseen, str):
        return foreseen
    if foreseen.state == "claimed":
        return "the rules would let it go"
    until = f" until {_utc(foreseen.due_at)}" if foreseen.state == "deferred" else ""
    return f"it would be {foreseen.state}{until}: {mask(foreseen.reason or '')}"


def _relative(relative: Relative) -> str:
    return f"{relative.id} by {relative.channel}, {relative.state}"


def _other(other: Other) -> str:
    who = f"{other.patient_id or 'no patient'} of {other.organization_id or 'no organisation'}"
    return f"{who} ({other.messages} messages, the last {other.last_id})"


def _why(reason: str | None, code: str | None) -> str:
    return " ".join(part for part in (mask(reason or ""), f"({code})" if code else "") if part)


def _masked(text: str | None) -> str | None:
    return None if text is None else mask(text)


def _utc(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _is_run(run_id: Any) -> bool:
    """Whether it is a run of Dagster's: the command line's have other names."""
    try:
        return bool(uuid.UUID(run_id))
    except ValueError:
        return False
