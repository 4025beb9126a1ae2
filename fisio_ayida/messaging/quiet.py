"""Quiet hours: when nothing that we plan may reach a person, by the clinic's own clock.

Here: whether it is quiet now and until when. Not here: which messages heed it (rules.py), where a clinic's hours
are kept (messaging.policies).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from fisio_ayida.messaging.model import MessagingError

_SATURDAY: Final = 5
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A clinic's quiet hours, in civil time.

    Args:
        zone: IANA name.
        quiet_from, quiet_to: the half-open window, over midnight if it begins after it ends; equal: none.
        weekends: Saturdays and Sundays are quiet as a whole.

    Raises:
        MessagingError: no such zone.
    """

    zone: str
    quiet_from: dt.time
    quiet_to: dt.time
    weekends: bool

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise MessagingError(
                f"zone={self.zone!r} is not an IANA time zone, such as America/Sao_Paulo"
            ) from None


#: Of a clinic without a row in messaging.policies, and of a message that no clinic sends.
DEFAULT: Final = Quiet("America/Sao_Paulo", dt.time(21), dt.time(8), weekends=False)


def until(quiet: Quiet, now: dt.datetime) -> dt.datetime | None:
    """When sending is allowed again: in UTC, after ``now`` and itself not quiet. None: it is allowed now.

    A quiet hour that a clock change skips or repeats is still decided by what the clinic's clock shows.
    """
    zone = ZoneInfo(quiet.zone)
    if not _is_quiet(quiet, _civil(now, zone)):
        return None
    moment = now.astimezone(dt.UTC)
    # A second round only where a clock change leads from the window's end into the next window.
    while _is_quiet(quiet, civil := _civil(moment, zone)):
        moment = _first_after(moment, _end(quiet, civil), zone)
    return moment


def _is_quiet(quiet: Quiet, civil: dt.datetime) -> bool:
    return (quiet.weekends and civil.weekday() >= _SATURDAY) or _is_in_window(quiet, civil.time())


def _is_in_window(quiet: Quiet, time: dt.time) -> bool:
    if quiet.quiet_from <= quiet.quiet_to:
        return quiet.quiet_from <= time < quiet.quiet_to
    return time >= quiet.quiet_from or time < quiet.quiet_to


def _end(quiet: Quiet, civil: dt.datetime) -> dt.datetime:
    """The first civil time after a quiet one that is not quiet."""
    while _is_quiet(quiet, civil):
        if _is_in_window(quiet, civil.time()):
            day = civil.date() if civil.time() < quiet.quiet_to else civil.date() + _DAY
            civil = dt.datetime.combine(day, quiet.quiet_to)
        else:
            civil = dt.datetime.combine(civil.date() + _DAY, dt.time())
    return civil


def _civil(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _first_after(moment: dt.datetime, civil: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The first instant after another at which clocks show this; if they skip it, they show as much later."""
    first = civil.replace(tzinfo=zone).astimezone(dt.UTC)
    # The hour is repeated, and this is its second time.
    return first if first > moment else civil.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
