"""What a run is asked: its config or partitions, as the moments that it stands for.

Days come from these moments, never from the clock. Not here: what a job makes of them (``fisio_ayida/clinic``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg
from pydantic import Field

from fisio_ayida.clinic.registry import EARLIEST, EVERY_HOUR, ZONE, Job
from fisio_ayida.clinic.retention import PARTS
from fisio_ayida.defs.clinic.specs import PERIODS

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import BadOrder

_SAO_PAULO = ZoneInfo(ZONE)
_DAY = dt.timedelta(days=1)
#: Hosts' clocks differ; a moment so far ahead is taken for now.
CLOCKS_DIFFER = dt.timedelta(minutes=1)

#: The parts of the clean-up, and FisioFlow's word for all of them.
CLEANUP_TYPES = ("all", *PARTS)


class RunConfig(dg.Config):
    """What may be asked of any run."""

    at: str | None = Field(
        default=None,
        description="Moment that the run stands for, ISO 8601 with an offset: the last one until then at which "
        "the job was due; of a job that a sensor starts the moment itself",
    )
    organization: str | None = Field(default=None, description="This organisation alone; all if left out")
    dry_run: bool = Field(default=False, description="Look, and write nothing at all")


class JobConfig(RunConfig):
    """What may be asked of a job; with nothing said, what was due last."""

    day: str | None = Field(
        default=None,
        description=f"Civil day in {ZONE} that the run stands for, YYYY-MM-DD; of a weekly job any day of its "
        "week. Reports are about the day or week before; a partition names that one itself",
    )


class CleanupConfig(JobConfig):
    """What may be asked of the clean-up."""

    cleanup_type: str | None = Field(
        default=None, description=f"One of {', '.join(CLEANUP_TYPES)}; all if left out"
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """One moment that a run stands for, and the partition that it makes, if the job's asset has some."""

    nominal: dt.datetime
    partition: str | None


def asked(job: Job, config: JobConfig, partitions: Sequence[str], now: dt.datetime) -> list[Asked]:
    """The moments of a run, in order.

    Raises:
        BadOrder: a value that is none, one of the future, or two that say different things.
    """
    given = {"day": config.day, "at": config.at, "the partitions": ", ".join(partitions)}
    said = [name for name, value in given.items() if value]
    if len(said) > 1:
        raise bad_order(f"{' and '.join(said)} are given: each says what the run stands for, so give one of them")
    if partitions:
        return [_of_partition(job, key) for key in sorted(partitions)]
    if config.day:
        nominal = _of_day(job, config.day, now)
    else:
        at = moment_of(config, now)
        # What a sensor asks for stands for the moment itself.
        nominal = job.when.latest(at) if job.plain else at
    return [Asked(nominal, partition_of(job, nominal))]


def moment_of(config: RunConfig, now: dt.datetime) -> dt.datetime:
    """The moment that is given, or now, in São Paulo. Raises :class:`BadOrder`: it is none, or of the future."""
    return (_moment(config.at, now) if config.at else now).astimezone(_SAO_PAULO)


def partition_of(job: Job, nominal: dt.datetime) -> str | None:
    """The partition that a run of this moment makes: the day or week before; None where there are none."""
    if job.period is None:
        return None
    day = nominal.astimezone(_SAO_PAULO).date()
    return (_first(job, day) - PERIODS[job.period]).isoformat()


def parts_of(config: RunConfig) -> tuple[str, ...]:
    """The parts of the job that are asked for; none for all. Raises :class:`BadOrder`."""
    kind = config.cleanup_type if isinstance(config, CleanupConfig) else None
    if kind is not None and kind not in CLEANUP_TYPES:
        raise bad_order(f"cleanup_type={kind!r} is not allowed; allowed: {', '.join(CLEANUP_TYPES)}")
    return () if kind is None or kind == "all" else (kind,)


def organization_of(config: RunConfig) -> str | None:
    """The organisation that is asked for; None for all. Raises :class:`BadOrder`."""
    if config.organization is None:
        return None
    if not (given := config.organization.strip()):
        # An empty variable of who asks must not write to the patients of all clinics.
        raise bad_order(f"organization={config.organization!r} names none: leave it out to do it for all")
    return given


def bad_order(text: str) -> BadOrder:
    """The error of a run that is asked for what there is not; its room is not imported to define."""
    from fisio_ayida.clinic.model import BadOrder

    return BadOrder(text)


def _of_partition(job: Job, key: str) -> Asked:
    if job.period is None:
        raise bad_order(f"partition={key!r}: {job.name} has no partitions")
    return Asked(job.when.of(dt.date.fromisoformat(key) + PERIODS[job.period]), key)


def _of_day(job: Job, text: str, now: dt.datetime) -> dt.datetime:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise bad_order(f"day={text!r} is not a day of the calendar: YYYY-MM-DD is expected") from None
    if day < EARLIEST:
        raise bad_order(f"day={text!r} is before {EARLIEST}")
    if job.when.hours == EVERY_HOUR:
        raise bad_order(f"day={text!r}: {job.name} is due many times a day; give at, a moment with its offset")
    if day > now.astimezone(_SAO_PAULO).date():
        raise bad_order(f"day={text!r} has not come yet in {ZONE}")
    return job.when.of(_first(job, day))


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise bad_order(f"at={text!r} is not a moment: ISO 8601 with an offset is expected") from None
    if at.tzinfo is None:
        raise bad_order(f"at={text!r} has no offset: write 2026-03-12T09:00:00-03:00, for example")
    if at.date() < EARLIEST:
        raise bad_order(f"at={text!r} is before {EARLIEST}")
    if at > now + CLOCKS_DIFFER:
        raise bad_order(f"at={text!r} has not come yet")
    return at


def _first(job: Job, day: dt.date) -> dt.date:
    """The day on which the job was due: of a weekly one, in that ISO week."""
    return day if job.when.weekday is None else day - (day.weekday() - job.when.weekday) * _DAY
