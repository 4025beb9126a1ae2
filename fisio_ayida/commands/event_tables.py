"""How ``fisio-ayida events`` shows things: never a payload unasked.

Not here: the commands (``eventing.py``), and what a table looks like (``tables.py``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fisio_ayida.commands.tables import plain, show_facts, show_table

if TYPE_CHECKING:
    from fisio_ayida.events.desk import Attention, Count, Listed, Payload
    from fisio_ayida.events.look import Seen
    from fisio_ayida.events.replay import Outcome
    from fisio_ayida.events.unaccepted import Unaccepted

# Events that are named one by one; more of them are counted by reason.
_NAMED = 20


def show_events(rows: Sequence[Listed]) -> None:
    """A list of events."""
    columns = ("id", "name", "state", "attempt", "received", "changed", "run", "reason")
    show_table(
        columns,
        [
            (e.id, e.name, e.state, e.attempt, e.received_at, e.changed_at, (e.run_id or "")[:8], e.reason)
            for e in rows
        ],
        "no event fits",
    )


def show_counts(rows: Sequence[Count], seen: Attention) -> None:
    """Events by name and state, and what of them needs a person."""
    show_table(
        ("name", "state", "events", "oldest due"), [(c.name, c.state, c.events, c.oldest_due) for c in rows],
        "no event fits",
    )  # fmt: skip
    if seen.oldest:
        print(f"due for longest: {plain(seen.oldest.id)} ({plain(seen.oldest.name)}), {plain(seen.oldest.due_at)}")
    if seen.unhandled:
        waiting = ", ".join(f"{plain(each.name)} {each.events}" for each in seen.unhandled)
        print(f"waiting for a release that handles them: {waiting}")
    for each in seen.in_part:
        why = f"{plain(each.last_id)}: {plain(each.reason)}"
        print(f"done in part: {plain(each.name)} {each.events}, the last one {why}")
    if seen.refused or seen.conflicts:
        print(f"last 24 hours: {seen.refused} requests refused, {seen.conflicts} other bodies under a known id")


def show_unaccepted(rows: Sequence[Unaccepted]) -> None:
    """Refused requests, or other bodies under the ids of events."""
    show_table(
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
    show_table(
        ("at (UTC)", "state", "try", "run", "reason"),
        [(s.at, s.state, s.attempt, s.run_id, s.reason) for s in seen.steps],
        "",
    )
    if others:
        print("\nOther bodies came under this id; they are not work:")
        show_unaccepted(others)


def show_payload(payload: Payload) -> None:
    """What the sender wrote, as it is."""
    parts = {"data": payload.data, "user": payload.user_data, "meta": payload.meta, "v": payload.version}
    for name, text in {**parts, "ts": payload.ts and payload.ts.isoformat()}.items():
        if text is not None:
            print(f"{name}: {plain(text)}")
    if payload.raw is not None:
        print(f"the event as it came: {plain(payload.raw.decode(errors='replace'))}")


def show_body(body: bytes) -> None:
    """The body of a request, as it is."""
    print(plain(body.decode(errors="replace")))


def show_outcome(outcome: Outcome) -> None:
    """What a replay or a cancelling did, or would do."""
    if outcome.taken:
        rows = [(name, what, events) for (name, what), events in sorted(outcome.taken.items())]
        show_table(("name", "", "events"), rows, "")
    if len(outcome.left) <= _NAMED:
        for left in outcome.left:
            about = f" ({left.name}, {left.state})" if left.state else ""
            print(plain(f"left: {left.id}{about}: {left.why}"))
        return
    for (name, state, why), events in Counter((e.name, e.state, e.why) for e in outcome.left).most_common(_NAMED):
        print(plain(f"left: {events} of {name} ({state}): {why}"))
