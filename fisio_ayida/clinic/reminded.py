"""Who was reminded of what already, as the outbox knows it; in shadow mode, as earlier runs decided it.

A visit counts as told at one start: a moved one is another. Here: reading that for many patients at once. Not
here: what follows from it (``reminders.py``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from fisio_ayida.clinic.telling import TOLD
from fisio_ayida.messaging.templates.registry import TEMPLATES

#: The templates that remind of visits.
REMINDERS: Final = [name for name, template in TEMPLATES.items() if template.asks == "confirmation"]
#: Two reminders of the same visit are no nearer to each other.
APART: Final = dt.timedelta(hours=1)

# A stale one may be planned again; what the rules stopped, or failed, was decided all the same.
_READ: Final = f"""
select key, cause_id, cause_version, due_at, {TOLD},
       not (state = 'skipped' and reason like 'stale:%%')
from messaging.messages
where patient_id = any(%(patients)s) and cause_kind in ('appointment', 'appointments')
  and template = any(%(templates)s) and cause_version is not null
"""
# What would have been sent was sent. Decisions have no starts: their keys have.
_DECIDED: Final = """
select key, cause_id, due_at from jobs.decisions
where patient_id = any(%(patients)s) and outcome = 'shadow' and template = any(%(templates)s)
  and cause_kind in ('appointment', 'appointments') and due_at is not null
"""
_START: Final = re.compile(r":([0-9]{4}-[0-9]{2}-[0-9]{2})(?:t([0-9]{2}:[0-9]{2}))?:[^:]+$")
_DATE: Final = len("2026-03-13")


@dataclass(frozen=True, slots=True)
class _Message:
    stem: str
    due_at: dt.datetime
    is_told: bool
    is_decided: bool

    @property
    def rule(self) -> str:
        """The keys of all reminders end with their rule, before the channel."""
        return self.stem.rpartition(":")[2]


@dataclass(slots=True)
class Reminded:
    """The reminders of some patients, by visit and civil start."""

    _of: dict[tuple[str, str], list[_Message]] = field(default_factory=lambda: defaultdict(list))
    _told_stems: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, ours: psycopg.Connection[Any], patients: Collection[str], *, is_shadow: bool) -> Reminded:
        """Those of these patients."""
        found = cls()
        values = {"patients": sorted(patients), "templates": REMINDERS}
        for key, ids, starts, *more in ours.execute(_READ, values) if patients else ():
            # One message may tell of several visits, in order.
            found._add(_Message(_stem(key), *more), ids.split(","), starts.split(","))
        for key, ids, due_at in ours.execute(_DECIDED, values) if patients and is_shadow else ():
            message = _Message(_stem(key), due_at, is_told=True, is_decided=True)
            visits = ids.split(",")
            found._add(message, visits, [_start(message.stem, is_joint=len(visits) > 1)] * len(visits))
        return found

    def add(self, id: str, start: str, key: str, due_at: dt.datetime) -> None:
        """A reminder that this run plans."""
        self._of[id, start].append(_Message(_stem(key), due_at, is_told=True, is_decided=True))

    def _add(self, message: _Message, ids: Sequence[str], starts: Sequence[str]) -> None:
        if message.is_told:
            self._told_stems.add(message.stem)
        for id, start in zip(ids, starts, strict=False):
            self._of[id, start].append(message)

    def _about(self, id: str, start: str) -> Iterator[_Message]:
        """What tells of a visit at its start, or of the visit on its day, whatever the start."""
        yield from self._of.get((id, start), ())
        yield from self._of.get((id, start[:_DATE]), ())

    def by(self, id: str, start: str, rule: str) -> bool:
        """Whether a message of this rule tells of it."""
        return any(each.is_told and each.rule == rule for each in self._about(id, start))

    def near(self, id: str, start: str, at: dt.datetime) -> bool:
        """Whether any message tells of it within the hour around a moment."""
        return any(each.is_told and abs(each.due_at - at) < APART for each in self._about(id, start))

    def was_decided(self, id: str, start: str, rule: str) -> bool:
        """Whether a message of this rule was planned for it, whatever became of it."""
        return any(each.is_decided and each.rule == rule for each in self._about(id, start))

    def has_told(self, key: str) -> bool:
        """Whether a message with this key told, or will, on whatever channel."""
        return _stem(key) in self._told_stems


def _stem(key: str) -> str:
    """What the keys of the same message on all channels have in common."""
    return key.rpartition(":")[0]


def _start(stem: str, *, is_joint: bool) -> str:
    """The civil start of the one visit that a reminder tells of, or the day of several."""
    found = _START.search(stem)
    if found is None:
        return ""
    day, clock = found.groups()
    return day if is_joint or clock is None else f"{day}T{clock}"
