"""When visits are due to be reminded of: each visit with each rule of its clinic, and what its keys are.

Here: from rows and rules to moments, quiet hours included. Not here: the rules (``reminder_rules.py``), and which
of them lead to a message (``reminders.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fisio_ayida.clinic.model import Clinic, Order
from fisio_ayida.clinic.reminder_rules import Rule, moment
from fisio_ayida.clinic.visits import MIDNIGHT, Manners, civil, start_of
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import Channel


@dataclass(frozen=True, slots=True)
class Moment:
    """When a rule reminds of visits at a civil time.

    Args:
        sent_at: put off by quiet hours.
        useless: not sent from then.
        is_eve: sent on the day before.
        not_after: from then its words are no longer true, or no longer of use.
    """

    start: str
    at: dt.datetime
    sent_at: dt.datetime
    useless: dt.datetime
    is_eve: bool
    not_after: dt.datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A visit's moment by a rule."""

    clinic: Clinic
    manners: Manners
    row: Any
    professional: str | None
    rule: Rule
    moment: Moment

    @property
    def start(self) -> str:
        return self.moment.start

    @property
    def at(self) -> dt.datetime:
        return self.moment.at

    @property
    def sent_at(self) -> dt.datetime:
        return self.moment.sent_at

    def key(self, channel: Channel) -> str:
        return keys.reminder(self.row.id, civil(self.row.date, self.row.start_time), self.rule.id, channel)

    def joint_key(self, channel: Channel) -> str:
        """Of this and further visits: all of the next day, or on the day those that follow this one."""
        if self.moment.is_eve:
            return keys.reminder_day(self.row.patient_id, self.row.date, self.rule.id, channel)
        start = civil(self.row.date, self.row.start_time)
        return keys.reminder_today(self.row.patient_id, start, self.rule.id, channel)


def dues_of(
    rows: Iterable[Any], clinics: dict[str, Clinic], rules: dict[str, tuple[Rule, ...]],
    manners_of: dict[str, Manners], names: Mapping[tuple[str, str | None], str], order: Order,
) -> Iterator[Due]:  # fmt: skip
    """The moments of all rules for all visits that begin after the run's moment."""
    known: dict[tuple[str, str, dt.date, dt.time], Moment | None] = {}
    for row in rows:
        clinic, ways = clinics[row.organization_id], manners_of[row.organization_id]
        for rule in rules[clinic.id]:
            if not rule.applies(row.type, row.therapist_id):
                continue
            same = clinic.id, rule.id, row.date, row.start_time
            if same not in known:
                known[same] = _moment(clinic, ways, rule, row.date, row.start_time, order)
            if (when := known[same]) is not None:
                professional = names.get((clinic.id, row.therapist_id))
                yield Due(clinic, ways, row, professional, rule, when)


def _moment(
    clinic: Clinic, ways: Manners, rule: Rule, date: dt.date, start: dt.time, order: Order
) -> Moment | None:
    at, begins = moment(rule, clinic, date, start), clinic.instant(date, start)
    if at is None or begins <= order.nominal:
        return None
    sent_at, useless = ways.sent_at(at), begins - clinic.rules.reminder_lead
    is_eve = clinic.day(sent_at) < date
    not_after = min(useless, clinic.instant(date, MIDNIGHT)) if is_eve else useless
    return Moment(start_of(date, start), at, sent_at, useless, is_eve, not_after)


def by_day(found: Iterable[Due]) -> list[list[Due]]:
    """Of each patient and day together."""
    days = groupby(found, lambda due: (due.row.organization_id, due.row.patient_id, due.row.date))
    return [list(day) for _, day in days]
