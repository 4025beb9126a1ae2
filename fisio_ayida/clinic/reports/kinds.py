"""The two kinds of report, one row each: what differs between a day's and a week's.

Not here: a run, which is the same for both (``running.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fisio_ayida.clinic.model import Clinic
from fisio_ayida.clinic.reports import wording
from fisio_ayida.clinic.reports.frames import Line
from fisio_ayida.clinic.reports.periods import Kind, Period, day_before, week_before
from fisio_ayida.clinic.reports.readers import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One kind of report.

    Args:
        useful_for: since the moment that the run stands for; then nobody is told any more.
        periods: of a clinic, the one that the report is about first.
        words: what every reader is told: of a clinic's name, its period, and those before it, newest first.
        tells_messages: administrators are told how the clinic's messages fared.
    """

    kind: Kind
    job: str
    template: str
    wish: Wish
    useful_for: dt.timedelta
    periods: Callable[[Clinic, dt.datetime], list[Period]]
    words: Callable[[str, Line, Sequence[Line]], wording.Variables]
    tells_messages: bool = False


DAILY: Final = Report(
    kind="daily", job="daily_reports", template="daily_report", wish="wants_daily_report",
    useful_for=dt.timedelta(hours=24), periods=day_before, words=wording.daily, tells_messages=True,
)  # fmt: skip
WEEKLY: Final = Report(
    kind="weekly", job="weekly_summary", template="weekly_summary", wish="wants_weekly_summary",
    useful_for=dt.timedelta(days=3), periods=week_before, words=wording.weekly,
)  # fmt: skip
