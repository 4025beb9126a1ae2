"""Which function does which job: the names of the registry bound to the domain's code.

Not here: when (``registry.py``), and what is opened for it (``service.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from fisio_ayida.clinic import (
    birthdays,
    cleanup,
    confirmations,
    feedback,
    reactivation,
    reminders,
    reports,
    vouchers,
)
from fisio_ayida.clinic.integrity import examine
from fisio_ayida.clinic.model import Desk, Order, Outcome
from fisio_ayida.clinic.planning import plan

Runner = Callable[[Desk, Order], Outcome]

#: By the job's name.
RUNNERS: Final[Mapping[str, Runner]] = {
    birthdays.JOB: partial(plan, birthdays.JOB, birthdays.find),
    reports.DAILY.job: reports.run_daily,
    reports.WEEKLY.job: reports.run_weekly,
    vouchers.JOB: partial(plan, vouchers.JOB, vouchers.find),
    reminders.JOB: reminders.run,
    confirmations.JOB: confirmations.run,
    feedback.JOB: feedback.run,
    reactivation.JOB: partial(plan, reactivation.JOB, reactivation.find),
    examine.JOB: examine.run,
    cleanup.JOB: cleanup.clean_up,
}


def run(job: str, desk: Desk, order: Order) -> Outcome:
    """Do a job.

    Raises:
        ClinicError: the clinic's relations are not as agreed, or hidden: nothing was done.
        BadOrder: what is asked for does not exist.
    """
    return RUNNERS[job](desk, order)
