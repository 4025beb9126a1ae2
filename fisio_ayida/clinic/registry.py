"""The registry of FisioFlow's jobs: one row each, with its hours, its asset and the event that also starts it.

From these rows follow schedules, jobs, assets, the command line, docs and the test that each job has its hour and
zone. Light: Dagster's definitions read it. Not here: what a job does (``running.py`` binds names to functions).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

#: FisioFlow's schedules are São Paulo's (CONTRACT clinic §5.1); a clinic's own zone decides what its days are.
ZONE: Final = "America/Sao_Paulo"
MONDAY: Final = 0
#: No run stands for a day before it: at the edges of the calendar no zone can be reckoned with.
EARLIEST: Final = dt.date(2000, 1, 1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class When:
    """When a job runs, in São Paulo: at these minutes of these hours, every day or on one weekday (Monday: 0)."""

    hours: tuple[int, ...]
    minutes: tuple[int, ...] = (0,)
    weekday: int | None = None

    @property
    def cron(self) -> str:
        """The cron expression of the schedule."""
        hours = "*" if self.hours == EVERY_HOUR else ",".join(map(str, self.hours))
        day = "*" if self.weekday is None else str((self.weekday + 1) % 7)
        return f"{','.join(map(str, self.minutes))} {hours} * * {day}"

    def of(self, day: dt.date) -> dt.datetime:
        """The first moment of a day at which the job is due; on a day without one, as if there were one."""
        return dt.datetime.combine(day, dt.time(self.hours[0], self.minutes[0]), ZoneInfo(ZONE))

    def ticks(self, day: dt.date) -> Iterator[dt.datetime]:
        """The moments of a day at which the job is due, in order."""
        if self.weekday is None or day.weekday() == self.weekday:
            for hour in self.hours:
                for minute in self.minutes:
                    yield dt.datetime.combine(day, dt.time(hour, minute), ZoneInfo(ZONE))

    def latest(self, now: dt.datetime) -> dt.datetime:
        """The last moment at which the job was due, at or before ``now``."""
        day = now.astimezone(ZoneInfo(ZONE)).date()
        while True:
            due = [tick for tick in self.ticks(day) if tick <= now]
            if due:
                return due[-1]
            day -= _DAY


EVERY_HOUR: Final = tuple(range(24))
_QUARTERS: Final = (0, 15, 30, 45)
_VISITS: Final = ("appointments", "appointment_statuses", "patients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job.

    Args:
        asset: below ``clinic/``; of a job that only checks, the name of its step.
        makes: an asset, or the results of checks of ``clinic/tables/*``; ``insights``: an asset of that room.
        reads: relations of schema ``clinic`` that its asset is made from, beside the organisations.
        period: what a partition of its asset is; None: it has none.
        event: FisioFlow's event that asks for a run.
        sends: it writes what the old cron wrote, too, so that there is something to compare.
        plain: ``when`` is a schedule; else a sensor asks for runs when there is something to do.
    """

    name: str
    asset: str
    makes: Literal["asset", "checks", "insights"] = "asset"
    description: str
    when: When
    reads: tuple[str, ...] = ()
    period: Literal["day", "week"] | None = None
    event: str | None = None
    sends: bool = True
    plain: bool = True


ROWS: Final = (
    Job(
        name="daily_cleanup", asset="cleanup", when=When((3,)), event="cron/daily.cleanup", sends=False,
        description="Deletes what no rule of retention keeps any longer; tells authors of unfinished sessions.",
        reads=("appointments", "sessions", "staff"),
    ),
    Job(
        name="daily_reports", asset="daily_reports", when=When((8,)), period="day", event="cron/daily.reports",
        description="The previous civil day of each clinic in numbers, mailed to those who asked for it.",
        reads=(*_VISITS, "staff"),
    ),
    Job(
        name="birthday_messages", asset="birthday_messages", when=When((9,)), event="cron/daily.birthdays",
        description="A greeting to each patient whose birthday it is.",
        reads=("patients", "staff"),
    ),
    Job(
        name="weekly_summary", asset="weekly_summaries", when=When((9,), weekday=MONDAY), period="week",
        event="cron/weekly.summary",
        description="The ISO week before in numbers, with the four weeks before it.",
        reads=(*_VISITS, "staff"),
    ),
    Job(
        name="expiring_vouchers", asset="expiring_vouchers", when=When((10,)),
        event="cron/daily.expiring-vouchers",
        description="A word to each patient whose package or voucher expires in a week with sessions left.",
        reads=("packages", "patients"),
    ),
    Job(
        name="data_integrity", asset="integrity", makes="checks", when=When((0, 6, 12, 18)),
        event="cron/data-integrity",
        description="Rows of a clinic that contradict each other, told to its administrators.",
    ),
    Job(
        name="appointment_reminders", asset="appointment_reminders", when=When(EVERY_HOUR),
        event="appointment/reminder", description="Reminders of visits, by each clinic's rules.",
        reads=(*_VISITS, "staff"),
    ),
    Job(
        name="appointment_confirmations", asset="appointment_confirmations", when=When(EVERY_HOUR, _QUARTERS),
        plain=False, description="A word to each patient whose visit was just booked.",
        reads=(*_VISITS, "staff"),
    ),
    Job(
        name="feedback_requests", asset="feedback_requests", when=When(EVERY_HOUR, _QUARTERS),
        description="How was it? Two hours after a visit, at most once a month.",
        reads=_VISITS,
    ),
    Job(
        name="reactivation_campaign", asset="reactivation_campaign", when=When((10,), weekday=MONDAY),
        description="An invitation to patients who have not come for a month and have nothing booked.",
        reads=_VISITS,
    ),
    Job(
        name="patient_insights", asset="patient_insights", makes="insights", when=When(EVERY_HOUR, _QUARTERS),
        plain=False, description="What changed for patients whose session was completed, for their professionals.",
        reads=(*_VISITS, "sessions"),
    ),
)  # fmt: skip

#: By name.
JOBS: Final[Mapping[str, Job]] = {row.name: row for row in ROWS}


class UnknownJob(ValueError):
    """No row of the registry has this name."""


def job(name: str) -> Job:
    """The job of this name; raises :class:`UnknownJob` with the names there are."""
    if name not in JOBS:
        raise UnknownJob(f"job={name!r} is not a job of the clinic; known: {', '.join(JOBS)}")
    return JOBS[name]


def shadowed(words: str) -> frozenset[str]:
    """The jobs that CLINIC_SHADOW names; ``words`` are its value.

    Raises:
        UnknownJob: a name is none: whoever mistypes it would have messages sent.
    """
    names = [word.strip() for word in words.split(",") if word.strip()]
    if names == ["all"]:
        return frozenset(JOBS)
    try:
        return frozenset(job(name).name for name in names)
    except UnknownJob as error:
        raise UnknownJob(f"CLINIC_SHADOW: {error}") from None
