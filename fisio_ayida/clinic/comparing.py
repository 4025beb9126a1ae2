"""What a job decided against what FisioFlow's old cron sent: by patient or visit, and the clinic's civil day.

In shadow mode this shows what would change; beside a job that sends, what one of the two forgot. Here: matching.
Not here: reading both sides (``compared.py``), and how it is shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A message that a job planned, or did not: ``reason`` is empty for one that it planned.

    Args:
        visit_ids: the visits that it is about, in order; none: it is about the patient.
        key: of the outbox.
    """

    key: str
    organization_id: str
    day: dt.date
    patient_id: str | None
    visit_ids: tuple[str, ...] = ()
    channel: str | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """A message that the old cron sent."""

    organization_id: str
    day: dt.date
    patient_id: str
    visit_id: str | None = None
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One patient, or one visit, on one day.

    Args:
        ours, theirs: the channels of each side.
        reason, detail: why we did not write, where only they did.
    """

    side: Literal["both", "only ours", "only theirs"]
    day: dt.date
    organization_id: str
    patient_id: str | None
    visit_id: str | None
    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All lines, by day."""

    job: str
    lines: Sequence[Line]

    @property
    def is_equal(self) -> bool:
        """Whether both wrote to the same people on the same days, whatever the channel."""
        return all(line.side == "both" for line in self.lines)

    def count(self, side: str) -> int:
        """The lines of one side."""
        return sum(line.side == side for line in self.lines)


#: The day, and whom or what a message is about: ("visit" or "patient", its id).
_Subject = tuple[dt.date, str, str]


def match(job: str, ours: Iterable[Ours], theirs: Iterable[Theirs]) -> Comparison:
    """Which messages have one on the other side.

    What only says which patient is compared by patient, although the other side names the visit. One message of
    ours about several visits is as good as one of theirs for each.
    """
    rows = list(ours)
    mine = _by_subject(row for row in rows if not row.reason)
    refused = _by_subject(row for row in rows if row.reason)
    lines: dict[_Subject, Line] = {}
    matched: set[str] = set()
    for their in sorted(theirs, key=lambda each: (each.day, each.patient_id, each.visit_id or "", each.channel)):
        subject, found = _find(their, mine)
        matched.update(each.key for each in found)
        before = lines.get(subject)
        channels = tuple(dict.fromkeys([*(before.theirs if before else ()), their.channel]))
        lines[subject] = _theirs(their, found, _find(their, refused)[1], channels)
    for mine_subject, found in mine.items():
        # A message is under its visits and its patient: one of them is enough.
        if mine_subject[1] == _natural(found[0]) and not matched.issuperset(each.key for each in found):
            lines.setdefault(mine_subject, _only_ours(mine_subject, found))
    return Comparison(job, sorted(lines.values(), key=_order))


def _natural(ours: Ours) -> str:
    return "visit" if ours.visit_ids else "patient"


def _by_subject(rows: Iterable[Ours]) -> dict[_Subject, list[Ours]]:
    found: dict[_Subject, list[Ours]] = {}
    for row in rows:
        for visit in row.visit_ids:
            found.setdefault((row.day, "visit", visit), []).append(row)
        if row.patient_id is not None:
            found.setdefault((row.day, "patient", row.patient_id), []).append(row)
    return found


def _find(their: Theirs, mine: dict[_Subject, list[Ours]]) -> tuple[_Subject, list[Ours]]:
    by_patient: _Subject = (their.day, "patient", their.patient_id)
    if their.visit_id is None:
        return by_patient, mine.get(by_patient, [])
    by_visit: _Subject = (their.day, "visit", their.visit_id)
    # What we know only by patient (a birthday) they may have noted beside a visit.
    plain = [each for each in mine.get(by_patient, []) if not each.visit_ids]
    return by_visit, mine.get(by_visit) or plain


def _theirs(their: Theirs, found: list[Ours], refused: list[Ours], channels: tuple[str, ...]) -> Line:
    why = refused[0] if refused and not found else None
    return Line(
        side="both" if found else "only theirs", day=their.day, organization_id=their.organization_id,
        patient_id=their.patient_id, visit_id=their.visit_id, ours=_channels(found), theirs=channels,
        reason="" if found else why.reason if why else "not_found", detail=why.detail if why else "",
    )  # fmt: skip


def _only_ours(subject: _Subject, found: list[Ours]) -> Line:
    day, kind, id = subject
    return Line(
        side="only ours", day=day, organization_id=found[0].organization_id, patient_id=found[0].patient_id,
        visit_id=id if kind == "visit" else None, ours=_channels(found),
    )  # fmt: skip


def _channels(rows: list[Ours]) -> tuple[str, ...]:
    return tuple(sorted({row.channel for row in rows if row.channel}))


def _order(line: Line) -> tuple[dt.date, str, str, str]:
    return line.day, line.organization_id, line.patient_id or "", line.visit_id or ""
