"""Facts: what is computed of a patient's record, by formulas that anybody can check, and nothing else.

Pure: no clock, no database. ``docs/insights.md`` says every formula, window and limit. Not here: putting facts
into words (``wording/``).
"""

from __future__ import annotations

from collections.abc import Iterable

from fisio_ayida.insights.facts.limits import VERSION
from fisio_ayida.insights.facts.registry import FACTS
from fisio_ayida.insights.facts.rules import FLAGS, MISSING, WORDS
from fisio_ayida.insights.facts.usable import Usable, usable
from fisio_ayida.insights.model import Fact, Facts, Record


def compute(record: Record) -> Facts:
    """All facts of a record, each with a value or the word for what is missing; the rules that hold.

    The order of visits and sessions in the record means nothing. What lies after ``record.today`` counts as
    booked, if it is, and as nothing else.
    """
    counted = usable(record)
    facts = tuple(fact for kind in FACTS for fact in _several(kind.compute(counted)))
    by = {fact.ref: fact for fact in facts}
    flags = (kind.compute(counted, by) for kind in FLAGS)
    return Facts(
        version=VERSION, today=record.today, sessions=counted.total, facts=facts,
        flags=tuple(flag for flag in flags if flag is not None), missing=_missing(counted, facts),
    )  # fmt: skip


def _several(found: Fact | tuple[Fact, ...]) -> tuple[Fact, ...]:
    return found if isinstance(found, tuple) else (found,)


def _missing(counted: Usable, facts: Iterable[Fact]) -> tuple[str, ...]:
    """What could be recorded, so that more can be said; in the registry's order."""
    found = {fact.missing for fact in facts if fact.missing and WORDS[fact.missing].advice}
    for name, word in (("without_outcome", "visits_without_outcome"), ("contradicting", "contradicting_visits")):
        if any(fact.of.get(name) for fact in facts if fact.name == "attendance_rate_90d"):
            found.add(word)
    if any(each.unusable for each in counted.sessions):
        found.add("unreadable_content")
    return tuple(word.name for word in MISSING if word.name in found)
