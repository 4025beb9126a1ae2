"""Who was reminded of what already, as the outbox knows it.

A visit counts as told at one start: a moved one is another. Here: reading that for many patients at once. Not
here: what follows from it (``reminders.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from fisio_ayida.messaging.templates.registry import TEMPLATES

#: Two reminders of the same visit are no nearer to each other.
APART: Final = dt.timedelta(hours=1)

# A stale one may be planned again; what the rules stopped, or failed, was decided all the same.
_READ: Final = """
select key, cause_id, cause_version, due_at, state not in ('skipped', 'expired', 'failed'),
       not (state = 'skipped' and reason like 'stale:%%')
from messaging.messages
where patient_id = any(%(patients)s) and cause_kind in ('appointment', 'appointments')
  and template = any(%(templates)s) and cause_version is not null
"""


@dataclass(frozen=True, slots=True)
class _Message:
    stem: str
    due_at: dt.datetime
    is_told: bool
    is_decided: bool


@dataclass(slots=True)
class Reminded:
    """The reminders of some patients, by visit and civil start."""

    _of: dict[tuple[str, str], list[_Message]] = field(default_factory=lambda: defaultdict(list))
    _told_stems: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, ours: psycopg.Connection[Any], patients: Collection[str]) -> Reminded:
        """Those of these patients."""
        found = cls()
        templates = [name for name, template in TEMPLATES.items() if template.asks == "confirmation"]
        values = {"patients": sorted(patients), "templates": templates}
        for key, ids, starts, *more in ours.execute(_READ, values) if patients else ():
            message = _Message(stem(key), *more)
            if message.is_told:
                found._told_stems.add(message.stem)
            # One message may tell of several visits, in order.
            for id, start in zip(ids.split(","), starts.split(","), strict=False):
                found._of[id, start].append(message)
        return found

    def add(self, id: str, start: str, key: str, due_at: dt.datetime) -> None:
        """A reminder that this run plans."""
        self._of[id, start].append(_Message(stem(key), due_at, is_told=True, is_decided=True))

    def knows(self, id: str, start: str) -> bool:
        """Whether there is any reminder of this visit."""
        return (id, start) in self._of

    def by(self, id: str, start: str, stems: Collection[str]) -> bool:
        """Whether a message with one of these stems tells of it."""
        return any(each.is_told and each.stem in stems for each in self._of.get((id, start), ()))

    def near(self, id: str, start: str, at: dt.datetime) -> bool:
        """Whether any message tells of it within the hour around a moment."""
        return any(each.is_told and abs(each.due_at - at) < APART for each in self._of.get((id, start), ()))

    def was_decided(self, id: str, start: str, stems: Collection[str]) -> bool:
        """Whether a message with one of these stems was planned for it, whatever became of it."""
        return any(each.is_decided and each.stem in stems for each in self._of.get((id, start), ()))

    def has_told(self, one: str) -> bool:
        """Whether a message with this stem told, or will."""
        return one in self._told_stems


def stem(key: str) -> str:
    """What the keys of the same message on all channels have in common."""
    return key.rpartition(":")[0]
