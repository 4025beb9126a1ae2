"""How ``fisio-ayida events`` shows things: tables for people, JSON lines for scripts, never a payload unasked.

Text that a sender chose (ids, names) is shown without control characters. Not here: the commands
(``eventing.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from fisio_ayida.events.desk import Attention, Count, Listed, Payload
    from fisio_ayida.events.look import Seen
    from fisio_ayida.events.replay import Outcome
    from fisio_ayida.events.unaccepted import Unaccepted

# Where nobody looks, a line is as long as it must be.
_WIDTH = 240
# Events that are named one by one; more of them are counted by reason.
_NAMED = 20


def json_lines(rows: Iterable[Any]) -> None:
    """One object a line, moments in ISO 8601."""
    for row in rows:
        print(json.dumps(dataclasses.asdict(row), ensure_ascii=False, default=_iso))


def show_events(rows: Sequence[Listed]) -> None:
    """A list of events."""
    columns = ("id", "name", "state", "attempt", "received", "changed", "run", "reason")
    _table(
        columns,
        [
            (e.id, e.name, e.state, e.attempt, e.received_at, e.changed_at, (e.run_id or "")[:8], e.reason)
            for e in rows
        ],
        "no event fits",
    )


def show_counts(rows: Sequence[Count], seen: Attention) -> None:
    """Events by name and state, and what of them needs a person."""
    _table(
        ("name", "state", "events", "oldest due"), [(c.name, c.state, c.events, c.oldest_due) for c in rows],
        "no event fits",
    )  # fmt: skip
    if seen.oldest:
        print(
            f"due for longest: {_plain(seen.oldest.id)} ({_plain(seen.oldest.name)}), {_plain(seen.oldest.due_at)}"
        )
    if seen.unhandled:
        waiting = ", ".join(f"{_plain(each.name)} {each.events}" for each in seen.unhandled)
        print(f"waiting for a release that handles them: {waiting}")
    if seen.refused or seen.conflicts:
        print(f"last 24 hours: {seen.refused} requests refused, {seen.conflicts} other bodies under a known id")


def show_unaccepted(rows: Sequence[Unaccepted]) -> None:
    """Refused requests, or other bodies under the ids of events."""
    _table(
        ("digest", "event", "at (UTC)", "times", "source", "what", "bytes"),
        [(u.digest[:12], u.event_id, u.at, u.times, u.source, u.what, u.size) for u in rows],
        "nothing was kept aside",
    )


def show_event(seen: Seen, others: Sequence[Unaccepted]) -> None:
    """Everything about one event but its payload."""
    facts = {
        "id": seen.id, "name": seen.name, "sent as": seen.received_name,
        "source": seen.source, "organization": seen.organization_id, "priority": seen.priority,
        "state": seen.state, "reason": seen.reason, "tries": seen.attempt, "runs lost": seen.losses or None,
        "received": seen.received_at, "due": seen.due_at, "run": seen.run_id, "cancelled by": seen.cancelled_by,
        "result": None if seen.result is None else json.dumps(dict(seen.result), ensure_ascii=False),
    }  # fmt: skip
    show_facts(facts)
    print()
    _table(
        ("at (UTC)", "state", "try", "run", "reason"),
        [(s.at, s.state, s.attempt, s.run_id, s.reason) for s in seen.steps],
        "",
    )
    if others:
        print("\nOther bodies came under this id; they are not work:")
        show_unaccepted(others)


def show_facts(facts: Mapping[str, Any]) -> None:
    """One a line; what is not there is left out."""
    for name, value in facts.items():
        if value not in (None, ""):
            print(f"{name + ':':<14}{_plain(value)}")


def show_payload(payload: Payload) -> None:
    """What the sender wrote, as it is."""
    parts = {"data": payload.data, "user": payload.user_data, "meta": payload.meta, "v": payload.version}
    for name, text in {**parts, "ts": payload.ts and payload.ts.isoformat()}.items():
        if text is not None:
            print(f"{name}: {_plain(text)}")
    if payload.raw is not None:
        print(f"the event as it came: {_plain(payload.raw.decode(errors='replace'))}")


def show_body(body: bytes) -> None:
    """The body of a request, as it is."""
    print(_plain(body.decode(errors="replace")))


def show_outcome(outcome: Outcome) -> None:
    """What a replay or a cancelling did, or would do."""
    if outcome.taken:
        rows = [(name, what, events) for (name, what), events in sorted(outcome.taken.items())]
        _table(("name", "", "events"), rows, "")
    if len(outcome.left) <= _NAMED:
        for left in outcome.left:
            about = f" ({left.name}, {left.state})" if left.state else ""
            print(_plain(f"left: {left.id}{about}: {left.why}"))
        return
    for (name, state, why), events in Counter((e.name, e.state, e.why) for e in outcome.left).most_common(_NAMED):
        print(_plain(f"left: {events} of {name} ({state}): {why}"))


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]], nothing: str) -> None:
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, markup=False, highlight=False, emoji=False)
    if not rows:
        console.print(nothing)
        return
    table = Table()
    for column in columns:
        # An id that is broken in two cannot be copied.
        table.add_column(column, no_wrap=column in ("id", "digest", "state"), overflow="fold")
    for row in rows:
        table.add_row(*(_plain(value) for value in row))
    console.print(table)


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def _iso(value: dt.datetime) -> str:
    return value.isoformat()
