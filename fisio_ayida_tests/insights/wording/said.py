"""Which numbers and days a text says, and which the facts have: read apart from how they are written.

Not here: expectations.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from fisio_ayida.insights.facts import limits
from fisio_ayida.insights.model import Facts, Record

_DAY = re.compile(r"\b(\d\d)/(\d\d)(?:/(\d{4}))?\b")
_NUMBER = re.compile(r"(?<![\w,])(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?(%?)")
#: Of windows, scales and thresholds.
_FIXED = (
    0, limits.WORST_PAIN, limits.CONFIDENCE, limits.ATTENDANCE.days, limits.EXERCISES.days, limits.PER.days,
    limits.NO_PAIN.days, limits.LEAST_TREND_DAYS,
)  # fmt: skip


def strange(text: str, record: Record, facts: Facts) -> list[str]:
    """Days and numbers of a text that the facts have not."""
    for subject in {fact.subject for fact in facts.facts if fact.subject}:
        text = text.replace(subject, "")
    days = {day for fact in facts.facts for day in (fact.first, fact.last) if day}
    days |= {visit.day for visit in record.visits for flag in facts.flags if visit.id in flag.inputs}
    written = {(f"{day:%d}", f"{day:%m}", year) for day in days for year in ("", f"{day.year:04}")}
    wrong = [each.group() for each in _DAY.finditer(text) if each.groups("") not in written]
    known = [*_FIXED, *_numbers(facts)]
    return wrong + [each.group() for each in _NUMBER.finditer(_DAY.sub("", text)) if not _is_known(each, known)]


def _is_known(found: re.Match[str], known: list[float]) -> bool:
    whole, decimals, percent = found.group(1).replace(".", ""), found.group(2) or "", found.group(3)
    value = float(f"{whole}.{decimals or '0'}")
    half = 0.5 * 10 ** -len(decimals) + 1e-9
    scale = 100 if percent else 1
    return any(abs(abs(each) * scale - value) <= half for each in known)


def _numbers(facts: Facts) -> Iterator[float]:
    yield facts.sessions
    for fact in facts.facts:
        yield from (each for each in (fact.value, fact.low, fact.high, *fact.of.values()) if each is not None)
        # Of how many days a median of earlier ones is.
        yield from (fact.count, fact.count - 1)
        yield from ((facts.today - day).days for day in (fact.first, fact.last) if isinstance(day, dt.date))
    for flag in facts.flags:
        yield from flag.of.values()
