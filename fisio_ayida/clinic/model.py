"""The words of the clinic's jobs: what a run is asked, what a job finds, and what came of it.

Here: types. Not here: any job.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import psycopg

from fisio_ayida.messaging.model import Cause, Channel, Draft
from fisio_ayida.messaging.outbox import Outbox
from fisio_ayida.telemetry import Log
from fisio_ayida.warehouse.clinic import ClinicDoor

Connection = psycopg.Connection[Any]

#: Keys that a run's page shows.
SHOWN: Final = 200


#: To want the daily report or the weekly summary, or to administrate the clinic.
Need = Literal["daily", "weekly", "administrator"]


class BadOrder(ValueError):
    """A run is asked for what there is not; the text names the field and the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run of a job is asked.

    Args:
        nominal: the moment that the run stands for, with its zone: of it days are made, never of ``now``.
        now: the moment at which it runs; from it follows only what is stale.
        organization: this one alone; None: all.
        is_shadow: decide, and keep the decisions beside the outbox; nothing is sent.
        is_dry: look, and write nothing at all.
        parts: of a job that has parts, these alone; none: all.
    """

    nominal: dt.datetime
    now: dt.datetime
    run_id: str
    organization: str | None = None
    is_shadow: bool = False
    is_dry: bool = False
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A clinic's row of ``jobs.policies``, or the defaults."""

    reminder_rules: Sequence[Mapping[str, Any]] | None = None
    confirms_bookings: bool = True
    confirmation_lead: dt.timedelta = dt.timedelta(hours=1)
    reminder_lead: dt.timedelta = dt.timedelta(minutes=30)
    birthday_channels: Literal["preferred", "both"] = "preferred"
    leap_birthday: Literal["02-28", "03-01"] = "02-28"
    voucher_days: int = 7
    asks_feedback: bool = True
    feedback_after: dt.timedelta = dt.timedelta(hours=2)
    feedback_every: dt.timedelta = dt.timedelta(days=30)
    reactivates: bool = True
    reactivation_from: int = 30
    reactivation_to: int = 37
    reports_empty_days: bool = False
    insights: Literal["off", "facts", "narrative"] = "narrative"
    insights_tokens_per_day: int | None = None
    insights_cost_per_day: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """An active organisation and its rules.

    Args:
        channels_off: switched off in FisioFlow's settings.
        settings: FisioFlow's own, for what only one job reads.
    """

    id: str
    name: str
    zone: ZoneInfo
    channels_off: frozenset[Channel]
    rules: Rules
    settings: Mapping[str, Any] = field(repr=False)

    def day(self, moment: dt.datetime) -> dt.date:
        """The civil day of a moment in this clinic."""
        return moment.astimezone(self.zone).date()

    def instant(self, day: dt.date, time: dt.time) -> dt.datetime:
        """The instant of a civil time in this clinic, in UTC; of one that comes twice, the first."""
        return dt.datetime.combine(day, time, self.zone).astimezone(dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A message that a job would have planned, and why it did not. ``reason``: one word; ``detail``: no names."""

    key: str
    organization_id: str
    reason: str
    detail: str = ""
    patient_id: str | None = None
    cause: Cause | None = None
    channel: Channel | None = None
    template: str | None = None

    @classmethod
    def of(cls, draft: Draft, reason: str, detail: str) -> Withheld:
        """A draft that is not planned after all."""
        return cls(
            key=draft.key, organization_id=draft.organization_id, reason=reason, detail=detail,
            patient_id=draft.patient_id, cause=draft.cause, channel=draft.channel, template=draft.template,
        )  # fmt: skip


@dataclass(slots=True)
class Proposal:
    """What a job finds for some clinics. A key in both lists is planned.

    Args:
        is_once: what was told on one channel is not told on another one (``telling.once``).
        is_news: what an earlier run withheld for the same reason is not told again (``visits.new_decisions``).
        needs: of mails to the staff, by key: what must still be true of the reader when they are sent.
        failures: clinics for which nothing could be found, with the error.
    """

    drafts: list[Draft] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    is_once: bool = False
    is_news: bool = False
    needs: dict[str, tuple[Need, ...]] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a job works with.

    Args:
        conn: to our own tables, in autocommit.
        files: where messages are written that no provider sends; None: nowhere.
    """

    conn: Connection
    clinic: ClinicDoor
    outbox: Outbox
    log: Log
    files: Path | None = None


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    Args:
        clinics: for how many it was done.
        planned: new messages, by channel; in shadow mode, those that would have been new.
        known: messages that were planned before.
        withheld: by reason.
        failures: organisations for which it could not be done, with the error; '' stands for all.
        planned_keys, withheld_keys: the first of them, for a run's page; the tables have all.
        facts: further numbers of the job.
    """

    job: str
    clinics: int = 0
    planned: Counter[str] = field(default_factory=Counter)
    known: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)
    planned_keys: list[str] = field(default_factory=list)
    withheld_keys: list[tuple[str, str, str]] = field(default_factory=list)
    facts: dict[str, int] = field(default_factory=dict)

    def add(self, part: Outcome) -> None:
        """Count another part of the same run in."""
        self.clinics += part.clinics
        self.planned += part.planned
        self.known += part.known
        self.withheld += part.withheld
        self.failures += part.failures
        self.planned_keys += part.planned_keys[: SHOWN - len(self.planned_keys)]
        self.withheld_keys += part.withheld_keys[: SHOWN - len(self.withheld_keys)]
        for name, number in part.facts.items():
            self.facts[name] = self.facts.get(name, 0) + number
