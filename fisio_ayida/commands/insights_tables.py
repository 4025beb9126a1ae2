"""How ``fisio-ayida insights`` shows things: ids, numbers, states and the items' own words, never a name.

Not here: the commands (``insights.py``), a patient's page (``insights/card``), and what a table looks like
(``tables.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fisio_ayida.commands.tables import show_facts, show_table
from fisio_ayida.insights.model import REASONS
from fisio_ayida.telemetry import mask

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Outcome
    from fisio_ayida.insights.card import Seen
    from fisio_ayida.insights.model import Facts, Item
    from fisio_ayida.insights.showing import Generation, Queued, Spent, Stored


def show_outcome(outcome: Outcome) -> None:
    """What a run did."""
    rows = [("organisations", outcome.clinics), *sorted(outcome.facts.items())]
    rows += [(f"withheld: {reason}", many) for reason, many in sorted(outcome.withheld.items())]
    show_table(("", "number"), rows, "")
    if outcome.failures:
        failures = [(organization or "all", mask(error)) for organization, error in outcome.failures]
        show_table(("organisation", "failure"), failures, "")


def show_patient(seen: Seen, made: Sequence[Generation], items: Sequence[Stored]) -> None:
    """A patient's facts and what stands, then what was superseded."""
    show_facts({
        "patient": seen.patient_id,
        "organisation": seen.organization_id,
        "withheld": seen.withheld and f"{seen.withheld}: {REASONS[seen.withheld]}",
    })  # fmt: skip
    if seen.facts is not None:
        _show_standing(seen)
        _show_facts(seen.facts)
    _show_items(seen.items)
    _show_history(made, items, seen.zone)


def _show_standing(seen: Seen) -> None:
    stands = seen.generation
    if stands is None:
        show_facts({"stands": "nothing is stored: facts and items are of this moment"})
        return
    reason = f"{stands.reason}: {REASONS.get(stands.reason, '')}" if stands.reason else ""
    show_facts({
        "key": stands.key,
        "stands since": stands.created_at.astimezone(seen.zone),
        "narrative": stands.narrative + (f", written by {stands.model}" if stands.narrative == "written" else ""),
        "reason": "; ".join(part for part in (reason, mask(stands.detail)) if part),
        "model": stands.model or "none",
        "prompt": stands.prompt_version,
        "next try": stands.retry_at and stands.retry_at.astimezone(seen.zone),
        "tries": stands.tries or None,
        "scrubbed": stands.scrubbed or None,
        "run": stands.run_id,
        "behind": "a newer session is finalized: the next run makes it anew" if seen.is_behind else None,
    })  # fmt: skip


def _show_facts(facts: Facts) -> None:
    from fisio_ayida.insights.wording.rows import rows

    cells = [
        (row.ref, f"{row.title} {row.subject}".strip(), row.value or f"({row.reason})", row.interval, row.count,
         row.window, row.detail)
        for row in rows(facts)
    ]  # fmt: skip
    show_table(("ref", "fact", "value", "95 %", "n", "window", "more"), cells, "no fact")
    flags = [(flag.name, ", ".join(flag.facts), _numbers(flag.of)) for flag in facts.flags]
    show_table(("flag", "seen in", "its numbers"), flags, "no flag")
    show_facts({"missing": ", ".join(facts.missing)})


def _show_items(items: Iterable[Item]) -> None:
    rows = [
        (item.type, item.source, " ".join(item.text.splitlines()), ", ".join(item.citations)) for item in items
    ]
    show_table(("item", "from", "text", "rests on"), rows, "no item")


def _show_history(made: Sequence[Generation], items: Sequence[Stored], zone: ZoneInfo) -> None:
    counted: dict[str, int] = {}
    for item in items:
        counted[item.key] = counted.get(item.key, 0) + 1
    rows = [
        (each.superseded_at.astimezone(zone), each.key, each.narrative, each.reason, counted.get(each.key, 0),
         each.superseded_by)
        for each in made if each.superseded_at is not None
    ]  # fmt: skip
    show_table(("superseded", "key", "narrative", "reason", "items", "by"), rows, "nothing was superseded")


def show_spending(rows: Sequence[Spent]) -> None:
    """What clinics have used of their days' budgets."""
    cells = [
        (each.day, each.organization_id, each.calls, f"{each.tokens:,}", _limit(each.tokens, each.tokens_per_day),
         f"{each.cost:.4f}", "–" if each.cost_per_day is None else each.cost_per_day, each.failed, each.lost,
         each.open, each.refused)
        for each in rows
    ]  # fmt: skip
    columns = ("day", "organisation", "calls", "tokens", "of", "cost", "of", "failed", "lost", "open", "refused")
    show_table(columns, cells, "nothing was spent")


def show_queue(rows: Sequence[Queued], now: dt.datetime) -> None:
    """Who waits for a run, whose narrative is tried again, who was given up. Moments are UTC."""
    cells = [
        (each.organization_id, each.patient_id, each.state(now), each.step, each.cause, each.asked_at, each.due_at,
         each.tries, each.losses, each.run_id, mask(each.reason or ""))
        for each in rows
    ]  # fmt: skip
    columns = (
        "organisation", "patient", "state", "wants", "cause", "asked at", "due at", "tries", "runs died", "run",
        "reason",
    )  # fmt: skip
    show_table(columns, cells, "nobody waits")


def show_hits(hits: Mapping[str, int], left: Sequence[str]) -> None:
    """What was taken out of a text, and what the second detector still finds."""
    show_table(("taken out", "times"), sorted(hits.items()), "nothing was taken out")
    show_facts({"still there": ", ".join(left) and f"{', '.join(left)}: such a text would not leave"})


def _limit(used: int, limit: int) -> str:
    return f"{limit:,} ({used / limit:.0%})" if limit else "0"


def _numbers(of: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in of.items())
