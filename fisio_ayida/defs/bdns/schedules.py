"""When what is synchronised: the official cadence, in Madrid's time, mid-morning (CONTRACT §1.3).

Ranges come from a tick's nominal time, never from the clock, so a late tick asks for the same days. What a
range means is the domain's; jobs are in ``jobs.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import dagster as dg

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.bdns.windows import MADRID
from fisio_ayida.defs.bdns.jobs import SYNC_JOBS, Job, jobs
from fisio_ayida.defs.bdns.specs import OWNER, op_name

Days = tuple[dt.date, dt.date]
_DAY = dt.timedelta(days=1)
_STOPPED = "Stopped until someone starts it."


def yesterday(nominal: dt.date) -> Days:
    return nominal - _DAY, nominal - _DAY


def last_week(nominal: dt.date) -> Days:
    """Monday to Sunday of the week before."""
    monday = nominal - nominal.weekday() * _DAY
    return monday - 7 * _DAY, monday - _DAY


def last_month(nominal: dt.date) -> Days:
    last = nominal.replace(day=1) - _DAY
    return last.replace(day=1), last


def last_year(nominal: dt.date) -> Days:
    return dt.date(nominal.year - 1, 1, 1), dt.date(nominal.year - 1, 12, 31)


@dataclass(frozen=True, slots=True)
class Cadence:
    """One rhythm of re-reading: which days before a tick, and when (minute and hour are the dataset's)."""

    days: Callable[[dt.date], Days]
    cron: str
    hours_later: int
    words: str


# Each after the one before it, so that on a Monday the 1st nothing waits for the long ones.
CADENCES: Mapping[str, Cadence] = {
    "yesterday": Cadence(yesterday, "* * *", 0, "Every day: the day before"),
    "last_week": Cadence(last_week, "* * 1", 1, "On Mondays: the week before, for late edits"),
    "last_month": Cadence(last_month, "1 * *", 2, "On the 1st: the month before"),
    "last_year": Cadence(last_year, "2 1,5,9 *", 3, "In January, May and September: the year before"),
}
# Minute and hour, Madrid: after the nightly maintenance and far from 02:00-03:00, which may come twice or never.
DAILY_TIMES: Mapping[str, tuple[int, int]] = {
    "sync_convocatorias": (30, 9),
    "sync_concesiones": (0, 10),
    "sync_ayudas_estado": (20, 10),
    "sync_minimis": (40, 10),
    "sync_partidos_politicos": (50, 10),
    "sync_sanciones": (55, 10),
}
WEEKLY_TIMES: Mapping[str, tuple[int, int]] = {
    "sync_catalogos_basicos": (0, 9),
    "sync_organos": (10, 9),
    "sync_regiones": (20, 9),
    "sync_planes_estrategicos": (15, 11),
    "sync_grandes_beneficiarios": (45, 11),
}
DOCUMENTS_TIME = (30, 11)
_WEEKLY_DAY = "2"  # Tuesday: Mondays have the week's re-read


def schedules() -> list[dg.ScheduleDefinition]:
    """All schedules of the mirror."""
    found: list[dg.ScheduleDefinition] = []
    by_name = {job.name: job for job in jobs()}
    for name, (minute, hour) in DAILY_TIMES.items():
        dataset = DATASETS[SYNC_JOBS[name][0]]
        if not dataset.is_windowed:
            found.append(_plain(by_name[name], f"{dataset.name}_daily", f"{minute} {hour} * * *", "Every day."))
            continue
        for suffix, cadence in CADENCES.items():
            found.append(_ranged(by_name[name], dataset, suffix, cadence, minute, hour))
    minute, hour = DOCUMENTS_TIME
    words = "Every day, after the calls and plans."
    found.append(_plain(by_name["store_documents"], "documentos_daily", f"{minute} {hour} * * *", words))
    for name, (minute, hour) in WEEKLY_TIMES.items():
        cron = f"{minute} {hour} * * {_WEEKLY_DAY}"
        found.append(_plain(by_name[name], f"{name.removeprefix('sync_')}_weekly", cron, "Every Tuesday."))
    return found


def _ranged(
    job: Job, dataset: Dataset, suffix: str, cadence: Cadence, minute: int, hour: int
) -> dg.ScheduleDefinition:
    """A schedule whose run loads a range of registration days, in one run."""

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        nominal = context.scheduled_execution_time.astimezone(MADRID)
        first, last = cadence.days(nominal.date())
        if dataset.first_day is not None and last < dataset.first_day:
            return dg.SkipReason(f"{dataset.name} begins on {dataset.first_day}")
        first = max(first, dataset.first_day or first)
        config = {"date_from": first.isoformat(), "date_to": last.isoformat()}
        return dg.RunRequest(
            # With its offset: the hour that comes twice in October is two moments.
            run_key=f"{dataset.name} {suffix} {nominal.isoformat()}",
            run_config={"ops": {op_name(dataset): {"config": config}}},
            tags={"bdns/range": f"{first}..{last}", "bdns/cadence": suffix},
        )

    return dg.ScheduleDefinition(
        name=f"{dataset.name}_{suffix}",
        job=job,
        cron_schedule=f"{minute} {hour + cadence.hours_later} {cadence.cron}",
        execution_timezone=MADRID.key,
        execution_fn=request,
        description=f"{cadence.words}, in one run. {_STOPPED}",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        owners=[OWNER],
    )


def _plain(job: Job, name: str, cron: str, words: str) -> dg.ScheduleDefinition:
    """A schedule of what is loaded whole."""

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        nominal = context.scheduled_execution_time.astimezone(MADRID)
        return dg.RunRequest(run_key=f"{name} {nominal.isoformat()}")

    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=MADRID.key,
        execution_fn=request,
        description=f"{words} {_STOPPED}",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        owners=[OWNER],
    )
