"""The jobs ``daily_reports`` and ``weekly_summary``: count, store, tell those who asked (CONTRACT clinic §5.7).

Here: one run, which does the same for a day as for a week. Not here: its steps, each in a file of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Outcome
from fisio_ayida.clinic.notices import keep_with_notices
from fisio_ayida.clinic.planning import begin, finish, for_each_group
from fisio_ayida.clinic.reports import frames
from fisio_ayida.clinic.reports.counting import Counted, count
from fisio_ayida.clinic.reports.kinds import DAILY, WEEKLY, Report
from fisio_ayida.clinic.reports.mailing import mails
from fisio_ayida.clinic.reports.storing import store

#: A run's page names so many unknown status words of each group of clinics, the most frequent first.
WORDS_NAMED: Final = 20


def run_daily(desk: Desk, order: Order) -> Outcome:
    """The civil day before the run's moment in each clinic.

    Raises:
        ClinicError, BadOrder: as :func:`planning.plan`.
    """
    return _run(DAILY, desk, order)


def run_weekly(desk: Desk, order: Order) -> Outcome:
    """The ISO week before the run's moment in each clinic.

    Raises:
        ClinicError, BadOrder: as :func:`planning.plan`.
    """
    return _run(WEEKLY, desk, order)


def _run(report: Report, desk: Desk, order: Order) -> Outcome:
    outcome, clinics = begin(report.job, desk, order)

    def work(there: Connection, members: Sequence[Clinic], part: Outcome) -> None:
        periods = [period for clinic in members for period in report.periods(clinic, order.nominal)]
        counted = count(there, periods)
        _note(counted, part)
        if not order.is_dry:
            store(desk.conn, report.kind, counted.asked, order)
        keep_with_notices(desk, order, mails(report, desk, there, order, members, periods, counted), part)

    for_each_group(desk, clinics, work, outcome)
    finish(desk, order, outcome)
    return outcome


def _note(counted: Counted, part: Outcome) -> None:
    """Numbers for the run's page: ids and names of nobody."""
    wholes = counted.asked[counted.asked["therapist_id"] == frames.WHOLE]
    part.facts |= {name.replace("_", " "): int(wholes[name].sum()) for name in frames.COUNTS}
    for word, visits in counted.unknown.most_common(WORDS_NAMED):
        part.facts[f"unknown status {word}"] = visits
